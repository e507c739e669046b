"""Booking a room and what becomes of it: each act is checked again inside the transaction that writes."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.rooms import (
    BOOKING_MOVES,
    LIVE,
    BookedBy,
    Booker,
    BookingState,
    RoomBooking,
    RoomRule,
)
from portal.catalogue.service import reach
from portal.catalogue.service.rooms import holding, rules, words
from portal.core import audit, ids, outbox, tokens
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.registry.models import Organisation, Person
from portal.registry.service import people


@dataclass(frozen=True)
class Wish:
    """What somebody wants a room for. Neither person nor organisation: the community's own use."""

    purpose: str
    headcount: int
    starts_at: datetime
    ends_at: datetime
    through: BookedBy
    person: Person | None = None
    organisation: Organisation | None = None
    consent: str = ""

    @property
    def booker(self) -> Booker:
        return Booker.ORGANISATION if self.organisation else Booker.RESIDENT

    def body(self, rule: RoomRule) -> str:
        """In one fixed form: two requests under one key must agree on it."""
        whom = (self.person.public_id if self.person else "", self.organisation.id if self.organisation else 0)
        when = (self.starts_at.isoformat(), self.ends_at.isoformat())
        return json.dumps([rule.room_id, *whom, *when, self.purpose, self.headcount, self.consent], ensure_ascii=False)


def book(rule: RoomRule, wish: Wish, *, by: Actor, idem: str = "", series_id: int | None = None) -> RoomBooking:
    """Book a room; the same `idem` again gives the same booking. By a worker it is confirmed at once."""
    public_id = ids.new_public_id()
    earlier = tokens.first_request(by.public_id, "rooms.book", idem, wish.body(rule), public_id)
    if earlier is not None:
        return by_public_id(earlier)
    _hold_booker(wish)
    check(rule, wish, counted=series_id is None)
    waits = rule.needs_confirmation and wish.through is not BookedBy.COUNTER
    booking = _made(rule, wish, public_id, by, BookingState.REQUESTED if waits else BookingState.CONFIRMED)
    booking.series_id = series_id
    # Refused or not, no booking stands that holds no time.
    with db.session.begin_nested():
        with unique_or(Refused(_("请再提交一次。"))):
            db.session.add(booking)
        holding.hold(booking, buffer=rule.buffer)
    on_behalf_of = wish.person.public_id if wish.person and wish.through is not BookedBy.SELF else ""
    facts: dict[str, Any] = {"room": booking.room_id, "state": booking.state.value, "through": wish.through.value}
    audit.record("rooms.booked", booking, on_behalf_of=on_behalf_of, **facts)
    if series_id is None:
        tell(booking, "room_requested" if waits else "room_confirmed", by)
    return booking


def _made(rule: RoomRule, wish: Wish, public_id: str, by: Actor, state: BookingState) -> RoomBooking:
    return RoomBooking(
        public_id=public_id,
        code=ids.short_code(),
        room_id=rule.room_id,
        room=rule.room,
        person=wish.person,
        organisation=wish.organisation,
        purpose=wish.purpose,
        headcount=wish.headcount,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        state=state,
        through=wish.through,
        consent=wish.consent,
        placed_at=now(),
        placed_by=by.public_id,
        placed_by_name=by.name,
        changed_at=now(),
        changed_by_name=by.name,
    )


def check(rule: RoomRule, wish: Wish, *, counted: bool = True) -> None:
    """Every rule of the room but the conflict, which the database refuses. Workers book nearer and farther.

    Not `counted` are the occurrences of a series: how long and how many is the worker's own decision.
    """
    counter = wish.through is BookedBy.COUNTER
    if not rule.is_open and not counter:
        raise Refused(_("这间房暂时不开放预约，请换一间，或打社区电话问问。"))
    if rule.room.closed_on or rule.room.facility.closed_on:
        raise Refused(_("这间房已经停用，请换一间。"))
    rules.refuse_hours(rule, wish.starts_at, wish.ends_at)
    if wish.starts_at < now() - timedelta(hours=12 if counter else 0):
        raise Refused(_("这个时间已经过去了，请选以后的时间。"), field="from")
    if not counter:
        rules.refuse_booker(rule, wish.booker)
        rules.refuse_ahead(rule, wish.starts_at)
    if rule.room.capacity and wish.headcount > rule.room.capacity:
        words_ = _("这间房最多坐 %(count)d 人，请换一间大一点的。", count=rule.room.capacity)
        raise Refused(words_, field="headcount")
    if wish.person or wish.organisation:
        _refuse_outsider(rule, wish)
        rules.refuse_uses(rule, wish.starts_at, wish.ends_at)
    if counted and (wish.person or wish.organisation):
        rules.refuse_length(rule, wish.starts_at, wish.ends_at)
        _refuse_more(rule, wish)


