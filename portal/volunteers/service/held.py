"""The time that a signup holds of its volunteer: the database lets nobody hold a piece twice."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.core.db import db, insert
from portal.volunteers.models.activities import STEP_MINUTES
from portal.volunteers.models.signups import HeldTime, Signup

STEP = timedelta(minutes=STEP_MINUTES)


def pieces(starts_at: datetime, ends_at: datetime) -> list[datetime]:
    """The instants that stand for a time, in order."""
    return [starts_at + STEP * turn for turn in range(-(-(ends_at - starts_at) // STEP))]


def hold(signup: Signup) -> None:
    """In the order of time, so that two acts on one volunteer never wait for each other in a circle."""
    facts = {"volunteer_id": signup.volunteer_id, "signup_id": signup.id}
    insert(HeldTime, *({**facts, "at": at} for at in pieces(signup.starts_at, signup.ends_at)))


def release(signup: Signup) -> None:
    gone = sa.delete(HeldTime).where(HeldTime.signup_id == signup.id)
    db.session.execute(gone, execution_options={"synchronize_session": False})
