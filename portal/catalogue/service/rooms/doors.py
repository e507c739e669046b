"""What the doors of the catalogue say of rooms: to do, timeline, export, forgetting."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.rooms import RoomBlock, RoomBooking, RoomQuarter, RoomSeries
from portal.catalogue.service.rooms import history, words
from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person

_BULK = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """What waits to be confirmed, and what is over without anybody having said whether they came."""
    within = scopes_of(worker, Permission.CATALOGUE_SERVE)
    if not within:
        return []
    counts = history.counts(within)
    found = [
        Todo(_("房间预约等确认"), "catalogue.worker.room_bookings", {"tab": "requested"}, counts["requested"]),
        Todo(_("房间用完没有登记"), "catalogue.worker.room_bookings", {"tab": "unmarked"}, counts["unmarked"]),
    ]
    return [todo for todo in found if todo.count]


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    return [
        Line(
            one.placed_at,
            _("房间预约：%(place)s，%(state)s", place=words.place(one), state=words.said(one.state)),
            _("%(when)s，%(purpose)s", when=words.when(one), purpose=one.purpose),
            "catalogue.worker.room_booking",
            {"public_id": one.public_id},
        )
        for one in history.bookings_of(person, limit=limit)
    ]


def export(person: Person) -> list[dict[str, Any]]:
    """What is held about a person's use of rooms, for her own copy."""
    return [
        {
            _("房间"): words.place(one),
            _("日期"): clock.local(one.starts_at).date().isoformat(),
            _("时间"): words.when(one),
            _("用途"): one.purpose,
            _("人数"): one.headcount,
            _("给谁"): words.whom(one),
            _("状态"): words.said(one.state),
            _("原因"): one.why,
            _("怎么约的"): words.said(one.through),
            _("本人同意"): one.consent,
            _("下单时间"): f"{clock.local(one.placed_at):%Y-%m-%d %H:%M}",
            _("下单人"): one.placed_by_name,
        }
        for one in history.bookings_of(person, limit=1000)
    ]


def purge(before: date) -> int:
    """Forget bookings and blockings that ended before a day, and series of which nothing is left."""
    moment = clock.day_bounds(before)[0]
    bookings = sa.select(RoomBooking.id).where(RoomBooking.ends_at < moment)
    blocks = sa.select(RoomBlock.id).where(RoomBlock.ends_at < moment)
    for held in (RoomQuarter.booking_id.in_(bookings), RoomQuarter.block_id.in_(blocks)):
        db.session.execute(sa.delete(RoomQuarter).where(held), execution_options=_BULK)
    gone = db.session.execute(sa.delete(RoomBooking).where(RoomBooking.ends_at < moment), execution_options=_BULK)
    db.session.execute(sa.delete(RoomBlock).where(RoomBlock.ends_at < moment), execution_options=_BULK)
    used = sa.select(RoomBooking.series_id).where(RoomBooking.series_id.is_not(None))
    old = sa.delete(RoomSeries).where(RoomSeries.made_at < moment, RoomSeries.id.not_in(used))
    db.session.execute(old, execution_options=_BULK)
    return int(getattr(gone, "rowcount", 0))
