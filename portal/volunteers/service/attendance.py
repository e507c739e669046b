"""Who is on a shift and what came of it: the leader's list, the workers' desk, the paper, the lists that wait."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload

from portal.core import audit, clock, outbox, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import day_bounds
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.registry.models import Person
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import HOLDS, HoursState, ShiftState, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import attending, held, hours
from portal.volunteers.service.codes import Purpose
from portal.volunteers.service.people import community_ids

A_PAGE = 200
COMING = frozenset({SignupState.JOINED, SignupState.PRESENT})


@dataclass(frozen=True)
class Line:
    """Somebody on a shift; `day_minutes` are hers of that day on all shifts."""

    signup: Signup
    attendance: Attendance | None
    day_minutes: int

    @property
    def over_day(self) -> bool:
        return hours.over_day(self.day_minutes, clock.local(self.signup.starts_at).date())

    def is_late(self, moment: datetime) -> bool:
        """Whether she should be here by now, and is not."""
        shift = self.signup.shift
        return self.signup.state is SignupState.JOINED and shift.starts_at < moment

    def waits(self) -> bool:
        return self.attendance is not None and self.attendance.state is HoursState.TO_CONFIRM


@dataclass(frozen=True)
class Count:
    """Of a shift: how many are expected, have come, are gone, did not come, and wait for a second person."""

    expected: int = 0
    here: int = 0
    gone: int = 0
    missed: int = 0
    to_confirm: int = 0


def whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        joinedload(Signup.shift).joinedload(Shift.activity).joinedload(Activity.community),
        joinedload(Signup.post).joinedload(Post.position),
        joinedload(Signup.volunteer).joinedload(Volunteer.person),
    )


def lines_of(shift: Shift) -> list[Line]:
    """Everybody who holds a place of a shift, by position and name."""
    query = (
        sa.select(Signup, Attendance)
        .join(Signup.volunteer)
        .join(Volunteer.person)
        .join(Signup.post)
        .outerjoin(Attendance, Attendance.signup_id == Signup.id)
        .where(Signup.shift_id == shift.id, Signup.state.in_(HOLDS))
        .options(*whole())
        .order_by(Post.position_id, Person.pinyin, Signup.id)
    )
    rows = db.session.execute(query).all()
    totals = hours.day_totals([row[0].volunteer_id for row in rows], clock.local(shift.starts_at).date())
    return [Line(row[0], row[1], totals.get(row[0].volunteer_id, 0)) for row in rows]


def counts_of(shift_ids: Collection[int]) -> dict[int, Count]:
    """The same in figures for several shifts: one query."""
    held = Signup.state
    query = (
        sa.select(
            Signup.shift_id,
            sa.func.count().filter(held != SignupState.REQUESTED),
            sa.func.count().filter(held == SignupState.PRESENT),
            sa.func.count().filter(held == SignupState.DONE),
            sa.func.count().filter(held == SignupState.NO_SHOW),
            sa.func.count().filter(Attendance.state == HoursState.TO_CONFIRM),
        )
        .outerjoin(Attendance, Attendance.signup_id == Signup.id)
        .where(Signup.shift_id.in_(shift_ids), held.in_(HOLDS))
        .group_by(Signup.shift_id)
        .order_by(Signup.shift_id)
    )
    return {row[0]: Count(*row[1:]) for row in db.session.execute(query)}


def shifts_on(within: Collection[Scope], day: date) -> list[Shift]:
    """The shifts of a day in scope that were not called off, by time."""
    start, end = day_bounds(day)
    query = (
        sa.select(Shift)
        .join(Shift.activity)
        .where(
            Shift.community_id.in_(community_ids(within)),
            Shift.starts_at >= start,
            Shift.starts_at < end,
            Shift.state != ShiftState.CALLED_OFF,
        )
        .options(contains_eager(Shift.activity).joinedload(Activity.community))
        .order_by(Shift.starts_at, Shift.id)
    )
    return list(db.session.scalars(query))


def shift_in(within: Collection[Scope], public_id: str) -> Shift:
    query = (
        sa.select(Shift)
        .where(Shift.public_id == public_id, Shift.community_id.in_(community_ids(within)))
        .options(joinedload(Shift.activity).joinedload(Activity.community))
    )
    found = db.session.scalar(query.order_by(Shift.id))
    if found is None:
        raise Missing
    return found


def signup_on(shift: Shift, public_id: str) -> Signup:
    """Somebody's place on a shift that the asker was let to."""
    query = sa.select(Signup).where(Signup.public_id == public_id, Signup.shift_id == shift.id).options(*whole())
    found = db.session.scalar(query.order_by(Signup.id))
    if found is None:
        raise Missing
    return found


