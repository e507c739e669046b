"""On which day a visit is promised: level over the working days of each worker, the riskiest and latest first."""

from collections import Counter
from datetime import date, time, timedelta

import pytest
import time_machine

from portal.core import clock, settings
from portal.core.db import transaction
from portal.identity.permissions import Role
from portal.registry.models import TagKind
from portal.visits.models import Level, Visit, VisitState
from portal.visits.service import spreading
from tests.make import Make
from tests.visits import stand

MONDAY = clock.at(date(2026, 11, 2), time(9))
SUNDAY = clock.at(date(2026, 11, 22), time(9))
THURSDAY = clock.at(date(2026, 11, 12), time(9))


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(MONDAY, tick=False):
        yield


def _a_day(make: Make, count: int) -> None:
    with transaction():
        settings.put(spreading.PER_DAY, count, valid_from=date(2026, 11, 1), by="何立新")


def _weekly(make: Make, count: int) -> None:
    stand.tables_set(make)
    for turn in range(count):
        stand.alone(make, f"王{turn}")


def _days(visits: list[Visit]) -> Counter[date]:
    return Counter(visit.planned_on for visit in visits if visit.state is VisitState.PLANNED)


def test_a_first_plan_on_a_sunday_promises_nothing_for_that_day(make: Make):
    _weekly(make, 30)
    with time_machine.travel(SUNDAY, tick=False):
        found = stand.planned(make.community())
        assert max(_days(found).values()) == 6
        assert all(day.weekday() < 5 for day in _days(found))
        assert {visit.period for visit in found} == {"W2026-48", "W2026-49"}
        assert len(found) == 60


def test_a_running_week_takes_what_fits_into_the_rest_of_it_the_riskiest_first(make: Make):
    _weekly(make, 9)
    _a_day(make, 2)
    with time_machine.travel(THURSDAY, tick=False):
        first = [visit for visit in stand.planned(make.community()) if visit.period == "W2026-46"]
        assert _days(first) == {date(2026, 11, 12): 2, date(2026, 11, 13): 2}
        again = [visit for visit in stand.planned(make.community()) if visit.period == "W2026-46"]
        assert [(one.id, one.planned_on) for one in again] == [(one.id, one.planned_on) for one in first]
    with time_machine.travel(THURSDAY + timedelta(days=4), tick=False):
        found = [visit for visit in stand.planned(make.community()) if visit.period == "W2026-47"]
        assert len(found) == 9


def test_a_whole_week_takes_everybody_whatever_the_setting(make: Make):
    _weekly(make, 9)
    _a_day(make, 1)
    found = [visit for visit in stand.planned(make.community()) if visit.period == "W2026-45"]
    assert sorted(_days(found).values()) == [1, 2, 2, 2, 2]


def test_levels_together_make_level_days_for_each_worker(make: Make):
    _weekly(make, 7)
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid)
    for turn in range(8):
        stand.alone(make, f"周{turn}", grid=grid)
    for turn in range(12):
        make.person(f"李{turn}", born=date(1960, 1, 1), tags=[TagKind.DISABLED_ELDER])
    for turn in range(9):
        make.person(f"张{turn}", born=date(1960, 1, 1), tags=[TagKind.EMPTY_NEST])
    found = stand.planned(make.community())
    for whose in ("", worker.public_id):
        month = _days([visit for visit in found if visit.worker == whose and visit.planned_on < date(2026, 12, 1)])
        assert max(month.values()) - min(month.values()) <= 1
        assert len(month) == 21


def test_the_riskiest_and_those_not_met_for_longest_come_first(make: Make):
    stand.tables_set(make)
    worker = make.worker()
    people = [make.person(f"李{turn}", born=date(1960, 1, 1), tags=[TagKind.DISABLED_ELDER]) for turn in range(4)]
    for turn, person in enumerate(people[:3]):
        stand.visited(person, worker, MONDAY - timedelta(days=3 + 3 * turn))
    found = [visit for visit in stand.planned(make.community()) if visit.level is Level.FOCUS and visit.is_open()]
    order = [visit.person.name for visit in sorted(found, key=lambda visit: visit.planned_on)]
    assert order == ["李3", "李2", "李1", "李0"]


def test_who_comes_later_gets_the_lightest_day_and_nobody_elses_moves(make: Make):
    _weekly(make, 4)
    before = {visit.id: visit.planned_on for visit in stand.planned(make.community())}
    stand.alone(make, "赵五")
    after = stand.planned(make.community())
    assert {visit.id: visit.planned_on for visit in after if visit.id in before} == before
    first = [visit.planned_on for visit in after if visit.period == "W2026-45"]
    assert len(set(first)) == 5


def test_who_was_missed_comes_first_but_not_all_on_one_day(make: Make):
    _weekly(make, 8)
    _a_day(make, 2)
    stand.planned(make.community())
    with time_machine.travel(MONDAY + timedelta(days=7), tick=False):
        found = [visit for visit in stand.planned(make.community()) if visit.period == "W2026-46"]
        assert all(visit.late_since for visit in found)
        days = _days(found)
        assert [days[date(2026, 11, 9) + timedelta(days=turn)] for turn in range(4)] == [2, 2, 2, 2]
        again = [visit for visit in stand.planned(make.community()) if visit.period == "W2026-46"]
        assert _days(again) == days


def test_what_was_promised_before_and_stays_counts_as_today_s_load(make: Make):
    _a_day(make, 3)
    day = date(2026, 11, 11)
    planned = [day - timedelta(days=1), day, day, day + timedelta(days=2)]
    made = [stand.promised(stand.alone(make, f"王{turn}"), one) for turn, one in enumerate(planned)]
    with transaction() as session:
        late, *_today, coming = [session.merge(visit) for visit in made]
        late.due_on = late.late_since = day
        coming.late_since = day + timedelta(days=1)
        spreading.bring_forward([late, coming], make.community(), day)
    assert [make.read(visit).planned_on for visit in made] == [day, day, day, day + timedelta(days=1)]


def test_a_week_that_begins_in_the_month_s_last_days_leaves_no_heap_there(make: Make):
    _weekly(make, 20)
    for turn in range(20):
        make.person(f"李{turn}", born=date(1960, 1, 1), tags=[TagKind.DISABLED_ELDER])
    with time_machine.travel(SUNDAY, tick=False):
        days = _days(stand.planned(make.community()))
        november = [days[date(2026, 11, 23) + timedelta(days=turn)] for turn in (0, 1, 2, 3, 4, 7)]
        assert max(november) - min(november) <= 1
