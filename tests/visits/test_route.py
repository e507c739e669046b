"""The day's route on paper, in the order of the doors, and entering afterwards what was ticked on it."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.areas.models import Building, Dwelling, Estate
from portal.core import clock
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.registry.models import Household
from portal.visits.models import CheckState, FindingKind, Urgency, VisitKind, VisitState
from portal.visits.service import checks, recording, route
from portal.visits.service.rates import Month, rate
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make
from tests.visitor import words_shown
from tests.visits import stand

SHEET = "/desk/visits/route"
MONDAY = clock.at(date(2026, 11, 2), time(9))


def _doors(make: Make, grid) -> None:
    """Four doors of two buildings, and somebody without an address."""
    estate = make.add(Estate(community_id=make.community().id, name="春风里"))
    buildings = {name: make.add(Building(estate_id=estate.id, name=name)) for name in ("10栋", "2栋")}
    for turn, (building, room) in enumerate((("10栋", "302"), ("2栋", "1001"), ("2栋", "301"), ("2栋", "302"))):
        dwelling = make.add(Dwelling(building_id=buildings[building].id, unit="1单元", room=room))
        home = make.add(Household(community_id=make.community().id, number=f"R{turn}", dwelling_id=dwelling.id))
        stand.promised(make.person(f"王{turn}", grid=grid, household_id=home.id))
    stand.promised(make.person("无址人", grid=grid))


def test_the_sheet_goes_from_door_to_door(make: Make):
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid)
    _doors(make, grid)
    found = route.route(stand.here(make), worker=worker.public_id, day=today()).stops
    rooms = [
        (stop.visit.person.household.dwelling.building.name, stop.visit.person.household.dwelling.room)
        for stop in found[:-1]
    ]
    assert rooms == [("2栋", "301"), ("2栋", "302"), ("2栋", "1001"), ("10栋", "302")]
    assert found[-1].visit.person.name == "无址人"


def test_the_sheet_says_why_the_last_visit_and_what_to_ask(make: Make, client: Client):
    worker, person, _visit = stand.mine(make)
    stand.visited(person, worker, findings=(FindingKind.HEALTH,), urgency=Urgency.NORMAL)
    stand.promised(person)
    with transaction():
        stand.subject(person).hint = "耳背，敲门要重"
    page = client.sign_in(worker).post(SHEET).text
    for words in ("王秀英", "独居", "（王建国）", "问进展：看病、用药", "耳背，敲门要重", "没见到"):
        assert words in page
    assert "138" not in words_shown(page)
    assert f'action="{SHEET}"' in client.get("/desk/visits/").text


def test_the_sheet_of_another_day_has_what_is_promised_for_it(make: Make, client: Client):
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid)
    tomorrow = today() + timedelta(days=1)
    stand.promised(make.person("王今天", grid=grid))
    stand.promised(make.person("王明天", grid=grid), tomorrow)
    signed = client.sign_in(worker)
    page = signed.post(SHEET, data={"day": tomorrow.isoformat()}).text
    assert "王明天" in page
    assert "王今天" not in page
    for nonsense in ("x", (today() - timedelta(days=1)).isoformat(), "9999-12-31"):
        assert "王今天" in signed.post(SHEET, data={"day": nonsense}).text


def test_that_a_sheet_was_printed_is_recorded_without_a_name(make: Make, client: Client):
    grid = make.grid()
    stand.promised(make.person("王秀英", grid=grid))
    signed = client.sign_in(make.worker(Role.GRID_WORKER, grid))
    assert signed.get(SHEET).status_code == 404
    assert "王秀英" in signed.post(SHEET, data={"whose": "all"}).text
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "visits.route_printed")).one()
    assert row.facts == {"count": 1, "day": today().isoformat(), "whose": "all"}


def test_a_sheet_that_holds_not_all_of_them_says_so(make: Make, client: Client, monkeypatch: pytest.MonkeyPatch):
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid)
    monkeypatch.setattr(route, "MOST", 2)
    monkeypatch.setattr(route, "MOST_SHEETS", 1)
    for turn in range(2):
        stand.promised(make.person(f"王{turn}", grid=grid))
    signed = client.sign_in(worker)
    assert "没有印全" not in signed.post(SHEET).text
    stand.promised(make.person("王三", grid=grid))
    found = route.route(stand.here(make), worker=worker.public_id, day=today())
    assert (len(found.stops), found.more) == (2, True)
    page = signed.post(SHEET).text
    assert "没有印全" in page
    assert "只印前 2 户次" in page


def test_nobody_prints_another_grids_doors(make: Make, client: Client):
    grid, other = make.grid(), make.grid(name="第二网格")
    stand.promised(make.person("王秀英", grid=other))
    signed = client.sign_in(make.worker(Role.GRID_WORKER, grid))
    assert "王秀英" not in signed.post(SHEET, data={"whose": "all"}).text


def test_a_longer_sheet_asks_no_more(make: Make, client: Client):
    grid = make.grid()
    signed = client.sign_in(make.worker(Role.GRID_WORKER, grid))
    stand.promised(make.person("王一", grid=grid))
    signed.post(SHEET, data={"whose": "all"})
    with count_queries() as few:
        signed.post(SHEET, data={"whose": "all"})
    _doors(make, grid)
    with count_queries() as many:
        signed.post(SHEET, data={"whose": "all"})
    assert len(many) <= len(few) + 1


@pytest.fixture
def two_weeks(make: Make):
    """Planned on a Monday, and a week later again: the first week's visit is missed meanwhile."""
    stand.tables_set(make)
    with time_machine.travel(MONDAY, tick=False):
        person, worker = stand.alone(make), make.worker()
        stand.planned(make.community())
    with time_machine.travel(MONDAY + timedelta(days=7), tick=False):
        found = {visit.period: visit for visit in stand.planned(make.community())}
        yield person, worker, found["W2026-45"], found["W2026-46"]


