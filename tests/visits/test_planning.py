"""The month's list makes itself: levels from tags and age, windows by frequency, nobody twice, lateness kept."""

from datetime import date, time, timedelta

import pytest
import time_machine

from portal.core import clock, events
from portal.core.clock import today
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.registry.models import PersonState, TagKind
from portal.visits import jobs
from portal.visits.models import Consent, Exclusion, Frequency, Level, Method, VisitKind, VisitState
from portal.visits.service import listing, planning, subscribers, tables, wishes, words
from portal.visits.service.planning import windows
from tests.make import Make
from tests.visits import stand

MONDAY = clock.at(date(2026, 11, 2), time(9))


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.mark.parametrize(
    ("born", "tags", "level"),
    [
        (date(1946, 11, 2), [TagKind.LIVING_ALONE], Level.HIGH),
        (date(1946, 11, 3), [TagKind.LIVING_ALONE], Level.GENERAL),
        (date(1966, 11, 2), [TagKind.EMPTY_NEST], Level.GENERAL),
        (date(1966, 11, 3), [TagKind.EMPTY_NEST], None),
        (date(1960, 1, 1), [TagKind.DISABLED_ELDER], Level.FOCUS),
        (date(1940, 1, 1), [TagKind.DISABLED_ELDER, TagKind.LEFT_BEHIND], Level.HIGH),
        (date(2016, 1, 1), [TagKind.CHILD_IN_DIFFICULTY], Level.FOCUS),
        (date(1930, 1, 1), [], None),
        (date(1930, 1, 1), [TagKind.VETERAN], None),
    ],
)
def test_a_level_follows_from_tags_and_age_on_the_birthday(make: Make, born, tags, level):
    stand.tables_set(make)
    person = make.person(born=born, tags=tags)
    stand.planned(make.community())
    found = listing.known(person)
    assert (found.level if found else None) is level


def test_the_reason_of_a_level_is_said_in_words(make: Make, app):
    stand.tables_set(make)
    person = stand.alone(make)
    stand.planned(make.community())
    with app.test_request_context():
        assert words.why_listed(stand.subject(person), today()) == "80 岁以上独居、空巢、留守（85 岁、独居）"


def test_weekly_monthly_and_quarterly_windows():
    assert [window.period for window in windows(Frequency.WEEKLY, date(2026, 11, 2))] == [
        "W2026-45", "W2026-46", "W2026-47", "W2026-48", "W2026-49",
    ]  # fmt: skip
    (month,) = windows(Frequency.MONTHLY, date(2026, 2, 10))
    assert (month.first, month.last) == (date(2026, 2, 1), date(2026, 2, 28))
    (quarter,) = windows(Frequency.QUARTERLY, date(2026, 11, 2))
    assert (quarter.first, quarter.last) == (date(2026, 10, 1), date(2026, 12, 31))


def test_planning_twice_plans_nothing_twice(make: Make):
    stand.tables_set(make)
    stand.alone(make)
    first = len(stand.planned(make.community()))
    assert first == 5
    assert len(stand.planned(make.community())) == first


def test_the_visit_goes_to_the_worker_of_the_grid_and_else_to_the_community(make: Make):
    stand.tables_set(make)
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid, name="王建国")
    stand.alone(make, grid=grid)
    stand.alone(make, "李桂兰", grid=make.grid(name="第二网格"))
    found = stand.planned(make.community())
    assert {visit.worker for visit in found if visit.person.name == "王秀英"} == {worker.public_id}
    assert {visit.worker for visit in found if visit.person.name == "李桂兰"} == {""}


def test_a_month_is_spread_over_its_working_days(make: Make):
    stand.tables_set(make)
    for turn in range(20):
        make.person(f"李{turn}", born=date(1960, 1, 1), tags=[TagKind.DISABLED_ELDER])
    days = [visit.planned_on for visit in stand.planned(make.community())]
    assert len(set(days)) == 20
    assert all(day.weekday() < 5 for day in days)


def test_a_week_without_a_visit_is_missed_once_and_its_lateness_goes_on(make: Make):
    stand.tables_set(make)
    stand.alone(make)
    stand.planned(make.community())
    with time_machine.travel(MONDAY + timedelta(days=14), tick=False):
        found = stand.planned(make.community())
        missed = [visit.period for visit in found if visit.state is VisitState.MISSED]
        assert missed == ["W2026-45", "W2026-46"]
        running = next(visit for visit in found if visit.period == "W2026-47")
        assert running.late_since == date(2026, 11, 9)
        assert running.is_late(today())


def test_a_visit_does_for_the_routine_of_its_week(make: Make):
    stand.tables_set(make)
    person = stand.alone(make)
    worker = make.worker()
    stand.planned(make.community())
    stand.visited(person, worker)
    found = {visit.period: visit.state for visit in stand.planned(make.community())}
    assert found["W2026-45"] is VisitState.CANCELLED
    assert found["W2026-46"] is VisitState.PLANNED


def test_who_died_or_moved_leaves_the_list_on_that_day(make: Make):
    stand.tables_set(make)
    person = stand.alone(make)
    stand.planned(make.community())
    with transaction() as session:
        row = session.merge(person)
        row.state, row.state_on = PersonState.DEAD, date(2026, 11, 2)
        subscribers.on_person_died(person=row, day=date(2026, 11, 2))
    assert stand.subject(person).level is None
    assert {visit.state for visit in stand.visits()} == {VisitState.CANCELLED}


