"""Checking in and out by oneself: the leader's QR code scanned, or its PIN typed, by who is on the shift."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core.access import Actor
from portal.core.clock import day_bounds, now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.web import moment_words
from portal.registry.service import people
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import HOLDS, Mark, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import attending, codes, hours
from portal.volunteers.service.codes import Link, Purpose


@dataclass(frozen=True)
class Mine:
    """A place on a shift and what came of it; `purpose` is what comes next."""

    signup: Signup
    attendance: Attendance | None
    purpose: Purpose | None

    def is_over(self, moment: datetime) -> bool:
        """Whether no code of what comes next counts any more."""
        return self.purpose is not None and moment > codes.window(self.signup.shift, self.purpose)[1]


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    """What a page says about a signup, eagerly."""
    return (
        joinedload(Signup.shift).joinedload(Shift.activity).joinedload(Activity.community),
        joinedload(Signup.post).joinedload(Post.position),
        joinedload(Signup.volunteer).joinedload(Volunteer.person),
    )


def _mine(actor: Actor) -> sa.Select[Signup]:
    me = people.person_of_or_none(actor)
    ids = people.ids_of(me) if me else sa.select(sa.null()).where(sa.false())
    return (
        sa.select(Signup)
        .join(Signup.volunteer)
        .where(Volunteer.person_id.in_(ids), Signup.state.in_(HOLDS))
        .options(*whole())
        .order_by(Signup.starts_at, Signup.id)
    )


def today_of(actor: Actor) -> list[Mine]:
    """Today's shifts of an account, and one of the night that is not over or ended a few hours ago."""
    start, end = day_bounds(today())
    query = _mine(actor).where(
        Signup.starts_at < end,
        sa.or_(Signup.starts_at >= start, Signup.ends_at >= start),
        Signup.state != SignupState.REQUESTED,
    )
    signups = list(db.session.scalars(query))
    found = attendances([one.id for one in signups])
    return [_said(one, found.get(one.id)) for one in signups]


def attendances(signup_ids: list[int]) -> dict[int, Attendance]:
    query = sa.select(Attendance).where(Attendance.signup_id.in_(signup_ids)).order_by(Attendance.id)
    return {one.signup_id: one for one in db.session.scalars(query)}


def mine(actor: Actor, public_id: str) -> Mine:
    """One of the account's own places; anything else does not exist."""
    found = db.session.scalar(_mine(actor).where(Signup.public_id == public_id))
    if found is None:
        raise Missing
    return _said(found, attending.attendance_of(found))


def mine_on(actor: Actor, shift: Shift) -> Mine:
    """The account's place on a shift, or a refusal that says what to do."""
    people.person_of(actor)
    found = db.session.scalar(_mine(actor).where(Signup.shift_id == shift.id))
    if found is None:
        raise Refused(_("您没有报名这个班次，不能签到。如果今天来帮忙，请告诉负责人，由负责人登记。"), field="code")
    return _said(found, attending.attendance_of(found))


def _said(signup: Signup, attendance: Attendance | None) -> Mine:
    if signup.state in {SignupState.JOINED, SignupState.NO_SHOW}:
        return Mine(signup, attendance, Purpose.IN)
    if signup.state is SignupState.PRESENT:
        return Mine(signup, attendance, Purpose.OUT)
    return Mine(signup, attendance, None)


def shift_of(public_id: str) -> Shift:
    query = sa.select(Shift).where(Shift.public_id == public_id).options(joinedload(Shift.activity))
    found = db.session.scalar(query.order_by(Shift.id))
    if found is None:
        raise Missing
    return found


def opened(shift: Shift, link: Link, *, by: Actor) -> tuple[Mine, str]:
    """A scanned code that was opened: whose place it is for, and signed words for the button that follows."""
    purpose, moment = codes.purpose_of(link.purpose), now()
    found = mine_on(by, shift)
    codes.check_window(shift, purpose, moment)
    codes.check_link(shift, purpose, link.step, link.signature, moment)
    return found, codes.seen(shift, purpose, found.signup.public_id)


def press(shift: Shift, link: Link, seen: str, *, by: Actor) -> Attendance:
    """The button below a scanned code: valid now, or opened a moment ago by the same person."""
    purpose, moment = codes.purpose_of(link.purpose), now()
    found = mine_on(by, shift)
    codes.check_window(shift, purpose, moment)
    if not codes.was_seen(seen, shift, purpose, found.signup.public_id):
        codes.check_link(shift, purpose, link.step, link.signature, moment)
    return _mark(found.signup, purpose, Mark.QR, by)


def enter(found: Mine, text: str, *, by: Actor) -> Attendance:
    """What was scanned or typed on the page of one's own shift."""
    signup, said, moment = found.signup, codes.read(text), now()
    if isinstance(said, Link):
        if said.shift != signup.shift.public_id:
            raise Refused(_("这是另一个班次的二维码。请扫您这个班次负责人的二维码。"), field="code")
        codes.check_window(signup.shift, codes.purpose_of(said.purpose), moment)
        codes.check_link(signup.shift, codes.purpose_of(said.purpose), said.step, said.signature, moment)
        return _mark(signup, codes.purpose_of(said.purpose), Mark.QR, by)
    if found.purpose is None:
        raise Refused(_("您已经签到和签退，不用再输签到码。"), field="code")
    codes.check_window(signup.shift, found.purpose, moment)
    codes.count_try(signup.shift, signup.public_id)
    codes.check_pin(signup.shift, found.purpose, said, moment)
    return _mark(signup, found.purpose, Mark.PIN, by)


def on_the_spot(signup: Signup, purpose: Purpose, *, by: Actor) -> Attendance:
    """The leader's one button: come or gone, now. Said later, it waits for a second person."""
    moment, closes = now(), hours.closes_at(signup.shift)
    if purpose is Purpose.OUT and moment > closes:
        until = moment_words(closes)
        words = _("“走”到 %(time)s 为止可以点。请点“填时间”登记，由另一个人确认；或者请社区工作人员登记。", time=until)
        raise Refused(words)
    return _mark(signup, purpose, Mark.LEADER, by)


def _mark(signup: Signup, purpose: Purpose, mark: Mark, by: Actor) -> Attendance:
    act = attending.mark_in if purpose is Purpose.IN else attending.mark_out
    return act(signup, mark, now(), by)
