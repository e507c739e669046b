"""Many volunteers for few places, one volunteer for many shifts: a shift is never over-filled, nobody in two places."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places.models import Capacity, Waiting, WaitingState
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import HOLDS, SignupState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import HeldTime, Signup, Swap
from portal.volunteers.service import calling_off, held, joining, leaving, lines, swapping
from tests.acting import actor_of
from tests.concurrency.test_portions import THREADS, at_once
from tests.helping import Helping, soon

PEOPLE, PLACES = 48, 5


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def crowd(helping):
    return [helping.volunteer().id for _number in range(PEOPLE)]


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def a_post(helping, needs=PLACES, days=3, hours=2, **more):
    activity = helping.activity(positions=[helping.position(needs=needs, **more)])
    return helping.post(helping.shift(activity, starts_at=soon(days), hours=hours)).id


def on(post_id):
    db.session.rollback()
    query = sa.select(sa.func.count()).select_from(Signup)
    return db.session.scalar(query.where(Signup.post_id == post_id, Signup.state.in_(HOLDS))) or 0


def taken(post_id):
    db.session.rollback()
    query = sa.select(Capacity.taken).join(Post, Post.capacity_id == Capacity.id).where(Post.id == post_id)
    return db.session.scalar(query)


def put(post_id, volunteer_id, worker, **more):
    """Whether it worked; a refusal is an answer."""
    try:
        with transaction() as session:
            post, one = session.get_one(Post, post_id), session.get_one(Volunteer, volunteer_id)
            joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})
        return True
    except Refused:
        return False


def test_a_shift_is_never_over_filled(app, helping, worker, crowd):
    post_id = a_post(helping)
    db.session.rollback()
    assert at_once(app, PEOPLE, lambda number: put(post_id, crowd[number], worker)) == PLACES
    assert (on(post_id), taken(post_id)) == (PLACES, PLACES)


def test_without_the_guard_it_is_over_filled(app, helping, worker, crowd):
    """The negative control: look first, join then, with a total that lets the table's own check alone."""
    post_id = a_post(helping, needs=PEOPLE)
    rounds = threading.Barrier(THREADS, timeout=60)
    db.session.rollback()

    def attempt(number: int) -> bool:
        seen = taken(post_id)
        db.session.rollback()
        rounds.wait()
        return seen < PLACES and put(post_id, crowd[number], worker)

    assert at_once(app, PEOPLE, attempt) > PLACES
    assert on(post_id) > PLACES


def test_one_volunteer_is_in_one_place_however_many_she_asks_for_at_once(app, helping, worker, crowd):
    posts = [a_post(helping) for _number in range(8)]
    db.session.rollback()
    assert at_once(app, 16, lambda number: put(posts[number % 8], crowd[0], worker)) == 1
    assert sum(taken(post_id) for post_id in posts) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(HeldTime)) == 24


def test_the_constraint_alone_keeps_her_from_two_places(app, helping, worker, crowd, monkeypatch):
    """Neither a lock nor a check: only what the database says about her time."""
    posts = [a_post(helping) for _number in range(8)]
    monkeypatch.setattr(joining, "hold", lambda *_args, **_more: True)
    monkeypatch.setattr(joining, "refuse_unfit", lambda *_args, **_more: False)
    db.session.rollback()
    assert at_once(app, 16, lambda number: put(posts[number % 8], crowd[0], worker)) == 1
    assert sum(taken(post_id) for post_id in posts) == 1


def test_without_lock_check_and_constraint_she_is_in_two_places(app, helping, worker, crowd, monkeypatch):
    """The negative control: look first, and join without holding any time."""
    posts = [a_post(helping) for _number in range(THREADS)]
    monkeypatch.setattr(joining, "hold", lambda *_args, **_more: True)
    monkeypatch.setattr(joining, "refuse_unfit", lambda *_args, **_more: False)
    monkeypatch.setattr(held, "hold", lambda _signup: None)
    looked = threading.Barrier(THREADS, timeout=60)
    db.session.rollback()

    def attempt(number: int) -> bool:
        query = sa.select(sa.func.count()).select_from(Signup).where(Signup.volunteer_id == crowd[0])
        seen = db.session.scalar(query)
        db.session.rollback()
        looked.wait()
        return seen == 0 and put(posts[number], crowd[0], worker)

    assert at_once(app, THREADS, attempt) > 1


