"""The worker's pages of timetables: made, looked at before, changed, closed for a day; slots closed and called off."""

from datetime import time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalogue.models.appointments import AppointmentState
from portal.catalogue.models.schedules import Slot, SlotState, Timetable
from portal.catalogue.service import closing, timetables
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.places.models import Capacity
from tests.acting import actor_of
from tests.catalogue.tables import (
    MONDAY,
    a_timetable,
    an_item,
    booked,
    clock_at,
    clocks,
    next_monday,
    slots_on,
)
from tests.counting import count_queries
from tests.make import Make


def said(item_id: int, **more: object) -> dict[str, object]:
    """What a worker sends to make a desk's timetable."""
    return {
        "name": "一号窗口",
        "items": item_id,
        "of": "desk",
        "staff": 0,
        "room": 0,
        "hours": "周一至周五 9:00-11:00",
        "breaks": "",
        "slot_minutes": 30,
        "buffer_minutes": 0,
        "people": 1,
        "minimum": 0,
        "decide_hours": 24,
        "days_ahead": 14,
        "valid_from": "2026-01-01",
        "valid_to": "",
        "make_up": "closed",
        "idem": "once",
    } | more


def told(topic: str) -> list[OutboxRow]:
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)))


def test_a_worker_makes_a_timetable_and_its_slots_stand_at_once(make: Make, app: Flask):
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(make.worker())
        assert "还没有时间表" in client.get("/desk/services/timetables").text
        form = client.get("/desk/services/timetables/new")
        assert "口腔义诊" in form.text
        answer = client.post("/desk/services/timetables/new", data=said(item.id, breaks="10:00-10:30"))
        assert answer.status_code == 303
        table = db.session.scalars(sa.select(Timetable)).one()
        assert clocks(slots_on(table, next_monday())) == ["09:00", "09:30", "10:30"]
        page = client.get(answer.location).text
        assert "开放了" in page
        assert "09:00 09:30 10:30" in page
        assert "一号窗口" in client.get("/desk/services/timetables").text


def test_a_form_sent_twice_makes_one_timetable(make: Make, app: Flask):
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(make.worker())
        first = client.post("/desk/services/timetables/new", data=said(item.id))
        second = client.post("/desk/services/timetables/new", data=said(item.id))
        assert first.location == second.location
        assert db.session.scalar(sa.select(sa.func.count(Timetable.id))) == 1


def test_looking_at_the_week_first_saves_nothing(make: Make, app: Flask):
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(make.worker())
        answer = client.post("/desk/services/timetables/new", data=said(item.id, preview=1))
        assert answer.status_code == 200
        assert "09:00 09:30 10:00 10:30" in answer.text
        assert db.session.scalar(sa.select(sa.func.count(Timetable.id))) == 0
        wrong = client.post("/desk/services/timetables/new", data=said(item.id, preview=1, slot_minutes=200))
        assert wrong.status_code == 422
        assert "放不下" in wrong.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("hours", "随便", "看不懂"),
        ("minimum", 5, "不能多于"),
        ("slot_minutes", 7, "5 的倍数"),
        ("valid_to", "2025-01-01", "不能早于"),
        ("items", 0, "选"),
    ],
)
def test_what_cannot_be_a_timetable_is_said_beside_its_field(make: Make, app: Flask, field, value, words):
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(make.worker())
        answer = client.post("/desk/services/timetables/new", data=said(item.id) | {field: value})
        assert answer.status_code == 422
        assert words in answer.text


