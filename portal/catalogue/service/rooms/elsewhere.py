"""Rooms that another capability takes, a meeting of residents above all: its time is held like any booking's.

It asks by an event, and is answered by what stands in the way; refusing is its own.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.rooms import RoomBlock, RoomBooking
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service.rooms import holding, words
from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import Room

# How much of what is in the way a refusal names.
NAMED = 3


def on_room_wanted(
    *, room_id: int, starts_at: datetime, ends_at: datetime, reason: str, by: Actor, taken: list[str], **_facts: object
) -> None:
    """Hold a room for a time under words everybody may read; where it is not free, add to `taken` what is there."""
    begins, ends = _whole(starts_at, ends_at)
    facts = {"made_at": now(), "made_by": by.public_id, "made_by_name": by.name}
    made = RoomBlock(room_id=room_id, starts_at=begins, ends_at=ends, reason=reason[:100], **facts)
    try:
        with db.session.begin_nested():
            db.session.add(made)
            db.session.flush()
            holding.hold_block(made)
    except Refused:
        taken += _standing(room_id, begins, ends)
        return
    audit.record("rooms.blocked", made, room=db.session.get_one(Room, room_id).name, reason=reason)


def on_room_given_back(*, room_id: int, starts_at: datetime, ends_at: datetime, by: Actor, **_facts: object) -> None:
    """Let go what was held for somebody else: two cannot hold one time, so the room and the time name it."""
    begins, ends = _whole(starts_at, ends_at)
    held = sa.select(RoomBlock).where(
        RoomBlock.room_id == room_id,
        RoomBlock.starts_at == begins,
        RoomBlock.ends_at == ends,
        RoomBlock.lifted_at.is_(None),
    )
    for found in list(db.session.scalars(held.order_by(RoomBlock.id))):
        found.lifted_at, found.lifted_by_name = now(), by.name
        db.session.flush()
        holding.let_go_block(found)
        audit.record("rooms.unblocked", found, reason=found.reason)


def _whole(starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """The whole quarters that a time touches; midnight in Shanghai is one in UTC too."""
    step, first = holding.STEP, starts_at.replace(second=0, microsecond=0)
    begins = first - timedelta(minutes=first.minute % (step // timedelta(minutes=1)))
    return begins, begins + step * len(holding.quarters(begins, ends_at))


def _standing(room_id: int, begins: datetime, ends: datetime) -> list[str]:
    """What holds some of a time, soonest first, without anybody's name."""
    rows = holding.taken([room_id], begins, ends)[room_id].values()
    holders = dict.fromkeys((row.booking_id, row.block_id, row.slot_id) for row in rows)
    return [_named(*holder) for holder in list(holders)[:NAMED]] or [_("有人刚刚约走")]


def _named(booking_id: int | None, block_id: int | None, slot_id: int | None) -> str:
    if booking_id:
        return _("%(when)s 已经有人预约", when=words.when(db.session.get_one(RoomBooking, booking_id)))
    if block_id:
        block = db.session.get_one(RoomBlock, block_id)
        return f"{words.span_words(block.starts_at, block.ends_at)} {block.reason}"
    slot = db.session.get_one(Slot, slot_id)
    return f"{words.span_words(slot.starts_at, slot.ends_at)} {slot.timetable.name}"