def test_a_days_limit_holds_for_shifts_joined_at_once(app, helping, worker, crowd):
    """Six shifts of three hours on one day, eight hours a day: two of them."""
    day = soon(3).replace(hour=0)
    posts = []
    for number in range(5):
        activity = helping.activity(positions=[helping.position(needs=2)])
        starts = day + timedelta(hours=4 * number - 8)
        posts.append(helping.post(helping.shift(activity, starts_at=starts + timedelta(hours=24), hours=3)).id)
    db.session.rollback()
    assert at_once(app, 10, lambda number: put(posts[number % 5], crowd[0], worker)) == 2


def test_newcomers_take_no_more_than_their_share_at_once(app, helping, worker, crowd):
    post_id = a_post(helping, needs=8, newcomers=50)
    db.session.rollback()
    assert at_once(app, 16, lambda number: put(post_id, crowd[number], worker)) == 4
    assert taken(post_id) == 4


def test_leaving_and_joining_and_waiting_at_once_lose_no_place(app, helping, worker, crowd):
    """Those on it leave, those in the line are promoted, others join: what is taken is who is on it."""
    post_id = a_post(helping, needs=4)
    for volunteer_id in crowd[:4]:
        put(post_id, volunteer_id, worker)
    for volunteer_id in crowd[4:8]:
        with transaction() as session:
            lines.join_line(session.get_one(Post, post_id), session.get_one(Volunteer, volunteer_id), by=worker)
    db.session.rollback()
    first = list(db.session.scalars(sa.select(Signup.id).order_by(Signup.id)))
    db.session.rollback()

    def run(number: int) -> bool:
        if number >= 4:
            return put(post_id, crowd[4 + number], worker)
        try:
            with transaction() as session:
                leaving.leave(session.get_one(Signup, first[number]), by=worker)
            return True
        except Refused:
            return False

    at_once(app, 12, run)
    for number in lines.offered(now()):
        with transaction():
            lines.promote(number)
    assert on(post_id) == taken(post_id) == 4
    states = list(db.session.scalars(sa.select(Waiting.state)))
    assert WaitingState.OFFERED not in states
    assert states.count(WaitingState.TAKEN) == 4


def test_a_swap_is_taken_once_however_many_want_it(app, helping, worker, crowd):
    post_id = a_post(helping, needs=1)
    put(post_id, crowd[0], worker)
    with transaction() as session:
        swap_id = session.merge(swapping.ask(session.scalars(sa.select(Signup)).one(), by=worker)).id
    db.session.rollback()

    def run(number: int) -> bool:
        try:
            with transaction() as session:
                one = session.get_one(Volunteer, crowd[1 + number])
                swapping.take(session.get_one(Swap, swap_id), one, by=worker)
            return True
        except Refused:
            return False

    assert at_once(app, 12, run) == 1
    assert on(post_id) == taken(post_id) == 1


def test_a_shift_is_called_off_while_people_join_and_leave_and_nobody_waits_in_a_circle(app, helping, worker, crowd):
    post_id = a_post(helping, needs=6)
    for volunteer_id in crowd[:6]:
        put(post_id, volunteer_id, worker)
    for volunteer_id in crowd[6:9]:
        with transaction() as session:
            lines.join_line(session.get_one(Post, post_id), session.get_one(Volunteer, volunteer_id), by=worker)
    db.session.rollback()
    first = list(db.session.scalars(sa.select(Signup.id).order_by(Signup.id)))
    db.session.rollback()

    def run(number: int) -> bool:
        try:
            with transaction() as session:
                if number == 3:
                    post = session.get_one(Post, post_id)
                    session.refresh(post.shift, with_for_update=True)
                    post.shift.state = "called_off"
                    session.flush()
                    calling_off.clear(post.shift, by=worker, reason="台风")
                elif number < 6:
                    leaving.leave(session.get_one(Signup, first[number]), by=worker)
                else:
                    post, one = session.get_one(Post, post_id), session.get_one(Volunteer, crowd[10 + number])
                    joining.put_on(post, one, way=Way.SELF, by=worker)
            return True
        except Refused:
            return False

    at_once(app, 12, run)
    assert (on(post_id), taken(post_id)) == (0, 0)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(HeldTime)) == 0


def test_the_tables_own_check_is_the_last_guard(helping, crowd):
    post_id = a_post(helping, needs=1)
    with pytest.raises(IntegrityError), transaction() as session:
        capacity = session.scalar(sa.select(Post.capacity_id).where(Post.id == post_id))
        session.execute(sa.update(Capacity).where(Capacity.id == capacity).values(taken=2))
