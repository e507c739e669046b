"""The line before a full slot: joining, what is offered, taking it, and what becomes of who waits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.catalogue.models.appointments import Appointment, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import booking, reach, telling
from portal.core import ids
from portal.core.access import Actor, Scope
from portal.core.db import db
from portal.core.errors import Missing
from portal.places import service as places
from portal.places.models import Waiting
from portal.registry.models import Person
from portal.registry.service import people

KIND = "catalogue.slot"


@dataclass(frozen=True)
class Waits:
    """A row of a line with what it is for."""

    waiting: Waiting
    item: Item
    slot: Slot

    @property
    def place(self) -> int:
        return places.place_in_line(self.waiting)


def join(slot: Slot, item: Item, person: Person, *, by: Actor, consent: str = "") -> Waiting:
    """Wait for a place of a full slot; the same again is refused in words. `consent`: how she agreed, where another
    asks for her.
    """
    booking.hold_person(person)
    booking.check(slot, item, person, line=True)
    return places.join(
        slot.capacity_id, person, kind=KIND, ref=str(item.id), closes_at=slot.starts_at, by=by, consent=consent
    )


def take(waits: Waits, *, by: Actor, channel: Channel, consent: str = "") -> Appointment:
    """Take the place that is offered: it is hers already, so only she herself can stand in the way."""
    person = people.resolved(waits.waiting.person)
    booking.hold_person(person)
    booking.check(waits.slot, waits.item, person)
    places.accept(waits.waiting)
    return booking.write(
        ids.new_public_id(), waits.slot, waits.item, person, by=by, channel=channel, note="", consent=consent
    )


def waits_of(persons: Collection[Person], *, live: bool = True) -> list[Waits]:
    """What some persons wait for, offers first."""
    return _with_slots(places.lines_of(KIND, persons, live=live)) if persons else []


def waits_for(persons: Collection[Person], public_id: str) -> Waits:
    found = _with_slots([places.line_of(KIND, persons, public_id)])
    if not found:
        raise Missing
    return found[0]


def waits_in(slot: Slot, person: Person) -> Waiting | None:
    """The person's place in the line of a slot, if she stands in it."""
    return places.waiting_for(slot.capacity_id, person)


def length(slot: Slot) -> int:
    """How many wait for a slot."""
    return places.waiting_count(slot.capacity_id)


def leave(waits: Waits, *, reason: str = "") -> None:
    """Leave the line, or decline what is offered; a worker for her says why."""
    places.leave(waits.waiting, reason=reason)


def line(slot: Slot, within: Collection[Scope]) -> list[Waiting]:
    """Who waits for a slot, for a worker who reaches them."""
    found = places.line(slot.capacity_id)
    mine = reach.reached(within, sa.literal(slot.timetable.community_id), Person.id)
    query = sa.select(Person.id).where(Person.id.in_([row.person_id for row in found]), mine).order_by(Person.id)
    near = set(db.session.scalars(query))
    return [row for row in found if row.person_id in near]


def _with_slots(rows: Sequence[Waiting]) -> list[Waits]:
    slots, items = _slots([row.capacity_id for row in rows]), _items([int(row.ref) for row in rows])
    return [
        Waits(row, items[int(row.ref)], slots[row.capacity_id])
        for row in rows
        if int(row.ref) in items and row.capacity_id in slots
    ]


def _slots(capacities: Collection[int]) -> Mapping[int, Slot]:
    query = sa.select(Slot).where(Slot.capacity_id.in_(capacities)).order_by(Slot.id)
    query = query.options(joinedload(Slot.timetable), joinedload(Slot.capacity))
    return {slot.capacity_id: slot for slot in db.session.scalars(query)} if capacities else {}


def _items(numbers: Collection[int]) -> Mapping[int, Item]:
    query = sa.select(Item).where(Item.id.in_(numbers)).order_by(Item.id).options(joinedload(Item.provider))
    return {item.id: item for item in db.session.scalars(query)} if numbers else {}


def _tell(event: str, waiting: Waiting) -> None:
    """In the publisher's transaction; a line of another capability is none of ours."""
    if waiting.kind != KIND:
        return
    for found in _with_slots([waiting]):
        telling.tell_waiting(event, waiting, found.item, found.slot)


def on_place_offered(*, waiting: Waiting, **_facts: object) -> None:
    _tell("catalogue.place_offered", waiting)


def on_place_lapsed(*, waiting: Waiting, **_facts: object) -> None:
    _tell("catalogue.place_lapsed", waiting)


def on_place_closed(*, waiting: Waiting, **_facts: object) -> None:
    _tell("catalogue.place_closed", waiting)
