"""Background work of votes: closed at their second, counted when no paper is waited for, swept after at night."""

from portal.core import clock
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.deliberation.service import counting, sweeping


def close_votes() -> None:
    each(counting.due_to_close(clock.now()), lambda number: counting.close(counting.one(number)))


def count_votes() -> None:
    each(counting.due_to_count(), lambda number: counting.count(counting.one(number)))


def close_and_count() -> None:
    close_votes()
    count_votes()


def sweep_ballots() -> None:
    if sweeping.is_due(clock.now()):
        sweeping.sweep()


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.close_and_count", close_and_count, EVERY_MINUTE)
    jobs.add("deliberation.sweep_ballots", sweep_ballots, Scheduled(minute="35", hour="3"))
