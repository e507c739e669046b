"""Blocking a room for a time with a reason; what is booked there must go first, by choice with the blocking itself."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload

from portal.catalogue.models.rooms import LIVE, RoomBlock, RoomBooking, RoomQuarter, RoomRule
from portal.catalogue.service.rooms import booking, holding, words
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.registry.models import Facility, Room
from portal.registry.service.resources.listing import in_reach

LONGEST = timedelta(days=62)


def block(
    rule: RoomRule, starts_at: datetime, ends_at: datetime, reason: str, *, by: Actor, clear: bool = False
) -> RoomBlock:
    """Keep a room free of bookings. With `clear` the bookings in the way are cancelled with the same reason."""
    _refuse_time(starts_at, ends_at)
    if clear:
        for standing in in_the_way(rule, starts_at, ends_at):
            booking.call_off(standing, reason, by=by)
    made = RoomBlock(
        room_id=rule.room_id,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        made_at=now(),
        made_by=by.public_id,
        made_by_name=by.name,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
            db.session.flush()
            holding.hold_block(made)
    except Refused:
        raise Refused(_in_the_way_words(rule, starts_at, ends_at), field="clear") from None
    audit.record("rooms.blocked", made, room=rule.room.name, reason=reason)
    return made


def _refuse_time(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise Refused(_("结束要晚于开始。"), field="until")
    if ends_at <= now():
        raise Refused(_("这段时间已经过去了。"), field="until")
    if ends_at - starts_at > LONGEST:
        raise Refused(_("一次最多停用两个月；更久请在规则里关闭预约。"), field="until")


def in_the_way(rule: RoomRule, starts_at: datetime, ends_at: datetime) -> list[RoomBooking]:
    """The live bookings that hold some of a time, with the cleaning time that they were made with."""
    held = sa.select(RoomQuarter.booking_id).where(
        RoomQuarter.room_id == rule.room_id, RoomQuarter.at >= starts_at, RoomQuarter.at < ends_at
    )
    query = (
        sa.select(RoomBooking)
        .where(RoomBooking.id.in_(held), RoomBooking.state.in_(LIVE))
        .options(joinedload(RoomBooking.person), joinedload(RoomBooking.organisation))
        .order_by(RoomBooking.starts_at, RoomBooking.id)
    )
    return list(db.session.scalars(query))


def _in_the_way_words(rule: RoomRule, starts_at: datetime, ends_at: datetime) -> str:
    standing = in_the_way(rule, starts_at, ends_at)
    if not standing:
        return _("这段时间里已经有停用或排好的服务，请换一段时间。")
    listed = _("；").join(f"{words.when(one)} {words.whom(one)}" for one in standing[:5])
    return _(
        "这段时间里有 %(count)d 个预约：%(listed)s。请先取消，或勾选“连同预约一起取消”。",
        count=len(standing),
        listed=listed,
    )


def block_in(within: Collection[Scope], block_id: int) -> RoomBlock:
    query = (
        sa.select(RoomBlock)
        .join(RoomBlock.room)
        .join(Room.facility)
        .where(RoomBlock.id == block_id, in_reach(Facility.community_id, within))
        .options(contains_eager(RoomBlock.room).contains_eager(Room.facility))
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def blocks_of(rule: RoomRule) -> list[RoomBlock]:
    """What stands or is still to come, soonest first."""
    query = sa.select(RoomBlock).where(
        RoomBlock.room_id == rule.room_id, RoomBlock.lifted_at.is_(None), RoomBlock.ends_at > now()
    )
    return list(db.session.scalars(query.order_by(RoomBlock.starts_at, RoomBlock.id)))


def lift(found: RoomBlock, *, by: Actor) -> None:
    """End a blocking: the room can be booked again. Once is enough."""
    open_still = sa.and_(RoomBlock.id == found.id, RoomBlock.lifted_at.is_(None))
    if not guarded(sa.update(RoomBlock).where(open_still).values(lifted_at=now(), lifted_by_name=by.name)):
        raise Refused(_("这次停用已经取消了。"))
    holding.let_go_block(found)
    audit.record("rooms.unblocked", found, reason=found.reason)
