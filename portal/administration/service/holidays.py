"""A year's special days by month, as a list and as little calendars."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from portal.core import calendar
from portal.core.calendar import SpecialDay
from portal.core.errors import Missing, Refused

FIRST_YEAR, LAST_YEAR = 2004, 2099


@dataclass(frozen=True)
class Square:
    """One day of a little calendar."""

    day: date
    free: bool
    special: SpecialDay | None


@dataclass(frozen=True)
class Month:
    """Weeks of seven squares from Monday to Sunday (None outside the month), and the month's special days."""

    first: date
    weeks: list[list[Square | None]]
    specials: list[SpecialDay]


def months(year: int) -> list[Month]:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Missing
    specials = {special.day: special for special in calendar.special_days(date(year, 1, 1), date(year, 12, 31))}
    return [_month(date(year, number, 1), specials) for number in range(1, 13)]


def years_around(year: int) -> list[int]:
    return [near for near in (year - 1, year, year + 1) if FIRST_YEAR <= near <= LAST_YEAR]


def _month(first: date, specials: dict[date, SpecialDay]) -> Month:
    weeks = Calendar().monthdatescalendar(first.year, first.month)
    squares = [[_square(day, specials) if day.month == first.month else None for day in week] for week in weeks]
    return Month(first, squares, [special for day, special in specials.items() if day.month == first.month])


def _square(day: date, specials: dict[date, SpecialDay]) -> Square:
    special = specials.get(day)
    return Square(day, not special.works if special else day.weekday() >= 5, special)


def special_day(day: date) -> SpecialDay | None:
    return next(iter(calendar.special_days(day, day)), None)


def fill(year: int) -> int:
    """Enter what chinesecalendar knows of a year; refused while it knows nothing."""
    if not calendar.knows(year):
        raise Refused(
            _("还没有 %(year)s 年的放假安排：国务院一般在上一年十一月公布。公布后更新系统，或先逐日添加。", year=year)
        )
    return calendar.fill(year)


def set_day(day: date, *, works: bool, name: str) -> SpecialDay:
    """Make a day free, or a weekend day worked."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused(
            _("年份要在 %(first)s 到 %(last)s 之间", first=FIRST_YEAR, last=LAST_YEAR),
            field="day",
        )
    if works and day.weekday() < 5:
        raise Refused(_("这一天是星期一至星期五，本来就上班；如果它被设成了放假，请把那一天移除"), field="works")
    return calendar.set_day(day, works=works, name=name)


def clear_day(day: date) -> None:
    if special_day(day) is None:
        raise Missing
    calendar.clear_day(day)
