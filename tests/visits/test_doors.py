"""The five doors, the events of siblings and the register, and the resident's own page."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core import events, outbox, reasons
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.meals.service import settlement
from portal.registry.models import PersonState, TagKind
from portal.visits.models import (
    CareSubject,
    CheckCause,
    CheckOutcome,
    CheckState,
    FindingKind,
    Referral,
    SafetyCheck,
    TimeOfDay,
    Urgency,
    Visit,
    VisitKind,
    VisitState,
)
from portal.visits.service import checks, doors, listing, planning, recording
from tests.client import Client
from tests.make import Make
from tests.visits import stand


def _missed(app, person, day=None, *, event="meals.not_collected", **more) -> None:
    facts = {"person": person.ref, "order": "x", "day": day or today(), "meal": "lunch", "way": "dine_in"} | more
    with transaction():
        events.publish(event, **facts)


def _checks() -> list[SafetyCheck]:
    return list(db.session.scalars(sa.select(SafetyCheck).order_by(SafetyCheck.id)))


def test_an_uncollected_meal_of_who_lives_alone_opens_a_check_of_the_same_day(make: Make, app):
    stand.tables_set(make)
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid)
    person = stand.alone(make, grid=grid)
    _missed(app, person)
    (check,) = _checks()
    assert (check.cause, check.day, len(check.steps)) == (CheckCause.MEAL, today(), 5)
    assert (check.visit.kind, check.visit.due_on, check.visit.worker) == (VisitKind.SAFETY, today(), worker.public_id)
    told = db.session.scalars(sa.select(outbox.OutboxRow).where(outbox.OutboxRow.topic == "visits.check_opened")).all()
    assert [row.recipient_id for row in told] == [worker.public_id]
    _missed(app, person)
    assert len(_checks()) == 1


@pytest.mark.parametrize(
    ("tags", "more"),
    [
        ([], {}),
        ([TagKind.EMPTY_NEST], {}),
        ([TagKind.LIVING_ALONE], {"state": PersonState.MOVED_OUT}),
        ([TagKind.LIVING_ALONE], {"absent_from": date(2020, 1, 1)}),
    ],
)
def test_nobody_else_is_checked_for_a_meal(make: Make, app, tags, more):
    _missed(app, make.person(tags=tags, **more))
    assert _checks() == []


def test_a_meal_that_was_fetched_after_all_withdraws_its_check_and_the_visit(make: Make, app):
    stand.tables_set(make)
    person = stand.alone(make, grid=make.grid())
    _missed(app, person)
    _missed(app, person, event="meals.collected_late")
    db.session.expire_all()
    (check,) = _checks()
    assert (check.state, check.closed_by_name, reasons.said(check.note)) == (
        CheckState.CLOSED,
        "系统",
        "后来登记已取餐，自动结束。",
    )
    assert check.visit.state is VisitState.CANCELLED


def test_who_fetched_one_meal_late_and_not_the_next_is_looked_for_again(make: Make, app):
    stand.tables_set(make)
    person = stand.alone(make, grid=make.grid())
    begun = now() - timedelta(minutes=1)
    for event in ("meals.not_collected", "meals.collected_late", "meals.not_collected"):
        _missed(app, person, event=event)
    db.session.expire_all()
    (check,) = _checks()
    assert (check.state, check.outcome, check.note, check.closed_by_name) == (CheckState.OPEN, None, None, "")
    assert check.visit.state is VisitState.PLANNED
    assert check.steps
    assert all(step.due_at > begun for step in check.steps)


def test_who_was_seen_well_today_is_not_looked_for_again_for_the_next_meal(make: Make, app):
    stand.tables_set(make)
    person = stand.alone(make, grid=make.grid())
    _missed(app, person)
    by = stand.actor(make.worker())
    with transaction():
        (check,) = _checks()
        checks.take(check, by=by)
        checks.close(check, CheckOutcome.SAFE, "在家", by=by)
    _missed(app, person)
    db.session.expire_all()
    assert [one.state for one in _checks()] == [CheckState.CLOSED]


def test_a_meal_fetched_late_leaves_a_check_of_another_cause_alone(make: Make, app):
    stand.tables_set(make)
    person = stand.alone(make, grid=make.grid())
    with transaction():
        visit = planning.promise(listing.subject_of(person), today(), VisitKind.SAFETY)
        checks.open_check(visit, CheckCause.NOT_MET, now())
    _missed(app, person, event="meals.collected_late")
    assert [one.is_open() for one in _checks()] == [True]


def test_who_was_handed_the_meal_at_another_counter_is_not_looked_for(make: Make, app):
    _missed(app, stand.alone(make), fed=True)
    assert _checks() == []


def test_a_meal_of_another_day_opens_nothing(make: Make, app):
    _missed(app, stand.alone(make), today() - timedelta(days=1))
    assert _checks() == []


def test_a_meal_settled_by_meals_itself_reaches_visits(make: Make):
    """From meals' own settling to the check, through what app.py wires."""
    stand.tables_set(make)
    person = stand.alone(make)
    menu = make.menu(day=today(), cutoff=now() + timedelta(minutes=5))
    make.order(menu, person)
    with transaction() as session:
        row = session.merge(menu)
        row.closes_at = now() - timedelta(hours=3)
    with transaction():
        settlement.settle(menu.id)
    assert [check.person_id for check in _checks()] == [person.id]


