"""Many people for few places, and two job runners for one offer: a place is sold once and passed on once."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.catalogue.models.appointments import HOLDS, Appointment, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import booking, changing, closing
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places import service as places
from portal.places.models import Capacity, Waiting, WaitingState
from portal.registry.models import Person
from tests.acting import actor_of
from tests.catalogue.bookings import a_slot, book, item_of, taken
from tests.concurrency.test_portions import THREADS, at_once

PEOPLE, PLACES = 80, 8


@pytest.fixture
def crowd(make):
    return [make.person(f"居民{number}").id for number in range(PEOPLE)]


def _booked(slot_id: int) -> int:
    db.session.rollback()
    query = sa.select(sa.func.count()).select_from(Appointment)
    return db.session.scalar(query.where(Appointment.slot_id == slot_id, Appointment.state.in_(HOLDS))) or 0


def test_eighty_people_for_eight_places_get_exactly_eight(app, make, crowd):
    slot, worker = a_slot(make, places=PLACES), actor_of(make.worker())
    slot_id, item_id = slot.id, item_of(slot).id

    def attempt(number: int) -> bool:
        try:
            with transaction() as session:
                found, item = session.get_one(Slot, slot_id), session.get_one(Item, item_id)
                person = session.get_one(Person, crowd[number])
                booking.book(found, item, person, by=worker, channel=Channel.COUNTER, consent="当面")
            return True
        except Refused:
            return False

    assert at_once(app, PEOPLE, attempt) == PLACES
    assert (_booked(slot_id), taken(slot)) == (PLACES, PLACES)


def test_without_the_guard_more_than_eight_are_booked(app, make, crowd):
    """The negative control: look first, book then, with a total that lets the table's own check alone."""
    slot, worker = a_slot(make, places=PEOPLE), actor_of(make.worker())
    slot_id, item_id = slot.id, item_of(slot).id
    rounds = threading.Barrier(THREADS, timeout=60)

    def attempt(number: int) -> bool:
        query = sa.select(Capacity.taken).join(Slot, Slot.capacity_id == Capacity.id).where(Slot.id == slot_id)
        seen = db.session.execute(query).scalar_one()
        db.session.rollback()
        rounds.wait()
        if seen >= PLACES:
            return False
        with transaction() as session:
            found, item = session.get_one(Slot, slot_id), session.get_one(Item, item_id)
            person = session.get_one(Person, crowd[number])
            booking.book(found, item, person, by=worker, channel=Channel.COUNTER, consent="当面")
        return True

    assert at_once(app, PEOPLE, attempt) > PLACES
    assert _booked(slot_id) > PLACES


def test_one_person_in_two_slots_of_one_time_at_once_has_one(app, make, crowd):
    first = a_slot(make, places=20)
    second = a_slot(make, starts=first.starts_at, places=20)
    worker, facts = actor_of(make.worker()), [(slot.id, item_of(slot).id) for slot in (first, second)]

    def attempt(number: int) -> bool:
        slot_id, item_id = facts[number % 2]
        try:
            with transaction() as session:
                found, item = session.get_one(Slot, slot_id), session.get_one(Item, item_id)
                person = session.get_one(Person, crowd[0])
                booking.book(found, item, person, by=worker, channel=Channel.COUNTER)
            return True
        except Refused:
            return False

    assert at_once(app, 16, attempt) == 1
    assert taken(first) + taken(second) == 1


@pytest.fixture
def line(make, crowd):
    """One place, offered to the first of five, whose time to answer is over."""
    capacity = make.add(Capacity(total=1, taken=1))
    by, closes = actor_of(make.worker()), now() + timedelta(days=9)
    for number in crowd[:5]:
        with transaction() as session:
            person = session.get_one(Person, number)
            places.join(capacity.id, person, kind="test", ref="1", closes_at=closes, by=by)
    with transaction():
        places.give_back(capacity.id, 1)
    return capacity


