"""The day at the counter and the week at a glance: slots with who has booked them, by timetable and hour."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.areas import service as areas
from portal.catalogue.models.appointments import HOLDS, Appointment, AppointmentState
from portal.catalogue.models.schedules import Slot, SlotState, Timetable
from portal.catalogue.service import reach
from portal.core import clock
from portal.core.access import Scope
from portal.core.clock import local
from portal.core.db import db
from portal.registry.models import Person

# No-shows of this long are shown beside a name.
REMEMBERED = timedelta(days=365)


@dataclass(frozen=True)
class Ticket:
    """An appointment with its number, which stays whatever is cancelled, and how often she did not come."""

    appointment: Appointment
    number: str
    missed: int = 0


@dataclass
class SlotDay:
    """A slot with those who come to it."""

    slot: Slot
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def standing(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.appointment.state in HOLDS]


@dataclass
class TableDay:
    """A timetable's day."""

    timetable: Timetable
    slots: list[SlotDay] = field(default_factory=list)

    @property
    def tickets(self) -> list[Ticket]:
        return [ticket for one in self.slots for ticket in one.standing]


@dataclass(frozen=True)
class Counts:
    """How many of a day are still to come, wait, have been served, did not come: nobody is counted twice."""

    booked: int = 0
    arrived: int = 0
    served: int = 0
    no_show: int = 0


def tables_on(within: Collection[Scope], day: date, *, timetable_id: int = 0) -> list[TableDay]:
    """What a day holds, by timetable and hour."""
    slots = _slots(within, day, day, timetable_id)
    return _by_table(slots, _tickets([slot.id for slot in slots], within))


def tickets_of(slot: Slot, within: Collection[Scope]) -> list[Ticket]:
    """Everybody on one slot, those who cancelled too, in the order in which they booked."""
    return _tickets([slot.id], within)[slot.id]


def _slots(within: Collection[Scope], first: date, last: date, timetable_id: int) -> list[Slot]:
    """The slots of some days that the timetable has or somebody has booked; what was merely withdrawn is left out."""
    booked = sa.select(Appointment.id).where(Appointment.slot_id == Slot.id, Appointment.state.in_(HOLDS)).exists()
    query = (
        sa.select(Slot)
        .join(Slot.timetable)
        .options(
            contains_eager(Slot.timetable).joinedload(Timetable.staff),
            contains_eager(Slot.timetable).joinedload(Timetable.room),
            joinedload(Slot.capacity),
        )
        .where(
            Slot.day.between(first, last),
            Timetable.community_id.in_(areas.touched(within)),
            sa.or_(Slot.fits, booked),
        )
    )
    if timetable_id:
        query = query.where(Timetable.id == timetable_id)
    order = Timetable.community_id, Timetable.name, Timetable.id, Slot.starts_at, Slot.id
    return list(db.session.scalars(query.order_by(*order)))


def _tickets(slot_ids: Collection[int], within: Collection[Scope]) -> dict[int, list[Ticket]]:
    """By slot, whom the scopes reach; numbered in the order of all bookings, so that a number stays what it is."""
    query = (
        sa.select(Appointment, reach.reached(within, Timetable.community_id, Appointment.person_id))
        .join(Appointment.slot)
        .join(Slot.timetable)
        .where(Appointment.slot_id.in_(slot_ids))
        .options(joinedload(Appointment.person), joinedload(Appointment.item))
        .order_by(Appointment.starts_at, Appointment.id)
    )
    found = db.session.execute(query).all() if slot_ids else []
    missed = missed_by(one for one, _theirs in found)
    booked: Counter[int] = Counter()
    tickets: dict[int, list[Ticket]] = defaultdict(list)
    for one, theirs in found:
        booked[one.slot_id] += 1
        if not theirs:
            continue
        number = f"{local(one.starts_at):%H%M}-{booked[one.slot_id]}"
        tickets[one.slot_id].append(Ticket(one, number, missed.get(one.person_id, 0)))
    return tickets


