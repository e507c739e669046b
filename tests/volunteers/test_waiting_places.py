"""The line before a full post: who is next is on it by herself, or is asked; who does not fit is passed over."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.notifications import wording
from portal.places import service as places
from portal.places.models import Capacity, Waiting, WaitingState
from portal.volunteers import jobs
from portal.volunteers.models.activities import Activity
from portal.volunteers.models.codes import Joining, SignupState, VolunteerState, Way
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import calling_off, joining, leaving, lines, moving, signup_doors, signups
from tests.acting import actor_of
from tests.counting import count_queries
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def post(helping):
    """One place, three days ahead."""
    return helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)]), starts_at=soon(3)))


def put(post, one, worker, **more):
    with transaction():
        return joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def wait(post, one, worker):
    with transaction():
        return lines.join_line(post, one, by=worker)


def leave(signup, worker):
    with transaction():
        leaving.leave(signup, by=worker)


def change(activity, **values):
    with transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(Activity, activity.id), name, value)


def states(post):
    db.session.rollback()
    query = sa.select(Waiting.state).where(Waiting.capacity_id == post.capacity_id).order_by(Waiting.id)
    return list(db.session.scalars(query))


def on(post):
    db.session.rollback()
    query = sa.select(Signup).where(Signup.post_id == post.id, Signup.state.in_(signups.COMING)).order_by(Signup.id)
    return list(db.session.scalars(query))


def told(topic):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"volunteers.{topic}")))


def test_who_is_next_is_on_the_post_by_herself_and_is_told(make, helping, worker, post):
    first = put(post, helping.volunteer(), worker)
    second, third = helping.volunteer(), helping.volunteer()
    waited = wait(post, second, worker)
    wait(post, third, worker)
    leave(first, worker)
    (mine,) = on(post)
    assert (mine.volunteer_id, mine.way, mine.state) == (second.id, Way.LINE, SignupState.JOINED)
    assert mine.agreed_at == make.read(waited).queued_at
    assert states(post) == [WaitingState.TAKEN, WaitingState.WAITING]
    assert make.read(post.capacity).taken == 1
    assert [row.facts["way"] for row in told("signup_joined") if row.recipient_id == second.person.public_id] == [
        "line"
    ]


def test_where_a_yes_is_needed_who_is_next_asks_for_it(helping, worker):
    activity = helping.activity(joining=Joining.APPROVED, positions=[helping.position(needs=1)])
    post = helping.post(helping.shift(activity, starts_at=soon(3)))
    first = put(post, helping.volunteer(), worker)
    wait(post, helping.volunteer(), worker)
    leave(first, worker)
    assert on(post)[0].state is SignupState.REQUESTED


def test_whose_turn_comes_after_a_yes_came_to_be_needed_is_told_so_and_the_worker_sees_it(app, make, helping, worker):
    """She queued while everybody was in at once; she is asked to wait for a yes, and nothing says she is on it."""
    activity = helping.activity(positions=[helping.position(needs=1)])
    post = helping.post(helping.shift(activity, starts_at=soon(3)))
    first, second = put(post, helping.volunteer(), worker), helping.volunteer()
    waited = wait(post, second, worker)
    me, desk = (app.test_client().sign_in(one) for one in (make.resident(second.person), make.worker()))
    change(activity, joining=Joining.APPROVED)
    assert "还要社区或领队确认" in me.get(f"/volunteers/waiting/{waited.public_id}").text
    leave(first, worker)
    (mine,) = on(post)
    assert mine.state is SignupState.REQUESTED
    (row,) = told("signup_requested")
    with app.test_request_context():
        words = wording.words_for(row.topic, row.facts)
    assert "候补有名额了，等确认" in words.title
    assert "社区或领队确认" in words.body
    assert "申请了" not in words.line
    page = me.get(f"/volunteers/signups/{mine.public_id}").text
    assert "候补有名额了，给您留着" in page
    assert "候补转正" not in page
    assert [todo.count for todo in signup_doors.todo_of(worker)] == [1]
    assert "候补来的" in desk.get("/desk/volunteers/requests").text
    assert "候补来的" in desk.get(f"/desk/volunteers/requests/{mine.public_id}").text


def test_who_is_asked_first_where_a_yes_is_needed_reads_that_it_is(app, make, helping, worker):
    activity = helping.activity(positions=[helping.position(needs=1)], leave_hours=1)
    post = helping.post(helping.shift(activity, starts_at=soon(0, hours=6)))
    first, second = put(post, helping.volunteer(), worker), helping.volunteer()
    waited = wait(post, second, worker)
    change(activity, joining=Joining.APPROVED)
    leave(first, worker)
    (row,) = told("line_offered")
    with app.test_request_context():
        assert "社区或领队确认" in wording.words_for(row.topic, row.facts).body
    me = app.test_client().sign_in(make.resident(second.person))
    assert "还要社区或领队确认" in me.get(f"/volunteers/waiting/{waited.public_id}").text


def test_nobody_waits_for_a_post_that_is_free_or_that_she_does_not_fit(helping, worker, post):
    with pytest.raises(Refused, match="空出"):
        wait(post, helping.volunteer(), worker)
    put(post, helping.volunteer(), worker)
    with pytest.raises(Refused, match="暂停"):
        wait(post, helping.volunteer(state=VolunteerState.PAUSED), worker)


def test_who_does_not_fit_any_more_is_passed_over_and_told(make, helping, worker, post):
    first = put(post, helping.volunteer(), worker)
    busy, next_one = helping.volunteer(), helping.volunteer()
    wait(post, busy, worker)
    wait(post, next_one, worker)
    other = helping.shift(starts_at=post.shift.starts_at + timedelta(hours=1))
    put(helping.post(other), busy, worker)
    leave(first, worker)
    assert [one.volunteer_id for one in on(post)] == [next_one.id]
    assert states(post) == [WaitingState.CLOSED, WaitingState.TAKEN]
    assert other.activity.title in told("line_passed")[0].facts["reason"]
    assert make.read(post.capacity).taken == 1


def test_when_the_last_does_not_fit_the_place_is_free(make, helping, worker, post):
    first = put(post, helping.volunteer(), worker)
    gone = helping.volunteer()
    wait(post, gone, worker)
    with transaction() as session:
        session.get_one(Volunteer, gone.id).state = VolunteerState.PAUSED
    leave(first, worker)
    assert states(post) == [WaitingState.CLOSED]
    assert make.read(post.capacity).taken == 0


def test_shortly_before_the_shift_who_is_next_is_asked_first(make, helping, worker):
    activity = helping.activity(positions=[helping.position(needs=1)], leave_hours=1)
    post = helping.post(helping.shift(activity, starts_at=soon(0, hours=6)))
    first, second = put(post, helping.volunteer(), worker), helping.volunteer()
    wait(post, second, worker)
    leave(first, worker)
    assert states(post) == [WaitingState.OFFERED]
    assert on(post) == []
    assert make.read(post.capacity).taken == 1
    assert told("line_offered")[0].facts["until"]
    jobs.promote_lines()
    assert on(post) == []
    with transaction():
        lines.take(lines.waits_of([second])[0], by=worker)
    assert [one.volunteer_id for one in on(post)] == [second.id]
    assert states(post) == [WaitingState.TAKEN]


def test_an_offer_that_runs_out_goes_on_and_is_told(helping, worker):
    activity = helping.activity(positions=[helping.position(needs=1)], leave_hours=1)
    post = helping.post(helping.shift(activity, starts_at=soon(0, hours=8)))
    first = put(post, helping.volunteer(), worker)
    wait(post, helping.volunteer(), worker)
    wait(post, helping.volunteer(), worker)
    leave(first, worker)
    with time_machine.travel(now() + timedelta(hours=5), tick=False):
        due = places.due(now())
        for number in due:
            with transaction():
                places.lapse(number, now())
    assert states(post)[:2] == [WaitingState.LAPSED, WaitingState.OFFERED]
    assert len(told("line_lapsed")) == 1


def test_whom_another_was_changing_the_job_promotes(make, helping, worker, post, monkeypatch):
    first, second = put(post, helping.volunteer(), worker), helping.volunteer()
    wait(post, second, worker)
    real = joining.hold
    monkeypatch.setattr(joining, "hold", lambda *args, at_once=False: not at_once and real(*args))
    leave(first, worker)
    assert (states(post), on(post)) == ([WaitingState.OFFERED], [])
    jobs.promote_lines()
    assert [one.volunteer_id for one in on(post)] == [second.id]
    assert make.read(post.capacity).taken == 1


def test_a_worker_may_put_on_who_waits_and_she_waits_no_more(helping, worker, post):
    first, second = put(post, helping.volunteer(), worker), helping.volunteer()
    wait(post, second, worker)
    with transaction():
        places.resize(post.capacity_id, 2)
    assert states(post) == [WaitingState.TAKEN]
    assert {one.volunteer_id for one in on(post)} == {first.volunteer_id, second.id}


def test_who_pauses_is_in_no_line_any_more(helping, worker, post):
    put(post, helping.volunteer(), worker)
    one = helping.volunteer()
    wait(post, one, worker)
    with transaction():
        moving.pause(one, by=worker, own=True, reason="休息")
    assert states(post) == [WaitingState.CLOSED]


def test_when_the_shift_is_called_off_who_waits_is_told(helping, worker, post):
    put(post, helping.volunteer(), worker)
    wait(post, helping.volunteer(), worker)
    with transaction():
        calling_off.clear(post.shift, by=worker, reason="台风")
    assert states(post) == [WaitingState.CLOSED]
    assert len(told("line_closed")) == 1
    assert on(post) == []


def test_the_lines_of_many_cost_a_fixed_number_of_questions(make, helping, worker):
    me = helping.volunteer()
    for number in range(4):
        full = helping.post(
            helping.shift(helping.activity(positions=[helping.position(needs=1)]), starts_at=soon(3 + number))
        )
        put(full, helping.volunteer(), worker)
        wait(full, me, worker)
    db.session.rollback()
    with count_queries() as asked:
        found = lines.waits_of([me])
        assert [(one.place, one.post.shift.activity.title != "") for one in found] == [(1, True)] * 4
    assert len(asked) <= 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Capacity)) == 4
