"""Leaving a shift: until the limit by oneself, later by asking; and offering to stay on for the next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.places import service as places
from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import HOLDS, ShiftState, SignupState, Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import fitness, joining
from portal.volunteers.service.signup_telling import leader_of, tell_signup

LIVE = frozenset({SignupState.REQUESTED, SignupState.JOINED})


def deadline(signup: Signup) -> datetime:
    """Until when she may leave by herself."""
    return signup.starts_at - timedelta(hours=signup.shift.activity.leave_hours)


def may_leave(signup: Signup, at: datetime) -> bool:
    """A request that nobody answered may be taken back until the beginning."""
    last = signup.starts_at if signup.state is SignupState.REQUESTED else deadline(signup)
    return signup.state in LIVE and at < last


def may_ask_to_leave(signup: Signup, at: datetime) -> bool:
    return signup.state is SignupState.JOINED and deadline(signup) <= at < signup.starts_at


def leave(signup: Signup, *, by: joining.Who, reason: str = "") -> None:
    """Give the place back: whoever waits gets it."""
    if not may_leave(signup, now()):
        hours = signup.shift.activity.leave_hours
        words = _("开始前 %(hours)d 小时起不能自己退出。来不了请点“请假”，或打电话告诉领队。", hours=hours)
        raise Refused(words)
    joining.take_off(signup, SignupState.LEFT, by=by, reason=reason)


def ask_to_leave(signup: Signup, *, by: joining.Who, reason: str) -> None:
    """Past the limit the leader or a worker decides; she stays on the list until then."""
    if not may_ask_to_leave(signup, now()):
        raise Refused(_("这一班现在不能请假；请刷新看看，或打电话告诉领队。"))
    where = sa.and_(Signup.id == signup.id, Signup.state == SignupState.JOINED)
    if not guarded(sa.update(Signup).where(where).values(leave_asked_at=now(), leave_words=reason)):
        raise Refused(_("这一班现在不能请假；请刷新看看，或打电话告诉领队。"))
    db.session.refresh(signup)
    audit.record("volunteers.leave_asked", signup, on_behalf_of=signup.volunteer.person.public_id, by=by.public_id)
    leader = leader_of(signup.shift.activity)
    if leader is not None:
        tell_signup("leave_asked", signup, to=leader, reason=reason, who=signup.volunteer.person.name)


def answer_leave(signup: Signup, *, yes: bool, by: joining.Who, reason: str = "") -> None:
    """A worker or leader lets her go, which counts as late; or asks her to come all the same, and says why."""
    if signup.leave_asked_at is None or signup.state is not SignupState.JOINED:
        raise Refused(_("这个请假已经处理过了，请刷新看看。"))
    places.hold(signup.post.capacity_id)
    where = sa.and_(Signup.id == signup.id, Signup.leave_asked_at.is_not(None))
    if not guarded(sa.update(Signup).where(where).values(leave_asked_at=None)):
        raise Refused(_("这个请假已经处理过了，请刷新看看。"))
    if yes:
        joining.take_off(signup, SignupState.LEFT, by=by, reason=reason or signup.leave_words, late=True)
        return
    db.session.refresh(signup)
    audit.record("volunteers.leave_refused", signup, reason=reason, on_behalf_of=signup.volunteer.person.public_id)
    tell_signup("leave_refused", signup, reason=reason)


def may_say_stay(signup: Signup, at: datetime) -> bool:
    """Only where a shift follows at once: else nobody could ever take her at her word."""
    return _goes_on(signup, at) and (signup.can_stay or _is_followed(signup))


def _goes_on(signup: Signup, at: datetime) -> bool:
    return signup.state in {SignupState.JOINED, SignupState.PRESENT} and at < signup.ends_at


def _is_followed(signup: Signup) -> bool:
    query = sa.select(Shift.id).where(
        Shift.activity_id == signup.shift.activity_id,
        Shift.state != ShiftState.CALLED_OFF,
        Shift.starts_at.between(signup.ends_at, signup.ends_at + fitness.BREAK),
    )
    return db.session.scalar(query.limit(1)) is not None


def say_can_stay(signup: Signup, *, can: bool) -> None:
    """ "I can stay on": seen by the leader and the workers, and nobody is bound by it."""
    if not _goes_on(signup, now()):
        raise Refused(_("这一班已经结束，不用再说了。"))
    if can and not _is_followed(signup):
        raise Refused(_("这一班后面没有紧接着的班次，不用多留。"))
    guarded(sa.update(Signup).where(Signup.id == signup.id).values(can_stay=can))
    db.session.refresh(signup, ["can_stay"])
    audit.record("volunteers.can_stay_said", signup, on_behalf_of=signup.volunteer.person.public_id, can=can)


@dataclass(frozen=True)
class Staying:
    """Somebody who can stay on, and the same position of the shift that follows, where it needs somebody."""

    signup: Signup
    post: Post


def next_posts(signups: list[Signup]) -> list[Staying]:
    """Of those who can stay on, whom the shift that follows at once still needs; in the order given."""
    asked = [one for one in signups if one.can_stay]
    if not asked:
        return []
    query = (
        sa.select(Post)
        .join(Post.shift)
        .where(
            Shift.activity_id.in_({one.shift.activity_id for one in asked}),
            Shift.state == ShiftState.OPEN,
            Shift.starts_at >= min(one.ends_at for one in asked),
            Shift.starts_at <= max(one.ends_at for one in asked) + fitness.BREAK,
        )
        .options(*fitness.whole())
        .order_by(Shift.starts_at, Post.id)
    )
    posts = list(db.session.scalars(query))
    there = _already_on({post.shift_id for post in posts}, {one.volunteer_id for one in asked})
    pairs = [(one, next((post for post in posts if _follows(one, post)), None)) for one in asked]
    return [Staying(one, post) for one, post in pairs if post and (one.volunteer_id, post.shift_id) not in there]


def _already_on(shift_ids: set[int], volunteer_ids: set[int]) -> set[tuple[int, int]]:
    """Who of them has a place on, or asks for, which of the shifts: nobody stays on for what she is on anyway."""
    query = sa.select(Signup.volunteer_id, Signup.shift_id).where(
        Signup.shift_id.in_(shift_ids), Signup.volunteer_id.in_(volunteer_ids), Signup.state.in_(HOLDS)
    )
    return {(volunteer_id, shift_id) for volunteer_id, shift_id in db.session.execute(query)}


def _follows(signup: Signup, post: Post) -> bool:
    gap = post.shift.starts_at - signup.ends_at
    same = post.position_id == signup.post.position_id and timedelta(0) <= gap <= fitness.BREAK
    return same and post.capacity.left > 0


def stay_on(signup: Signup, *, by: joining.Who, way: Way) -> Signup:
    """Put who can stay on the shift that follows."""
    found = next_posts([signup])
    if not found:
        raise Refused(_("下一班不缺人，或没有紧接着的下一班。"))
    return joining.put_on(found[0].post, signup.volunteer, way=way, by=by, agreed_at=now())
