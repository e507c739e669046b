"""Days of tests, asked for while a test runs: a run that begins before midnight ends after it."""

from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from portal.core.clock import at, now, today


def in_days(count: int) -> date:
    return today() + timedelta(days=count)


def just_now() -> datetime:
    """A minute ago and still today, also in the first minute of a day."""
    return max(now() - timedelta(minutes=1), at(today(), time(0)))


def day_sent(count: int = 0) -> str:
    """Today, or so many days later, as a form sends it."""
    return in_days(count).isoformat()


def later(act: Any, *given: Any) -> Any:
    """For the table of a parametrized test, which is written down before the test runs: see as_of_now()."""
    return partial(act, *given)


def as_of_now(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of such a table, those said to be known later asked for now."""
    return {name: fact() if isinstance(fact, partial) else fact for name, fact in facts.items()}
