"""Cells as text: what a spreadsheet holds as number, date or truth becomes what a person would have typed."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal

DATE_SHAPES = (
    re.compile(r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<year>[0-9]{4})年(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})[日号]?"),
    re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"),
)
MIDNIGHT = re.compile(r"[T ]00:00(?::00)?(?:\.0+)?$")


def cell_text(value: str | float | date | time | timedelta) -> str:
    """A whole number without point or exponent, a date as 1984-01-05, a time as 08:30, a truth as TRUE."""
    match value:
        case str():
            return value.strip()
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number_text(value)
        case datetime() if value.time() != time():
            return value.isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()[:10]
        case _:
            return str(value)


def parse_date(text: str) -> date | None:
    """1984-01-05, 1985/3/30, 1984.1.5, 1979年12月8日, 19551231; None for words, ValueError for 19550231."""
    compact = re.sub(r"\s", "", MIDNIGHT.sub("", unicodedata.normalize("NFKC", text).strip()))
    for shape in DATE_SHAPES:
        if found := shape.fullmatch(compact):
            return date(int(found["year"]), int(found["month"]), int(found["day"]))
    return None


def _number_text(value: float) -> str:
    # Through repr, not int: of a long number Excel keeps 15 figures, and what it shows is what is meant.
    number = Decimal(repr(value))
    whole = number.to_integral_value() if number.is_finite() else number
    return f"{whole if whole == number else number:f}"
