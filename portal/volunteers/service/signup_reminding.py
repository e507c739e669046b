"""Reminders before a shift, at the lead times each volunteer chose: each once, through the outbox."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.core.db import db, guarded
from portal.volunteers.models.codes import SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import joining
from portal.volunteers.service.signup_telling import tell_signup

# The longest lead somebody can choose (forms/people.py).
LONGEST = timedelta(days=8)


def leads(volunteer: Volunteer) -> list[timedelta]:
    """How long before the beginning she wants to be reminded, the earliest first."""
    hours = {int(count) for count in volunteer.reminders or [] if 0 < int(count) <= LONGEST / timedelta(hours=1)}
    return [timedelta(hours=count) for count in sorted(hours, reverse=True)]


def due(moment: datetime) -> list[int]:
    """The signups whose volunteer has a reminder due, the soonest first."""
    query = (
        sa.select(Signup.id, Signup.starts_at, Signup.reminded, Volunteer)
        .join(Signup.volunteer)
        .where(Signup.state == SignupState.JOINED, Signup.starts_at > moment, Signup.starts_at <= moment + LONGEST)
        .order_by(Signup.starts_at, Signup.id)
        .limit(5000)
    )
    rows = db.session.execute(query)
    return [number for number, starts_at, reminded, one in rows if _passed(starts_at, leads(one), moment) > reminded]


def _passed(starts_at: datetime, known: list[timedelta], moment: datetime) -> int:
    """How many of the lead times have come."""
    return sum(moment >= starts_at - lead for lead in known)


def remind(signup_id: int, moment: datetime) -> bool:
    """Send the reminder that is due, unless another runner did; what was due before she joined is left out."""
    query = sa.select(Signup).where(Signup.id == signup_id).options(*joining.whole())
    signup = db.session.scalars(query).one()
    known = leads(signup.volunteer)
    number = _passed(signup.starts_at, known, moment)
    if number <= signup.reminded or not _count(signup, number):
        return False
    if signup.placed_at >= signup.starts_at - known[number - 1]:
        return False
    tell_signup("signup_reminder", signup)
    return True


def _count(signup: Signup, number: int) -> bool:
    """Of two runners one counts it; who leaves meanwhile wins over both."""
    where = sa.and_(Signup.id == signup.id, Signup.reminded == signup.reminded, Signup.state == SignupState.JOINED)
    return guarded(sa.update(Signup).where(where).values(reminded=number))
