"""Months and quarters, as an address names them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _

from portal.core import clock


@dataclass(frozen=True)
class Period:
    """A month (2026-11) or a quarter (2026Q4), its days included."""

    key: str
    first: date
    last: date

    @classmethod
    def of(cls, text: str) -> "Period":
        """What the address says; anything else, and what is to come, is the running month."""
        return _quarter(text) or _month(text) or _this_month()

    def bounds(self) -> tuple[datetime, datetime]:
        """The first instant, and the first after it."""
        return clock.day_bounds(self.first)[0], clock.day_bounds(self.last)[1]

    def holds(self, moment: datetime) -> bool:
        return self.first <= clock.local(moment).date() <= self.last

    @property
    def is_quarter(self) -> bool:
        return "Q" in self.key

    def is_over(self) -> bool:
        return self.last < clock.today()

    def before(self) -> "Period":
        day = self.first - timedelta(days=1)
        return quarter_of(day) if self.is_quarter else month_of(day)

    def after(self) -> "Period | None":
        day = self.last + timedelta(days=1)
        if day > clock.today():
            return None
        return quarter_of(day) if self.is_quarter else month_of(day)

    def words(self) -> str:
        if self.is_quarter:
            return _("%(year)d 年第 %(quarter)d 季度", year=self.first.year, quarter=int(self.key[-1]))
        return _("%(year)d 年 %(month)d 月", year=self.first.year, month=self.first.month)


def month_of(day: date) -> Period:
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Period(f"{first:%Y-%m}", first, last)


def quarter_of(day: date) -> Period:
    number = (day.month - 1) // 3
    first = date(day.year, number * 3 + 1, 1)
    last = month_of(date(day.year, number * 3 + 3, 1)).last
    return Period(f"{day.year}Q{number + 1}", first, last)


def _this_month() -> Period:
    return month_of(clock.today())


def _month(text: str) -> Period | None:
    try:
        day = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return month_of(day) if day.year > 2000 and day <= clock.today() else None


def _quarter(text: str) -> Period | None:
    year, mark, number = text.partition("Q")
    if not (mark and year.isascii() and year.isdigit() and len(year) == 4 and number in {"1", "2", "3", "4"}):
        return None
    day = date(max(int(year), 2001), int(number) * 3 - 2, 1)
    return quarter_of(day) if day <= clock.today() else None


def months_to(period: Period, count: int = 6) -> list[Period]:
    """The months up to a period's last, newest first."""
    found = [month_of(min(period.last, clock.today()))]
    while len(found) < count:
        found.append(found[-1].before())
    return found
