"""What a timetable opens: the day's slots from the pattern, and what a change leaves alone."""

from datetime import time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalogue.models.appointments import AppointmentState
from portal.catalogue.models.codes import ItemState
from portal.catalogue.models.items import Item
from portal.catalogue.models.rooms import RoomQuarter
from portal.catalogue.models.schedules import MakeUp, Of, Slot, SlotState, Timetable
from portal.catalogue.service import holds, opening, timetables
from portal.core import clock
from portal.core.calendar import SpecialDay
from portal.core.db import db, transaction, unique_or
from portal.core.errors import Refused
from portal.places.models import Capacity
from portal.registry.models import Facility, FacilityKind, Room
from tests.acting import actor_of
from tests.catalogue.tables import (
    MONDAY,
    a_doctor,
    a_timetable,
    an_item,
    booked,
    clock_at,
    clocks,
    facts,
    next_monday,
    slots_on,
)
from tests.make import Make

minutes = st.integers(0, 24 * 12).map(lambda fives: fives * 5)
spans = st.lists(st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]), max_size=4)


@given(spans, spans, st.integers(1, 24).map(lambda fives: fives * 5), st.integers(0, 6).map(lambda fives: fives * 5))
def test_the_slots_of_a_day_keep_to_the_hours_the_breaks_and_the_rest_between(hours, breaks, length, rest):
    found = opening.times(hours, breaks, length=length, rest=rest)
    assert found == sorted(found)
    for opens, closes in found:
        assert closes - opens == length
        assert all(any(begin <= minute < end for begin, end in hours) for minute in range(opens, closes, 5))
        assert all(closes <= pause or resumes <= opens for pause, resumes in breaks)
    for earlier, later in pairwise(found):
        assert earlier[1] + rest <= later[0]


@given(spans, st.integers(1, 24).map(lambda fives: fives * 5))
def test_no_room_for_another_slot_is_left_where_nothing_interrupts(hours, length):
    found = opening.times(hours, [], length=length, rest=0)
    for opens, closes in opening._joined(hours):
        inside = [slot for slot in found if opens <= slot[0] and slot[1] <= closes]
        assert len(inside) == (closes - opens) // length


def test_a_morning_of_half_hours_with_a_pause_and_ten_minutes_between(make: Make):
    with clock_at("08:00"):
        table = a_timetable(
            make,
            hours=((0, time(9), time(12)),),
            breaks=((0, time(10, 30), time(10, 45)),),
            buffer_minutes=10,
        )
        assert clocks(slots_on(table, MONDAY)) == ["09:00", "09:40", "10:45", "11:25"]
        assert slots_on(table, MONDAY + timedelta(days=1)) == []


def test_slots_open_as_many_days_ahead_as_the_timetable_says_and_not_into_the_past(make: Make):
    with clock_at("09:45"):
        table = a_timetable(make, days_ahead=4)
        assert clocks(slots_on(table, MONDAY)) == ["10:00", "10:30"]
        assert len(slots_on(table, MONDAY + timedelta(days=4))) == 4
        assert slots_on(table, MONDAY + timedelta(days=7)) == []
    with clock_at("03:00", MONDAY + timedelta(days=3)):
        assert opening.open_all() == 4
        assert opening.open_all() == 0
        assert len(slots_on(table, MONDAY + timedelta(days=7))) == 4


def test_a_holiday_is_closed_unless_the_timetable_says_that_it_is_open(make: Make):
    make.add(SpecialDay(day=MONDAY, works=False, name="端午节"))
    with clock_at("08:00"):
        closed = a_timetable(make)
        open_all_days = a_timetable(make, name="急修窗口", on_holidays=True)
        assert slots_on(closed, MONDAY) == []
        assert len(slots_on(open_all_days, MONDAY)) == 4
        assert opening.preview(closed, MONDAY, 1)[0][2] == "端午节"