def test_recording_the_visit_answers_the_check(make: Make, app):
    stand.tables_set(make)
    person, by = stand.alone(make), stand.actor(make.worker())
    _missed(app, person)
    (check,) = _checks()
    with transaction():
        recording.record(check.visit, stand.said(), by=by)
    assert make.read(check).state is CheckState.CLOSED


def test_what_waits_for_a_worker_is_counted_in_her_scope_only(make: Make, app):
    stand.tables_set(make)
    grid = make.grid()
    mine, other = make.worker(Role.GRID_WORKER, grid), make.worker(Role.GRID_WORKER, make.grid(name="第二网格"))
    person = stand.alone(make, grid=grid)
    stand.planned(make.community())
    _missed(app, person)
    with app.test_request_context():
        words = {todo.words: todo.count for todo in doors.todo_of(stand.actor(mine))}
        assert words["要马上确认平安的人"] == 1
        assert doors.todo_of(stand.actor(other)) == []
        assert doors.todo_of(stand.actor(make.worker(Role.AUDITOR))) == []


def test_a_timeline_tells_visits_checks_and_referrals_of_aliases_too(make: Make, app):
    stand.tables_set(make)
    person, alias, worker = stand.alone(make), make.person("王秀瑛"), make.worker()
    stand.visited(person, worker, findings=(FindingKind.HEALTH,), urgency=Urgency.NORMAL)
    stand.visited(alias, worker, now() - timedelta(days=2))
    with transaction() as session:
        session.merge(alias).merged_into_id = person.id
    _missed(app, person)
    with app.test_request_context():
        lines = doors.timeline(person)
        titles = ["探访：上门", "探访：上门", "确认平安：独居，订了餐没来取", "转介：看病、用药"]
        assert sorted(line.title for line in lines) == titles
        assert [line.at for line in lines] == sorted((line.at for line in lines), reverse=True)
        assert len(doors.timeline(person, limit=2)) == 2


def test_handing_over_passes_people_promised_visits_and_open_referrals(make: Make, app):
    stand.tables_set(make)
    grid = make.grid()
    giver = make.worker(Role.GRID_WORKER, grid, name="王建国")
    taker = make.worker(Role.GRID_WORKER, grid, name="林敏")
    person = stand.alone(make, grid=grid)
    stand.planned(make.community())
    stand.visited(person, giver, findings=(FindingKind.HEALTH,), urgency=Urgency.NORMAL)
    _missed(app, person)
    with transaction():
        checks.take(checks.running(person.id), by=stand.actor(giver))
    with transaction():
        count = len(doors.hand_over(giver.public_id, taker.public_id, grid))
    assert count >= 4
    assert db.session.scalars(sa.select(CareSubject.assigned_to)).all() == [taker.public_id]
    open_visits = db.session.scalars(sa.select(Visit.worker).where(Visit.state == VisitState.PLANNED)).all()
    assert set(open_visits) == {taker.public_id}
    referral = db.session.scalars(sa.select(Referral)).one()
    assert (referral.owner, referral.owner_name) == (taker.public_id, "林敏")
    assert _checks()[0].taken_by_name == "林敏"
    with transaction():
        assert doors.hand_over(giver.public_id, taker.public_id, grid) == []
    stand.planned(make.community())
    assert stand.subject(person).worker == taker.public_id


