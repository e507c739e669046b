"""The one clock: aware UTC instants, and dates in Asia/Shanghai."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    return now().astimezone(SHANGHAI).date()


def local(moment: datetime) -> datetime:
    return moment.astimezone(SHANGHAI)


def at(day: date, hour_minute: time) -> datetime:
    """The UTC instant of a wall-clock time in Asia/Shanghai."""
    return datetime.combine(day, hour_minute, SHANGHAI).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first instant of a local day, and the first of the next."""
    return at(day, time(0)), at(day + timedelta(days=1), time(0))


def full_years(born: date, on: date) -> int:
    """Age in full years on a day; the birthday itself counts. 29 February is completed on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def days_before(day: date, count: int) -> date:
    return day - timedelta(days=count)
