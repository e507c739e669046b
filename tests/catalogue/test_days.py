"""The day as a list, the week at a glance, their paper, the figures: what is shown, to whom, with how few questions."""

from datetime import time, timedelta

from flask import Flask

from portal.catalogue.models.appointments import AppointmentState
from portal.catalogue.models.schedules import Of, Slot
from portal.catalogue.service import closing, figures
from portal.core.db import transaction
from portal.identity.permissions import Role
from tests.acting import actor_of
from tests.catalogue.tables import (
    MONDAY,
    a_doctor,
    a_timetable,
    an_item,
    booked,
    clock_at,
    next_monday,
    slots_on,
)
from tests.counting import count_queries
from tests.make import Make

BASE = "/desk/services"
S = AppointmentState


def test_the_day_lists_each_hour_with_who_comes_and_what_can_be_done(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, by=worker)
        slots = slots_on(table, MONDAY)
        booked(make, slots[0], make.person("张桂兰"))
        booked(make, slots[1], make.person("李春生"), state=S.ARRIVED)
        booked(make, slots[2], make.person("赵来福"), state=S.CANCELLED)
    with clock_at("09:10"):
        client = app.test_client().sign_in(worker)
        page = client.get(f"{BASE}/days").text
        assert "张桂兰" in page
        assert "0900-1" in page
        assert "到了" in page
        assert "没到" in page
        assert "办好了" in page
        assert "赵来福" not in page
        assert "没有人预约" in page


def test_a_number_stays_when_the_one_before_is_cancelled(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        slot = slots_on(a_timetable(make, people=3, by=worker), MONDAY)[0]
        booked(make, slot, state=S.CANCELLED)
        booked(make, slot, make.person("李春生"))
        client = app.test_client().sign_in(worker)
        assert "0900-2" in client.get(f"{BASE}/days/tickets?day={MONDAY.isoformat()}").text


def test_the_day_of_another_community_is_empty(make: Make, app: Flask):
    with clock_at("08:00"):
        table = a_timetable(make)
        booked(make, slots_on(table, MONDAY)[0], make.person("张桂兰"))
        client = app.test_client().sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("秋水社区")))
        for address in ("days", "days/sheet", "days/tickets", "weeks", "weeks/sheet", "figures", "figures/rows"):
            page = client.get(f"{BASE}/{address}").text
            assert "张桂兰" not in page
            assert "一号窗口" not in page


def test_a_day_asks_the_database_little_however_many_come(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, people=9, by=worker)
        for slot in slots_on(table, MONDAY):
            for _turn in range(4):
                booked(make, slot)
        client = app.test_client().sign_in(worker)
        for address in ("days", "days/sheet", "days/tickets", "weeks", "figures", "figures/rows"):
            client.get(f"{BASE}/{address}")
            with count_queries() as asked:
                client.get(f"{BASE}/{address}")
            assert len(asked) <= 8, (address, asked)


def test_the_sheet_and_the_tickets_are_paper_with_everybody_on_it(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, people=30, by=worker)
        for turn in range(25):
            booked(make, slots_on(table, MONDAY)[0], make.person(f"居民{turn}号"))
        client = app.test_client().sign_in(worker)
        sheet = client.get(f"{BASE}/days/sheet?day={MONDAY.isoformat()}").text
        assert "共 25 人" in sheet
        assert 'class="sheet"' in sheet
        tickets = client.get(f"{BASE}/days/tickets?day={MONDAY.isoformat()}").text
        assert tickets.count('class="labels"') == 2
        assert "居民24号" not in tickets


def test_the_week_goes_by_whose_time_it_is(make: Make, app: Flask):
    worker, doctor, item = make.worker(), a_doctor(make), an_item(make)
    with clock_at("08:00"):
        a_timetable(make, item, by=worker, of=Of.STAFF, staff_id=doctor.id, name="口腔义诊")
        hours = ((0, time(14), time(15)),)
        table = a_timetable(make, item, by=worker, of=Of.STAFF, staff_id=doctor.id, name="测血压", hours=hours)
        booked(make, slots_on(table, next_monday())[0])
        client = app.test_client().sign_in(worker)
        page = client.get(f"{BASE}/weeks?week={next_monday().isoformat()}").text
        assert page.index("何医生") < page.index("测血压")
        assert "1/2" in page
        assert "0/4" in page
        sheet = client.get(f"{BASE}/weeks/sheet?week={next_monday().isoformat()}").text
        assert "sheet_landscape" in sheet
        assert f'<th scope="col">周一 {next_monday().day}日</th>' in sheet


def test_a_timetables_week_is_its_plan_and_calls_no_slot_open(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, an_item(make), by=worker)
        with transaction() as session:
            closing.call_off(session.get_one(Slot, slots_on(table, next_monday())[0].id), "停电", by=actor_of(worker))
        page = app.test_client().sign_in(worker).get(f"{BASE}/timetables/{table.id}").text
    assert "照这张时间表，接下来一周的时段" in page
    assert "一周开放的时段" not in page


def test_figures_count_what_their_rows_show(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, people=9, by=worker)
        slot = slots_on(table, MONDAY)[0]
        for state in (S.SERVED, S.SERVED, S.SERVED, S.NO_SHOW, S.CANCELLED, S.CALLED_OFF, S.BOOKED):
            booked(make, slot, state=state)
        within = tuple(grant.scope for grant in actor_of(worker).grants)
        month = figures.month_of("2026-06")
        line, total = figures.month(within, month)
        assert line.counts == total.counts
        assert line.came == "75%"
        for which in figures.Which:
            assert len(figures.rows(within, month, which, table.id)) == line.counts[which]
        client = app.test_client().sign_in(worker)
        page = client.get(f"{BASE}/figures?month=2026-06").text
        assert "75%" in page
        assert f"which=no_show&amp;timetable={table.id}" in page
        rows = client.get(f"{BASE}/figures/rows?month=2026-06&which=no_show&timetable={table.id}").text
        assert "第 1 至 1 条" in rows
        assert "这个月没有预约" in client.get(f"{BASE}/figures?month=2026-05").text


def test_days_without_anything_say_what_to_do(make: Make, app: Flask):
    with clock_at("08:00"):
        client = app.test_client().sign_in(make.worker())
        assert "这一天没有开放的时段" in client.get(f"{BASE}/days?day={(MONDAY + timedelta(days=6)).isoformat()}").text
        assert "这一周没有开放的时段" in client.get(f"{BASE}/weeks").text
        assert "没有号票可以打印" in client.get(f"{BASE}/days/tickets").text
        assert client.get(f"{BASE}/days?day=soon&timetable=x").status_code == 200
