"""Shifts that take nobody more or do not take place, and activities called off: everybody on them is told why."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.places import service as places
from portal.registry.models import Person
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import HOLDS, SHIFT_MOVES, ActivityState, ShiftState, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import guards, joining, keeping, pair_asking, serving

_BEFORE = (SignupState.REQUESTED, SignupState.JOINED, SignupState.PRESENT)


def close_shift(shift: Shift, reason: str, *, by: Actor) -> None:
    """Take nobody more; who is on it comes all the same, who waits is told."""
    _move(shift, ShiftState.CLOSED, reason)
    for number in sorted(post.capacity_id for post in shift.posts):
        places.close_line(number, reason=reason)
    pair_asking.end_all(shift, reason=reason)
    audit.record("volunteers.shift_closed", shift, reason=reason, by=by.name)


def reopen_shift(shift: Shift, *, by: Actor) -> None:
    guards.check_shift(shift.activity, shift.ends_at)
    _move(shift, ShiftState.OPEN, "")
    audit.record("volunteers.shift_opened", shift, by=by.name)


def call_off_shift(shift: Shift, reason: str, *, by: Actor) -> int:
    """The shift does not take place: who is on it or waits for it is told; return how many were on it."""
    _move(shift, ShiftState.CALLED_OFF, reason)
    told = clear(shift, by=by, reason=reason)
    audit.record("volunteers.shift_called_off", shift, reason=reason, told=told, by=by.name)
    return told


def clear(shift: Shift, *, by: joining.Who, reason: str) -> int:
    """Everybody off a shift that will not be, and out of its lines; how many had a place. The shift moved before."""
    query = sa.select(Post).where(Post.shift_id == shift.id).order_by(Post.capacity_id)
    for post in db.session.scalars(query).all():
        places.close_line(post.capacity_id, reason=reason)
    live = sa.and_(Signup.shift_id == shift.id, Signup.state.in_(_BEFORE))
    ours = (
        sa.select(Signup).join(Signup.post).where(live).options(*joining.whole()).order_by(Post.capacity_id, Signup.id)
    )
    found = db.session.scalars(ours).all()
    for signup in found:
        joining.take_off(signup, SignupState.CALLED_OFF, by=by, reason=reason)
    pair_asking.end_all(shift, reason=reason)
    serving.tell_called_off(shift, reason=reason)
    return len(found)


def _move(shift: Shift, state: ShiftState, reason: str) -> None:
    """By a guarded UPDATE, while it has not ended: of two who act on a shift at once, one does."""
    if shift.ends_at <= now():
        raise Refused(_("这个班次已经结束了，不能再改。"))
    before = [old for old, following in SHIFT_MOVES.items() if state in following]
    where = sa.and_(Shift.id == shift.id, Shift.state.in_(before))
    said: dict[str, Any] = {"state": state, "state_reason": reason}
    changed = guarded(sa.update(Shift).where(where).values(**said))
    db.session.refresh(shift, ["state", "state_reason"])
    if not changed:
        raise Refused(_("这个班次刚刚有人改过，请看看它现在的样子。"))


def call_off_activity(activity: Activity, reason: str, *, by: Actor) -> int:
    """Every coming shift is called off, and no more are added; return how many people were told. Who locks several
    shifts does so in the order of their ids.
    """
    numbers = [shift.id for shift in keeping.coming(activity)]
    db.session.execute(sa.select(Shift.id).where(Shift.id.in_(numbers)).order_by(Shift.id).with_for_update())
    told = sum(call_off_shift(shift, reason, by=by) for shift in keeping.coming(activity))
    keeping.move(activity, ActivityState.CALLED_OFF, reason)
    audit.record("volunteers.activity_called_off", activity, reason=reason, told=told, name=activity.title, by=by.name)
    return told


def people_on(shift: Shift) -> list[str]:
    """The names of those who hold a place on a shift."""
    query = (
        sa.select(Person.name)
        .join(Volunteer, Volunteer.person_id == Person.id)
        .join(Signup, Signup.volunteer_id == Volunteer.id)
        .where(Signup.shift_id == shift.id, Signup.state.in_(HOLDS))
        .order_by(Signup.id)
    )
    return list(db.session.scalars(query))


def places_held(activity: Activity) -> int:
    """How many places of its coming shifts are held: whom calling it off would concern."""
    coming = keeping.coming(activity)
    return sum(post.capacity.taken for shift in coming for post in shift.posts)
