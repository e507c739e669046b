"""Who or what a slot takes: a member of staff, a room or a desk is in one place at a time, held by the database."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.rooms import QUARTER, RoomQuarter
from portal.catalogue.models.schedules import STEP_MINUTES, Of, Slot, SlotHold, Timetable
from portal.core.db import db, insert, unique_or
from portal.core.errors import Refused
from portal.registry.models import Room, Staff


class Lasting(Protocol):
    """What has a beginning and an end."""

    @property
    def starts_at(self) -> datetime: ...
    @property
    def ends_at(self) -> datetime: ...


def lock(timetable: Timetable) -> None:
    """Let those who open slots of one timetable, of one member of staff or in one room come one after the other.

    It lets rows be written that refer to these: else two who had just written theirs would wait for each other.
    """
    if timetable.staff_id is not None:
        db.session.execute(sa.select(Staff.id).where(Staff.id == timetable.staff_id).with_for_update(key_share=True))
    if timetable.room_id is not None:
        db.session.execute(sa.select(Room.id).where(Room.id == timetable.room_id).with_for_update(key_share=True))
    db.session.execute(sa.select(Timetable.id).where(Timetable.id == timetable.id).with_for_update(key_share=True))


def step(timetable: Timetable) -> timedelta:
    return timedelta(minutes=QUARTER if timetable.of is Of.ROOM else STEP_MINUTES)


def pieces(timetable: Timetable, span: Lasting) -> list[datetime]:
    """The instants that stand for a span: every five minutes, in a room every quarter."""
    width, found, at = step(timetable), [], span.starts_at
    if timetable.of is Of.ROOM:
        at -= timedelta(minutes=at.minute % QUARTER)
    while at < span.ends_at:
        found.append(at)
        at += width
    return found


def _whose(timetable: Timetable) -> tuple[str, int]:
    if timetable.of is Of.STAFF and timetable.staff_id is not None:
        return "staff", timetable.staff_id
    return "desk", timetable.id


def taken(timetable: Timetable, spans: Collection[Lasting]) -> set[datetime]:
    """What of some spans is taken already."""
    if not spans:
        return set()
    first, last = min(span.starts_at for span in spans), max(span.ends_at for span in spans)
    first -= timedelta(minutes=QUARTER)
    if timetable.of is Of.ROOM:
        query = sa.select(RoomQuarter.at).where(
            RoomQuarter.room_id == timetable.room_id, RoomQuarter.at >= first, RoomQuarter.at < last
        )
    else:
        kind, ref = _whose(timetable)
        query = sa.select(SlotHold.at).where(
            SlotHold.kind == kind, SlotHold.ref == ref, SlotHold.at >= first, SlotHold.at < last
        )
    return set(db.session.scalars(query))


def clashes(timetable: Timetable, span: Lasting, known: Collection[datetime]) -> bool:
    return any(at in known for at in pieces(timetable, span))


def hold(timetable: Timetable, slots: Iterable[Slot]) -> None:
    """Take what some slots need; whoever else took a piece of it meanwhile has it, which is refused."""
    rows = [(slot.id, at) for slot in slots for at in pieces(timetable, slot)]
    if not rows:
        return
    words = _("有人刚刚排了同一时间，请再保存一次。")
    with unique_or(Refused(words)):
        if timetable.of is Of.ROOM:
            insert(RoomQuarter, *({"room_id": timetable.room_id, "at": at, "slot_id": number} for number, at in rows))
        else:
            kind, ref = _whose(timetable)
            insert(SlotHold, *({"kind": kind, "ref": ref, "at": at, "slot_id": number} for number, at in rows))


def release(slot: Slot) -> None:
    """Give back what a slot had taken of somebody's time."""
    db.session.execute(sa.delete(SlotHold).where(SlotHold.slot_id == slot.id))
    db.session.execute(sa.delete(RoomQuarter).where(RoomQuarter.slot_id == slot.id))


def holder_words(timetable: Timetable, at: datetime) -> str:
    """Which timetable or booking has an instant that another wants."""
    query = (
        sa.select(Timetable.name)
        .join(Slot, Slot.timetable_id == Timetable.id)
        .outerjoin(SlotHold, SlotHold.slot_id == Slot.id)
        .outerjoin(RoomQuarter, RoomQuarter.slot_id == Slot.id)
    )
    kind, ref = _whose(timetable)
    here = sa.and_(SlotHold.kind == kind, SlotHold.ref == ref, SlotHold.at == at)
    if timetable.of is Of.ROOM:
        here = sa.and_(RoomQuarter.room_id == timetable.room_id, RoomQuarter.at == at)
    return db.session.scalar(query.where(here).order_by(Timetable.id).limit(1)) or _("房间预约")