def _refuse_outsider(rule: RoomRule, wish: Wish) -> None:
    """A room serves the residents and organisations of its community."""
    home = wish.organisation.community_id if wish.organisation else wish.person.community_id if wish.person else None
    if home != rule.room.facility.community_id:
        name = rule.room.facility.community.name
        raise Refused(_("这间房只给%(name)s的居民和组织用，请选自己社区的活动室。", name=name), field="whose")


def _refuse_more(rule: RoomRule, wish: Wish) -> None:
    """How many bookings of the room somebody holds that are still to come or running."""
    query = sa.select(sa.func.count(RoomBooking.id)).where(
        RoomBooking.room_id == rule.room_id, RoomBooking.state.in_(LIVE), RoomBooking.ends_at > now()
    )
    if wish.organisation:
        query = query.where(RoomBooking.organisation_id == wish.organisation.id)
    elif wish.person:
        mine = RoomBooking.person_id.in_(people.ids_of(wish.person))
        query = query.where(mine, RoomBooking.organisation_id.is_(None))
    if (db.session.scalar(query) or 0) >= rule.most_held:
        words_ = _("这间房同时最多约 %(count)d 次，已经约满了。用完或取消一次后再约。", count=rule.most_held)
        raise Refused(words_)


def _hold_booker(wish: Wish) -> None:
    """Lock who books, so that two bookings for one come one after the other and neither passes the limit."""
    if wish.organisation:
        held = sa.select(Organisation.closed_on).where(Organisation.id == wish.organisation.id)
        if db.session.scalar(held.with_for_update(key_share=True)) is not None:
            raise Refused(_("这个组织已经停用，不能再约。如果登记有误，请联系社区更正。"), field="whose")
    if wish.person:
        held_person = sa.select(Person).where(Person.id == wish.person.id).with_for_update(key_share=True)
        person = db.session.scalars(held_person.execution_options(populate_existing=True)).one()
        if not people.is_served(person):
            raise Refused(_("这份档案已注销或并入另一份，不能再约。如果登记有误，请联系社区更正。"), field="whose")


def can_cancel(booking: RoomBooking, rule: RoomRule, at: datetime) -> bool:
    """Whether the resident may still cancel: until the limit of the room."""
    return booking.is_live() and at <= booking.starts_at - timedelta(hours=rule.cancel_ahead)


def cancel(booking: RoomBooking, rule: RoomRule, *, by: Actor, reason: str = "") -> None:
    """The resident cancels, until the limit."""
    if booking.is_live() and not can_cancel(booking, rule, now()):
        count = rule.cancel_ahead
        raise Refused(_("要在开始前 %(count)d 小时取消。来不了请尽快打社区电话，让给别人用。", count=count))
    move(booking, BookingState.CANCELLED, by=by, why=reason)
    holding.let_go(booking)
    tell(booking, "room_cancelled", by)


def reschedule(booking: RoomBooking, rule: RoomRule, wish: Wish, *, by: Actor) -> None:
    """The resident takes another time of the same room, until the limit; the code stays. All or nothing: where the
    new time is taken she keeps the old one.
    """
    if not can_cancel(booking, rule, now()):
        count = rule.cancel_ahead
        raise Refused(_("要在开始前 %(count)d 小时改时间。来不了请尽快打社区电话，让给别人用。", count=count))
    _hold_booker(wish)
    check(rule, wish, counted=False)
    rules.refuse_length(rule, wish.starts_at, wish.ends_at)
    before = booking.starts_at
    with db.session.begin_nested():
        _reschedule(booking, rule, wish, by)
        holding.let_go(booking)
        holding.hold(booking, buffer=rule.buffer)
    audit.record("rooms.moved", booking, before=before.isoformat(), after=booking.starts_at.isoformat())
    tell(booking, "room_requested" if rule.needs_confirmation else "room_moved", by)


def _reschedule(booking: RoomBooking, rule: RoomRule, wish: Wish, by: Actor) -> None:
    """From the time that was read: who cancels or moves it meanwhile wins."""
    state = BookingState.REQUESTED if rule.needs_confirmation else BookingState.CONFIRMED
    same_time = RoomBooking.starts_at == booking.starts_at
    values = {"starts_at": wish.starts_at, "ends_at": wish.ends_at, "headcount": wish.headcount, "reminded": 0}
    # One that stays in its state takes another time all the same.
    if not _move_from([*_before(state), state], booking, state, same_time, by=by, why="", **values):
        raise Refused(_("这个预约刚刚有人改过，请看看它现在的样子。"))


