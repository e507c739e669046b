"""What rooms, their bookings and their rules are called on screen."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalogue.models.rooms import BookedBy, Booker, BookingState, RoomBooking, RoomRule
from portal.catalogue.service.calendar_file import Event
from portal.core import web
from portal.core.clock import local
from portal.registry.service.resources import hours

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    Booker: {Booker.RESIDENT: _l("本社区居民"), Booker.ORGANISATION: _l("本社区的组织和单位")},
    BookingState: {
        BookingState.REQUESTED: _l("等待确认"),
        BookingState.CONFIRMED: _l("已预约"),
        BookingState.REFUSED: _l("没有通过"),
        BookingState.CANCELLED: _l("已取消"),
        BookingState.USED: _l("已使用"),
        BookingState.NO_SHOW: _l("没有来"),
        BookingState.LAPSED: _l("没有等到答复"),
    },
    BookedBy: {
        BookedBy.SELF: _l("本人预约"),
        BookedBy.AGENT: _l("亲情代办"),
        BookedBy.ORGANISATION: _l("组织预约"),
        BookedBy.COUNTER: _l("社区代办"),
    },
}
TINTS = {
    BookingState.REQUESTED: "warn",
    BookingState.CONFIRMED: "info",
    BookingState.REFUSED: "bad",
    BookingState.CANCELLED: "mute",
    BookingState.USED: "ok",
    BookingState.NO_SHOW: "bad",
    BookingState.LAPSED: "mute",
}


def said(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def tint(state: BookingState) -> str:
    return TINTS[state]


def choices(kind: type[StrEnum]) -> list[tuple[str, Any]]:
    return [(code.value, words) for code, words in _WORDS[kind].items()]


def clock_words(moment: datetime, *, ends: bool = False) -> str:
    """09:30; the end of a day is 24:00."""
    here = local(moment)
    return "24:00" if ends and (here.hour, here.minute) == (0, 0) else f"{here:%H:%M}"


def span_words(starts_at: datetime, ends_at: datetime) -> str:
    """11月23日 周一 09:00–10:30; with the second day where it ends on another."""
    first, last = local(starts_at).date(), local(ends_at - timedelta(minutes=1)).date()
    ends = clock_words(ends_at, ends=True)
    until = ends if first == last else f"{web.day_words(last)} {ends}"
    return f"{web.day_words(first)} {clock_words(starts_at)}–{until}"


def when(booking: RoomBooking) -> str:
    return span_words(booking.starts_at, booking.ends_at)


def local_day(moment: datetime) -> date:
    return local(moment).date()


def whom(booking: RoomBooking) -> str:
    """For whom a room is booked, as workers read it: an organisation, a person, or the community itself."""
    if booking.organisation:
        return booking.organisation.name
    return booking.person.name if booking.person else _("社区自用")


def place(booking: RoomBooking) -> str:
    return f"{booking.room.facility.name} {booking.room.name}"


def event(booking: RoomBooking, address: str) -> Event:
    """The booking as a calendar is told of it."""
    told = _("预约码 %(code)s。取消：%(address)s", code=booking.code, address=address)
    times = (booking.starts_at, booking.ends_at, booking.changed_at)
    return Event(f"{booking.public_id}@rooms", *times, booking.purpose, place(booking), told)


def rule_lines(rule: RoomRule) -> list[tuple[str, str]]:
    """A room's rules as a resident reads them, a line each; what is not said is left out."""
    cancel = _("开始前 %(count)d 小时", count=rule.cancel_ahead) if rule.cancel_ahead else _("开始之前")
    lines = [
        (_("谁可以约"), _("、").join(said(Booker(code)) for code in rule.open_to) or _("只由社区安排，请联系社区")),
        (_("开放时间"), hours.said(rule.hours)),
        (_("节假日"), _("照常开放") if rule.on_holidays else _("法定节假日不开放")),
        (_("提前多久"), _ahead(rule)),
        (_("一次最长"), duration(rule.longest)),
        (_("同时最多"), _("每人（或每个组织）%(count)d 个预约", count=rule.most_held)),
        (_("取消"), _("最晚%(when)s", when=cancel)),
        (_("可容纳"), _("%(count)d 人", count=rule.room.capacity) if rule.room.capacity else ""),
        (_("设备"), rule.equipment),
        (_("无障碍"), _access(rule)),
        (_("费用"), rule.cost or _("免费")),
        (_("说明"), rule.note),
    ]
    return [line for line in lines if line[1]]


def _ahead(rule: RoomRule) -> str:
    least = _("至少提前 %(count)d 小时，", count=rule.least_ahead) if rule.least_ahead else _("开始前都可以约，")
    return least + _("最多提前 %(count)d 天", count=rule.most_ahead)


def _access(rule: RoomRule) -> str:
    steps = _("轮椅可以进出") if rule.room.is_accessible else ""
    return _("；").join(words for words in (steps, rule.access) if words)


def duration(minutes: int) -> str:
    hours_, rest = divmod(minutes, 60)
    if not hours_:
        return _("%(count)d 分钟", count=rest)
    if not rest:
        return _("%(count)d 小时", count=hours_)
    return _("%(hours)d 小时 %(minutes)d 分钟", hours=hours_, minutes=rest)
