"""What a stranger found on a walk through booking: the register's no, proofs, limits of a day, offers, the list."""

from datetime import timedelta

import pytest
from flask import Flask

from portal import config
from portal.catalogue.models.appointments import AppointmentState
from portal.catalogue.models.codes import ConditionKind, ItemKind
from portal.catalogue.service import days, lists
from portal.core.access import scopes_of
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.notifications.jobs import deliver
from tests.acting import actor_of
from tests.catalogue import offering
from tests.catalogue.bookings import a_calendar, a_slot, an_agent, book, item_of, join
from tests.catalogue.tables import MONDAY, a_timetable, an_item, booked, clock_at, slots_on
from tests.make import Make

BASE = "/desk/services"


def _only_women(make: Make, kind: ItemKind = ItemKind.APPOINTMENT):
    condition = offering.a_condition(ConditionKind.AGE_AT_LEAST, number=150, unmet="还没满 150 周岁。")
    more = {"limit_days": 5} if kind is ItemKind.APPLICATION else {}
    return offering.an_item(make, "长寿礼", kind=kind, conditions=[condition], **more)


def test_booking_says_what_the_register_says_against_it_and_lets_her_go_on(make: Make, app: Flask):
    item, person = _only_women(make), make.person()
    slot = a_slot(make, item)
    client = app.test_client().sign_in(make.resident(person))
    for address in (f"/services/{item.id}/book", f"/services/{item.id}/slots/{slot.id}"):
        page = client.get(address).text
        assert "还没满 150 周岁" in page
        assert f"/services/{item.id}/check?whom=" in page
    assert "确认预约" in page


def test_an_application_begins_with_what_the_register_says_against_it(make: Make, app: Flask):
    item = _only_women(make, ItemKind.APPLICATION)
    client = app.test_client().sign_in(make.resident(make.person()))
    page = client.get(f"/services/{item.id}/apply").text
    assert "还没满 150 周岁" in page
    assert "开始填" in page


@pytest.mark.parametrize("words", ["死亡证明", "证明", "开证明"])
def test_a_search_for_a_proof_shows_the_proofs(make: Make, app: Flask, words: str):
    with transaction():
        lists.seed(db.session.merge(make.street()), by="甲")
    make.community()
    page = app.test_client().get(f"/services/search?q={words}").text
    assert "/services/proofs" in page
    if words == "死亡证明":
        assert "q=%E6%AD%BB%E4%BA%A1%E8%AF%81%E6%98%8E" in page


def test_one_shared_sign_of_many_is_no_likeness(make: Make, app: Flask):
    offering.an_item(make, "助浴服务", keywords="擦身")
    assert "助浴服务" not in app.test_client().get("/services/search?q=身份证复印").text


def test_an_item_is_booked_once_a_day_unless_it_says_otherwise(make: Make):
    with clock_at("08:00"):
        item = an_item(make)
        calendar = a_calendar(make, item)
        morning, noon = (a_slot(make, timetable=calendar, starts=now() + timedelta(days=1, hours=h)) for h in (0, 4))
        person = make.person()
        by = actor_of(make.resident(person))
        book(make, morning, person, by=by)
        with pytest.raises(Refused, match="每天最多约 1 次"):
            book(make, noon, person, by=by)
        with transaction():
            db.session.merge(item).per_day = None
        assert book(make, noon, person, by=by).id


def test_a_place_that_was_taken_leads_to_its_booking_and_an_offer_names_its_end(make: Make, app: Flask):
    slot, first, person = a_slot(make), make.person("王秀英"), make.person("李四")
    held = book(make, slot, first)
    account = make.resident(person)
    line = join(make, slot, person, by=actor_of(account))
    client = app.test_client().sign_in(account)
    other = app.test_client().sign_in(make.worker())
    assert other.post(f"{BASE}/appointments/{held.public_id}/cancel", data={"reason": "来电不来"}).status_code == 303
    assert "有名额了，保留到" in client.get("/services/appointments").text
    home = client.get("/").text
    assert "给您保留到" in home
    assert client.post(f"/services/waiting/{line.public_id}/take").status_code == 303
    page = client.get(f"/services/waiting/{line.public_id}").text
    assert "已经结束" not in page
    assert "看这个预约" in page
    home = client.get("/").text
    assert "下一个预约" in home
    assert item_of(slot).title in home


