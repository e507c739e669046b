"""The rules of a room: kept by workers, asked by every booking."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager

from portal.areas.models import Area
from portal.catalogue.models.rooms import QUARTER, Booker, RoomRule
from portal.core import audit, calendar, clock
from portal.core.access import Actor, Scope
from portal.core.clock import local, now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Facility, Room
from portal.registry.service.resources import hours
from portal.registry.service.resources.facilities import room_in
from portal.registry.service.resources.listing import in_reach


@dataclass(frozen=True)
class RuleFacts:
    """What a worker says of a room; `hours` in the words that the register reads."""

    open_to: tuple[Booker, ...]
    hours: str
    is_open: bool = True
    on_holidays: bool = False
    most_ahead: int = 30
    least_ahead: int = 2
    cancel_ahead: int = 2
    longest: int = 120
    buffer: int = 15
    most_held: int = 2
    needs_confirmation: bool = False
    equipment: str = ""
    access: str = ""
    cost: str = ""
    note: str = ""


def _loaded() -> sa.Select[RoomRule]:
    return (
        sa.select(RoomRule)
        .join(RoomRule.room)
        .join(Room.facility)
        .join(Facility.community)
        .options(
            contains_eager(RoomRule.room).contains_eager(Room.facility).contains_eager(Facility.community),
            contains_eager(RoomRule.room).selectinload(Room.uses),
        )
    )


def _in_use() -> sa.ColumnElement[bool]:
    return sa.and_(Room.closed_on.is_(None), Facility.closed_on.is_(None), RoomRule.is_open)


def _by_place(query: sa.Select[RoomRule]) -> sa.Select[RoomRule]:
    return query.order_by(Area.code, Facility.name, Room.name, RoomRule.id)


def bookable(community_ids: Collection[int] = ()) -> list[RoomRule]:
    """Rooms that residents find: in use and open to somebody; of some communities, or of all."""
    query = _loaded().where(_in_use(), Facility.is_public)
    if community_ids:
        query = query.where(Facility.community_id.in_(community_ids))
    return [rule for rule in db.session.scalars(_by_place(query)) if rule.open_to]


def rule_on_offer(room_id: int) -> RoomRule:
    """The rule of a room that residents may see; Missing otherwise."""
    rule = db.session.scalar(_loaded().where(RoomRule.room_id == room_id, _in_use(), Facility.is_public))
    if rule is None or not rule.open_to:
        raise Missing
    return rule


def rules_in(within: Collection[Scope]) -> list[RoomRule]:
    """Every room in scope that has rules and stands, closed for booking or not."""
    query = _loaded().where(in_reach(Facility.community_id, within), Room.closed_on.is_(None))
    return list(db.session.scalars(_by_place(query.where(Facility.closed_on.is_(None)))))


def rule_in(within: Collection[Scope], room_id: int) -> RoomRule:
    query = _loaded().where(in_reach(Facility.community_id, within), RoomRule.room_id == room_id)
    rule = db.session.scalar(query)
    if rule is None:
        raise Missing
    return rule


def rooms_without(within: Collection[Scope]) -> list[Room]:
    """Rooms in scope that nobody has made rules for yet."""
    query = (
        sa.select(Room)
        .join(Room.facility)
        .where(in_reach(Facility.community_id, within), Room.closed_on.is_(None), Facility.closed_on.is_(None))
        .where(Room.id.not_in(sa.select(RoomRule.room_id)))
        .options(contains_eager(Room.facility))
        .order_by(Facility.name, Room.name, Room.id)
    )
    return list(db.session.scalars(query))


def rule_or_none(within: Collection[Scope], room_id: int) -> tuple[Room, RoomRule | None]:
    """A room in scope and its rules, where it has any."""
    room = room_in(within, room_id)
    return room, db.session.scalar(sa.select(RoomRule).where(RoomRule.room_id == room.id))


def set_rule(room: Room, facts: RuleFacts, *, by: Actor) -> RoomRule:
    """Make or change the rules of a room; bookings that stand keep to those under which they were made."""
    opening = hours.parse(facts.hours)
    _check(facts, opening)
    rule = db.session.scalar(sa.select(RoomRule).where(RoomRule.room_id == room.id)) or RoomRule(room_id=room.id)
    rule.open_to, rule.hours = [booker.value for booker in facts.open_to], opening
    for name in _PLAIN:
        setattr(rule, name, getattr(facts, name))
    rule.updated_at, rule.updated_by = now(), by.name
    with unique_or(Refused(_("刚刚有人存了这间房的规则，请刷新后再改。"))):
        db.session.add(rule)
    audit.record("rooms.rule_set", rule, room=room.name, open=facts.is_open)
    return rule


_PLAIN = (
    *("is_open", "on_holidays", "most_ahead", "least_ahead", "cancel_ahead", "longest", "buffer", "most_held"),
    *("needs_confirmation", "equipment", "access", "cost", "note"),
)


def _check(facts: RuleFacts, opening: hours.Hours) -> None:
    quarters = [clock for spans in opening.values() for span in spans for clock in span]
    wrong = [
        (not opening, "hours", _("请写明哪几天、几点到几点可以约，例如“周一至周五 8:30-17:00”。")),
        (
            any(int(clock[3:]) % QUARTER for clock in quarters),
            "hours",
            _("开放时间要落在整刻上：00、15、30 或 45 分。"),
        ),
        (facts.longest < QUARTER or facts.longest % QUARTER > 0, "longest", _("一次最长请填 15 分钟的倍数。")),
        (facts.buffer < 0 or facts.buffer % QUARTER > 0, "buffer", _("保洁时间请填 15 分钟的倍数，不需要就填 0。")),
        (facts.most_ahead * 24 < facts.least_ahead, "least_ahead", _("至少提前的时间比最多提前的还长，请改小。")),
    ]
    for fails, field, words in wrong:
        if fails:
            raise Refused(words, field=field)


def last_day(rule: RoomRule, on: date | None = None) -> date:
    """The last day that residents may book today."""
    return (on or today()) + timedelta(days=rule.most_ahead)


def spans_on(rule: RoomRule, day: date) -> list[tuple[str, str]]:
    """When a room can be booked on a day, as pairs of HH:MM; nothing on a holiday unless its rules say so."""
    if not rule.on_holidays and calendar.holiday_name(day):
        return []
    return [(opens, closes) for opens, closes in rule.hours.get(str(day.weekday()), [])]


def refuse_hours(rule: RoomRule, starts_at: datetime, ends_at: datetime) -> None:
    """Raise Refused unless the time is whole quarters of one day, inside one stretch of its hours."""
    first, last = local(starts_at), local(ends_at)
    if starts_at >= ends_at:
        raise Refused(_("结束时间要晚于开始时间。"), field="until")
    for field, moment in (("from", first), ("until", last)):
        if moment.minute % QUARTER or moment.second or moment.microsecond:
            raise Refused(_("时间请选整刻：00、15、30 或 45 分。"), field=field)
    day, spans = first.date(), spans_on(rule, first.date())
    if not spans:
        holiday = calendar.holiday_name(day)
        words = _("这天是%(name)s，这间房不开放，请换一天。", name=holiday) if holiday else ""
        raise Refused(words or _("这间房这一天不开放，请换一天。"), field="day")
    ends = "24:00" if last.date() == day + timedelta(days=1) and f"{last:%H:%M}" == "00:00" else f"{last:%H:%M}"
    one_day = last.date() == day or ends == "24:00"
    if not one_day or not any(opens <= f"{first:%H:%M}" and ends <= closes for opens, closes in spans):
        said = _("、").join("-".join(span) for span in spans)
        raise Refused(_("这一天的开放时间是 %(hours)s，请在里面选。", hours=said), field="from")


def uses_on(rule: RoomRule, day: date) -> list[tuple[datetime, datetime, str]]:
    """What the register says the room is used for every week on that day: when, until when, what for."""
    known = [use for use in rule.room.uses if use.weekday == day.weekday()]
    return [(clock.at(day, use.opens), clock.at(day, use.closes), use.name) for use in known]


def refuse_uses(rule: RoomRule, starts_at: datetime, ends_at: datetime) -> None:
    """A weekly use of the room (一室多用) goes first."""
    early = timedelta(minutes=rule.buffer)
    for begins, ends, name in uses_on(rule, local(starts_at).date()):
        if starts_at < ends and begins < ends_at + early:
            words = _("这段时间这间房每周固定用作“%(name)s”，请换一个时间。", name=name)
            raise Refused(words, field="from")


def refuse_booker(rule: RoomRule, booker: Booker) -> None:
    if rule.is_open_to(booker):
        return
    if booker is Booker.RESIDENT and rule.is_open_to(Booker.ORGANISATION):
        raise Refused(_("这间房只给本社区的组织和单位预约，个人请换一间，或请社区工作人员帮忙安排。"), field="whose")
    raise Refused(_("这间房不接受这样的预约，请换一间，或请社区工作人员帮忙安排。"), field="whose")


def refuse_ahead(rule: RoomRule, starts_at: datetime) -> None:
    """How early and how late a resident may book; both bounds count."""
    if starts_at < now() + timedelta(hours=rule.least_ahead):
        words = _("最晚要提前 %(count)d 小时预约，请选晚一点的时间，或打社区电话。", count=rule.least_ahead)
        raise Refused(words, field="from")
    if local(starts_at).date() > last_day(rule):
        raise Refused(_("最多提前 %(count)d 天预约，请选近一点的日子。", count=rule.most_ahead), field="day")


def refuse_length(rule: RoomRule, starts_at: datetime, ends_at: datetime) -> None:
    if ends_at - starts_at > timedelta(minutes=rule.longest):
        words = _("一次最长 %(count)d 分钟，请选早一点的结束时间。", count=rule.longest)
        raise Refused(words, field="until")
