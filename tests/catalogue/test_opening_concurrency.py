"""One doctor, one slot, many at once: what the locks and the constraints keep."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from portal.areas.models import Area
from portal.catalogue.models.appointments import Appointment, AppointmentState, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Of, Slot, SlotHold, SlotState, Timetable
from portal.catalogue.service import booking, closing, opening, timetables
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places.models import Capacity
from portal.registry.models import Person
from tests.acting import actor_of
from tests.catalogue.tables import a_doctor, a_timetable, an_item, facts
from tests.make import Make

THREADS = 6


def at_once(app: Flask, attempt: Callable[[int], bool]) -> int:
    """Run an attempt on each of some threads, all starting together; how many went through."""
    ready = threading.Barrier(THREADS, timeout=60)

    def run(number: int) -> bool:
        with app.app_context():
            ready.wait()
            try:
                with transaction():
                    return attempt(number)
            except Refused:
                return False

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(contextvars.Context().run, run, number) for number in range(THREADS)]
        done = sum(future.result() for future in futures)
    # The test's own view is of before.
    db.session.rollback()
    return done


def test_of_several_who_give_one_doctor_the_same_hours_one_does(make: Make, app: Flask):
    doctor, item, by = a_doctor(make).id, an_item(make), actor_of(make.worker())
    area, said = make.community().id, facts(item, of=Of.STAFF, staff_id=doctor)

    def attempt(number: int) -> bool:
        timetables.add(db.session.get_one(Area, area), replace(said, name=f"门诊{number}"), by=by)
        return True

    assert at_once(app, attempt) == 1
    assert db.session.scalar(sa.select(sa.func.count(Timetable.id))) == 1
    held = sa.select(SlotHold.at).group_by(SlotHold.at).having(sa.func.count() > 1)
    assert not db.session.scalars(held).all()


def test_two_runners_open_each_slot_once(make: Make, app: Flask):
    table = a_timetable(make, days_ahead=1).id
    with transaction() as session:
        session.get_one(Timetable, table).days_ahead = 9

    def attempt(_number: int) -> bool:
        opening.open_ahead(db.session.get_one(Timetable, table))
        return True

    at_once(app, attempt)
    starts = list(db.session.scalars(sa.select(Slot.starts_at).order_by(Slot.starts_at)))
    assert len(starts) == len(set(starts)) > 0


def test_a_slot_called_off_while_people_book_it_leaves_nobody_on_it(make: Make, app: Flask):
    item, by = an_item(make), actor_of(make.worker())
    table = a_timetable(make, item, people=THREADS, days_ahead=9)
    slot = db.session.scalars(
        sa.select(Slot).where(Slot.timetable_id == table.id, Slot.starts_at > clock.now() + timedelta(days=1)).limit(1)
    ).one()
    people = [make.person(f"居民{turn}").id for turn in range(THREADS)]
    number_of, wanted = slot.id, make.read(item).id

    def attempt(number: int) -> bool:
        found = db.session.get_one(Slot, number_of)
        if number == 0:
            closing.call_off(found, "停电", by=by)
            return True
        who, what = db.session.get_one(Person, people[number]), db.session.get_one(Item, wanted)
        booking.book(found, what, who, by=by, channel=Channel.COUNTER)
        return True

    at_once(app, attempt)
    assert make.read(slot).state is SlotState.CALLED_OFF
    states = set(db.session.scalars(sa.select(Appointment.state)))
    assert states <= {AppointmentState.CALLED_OFF}
    assert db.session.get_one(Capacity, slot.capacity_id).taken == 0
