"""The quarters of a room that a booking or a blocking holds: the database lets nobody hold one twice."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.rooms import QUARTER, RoomBlock, RoomBooking, RoomQuarter
from portal.core.db import db, insert, unique_or
from portal.core.errors import Refused

STEP = timedelta(minutes=QUARTER)


def quarters(starts_at: datetime, ends_at: datetime) -> list[datetime]:
    """The beginnings of the quarters of a time, in order."""
    return [starts_at + STEP * turn for turn in range(-(-(ends_at - starts_at) // STEP))]


def taken_words() -> Refused:
    return Refused(_("这段时间已经有人约了，请换一个时间或换一间房。"), field="from")


def hold(booking: RoomBooking, *, buffer: int) -> None:
    """Take a booking's time and the minutes of cleaning after it, all or nothing."""
    until = booking.ends_at + timedelta(minutes=buffer)
    _take(booking.room_id, quarters(booking.starts_at, until), booking_id=booking.id)


def hold_block(block: RoomBlock) -> None:
    _take(block.room_id, quarters(block.starts_at, block.ends_at), block_id=block.id)


def _take(room_id: int, moments: list[datetime], **held: int) -> None:
    """In the order of time, so that two who overlap never wait for each other in a circle."""
    rows = [{"room_id": room_id, "at": moment, "booking_id": None, "block_id": None, **held} for moment in moments]
    with unique_or(taken_words()):
        insert(RoomQuarter, *rows)


def let_go(booking: RoomBooking, *, since: datetime | None = None) -> None:
    """Give a booking's quarters back, all of them or those from a moment on."""
    gone = sa.delete(RoomQuarter).where(RoomQuarter.booking_id == booking.id)
    db.session.execute(gone.where(RoomQuarter.at >= since) if since else gone)


def let_go_block(block: RoomBlock) -> None:
    db.session.execute(sa.delete(RoomQuarter).where(RoomQuarter.block_id == block.id))


def taken(room_ids: Collection[int], starts_at: datetime, ends_at: datetime) -> dict[int, dict[datetime, RoomQuarter]]:
    """What is taken of some rooms between two moments: by room and quarter, in one question."""
    query = (
        sa.select(RoomQuarter)
        .where(RoomQuarter.room_id.in_(room_ids), RoomQuarter.at >= starts_at, RoomQuarter.at < ends_at)
        .order_by(RoomQuarter.room_id, RoomQuarter.at)
    )
    found: dict[int, dict[datetime, RoomQuarter]] = {room_id: {} for room_id in room_ids}
    for row in db.session.scalars(query):
        found[row.room_id][row.at] = row
    return found
