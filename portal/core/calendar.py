"""Working days and holidays: a table an administrator edits, filled from chinesecalendar, weekdays beyond it."""

from datetime import date, timedelta
from functools import cache

import chinese_calendar
import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import audit
from portal.core.db import Base, db

NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}


class SpecialDay(Base):
    """A weekday that is free, or a weekend day that is worked (调休)."""

    __tablename__ = "special_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    works: Mapped[bool]
    name: Mapped[str] = mapped_column(sa.String(40))


def is_working_day(day: date) -> bool:
    special = db.session.get(SpecialDay, day)
    return special.works if special else day.weekday() < 5


def special_days(first: date, last: date) -> list[SpecialDay]:
    query = sa.select(SpecialDay).where(SpecialDay.day.between(first, last)).order_by(SpecialDay.day)
    return list(db.session.scalars(query))


def holiday_name(day: date) -> str:
    """The name of a statutory holiday on that day, or nothing."""
    return db.session.scalar(_holiday(), {"day": day}) or ""


def holiday_names() -> list[str]:
    """Every holiday that there can be: those of the statutes, then those an administrator named in the table."""
    query = sa.select(SpecialDay.name).where(SpecialDay.works.is_(False)).distinct().order_by(SpecialDay.name)
    return list(dict.fromkeys([*NAMES.values(), *db.session.scalars(query)]))


@cache
def _holiday() -> sa.Select[str]:
    return sa.select(SpecialDay.name).where(SpecialDay.day == sa.bindparam("day"), SpecialDay.works.is_(False))


def knows(year: int) -> bool:
    """Whether chinesecalendar has that year's holidays: the State Council announces them each November."""
    try:
        chinese_calendar.get_holiday_detail(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def fill(year: int) -> int:
    """Enter a year's holidays and worked weekend days from chinesecalendar, leaving edited days alone.

    Return how many were entered; 0 when the library does not know that year yet.
    """
    if not knows(year):
        return 0
    first, last = date(year, 1, 1), date(year, 12, 31)
    known = {special.day for special in special_days(first, last)}
    entered = 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        free, english = chinese_calendar.get_holiday_detail(day)
        if day in known or english is None:
            continue
        name = NAMES.get(english, english)
        db.session.add(SpecialDay(day=day, works=not free, name=name if free else _("%(name)s调休", name=name)))
        entered += 1
    audit.record("calendar.filled", None, year=year, days=entered)
    return entered


def set_day(day: date, *, works: bool, name: str) -> SpecialDay:
    special = db.session.get(SpecialDay, day) or SpecialDay(day=day)
    special.works, special.name = works, name
    db.session.add(special)
    audit.record("calendar.day_set", None, day=day.isoformat(), works=works)
    return special


def clear_day(day: date) -> None:
    """Back to the weekday rule."""
    special = db.session.get(SpecialDay, day)
    if special:
        db.session.delete(special)
        audit.record("calendar.day_cleared", None, day=day.isoformat())


def add_working_days(start: date, count: int) -> date:
    """The last day of a term of working days: the start day is not counted (Civil Code art. 201 to 203)."""
    day, left = start, count
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day
