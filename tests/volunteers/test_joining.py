"""Putting volunteers on posts and taking them off: the place, the time, who is told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.models.signups import HeldTime, Signup
from portal.volunteers.service import calling_off, joining
from tests.acting import actor_of
from tests.helping import Helping


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def put(post, volunteer, worker, **more):
    with transaction():
        return joining.put_on(post, volunteer, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def off(signup, worker, state=SignupState.REMOVED, reason="改了安排"):
    with transaction():
        joining.take_off(signup, state, by=worker, reason=reason)


def held(volunteer):
    db.session.rollback()
    query = sa.select(HeldTime.at).where(HeldTime.volunteer_id == volunteer.id).order_by(HeldTime.at)
    return list(db.session.scalars(query))


def told(topic):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"volunteers.{topic}")))


def test_who_joins_takes_a_place_and_holds_her_time(make, helping, worker):
    post, one = helping.post(), helping.volunteer()
    signup = put(post, one, worker)
    assert (signup.state, signup.way) == (SignupState.JOINED, Way.SELF)
    assert make.read(post.capacity).taken == 1
    times = held(one)
    assert (times[0], len(times)) == (post.shift.starts_at, 24)
    assert times[-1] == post.shift.ends_at - timedelta(minutes=5)
    (row,) = told("signup_joined")
    assert row.recipient_id == one.person.public_id
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditRow.action == "volunteers.signup_made")) == 1


def test_who_is_taken_off_gives_back_place_and_time_and_is_told_why(make, helping, worker):
    post, one = helping.post(), helping.volunteer()
    signup = put(post, one, worker)
    off(signup, worker)
    assert (make.read(signup).state, signup.reason) == (SignupState.REMOVED, "改了安排")
    assert make.read(post.capacity).taken == 0
    assert held(one) == []
    assert told("signup_removed")[0].facts["reason"] == "改了安排"
    put(post, one, worker)
    assert make.read(post.capacity).taken == 1


def test_a_full_post_refuses_and_says_what_to_do(make, helping, worker):
    post = helping.post()
    for _turn in range(2):
        put(post, helping.volunteer(), worker)
    with pytest.raises(Refused, match="候补"):
        put(post, helping.volunteer(), worker)
    assert make.read(post.capacity).taken == 2


def test_nobody_is_on_two_shifts_of_one_time_whoever_puts_her_there(make, helping, worker):
    first, one = helping.post(), helping.volunteer()
    second = helping.post(helping.shift(starts_at=first.shift.starts_at + timedelta(hours=1)))
    put(first, one, worker)
    with pytest.raises(joining.Unfit, match="冲突") as refused:
        put(second, one, worker, way=Way.WORKER, checked=False)
    assert refused.value.code == "collides"
    assert make.read(second.capacity).taken == 0


def test_the_database_itself_keeps_her_from_two_places(make, helping, worker, monkeypatch):
    """Without any check before: the unique constraint on her time refuses, and nothing of it stays."""
    first, one = helping.post(), helping.volunteer()
    second = helping.post(helping.shift(starts_at=first.shift.starts_at + timedelta(hours=1)))
    put(first, one, worker)
    third = helping.post(helping.shift(starts_at=first.shift.starts_at + timedelta(days=3)))
    monkeypatch.setattr(joining, "refuse_unfit", lambda *_args, **_more: None)
    with transaction():
        with pytest.raises(joining.Unfit, match="冲突"):
            joining.put_on(second, one, way=Way.WORKER, by=worker)
        joining.put_on(third, one, way=Way.WORKER, by=worker)
    assert make.read(second.capacity).taken == 0
    assert make.read(third.capacity).taken == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Signup)) == 2


def test_a_second_time_on_the_same_shift_is_refused(helping, worker):
    post, one = helping.post(), helping.volunteer()
    put(post, one, worker)
    with pytest.raises(joining.Unfit, match="已在这一班") as refused:
        put(post, one, worker)
    assert refused.value.code == "joined"


def test_a_move_that_the_states_do_not_know_is_refused(helping, worker):
    signup = put(helping.post(), helping.volunteer(), worker)
    off(signup, worker, SignupState.LEFT)
    with pytest.raises(Refused, match="已退出"):
        off(signup, worker)


def test_a_family_is_on_all_together_or_not_at_all(make, helping, worker):
    post = helping.post()
    mother, son = helping.volunteer(), helping.volunteer()
    facts = {"way": Way.FAMILY, "by": worker, "state": SignupState.JOINED, "agreed_at": now()}
    with transaction():
        made = joining.put_on_all(post, [mother, son], **facts)
    assert len({signup.group for signup in made}) == 1
    assert make.read(post.capacity).taken == 2
    other = helping.post(helping.shift(starts_at=post.shift.starts_at + timedelta(days=4)))
    put(other, helping.volunteer(), worker)
    with pytest.raises(Refused, match="候补"), transaction():
        joining.put_on_all(other, [mother, son], **facts)
    assert make.read(other.capacity).taken == 1
    assert len(held(mother)) == 24


def test_a_shift_across_midnight_holds_the_time_of_both_days(helping, worker):
    shift = helping.shift()
    late = helping.shift(starts_at=shift.starts_at.replace(hour=15), hours=4)
    one = helping.volunteer()
    put(helping.post(late), one, worker)
    times = held(one)
    assert (len(times), times[-1] - times[0]) == (48, timedelta(hours=3, minutes=55))


def test_whoever_is_called_off_with_the_shift_is_told_and_free(make, helping, worker):
    post = helping.post()
    people = [helping.volunteer(), helping.volunteer()]
    for one in people:
        put(post, one, worker)
    with transaction():
        assert calling_off.clear(post.shift, by=worker, reason="大雨") == 2
    assert make.read(post.capacity).taken == 0
    assert len(told("signup_called_off")) == 2
    assert held(people[0]) == []