def _open(within: Collection[Scope], moment: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Of shifts that are over: nobody said what came of it, or when she went."""
    return (
        Shift.community_id.in_(community_ids(within)),
        Shift.state != ShiftState.CALLED_OFF,
        Signup.ends_at < moment,
        Signup.state.in_(COMING),
    )


def to_enter(within: Collection[Scope], moment: datetime) -> list[tuple[Shift, int]]:
    """Shifts that are over, with how many there have no mark yet; the longest over first."""
    counted = (
        sa.select(Signup.shift_id, sa.func.count().label("count"))
        .join(Signup.shift)
        .where(*_open(within, moment))
        .group_by(Signup.shift_id)
        .subquery()
    )
    query = (
        sa.select(Shift, counted.c.count)
        .join(counted, counted.c.shift_id == Shift.id)
        .options(joinedload(Shift.activity))
        .order_by(Shift.ends_at, Shift.id)
        .limit(A_PAGE)
    )
    return [(row[0], int(row[1])) for row in db.session.execute(query)]


def count_to_enter(within: Collection[Scope], before: datetime) -> int:
    query = sa.select(sa.func.count()).select_from(Signup).join(Signup.shift).where(*_open(within, before))
    return db.session.scalar(query) or 0


def _unsettled(within: Collection[Scope]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Shift.community_id.in_(community_ids(within)),
        Attendance.state.in_([HoursState.TO_CONFIRM, HoursState.DISPUTED]),
    )


def to_confirm(within: Collection[Scope]) -> list[Attendance]:
    """Hours that wait for a second person, and those disputed; the oldest first."""
    signup = joinedload(Attendance.signup)
    query = (
        sa.select(Attendance)
        .join(Attendance.signup)
        .join(Signup.shift)
        .where(*_unsettled(within))
        .options(
            signup.joinedload(Signup.shift).joinedload(Shift.activity),
            signup.joinedload(Signup.post).joinedload(Post.position),
            signup.joinedload(Signup.volunteer).joinedload(Volunteer.person),
        )
        .order_by(Signup.starts_at, Attendance.id)
        .limit(A_PAGE)
    )
    return list(db.session.scalars(query))


def count_to_confirm(within: Collection[Scope], ended_before: datetime | None = None) -> int:
    query = (
        sa.select(sa.func.count())
        .select_from(Attendance)
        .join(Attendance.signup)
        .join(Signup.shift)
        .where(*_unsettled(within))
    )
    if ended_before is not None:
        query = query.where(Signup.ends_at < ended_before)
    return db.session.scalar(query) or 0


def attendance_in(within: Collection[Scope], attendance_id: int) -> Attendance:
    signup = joinedload(Attendance.signup)
    query = (
        sa.select(Attendance)
        .join(Attendance.signup)
        .join(Signup.shift)
        .where(Attendance.id == attendance_id, Shift.community_id.in_(community_ids(within)))
        .options(
            signup.joinedload(Signup.shift).joinedload(Shift.activity).joinedload(Activity.community),
            signup.joinedload(Signup.volunteer).joinedload(Volunteer.person),
        )
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def confirm_picked(within: Collection[Scope], picks: Mapping[int, str], *, by: Actor) -> tuple[int, list[str]]:
    """Confirm several, each with the mark of what the page showed: how many, and why others were not, each once."""
    found = [one for one in to_confirm(within) if one.id in picks]
    # Recording holds one volunteer after the other: in the order of their ids, as whoever else holds several.
    of_people, _of_shift = held.locks(at_once=False)
    db.session.scalars(of_people, {"numbers": sorted({one.signup.volunteer_id for one in found})}).all()
    done, refused = 0, []
    for one in found:
        try:
            attending.confirm(one, by=by, seen=picks[one.id])
            done += 1
        except Refused as no:
            refused.append(no.message)
    return done, list(dict.fromkeys(refused))


def undo(signup: Signup, *, by: Actor, reason: str) -> None:
    """Take back the last that was marked: not come, gone, or come."""
    if signup.state is SignupState.NO_SHOW:
        attending.undo_no_show(signup, reason, by=by)
    else:
        purpose = Purpose.OUT if signup.state is SignupState.DONE else Purpose.IN
        attending.take_back(signup, purpose, by=by, reason=reason)


def message(shift: Shift, words: str, *, by: Actor, idem: str = "") -> int:
    """Tell everybody on a shift something; the same `idem` again tells nobody twice. How many were told."""
    heard = [line.signup for line in lines_of(shift) if line.signup.state is not SignupState.NO_SHOW]
    if not heard:
        raise Refused(_("这个班次现在没有人报名，没有人可以通知。"), field="words")
    body = f"{shift.id}|{words}"
    if tokens.first_request(by.public_id, "volunteers.shift_message", idem, body, str(shift.id)) is not None:
        return len(heard)
    for signup in heard:
        outbox.enqueue(
            "volunteers.shift_message",
            to=signup.volunteer.person.ref,
            person=signup.volunteer.person.name,
            activity=shift.activity.title,
            starts=shift.starts_at.isoformat(),
            ends=shift.ends_at.isoformat(),
            words=words,
            by=by.name,
        )
    audit.record("volunteers.shift_messaged", shift, told=len(heard))
    return len(heard)


def positions_of(lines: Sequence[Line]) -> list[tuple[Position, list[Line]]]:
    """The lines of a shift under their positions."""
    found: dict[int, tuple[Position, list[Line]]] = {}
    for line in lines:
        position = line.signup.post.position
        found.setdefault(position.id, (position, []))[1].append(line)
    return list(found.values())


def asked_about(shift: Shift) -> dict[str, Signup]:
    """Whom the paper of a shift may still say something about, by public id."""
    signups = [line.signup for line in lines_of(shift)]
    return {one.public_id: one for one in signups if one.state in COMING}


def sheets_of(shifts: Sequence[Shift]) -> list[tuple[Shift, list[Line]]]:
    """What the sign-in sheets of several shifts print, in the same few questions however many they are."""
    query = (
        sa.select(Signup)
        .join(Signup.volunteer)
        .join(Volunteer.person)
        .join(Signup.post)
        .where(Signup.shift_id.in_([shift.id for shift in shifts]), Signup.state.in_(HOLDS))
        .options(*whole())
        .order_by(Post.position_id, Person.pinyin, Signup.id)
    )
    found = list(db.session.scalars(query))
    return [(shift, [Line(one, None, 0) for one in found if one.shift_id == shift.id]) for shift in shifts]