def test_a_change_that_leaves_somebody_behind_is_settled_by_keeping_or_calling_off(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(worker)
        table = a_timetable(make, item, by=worker)
        first, second = slots_on(table, next_monday())[:2]
        booked(make, first), booked(make, second)
        answer = client.post(
            f"/desk/services/timetables/{table.id}/edit", data=said(item.id, hours="周一至周五 14:00-16:00")
        )
        assert answer.status_code == 303
        page = client.get(answer.location).text
        assert "要您处理" in page
        assert client.post(f"/desk/services/slots/{first.id}/keep").status_code == 303
        answer = client.post(f"/desk/services/slots/{second.id}/call-off", data={"reason": "改到下午"})
        assert answer.status_code == 303
        assert "要您处理" not in client.get(answer.location).text
        assert make.read(first).state is SlotState.CLOSED
        assert make.read(second).state is SlotState.CALLED_OFF
        notices = told("catalogue.appointment_called_off")
        assert [row.facts["reason"] for row in notices] == ["改到下午"]
        assert "14:00" in notices[0].facts["instead"]


def test_calling_a_slot_off_wants_a_reason_and_happens_once(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        client = app.test_client().sign_in(worker)
        slot = slots_on(a_timetable(make, by=worker), next_monday())[0]
        appointment = booked(make, slot)
        assert client.post(f"/desk/services/slots/{slot.id}/call-off", data={"reason": ""}).status_code == 422
        assert client.post(f"/desk/services/slots/{slot.id}/call-off", data={"reason": "停电"}).status_code == 303
        again = client.post(f"/desk/services/slots/{slot.id}/call-off", data={"reason": "停电"})
        assert again.status_code == 422
        assert make.read(appointment).state is AppointmentState.CALLED_OFF
        assert db.session.get_one(Capacity, slot.capacity_id).taken == 0
        assert len(told("catalogue.appointment_called_off")) == 1


def test_a_day_off_tells_everybody_booked_and_opens_nothing_that_day(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        client = app.test_client().sign_in(worker)
        table = a_timetable(make, by=worker)
        day = next_monday()
        booked(make, slots_on(table, day)[0]), booked(make, slots_on(table, day)[2])
        answer = client.post(
            f"/desk/services/timetables/{table.id}/day-off", data={"day": day.isoformat(), "reason": "外出培训"}
        )
        assert answer.status_code == 303
        assert not [slot for slot in slots_on(table, day) if slot.state is SlotState.OPEN]
        assert len(told("catalogue.appointment_called_off")) == 2
        assert "外出培训" in client.get(answer.location).text


def test_a_closed_slot_keeps_its_people_and_opens_again(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        client = app.test_client().sign_in(worker)
        slot = slots_on(a_timetable(make, people=3, by=worker), next_monday())[0]
        appointment = booked(make, slot)
        client.post(f"/desk/services/slots/{slot.id}/close", data={"reason": "先不加人"})
        assert make.read(slot).state is SlotState.CLOSED
        assert make.read(appointment).state is AppointmentState.BOOKED
        client.post(f"/desk/services/slots/{slot.id}/reopen")
        assert make.read(slot).state is SlotState.OPEN


def test_a_slot_below_its_turnout_is_called_off_when_its_hour_comes_and_not_before(make: Make):
    with clock_at("08:00"):
        table = a_timetable(make, people=8, minimum=2, decide_hours=24)
        day = next_monday()
        few, enough, *_others = slots_on(table, day)
        lonely = booked(make, few)
        booked(make, enough), booked(make, enough)
    with clock_at("08:59", day - timedelta(days=1)):
        assert closing.decide(clock.now()) == 0
    with clock_at("09:31", day - timedelta(days=1)):
        assert closing.decide(clock.now()) == 1
        assert closing.decide(clock.now()) == 0
        assert make.read(few).state is SlotState.CALLED_OFF
        assert make.read(enough).state is SlotState.OPEN
        assert make.read(lonely).state is AppointmentState.CALLED_OFF
        assert len(told("catalogue.appointment_called_off")) == 1


def test_an_ended_timetable_can_be_taken_up_again(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        client = app.test_client().sign_in(worker)
        table = a_timetable(make, by=worker)
        assert client.post(f"/desk/services/timetables/{table.id}/end", data={"reason": ""}).status_code == 422
        client.post(f"/desk/services/timetables/{table.id}/end", data={"reason": "医生退休"})
        assert "一号窗口" in client.get("/desk/services/timetables?ended=1").text
        assert not [slot for slot in slots_on(table, next_monday()) if slot.state is SlotState.OPEN]
        client.post(f"/desk/services/timetables/{table.id}/reopen")
        assert len([slot for slot in slots_on(table, next_monday()) if slot.state is SlotState.OPEN]) == 4


def test_an_exception_is_added_and_dropped_on_the_pages(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        client = app.test_client().sign_in(worker)
        table = a_timetable(make, by=worker)
        address, day = f"/desk/services/timetables/{table.id}", next_monday().isoformat()
        body = {"first_day": day, "last_day": day, "kind": "other", "opens": "", "closes": "", "reason": "改到下午"}
        assert client.post(f"{address}/exception", data=body).status_code == 422
        body |= {"opens": "14:00", "closes": "15:00"}
        assert client.post(f"{address}/exception", data=body).status_code == 303
        standing = [slot for slot in slots_on(table, next_monday()) if slot.state is SlotState.OPEN]
        assert clocks(standing) == ["14:00", "14:30"]
        assert "改到下午" in client.get(address).text
        number = db.session.get_one(Timetable, table.id).exceptions[0].id
        assert client.post(f"{address}/exceptions/{number}/drop").status_code == 303
        standing = [slot for slot in slots_on(table, next_monday()) if slot.state is SlotState.OPEN]
        assert clocks(standing) == ["09:00", "09:30", "10:00", "10:30"]


def test_another_communitys_timetable_is_not_there(make: Make, app: Flask):
    with clock_at("08:00"):
        table = a_timetable(make)
        slot = slots_on(table, next_monday())[0]
        stranger = make.worker(Role.COMMUNITY_WORKER, make.community("秋水社区"))
        client = app.test_client().sign_in(stranger)
        for address in (
            f"timetables/{table.id}",
            f"timetables/{table.id}/edit",
            f"slots/{slot.id}/close",
            f"slots/{slot.id}",
        ):
            assert client.get(f"/desk/services/{address}").status_code == 404
        assert client.post(f"/desk/services/slots/{slot.id}/keep").status_code == 404
        assert "一号窗口" not in client.get("/desk/services/timetables").text


def test_a_slot_that_began_is_left_alone(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        slot = slots_on(a_timetable(make, by=worker), MONDAY)[0]
    with clock_at("09:10"), pytest.raises(Refused, match="已经开始"), transaction() as session:
        closing.call_off(session.get_one(Slot, slot.id), "停电", by=actor_of(worker))


def test_the_list_asks_the_database_little_however_many_there_are(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        item, client = an_item(make), app.test_client().sign_in(worker)
        for number in range(6):
            hours = ((0, time(8 + number), time(9 + number)),)
            a_timetable(make, item, by=worker, name=f"窗口{number}", hours=hours)
        client.get("/desk/services/timetables")
        with count_queries() as asked:
            client.get("/desk/services/timetables")
        assert len(asked) <= 8, asked
        assert len(timetables.timetables(tuple(grant.scope for grant in actor_of(worker).grants))) == 6