@pytest.mark.parametrize(
    ("make_up", "expected"), [(MakeUp.CLOSED, []), (MakeUp.OWN, ["14:00"]), (MakeUp.WEDNESDAY, ["09:00", "09:30"])]
)
def test_a_worked_saturday_is_closed_or_follows_the_weekday_it_is_told_to(make: Make, make_up, expected):
    saturday = MONDAY + timedelta(days=5)
    make.add(SpecialDay(day=saturday, works=True, name="端午节调休"))
    with clock_at("08:00"):
        hours = ((2, time(9), time(10)), (5, time(14), time(14, 30)))
        table = a_timetable(make, hours=hours, make_up=make_up)
        assert clocks(slots_on(table, saturday)) == expected


def test_an_exception_closes_days_or_gives_them_other_hours_and_goes_again(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, by=worker)
        tuesday, wednesday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)
        with transaction() as session:
            table = session.get_one(Timetable, table.id)
            timetables.add_exception(table, tuesday, tuesday, None, "停电检修", by=actor_of(worker))
            timetables.add_exception(table, wednesday, wednesday, (time(14), time(15)), "改到下午", by=actor_of(worker))
        assert [slot.state for slot in slots_on(table, tuesday)] == [SlotState.CLOSED] * 4
        standing = [slot for slot in slots_on(table, wednesday) if slot.state is SlotState.OPEN]
        assert clocks(standing) == ["14:00", "14:30"]
        with transaction() as session:
            table = session.get_one(Timetable, table.id)
            timetables.drop_exception(table, table.exceptions[0].id, by=actor_of(worker))
        assert [slot.state for slot in slots_on(table, tuesday)] == [SlotState.OPEN] * 4


def test_several_at_once_share_one_capacity_whatever_they_come_for(make: Make):
    cut, wash = an_item(make, "理发"), an_item(make, "洗头")
    with clock_at("08:00"):
        table = a_timetable(make, cut, wash, people=3, minimum=2, decide_hours=12)
        slot = slots_on(table, next_monday())[0]
        assert {item.title for item in table.items} == {"理发", "洗头"}
        assert (slot.capacity.total, slot.minimum) == (3, 2)
        assert slot.decide_at == slot.starts_at - timedelta(hours=12)


