"""What timetables and the counter answer at the doors: what waits for a worker, what is held, what is forgotten."""

from datetime import timedelta

import sqlalchemy as sa

from portal.catalogue.models.counter import ErrandPaper
from portal.catalogue.models.schedules import Slot, SlotHold, Timetable
from portal.catalogue.service import counter_doors, doors, papers, timetables
from portal.core.db import db, transaction
from portal.places.models import Capacity
from tests.acting import actor_of
from tests.catalogue.tables import MONDAY, a_timetable, an_item, booked, clock_at, facts, next_monday, slots_on
from tests.make import Make


def words(worker) -> list[str]:
    return [todo.words for todo in doors.todo_of(actor_of(worker))]


def test_what_no_longer_fits_waits_for_the_worker_until_it_is_settled(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        item = an_item(make)
        table = a_timetable(make, item, by=worker)
        booked(make, slots_on(table, next_monday())[0])
        assert "有人预约的时段和时间表不合，要处理" not in words(worker)
        with transaction() as session:
            said = facts(item, slot_minutes=60)
            timetables.change(session.get_one(Timetable, table.id), said, by=actor_of(worker))
        assert "有人预约的时段和时间表不合，要处理" in words(worker)


def test_a_paper_that_is_out_for_long_is_asked_after_and_stands_in_the_persons_copy(make: Make):
    worker = make.worker()
    with clock_at("08:00"):
        appointment = booked(make, slots_on(a_timetable(make, by=worker), MONDAY)[0])
        with transaction():
            papers.take(appointment, "户口簿原件一本", "社区 2 号柜", by=actor_of(worker))
        assert "代办收的材料还没交还" not in words(worker)
    with clock_at("08:00", MONDAY + timedelta(days=8)):
        assert "代办收的材料还没交还" in words(worker)
        assert db.session.scalar(sa.select(sa.func.count(ErrandPaper.id))) == 1
        held = doors.export(make.read(appointment).person)
        assert any("户口簿原件一本" in str(part) for part in held)


def test_old_slots_are_forgotten_with_what_they_held_but_for_those_with_appointments(make: Make):
    with clock_at("08:00"):
        table = a_timetable(make, days_ahead=1)
        kept = slots_on(table, MONDAY)[0]
        booked(make, kept)
        with transaction():
            counter_doors.purge(MONDAY + timedelta(days=1))
        left = slots_on(table, MONDAY)
        assert [slot.id for slot in left] == [kept.id]
        standing = db.session.scalar(sa.select(sa.func.count(Slot.id)))
        assert db.session.scalar(sa.select(sa.func.count(Capacity.id))) == standing
        gone = sa.select(sa.func.count(SlotHold.id)).where(SlotHold.slot_id.not_in(sa.select(Slot.id)))
        assert db.session.scalar(gone) == 0
