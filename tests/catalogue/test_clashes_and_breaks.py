"""What the nightly opening could not open reaches the worker, with where to settle it; breaks of some weekdays."""

from datetime import time, timedelta

from flask import Flask

from portal.catalogue.models.schedules import Of
from portal.catalogue.service import counter_doors, opening, timetables
from portal.core.clock import today
from portal.core.db import db, transaction
from tests.acting import actor_of
from tests.catalogue.tables import MONDAY, a_doctor, a_timetable, an_item, clock_at, clocks, next_monday, slots_on
from tests.catalogue.test_timetables import said
from tests.make import Make

LATER = MONDAY + timedelta(days=7)


def _to_do(worker: object) -> dict[str, tuple[str, int]]:
    db.session.rollback()
    return {one.words: (one.endpoint, one.count) for one in counter_doors.todo_of(actor_of(worker))}


def test_a_clash_that_the_night_finds_is_on_the_workers_list_until_it_is_settled(make: Make, app: Flask) -> None:
    worker, doctor = make.worker(), a_doctor(make)
    clash = "时段没有开出来：人或房间已经排给别处"
    with clock_at("08:00"):
        item, hours = an_item(make), ((0, time(9), time(10)),)
        of: dict[str, object] = {"of": Of.STAFF, "staff_id": doctor.id, "hours": hours, "by": worker}
        a_timetable(make, item, name="义诊", days_ahead=14, **of)
        late = a_timetable(make, item, name="问诊", days_ahead=14, valid_from=MONDAY + timedelta(days=21), **of)
        assert clash not in _to_do(worker)
    with clock_at("00:40", MONDAY + timedelta(days=8)):
        opening.open_all()
        # The night opens the 21st day for the first timetable and cannot for the second.
        assert _to_do(worker)[clash] == ("catalogue.worker.timetable", 2)
        client = app.test_client().sign_in(worker)
        page = client.get(f"/desk/services/timetables/{late.id}").text
        assert "这些时段没有开出来" in page
        assert "义诊" in page
        first = next(one for one in timetables.timetables(worker_scopes(worker)) if one.name == "义诊")
        with transaction():
            timetables.end(db.session.merge(first), "不办了", by=actor_of(worker))
        assert client.post(f"/desk/services/timetables/{late.id}/open-again").status_code == 303
        assert clash not in _to_do(worker)
        assert clocks(slots_on(late, MONDAY + timedelta(days=21))) == ["09:00", "09:30"]


def worker_scopes(worker: object) -> tuple[object, ...]:
    return tuple(grant.scope for grant in actor_of(worker).grants)


def test_a_break_may_be_of_some_weekdays_only(make: Make, app: Flask) -> None:
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(make.worker())
        typed = said(item.id, breaks="周一 10:00-10:30；周三至周四 9:00-9:30")
        assert client.post("/desk/services/timetables/new", data=typed).status_code == 303
        table = timetables.timetables(worker_scopes(make.worker()))[0]
        monday = next_monday()
        days = [clocks(slots_on(table, monday + timedelta(days=turn))) for turn in range(4)]
        assert days == [
            ["09:00", "09:30", "10:30"],
            ["09:00", "09:30", "10:00", "10:30"],
            ["09:30", "10:00", "10:30"],
            ["09:30", "10:00", "10:30"],
        ]
        page = client.get(f"/desk/services/timetables/{table.id}/edit").text
        assert "周一 10:00-10:30；周三至周四 09:00-09:30" in page
        assert today() == MONDAY


def test_a_break_of_every_day_holds_on_the_day_that_has_one_more(make: Make, app: Flask) -> None:
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(make.worker())
        typed = said(item.id, breaks="10:00-10:30；周二 9:00-9:30；周三 10:15-11:00")
        assert client.post("/desk/services/timetables/new", data=typed).status_code == 303
        table = timetables.timetables(worker_scopes(make.worker()))[0]
        days = [clocks(slots_on(table, next_monday() + timedelta(days=turn))) for turn in range(3)]
        assert days == [["09:00", "09:30", "10:30"], ["09:30", "10:30"], ["09:00", "09:30"]]
        page = client.get(f"/desk/services/timetables/{table.id}/edit").text
        assert "周二 09:00-09:30 10:00-10:30；周三 10:00-11:00" in page
