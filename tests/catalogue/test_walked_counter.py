"""What a stranger stumbled over at the counter: a slot that filled meanwhile, a code that is no good, an offer's end,
an application that came to nothing.
"""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.service import changing, checking_in
from portal.catalogue.service.applications import deciding
from portal.core.db import db, transaction
from portal.notifications import wording
from portal.places import service as places
from portal.places.models import WaitingState
from tests.acting import actor_of
from tests.catalogue import applying
from tests.catalogue.bookings import a_calendar, a_slot, an_agent, book, item_of, join, taken, told
from tests.catalogue.offering import an_item
from tests.catalogue.tables import MONDAY, a_timetable, booked, clock_at, slots_on
from tests.client import Client
from tests.make import Make
from tests.visitor import words_shown

BASE = "/desk/services"
AGREED = {"how": "telephone", "given_at": "今天上午"}


def test_a_worker_who_moves_somebody_into_a_slot_that_filled_meanwhile_is_told_so(make: Make, client: Client):
    worker, item = make.worker(), an_item(make)
    calendar = a_calendar(make, item)
    old = a_slot(make, timetable=calendar)
    wanted = a_slot(make, timetable=calendar, starts=old.starts_at + timedelta(days=1))
    found = book(make, old, make.person())
    client.sign_in(worker)
    address = f"{BASE}/appointments/{found.public_id}/move?day={wanted.day.isoformat()}&slot={wanted.id}"
    assert "确定改到这个时间" in words_shown(client.get(address).text)
    book(make, wanted, make.person())
    answer = client.post(address, data=AGREED)
    assert answer.status_code == 422
    assert "刚刚约满了，请换一个时间。原来的预约还在。" in words_shown(answer.text)
    assert make.read(found).slot_id == old.id
    assert (taken(old), taken(wanted)) == (1, 1)


def test_a_move_that_was_refused_shows_the_places_of_the_day_as_they_are(make: Make, app: Flask):
    person = make.person()
    account = make.resident(person)
    with clock_at("06:00"):
        item = an_item(make)
        mine, wanted, *free = slots_on(a_timetable(make, item), MONDAY)
        found = booked(make, mine, person)
        booked(make, wanted)
        client = app.test_client().sign_in(account)
        address = f"/services/appointments/{found.public_id}/move?day={MONDAY.isoformat()}"
        assert f"余{len(free)}" in words_shown(client.get(address).text)
        answer = client.post(f"{address}&slot={wanted.id}", data={})
        assert answer.status_code == 422
        assert f"余{len(free)}" in words_shown(answer.text)
        assert f"余{len(free) + 1}" not in words_shown(answer.text)


def test_a_move_to_the_time_she_has_already_is_nothing_and_says_nothing(make: Make, client: Client):
    worker, slot = make.worker(), a_slot(make)
    found = book(make, slot, make.person())
    client.sign_in(worker)
    address = f"{BASE}/appointments/{found.public_id}/move?day={slot.day.isoformat()}&slot={slot.id}"
    assert client.post(address, data=AGREED).status_code == 200
    assert told("appointment_moved") == []


def test_who_was_given_up_and_comes_within_the_hour_is_checked_in_by_the_code(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        slots = slots_on(a_timetable(make, by=worker), MONDAY)
        soon, late = (booked(make, slot, state=AppointmentState.NO_SHOW) for slot in slots[:2])
        token = checking_in.token(soon)
    with clock_at("09:50"):
        client = app.test_client().sign_in(worker)
        assert client.post(f"{BASE}/check-in", data={"code": token}).status_code == 303
        assert make.read(soon).state is AppointmentState.ARRIVED
    with clock_at("10:40"):
        client = app.test_client().sign_in(worker)
        answer = client.post(f"{BASE}/check-in", data={"code": late.code})
        assert answer.status_code == 422
        assert "签到时间已过" in answer.text
        assert make.read(late).state is AppointmentState.NO_SHOW


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (AppointmentState.CANCELLED, "不能签到"),
        (AppointmentState.CALLED_OFF, "再约"),
        (AppointmentState.SERVED, "不用"),
    ],
)
def test_a_code_that_is_no_good_says_whose_it_is_and_what_to_do(make: Make, app: Flask, state, said):
    worker = make.worker()
    with clock_at("08:00"):
        found = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0], make.person("王秀英"), state=state)
    with clock_at("08:50"):
        client = app.test_client().sign_in(worker)
        page = words_shown(client.post(f"{BASE}/check-in", data={"code": found.code}).text)
        assert "王秀英的“" in page
        assert said in page