def _states(capacity: Capacity) -> list[WaitingState]:
    db.session.rollback()
    query = sa.select(Waiting.state).where(Waiting.capacity_id == capacity.id).order_by(Waiting.id)
    return list(db.session.scalars(query))


def test_two_job_runners_pass_an_offer_on_exactly_once(app, make, line):
    with time_machine.travel(now() + timedelta(hours=13), tick=False):
        moment = now()
        (due,) = places.due(moment)
        db.session.rollback()
        started = threading.Barrier(2, timeout=60)

        def run(_number: int) -> bool:
            started.wait()
            with transaction():
                return places.lapse(due, moment)

        assert at_once(app, 2, run) == 1
    assert _states(line) == ["lapsed", "offered", "waiting", "waiting", "waiting"]
    assert make.read(line).taken == 1


def test_two_runners_that_only_look_first_pass_it_on_twice(app, make, line):
    """The negative control: the state is read, and the place given back whatever happened since."""
    with transaction() as session:
        # Room for what the missing guard frees a second time; the table's own check would stop it.
        session.execute(sa.update(Capacity).values(taken=2, total=2))
    capacity_id = make.read(line).id
    db.session.rollback()
    with time_machine.travel(now() + timedelta(hours=13), tick=False):
        (due,) = places.due(now())
        db.session.rollback()
        looked = threading.Barrier(2, timeout=60)

        def run(_number: int) -> bool:
            state = db.session.scalar(sa.select(Waiting.state).where(Waiting.id == due))
            db.session.rollback()
            looked.wait()
            if state is not WaitingState.OFFERED:
                return False
            with transaction() as session:
                session.execute(sa.update(Waiting).where(Waiting.id == due).values(state=WaitingState.LAPSED))
                places.give_back(capacity_id, 1)
            return True

        assert at_once(app, 2, run) == 2
    assert _states(line) == ["lapsed", "offered", "offered", "waiting", "waiting"]


def test_leaving_and_giving_back_at_once_lose_no_place_and_sell_none_twice(app, make, line):
    """The offered one declines while the waiting leave: whatever comes first, the place is offered once or free."""
    rows = [row.id for row in places.line(line.id)]
    db.session.rollback()

    def run(number: int) -> bool:
        try:
            with transaction() as session:
                places.leave(session.get_one(Waiting, rows[number]))
            return True
        except Refused:
            return False

    assert at_once(app, len(rows), run) == len(rows)
    assert set(_states(line)) == {WaitingState.LEFT}
    assert make.read(line).taken == 0


def test_joining_while_a_place_comes_back_leaves_nobody_waiting_before_a_free_place(app, make, crowd):
    capacity = make.add(Capacity(total=4, taken=4))
    capacity_id, by, closes = capacity.id, actor_of(make.worker()), now() + timedelta(days=9)

    def run(number: int) -> bool:
        try:
            with transaction() as session:
                if number % 2:
                    places.give_back(capacity_id, 1)
                else:
                    person = session.get_one(Person, crowd[number])
                    places.join(capacity_id, person, kind="test", ref="1", closes_at=closes, by=by)
            return True
        except Refused:
            return False

    at_once(app, 8, run)
    waiting = _states(capacity).count(WaitingState.WAITING)
    left = make.read(capacity).left
    assert waiting == 0 or left == 0
    assert left + _states(capacity).count(WaitingState.OFFERED) == 4


def test_people_cancel_while_the_slot_is_called_off_and_nobody_waits_in_a_circle(app, make, crowd):
    slot, worker = a_slot(make, places=15), actor_of(make.worker())
    made = [book(make, slot, db.session.get_one(Person, number), by=worker).id for number in crowd[:15]]
    slot_id = slot.id
    db.session.rollback()

    def run(number: int) -> bool:
        try:
            with transaction() as session:
                if number == 7:
                    closing.call_off(session.get_one(Slot, slot_id), "停电", by=worker)
                else:
                    changing.cancel(session.get_one(Appointment, made[number]), by=worker)
            return True
        except Refused:
            return False

    at_once(app, len(made), run)
    assert (_booked(slot_id), taken(slot)) == (0, 0)
