"""Working time: minutes of office hours and terms of working days, over weekends, worked weekends and holidays.

Whoever counts much makes one WorkingTime and asks it: the table of special days is read once, from a day on. Beyond the
end of that table the weekdays count; that it ends is said two months ahead.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, settings
from portal.core.calendar import SpecialDay
from portal.core.db import db

MORNING, NOON, AFTERNOON, EVENING = "working.morning", "working.noon", "working.afternoon", "working.evening"
WARNED_DAYS = "working.calendar_warned_days"
ONE_DAY = timedelta(days=1)
# Longer than any term: where every day were free (a table filled in wrongly), counting ends.
LONGEST = 3660

Span = tuple[datetime, datetime]


def _as_written() -> str:
    return _("四位时分，830 表示 8:30")


settings.declare(MORNING, default=830, label=lambda: _("上午几点上班"), unit=_as_written, least=0, most=2359)
settings.declare(NOON, default=1200, label=lambda: _("上午几点下班"), unit=_as_written, least=0, most=2359)
settings.declare(AFTERNOON, default=1330, label=lambda: _("下午几点上班"), unit=_as_written, least=0, most=2359)
settings.declare(EVENING, default=1730, label=lambda: _("下午几点下班"), unit=_as_written, least=0, most=2359)
settings.declare(
    WARNED_DAYS,
    default=61,
    label=lambda: _("节假日安排到期前多少天提醒管理员"),
    unit=lambda: _("天"),
    least=7,
    most=180,
)


def _time(figures: int) -> time:
    return time(min(figures // 100, 23), min(figures % 100, 59))


@dataclass(frozen=True)
class Hours:
    """A working day's two halves; one that ends before it begins is not worked."""

    morning: tuple[time, time]
    afternoon: tuple[time, time]

    @classmethod
    def set(cls) -> "Hours":
        """As the administrator has set them."""
        begin, noon, again, end = (_time(settings.get(key)) for key in (MORNING, NOON, AFTERNOON, EVENING))
        return cls((begin, noon), (max(noon, again), end))

    def on(self, day: date) -> list[Span]:
        halves = (self.morning, self.afternoon)
        return [(clock.at(day, start), clock.at(day, end)) for start, end in halves if start < end]

    @property
    def minutes(self) -> int:
        """How many minutes a working day has."""
        return sum(_minutes(end) - _minutes(start) for start, end in (self.morning, self.afternoon) if start < end)

    @property
    def last(self) -> time:
        return self.afternoon[1] if self.afternoon[0] < self.afternoon[1] else self.morning[1]


def _minutes(moment: time) -> int:
    return moment.hour * 60 + moment.minute


class WorkingTime:
    """The working days from a day on, read from the table in one question, and the hours of each."""

    def __init__(self, since: date, hours: Hours | None = None) -> None:
        query = sa.select(SpecialDay.day, SpecialDay.works).where(SpecialDay.day >= since).order_by(SpecialDay.day)
        self.since = since
        self.special = {row.day: row.works for row in db.session.execute(query)}
        self.hours = hours or Hours.set()

    def works(self, day: date) -> bool:
        """Whether a day is worked. A day before `since` was not read, and is an error of the caller's."""
        if day < self.since:
            raise ValueError(f"working days are known since {self.since}, not on {day}")
        return self.special.get(day, day.weekday() < 5)

    def spans(self, start: datetime, until: datetime | None = None) -> Iterator[Span]:
        """The office hours after a moment (and before another), in order."""
        day = clock.local(start).date()
        for offset in range(LONGEST):
            if until is not None and clock.day_bounds(day + timedelta(days=offset))[0] >= until:
                return
            yield from self._on(day + timedelta(days=offset), start, until)

    def _on(self, day: date, start: datetime, until: datetime | None) -> Iterator[Span]:
        for opens, closes in self.hours.on(day) if self.works(day) else ():
            begin, end = max(opens, start), closes if until is None else min(closes, until)
            if begin < end:
                yield begin, end

    def add(self, start: datetime, minutes: int) -> datetime:
        """When so many working minutes have gone since a moment: what ends with the day ends at closing time."""
        left = timedelta(minutes=minutes)
        if not left:
            return start
        for begin, end in self.spans(start):
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise ValueError("no working day within ten years")

    def between(self, start: datetime, end: datetime, paused: Iterable[Span] = ()) -> int:
        """The whole working minutes from a moment to another, without those of pauses, which may overlap."""
        if end <= start:
            return 0
        worked = sum((until - since for since, until in self.spans(start, end)), timedelta())
        for since, until in _merged(paused, start, end):
            worked -= sum((last - first for first, last in self.spans(since, until)), timedelta())
        return int(worked.total_seconds() // 60)

    def last_day(self, start: date, count: int) -> date:
        """The last day of a term of working days; the day it begins on is not counted (Civil Code art. 201)."""
        day, left = start, count
        for _turn in range(LONGEST):
            if not left:
                return day
            day += ONE_DAY
            left -= self.works(day)
        raise ValueError("no working day within ten years")

    def until(self, start: datetime, days: int) -> datetime:
        """The end of office hours on the last of so many working days after a moment."""
        return clock.at(self.last_day(clock.local(start).date(), days), self.hours.last)

    def moved_off(self, day: date) -> date:
        """A day, or the next that is worked where it is a holiday (Civil Code art. 203)."""
        for _turn in range(LONGEST):
            if self.works(day):
                return day
            day += ONE_DAY
        raise ValueError("no working day within ten years")

    def day_before(self, day: date) -> date:
        """The working day before a day; asked only of days well after `since`."""
        day -= ONE_DAY
        while day > self.since and not self.works(day):
            day -= ONE_DAY
        return day


def _merged(spans: Iterable[Span], first: datetime, last: datetime) -> list[Span]:
    """Spans cut to a frame and joined where they overlap, so that nothing is counted twice."""
    cut = sorted((max(since, first), min(until, last)) for since, until in spans)
    found: list[Span] = []
    for since, until in cut:
        if until <= since:
            continue
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def add_working_minutes(start: datetime, minutes: int) -> datetime:
    return WorkingTime(clock.local(start).date()).add(start, minutes)


def working_minutes_between(start: datetime, end: datetime, paused: Iterable[Span] = ()) -> int:
    return WorkingTime(clock.local(start).date()).between(start, end, paused)


def last_working_day(start: date, count: int) -> date:
    """The last day of a term of working days; the day it begins on is not counted."""
    return WorkingTime(start).last_day(start, count)


def last_day(start: date, days: int) -> date:
    """The last day of a term of calendar days, moved off a holiday; the day it begins on is not counted."""
    return WorkingTime(start).moved_off(start + timedelta(days=days))


def known_until() -> date | None:
    """The last day of which the table of holidays speaks: the end of the last year before a gap; None when over."""
    query = sa.select(SpecialDay.day).where(SpecialDay.day >= clock.today().replace(month=1, day=1))
    years = {day.year for day in db.session.scalars(query.order_by(SpecialDay.day))}
    year = clock.today().year
    while year in years:
        year += 1
    return date(year - 1, 12, 31) if year > clock.today().year else None


def days_known() -> int:
    """For how many more days the table of holidays speaks; 0 once it is over or empty."""
    end = known_until()
    return max((end - clock.today()).days, 0) if end else 0


def ends_soon() -> bool:
    """Whether an administrator is to enter the next year's holidays now."""
    return days_known() <= settings.get(WARNED_DAYS)