def test_who_booked_for_another_is_told_for_whom(make: Make, app: Flask):
    slot, person = a_slot(make), make.person("王秀英")
    account = an_agent(make, person)
    book(make, slot, person, by=actor_of(account))
    with app.app_context():
        deliver()
    page = app.test_client().sign_in(account).get("/notices/").text
    assert "预约成功" in page
    assert "王秀英" in page


def test_days_stand_in_weeks_and_full_times_are_folded(make: Make, app: Flask):
    with clock_at("08:00"):
        item = an_item(make)
        calendar = a_calendar(make, item)
        full, free = (a_slot(make, timetable=calendar, starts=now() + timedelta(days=1, hours=h)) for h in (1, 4))
        book(make, full, make.person())
        page = app.test_client().sign_in(make.resident(make.person("李四"))).get(f"/services/{item.id}/book").text
        table = page.split("<table")[1].split("</table>")[0]
        assert table.count("<th ") == 7
        assert "2026-06-09" in table
        folded = page.split("<details")[1].split("</details>")[0]
        assert f"/slots/{full.id}" in folded
        assert f"/slots/{free.id}" not in folded


def test_a_visitor_finds_the_services_and_the_board_on_the_first_page(make: Make, app: Flask):
    make.community()
    page = app.test_client().get("/").text
    assert 'href="/services/"' in page
    assert 'href="/cases/board"' in page


def test_a_mark_leads_back_to_the_list_it_was_made_on(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, by=worker)
        first, second = (booked(make, slot) for slot in slots_on(table, MONDAY)[:2])
    with clock_at("09:40"):
        client = app.test_client().sign_in(worker)
        whole = client.post(f"{BASE}/appointments/{first.public_id}/arrive", data={"list": 0})
        assert "timetable" not in whole.location
        chosen = client.post(f"{BASE}/appointments/{first.public_id}/serve", data={"list": table.id})
        assert f"timetable={table.id}" in chosen.location
        missed = client.post(f"{BASE}/appointments/{second.public_id}/no-show?list=0", data={"reason": "没来"})
        assert missed.location.startswith(f"{BASE}/days")


def test_the_tiles_of_a_day_count_nobody_twice_and_lead_to_their_rows(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        slots = slots_on(a_timetable(make, by=worker), MONDAY)
        booked(make, slots[0], make.person("王秀英"))
        booked(make, slots[1], make.person("李小红"), state=AppointmentState.ARRIVED)
        counts = days.counts(days.tables_on(scopes_of(actor_of(worker), Permission.CATALOGUE_SERVE), MONDAY))
        assert (counts.booked, counts.arrived) == (1, 1)
        client = app.test_client().sign_in(worker)
        assert "state=arrived" in client.get(f"{BASE}/days").text
        page = client.get(f"{BASE}/days?state=arrived").text
        assert "李小红" in page
        assert "王秀英" not in page


def test_what_was_cancelled_before_its_time_is_filed_as_cancelled(make: Make, app: Flask):
    slot, person = a_slot(make), make.person()
    account = make.resident(person)
    made = book(make, slot, person, by=actor_of(account))
    client = app.test_client().sign_in(account)
    client.post(f"/services/appointments/{made.public_id}/cancel", data={})
    page = client.get("/services/appointments").text
    assert "以往" not in page
    assert "已取消" in page


def test_an_item_without_conditions_says_for_whom_it_is(make: Make, app: Flask):
    item = offering.an_item(make, who="六十岁以上的居民")
    page = app.test_client().get(f"/services/{item.id}/check").text
    assert "登记里没有要核对的条件，适合：六十岁以上的居民" in page


def test_addresses_of_a_demonstration_name_its_port():
    env = {"PORTAL_MODE": "demo", "PORT": "8137"}
    assert config.load(env).public_url == "http://127.0.0.1:8137"
    assert config.load(env | {"PUBLIC_URL": "http://pc:9"}).public_url == "http://pc:9"


def test_numbers_of_two_timetables_are_told_apart_on_their_tickets(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        for name in ("一号窗口", "二号窗口"):
            booked(make, slots_on(a_timetable(make, by=worker, name=name, place="服务大厅"), MONDAY)[0])
        page = app.test_client().sign_in(worker).get(f"{BASE}/days/tickets").text
        assert "一号窗口" in page
        assert "二号窗口" in page
