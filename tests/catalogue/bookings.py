"""What the tests of appointments stand on: a slot of an item, somebody who books it, what people are told."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.catalogue.models.appointments import Appointment, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Of, Slot, Timetable
from portal.catalogue.service import booking, waiting
from portal.core.clock import local, now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.places.models import Capacity, Waiting
from portal.registry.models import FamilyAgent, Person
from portal.registry.models.accounts import AgentState
from tests.acting import actor_of
from tests.catalogue.tables import an_item
from tests.make import Make


def a_slot(
    make: Make,
    *items: Item,
    starts: datetime | None = None,
    minutes: int = 30,
    places: int = 1,
    timetable: Timetable | None = None,
    **more: Any,
) -> Slot:
    """A slot of its own timetable, two days from now at the full hour, unless told otherwise."""
    timetable = timetable or a_calendar(make, *items)
    starts = starts or (now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    return make.add(
        Slot(
            timetable_id=timetable.id,
            day=local(starts).date(),
            starts_at=starts,
            ends_at=starts + timedelta(minutes=minutes),
            capacity=Capacity(total=places, taken=0),
            **more,
        )
    )


def a_calendar(make: Make, *items: Item) -> Timetable:
    items = items or (an_item(make),)
    made = Timetable(
        community_id=make.community().id,
        name=f"窗口{make.number()}",
        of=Of.DESK,
        place="社区一楼大厅",
        valid_from=local(now()).date(),
        people=1,
    )
    made.items = [db.session.merge(item) for item in items]
    return make.add(made)


def item_of(slot: Slot) -> Item:
    return slot.timetable.items[0]


def book(make: Make, slot: Slot, person: Person, *, item: Item | None = None, **more: Any) -> Appointment:
    """In a transaction of its own, by the person's account unless told otherwise."""
    by = more.pop("by", None) or actor_of(make.resident(person))
    facts: dict[str, Any] = {"channel": Channel.SELF, **more}
    with transaction():
        return booking.book(slot, item or item_of(slot), person, by=by, **facts)


def join(make: Make, slot: Slot, person: Person, **more: Any) -> Waiting:
    by = more.pop("by", None) or actor_of(make.resident(person))
    with transaction():
        return waiting.join(slot, item_of(slot), person, by=by)


def an_agent(make: Make, principal: Person, helper: Person | None = None, actions: str = "catalogue.book") -> Any:
    """An account that may book for somebody; it is nobody in the register unless told who."""
    account = make.resident(helper)
    until = local(now()).date() + timedelta(days=100)
    make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=principal.id,
            principal_name=principal.name,
            relation="child",
            actions=actions,
            state=AgentState.ACCEPTED,
            until=until,
            requested_at=now(),
            decided_at=now(),
        )
    )
    return account


def told(topic: str, person: Person | None = None) -> list[OutboxRow]:
    """What is to be told under a topic (of the catalogue's), to somebody or to anybody."""
    db.session.rollback()
    query = sa.select(OutboxRow).where(OutboxRow.topic == f"catalogue.{topic}").order_by(OutboxRow.id)
    rows = db.session.scalars(query).all()
    return [row for row in rows if person is None or row.recipient_id == person.public_id]


def taken(slot: Slot) -> int:
    db.session.rollback()
    found = db.session.scalar(sa.select(Capacity.taken).where(Capacity.id == slot.capacity_id))
    assert found is not None
    return found
