"""Two acts on the same rows at once: each waits for the other in one order, and neither is told to try again."""

import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from portal.areas.service import area_scope
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places import service as places
from portal.places.models import Waiting, WaitingState
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import HoursState, Joining, SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Attendance, Signup, Swap
from portal.volunteers.service import (
    attendance,
    attending,
    calling_off,
    held,
    joining,
    leaving,
    lines,
    moving,
    recording,
    requests,
    shifts,
    swapping,
)
from tests.acting import actor_of
from tests.concurrency.test_portions import at_once
from tests.helping import Helping, soon
from tests.volunteers.recorded import ago, attended

SLOW = 0.4


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def slowly(monkeypatch):
    """After a lock everybody rests a little: two who take the same two in two orders meet."""

    def slow(module, name):
        act = getattr(module, name)

        def slowed(*arguments, **more):
            answer = act(*arguments, **more)
            time.sleep(SLOW)
            return answer

        monkeypatch.setattr(module, name, slowed)

    return slow


def put(post, one, worker, **more):
    with transaction():
        return joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def both(app, *acts):
    """Each act in a transaction of its own, at once; the deadlocks that the database found."""
    stuck = []

    def attempt(number):
        try:
            with transaction() as session:
                acts[number](session)
        except Refused:
            return False
        except OperationalError as error:
            # A busy file of SQLite is no circle: there one writes at a time.
            if "deadlock" in str(error.orig):
                stuck.append(str(error.orig))
        return True

    db.session.rollback()
    # What the acts name is read now: read by one of them, it would leave a transaction of this session open, which on
    # SQLite holds the only pen, and everybody would wait for it until the time is over.
    for row in list(db.session):
        db.session.refresh(row)
    db.session.close()
    at_once(app, len(acts), attempt)
    assert stuck == []


def two_shifts(helping):
    """The later one was made first: the order of time is not that of the rows."""
    activity = helping.activity(positions=[helping.position(needs=2)])
    later = helping.shift(activity, starts_at=soon(5))
    return later, helping.shift(activity, starts_at=soon(4))


def exchange(helping, worker):
    """Somebody on the later shift asks somebody on the earlier for an exchange."""
    later, earlier = two_shifts(helping)
    one, other = helping.volunteer(), helping.volunteer()
    mine, theirs = put(later.posts[0], one, worker), put(earlier.posts[0], other, worker)
    with transaction():
        swap = swapping.ask(mine, by=worker, against=theirs)
    return swap.id, one.id, other.id


def test_an_exchange_while_the_whole_activity_is_called_off(app, helping, worker, slowly):
    swap, _one, other = exchange(helping, worker)
    activity = db.session.scalars(sa.select(Activity.id)).one()
    slowly(joining, "hold")
    slowly(calling_off, "_move")
    both(
        app,
        lambda session: swapping.take(session.get_one(Swap, swap), session.get_one(Volunteer, other), by=worker),
        lambda session: calling_off.call_off_activity(session.get_one(Activity, activity), "下雨", by=worker),
    )


def test_an_exchange_while_a_third_who_is_on_both_pauses(app, helping, worker, slowly):
    swap, _one, other = exchange(helping, worker)
    third = helping.volunteer()
    for post in db.session.scalars(sa.select(Post).order_by(Post.id)).all():
        put(post, third, worker)
    slowly(places, "hold")
    both(
        app,
        lambda session: swapping.take(session.get_one(Swap, swap), session.get_one(Volunteer, other), by=worker),
        lambda session: moving.pause(session.get_one(Volunteer, third.id), by=worker, own=True),
    )


def test_a_request_is_approved_while_its_place_is_handed_on(app, make, helping, worker, slowly):
    activity = helping.activity(joining=Joining.APPROVED)
    post, one, other = (
        helping.post(helping.shift(activity, starts_at=soon(3))),
        helping.volunteer(),
        helping.volunteer(),
    )
    mine = put(post, one, worker)
    with transaction():
        swap = swapping.ask(mine, by=worker)
    asked = put(post, helping.volunteer(), worker, state=SignupState.REQUESTED)
    chief = actor_of(make.worker(name="吴梅"))
    slowly(places, "hold")
    slowly(joining, "move")
    both(
        app,
        lambda session: swapping.take(session.get_one(Swap, swap.id), session.get_one(Volunteer, other.id), by=worker),
        lambda session: requests.answer_request(session.get_one(Signup, asked.id), yes=True, by=chief),
        lambda session: leaving.leave(session.get_one(Signup, mine.id), by=worker),
    )