def test_a_death_undone_puts_her_back(make: Make):
    stand.tables_set(make)
    person = stand.alone(make)
    stand.planned(make.community())
    for state, day in ((PersonState.DEAD, date(2026, 11, 2)), (PersonState.PRESENT, None)):
        with transaction() as session:
            row = session.merge(person)
            row.state, row.state_on = state, day
            subscribers.on_person_died(person=row) if day else subscribers.on_person_moved(person=row)
    assert stand.subject(person).level is Level.HIGH
    assert [spell.until for spell in stand.spells(person)] == [None]


def test_a_level_whose_beginning_nobody_wrote_down_stops_no_plan(make: Make):
    stand.tables_set(make)
    person = stand.alone(make)
    other = stand.alone(make, "赵五")
    with transaction() as session:
        listing.subject_of(session.merge(person)).level = Level.HIGH
        session.merge(person).state = PersonState.MOVED_OUT
    assert {visit.person_id for visit in stand.planned(make.community())} == {other.id}
    assert stand.subject(person).level is None
    assert stand.spells(person) == []


def test_nobody_in_hospital_is_visited_and_a_visit_follows_within_a_day_of_coming_home(make: Make):
    stand.tables_set(make)
    person, by = stand.alone(make), stand.actor(make.worker())
    stand.planned(make.community())
    with transaction():
        row = wishes.exclude(stand.subject(person), Exclusion.HOSPITAL, today(), None, "", by=by)
    assert {visit.state for visit in stand.visits()} == {VisitState.CANCELLED}
    with transaction():
        wishes.end_exclusion(stand.subject(person), row.id, today())
    soon = [visit for visit in stand.visits() if visit.kind is VisitKind.SOON]
    assert [visit.due_on for visit in soon] == [date(2026, 11, 3)]
    assert [visit.state for visit in stand.visits() if visit.period == "W2026-46"] == [VisitState.PLANNED]


def test_who_does_not_wish_it_is_not_visited_at_home(make: Make):
    stand.tables_set(make)
    person, by = stand.alone(make), stand.actor(make.worker())
    stand.planned(make.community())
    with transaction():
        with pytest.raises(Refused, match="不上门"):
            wishes.record_wish(stand.subject(person), Consent.NOT_AT_HOME, Method.HOME, note="", said_on=today(), by=by)
        wishes.record_wish(
            stand.subject(person), Consent.NOT_AT_HOME, Method.NEIGHBOUR, note="", said_on=today(), by=by
        )
    assert {visit.method for visit in stand.visits()} == {Method.NEIGHBOUR}


def test_an_override_holds_until_its_day_and_says_who_and_why(make: Make, app):
    stand.tables_set(make)
    person, by = make.person(born=date(1960, 1, 1), tags=[TagKind.DISABLED_ELDER]), stand.actor(make.worker())
    stand.planned(make.community())
    with transaction():
        wishes.override(stand.subject(person), Level.HIGH, "老伴刚去世", date(2026, 11, 20), by=by)
    assert stand.subject(person).level is Level.HIGH
    with app.test_request_context():
        assert "周洁调整" in words.why_listed(stand.subject(person), today())
    with time_machine.travel(MONDAY + timedelta(days=20), tick=False):
        stand.planned(make.community())
        assert stand.subject(person).level is Level.FOCUS


def test_a_promise_asked_for_twice_is_one(make: Make):
    person = make.person()
    one, two = stand.promised(person), stand.promised(person)
    assert one.id == two.id
    assert planning.way_to(one.subject) is Method.HOME


def test_who_becomes_high_risk_is_visited_within_a_day(make: Make):
    stand.tables_set(make)
    person = make.person(born=date(1960, 1, 1), tags=[TagKind.DISABLED_ELDER])
    stand.planned(make.community())
    make.add(stand.tag_rule(make, Level.HIGH, TagKind.DISABLED_ELDER))
    found = stand.planned(make.community())
    assert [(visit.kind, visit.due_on) for visit in found if visit.kind is VisitKind.SOON] == [
        (VisitKind.SOON, date(2026, 11, 3))
    ]
    assert {visit.state for visit in found if visit.period == "M2026-11"} == {VisitState.CANCELLED}
    assert stand.subject(person).level is Level.HIGH


def test_the_nightly_job_plans_every_community(make: Make):
    stand.tables_set(make)
    other = make.community("荷塘社区")
    stand.alone(make)
    stand.alone(make, "李桂兰", community=other)
    jobs.plan()
    jobs.tell_late()
    assert {visit.person.name for visit in stand.visits()} == {"王秀英", "李桂兰"}


def test_who_a_register_brings_in_is_on_the_list_at_once(make, app):
    with transaction():
        tables.seed(make.street().code, by="何立新")
    person = make.person(born=date(today().year - 85, 1, 1), tags=[TagKind.LIVING_ALONE])
    with transaction():
        events.publish("people_imported", community_id=make.community().id)
    assert listing.known(make.read(person)) is not None
