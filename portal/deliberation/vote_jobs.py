"""Background work of votes: closed at their second, and counted when no paper is waited for."""

from portal.core import clock
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs
from portal.deliberation.service import counting


def close_votes() -> None:
    each(counting.due_to_close(clock.now()), lambda number: counting.close(counting.one(number)))


def count_votes() -> None:
    each(counting.due_to_count(), lambda number: counting.count(counting.one(number)))


def close_and_count() -> None:
    close_votes()
    count_votes()


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.close_and_count", close_and_count, EVERY_MINUTE)
