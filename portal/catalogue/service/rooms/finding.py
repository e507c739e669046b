"""What is free when: rooms for a time, the times of a room, and the board of all rooms for workers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.catalogue.models.rooms import (
    QUARTER,
    Booker,
    BookingState,
    RoomBlock,
    RoomBooking,
    RoomQuarter,
    RoomRule,
)
from portal.catalogue.models.schedules import Slot, Timetable
from portal.catalogue.service.rooms import holding, rules, words
from portal.core import clock
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Refused


@dataclass(frozen=True)
class Answer:
    """Whether a room can be had at a time; if not, why."""

    rule: RoomRule
    why_not: str = ""


@dataclass(frozen=True)
class Cell:
    """A quarter of a day in the grid of a room; it is too late for one that begins sooner than the rule allows."""

    at: datetime
    is_free: bool
    is_past: bool
    is_late: bool


@dataclass(frozen=True)
class Hour:
    """An hour of the grid: four quarters, None where the room is closed."""

    at: time
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Entry:
    """Something on the board: a booking, a blocking, a slot of a timetable, or a weekly use by the register."""

    starts_at: datetime
    ends_at: datetime
    booking: RoomBooking | None = None
    block: RoomBlock | None = None
    slot: Slot | None = None
    use: str = ""

    @property
    def day(self) -> date:
        return clock.local(self.starts_at).date()

    @property
    def words(self) -> str:
        """What it is called where it is no booking."""
        if self.block:
            return self.block.reason
        return self.slot.timetable.name if self.slot else self.use

    @property
    def whole(self) -> str:
        """Its times on its own day."""
        return f"{words.clock_words(self.starts_at)}–{words.clock_words(self.ends_at, ends=True)}"


def answers(offered: list[RoomRule], starts_at: datetime, ends_at: datetime, headcount: int) -> list[Answer]:
    """For each room whether it is free at a time for so many people; those that are come first."""
    ids = [rule.room_id for rule in offered]
    buffered = ends_at + timedelta(minutes=max((rule.buffer for rule in offered), default=0))
    taken = holding.taken(ids, starts_at, buffered) if ids else {}
    found = [Answer(rule, _why_not(rule, starts_at, ends_at, headcount, taken[rule.room_id])) for rule in offered]
    return sorted(found, key=lambda answer: bool(answer.why_not))


def _why_not(
    rule: RoomRule, starts_at: datetime, ends_at: datetime, headcount: int, taken: Collection[datetime]
) -> str:
    try:
        rules.refuse_hours(rule, starts_at, ends_at)
        rules.refuse_uses(rule, starts_at, ends_at)
        rules.refuse_ahead(rule, starts_at)
        rules.refuse_length(rule, starts_at, ends_at)
    except Refused as refused:
        return refused.message
    if rule.room.capacity and headcount > rule.room.capacity:
        return _("最多坐 %(count)d 人", count=rule.room.capacity)
    wanted = holding.quarters(starts_at, ends_at + timedelta(minutes=rule.buffer))
    if any(moment in taken for moment in wanted):
        return _("这段时间已经有人用了")
    return "" if rule.is_open_to(Booker.RESIDENT) else _("只给组织和单位预约")


def grid(rule: RoomRule, day: date) -> list[Hour]:
    """A day of a room, hour by hour; empty when it is closed."""
    begins, ends = clock.day_bounds(day)
    open_at = {moment for span in rules.spans_on(rule, day) for moment in _quarters_of(day, *span)}
    if not open_at:
        return []
    taken, moment = set(holding.taken([rule.room_id], begins, ends)[rule.room_id]), now()
    soonest = moment + timedelta(hours=rule.least_ahead)
    for since, until, _name in rules.uses_on(rule, day):
        taken |= {at for at in open_at if since <= at < until}
    first, last = clock.local(min(open_at)).hour, clock.local(max(open_at)).hour
    hours = []
    for hour in range(first, last + 1):
        moments = [clock.at(day, time(hour, minute)) for minute in range(0, 60, QUARTER)]
        cells = tuple(Cell(at, at not in taken, at < moment, at < soonest) if at in open_at else None for at in moments)
        hours.append(Hour(time(hour), cells))
    return hours


def _quarters_of(day: date, opens: str, closes: str) -> list[datetime]:
    return holding.quarters(_moment(day, opens), _moment(day, closes))


def _moment(day: date, words: str) -> datetime:
    """HH:MM of a day; 24:00 is the beginning of the next."""
    if words == "24:00":
        return clock.at(day + timedelta(days=1), time(0))
    return clock.at(day, time.fromisoformat(words))


def stretches(hours: list[Hour]) -> list[tuple[datetime, datetime]]:
    """The free times of a grid, whole stretches."""
    free = [cell.at for hour in hours for cell in hour.cells if cell and cell.is_free and not cell.is_late]
    found: list[tuple[datetime, datetime]] = []
    for moment in free:
        if found and found[-1][1] == moment:
            found[-1] = (found[-1][0], moment + holding.STEP)
        else:
            found.append((moment, moment + holding.STEP))
    return found


def days_of(rule: RoomRule, most: int = 14) -> list[date]:
    """The days a resident may look at, from today, those on which the room is closed left out."""
    soonest = now() + timedelta(hours=rule.least_ahead)
    days = [today() + timedelta(days=ahead) for ahead in range(min(rule.most_ahead, 60) + 1)]
    ends = [
        (day, max((_moment(day, closes) for _opens, closes in rules.spans_on(rule, day)), default=None)) for day in days
    ]
    return [day for day, end in ends if end is not None and end > soonest][:most]


def clock_choices(offered: Collection[RoomRule]) -> list[str]:
    """Every quarter at which some room is open, as HH:MM, the end of a stretch too."""
    day, found = date(2026, 1, 5), set[str]()
    for rule in offered:
        for spans in rule.hours.values():
            for opens, closes in spans:
                found |= {f"{clock.local(at):%H:%M}" for at in _quarters_of(day, opens, closes)} | {closes}
    return sorted(found)


def board(within: Collection[Scope], first: date, days: int) -> tuple[list[RoomRule], dict[int, list[Entry]]]:
    """Every room in scope, and by room what happens in it from a day on, in the order of time."""
    rooms = rules.rules_in(within)
    ids = [rule.room_id for rule in rooms]
    begins, ends = clock.day_bounds(first)[0], clock.day_bounds(first + timedelta(days=days - 1))[1]
    found: dict[int, list[Entry]] = {room_id: [] for room_id in ids}
    for booking in _bookings(ids, begins, ends):
        found[booking.room_id].append(Entry(booking.starts_at, booking.ends_at, booking=booking))
    for block in _blocks(ids, begins, ends):
        found[block.room_id] += _by_day(block, max(block.starts_at, begins), min(block.ends_at, ends))
    for room_id, slot in _slots(ids, begins, ends):
        found[room_id].append(Entry(slot.starts_at, slot.ends_at, slot=slot))
    for rule in rooms:
        found[rule.room_id] += _uses(rule, first, days)
    for entries in found.values():
        entries.sort(key=lambda entry: entry.starts_at)
    return rooms, found


def _uses(rule: RoomRule, first: date, days: int) -> list[Entry]:
    every = [rules.uses_on(rule, first + timedelta(days=turn)) for turn in range(days)]
    return [Entry(begins, ends, use=name) for uses in every for begins, ends, name in uses]


def _by_day(block: RoomBlock, begins: datetime, ends: datetime) -> list[Entry]:
    """A blocking of several days stands on each of them."""
    found = []
    while begins < ends:
        midnight = clock.day_bounds(clock.local(begins).date())[1]
        found.append(Entry(begins, min(midnight, ends), block=block))
        begins = midnight
    return found


def _bookings(room_ids: list[int], begins: datetime, ends: datetime) -> list[RoomBooking]:
    gone = (BookingState.REFUSED, BookingState.CANCELLED)
    query = (
        sa.select(RoomBooking)
        .where(RoomBooking.room_id.in_(room_ids), RoomBooking.starts_at < ends, RoomBooking.ends_at > begins)
        .where(RoomBooking.state.not_in(gone))
        .options(joinedload(RoomBooking.person), joinedload(RoomBooking.organisation))
        .order_by(RoomBooking.starts_at, RoomBooking.id)
    )
    return list(db.session.scalars(query))


def _blocks(room_ids: list[int], begins: datetime, ends: datetime) -> list[RoomBlock]:
    query = (
        sa.select(RoomBlock)
        .where(RoomBlock.room_id.in_(room_ids), RoomBlock.starts_at < ends, RoomBlock.ends_at > begins)
        .where(RoomBlock.lifted_at.is_(None))
        .order_by(RoomBlock.starts_at, RoomBlock.id)
    )
    return list(db.session.scalars(query))


def _slots(room_ids: list[int], begins: datetime, ends: datetime) -> list[tuple[int, Slot]]:
    """Slots that hold a room, with the room."""
    held = sa.select(RoomQuarter.slot_id).where(
        RoomQuarter.room_id.in_(room_ids), RoomQuarter.at >= begins, RoomQuarter.at < ends
    )
    query = (
        sa.select(Timetable.room_id, Slot)
        .join(Slot.timetable)
        .where(Slot.id.in_(held))
        .options(joinedload(Slot.timetable))
        .order_by(Slot.starts_at, Slot.id)
    )
    return [(row[0] or 0, row[1]) for row in db.session.execute(query)]
