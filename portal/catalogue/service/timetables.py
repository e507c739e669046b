"""Keeping timetables: what a worker says of one, checked, written and opened at once; exceptions; lists."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.catalogue.models.codes import ItemKind, ItemState
from portal.catalogue.models.items import Item
from portal.catalogue.models.rooms import QUARTER
from portal.catalogue.models.schedules import (
    STEP_MINUTES,
    Break,
    DayException,
    MakeUp,
    Of,
    Slot,
    Timetable,
    WeeklyHours,
)
from portal.catalogue.service import holds, opening, seeing
from portal.catalogue.service.opening import Opened
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import local, now, today
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.core.web import day_words
from portal.places.models import Capacity
from portal.registry.models import Facility, Room, Staff

Hours = tuple[tuple[int, time, time], ...]
# Ninety days of slots are opened at most.
MOST_DAYS = 90
SHOWN_CLASHES = 50


@dataclass(frozen=True)
class Facts:
    """What a worker says of a timetable; `hours` and `breaks` are (weekday, from, until)."""

    name: str
    of: Of
    items: tuple[int, ...]
    hours: Hours
    valid_from: date
    staff_id: int | None = None
    room_id: int | None = None
    place: str = ""
    valid_to: date | None = None
    days_ahead: int = 14
    people: int = 1
    minimum: int = 0
    decide_hours: int = 24
    slot_minutes: int = 30
    buffer_minutes: int = 0
    on_holidays: bool = False
    make_up: MakeUp = MakeUp.CLOSED
    breaks: Hours = ()


PLAIN = (
    *("name", "of", "place", "valid_from", "valid_to", "days_ahead", "people", "minimum", "decide_hours"),
    *("slot_minutes", "buffer_minutes", "on_holidays", "make_up"),
)


def _loaded() -> sa.Select[Timetable]:
    return sa.select(Timetable).options(
        joinedload(Timetable.community),
        joinedload(Timetable.staff),
        joinedload(Timetable.room).joinedload(Room.facility),
        selectinload(Timetable.items),
        selectinload(Timetable.hours),
        selectinload(Timetable.breaks),
    )


def timetables(within: Collection[Scope], *, ended: bool = False) -> list[Timetable]:
    """The timetables in scope that are kept, or those that were given up; by community and name."""
    state = Timetable.ended_at.is_not(None) if ended else Timetable.ended_at.is_(None)
    query = _loaded().where(Timetable.community_id.in_(areas.touched(within)), state)
    return list(db.session.scalars(query.order_by(Timetable.community_id, Timetable.name, Timetable.id)))


def timetable_in(within: Collection[Scope], timetable_id: int) -> Timetable:
    query = _loaded().where(Timetable.community_id.in_(areas.touched(within)), Timetable.id == timetable_id)
    found = db.session.scalar(query.options(selectinload(Timetable.exceptions)))
    if found is None:
        raise Missing
    return found


def slot_in(within: Collection[Scope], slot_id: int) -> Slot:
    query = sa.select(Slot).join(Slot.timetable).where(Slot.id == slot_id)
    query = query.where(Timetable.community_id.in_(areas.touched(within)))
    eager = contains_eager(Slot.timetable)
    options = (joinedload(Slot.capacity), eager.joinedload(Timetable.community), eager.selectinload(Timetable.items))
    found = db.session.scalar(query.options(*options).execution_options(populate_existing=True))
    if found is None:
        raise Missing
    return found


def items_for(community: Area) -> list[Item]:
    """The items of a community and of its street that are had by appointment."""
    query = sa.select(Item).where(
        Item.area_id.in_([community.id, community.parent_id]),
        Item.kind == ItemKind.APPOINTMENT,
        Item.state != ItemState.WITHDRAWN,
    )
    return list(db.session.scalars(query.order_by(Item.title, Item.id)))


def staff_for(community: Area) -> list[Staff]:
    query = sa.select(Staff).where(Staff.community_id == community.id, Staff.left_on.is_(None))
    return list(db.session.scalars(query.order_by(Staff.name, Staff.id)))


def rooms_for(community: Area) -> list[Room]:
    """The rooms in use, each with its facility."""
    query = sa.select(Room).join(Room.facility).options(contains_eager(Room.facility))
    standing = (Facility.community_id == community.id, Facility.closed_on.is_(None), Room.closed_on.is_(None))
    return list(db.session.scalars(query.where(*standing).order_by(Facility.name, Room.name, Room.id)))


def add(community: Area, facts: Facts, *, by: Actor) -> tuple[Timetable, Opened]:
    _check(facts)
    timetable = Timetable(community_id=community.id, community=community)
    _say(timetable, facts, community, by)
    db.session.add(timetable)
    db.session.flush()
    opened = _open(timetable, by)
    audit.record("catalogue.timetable_added", timetable, name=timetable.name, slots=opened.made)
    return timetable, opened


def hold(timetable: Timetable) -> None:
    """Keep a timetable as it stands from whoever else would change it, until the commit."""
    holds.lock(timetable)
    seeing.hold(timetable)


def change(timetable: Timetable, facts: Facts, *, by: Actor) -> Opened:
    """Change a timetable: what is booked stays where it is; what fits no longer is answered, for her to settle."""
    _check(facts)
    holds.lock(timetable)
    before = (timetable.of, timetable.staff_id, timetable.room_id)
    _say(timetable, facts, timetable.community, by)
    db.session.flush()
    if before != (timetable.of, timetable.staff_id, timetable.room_id):
        _hand_on(timetable)
    opened = _open(timetable, by)
    audit.record(
        "catalogue.timetable_changed",
        timetable,
        name=timetable.name,
        slots=opened.made,
        withdrawn=opened.withdrawn,
        unsettled=len(opened.misfits),
    )
    return opened


def sketch(facts: Facts) -> Timetable:
    """A timetable as it would be, which is never kept: for looking at its week before it is saved."""
    _check(facts)
    drawn = Timetable(**{name: getattr(facts, name) for name in PLAIN})
    drawn.hours = [WeeklyHours(weekday=day, opens=opens, closes=closes) for day, opens, closes in facts.hours]
    drawn.breaks = [Break(weekday=day, opens=opens, closes=closes) for day, opens, closes in facts.breaks]
    return drawn


def _check(facts: Facts) -> None:
    if not facts.items:
        raise Refused(_("请至少选一个服务事项。没有可选的，请先到“服务事项”里加一个预约类事项。"), field="items")
    if facts.valid_to is not None and facts.valid_to < facts.valid_from:
        raise Refused(_("有效期的结束日期不能早于开始日期。"), field="valid_to")
    if facts.minimum > facts.people:
        raise Refused(_("最少成行人数不能多于同时接待的人数。"), field="minimum")
    if facts.slot_minutes % STEP_MINUTES or facts.buffer_minutes % STEP_MINUTES:
        field = "slot_minutes" if facts.slot_minutes % STEP_MINUTES else "buffer_minutes"
        raise Refused(_("请填 5 的倍数。"), field=field)
    _check_hours(facts)
    if facts.of is Of.ROOM:
        _check_quarters(facts)


def _check_hours(facts: Facts) -> None:
    """At least one slot of a week must come of it."""
    for day in range(7):
        hours, breaks = _minutes_on(facts.hours, day), _minutes_on(facts.breaks, day)
        if opening.times(hours, breaks, length=facts.slot_minutes, rest=facts.buffer_minutes):
            return
    words = _("开放时间里放不下一个 %(count)d 分钟的时段，请把时段改短或把开放时间改长。", count=facts.slot_minutes)
    raise Refused(words, field="hours")


def _minutes_on(rows: Hours, day: int) -> list[tuple[int, int]]:
    return [(_minutes(opens), _minutes(closes)) for weekday, opens, closes in rows if weekday == day]


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def _check_quarters(facts: Facts) -> None:
    """A room is held by the quarter, and so are the slots in it."""
    starts = [opens for _day, opens, _closes in facts.hours] + [closes for _day, _opens, closes in facts.breaks]
    if any(moment.minute % QUARTER for moment in starts):
        raise Refused(_("房间按 15 分钟排用，开放时间和午休请从整刻开始，例如 9:00、9:15。"), field="hours")
    if (facts.slot_minutes + facts.buffer_minutes) % QUARTER:
        raise Refused(_("房间按 15 分钟排用，时段加间隔请凑成 15 的倍数。"), field="slot_minutes")


def _say(timetable: Timetable, facts: Facts, community: Area, by: Actor) -> None:
    for name in PLAIN:
        setattr(timetable, name, getattr(facts, name))
    timetable.staff_id = _known(staff_for(community), facts.staff_id, "staff") if facts.of is Of.STAFF else None
    timetable.room_id = _known(rooms_for(community), facts.room_id, "room") if facts.of is Of.ROOM else None
    timetable.items = [item for item in items_for(community) if item.id in set(facts.items)]
    timetable.updated_at, timetable.updated_by = now(), by.name
    if _said_hours(timetable) != set(facts.hours):
        timetable.hours = [WeeklyHours(weekday=day, opens=opens, closes=closes) for day, opens, closes in facts.hours]
    if {(row.weekday, row.opens, row.closes) for row in timetable.breaks} != set(facts.breaks):
        timetable.breaks = [Break(weekday=day, opens=opens, closes=closes) for day, opens, closes in facts.breaks]


def _said_hours(timetable: Timetable) -> set[tuple[int, time, time]]:
    return {(row.weekday, row.opens, row.closes) for row in timetable.hours}


def _known(choices: Sequence[Staff] | Sequence[Room], number: int | None, field: str) -> int:
    if number not in {one.id for one in choices}:
        words = _("请选一位本社区的服务人员。") if field == "staff" else _("请选一间本社区的房间。")
        raise Refused(words, field=field)
    return int(number or 0)


def _hand_on(timetable: Timetable) -> None:
    """The slots that stand go over to whom the timetable now names, unless somebody else has her at that time."""
    db.session.refresh(timetable, ["staff", "room"])
    standing = [slot for slot in opening.coming_slots(timetable, now()) if opening.holds_time(slot)]
    for slot in standing:
        holds.release(slot)
    known = holds.taken(timetable, standing)
    for slot in standing:
        if holds.clashes(timetable, slot, known):
            raise _clash(timetable, opening.Span(slot.starts_at, slot.ends_at))
    holds.hold(timetable, standing)


def _open(timetable: Timetable, by: Actor) -> Opened:
    """Open what was just said; where another timetable has the person or the room, nothing of it is kept."""
    opened = opening.open_ahead(timetable, by=by.name)
    for span in opened.clashes:
        if not opening.is_own(timetable, span):
            raise _clash(timetable, span)
    return opened


def _clash(timetable: Timetable, span: opening.Span) -> Refused:
    known = holds.taken(timetable, [span])
    words = _(
        "%(day)s %(clock)s 已经排给“%(other)s”，同一时间不能在两处。请改时间，或换人、换房间。",
        day=day_words(local(span.starts_at).date()),
        clock=f"{local(span.starts_at):%H:%M}",
        other=_holder(timetable, span, known),
    )
    return Refused(words, field="hours")


def add_exception(
    timetable: Timetable, first: date, last: date, hours: tuple[time, time] | None, reason: str, *, by: Actor
) -> Opened:
    """Some days closed, or with other hours; slots that somebody has booked are left for the worker to settle."""
    if last < first:
        raise Refused(_("最后一天不能早于第一天。"), field="last_day")
    if last < today():
        raise Refused(_("这些日子已经过去了，请选今天或以后的日子。"), field="last_day")
    if hours is not None and hours[1] <= hours[0]:
        raise Refused(_("结束时间要晚于开始时间。"), field="closes")
    holds.lock(timetable)
    row = DayException(first_day=first, last_day=last, reason=reason, made_by=by.name)
    row.opens, row.closes = hours or (None, None)
    timetable.exceptions.append(row)
    db.session.flush()
    opened = _open(timetable, by)
    audit.record(
        "catalogue.exception_added",
        timetable,
        name=timetable.name,
        reason=reason,
        first_day=first.isoformat(),
        last_day=last.isoformat(),
    )
    return opened


def drop_exception(timetable: Timetable, exception_id: int, *, by: Actor) -> Opened:
    row = next((row for row in timetable.exceptions if row.id == exception_id), None)
    if row is None:
        raise Missing
    timetable.exceptions.remove(row)
    db.session.delete(row)
    db.session.flush()
    opened = _open(timetable, by)
    audit.record("catalogue.exception_dropped", timetable, name=timetable.name, reason=row.reason)
    return opened


def end(timetable: Timetable, reason: str, *, by: Actor) -> Opened:
    """Give a timetable up: nothing more opens; what is booked stays to be settled."""
    holds.lock(timetable)
    timetable.ended_at, timetable.updated_by = now(), by.name
    opened = opening.open_ahead(timetable, by=by.name)
    audit.record("catalogue.timetable_ended", timetable, name=timetable.name, reason=reason)
    return opened


def reopen(timetable: Timetable, *, by: Actor) -> Opened:
    timetable.ended_at, timetable.updated_by = None, by.name
    opened = _open(timetable, by)
    audit.record("catalogue.timetable_reopened", timetable, name=timetable.name, slots=opened.made)
    return opened


def unsettled(within: Collection[Scope], timetable: Timetable | None = None) -> list[Slot]:
    """Booked slots that their timetable no longer has, and which nobody has settled yet; the next first."""
    query = (
        sa.select(Slot)
        .join(Slot.timetable)
        .join(Slot.capacity)
        .options(contains_eager(Slot.timetable), contains_eager(Slot.capacity))
        .where(Timetable.community_id.in_(areas.touched(within)), Slot.starts_at > now())
        .where(sa.not_(Slot.fits), sa.not_(Slot.settled), Capacity.taken > 0, Slot.state != "called_off")
    )
    if timetable is not None:
        query = query.where(Slot.timetable_id == timetable.id)
    return list(db.session.scalars(query.order_by(Slot.starts_at, Slot.id).limit(200)))


def clashing(within: Collection[Scope]) -> list[Timetable]:
    """The timetables whose last opening left something out that is still to come; the next first."""
    query = sa.select(Timetable).where(
        Timetable.community_id.in_(areas.touched(within)),
        Timetable.ended_at.is_(None),
        Timetable.clashes > 0,
        Timetable.clash_at > now(),
    )
    return list(db.session.scalars(query.order_by(Timetable.clash_at, Timetable.id)))


def clashes_of(timetable: Timetable) -> list[tuple[opening.Span, str]]:
    """The coming times that the timetable has and could not open, each with who has them."""
    if not timetable.clashes:
        return []
    spans = opening.left_out(timetable)[:SHOWN_CLASHES]
    known = holds.taken(timetable, spans)
    return [(span, _holder(timetable, span, known)) for span in spans if holds.clashes(timetable, span, known)]


def _holder(timetable: Timetable, span: opening.Span, known: Collection[datetime]) -> str:
    at = next((at for at in holds.pieces(timetable, span) if at in known), span.starts_at)
    return holds.holder_words(timetable, at)


def open_again(timetable: Timetable, *, by: Actor) -> Opened:
    """Try once more to open what was left out: whoever had the person or the room may have given way."""
    opened = opening.open_ahead(timetable, by=by.name)
    audit.record("catalogue.timetable_opened", timetable, name=timetable.name, slots=opened.made)
    return opened


def last_open_day(timetable: Timetable) -> date:
    """The last day that is open to be booked now."""
    return today() + timedelta(days=timetable.days_ahead)
