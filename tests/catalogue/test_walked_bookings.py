"""What a stranger stumbled over while booking: prices, days, whose booking it is, times that were too near."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.catalogue.models.appointments import Appointment
from portal.catalogue.models.counter import ErrandPaper
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import papers
from portal.catalogue.service.rooms import finding
from portal.core import web
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.notifications import wording
from tests.acting import actor_of
from tests.catalogue import rooming
from tests.catalogue.bookings import a_calendar, a_slot, an_agent, book, item_of
from tests.catalogue.offering import an_item
from tests.client import Client
from tests.make import Make


def _page(client: Client, slot: Slot) -> str:
    return client.get(f"/services/{item_of(slot).id}/slots/{slot.id}").get_data(as_text=True)


def test_the_page_that_confirms_says_the_price_that_the_service_says(client: Client, make: Make) -> None:
    slot, person = a_slot(make, an_item(make, cost_fen=500)), make.person()
    account = make.resident(person)
    client.sign_in(account)
    assert "5.00 元" in _page(client, slot)
    made = book(make, slot, person, by=actor_of(account))
    assert "5.00 元" in client.get(f"/services/appointments/{made.public_id}").get_data(as_text=True)


def test_a_second_booking_of_a_day_is_refused_by_its_day_as_people_say_it(make: Make) -> None:
    item = an_item(make, per_day=1)
    calendar = a_calendar(make, item)
    first, second = (a_slot(make, timetable=calendar, starts=_noon() + timedelta(hours=hour)) for hour in (0, 2))
    person = make.person()
    by = actor_of(make.resident(person))
    made = book(make, first, person, by=by)
    with pytest.raises(Refused) as refused:
        book(make, second, person, by=by)
    assert web.day_words(made.day) in refused.value.message


def _noon() -> datetime:
    return rooming.at(12, days=2)


def test_who_booked_for_herself_booked_for_nobody_else_in_her_daughters_eyes(client: Client, make: Make) -> None:
    slot, mother = a_slot(make, places=2), make.person()
    made = book(make, slot, mother)
    client.sign_in(an_agent(make, mother, make.person("李小红")))
    assert "代约" not in client.get(f"/services/appointments/{made.public_id}").get_data(as_text=True)


def test_a_resident_reads_where_the_papers_are_that_she_handed_in(client: Client, make: Make) -> None:
    person, worker = make.person(), actor_of(make.worker())
    account = make.resident(person)
    made = book(make, a_slot(make), person, by=actor_of(account))
    with transaction() as session:
        papers.take(session.get_one(Appointment, made.id), "户口簿原件一本", "2 号柜", by=worker)
    client.sign_in(account)
    address = f"/services/appointments/{made.public_id}"
    assert "在2 号柜" in client.get(address).get_data(as_text=True)
    with transaction() as session:
        papers.give_back(session.scalars(sa.select(ErrandPaper)).one(), "本人", by=worker)
    assert "已交还" in client.get(address).get_data(as_text=True)


def test_a_file_for_the_calendar_names_its_letters_once(client: Client, make: Make) -> None:
    person = make.person()
    account = make.resident(person)
    made = book(make, a_slot(make), person, by=actor_of(account))
    client.sign_in(account)
    answer = client.get(f"/services/appointments/{made.public_id}/calendar")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"


def test_a_quarter_that_begins_too_soon_is_not_shown_as_free(make: Make) -> None:
    rule = rooming.rule(make, least_ahead=2)
    with time_machine.travel(rooming.at(10, days=1), tick=False):
        hours = finding.grid(rule, today())
        cells = [cell for hour in hours for cell in hour.cells if cell]
        assert [cell.is_late for cell in cells] == [cell.at < now() + timedelta(hours=2) for cell in cells]
        assert finding.stretches(hours)[0][0] == now() + timedelta(hours=2)
    db.session.rollback()


def test_who_books_is_told_before_and_after_that_too_few_may_come(client: Client, make: Make) -> None:
    decided = rooming.at(10, days=1)
    person = make.person()
    account = make.resident(person)
    client.sign_in(account)
    doubtful = a_slot(make, starts=rooming.at(12, days=2), places=5, minimum=2, decide_at=decided)
    for slot, told in ((doubtful, True), (a_slot(make, starts=rooming.at(14, days=2)), False)):
        asked = _page(client, slot)
        assert ("满 2 人才办" in asked, "10:00 看人数" in asked) == (told, told)
        made = book(make, slot, person, by=actor_of(account))
        said = client.get(f"/services/appointments/{made.public_id}").get_data(as_text=True)
        assert ("满 2 人才办" in said) is told


@pytest.mark.parametrize(
    ("topic", "facts", "title", "said"),
    [
        ("application_decided", {"granted": True}, "申请办成了", "“义诊”有结果了"),
        ("application_decided", {"granted": False}, "申请没有通过", "“义诊”有结果了"),
        ("slot_message", {"words": "请空腹来"}, "预约通知：义诊", "请空腹来。 有问题请打"),
        ("slot_message", {"words": "改到二楼。"}, "预约通知：义诊", "改到二楼。 有问题请打"),
    ],
)
def test_a_notice_reads_as_whole_sentences(
    app: Flask, topic: str, facts: dict[str, object], title: str, said: str
) -> None:
    known = {"item": "义诊", "number": "48T9YTD8", "person": "王秀英", "phone": "0571-88880102"}
    spans = {"starts": now().isoformat(), "ends": (now() + timedelta(hours=1)).isoformat()}
    with app.test_request_context():
        words = wording.words_for(f"catalogue.{topic}", known | spans | facts)
    assert words.title == title
    assert said in words.body
