"""Booking: a place once sold is sold, and what the person, the item and the slot allow."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.catalogue.models.appointments import Appointment, AppointmentState, Channel
from portal.catalogue.models.schedules import SlotState
from portal.catalogue.service import booking
from portal.core import ids
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Conflict, Refused
from portal.registry.models import PersonState
from tests.acting import actor_of
from tests.catalogue.bookings import a_calendar, a_slot, book, item_of, join, taken, told
from tests.catalogue.tables import an_item, clock_at
from tests.counting import count_queries


def test_a_booked_place_is_taken_told_and_has_a_code_that_checks_itself(make):
    slot, person = a_slot(make, places=2), make.person()
    made = book(make, slot, person, note="行动不便")
    assert ids.check_short_code(made.code) == made.code
    assert (made.state, made.channel, made.note) == (AppointmentState.BOOKED, Channel.SELF, "行动不便")
    assert taken(slot) == 1
    (notice,) = told("appointment_booked", person)
    assert notice.facts["code"] == made.code
    assert notice.facts["place"] == "社区一楼大厅"


def test_a_full_slot_refuses_and_says_that_one_may_wait(make):
    slot = a_slot(make)
    book(make, slot, make.person())
    with pytest.raises(booking.SlotFull, match="候补"):
        book(make, slot, make.person("李四"))
    assert taken(slot) == 1


def test_the_same_form_twice_is_one_appointment(make):
    slot, person = a_slot(make, places=5), make.person()
    by = actor_of(make.resident(person))
    first = book(make, slot, person, by=by, idem="one form")
    again = book(make, slot, person, by=by, idem="one form")
    assert first.public_id == again.public_id
    assert taken(slot) == 1
    with pytest.raises(Conflict):
        book(make, slot, person, by=by, idem="one form", note="别的话")


def test_one_person_books_a_slot_once(make):
    slot, person = a_slot(make, places=5), make.person()
    by = actor_of(make.resident(person))
    book(make, slot, person, by=by)
    with pytest.raises(Refused, match="不用再约"):
        book(make, slot, person, by=by)


def test_two_appointments_at_the_same_time_are_refused_by_name(make):
    item, other = an_item(make, "理发"), an_item(make, "量血压")
    first = a_slot(make, item)
    overlapping = a_slot(make, other, starts=first.starts_at + timedelta(minutes=15))
    after = a_slot(make, other, starts=first.ends_at)
    person = make.person()
    by = actor_of(make.resident(person))
    book(make, first, person, by=by)
    with pytest.raises(Refused, match="理发"):
        book(make, overlapping, person, by=by)
    assert book(make, after, person, by=by).id


def test_items_that_share_a_slot_share_its_places(make):
    hair, nails = an_item(make, "理发"), an_item(make, "修脚")
    slot = a_slot(make, hair, nails, places=1)
    book(make, slot, make.person(), item=hair)
    with pytest.raises(Refused, match="约满"):
        book(make, slot, make.person("李四"), item=nails)


def test_an_item_is_booked_so_often_a_week_and_no_more(make):
    with clock_at("08:00"):
        item = an_item(make)
        item = make.add(item)
        with transaction():
            db.session.merge(item).per_week = 1
        calendar = a_calendar(make, item)
        tuesday, thursday, next_tuesday = (
            a_slot(make, timetable=calendar, starts=now() + timedelta(days=d)) for d in (1, 3, 8)
        )
        person = make.person()
        by = actor_of(make.resident(person))
        book(make, tuesday, person, by=by)
        with pytest.raises(Refused, match="每周最多约 1 次"):
            book(make, thursday, person, by=by)
        assert book(make, next_tuesday, person, by=by).id


def test_an_item_is_booked_no_further_ahead_than_it_says(make):
    slot = a_slot(make, starts=now() + timedelta(days=15))
    with pytest.raises(Refused, match="最多提前 14 天"):
        book(make, slot, make.person())


@pytest.mark.parametrize("state", [SlotState.CLOSED, SlotState.CALLED_OFF])
def test_a_slot_that_is_not_open_takes_nobody(make, state):
    slot = a_slot(make, state=state)
    with pytest.raises(Refused, match="时段已经"):
        book(make, slot, make.person())
    assert taken(slot) == 0


def test_a_slot_that_has_begun_takes_nobody(make):
    slot = a_slot(make, starts=now() - timedelta(minutes=1))
    with pytest.raises(Refused, match="已经开始"):
        book(make, slot, make.person())


def test_an_item_of_another_timetable_is_not_had_in_the_slot(make):
    slot, other = a_slot(make), an_item(make, "理发")
    with pytest.raises(Refused, match="不能在这个时段预约"):
        book(make, slot, make.person(), item=other)


@pytest.mark.parametrize(("more", "words"), [({"state": PersonState.DEAD}, "去世")])
def test_who_died_books_nothing(make, more, words):
    slot = a_slot(make)
    with pytest.raises(Refused, match=words):
        book(make, slot, make.person(**more))


def test_an_alias_is_asked_to_be_looked_up_again_and_its_appointments_are_hers(make):
    slot, kept = a_slot(make, places=5), make.person()
    alias = make.person("王秀瑛")
    by = actor_of(make.resident())
    book(make, slot, alias, by=by)
    with transaction():
        db.session.merge(alias).merged_into_id = kept.id
    with pytest.raises(Refused, match="不用再约"):
        book(make, slot, kept, by=by)
    with pytest.raises(Refused, match="并入另一份"):
        book(make, slot, make.read(alias), by=by)


def test_who_books_a_place_leaves_the_line(make):
    slot, person = a_slot(make), make.person()
    by = actor_of(make.resident(person))
    first = book(make, slot, make.person("李四"))
    waits = join(make, slot, person, by=by)
    with transaction():
        # A place that came back without being offered, as one does that comes back just before the beginning.
        db.session.merge(first).state = AppointmentState.CANCELLED
        db.session.merge(slot).capacity.taken = 0
    book(make, slot, person, by=by)
    assert make.read(waits).state == "left"
    assert taken(slot) == 1


def test_a_booking_asks_the_database_seven_times(make):
    slot, person = a_slot(make, places=5), make.person()
    by, item = actor_of(make.resident(person)), item_of(slot)
    _ = slot.timetable.place, slot.capacity_id
    with transaction(), count_queries() as asked:
        booking.book(slot, item, person, by=by, channel=Channel.SELF, idem="a form")
    assert len(asked) <= 7, asked
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Appointment)) == 1
