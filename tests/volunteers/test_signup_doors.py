"""What home asks of signups: what waits, a person's line, her copy, and forgetting."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.volunteers.models.codes import HoursState, Joining, Mark, SignupState, Way
from portal.volunteers.models.signups import Attendance, HeldTime, Signup
from portal.volunteers.service import inviting, joining, leaving, lines, signup_doors, swapping
from tests.acting import actor_of
from tests.helping import Helping, soon


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def put(post, one, worker, **more):
    with transaction():
        return joining.put_on(post, one, **{"way": Way.SELF, "by": worker, "state": SignupState.JOINED, **more})


def test_requests_and_absences_wait_for_the_worker_of_the_community(make, helping, worker):
    asked = helping.post(helping.shift(helping.activity(joining=Joining.APPROVED)))
    put(asked, helping.volunteer(), worker, state=SignupState.REQUESTED)
    ill = put(helping.post(helping.shift(starts_at=soon(0, hours=9))), helping.volunteer(), worker)
    with transaction():
        leaving.ask_to_leave(ill, by=worker, reason="发烧了")
    assert [(todo.count, todo.late) for todo in signup_doors.todo_of(worker)] == [(1, False), (1, True)]
    elsewhere = actor_of(make.worker(scope=make.community("别处社区")))
    assert signup_doors.todo_of(elsewhere) == []


def test_a_persons_line_and_copy_hold_everything(helping, worker):
    me, post = helping.volunteer(), helping.post(helping.shift(starts_at=soon(3)))
    signup = put(post, me, worker)
    full = helping.post(helping.shift(helping.activity(positions=[helping.position(needs=1)]), starts_at=soon(5)))
    put(full, helping.volunteer(), worker)
    with transaction():
        swapping.ask(signup, by=worker, words="有事")
        lines.join_line(full, me, by=worker)
    other = helping.post(helping.shift(starts_at=soon(8)))
    with transaction():
        inviting.invite(other, me, by=worker, answer_by=now() + timedelta(hours=9))
    (line,) = signup_doors.timeline(me.person)
    assert post.shift.activity.title in line.title
    words = [" ".join(str(value) for value in row.values()) for row in signup_doors.export(me.person)]
    assert len(words) == 4
    assert ["已报名" in words[0], "候补中" in words[1], "等您答复" in words[2], "等人接班" in words[3]] == [True] * 4
    assert signup_doors.export(helping.volunteer().person) == []


def test_what_is_long_over_is_forgotten_but_for_what_is_still_open(helping, make, worker):
    old = soon(-30)
    gone = helping.signup(helping.post(helping.shift(starts_at=old)))
    kept = helping.signup(helping.post(helping.shift(starts_at=old)))
    lately = helping.signup(helping.post(helping.shift(starts_at=soon(-2))))
    make.add(HeldTime(volunteer_id=gone.volunteer_id, at=old, signup_id=gone.id))
    make.add(
        Attendance(
            signup_id=kept.id,
            came_at=old,
            came_by=Mark.LEADER,
            state=HoursState.OPEN,
            entered_by="x",
            entered_by_name="周洁",
        )
    )
    with transaction():
        assert signup_doors.purge(today() - timedelta(days=10)) == 1
    left = set(db.session.scalars(sa.select(Signup.id)))
    assert left == {kept.id, lately.id}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(HeldTime)) == 0
