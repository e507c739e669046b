"""What a signup holds of its volunteer: the rows it locks, and the time, of which the database gives no piece twice."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from portal.core.db import db, insert, undo
from portal.registry.service import people
from portal.volunteers.models.activities import STEP_MINUTES, Shift
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Signup
from portal.volunteers.service import fitness
from portal.volunteers.service.fit_to_join import Unfit

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


@contextmanager
def or_collides(*, last: bool = False) -> Iterator[None]:
    """A savepoint round what is written: a time that is held already, or any refusal, leaves nothing of it. `last`
    does without: setting one and releasing it are two of the fourteen trips of a signup.
    """
    written: list[Signup] = db.session.info.setdefault("signups_written", [])
    before = len(written)
    try:
        with nullcontext() if last else db.session.begin_nested():
            yield
    except BaseException as error:
        if last:
            undo()
        # Their rows are gone; another's may get their numbers.
        for signup in written[before:]:
            if signup in db.session:
                db.session.expunge(signup)
        del written[before:]
        if not isinstance(error, IntegrityError):
            raise
        words = _("这段时间刚刚报了别的班次，时间冲突；请到“我的班次”看一看")
        raise Unfit(fitness.stands("collides", words)) from None


@cache
def locks(at_once: bool) -> tuple[sa.Select[Volunteer], sa.Select[Shift]]:
    """The volunteers by "numbers" and the shift by "shift", locked and read anew.

    Built once, because every join asks both.
    """
    anew = {"populate_existing": True}
    query = sa.select(Volunteer).where(Volunteer.id.in_(sa.bindparam("numbers", expanding=True)))
    query = query.order_by(Volunteer.id).options(joinedload(Volunteer.person, innerjoin=True).load_only(*people.LEAN))
    query = query.with_for_update(key_share=True, skip_locked=at_once, of=Volunteer).execution_options(**anew)
    shifts = sa.select(Shift).where(Shift.id == sa.bindparam("shift"))
    shifts = shifts.options(joinedload(Shift.activity, innerjoin=True)).execution_options(**anew)
    return query, shifts.with_for_update(read=True, of=Shift, skip_locked=at_once)
