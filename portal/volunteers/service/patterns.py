"""A pattern of shifts: which weekdays at which times, from when until when, without which days. Nothing is written."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import calendar, clock, working
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Refused
from portal.volunteers.models.activities import STEP_MINUTES, Activity, Shift
from portal.volunteers.models.codes import ActivityState
from portal.volunteers.service import guards
from portal.volunteers.service.signup_words import long_day

MOST_DAYS = 366
MOST_SHIFTS = 400
_SPAN = re.compile(r"(\d{1,2}):?(\d{2})-(?:次日|第二天)?(\d{1,2}):?(\d{2})")
_DAY = re.compile(r"^(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})日?$")

Slots = tuple[tuple[time, time], ...]


@dataclass(frozen=True)
class Pattern:
    """`weekdays` are 0 (Monday) to 6; a slot that does not end later than it begins ends on the next day."""

    weekdays: tuple[int, ...]
    slots: Slots
    first: date
    last: date
    skip_holidays: bool = True
    without: tuple[date, ...] = ()

    def days(self) -> list[date]:
        count = (self.last - self.first).days + 1
        every = [self.first + timedelta(days=turn) for turn in range(max(count, 0))]
        return [day for day in every if day.weekday() in self.weekdays]

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        return [
            (clock.at(day, opens), clock.at(day if closes > opens else day + timedelta(days=1), closes))
            for opens, closes in self.slots
        ]

    def kept(self) -> dict[str, Any]:
        """As a batch remembers it."""
        return {
            "weekdays": list(self.weekdays),
            "slots": slots_words(self.slots),
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "skip_holidays": self.skip_holidays,
            "without": [day.isoformat() for day in self.without],
        }


@dataclass(frozen=True)
class Occurrence:
    """One shift that a pattern would make; with `why_not`, one that it leaves out."""

    day: date
    starts_at: datetime
    ends_at: datetime
    why_not: str = ""


def parse_slots(text: str, *, field: str = "slots") -> Slots:
    """9:00-11:00；22:00-00:30 and the like, in the order of time."""
    found = []
    for part in re.split(r"[;；,，、\s]+", _plain(text)):
        if not part:
            continue
        match = _SPAN.fullmatch(part)
        if match is None:
            raise Refused(_("“%(words)s”看不懂，请写成 9:00-11:00，几段时间用分号隔开。", words=part), field=field)
        opens, closes = _clock(match[1], match[2], part, field), _clock(match[3], match[4], part, field)
        if opens == closes:
            raise Refused(_("“%(words)s”的开始和结束一样，请改。", words=part), field=field)
        found.append((opens, closes))
    if not found:
        raise Refused(_("请写每天的时间，例如 9:00-11:00；14:00-16:00。"), field=field)
    if len(set(found)) < len(found):
        raise Refused(_("有两段时间一样，请去掉一段。"), field=field)
    return tuple(sorted(found))


def _plain(text: str) -> str:
    words = unicodedata.normalize("NFKC", text)
    return re.sub(r"\s*(?:[-–—―~～〜]|至|到)\s*", "-", words).strip()


def _clock(hour: str, minute: str, part: str, field: str) -> time:
    hours, minutes = int(hour), int(minute)
    if hours == 24 and minutes == 0:
        return time(0)
    if hours > 23 or minutes > 59:
        raise Refused(_("“%(words)s”里没有这样的时间，请改。", words=part), field=field)
    if minutes % STEP_MINUTES:
        raise Refused(_("班次的开始和结束要落在 5 分钟的整数倍上，例如 9:05、9:10。"), field=field)
    return time(hours, minutes)


def slots_words(slots: Slots) -> str:
    return "；".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in slots)


def parse_days(text: str, first: date, last: date, *, field: str = "without") -> tuple[date, ...]:
    """Days between two days, written as 2026-12-25 or 12-25 or 12月25日, with commas or spaces between."""
    found = []
    for part in re.split(r"[;；,，、\s]+", unicodedata.normalize("NFKC", text).strip()):
        if not part:
            continue
        day = _day(part, first, last)
        if day is None:
            words = _(
                "“%(words)s”不是 %(first)s 到 %(last)s 之间的日期。",
                words=part,
                first=long_day(first),
                last=long_day(last),
            )
            raise Refused(words, field=field)
        found.append(day)
    return tuple(sorted(set(found)))


def _day(part: str, first: date, last: date) -> date | None:
    match = _DAY.fullmatch(part)
    if match is None:
        return None
    years = [int(match[1])] if match[1] else range(first.year, last.year + 1)
    for year in years:
        try:
            day = date(year, int(match[2]), int(match[3]))
        except ValueError:
            continue
        if first <= day <= last:
            return day
    return None


def look(activity: Activity, pattern: Pattern) -> list[Occurrence]:
    """Every shift of a pattern by time, with why some are left out."""
    _check(pattern)
    holidays = _holidays(pattern.first, pattern.last) if pattern.skip_holidays else {}
    standing = _standing(activity, pattern)
    found = []
    for day in pattern.days():
        why = _why_not(day, pattern.without, holidays)
        for starts_at, ends_at in pattern.spans(day):
            mine = why or _against(activity, starts_at, ends_at, standing)
            found.append(Occurrence(day, starts_at, ends_at, mine))
    return found


def _check(pattern: Pattern) -> None:
    if not pattern.weekdays:
        raise Refused(_("请选星期几。"), field="weekdays")
    if pattern.last < pattern.first:
        raise Refused(_("最后一天不能早于第一天。"), field="last")
    if pattern.last < today():
        raise Refused(_("这些日子已经过去了，请选以后的日期。"), field="last")
    if (pattern.last - pattern.first).days >= MOST_DAYS:
        raise Refused(_("一次最多排一年，请缩短。"), field="last")
    if not pattern.days():
        raise Refused(_("这段日子里没有选中的星期几，请改日期或星期。"), field="weekdays")
    if len(pattern.days()) * len(pattern.slots) > MOST_SHIFTS:
        raise Refused(_("一次最多排 %(most)d 个班次，请分几次排。", most=MOST_SHIFTS), field="last")


def _holidays(first: date, last: date) -> dict[date, str]:
    return {special.day: special.name for special in calendar.special_days(first, last) if not special.works}


def _standing(activity: Activity, pattern: Pattern) -> set[tuple[datetime, datetime]]:
    """The times that the activity has a shift at already, whatever became of it."""
    begins, ends = clock.day_bounds(pattern.first)[0], clock.day_bounds(pattern.last)[1]
    query = sa.select(Shift.starts_at, Shift.ends_at).where(
        Shift.activity_id == activity.id, Shift.starts_at >= begins, Shift.starts_at < ends
    )
    return {(row[0], row[1]) for row in db.session.execute(query)}


def _why_not(day: date, without: Collection[date], holidays: dict[date, str]) -> str:
    if day in without:
        return _("您写了这天不排")
    if day in holidays:
        return _("节假日：%(name)s", name=holidays[day])
    return ""


def _against(
    activity: Activity, starts_at: datetime, ends_at: datetime, standing: Collection[tuple[datetime, datetime]]
) -> str:
    if starts_at <= now():
        return _("已经过去了")
    if (starts_at, ends_at) in standing:
        return _("已经有这个班次")
    if activity.state is ActivityState.PUBLISHED:
        try:
            guards.check_shift(activity, ends_at)
        except Refused as refused:
            return refused.message
    return ""


def pattern_words(kept: dict[str, Any]) -> str:
    """A batch's pattern as a line."""
    names = [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]
    days = _("、").join(names[number] for number in kept.get("weekdays", ()))
    return _(
        "%(days)s %(slots)s，%(first)s 至 %(last)s",
        days=days,
        slots=kept.get("slots", ""),
        first=_kept_day(kept, "first"),
        last=_kept_day(kept, "last"),
    )


def _kept_day(kept: dict[str, Any], which: str) -> str:
    said = kept.get(which)
    return long_day(date.fromisoformat(said)) if said else ""


def beyond_holidays(dates: Sequence[Occurrence]) -> date | None:
    """The last day of which the table of holidays speaks, where some of the dates come after it."""
    known = working.known_until() or today()
    return known if any(one.day > known for one in dates) else None
