"""Background work of administration: looking each morning whether the table of holidays ends soon."""

from portal.administration.service import calendar_end
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled


def tell_of_calendar() -> None:
    with transaction():
        calendar_end.tell()


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("administration.tell_of_calendar", tell_of_calendar, Scheduled(minute="40", hour="8"))