def test_what_was_ticked_on_paper_counts_for_its_own_week(make: Make, two_weeks):
    _person, worker, missed, running = two_weeks
    assert (missed.state, running.late_since) == (VisitState.MISSED, date(2026, 11, 9))
    with transaction() as session:
        recording.save_draft(session.merge(running), {"note": ["上周去的"]}, by=stand.actor(worker))
        at = clock.at(date(2026, 11, 6), time(10))
        done = recording.record(session.merge(running), stand.said(at=at), by=stand.actor(worker))
        assert done.period == "W2026-45"
    running, missed = make.read(running), make.read(missed)
    assert (missed.state, missed.met_on) == (VisitState.DONE, date(2026, 11, 6))
    assert (running.state, running.late_since, running.draft) == (VisitState.PLANNED, None, None)
    assert [len(line.visited) for line in rate(stand.here(make), Month.of("2026-11")).lines] == [1]


def test_one_paper_visit_entered_twice_counts_once(make: Make, two_weeks):
    _person, worker, missed, running = two_weeks
    said = stand.said(at=clock.at(date(2026, 11, 6), time(10)))
    with transaction() as session:
        recording.record(session.merge(running), said, by=stand.actor(worker))
    with pytest.raises(Refused, match="已经记录了这次探访（11-06 10:00）"), transaction() as session:
        recording.record(session.merge(running), said, by=stand.actor(worker))
    assert make.read(missed).state is VisitState.DONE
    assert make.read(running).state is VisitState.PLANNED


def test_it_is_entered_with_the_form_that_stands(make: Make, client: Client, two_weeks):
    _person, worker, missed, running = two_weeks
    signed = client.sign_in(worker)
    answer = signed.post(f"/desk/visits/{running.public_id}/record", data=stand.filled(day="2026-11-06", at="10:00"))
    assert answer.status_code == 303
    assert make.read(missed).state is VisitState.DONE
    assert make.read(running).state is VisitState.PLANNED
    again = signed.post(f"/desk/visits/{missed.public_id}/record", data=stand.filled(day="2026-11-06", at="10:00"))
    assert again.status_code == 422


def test_what_was_missed_after_that_day_is_still_late(make: Make, two_weeks):
    _person, worker, missed, _running = two_weeks
    with time_machine.travel(MONDAY + timedelta(days=14), tick=False):
        found = {visit.period: visit for visit in stand.planned(make.community())}
        with transaction() as session:
            at = clock.at(date(2026, 11, 6), time(10))
            recording.record(session.merge(found["W2026-47"]), stand.said(at=at), by=stand.actor(worker))
        assert make.read(missed).state is VisitState.DONE
        assert make.read(found["W2026-47"]).late_since == date(2026, 11, 16)


def test_a_visit_of_last_week_answers_no_question_of_today(make: Make, two_weeks):
    person, worker, _missed, running = two_weeks
    by = stand.actor(worker)
    with transaction() as session:
        recording.record(session.merge(running), stand.said(met=False), by=by)
    with transaction() as session:
        at = clock.at(date(2026, 11, 6), time(10))
        recording.record(session.merge(running), stand.said(at=at), by=by)
    db.session.rollback()
    check = checks.running(person.id)
    assert check is not None
    assert check.state is not CheckState.CLOSED
    assert make.read(running).state is VisitState.NOT_MET


def test_a_promised_visit_entered_late_is_itself(make: Make):
    person, worker = stand.alone(make), make.worker()
    visit = stand.promised(person)
    with transaction() as session:
        at = now() - timedelta(days=2)
        done = recording.record(session.merge(visit), stand.said(at=at), by=stand.actor(worker))
        assert (done.id, done.kind) == (visit.id, VisitKind.EXTRA)
