"""月探访率: numerator, denominator and who is excluded, at every boundary of the rule."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.access import Scope
from portal.core.clock import at
from portal.core.db import transaction
from portal.registry.models import Person, PersonState, TagKind
from portal.visits.models import CareExclusion, Consent, Exclusion, Method
from portal.visits.service import rates, recording, subscribers, wishes
from portal.visits.service.rates import Line, Month
from tests.make import Make
from tests.visits import stand

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


@pytest.fixture(autouse=True)
def november() -> Iterator[None]:
    with time_machine.travel(at(date(2026, 11, 10), time(9)), tick=False):
        yield


def october(make: Make) -> Line:
    return rates.rate(stand.here(make), Month.of("2026-10"), total_name="合计").total


def moment(day: int) -> datetime:
    return at(date(2026, 10, day), time(10))


def excluded(line: Line) -> dict[Exclusion, int]:
    return {reason: len(ids) for reason, ids in line.excluded.items()}


def listed(make: Make, since: date = date(2026, 1, 1), until: date | None = None, **more) -> Person:
    person = make.person(**more)
    stand.on_list(person, since, until)
    return person


def test_a_visit_counts_and_two_visits_count_once(make: Make):
    person, worker = listed(make), make.worker()
    stand.visited(person, worker, moment(11))
    stand.visited(person, worker, moment(20))
    line = october(make)
    assert (line.due, len(line.visited), line.percent) == (1, 1, "100.0%")


def test_who_was_not_met_does_not_count_as_visited(make: Make):
    person, worker = listed(make), make.worker()
    stand.tables_set(make)
    visit = stand.promised(person)
    with transaction():
        recording.not_met(visit, stand.said(met=False, at=moment(20)), by=stand.actor(worker))
    line = october(make)
    assert (line.due, len(line.visited), line.percent) == (1, 0, "0.0%")


@pytest.mark.parametrize(
    ("method", "counts"),
    [
        (Method.HOME, 1),
        (Method.PHONE, 1),
        (Method.VIDEO, 1),
        (Method.OUTSIDE, 1),
        (Method.NEIGHBOUR, 0),
        (Method.MESSAGE, 0),
    ],
)
def test_effective_is_met_in_person_or_confirmed_by_call(make: Make, method: Method, counts: int):
    stand.visited(listed(make), make.worker(), moment(20), method=method)
    assert len(october(make).visited) == counts


@pytest.mark.parametrize(
    ("since", "until", "due"),
    [
        (LAST, None, 1),
        (LAST + timedelta(days=1), None, 0),
        (date(2026, 1, 1), FIRST, 1),
        (date(2026, 1, 1), FIRST - timedelta(days=1), 0),
        (date(2026, 10, 15), date(2026, 10, 15), 1),
    ],
)
def test_one_day_on_the_list_in_the_month_is_enough(make: Make, since: date, until: date | None, due: int):
    listed(make, since, until)
    assert october(make).due == due


def test_a_visit_of_another_month_does_not_count(make: Make):
    person, worker = listed(make), make.worker()
    stand.visited(person, worker, at(date(2026, 11, 1), time(0)))
    assert len(october(make).visited) == 0
    stand.visited(person, worker, at(date(2026, 10, 31), time(23, 59)))
    assert len(october(make).visited) == 1


@pytest.mark.parametrize(
    ("state", "day", "counted"),
    [
        (PersonState.DEAD, date(2026, 10, 15), {Exclusion.DEAD: 1}),
        (PersonState.DEAD, LAST, {Exclusion.DEAD: 1}),
        (PersonState.DEAD, LAST + timedelta(days=1), {}),
        (PersonState.MOVED_OUT, FIRST, {Exclusion.MOVED: 1}),
        (PersonState.MOVED_OUT, LAST + timedelta(days=1), {}),
    ],
)
def test_who_died_or_moved_in_the_month_is_excluded_even_after_a_visit(make: Make, state, day, counted):
    person = listed(make, state=state, state_on=day)
    stand.visited(person, make.worker(), moment(12))
    line = october(make)
    assert excluded(line) == counted
    assert (line.due, len(line.visited)) == ((0, 0) if counted else (1, 1))


def test_who_refused_in_writing_is_excluded_while_the_refusal_stands_on_the_last_day(make: Make):
    one, two = listed(make), listed(make, name="李桂兰")
    by = stand.actor(make.worker())
    for person in (one, two):
        with transaction():
            wishes.record_wish(
                stand.subject(person), Consent.REFUSED, Method.PHONE, note="存一号柜", said_on=LAST, by=by
            )
    with transaction():
        wishes.record_wish(stand.subject(two), Consent.AGREED, Method.HOME, note="", said_on=LAST, by=by)
    with transaction() as session:
        # Taken back on the very last day: it stood the day before, not at the end.
        query = sa.select(CareExclusion).where(CareExclusion.subject_id == stand.subject(two).id)
        row = session.scalars(query).one()
        row.since, row.until = date(2026, 10, 5), LAST - timedelta(days=1)
    line = october(make)
    assert excluded(line) == {Exclusion.REFUSAL: 1}
    assert line.due == 1


@pytest.mark.parametrize(
    ("since", "until", "out"),
    [
        (date(2026, 10, 1), date(2026, 10, 14), 0),
        (date(2026, 10, 1), date(2026, 10, 15), 1),
        (date(2026, 10, 17), None, 1),
        (date(2026, 10, 18), None, 0),
        (date(2026, 9, 1), date(2026, 10, 15), 1),
    ],
)
def test_a_stay_in_hospital_excludes_from_fifteen_days_of_the_month_on(make: Make, since, until, out):
    person = listed(make)
    with transaction() as session:
        session.add(
            CareExclusion(
                subject_id=stand.subject(person).id,
                reason=Exclusion.HOSPITAL,
                since=since,
                until=until,
                noted_at=moment(1),
            )
        )
    assert excluded(october(make)) == ({Exclusion.HOSPITAL: 1} if out else {})


def test_an_absence_that_the_register_knows_counts_as_away(make: Make):
    listed(make, absent_from=date(2026, 10, 3), absent_until=date(2026, 12, 1))
    assert excluded(october(make)) == {Exclusion.AWAY: 1}


def test_days_that_overlap_are_counted_once(make: Make):
    person = listed(make, absent_from=date(2026, 10, 1), absent_until=date(2026, 10, 10))
    with transaction() as session:
        session.add(
            CareExclusion(
                subject_id=stand.subject(person).id,
                reason=Exclusion.HOSPITAL,
                since=date(2026, 10, 1),
                until=date(2026, 10, 10),
                noted_at=moment(1),
            )
        )
    assert excluded(october(make)) == {}


def test_an_alias_counts_as_the_person_it_stands_for(make: Make):
    kept = listed(make)
    alias = listed(make, name="王秀瑛")
    stand.visited(alias, make.worker(), moment(12))
    with transaction() as session:
        session.merge(alias).merged_into_id = kept.id
    line = october(make)
    assert (line.due, line.visited) == (1, [kept.id])


def test_the_rate_is_by_grid_and_never_of_another_scope(make: Make):
    one, two = make.grid(), make.grid(name="第二网格")
    person = listed(make, grid=one)
    listed(make, grid=two)
    listed(make)
    stand.visited(person, make.worker(), moment(12))
    found = rates.rate(stand.here(make), Month.of("2026-10"))
    assert [(line.name, line.percent) for line in found.lines] == [
        ("第一网格", "100.0%"),
        ("第二网格", "0.0%"),
        ("", "0.0%"),
    ]
    assert found.total.percent == "33.3%"
    assert rates.rate((Scope("grid", two.code),), Month.of("2026-10")).total.due == 1
    assert rates.rate((Scope("community", "000"),), Month.of("2026-10")).total.percent == "—"


def test_almost_all_is_not_yet_all():
    line = Line(None, "")
    line.visited, line.unvisited = list(range(1999)), [0]
    assert line.percent == "99.9%"


@pytest.mark.parametrize("text", ["", "2026-13", "2027-01", "abc"])
def test_a_month_that_is_none_is_the_running_one(make: Make, text: str):
    assert Month.of(text).key == "2026-11"
    assert Month.of(text).after() is None
    assert Month.of("2026-10").after() == Month.of("2026-11")


def _moved(person: Person, grid, day: date) -> None:
    """To another grid on a day, as the register tells it."""
    with time_machine.travel(at(day, time(9)), tick=False), transaction() as session:
        row = session.merge(person)
        row.grid_id, row.community_id = grid.id, grid.parent_id
        session.flush()
        session.expire(row)
        subscribers.on_person_moved(person=row)


def _by_grid(within, month: str) -> dict[str, tuple[int, int]]:
    return {line.name: (line.due, len(line.visited)) for line in rates.rate(within, Month.of(month)).lines}


def _listed_in_september(make: Make, grid) -> Person:
    stand.tables_set(make)
    person = stand.alone(make, grid=grid)
    with time_machine.travel(at(date(2026, 9, 20), time(9)), tick=False):
        stand.planned(make.community())
    return person


def test_last_months_rate_stays_when_somebody_moves_to_another_grid(make: Make):
    grid, other = make.grid(name="第一网格"), make.grid(name="第二网格")
    person = _listed_in_september(make, grid)
    stand.visited(person, make.worker(), moment(20))
    assert _by_grid(stand.here(make), "2026-10") == {"第一网格": (1, 1)}
    _moved(person, other, date(2026, 11, 5))
    assert _by_grid(stand.here(make), "2026-10") == {"第一网格": (1, 1)}
    assert _by_grid(stand.here(make), "2026-11") == {"第二网格": (1, 0)}
    assert [spell.until for spell in stand.spells(person)] == [date(2026, 11, 4), None]


def test_who_moves_within_a_month_counts_once_where_she_was_last(make: Make):
    grid, other = make.grid(name="第一网格"), make.grid(name="第二网格")
    person = _listed_in_september(make, grid)
    _moved(person, other, date(2026, 10, 15))
    _moved(person, make.grid(name="第三网格"), date(2026, 10, 15))
    assert _by_grid(stand.here(make), "2026-09") == {"第一网格": (1, 0)}
    assert _by_grid(stand.here(make), "2026-10") == {"第三网格": (1, 0)}


def test_who_moves_to_another_community_stays_in_the_months_that_are_over(make: Make, client):
    elsewhere = make.community("荷塘社区")
    grid, other = make.grid(name="第一网格"), make.grid(elsewhere, name="荷塘网格")
    there = (Scope("community", elsewhere.code),)
    person = _listed_in_september(make, grid)
    stand.visited(person, make.worker(), moment(20))
    _moved(person, other, date(2026, 11, 5))
    assert _by_grid(stand.here(make), "2026-10") == {"第一网格": (1, 1)}
    assert _by_grid(there, "2026-10") == {}
    assert _by_grid(stand.here(make), "2026-11") == {}
    assert _by_grid(there, "2026-11") == {"荷塘网格": (1, 0)}
    page = client.sign_in(make.worker(name="赵敏")).get("/desk/visits/rates/names?month=2026-10&which=visited").text
    assert person.name not in page
    assert "另有 1 人后来搬到了别处" in page


def test_a_grid_workers_scope_counts_her_grid_of_then(make: Make):
    grid, other = make.grid(name="第一网格"), make.grid(name="第二网格")
    person = _listed_in_september(make, grid)
    _moved(person, other, date(2026, 11, 5))
    assert _by_grid((Scope("grid", grid.code),), "2026-10") == {"第一网格": (1, 0)}
    assert _by_grid((Scope("grid", other.code),), "2026-10") == {}


def test_a_time_on_the_list_without_a_place_gets_its_own_and_counts_where_she_lives(make: Make):
    stand.tables_set(make)
    grid = make.grid(name="第一网格")
    person = listed(make, grid=grid, born=stand.BORN_85, tags=[TagKind.LIVING_ALONE])
    assert _by_grid(stand.here(make), "2026-10") == {"第一网格": (1, 0)}
    stand.planned(make.community())
    (spell,) = stand.spells(person)
    assert (spell.community_id, spell.grid_id, spell.until) == (make.community().id, grid.id, None)
