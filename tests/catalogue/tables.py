"""What the tests of timetables stand on: an item, somebody who serves, a timetable that opens its slots."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
import time_machine

from portal.areas.models import Area
from portal.catalogue.models.appointments import Appointment, AppointmentState, Channel
from portal.catalogue.models.codes import ItemKind, ItemState, ProviderKind
from portal.catalogue.models.items import Item, Provider
from portal.catalogue.models.schedules import Of, Slot, Timetable
from portal.catalogue.service import timetables
from portal.catalogue.service.timetables import Facts
from portal.core import ids
from portal.core.clock import SHANGHAI, now
from portal.core.db import db, transaction
from portal.places.models import Capacity
from portal.registry.models import Person, Staff, StaffKind
from tests.acting import actor_of
from tests.make import Make

# A Monday without holidays near.
MONDAY = date(2026, 6, 8)
MORNINGS = tuple((weekday, time(9), time(11)) for weekday in range(5))


@contextmanager
def clock_at(words: str, day: date = MONDAY) -> Iterator[None]:
    moment = datetime.strptime(f"{day:%Y-%m-%d} {words}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    with time_machine.travel(moment, tick=False):
        yield


def an_item(make: Make, title: str = "口腔义诊", area: Area | None = None) -> Item:
    area = area or make.community()
    provider = db.session.scalar(sa.select(Provider).where(Provider.area_id == area.id))
    provider = provider or make.add(Provider(area_id=area.id, kind=ProviderKind.COMMUNITY, name="春风里社区"))
    return make.add(
        Item(
            area_id=area.id,
            provider_id=provider.id,
            kind=ItemKind.APPOINTMENT,
            state=ItemState.PUBLISHED,
            title=title,
            summary="牙医来社区看牙",
            situations=["old"],
            valid_from=date(2026, 1, 1),
        )
    )


def a_doctor(make: Make, name: str = "何医生", area: Area | None = None) -> Staff:
    return make.add(Staff(community_id=(area or make.community()).id, name=name, kind=StaffKind.DOCTOR))


def facts(*items: Item, **more: Any) -> Facts:
    """A desk open on weekday mornings from nine to eleven, half an hour each, unless told otherwise."""
    said: dict[str, Any] = {"name": "一号窗口", "of": Of.DESK, "hours": MORNINGS, "valid_from": date(2026, 1, 1)}
    return Facts(items=tuple(item.id for item in items), **(said | more))


def a_timetable(make: Make, *items: Item, by: Any = None, area: Area | None = None, **more: Any) -> Timetable:
    """A timetable saved as a worker saves it, with its slots open."""
    area = area or make.community()
    said = facts(*(items or (an_item(make, area=area),)), **more)
    worker = by or make.worker(scope=area)
    with transaction():
        timetable, _opened = timetables.add(db.session.get_one(Area, area.id), said, by=actor_of(worker))
    return timetable


def slots_on(timetable: Timetable, day: date) -> list[Slot]:
    query = sa.select(Slot).where(Slot.timetable_id == timetable.id, Slot.day == day).order_by(Slot.starts_at)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def clocks(slots: list[Slot]) -> list[str]:
    return [f"{slot.starts_at.astimezone(SHANGHAI):%H:%M}" for slot in slots]


def booked(
    make: Make,
    slot: Slot,
    person: Person | None = None,
    *,
    state: AppointmentState = AppointmentState.BOOKED,
    item: Item | None = None,
) -> Appointment:
    """An appointment as it stands in the database, its place taken."""
    person = person or make.person(f"居民{make.number()}")
    timetable = db.session.get_one(Timetable, slot.timetable_id)
    chosen = item or timetable.items[0]
    with transaction() as session:
        session.execute(sa.update(Capacity).where(Capacity.id == slot.capacity_id).values(taken=Capacity.taken + 1))
        appointment = Appointment(
            code=ids.short_code(6),
            person_id=person.id,
            item_id=chosen.id,
            slot_id=slot.id,
            day=slot.day,
            starts_at=slot.starts_at,
            ends_at=slot.ends_at,
            state=state,
            channel=Channel.SELF,
            placed_at=now(),
            placed_by="x",
            placed_by_name="李小红",
            changed_at=now(),
        )
        session.add(appointment)
    return appointment


def next_monday(weeks: int = 1) -> date:
    return MONDAY + timedelta(weeks=weeks)