def test_a_change_moves_nothing_that_is_booked_and_names_what_no_longer_fits(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        item = an_item(make)
        table = a_timetable(make, item, by=worker)
        fits, misfits = slots_on(table, next_monday())[0], slots_on(table, next_monday())[1]
        booked(make, fits)
        kept = booked(make, misfits)
        with transaction() as session:
            table = session.get_one(Timetable, table.id)
            opened = timetables.change(table, facts(item, slot_minutes=60), by=actor_of(worker))
            assert [slot.id for slot in opened.misfits] == [fits.id, misfits.id]
        assert make.read(kept).starts_at == misfits.starts_at
        assert make.read(kept).state is AppointmentState.BOOKED
        standing = [slot for slot in slots_on(table, next_monday()) if slot.state is SlotState.OPEN]
        assert clocks(standing) == ["10:00"]
        assert len(timetables.unsettled(_within(worker))) == 2


def _within(worker):
    return tuple(grant.scope for grant in actor_of(worker).grants)


def test_fewer_at_once_leaves_those_who_have_booked(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        item = an_item(make)
        table = a_timetable(make, item, people=3, by=worker)
        slot = slots_on(table, next_monday())[0]
        booked(make, slot), booked(make, slot)
        with transaction() as session:
            timetables.change(session.get_one(Timetable, table.id), facts(item, people=1), by=actor_of(worker))
        totals = [slot.capacity.total for slot in slots_on(table, next_monday())]
        assert totals == [2, 1, 1, 1]


def test_one_doctor_is_not_in_two_timetables_at_once(make: Make):
    doctor, item = a_doctor(make), an_item(make)
    with clock_at("08:00"):
        a_timetable(make, item, of=Of.STAFF, staff_id=doctor.id, name="口腔义诊")
        with pytest.raises(Refused, match="口腔义诊"):
            a_timetable(
                make, item, of=Of.STAFF, staff_id=doctor.id, name="上门看诊", hours=((0, time(10, 45), time(11, 30)),)
            )
        db.session.rollback()
        later = a_timetable(make, item, of=Of.STAFF, staff_id=doctor.id, name="下午", hours=((0, time(14), time(15)),))
        assert len(slots_on(later, next_monday())) == 2


def test_a_timetable_given_to_another_doctor_takes_her_time_and_frees_the_first(make: Make):
    first, second, item, worker = a_doctor(make), a_doctor(make, "马医生"), an_item(make), make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, item, of=Of.STAFF, staff_id=first.id, by=worker)
        booked(make, slots_on(table, next_monday())[0])
        with transaction() as session:
            said = facts(item, of=Of.STAFF, staff_id=second.id)
            timetables.change(session.get_one(Timetable, table.id), said, by=actor_of(worker))
        again = a_timetable(make, item, of=Of.STAFF, staff_id=first.id, name="接着排")
        assert len(slots_on(again, next_monday())) == 4
        with pytest.raises(Refused, match="同一时间"):
            a_timetable(make, item, of=Of.STAFF, staff_id=second.id, name="撞上")


def test_an_ended_timetable_takes_nobody_more(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        table = a_timetable(make, by=worker)
        with transaction() as session:
            timetables.end(session.get_one(Timetable, table.id), "医生退休", by=actor_of(worker))
        assert not [slot for slot in slots_on(table, next_monday()) if slot.state is SlotState.OPEN]


def test_the_database_refuses_a_second_slot_at_the_same_time(make: Make):
    with clock_at("08:00"):
        table = a_timetable(make)
        slot = slots_on(table, next_monday())[0]
        twin = Slot(timetable_id=table.id, day=slot.day, starts_at=slot.starts_at, ends_at=slot.ends_at)
        twin.capacity = Capacity(total=1, taken=0)
        with pytest.raises(Refused, match="已有"), transaction() as session, unique_or(Refused("已有")):
            session.add(twin)


def test_the_database_refuses_somebody_in_two_places(make: Make):
    doctor, item = a_doctor(make), an_item(make)
    with clock_at("08:00"):
        table = a_timetable(make, item, of=Of.STAFF, staff_id=doctor.id)
        other = a_timetable(make, item, of=Of.STAFF, staff_id=doctor.id, hours=((0, time(14), time(15)),))
        slot = slots_on(table, next_monday())[0]
        with pytest.raises(Refused, match="刚刚"), transaction():
            holds.hold(other, [slot])


def test_a_timetable_that_opens_nothing_is_refused(make: Make):
    with clock_at("08:00"), pytest.raises(Refused, match="放不下"):
        a_timetable(make, slot_minutes=180)


def test_a_room_of_a_timetable_is_booked_by_nobody_else_and_the_other_way_round(make: Make):
    facility = make.add(Facility(community_id=make.community().id, name="活动中心", kind=FacilityKind.ACTIVITY))
    room, item = make.add(Room(facility_id=facility.id, name="多功能室", capacity=20)), an_item(make)
    with clock_at("08:00"):
        half_past = clock.at(next_monday(), time(9, 30))
        make.add(RoomQuarter(room_id=room.id, at=half_past))
        with pytest.raises(Refused, match="房间预约"):
            a_timetable(make, item, of=Of.ROOM, room_id=room.id, name="手工课")
        db.session.rollback()
        table = a_timetable(make, item, of=Of.ROOM, room_id=room.id, hours=((0, time(10), time(11)),), name="手工课")
        slot = slots_on(table, next_monday())[0]
        with pytest.raises(Refused, match="已有"), transaction() as session, unique_or(Refused("已有")):
            session.add(RoomQuarter(room_id=room.id, at=slot.starts_at))
        with pytest.raises(Refused, match="整刻"):
            a_timetable(make, item, of=Of.ROOM, room_id=room.id, hours=((2, time(9, 10), time(11)),))


def test_a_timetable_whose_items_were_all_withdrawn_opens_nothing_more(make: Make):
    with clock_at("08:00"):
        item = an_item(make)
        table = a_timetable(make, item, by=make.worker(), days_ahead=7)
        stood = len(slots_on(table, next_monday()))
        with transaction() as session:
            session.get_one(Item, item.id).state = ItemState.WITHDRAWN
    with clock_at("08:00", day=next_monday()), transaction() as session:
        opening.open_ahead(session.get_one(Timetable, table.id))
    assert stood > 0
    assert len(slots_on(table, next_monday())) == stood
    assert slots_on(table, next_monday(2)) == []
