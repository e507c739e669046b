"""A batch undone while people join its shifts: nobody is left on a shift that is gone, and nobody waits in a circle."""

from datetime import time, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.volunteers.models.activities import Activity, Post, Shift, ShiftBatch
from portal.volunteers.models.codes import HOLDS, ShiftState, SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Signup
from portal.volunteers.service import fitness, joining, shifts
from portal.volunteers.service.patterns import Pattern
from tests.acting import actor_of
from tests.concurrency.test_portions import at_once
from tests.helping import Helping

DAYS = 8


def _join(session, post_id, volunteer_id, worker):
    """As the page does: the post with its shift first; who finds it gone is told so."""
    post = session.scalars(sa.select(Post).where(Post.id == post_id).options(*fitness.whole())).one_or_none()
    if post is None:
        raise Refused("gone")
    one = session.get_one(Volunteer, volunteer_id)
    joining.put_on(post, one, way=Way.WORKER, by=worker, state=SignupState.JOINED)


def test_a_batch_undone_while_people_join_leaves_nobody_on_what_is_gone(app, make):
    helping, worker = Helping(make), actor_of(make.worker())
    activity_id = helping.activity().id
    crowd = [helping.volunteer().id for _number in range(2 * DAYS)]
    first = today() + timedelta(days=2)
    pattern = Pattern(tuple(range(7)), ((time(9), time(11)),), first, first + timedelta(days=DAYS - 1), False)
    with transaction() as session:
        batch_id = shifts.make(session.get_one(Activity, activity_id), pattern, by=worker).id
    posts = list(db.session.scalars(sa.select(Post.id).order_by(Post.id)))
    db.session.rollback()

    def attempt(number: int) -> bool:
        try:
            with transaction() as session:
                if number == DAYS:
                    shifts.undo(session.get_one(ShiftBatch, batch_id), "排错了", by=worker, only_free=True)
                    return True
                _join(session, posts[number % DAYS], crowd[number], worker)
            return True
        except (Refused, OperationalError):
            # Refused in words, or told that others are busy with it and to try again.
            return False

    assert at_once(app, 2 * DAYS, attempt) >= 1
    db.session.rollback()
    held = sa.select(Signup.shift_id).where(Signup.state.in_(HOLDS)).distinct()
    standing = sa.select(Shift.id).where(Shift.state != ShiftState.CALLED_OFF)
    assert set(db.session.scalars(held)) == set(db.session.scalars(standing))
    pieces = db.session.scalar(sa.select(sa.func.count()).select_from(HeldTime))
    assert pieces == 24 * len(list(db.session.scalars(sa.select(Signup.id).where(Signup.state.in_(HOLDS)))))
