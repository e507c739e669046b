"""Waiting for a slot: who may join, what is told, and taking the place that is offered."""

from datetime import timedelta

import pytest
import time_machine

from portal.catalogue import jobs
from portal.catalogue.models.appointments import Channel
from portal.catalogue.service import booking, changing, waiting
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import Recipient
from portal.notifications.service.recipients import reached_by
from portal.places.models import Waiting
from portal.registry.models import Person
from tests.acting import actor_of
from tests.catalogue.bookings import a_slot, an_agent, book, join, taken, told
from tests.catalogue.tables import an_item
from tests.counting import count_queries


@pytest.fixture
def full(make):
    """A slot of one place that is booked, and its booking."""
    slot = a_slot(make)
    return slot, book(make, slot, make.person("张三"))


def give_up(make, appointment):
    with transaction() as session:
        changing.cancel(session.merge(appointment), by=actor_of(make.worker()))


def take(make, person):
    with transaction():
        (waits,) = waiting.waits_of([make.read(person)])
        return waiting.take(waits, by=actor_of(make.worker()), channel=Channel.SELF)


def test_a_slot_with_places_left_has_no_line(make):
    with pytest.raises(Refused, match="直接预约"):
        join(make, a_slot(make), make.person())


def test_who_has_a_place_does_not_wait_for_another(make, full):
    slot, made = full
    with pytest.raises(Refused, match="已经约了这个时段"):
        join(make, slot, made.person, by=actor_of(make.resident()))


def test_the_offered_place_becomes_an_appointment_and_is_told(make, full):
    slot, made = full
    person = make.person()
    row = join(make, slot, person)
    give_up(make, made)
    (notice,) = told("place_offered", person)
    assert notice.facts["until"]
    appointment = take(make, person)
    assert appointment.starts_at == slot.starts_at
    assert make.read(row).state == "taken"
    assert taken(slot) == 1
    assert len(told("appointment_booked", person)) == 1


def test_an_offer_is_not_taken_beside_another_appointment_of_the_time(make, full):
    slot, made = full
    person, other = make.person(), a_slot(make, an_item(make, "理发"), starts=slot.starts_at)
    row = join(make, slot, person)
    book(make, other, person, by=actor_of(make.resident()))
    give_up(make, made)
    with pytest.raises(Refused, match="理发"):
        take(make, person)
    assert make.read(row).state == "offered"


def test_a_full_slot_stays_full_for_others_while_a_place_is_offered(make, full):
    slot, made = full
    join(make, slot, make.person())
    give_up(make, made)
    with pytest.raises(booking.SlotFull):
        book(make, slot, make.person("李四"))
    assert taken(slot) == 1


def test_the_line_ends_when_the_slot_begins_and_those_in_it_are_told(make, full):
    slot, _made = full
    person = make.person()
    row = join(make, slot, person)
    with time_machine.travel(slot.starts_at, tick=False):
        jobs.lapse()
        jobs.lapse()
    assert make.read(row).state == "closed"
    assert len(told("place_closed", person)) == 1


def test_an_agent_hears_of_the_place_and_another_agent_does_not(make, full):
    person = make.person()
    books, orders = an_agent(make, person), an_agent(make, person, actions="meals.order")
    reached = reached_by(Recipient("person", person.public_id), "catalogue.place_offered").accounts
    assert books.id in reached
    assert orders.id not in reached


def test_a_list_of_many_waits_asks_as_often_as_one_of_few(make):
    people = [make.person(f"居民{number}") for number in range(2)]
    for number in range(6):
        slot = a_slot(make, starts=now() + timedelta(days=2, hours=number))
        book(make, slot, make.person("张三"))
        join(make, slot, people[min(number, 1)], by=actor_of(make.worker()))
    counts, numbers = [], [person.id for person in people]
    for number in (1, 2):
        db.session.rollback()
        db.session.expunge_all()
        whom = [db.session.get_one(Person, known) for known in numbers[:number]]
        with count_queries() as asked:
            rows = waiting.waits_of(whom)
            assert all(row.item.title and row.slot.timetable.place and row.waiting.person.name for row in rows)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 4


def test_a_closed_line_of_another_capability_is_not_told_by_this_one(make):
    waiting.on_place_offered(waiting=Waiting(kind="meals.portion", ref="1"))
    assert told("place_offered") == []