def missed_by(appointments: Iterable[Appointment]) -> dict[int, int]:
    """How often some people did not come within a year, by person: shown, never punished."""
    persons = {one.person_id for one in appointments}
    if not persons:
        return {}
    query = (
        sa.select(Appointment.person_id, sa.func.count())
        .where(
            Appointment.person_id.in_(persons),
            Appointment.state == AppointmentState.NO_SHOW,
            Appointment.starts_at > clock.now() - REMEMBERED,
        )
        .group_by(Appointment.person_id)
        .order_by(Appointment.person_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def missed(person: Person) -> int:
    query = sa.select(sa.func.count()).where(
        Appointment.person_id == person.id,
        Appointment.state == AppointmentState.NO_SHOW,
        Appointment.starts_at > clock.now() - REMEMBERED,
    )
    return db.session.scalar(query) or 0


def _by_table(slots: Sequence[Slot], tickets: dict[int, list[Ticket]]) -> list[TableDay]:
    tables: dict[int, TableDay] = {}
    for slot in slots:
        table = tables.setdefault(slot.timetable_id, TableDay(slot.timetable))
        table.slots.append(SlotDay(slot, tickets.get(slot.id, [])))
    return list(tables.values())


def counts(tables: Iterable[TableDay]) -> Counts:
    states = [ticket.appointment.state for table in tables for ticket in table.tickets]
    return Counts(
        states.count(AppointmentState.BOOKED),
        states.count(AppointmentState.ARRIVED),
        states.count(AppointmentState.SERVED),
        states.count(AppointmentState.NO_SHOW),
    )


@dataclass(frozen=True)
class WeekCell:
    """A timetable's day at a glance: its slots, how many places are taken and there are.

    Whoever reaches a grid alone (not `whole`) is told of her own people only, and not how many others come.
    """

    day: date
    slots: tuple[Slot, ...]
    own: int = 0
    whole: bool = True

    @property
    def open(self) -> tuple[Slot, ...]:
        return tuple(slot for slot in self.slots if slot.state is not SlotState.CALLED_OFF)

    @property
    def taken(self) -> int:
        return sum(slot.capacity.taken for slot in self.open) if self.whole else self.own

    @property
    def total(self) -> int:
        return sum(slot.capacity.total for slot in self.open)


@dataclass(frozen=True)
class WeekRow:
    timetable: Timetable
    cells: tuple[WeekCell, ...]


@dataclass(frozen=True)
class WeekOf:
    """Whom a week belongs to: a member of staff, a room, or a desk; with each of the timetables."""

    who: str
    rows: tuple[WeekRow, ...]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week(within: Collection[Scope], monday: date) -> list[WeekOf]:
    """Seven days, by whom they belong to."""
    slots = _slots(within, monday, monday + timedelta(days=6), 0)
    tables: dict[int, dict[date, list[Slot]]] = defaultdict(lambda: defaultdict(list))
    known: dict[int, Timetable] = {}
    for slot in slots:
        known[slot.timetable_id] = slot.timetable
        tables[slot.timetable_id][slot.day].append(slot)
    days, whole = [monday + timedelta(days=offset) for offset in range(7)], reach.whole(within)
    own = _own([slot.id for slot in slots if slot.timetable.community_id not in whole], within)
    rows: dict[str, list[WeekRow]] = defaultdict(list)
    for number, by_day in tables.items():
        timetable = known[number]
        cells = tuple(_cell(day, by_day.get(day, ()), own, timetable.community_id in whole) for day in days)
        rows[who(timetable)].append(WeekRow(timetable, cells))
    return [WeekOf(name, tuple(held)) for name, held in sorted(rows.items())]


def _cell(day: date, slots: Sequence[Slot], own: dict[int, int], whole: bool) -> WeekCell:
    return WeekCell(day, tuple(slots), sum(own.get(slot.id, 0) for slot in slots), whole)


def _own(slot_ids: Collection[int], within: Collection[Scope]) -> dict[int, int]:
    """How many of those whom the scopes reach hold a place, by slot."""
    query = (
        sa.select(Appointment.slot_id, sa.func.count())
        .join(Appointment.slot)
        .join(Slot.timetable)
        .where(Appointment.slot_id.in_(slot_ids), Appointment.state.in_(HOLDS))
        .where(Slot.state != SlotState.CALLED_OFF)
        .where(reach.reached(within, Timetable.community_id, Appointment.person_id))
        .group_by(Appointment.slot_id)
        .order_by(Appointment.slot_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)} if slot_ids else {}


def who(timetable: Timetable) -> str:
    """Whose calendar it is, as a week is sorted: the member of staff, the room, else the timetable's own name."""
    if timetable.staff is not None:
        return timetable.staff.name
    return timetable.room.name if timetable.room is not None else timetable.name
