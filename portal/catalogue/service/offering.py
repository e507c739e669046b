"""What may be booked of an item: the next free slot, the days that have some, the slots of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload

from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot, SlotState, Timetable, timetable_item
from portal.catalogue.service import grounds
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.places.models import Capacity
from portal.registry.models import Person


@dataclass(frozen=True)
class Day:
    """A day with slots, and how many places are left on it."""

    day: date
    left: int


@cache
def _open() -> sa.Select[Any]:
    """The slots of an item that have not begun, within the days that may be booked."""
    return (
        sa.select(Slot)
        .join(Slot.capacity)
        .join(Slot.timetable)
        .join(timetable_item, timetable_item.c.timetable_id == Timetable.id)
        .where(
            timetable_item.c.item_id == sa.bindparam("item"),
            Slot.state == SlotState.OPEN,
            Slot.day.between(sa.bindparam("first"), sa.bindparam("last")),
            Slot.starts_at > sa.bindparam("now"),
        )
    )


def _asked(item: Item, **more: Any) -> dict[str, Any]:
    first = today()
    return {"item": item.id, "first": first, "last": first + timedelta(days=item.ahead_days), "now": now(), **more}


def shown(item_id: int) -> Item:
    """An item as residents may see it, without its papers and conditions; Missing otherwise."""
    query = sa.select(Item).where(Item.id == item_id).options(joinedload(Item.provider))
    item = db.session.scalar(query)
    if item is None or not item.is_shown(today()):
        raise Missing
    return item


def next_free(item: Item) -> Slot | None:
    """最早能约: the first slot with a place left."""
    query = _open().where(Capacity.taken < Capacity.total).order_by(Slot.starts_at, Slot.id).limit(1)
    query = query.options(contains_eager(Slot.timetable), contains_eager(Slot.capacity))
    return db.session.scalar(query, _asked(item))


def days_of(item_id: int) -> list[Day]:
    """The days of an item that have slots, free or not, in their order."""
    item = db.session.get_one(Item, item_id)
    left = sa.func.sum(Capacity.total - Capacity.taken)
    query = _open().with_only_columns(Slot.day, left).group_by(Slot.day).order_by(Slot.day)
    return [Day(day, int(count)) for day, count in db.session.execute(query, _asked(item))]


def weeks(known: Sequence[Day]) -> list[list[tuple[date, Day | None]]]:
    """The weeks, from Monday on, in which some days lie; a day without slots has none."""
    if not known:
        return []
    held = {one.day: one for one in known}
    monday = known[0].day - timedelta(days=known[0].day.weekday())
    count = (known[-1].day - monday).days // 7 + 1
    every = [monday + timedelta(days=offset) for offset in range(count * 7)]
    return [[(day, held.get(day)) for day in every[at : at + 7]] for at in range(0, len(every), 7)]


def slots(item: Item, day: date) -> list[Slot]:
    """The slots of a day, free or not."""
    asked = _asked(item)
    if not asked["first"] <= day <= asked["last"]:
        return []
    query = _open().options(contains_eager(Slot.timetable), contains_eager(Slot.capacity))
    query = query.order_by(Slot.starts_at, Slot.id)
    return list(db.session.scalars(query, {**asked, "first": day, "last": day}))


def chosen_day(known: Sequence[Day], text: str | None) -> date | None:
    """The day asked for, else the first with a place left, else the first."""
    asked = next((one.day for one in known if one.day.isoformat() == text), None)
    free = next((one.day for one in known if one.left > 0), None)
    return asked or free or (known[0].day if known else None)


def asked(item_id: int, slot_id: int) -> tuple[Item, Slot]:
    """An item and a slot in which it is had, in whatever state; Missing when it is not."""
    row = db.session.execute(_asked_for(), {"item": item_id, "slot": slot_id}).one_or_none()
    if row is None:
        raise Missing
    return row.Item, row.Slot


@cache
def _asked_for() -> sa.Select[Item, Slot]:
    """Whoever books asks this: built once."""
    return (
        sa.select(Item, Slot)
        .join(timetable_item, timetable_item.c.item_id == Item.id)
        .join(Slot, Slot.timetable_id == timetable_item.c.timetable_id)
        .join(Slot.timetable)
        .join(Slot.capacity)
        .join(Item.provider)
        .where(Item.id == sa.bindparam("item"), Slot.id == sa.bindparam("slot"))
        .options(contains_eager(Slot.timetable), contains_eager(Slot.capacity), contains_eager(Item.provider))
    )


def is_for(item: Item, person: Person) -> bool:
    """Whether a person's community has the item: its own, or its street's."""
    return item.area_id == person.community_id or item.area_id in grounds.around(person.community)


def check_for(item: Item, person: Person) -> None:
    if not is_for(item, person):
        raise Refused(_("这个事项只办理本社区的居民，%(name)s不在服务范围里。请问问所在的社区。", name=person.name))
