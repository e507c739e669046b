"""The doors of requests: what waits, her line and copy, passing on, forgetting, deaths; and the night's work."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.casework.models.cases import Case, CasePhoto, CaseStep
from portal.casework.models.codes import CaseState, Deed, PhotoStage
from portal.casework.service import doors, following, photos, subscribers, telling, tidying
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.registry.models import PersonState
from tests.acting import actor_of
from tests.casework.asked import Neighbour, Street, jpeg, street, told
from tests.make import Make

S = CaseState


@pytest.fixture
def place(make: Make) -> Street:
    return street(make)


def again(case: Case) -> Case:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Case, case.id)


def test_a_dispatcher_is_told_what_waits_and_a_grid_worker_what_is_hers(place: Street) -> None:
    dispatcher, grid = place.make.worker(), place.make.worker(Role.GRID_WORKER)
    who = place.resident(grid=place.make.grid())
    place.sent(who)
    assert [todo.count for todo in doors.todo_of(actor_of(dispatcher))] == [1]
    held = place.moved(place.sent(who), S.ACCEPTED, S.ASSIGNED, by=grid)
    assert held.holder == grid.public_id
    assert [todo.count for todo in doors.todo_of(actor_of(grid))] == [1]


def test_a_hidden_request_stands_on_no_timeline(place: Street) -> None:
    who = place.resident()
    place.sent(who)
    place.sent(who, hide_name=True)
    assert len(doors.timeline(who.person)) == 1
    assert len(doors.export(who.person)) == 2


def test_her_copy_tells_what_she_said_and_what_was_done(place: Street) -> None:
    who = place.resident()
    place.answered(place.sent(who, "门口路灯不亮，晚上黑"), place.make.worker())
    (row,) = doors.export(who.person)
    assert "门口路灯不亮，晚上黑" in str(row)
    assert "换了新灯" in str(row)


def grid_of(place: Street) -> tuple[Area, Account, Account, Neighbour]:
    grid = place.make.grid()
    giver, taker = (place.make.worker(Role.GRID_WORKER, grid, name=name) for name in ("王建国", "赵新"))
    return grid, giver, taker, place.resident(grid=grid)


def test_what_a_worker_holds_in_a_grid_passes_and_returns_as_it_was(place: Street) -> None:
    grid, giver, taker, who = grid_of(place)
    case = place.moved(place.sent(who), S.ACCEPTED, S.ASSIGNED, by=giver)
    with transaction():
        passed = doors.hand_over(giver.public_id, taker.public_id, grid)
    found = again(case)
    assert (found.holder, found.first_holder, found.holder_name) == (taker.public_id, taker.public_id, "赵新")
    assert found.steps[-1].deed is Deed.PASSED
    assert doors.passed_names("cases", [case.id]) == [case.number]
    with transaction():
        doors.take_back(giver.public_id, taker.public_id, passed, clock.now())
    assert again(case).holder == giver.public_id


def test_what_somebody_has_worked_on_since_does_not_return(place: Street) -> None:
    grid, giver, taker, who = grid_of(place)
    case = place.moved(place.sent(who), S.ACCEPTED, S.ASSIGNED, by=giver)
    with transaction():
        passed = doors.hand_over(giver.public_id, taker.public_id, grid)
    place.moved(again(case), S.SIGNED, by=taker)
    with pytest.raises(Refused, match="接着办"), transaction():
        doors.take_back(giver.public_id, taker.public_id, passed, clock.now())


def test_what_ended_long_ago_is_forgotten_with_everything_that_hangs_on_it(place: Street) -> None:
    who, worker = place.resident(), place.make.worker()
    gone = place.moved(place.sent(who), S.ACCEPTED, S.DECLINED, by=worker)
    stays = place.sent(who)
    with transaction():
        photos.add(db.session.get_one(Case, gone.id), jpeg(), PhotoStage.REPORT, by_name="")
        db.session.execute(sa.update(Case).values(state_at=clock.now() - timedelta(days=2000)))
    with transaction():
        assert doors.purge(clock.today() - timedelta(days=1826)) == 1
    db.session.rollback()
    assert db.session.scalars(sa.select(Case.id)).all() == [stays.id]
    assert db.session.scalar(sa.select(sa.func.count(CasePhoto.id))) == 0
    assert set(db.session.scalars(sa.select(CaseStep.case_id))) == {stays.id}


def test_a_death_ends_drafts_and_call_backs_and_mends_the_lamp_all_the_same(place: Street) -> None:
    who, worker = place.resident(), place.make.worker()
    answered = place.answered(place.sent(who), worker)
    running = place.sent(who)
    with transaction():
        who.person.state = PersonState.DEAD
        db.session.merge(who.person)
        subscribers.on_person_died(person=who.person)
    assert again(answered).state is S.CLOSED
    assert again(running).state is S.SUBMITTED
    before = len(told("casework.accepted"))
    place.moved(again(running), S.ACCEPTED, by=worker)
    assert len(told("casework.accepted")) == before


def test_whoever_stands_for_a_merged_record_keeps_its_requests(place: Street) -> None:
    first, second = place.resident(), place.resident("王秀英")
    case = place.sent(first)
    with transaction():
        first.person.merged_into_id = second.person.id
        db.session.merge(first.person)
    assert [line.title for line in doors.timeline(second.person)] == ["诉求：路灯楼道灯"]
    with transaction():
        telling.tell_reporter(db.session.get_one(Case, case.id), "accepted")
    assert told("casework.accepted")[-1].recipient_id == second.person.public_id


def test_old_drafts_go_and_closed_requests_are_archived(place: Street) -> None:
    who, worker = place.resident(), place.make.worker()
    case = place.answered(place.sent(who), worker)
    with transaction():
        found = db.session.get_one(Case, case.id)
        found.state, found.state_at = S.CLOSED, clock.now() - timedelta(days=31)
        db.session.add(Case(community_id=case.community_id, created_at=clock.now() - timedelta(days=15)))
        db.session.add(Case(community_id=case.community_id))
    with transaction():
        assert (tidying.drop_drafts(), tidying.archive()) == (1, 1)
    assert again(case).state is S.ARCHIVED


def test_who_reported_a_duplicate_hears_of_the_main_one(place: Street) -> None:
    main, other = place.sent(place.resident()), place.resident("李小红")
    double = place.sent(other)
    with transaction():
        following.of_merged(db.session.get_one(Case, double.id), db.session.get_one(Case, main.id))
    place.answered(main, place.make.worker())
    assert [row.recipient_id for row in told("casework.followed")] == [other.person.public_id]
