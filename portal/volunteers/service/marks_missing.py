"""Asking for the marks that are missing once a shift is over: who did not check out, whom nobody marked."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.core import outbox, tokens
from portal.core.clock import now
from portal.core.db import db
from portal.volunteers.models.activities import Activity, Shift
from portal.volunteers.models.codes import ShiftState, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import attendance, hours
from portal.volunteers.service.signup_telling import leader_of

SETTLES = timedelta(minutes=10)
LOOKS_BACK = timedelta(hours=12)


def due(moment: datetime) -> list[int]:
    """Shifts that ended a while ago, with somebody whose coming or going nobody noted."""
    query = (
        sa.select(Signup.shift_id)
        .join(Signup.shift)
        .where(
            Signup.state.in_(attendance.COMING),
            Signup.ends_at <= moment - SETTLES,
            Signup.ends_at > moment - LOOKS_BACK,
            Shift.state != ShiftState.CALLED_OFF,
        )
        .distinct()
        .order_by(Signup.shift_id)
        .limit(500)
    )
    return list(db.session.scalars(query))


def ask(shift_id: int) -> int:
    """Remind who has not checked out while she still can, and tell the leader; each is told once. How many were."""
    leader = joinedload(Shift.activity).joinedload(Activity.leader).joinedload(Volunteer.person)
    shift = db.session.scalars(sa.select(Shift).where(Shift.id == shift_id).options(leader)).one()
    missing = [line.signup for line in attendance.lines_of(shift) if line.signup.state in attendance.COMING]
    asked = [signup for signup in missing if signup.state is SignupState.PRESENT and _first(signup.public_id)]
    if now() < hours.closes_at(shift):
        for signup in asked:
            _remind(signup)
    to = leader_of(shift.activity)
    if missing and to is not None and _first(shift.public_id):
        names = [signup.volunteer.person.name for signup in missing]
        facts = {"activity": shift.activity.title, "starts": shift.starts_at.isoformat()}
        facts |= {"ends": shift.ends_at.isoformat(), "names": "、".join(names[:10])}
        outbox.enqueue("volunteers.marks_missing_lead", to=to, count=len(names), **facts)
    return len(asked)


def _first(key: str) -> bool:
    """Whether this is asked for the first time: the job runs again and again."""
    return tokens.first_request("system", "volunteers.marks_missing", key, "", key) is None


def _remind(signup: Signup) -> None:
    person, shift = signup.volunteer.person, signup.shift
    outbox.enqueue(
        "volunteers.marks_missing",
        to=person.ref,
        person=person.name,
        activity=shift.activity.title,
        starts=shift.starts_at.isoformat(),
        ends=shift.ends_at.isoformat(),
        until=hours.closes_at(shift).isoformat(),
    )