def confirm(booking: RoomBooking, *, by: Actor) -> None:
    move(booking, BookingState.CONFIRMED, by=by)
    tell(booking, "room_confirmed", by)


def refuse(booking: RoomBooking, reason: str, *, by: Actor) -> None:
    move(booking, BookingState.REFUSED, by=by, why=_said(reason))
    holding.let_go(booking)
    tell(booking, "room_refused", by, reason=reason)


def call_off(booking: RoomBooking, reason: str, *, by: Actor) -> None:
    """A worker cancels, with a reason and a notice, also past the resident's limit."""
    move(booking, BookingState.CANCELLED, by=by, why=_said(reason))
    holding.let_go(booking)
    tell(booking, "room_cancelled", by, reason=reason)


def mark_used(booking: RoomBooking, *, by: Actor) -> None:
    """They came. A no-show is put right with a reason, by put_right()."""
    _refuse_before(booking)
    if booking.state is BookingState.NO_SHOW:
        raise Refused(_("已经登记为没有来。登记错了请点“登记错了，其实来了”，并写明原因。"))
    move(booking, BookingState.USED, by=by)


def put_right(booking: RoomBooking, reason: str, *, by: Actor) -> None:
    """A no-show that was none."""
    if booking.state is not BookingState.NO_SHOW:
        raise Refused(_("只有登记为没有来的预约才用更正。"))
    move(booking, BookingState.USED, by=by, why=_said(reason))


def mark_no_show(booking: RoomBooking, reason: str, *, by: Actor) -> None:
    """Nobody came: what is left of the time is free again."""
    _refuse_before(booking)
    move(booking, BookingState.NO_SHOW, by=by, why=_said(reason))
    holding.let_go(booking, since=now())
    tell(booking, "room_missed", by, reason=reason)


def has_begun(booking: RoomBooking, at: datetime) -> bool:
    """Whether it may be said who came: from half an hour before."""
    return at >= booking.starts_at - timedelta(minutes=30)


def _refuse_before(booking: RoomBooking) -> None:
    if not has_begun(booking, now()):
        raise Refused(_("还没到使用时间，开始前半小时内才能登记。"))


def _said(reason: str) -> str:
    if not reason.strip():
        raise Refused(_("请写明原因，对方会看到。"), field="reason")
    return reason.strip()


def move(booking: RoomBooking, state: BookingState, *, by: Actor, why: str = "") -> None:
    """Move a booking by a guarded UPDATE; of two who act at once one wins."""
    if not _move_from(_before(state), booking, state, by=by, why=why):
        db.session.refresh(booking, ["state"])
        raise Refused(_("这个预约现在是“%(state)s”，不能再这样办理。", state=words.said(booking.state)))
    audit.record(f"rooms.{state.value}", booking, reason=why)


def _before(state: BookingState) -> list[BookingState]:
    return [old for old, following in BOOKING_MOVES.items() if state in following]


def _move_from(
    before: Collection[BookingState],
    booking: RoomBooking,
    state: BookingState,
    *conditions: sa.ColumnElement[bool],
    by: Actor,
    **values: Any,
) -> bool:
    """Whether the booking was in one of some states, and so moved."""
    where = sa.and_(RoomBooking.id == booking.id, RoomBooking.state.in_(before), *conditions)
    changed = {"state": state, "changed_at": now(), "changed_by_name": by.name, **values}
    moved = guarded(sa.update(RoomBooking).where(where).values(**changed))
    if moved:
        db.session.refresh(booking, list(changed))
    return moved


def by_public_id(public_id: str) -> RoomBooking:
    booking = db.session.scalar(sa.select(RoomBooking).where(RoomBooking.public_id == public_id))
    if booking is None:
        raise Missing
    return booking


def tell(booking: RoomBooking, event: str, by: Actor | None, *, reason: str = "") -> None:
    """The person it is for hears of it, and the family agent or applicant who booked it, each once."""
    facts = {"place": words.place(booking), "when": words.when(booking), "code": booking.code, "reason": reason}
    if booking.told is None:
        return
    outbox.enqueue(f"catalogue.{event}", to=booking.told, **facts)
    if booking.through is not BookedBy.AGENT or booking.person is None:
        return
    is_other = by is None or booking.placed_by != by.public_id
    if is_other and reach.still_acts(booking.placed_by, booking.person, "catalogue.book"):
        outbox.enqueue(f"catalogue.{event}", to=Recipient("account", booking.placed_by), **facts)