def test_a_photo_form_sent_without_a_photo_says_so_beside_the_photo(make: Make, client: Client):
    client.sign_in(make.worker())
    page = client.post(f"{BASE}/check-in", data={}, content_type="multipart/form-data")
    assert page.status_code == 422
    assert "二维码照片：请先拍一张或选一张照片。" in words_shown(page.text)


def test_a_code_that_a_telephones_own_camera_opened_waits_for_one_press(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        found = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
        token = checking_in.token(found)
    with clock_at("08:50"):
        client = app.test_client().sign_in(worker)
        page = client.get(f"{BASE}/check-in", query_string={"code": token})
        assert f'value="{token}"' in page.text
        assert make.read(found).state is AppointmentState.BOOKED
        assert client.post(f"{BASE}/check-in?code={token}", data={"code": token}).status_code == 303
        assert make.read(found).state is AppointmentState.ARRIVED


def test_the_code_that_a_resident_shows_for_a_room_is_read_by_the_camera_too(make: Make, client: Client):
    client.sign_in(make.worker())
    answer = client.get(f"{BASE}/rooms/code")
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert 'data-scan="#code"' in answer.text
    assert "scan." in answer.text


def test_who_has_no_account_reads_in_the_message_whom_to_ring_for_the_place(make: Make):
    item = an_item(make)
    slot = a_slot(make, item)
    first = book(make, slot, make.person())
    join(make, slot, make.person())
    with transaction():
        changing.call_off(db.session.get_one(Appointment, first.id), reason="本人不来了")
    facts = told("place_offered")[0].facts
    assert f"或打 {item.telephone}，过时会给下一位" in wording.words_for("catalogue.place_offered", facts).body
    before = {name: value for name, value in facts.items() if name != "phone"}
    assert "点“要这个名额”，过时会给下一位" in wording.words_for("catalogue.place_offered", before).body


def test_a_place_that_is_held_for_somebody_says_until_when_and_not_how_many_are_left(make: Make, client: Client):
    slot, person = a_slot(make), make.person()
    first = book(make, slot, make.person())
    line = join(make, slot, person)
    with transaction():
        changing.call_off(db.session.get_one(Appointment, first.id), reason="本人不来了")
    client.sign_in(make.worker())
    page = words_shown(client.get(f"{BASE}/book/{person.public_id}/waiting/{line.public_id}").text)
    assert "给本人留到" in page
    assert "还剩" not in page
    assert "还剩" in words_shown(client.get(f"{BASE}/book/{person.public_id}/{item_of(slot).id}/{slot.id}").text)


def test_a_family_agent_takes_the_place_that_her_mother_was_offered(make: Make, client: Client):
    slot, mother = a_slot(make), make.person("王秀英")
    first, line = book(make, slot, make.person()), join(make, slot, mother)
    daughter = an_agent(make, mother, make.person("李小红"))
    with transaction():
        changing.call_off(db.session.get_one(Appointment, first.id), reason="本人不来了")
    client.sign_in(daughter)
    assert "要这个名额" in words_shown(client.get(f"/services/waiting/{line.public_id}").text)
    assert client.post(f"/services/waiting/{line.public_id}/take").status_code == 303
    assert make.read(line).state is WaitingState.TAKEN
    assert taken(slot) == 1


def test_an_offer_that_lapsed_says_so_and_leads_to_another_time(make: Make, client: Client):
    slot, person, other = a_slot(make), make.person(), make.person()
    account = make.resident(person)
    first = book(make, slot, make.person())
    line, behind = join(make, slot, person, by=actor_of(account)), join(make, slot, other)
    with transaction():
        changing.call_off(db.session.get_one(Appointment, first.id), reason="本人不来了")
    until = make.read(line).offer_until
    assert until is not None
    with time_machine.travel(until + timedelta(seconds=1), tick=False):
        for _runner in range(2):
            with transaction():
                places.lapse(line.id, until)
        assert [make.read(one).state for one in (line, behind)] == [WaitingState.LAPSED, WaitingState.OFFERED]
        client.sign_in(account)
        page = words_shown(client.get(f"/services/waiting/{line.public_id}").text)
    assert "名额过期" in page
    assert "去预约" in page
    assert len(told("place_offered", other)) == 1


def test_a_cancelled_appointment_is_not_told_to_cancel(make: Make, client: Client):
    person = make.person()
    account = make.resident(person)
    found = book(make, a_slot(make), person, by=actor_of(account))
    with transaction():
        changing.cancel(db.session.get_one(Appointment, found.id), by=actor_of(account))
    client.sign_in(account)
    page = words_shown(client.get(f"/services/appointments/{found.public_id}/move").text)
    assert "现在是「已取消」，不能改时间了" in page
    assert "来不了请取消" not in page


def test_who_is_past_the_beginning_is_not_told_to_cancel(make: Make, client: Client):
    person = make.person()
    account = make.resident(person)
    found = book(make, a_slot(make), person, by=actor_of(account))
    address = f"/services/appointments/{found.public_id}/move"
    for minutes, said in ((-30, "来不了请取消"), (5, "不能在这里改或取消")):
        with time_machine.travel(found.starts_at + timedelta(minutes=minutes), tick=False):
            client.sign_in(account)
            assert said in words_shown(client.get(address).text)


def test_a_state_is_called_alike_for_who_waits_and_for_who_is_waited_for(make: Make, client: Client):
    person, worker, item = make.person(), make.worker(), applying.item(make)
    account = make.resident(person)
    made = applying.in_hand(item, person, account, worker)
    applying.act(deciding.ask, made, [], "请补户口簿复印件", by=actor_of(worker))
    client.sign_in(worker)
    page = words_shown(client.get(f"{BASE}/applications/{made.public_id}").text)
    assert "等材料" in page
    assert "等您交材料" not in page


def test_what_was_withdrawn_before_anybody_took_it_waits_for_nobody(make: Make, client: Client):
    person = make.person()
    account = make.resident(person)
    made = applying.filed(applying.item(make), person, account)
    client.sign_in(account)
    address = f"/services/applications/{made.public_id}"
    assert "等社区接手" in words_shown(client.get(address).text)
    assert client.post(f"{address}/withdraw", data={}).status_code == 303
    assert "等社区接手" not in words_shown(client.get(address).text)


def test_an_application_that_came_to_nothing_leads_on_and_asks_for_no_paper(make: Make, client: Client):
    person, worker, item = make.person(), make.worker(), applying.item(make)
    account = make.resident(person)
    made = applying.taken(item, person, account, worker)
    address = f"/services/applications/{made.public_id}"
    client.sign_in(account)
    before = words_shown(client.get(address).text)
    assert "要交" in before
    assert "找别的服务" not in before
    applying.act(deciding.refuse_to_accept, made, "不归社区办", "到街道办，0571-88881111", by=actor_of(worker))
    page = client.get(address).text
    assert "要交" not in words_shown(page)
    assert "没有交" in words_shown(page)
    assert f'href="/services/{item.id}"' in page
    assert "找别的服务" in words_shown(page)
