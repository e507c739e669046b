"""The counter: checking in, marks and their undoing, booking for somebody with her consent, words to everybody."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.catalogue.models.appointments import Appointment, AppointmentState, Channel
from portal.catalogue.models.counter import ErrandPaper
from portal.catalogue.models.schedules import SlotMessage
from portal.catalogue.service import checking_in
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.places.models import Capacity, Waiting
from tests.catalogue.tables import (
    MONDAY,
    a_timetable,
    an_item,
    booked,
    clock_at,
    next_monday,
    slots_on,
)
from tests.client import Client
from tests.make import Make

BASE = "/desk/services"


def act(client: Client, appointment: Appointment, name: str, **data: object) -> int:
    return client.post(f"{BASE}/appointments/{appointment.public_id}/{name}", data=data).status_code


def recorded(action: str) -> list[AuditRow]:
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action)))


def test_a_typed_code_and_a_scanned_one_check_somebody_in_once(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, by=worker)
        typed, scanned = (booked(make, slot) for slot in slots_on(table, MONDAY)[:2])
        token = checking_in.token(scanned)
    with clock_at("08:50"):
        client = app.test_client().sign_in(worker)
        assert client.post(f"{BASE}/check-in", data={"code": typed.code.lower()}).status_code == 303
        assert make.read(typed).state is AppointmentState.ARRIVED
        again = client.post(f"{BASE}/check-in", data={"code": typed.code})
        assert again.status_code == 422
        assert "不用再签到" in again.text
    with clock_at("09:10"):
        client = app.test_client().sign_in(worker)
        assert client.post(f"{BASE}/check-in", data={"code": token}).status_code == 303
        assert make.read(scanned).state is AppointmentState.ARRIVED
        assert client.post(f"{BASE}/check-in", data={"code": ""}).status_code == 422
        assert "没有找到" in client.post(f"{BASE}/check-in", data={"code": "ABC234"}).text


def test_a_code_of_another_community_is_not_found(make: Make, app: Flask):
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make), MONDAY)[0])
        client = app.test_client().sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("秋水社区")))
        assert "没有找到" in client.post(f"{BASE}/check-in", data={"code": appointment.code}).text
        assert client.get(f"{BASE}/appointments/{appointment.public_id}").status_code == 404
        assert act(client, appointment, "arrive") == 404
        assert make.read(appointment).state is AppointmentState.BOOKED


def test_marks_go_forward_and_come_back_one_step_with_a_reason(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
    with clock_at("09:05"):
        client = app.test_client().sign_in(worker)
        assert act(client, appointment, "arrive") == 303
        assert act(client, appointment, "serve") == 303
        assert make.read(appointment).state is AppointmentState.SERVED
        assert act(client, appointment, "undo", reason="") == 422
        assert act(client, appointment, "undo", reason="点错了人") == 303
        assert make.read(appointment).state is AppointmentState.ARRIVED
        assert act(client, appointment, "undo", reason="点错了人") == 303
        assert make.read(appointment).state is AppointmentState.BOOKED
        assert make.read(appointment).arrived_at is None
        assert act(client, appointment, "undo", reason="再来") == 422
        assert len(recorded("catalogue.mark_undone")) == 2


def test_not_coming_wants_a_reason_and_its_time_and_is_shown_not_punished(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        person = make.person()
        table = a_timetable(make, by=worker)
        first, second = slots_on(table, MONDAY)[0], slots_on(table, next_monday())[0]
        missed, coming = booked(make, first, person), booked(make, second, person)
        client = app.test_client().sign_in(worker)
        early = client.post(f"{BASE}/appointments/{missed.public_id}/no-show", data={"reason": "没来"})
        assert early.status_code == 422
        assert "还没到预约的时间" in early.text
    with clock_at("09:40"):
        client = app.test_client().sign_in(worker)
        assert act(client, missed, "no-show", reason="") == 422
        assert act(client, missed, "no-show", reason="电话没人接") == 303
        assert make.read(missed).state is AppointmentState.NO_SHOW
        assert make.read(coming).state is AppointmentState.BOOKED
        assert "一年内 1 次没到" in client.get(f"{BASE}/appointments/{coming.public_id}").text
        assert act(client, missed, "arrive") == 303
        assert make.read(missed).state is AppointmentState.ARRIVED


def test_a_mark_is_for_its_day_and_a_week_after(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), next_monday())[0])
        client = app.test_client().sign_in(worker)
        act(client, appointment, "arrive")
        assert make.read(appointment).state is AppointmentState.BOOKED
    with clock_at("08:00", next_monday() + timedelta(days=8)):
        client = app.test_client().sign_in(worker)
        act(client, appointment, "arrive")
        assert make.read(appointment).state is AppointmentState.BOOKED


@pytest.mark.parametrize("name", ["arrive", "serve"])
def test_nobody_is_marked_before_the_check_in_opens(make: Make, app: Flask, name: str):
    worker = make.worker()
    with clock_at("00:27"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
        client = app.test_client().sign_in(worker)
        act(client, appointment, name)
        assert make.read(appointment).state is AppointmentState.BOOKED
        page = client.get(f"{BASE}/appointments/{appointment.public_id}").text
        assert "08:30 起可以签到" in page
        assert "/arrive" not in page
        assert "/arrive" not in client.get(f"{BASE}/days").text
    with clock_at("08:30"):
        client = app.test_client().sign_in(worker)
        assert "/arrive" in client.get(f"{BASE}/days").text
        act(client, appointment, name)
        assert make.read(appointment).state is not AppointmentState.BOOKED


def test_a_rated_service_is_not_taken_back(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
    with clock_at("09:30"):
        client = app.test_client().sign_in(worker)
        act(client, appointment, "serve")
        with transaction() as session:
            session.execute(sa.update(Appointment).values(rated_at=Appointment.arrived_at))
        assert make.read(appointment).rated_at is not None
        answer = client.post(f"{BASE}/appointments/{appointment.public_id}/undo", data={"reason": "点错"})
        assert "已经评价过" in answer.text


def consent(**more: object) -> dict[str, object]:
    said = {"channel": "phone", "how": "telephone", "given_at": "2026-06-08 08:10", "agreed": "y", "idem": "once"}
    return said | more


def test_a_worker_books_for_somebody_and_her_consent_is_kept(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        item, person = an_item(make), make.person()
        slot = slots_on(a_timetable(make, item, by=worker), next_monday())[0]
        client = app.test_client().sign_in(worker)
        found = client.post(f"{BASE}/book", data={"q": "王秀英"})
        assert person.public_id in found.text
        days = client.get(f"{BASE}/book/{person.public_id}?item={item.id}&day={slot.day.isoformat()}")
        address = f"{BASE}/book/{person.public_id}/{item.id}/{slot.id}"
        assert address in days.text
        assert "本人怎么同意的" in client.get(address).text
        for lacking in ("how", "agreed", "given_at"):
            assert client.post(address, data=consent(**{lacking: ""})).status_code == 422
        first = client.post(address, data=consent())
        second = client.post(address, data=consent())
        assert first.status_code == 303
        assert first.location == second.location
        made = db.session.scalars(sa.select(Appointment)).one()
        assert (made.channel, made.person_id) == (Channel.PHONE, person.id)
        assert "电话里同意" in made.consent
        assert "2026-06-08 08:10" in made.consent
        assert "电话里同意" in client.get(first.location).text
        assert db.session.get_one(Capacity, slot.capacity_id).taken == 1


def test_who_has_no_telephone_waits_and_is_given_the_place_at_the_counter(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        item, person = an_item(make), make.person()
        slot = slots_on(a_timetable(make, item, by=worker), next_monday())[0]
        client = app.test_client().sign_in(worker)
        first = booked(make, slot)
        days = client.get(f"{BASE}/book/{person.public_id}?item={item.id}&day={slot.day.isoformat()}").text
        assert "替居民候补" in days
        address = f"{BASE}/book/{person.public_id}/{item.id}/{slot.id}/wait"
        assert client.get(address).status_code == 200
        assert client.post(address).status_code == 422
        assert client.post(address, data=consent()).status_code == 303
        assert "电话里同意" in db.session.scalars(sa.select(Waiting)).one().consent
        assert "候补的人" in client.get(f"{BASE}/slots/{slot.id}").text
        assert act(client, first, "cancel", reason="本人来电说不来") == 303
        line = db.session.scalars(sa.select(Waiting)).one()
        offer = f"{BASE}/book/{person.public_id}/waiting/{line.public_id}"
        assert offer in client.get(f"{BASE}/slots/{slot.id}").text
        assert client.post(offer, data=consent(agreed="")).status_code == 422
        assert client.post(offer, data=consent()).status_code == 303
        made = db.session.scalars(sa.select(Appointment).where(Appointment.person_id == person.id)).one()
        assert "电话里同意" in made.consent
        assert db.session.get_one(Capacity, slot.capacity_id).taken == 1
        assert client.post(offer, data=consent()).status_code == 422


def test_nobody_outside_the_workers_area_is_booked_for(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        item = an_item(make)
        slot = slots_on(a_timetable(make, item, by=worker), next_monday())[0]
        stranger = make.person("外人", community=make.community("秋水社区"))
        client = app.test_client().sign_in(worker)
        assert client.get(f"{BASE}/book/{stranger.public_id}").status_code == 404
        address = f"{BASE}/book/{stranger.public_id}/{item.id}/{slot.id}"
        assert client.post(address, data=consent()).status_code == 404


def test_cancelling_for_somebody_gives_the_place_back(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        slot = slots_on(a_timetable(make, by=worker), next_monday())[0]
        appointment, client = booked(make, slot), app.test_client().sign_in(worker)
        assert act(client, appointment, "cancel", reason="") == 422
        assert act(client, appointment, "cancel", reason="本人来电说不来") == 303
        assert make.read(appointment).state is AppointmentState.CANCELLED
        assert db.session.get_one(Capacity, slot.capacity_id).taken == 0


def test_words_to_a_slot_are_looked_at_first_and_reach_all_who_come_once(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        slot = slots_on(a_timetable(make, people=4, by=worker), next_monday())[0]
        coming = [booked(make, slot) for _turn in range(3)]
        booked(make, slot, state=AppointmentState.CANCELLED)
        client, address = app.test_client().sign_in(worker), f"{BASE}/slots/{slot.id}/message"
        assert client.post(address, data={"words": ""}).status_code == 422
        shown = client.post(address, data={"words": "改到二楼会议室", "idem": "once"})
        assert "收到的人：3 位" in shown.text
        assert not told()
        body = {"words": "改到二楼会议室", "idem": "once", "send": "1"}
        assert client.post(address, data=body).status_code == 303
        assert client.post(address, data=body).status_code == 303
        assert sorted(row.recipient_id for row in told()) == sorted(one.person.public_id for one in coming)
        kept = db.session.scalars(sa.select(SlotMessage)).one()
        assert (kept.told, kept.words) == (3, "改到二楼会议室")
        assert "改到二楼会议室" in client.get(f"{BASE}/slots/{slot.id}").text


def told() -> list[OutboxRow]:
    query = sa.select(OutboxRow).where(OutboxRow.topic == "catalogue.slot_message").order_by(OutboxRow.id)
    return list(db.session.scalars(query))


def test_a_slot_without_people_has_nobody_to_tell(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        slot = slots_on(a_timetable(make, by=worker), next_monday())[0]
        client, address = app.test_client().sign_in(worker), f"{BASE}/slots/{slot.id}/message"
        assert "没有人可以通知" in client.get(address).text
        body = {"words": "改到二楼", "idem": "once", "send": "1"}
        assert client.post(address, data=body).status_code == 422


def test_a_paper_is_followed_from_hand_to_hand_and_back(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
        client = app.test_client().sign_in(worker)
        assert "没有在外的材料" in client.get(f"{BASE}/errands").text
        body = {"what": "户口簿原件一本", "place": "社区 2 号柜", "idem": "once"}
        assert act(client, appointment, "errand", **(body | {"what": ""})) == 422
        assert act(client, appointment, "errand", **body) == 303
        assert act(client, appointment, "errand", **body) == 303
        paper = db.session.scalars(sa.select(ErrandPaper)).one()
        assert "户口簿原件一本" in client.get(f"{BASE}/errands").text
        address = f"{BASE}/errands/{paper.public_id}"
        assert client.post(address, data={"place": "街道 5 号窗口"}).status_code == 303
        assert "街道 5 号窗口" in client.get(address).text
        assert client.post(f"{address}/return", data={"to": ""}).status_code == 422
        assert client.post(f"{address}/return", data={"to": "本人"}).status_code == 303
        assert client.post(f"{address}/return", data={"to": "本人"}).status_code == 422
        assert client.post(address, data={"place": "别处"}).status_code == 422
        assert "没有在外的材料" in client.get(f"{BASE}/errands").text
        assert "户口簿原件一本" in client.get(f"{BASE}/errands?returned=1").text
        other = app.test_client().sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("秋水社区")))
        assert other.get(address).status_code == 404


@pytest.mark.parametrize("name", ["arrive", "serve"])
def test_two_workers_who_mark_the_same_mark_once(make: Make, app: Flask, name: str):
    worker = make.worker()
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
    with clock_at("09:05"):
        client = app.test_client().sign_in(worker)
        act(client, appointment, name)
        act(client, appointment, name)
        action = {"arrive": "catalogue.appointment_checked_in", "serve": "catalogue.appointment_served"}[name]
        assert len(recorded(action)) == 1
