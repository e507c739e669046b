"""Rooms and applications at the doors: to do, timeline, copy, hand-over and back, forgetting."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue.models.applications import Application, ApplicationStep, PaperPicture, StepKind
from portal.catalogue.models.rooms import BookedBy, BookingState, RoomBooking, RoomQuarter
from portal.catalogue.service import doors
from portal.catalogue.service.applications import deciding, filing, receiving
from portal.catalogue.service.rooms import leaving
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.registry.models import Person
from tests.acting import actor_of
from tests.catalogue import applying, rooming
from tests.catalogue.applying import act, read
from tests.make import Make


@pytest.fixture
def stand(make: Make):
    person = make.person(grid=make.grid())
    return person, make.resident(person), make.worker(name="周洁"), applying.item(make)


def test_the_desk_says_what_waits_and_what_is_late_and_only_in_scope(make, stand):
    person, account, worker, item = stand
    with time_machine.travel(applying.MONDAY, tick=False):
        applying.filed(item, person, account)
        rooming.book(rooming.rule(make, needs_confirmation=True), rooming.wish(person), account)
    with time_machine.travel(applying.later(days=1), tick=False):
        words = {todo.words: (todo.count, todo.late) for todo in doors.todo_of(actor_of(worker))}
        assert words["办事申请等人接手"] == (1, False)
        assert words["房间预约等确认"] == (1, False)
        assert "办事申请超过期限" not in words
        away = make.worker(Role.COMMUNITY_WORKER, make.community("远山社区"))
        assert doors.todo_of(actor_of(away)) == []
    with time_machine.travel(applying.later(days=2), tick=False):
        words = {todo.words: (todo.count, todo.late) for todo in doors.todo_of(actor_of(worker))}
        assert words["办事申请超过期限"] == (1, True)


def test_a_persons_timeline_and_copy_hold_both(make, stand):
    person, account, worker, item = stand
    applying.taken(item, person, account, worker)
    rooming.book(rooming.rule(make), rooming.wish(person), account)
    titles = [line.title for line in doors.timeline(person)]
    assert any("房间预约" in title for title in titles)
    assert any("办事申请：临时困难救助" in title for title in titles)
    copied = doors.export(person)
    assert any(row.get("申请内容") == "房子漏水，看病花了很多钱" for row in copied)
    assert any(row.get("用途") == "合唱排练" for row in copied)


def handed(make: Make, stand, grid):
    _person, _account, worker, _item = stand
    taker = make.worker(name="何立新")
    moment = now()
    with transaction():
        passed = doors.hand_over(worker.public_id, taker.public_id, grid)
    db.session.rollback()
    return taker, passed, moment


def test_running_applications_pass_to_the_taker_and_come_back_untouched(make, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    taker, passed, moment = handed(make, stand, person.grid)
    assert [one.kind for one in passed] == ["applications"]
    assert (read(made).owner, read(made).doer_name) == (taker.public_id, "何立新")
    assert doors.passed_names("applications", [made.id]) == ["王秀英"]
    assert doors.open_of([taker.public_id], person.grid)[taker.public_id].open == 1
    with transaction():
        doors.take_back(worker.public_id, taker.public_id, passed, moment)
    assert (read(made).owner, read(made).owner_name) == (worker.public_id, "周洁")
    handed_steps = sa.select(sa.func.count(ApplicationStep.id)).where(ApplicationStep.kind == StepKind.HANDED)
    assert db.session.scalar(handed_steps) == 3


def test_what_the_taker_has_worked_on_does_not_come_back(make, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    taker, passed, moment = handed(make, stand, person.grid)
    act(deciding.accept, made, by=actor_of(taker))
    with pytest.raises(Refused, match="已经有人接着办了"), transaction():
        doors.take_back(worker.public_id, taker.public_id, passed, moment)


def test_a_task_that_a_colleague_has_stays_with_her(make, stand):
    person, account, worker, item = stand
    colleague = make.worker(name="同事")
    made = applying.taken(item, person, account, worker)
    act(receiving.pass_on, made, colleague.public_id, "", by=actor_of(worker))
    taker, _passed, _moment = handed(make, stand, person.grid)
    assert (read(made).owner, read(made).doer) == (taker.public_id, colleague.public_id)


def test_another_grids_applications_stay(make, stand):
    person, account, worker, item = stand
    made = applying.taken(item, person, account, worker)
    _taker, passed, _moment = handed(make, stand, make.grid(name="第九网格"))
    assert passed == []
    assert read(made).owner == worker.public_id


def test_what_ended_long_ago_is_forgotten_and_what_runs_stays(make, stand):
    person, account, worker, item = stand
    rule = rooming.rule(make)
    with time_machine.travel(applying.MONDAY, tick=False):
        gone = applying.draft(item, person, account)
        with transaction() as session:
            paper = session.get_one(Application, gone.id).papers[1]
            filing.add_picture(paper, b"x", by=actor_of(account))
        act(filing.submit, gone, "漏水", by=actor_of(account))
        act(filing.withdraw, gone, "不办了", by=actor_of(account))
        kept = applying.taken(applying.item(make, "另一件"), person, account, worker)
        rooming.book(rule, rooming.wish(person), account)
    later = rooming.book(rule, rooming.wish(person), account)
    with transaction():
        assert doors.purge(today() - timedelta(days=1)) == 2
    assert [one.id for one in applying.everything()] == [kept.id]
    assert db.session.scalar(sa.select(sa.func.count(PaperPicture.id))) == 0
    assert [one.id for one in db.session.scalars(sa.select(RoomBooking))] == [later.id]
    assert db.session.scalar(sa.select(sa.func.count(RoomQuarter.id))) == 4


def test_what_somebody_who_died_had_booked_is_free_again(make, stand):
    person, account, _worker, _item = stand
    rule = rooming.rule(make)
    mine = rooming.book(rule, rooming.wish(person), account)
    body = rooming.organisation(make)
    theirs = rooming.book(
        rule, rooming.wish(person, rooming.at(15), organisation=body, through=BookedBy.ORGANISATION), account
    )
    with transaction() as session:
        leaving.on_person_died(person=session.get_one(Person, person.id))
    db.session.rollback()
    assert make.read(mine).state is BookingState.CANCELLED
    assert make.read(theirs).state is BookingState.CONFIRMED
    assert rooming.quarters(rule)[0] == rooming.at(15)