def test_one_leaves_the_line_while_the_job_promotes_her(app, helping, worker, slowly):
    post, waits = helping.post(helping.shift(starts_at=soon(3))), helping.volunteer()
    taken = [put(post, helping.volunteer(), worker) for _turn in range(2)]
    with transaction():
        lines.join_line(post, waits, by=worker)
    with transaction() as session:
        # Her row is held elsewhere when the place is free: the job has to promote her.
        joining.take_off(session.get_one(Signup, taken[0].id), SignupState.LEFT, by=worker)
        row = session.scalars(sa.select(Waiting)).one()
        signup = session.scalar(sa.select(Signup).where(Signup.volunteer_id == waits.id))
        held.release(signup)
        session.delete(signup)
        row.state = WaitingState.OFFERED
    slowly(places, "hold")
    slowly(joining, "hold")
    both(
        app,
        lambda _session: lines.promote(row.id),
        lambda session: places.leave(session.get_one(Waiting, row.id)),
        lambda session: leaving.leave(session.get_one(Signup, taken[1].id), by=worker),
    )


def test_people_join_and_leave_while_the_shift_is_called_off(app, helping, worker, slowly):
    post = helping.post(helping.shift(starts_at=soon(3)))
    mine, comes = put(post, helping.volunteer(), worker), helping.volunteer()
    slowly(places, "hold")
    slowly(calling_off, "_move")
    slowly(joining, "hold")
    both(
        app,
        lambda session: calling_off.call_off_shift(session.get_one(Shift, post.shift_id), "下雨", by=worker),
        lambda session: joining.put_on(
            session.get_one(Post, post.id), session.get_one(Volunteer, comes.id), way=Way.WORKER, by=worker
        ),
        lambda session: leaving.leave(session.get_one(Signup, mine.id), by=worker),
    )


def test_one_leaves_a_shift_while_its_time_and_places_change(app, helping, worker, slowly):
    shift = helping.shift(starts_at=soon(3))
    mine, position = put(shift.posts[0], helping.volunteer(), worker), shift.posts[0].position_id
    slowly(places, "hold")
    slowly(shifts, "_take_along")
    later = shift.starts_at + timedelta(hours=1)
    both(
        app,
        lambda session: shifts.change(
            session.get_one(Shift, shift.id),
            later,
            later + timedelta(hours=2),
            needs={position: 3},
            by=worker,
            with_people=True,
        ),
        lambda session: leaving.leave(session.get_one(Signup, mine.id), by=worker),
    )


def test_hours_of_two_are_confirmed_while_both_join_another_shift(app, make, helping, worker, slowly):
    # The second was there first: the order of the list is not that of the volunteers.
    people = [helping.volunteer(), helping.volunteer()]
    waits = [
        attended(make, one, starts=ago(3, hour), state=HoursState.TO_CONFIRM)
        for one, hour in zip(people, (14, 9), strict=True)
    ]
    picks = {one.id: attending.stamp(make.read(one)) for one in waits}
    post, within = helping.post(helping.shift(starts_at=soon(3))), [area_scope(make.community())]
    numbers, where = [one.id for one in people], post.id

    def join(session):
        time.sleep(SLOW / 2)
        found = [session.get_one(Volunteer, number) for number in numbers]
        facts = {"way": Way.FAMILY, "by": worker, "state": SignupState.JOINED, "agreed_at": now()}
        joining.put_on_all(session.get_one(Post, where), found, **facts)

    slowly(recording, "_hold")
    both(app, lambda _session: attendance.confirm_picked(within, picks, by=worker), join)
    db.session.rollback()
    assert db.session.scalars(sa.select(Attendance.state)).all() == [HoursState.CONFIRMED, HoursState.CONFIRMED]
