"""What a worker changes for somebody who asks for it: another time, out of a line; what was said of the services."""

import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.catalogue.models.appointments import Appointment, AppointmentState, Rating
from portal.catalogue.service import booking_for, figures, rating
from portal.core import settings
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.places.models import Capacity, Waiting, WaitingState
from tests.catalogue.bookings import told
from tests.catalogue.tables import MONDAY, a_timetable, an_item, booked, clock_at, next_monday, slots_on
from tests.make import Make

BASE = "/desk/services"
AGREED = {"how": "telephone", "given_at": "今天上午"}


def test_who_telephones_is_moved_to_another_time_until_it_begins(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:30"):
        item = an_item(make)
        table = a_timetable(make, item, by=worker, days_ahead=14)
        first, second = slots_on(table, MONDAY)[0], slots_on(table, next_monday())[1]
        found = booked(make, first)
        client = app.test_client().sign_in(worker)
        assert "替居民改时间" in client.get(f"{BASE}/appointments/{found.public_id}").text
        address = f"{BASE}/appointments/{found.public_id}/move?day={second.day.isoformat()}"
        assert f"slot={second.id}" in client.get(address).text
        assert client.post(f"{address}&slot={second.id}").status_code == 422
        assert client.post(f"{address}&slot={second.id}", data=AGREED).status_code == 303
        moved = make.read(found)
        assert (moved.slot_id, moved.code) == (second.id, found.code)
        assert [db.session.get_one(Capacity, one.capacity_id).taken for one in (first, second)] == [0, 1]
        row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "catalogue.appointment_moved")).one()
        assert "电话里同意" in row.facts["consent"]
        assert len(told("appointment_moved")) == 1
    with clock_at("09:30", day=second.day):
        client = app.test_client().sign_in(worker)
        other = slots_on(table, second.day)[-1]
        page = client.post(f"{address}&slot={other.id}", data=AGREED)
        assert page.status_code in {200, 422}
        assert make.read(found).slot_id == second.id


def test_a_worker_takes_somebody_out_of_a_line_with_a_reason(make: Make, app: Flask):
    worker, stranger = make.worker(), make.worker(scope=make.community("秋水社区"))
    with clock_at("08:00"):
        item, person = an_item(make), make.person()
        slot = slots_on(a_timetable(make, item, by=worker), next_monday())[0]
        booked(make, slot)
        client = app.test_client().sign_in(worker)
        client.post(f"{BASE}/book/{person.public_id}/{item.id}/{slot.id}/wait", data=AGREED)
        line = db.session.scalars(sa.select(Waiting)).one()
        address = f"{BASE}/book/{person.public_id}/waiting/{line.public_id}/leave"
        assert address in client.get(f"{BASE}/slots/{slot.id}").text
        assert app.test_client().sign_in(stranger).get(address).status_code == 404
        assert client.post(address).status_code == 422
        assert client.post(address, data={"reason": "本人来电说不去了"}).status_code == 303
        assert make.read(line).state is WaitingState.LEFT


def _rated(appointment: Appointment, said: Rating, words: str = "") -> None:
    with transaction():
        found = db.session.get_one(Appointment, appointment.id)
        rating.rate(found, said, words=words)


def test_ratings_are_counted_by_item_and_their_words_are_read(make: Make, app: Flask):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, by=worker, people=3)
        found = [booked(make, slot, state=AppointmentState.SERVED) for slot in slots_on(table, MONDAY)[:3]]
    with time_machine.travel(now() if now().date() == MONDAY else f"{MONDAY}T12:00:00+08:00", tick=False):
        _rated(found[0], Rating.SATISFIED)
        _rated(found[1], Rating.DISSATISFIED, "等了一个小时")
        within = (Scope("community", make.community().code),)
        wanted = figures.month_of("2026-06")
        line, total = rating.month(within, wanted)
        assert (line.served, line.rated, line.content) == (3, 2, "50%")
        assert total.counts == line.counts
        assert [one.id for one in rating.words_of(within, wanted)] == [found[1].id]
        page = app.test_client().sign_in(worker).get(f"{BASE}/figures/ratings?month=2026-06").text
        assert "等了一个小时" in page
        far = (Scope("community", make.community("秋水社区").code),)
        assert rating.month(far, wanted) == []
        assert rating.words_of(far, wanted) == []


def test_the_street_reads_figures_and_ratings_but_opens_no_appointment(make: Make, app: Flask):
    street = make.worker(role=Role.STREET_ADMINISTRATOR)
    with clock_at("08:00"):
        found = booked(make, slots_on(a_timetable(make), MONDAY)[0])
        client = app.test_client().sign_in(street)
        assert client.get(f"{BASE}/figures?month=2026-06").status_code == 200
        rows = client.get(f"{BASE}/figures/rows?month=2026-06").text
        assert found.person.name in rows
        assert found.public_id not in rows
        assert client.get(f"{BASE}/appointments/{found.public_id}").status_code == 403


def test_the_rows_of_a_figure_are_paged(make: Make, monkeypatch):
    monkeypatch.setattr(figures, "A_PAGE", 2)
    with clock_at("08:00"):
        slots = slots_on(a_timetable(make, people=2), MONDAY)
        made = [booked(make, slots[turn // 2]).id for turn in range(5)]
        within, wanted = (Scope("community", make.community().code),), figures.month_of("2026-06")
        pages = [figures.rows(within, wanted, figures.Which.ALL, page=number) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one.id for page in pages for one in page[:2]] == made


def test_one_worker_books_for_others_only_so_often_in_an_hour(make: Make, app: Flask):
    worker, colleague = make.worker(), make.worker()
    with clock_at("08:00"):
        with transaction():
            settings.put(booking_for.PER_HOUR, 5, valid_from=today(), by="何立新")
        item = an_item(make)
        slots = slots_on(a_timetable(make, item, by=worker, people=3), next_monday())[:2]
        people = [make.person() for _turn in range(6)]
        client = app.test_client().sign_in(worker)
        answers = [
            client.post(
                f"{BASE}/book/{who.public_id}/{item.id}/{slots[turn // 3].id}",
                data={**AGREED, "channel": "phone", "agreed": "y"},
            )
            for turn, who in enumerate(people)
        ]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429]
        other = app.test_client().sign_in(colleague)
        address = f"{BASE}/book/{people[5].public_id}/{item.id}/{slots[1].id}"
        assert other.post(address, data={**AGREED, "channel": "phone", "agreed": "y"}).status_code == 303