def test_a_copy_for_the_person_holds_her_visits(make: Make, app):
    person = make.person()
    stand.visited(person, make.worker(), note="说腿疼")
    with app.test_request_context():
        (row,) = doors.export(person)
    assert row["探访人"] == "周洁"
    assert row["记录"] == {"其他要记的": "说腿疼"}


def test_purging_forgets_old_visits_and_keeps_what_is_open(make: Make, app):
    stand.tables_set(make)
    person, worker = stand.alone(make), make.worker()
    stand.visited(person, worker, now() - timedelta(days=20))
    stand.visited(person, worker, now() - timedelta(days=10), findings=(FindingKind.HEALTH,), urgency=Urgency.NORMAL)
    stand.promised(person)
    with transaction():
        assert doors.purge(today() - timedelta(days=5)) == 1
    with transaction() as session:
        session.scalars(sa.select(Referral)).one().state = "done"
    with transaction():
        assert doors.purge(today() - timedelta(days=5)) == 1
    assert [visit.state for visit in stand.visits()] == [VisitState.PLANNED]


def test_a_merged_alias_leaves_the_list(make: Make):
    stand.tables_set(make)
    kept, alias = stand.alone(make), stand.alone(make, "王秀瑛")
    stand.planned(make.community())
    with transaction() as session:
        row = session.merge(alias)
        row.merged_into_id = kept.id
        session.flush()
        events.publish("person_merged", kept=session.merge(kept), merged=row)
    assert stand.subject(alias).level is None
    states = {visit.person_id: visit.state for visit in stand.visits()}
    assert states == {kept.id: VisitState.PLANNED, alias.id: VisitState.CANCELLED}


def test_a_resident_sees_her_next_visit_and_says_what_suits_her(make: Make, client: Client):
    stand.tables_set(make)
    person, worker = stand.alone(make), make.worker()
    stand.visited(person, worker)
    with transaction():
        planning.promise(listing.subject_of(person), today() + timedelta(days=2), VisitKind.PROMISED)
    client.sign_in(make.resident(person))
    page = client.get("/visits/").text
    assert "周洁" in page
    assert client.post("/visits/", data={"time_of_day": "morning", "not_needed": "y"}).status_code == 303
    subject = make.read(stand.subject(person))
    assert (subject.time_of_day, subject.not_needed_at is not None) == (TimeOfDay.MORNING, True)
    assert client.post("/visits/", data={"time_of_day": "midnight"}).status_code == 422
    assert "说不需要探访" in client.sign_in(worker).get(f"/desk/visits/people/{person.public_id}").text
    assert client.sign_in(make.resident(make.person("李桂兰"))).get("/visits/").status_code == 200


def _state(person, state: PersonState) -> None:
    with transaction() as session:
        row = session.get_one(type(person), person.id)
        row.state = state
        session.flush()
        topic = "person_died" if state is PersonState.DEAD else "person_moved"
        events.publish(topic, person=row, day=today())


@pytest.mark.parametrize("gone", [PersonState.DEAD, PersonState.MOVED_OUT])
def test_who_turns_out_to_be_there_after_all_is_visited_as_before(make: Make, gone):
    stand.tables_set(make)
    person = stand.alone(make)
    planned = [(visit.period, visit.state) for visit in stand.planned(make.community())]
    _state(person, gone)
    assert {visit.state for visit in stand.visits()} == {VisitState.CANCELLED}
    _state(person, PersonState.PRESENT)
    assert [(visit.period, visit.state) for visit in stand.visits()] == planned
    assert [(visit.period, visit.state) for visit in stand.planned(make.community())] == planned


@pytest.mark.parametrize("gone", [PersonState.DEAD, PersonState.MOVED_OUT])
def test_nobody_is_sent_to_look_for_who_died_or_moved_away(make: Make, app, gone):
    stand.tables_set(make)
    person = stand.alone(make)
    _missed(app, person)
    _state(person, gone)
    (check,) = _checks()
    assert check.state is CheckState.CLOSED
    assert "自动结束" in reasons.said(check.note)
    assert checks.open_count(stand.here(make)) == 0
