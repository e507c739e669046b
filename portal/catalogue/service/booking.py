"""Booking a place in a slot: for oneself, for one's family, for somebody at the counter."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.appointments import HOLDS, Appointment, AppointmentState, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot, SlotState, timetable_item
from portal.catalogue.service import telling
from portal.core import audit, ids, tokens
from portal.core.access import Actor
from portal.core.clock import local, now, today
from portal.core.db import db, insert_new, rows_of, together
from portal.core.errors import Missing, Refused
from portal.core.web import day_words
from portal.places import service as places
from portal.places.models import Waiting
from portal.registry.models import Person, PersonState
from portal.registry.service import people

CODE_TRIES = 5
HELD = tuple(sorted(HOLDS))


class SlotFull(Refused):
    """Nothing is left: whoever wants may wait."""


@dataclass(frozen=True)
class Own:
    """One live appointment of a person, as far as another must know of it."""

    item_id: int
    slot_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Held:
    """A slot as the database has it while it is booked, and what the person has in its week."""

    state: SlotState
    served: bool
    waits: bool
    own: tuple[Own, ...]


def book(
    slot: Slot,
    item: Item,
    person: Person,
    *,
    by: Actor,
    channel: Channel,
    note: str = "",
    consent: str = "",
    idem: str = "",
) -> Appointment:
    """Book a place in a slot; the same `idem` again gives the same appointment."""
    public_id = ids.new_public_id()
    hold_person(person)
    said = json.dumps([slot.id, item.id, person.public_id, note], ensure_ascii=False)
    earlier = tokens.first_request(by.public_id, "catalogue.book", idem, said, public_id)
    if earlier is not None:
        return by_public_id(earlier)
    waits = check(slot, item, person)
    places.take(slot.capacity_id, 1, refusal=_full())
    if waits:
        leave_line(person, slot)
    return write(public_id, slot, item, person, by=by, channel=channel, note=note, consent=consent)


def hold_person(person: Person) -> None:
    """Lock the person for this transaction, so that what she books comes one after the other."""
    state, merged_into_id = rows_of(_holding(), {"person": person.id})[0]
    if merged_into_id is not None:
        raise Refused(_("这份档案已并入另一份，请重新查找这位居民再预约。"))
    if state is PersonState.DEAD:
        raise Refused(_("档案里登记为已去世，不能预约。如果登记有误，请联系社区更正。"))


@cache
def _holding() -> sa.Select[PersonState, int | None]:
    query = sa.select(Person.state, Person.merged_into_id).where(Person.id == sa.bindparam("person"))
    return query.with_for_update(key_share=True)


def leave_line(person: Person, slot: Slot) -> None:
    """Who has a place in a slot waits for it no more."""
    waiting = places.waiting_for(slot.capacity_id, person)
    if waiting is not None:
        places.leave(waiting)


def check(slot: Slot, item: Item, person: Person, *, but: Appointment | None = None, line: bool = False) -> bool:
    """Refuse what the slot, the item's limits or the person's own appointments do not allow; `but` is being moved.

    `line` asks for a place in the line alone: an appointment of the same time does not matter yet. Return whether the
    person stands in the line of the slot.
    """
    held = _held(slot, item, person)
    _check_slot(slot, item, held)
    own = [one for one in held.own if but is None or one.slot_id != but.slot_id]
    if any(one.slot_id == slot.id for one in own):
        raise Refused(_("%(name)s已经约了这个时段，不用再约。", name=person.name))
    if not line:
        _check_overlap(slot, person, own)
    _check_day(slot, item, person, own)
    _check_week(slot, item, person, own)
    return held.waits


def _held(slot: Slot, item: Item, person: Person) -> Held:
    """The slot's row, held against being closed until the commit, with the person's own appointments of that week."""
    monday = slot.day - timedelta(days=slot.day.weekday())
    asked = {"slot": slot.id, "item": item.id, "person": person.id, "first": monday, "last": monday + timedelta(days=6)}
    rows = rows_of(_holding_slot(), asked)
    if not rows:
        raise Missing
    own = tuple(Own(row.of_item, row.slot_id, row.starts_at, row.ends_at) for row in rows if row.slot_id is not None)
    return Held(rows[0].state, rows[0].serves is not None, bool(rows[0].waits), own)


@cache
def _holding_slot() -> sa.Select[Any]:
    serves = (
        sa.select(timetable_item.c.item_id)
        .where(timetable_item.c.timetable_id == Slot.timetable_id, timetable_item.c.item_id == sa.bindparam("item"))
        .scalar_subquery()
    )
    whose = people.merged_into(Person.id == sa.bindparam("person"))
    waits = (
        sa.select(sa.func.count())
        .where(Waiting.capacity_id == Slot.capacity_id, Waiting.person_id.in_(whose), Waiting.state.in_(places.LIVE))
        .scalar_subquery()
    )
    mine = sa.and_(
        Appointment.person_id.in_(whose),
        Appointment.day.between(sa.bindparam("first"), sa.bindparam("last")),
        Appointment.state.in_(HELD),
    )
    return (
        sa.select(
            Slot.state,
            serves.label("serves"),
            waits.label("waits"),
            Appointment.item_id.label("of_item"),
            Appointment.slot_id,
            Appointment.starts_at,
            Appointment.ends_at,
        )
        .outerjoin(Appointment, mine)
        .where(Slot.id == sa.bindparam("slot"))
        .order_by(Appointment.starts_at, Appointment.id)
        .with_for_update(read=True, of=Slot)
    )


def _check_slot(slot: Slot, item: Item, held: Held) -> None:
    if not held.served or not item.is_shown(today()):
        raise Refused(_("「%(item)s」现在不能在这个时段预约，请看看别的时间，或打社区电话。", item=item.title))
    if held.state is SlotState.CALLED_OFF:
        raise Refused(_("这个时段已经取消，请换一个时间。"))
    if held.state is not SlotState.OPEN:
        raise Refused(_("这个时段已经停止预约，请换一个时间。"))
    if now() >= slot.starts_at:
        raise Refused(_("这个时段已经开始，请换一个晚些的时间。"))
    if slot.day > last_day(item):
        raise Refused(_("最多提前 %(days)d 天预约，请选近一些的日子。", days=item.ahead_days))


def last_day(item: Item) -> date:
    """The last day that may be booked today."""
    return today() + timedelta(days=item.ahead_days)


def _check_overlap(slot: Slot, person: Person, own: Iterable[Own]) -> None:
    other = next((one for one in own if one.starts_at < slot.ends_at and slot.starts_at < one.ends_at), None)
    if other is None:
        return
    title = db.session.get_one(Item, other.item_id).title
    words = _("%(name)s在这个时间已经约了「%(item)s」，请换一个时间，或先取消那一次。", name=person.name, item=title)
    raise Refused(words)


def _check_day(slot: Slot, item: Item, person: Person, own: Sequence[Own]) -> None:
    count = sum(one.item_id == item.id and local(one.starts_at).date() == slot.day for one in own)
    if item.per_day is not None and count >= item.per_day:
        words = _(
            "「%(item)s」每人每天最多约 %(most)d 次，%(name)s在 %(day)s 已经约过，请选另一天，或把那一次改个时间。",
            item=item.title,
            most=item.per_day,
            name=person.name,
            day=day_words(slot.day),
        )
        raise Refused(words)


def _check_week(slot: Slot, item: Item, person: Person, own: Sequence[Own]) -> None:
    count = sum(one.item_id == item.id for one in own)
    if item.per_week is not None and count >= item.per_week:
        words = _(
            "「%(item)s」每人每周最多约 %(most)d 次，%(name)s在 %(day)s 那一周已经约满，请选另一周。",
            item=item.title,
            most=item.per_week,
            name=person.name,
            day=day_words(slot.day),
        )
        raise Refused(words)


def write(
    public_id: str, slot: Slot, item: Item, person: Person, *, by: Actor, channel: Channel, note: str, consent: str
) -> Appointment:
    """Insert an appointment whose place is taken already, and tell the person."""
    moment = now()
    row = {
        "public_id": public_id,
        "person_id": person.id,
        "item_id": item.id,
        "slot_id": slot.id,
        "day": slot.day,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "state": AppointmentState.BOOKED,
        "channel": channel,
        "consent": consent,
        "note": note or None,
        "placed_at": moment,
        "placed_by": by.public_id,
        "placed_by_name": by.name,
        "changed_at": moment,
    }
    appointment = _inserted(row)
    with together():
        audit.record(
            "catalogue.appointment_booked",
            appointment,
            on_behalf_of=person.public_id,
            slot=slot.id,
            item=item.id,
            channel=channel.value,
            consent=bool(consent),
        )
        telling.booked(appointment, slot, item, person, by)
    return appointment


def _inserted(row: dict[str, Any]) -> Appointment:
    """With a code that nobody has; a live appointment in the slot is one that another transaction just made."""
    for _try in range(CODE_TRIES):
        appointment = insert_new(Appointment, {**row, "code": ids.short_code(6)})
        if appointment is not None:
            return appointment
    raise Refused(_("没有约成，可能刚才已经约过。请到“我的预约”看一看，再试一次。"))


def _full() -> SlotFull:
    return SlotFull(_("这个时段刚刚约满了。可以换一个时间，也可以候补：有人取消时会按次序通知您。"))


def by_public_id(public_id: str) -> Appointment:
    appointment = db.session.scalar(sa.select(Appointment).where(Appointment.public_id == public_id))
    if appointment is None:
        raise Missing
    return appointment
