"""Background work of votes that are to open: at their time, where everything that must be done first is done."""

from portal.core import clock
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs
from portal.deliberation.service import vote_opening


def open_votes() -> None:
    each(vote_opening.due_to_open(clock.now()), vote_opening.open_due)


def register(jobs: Jobs) -> None:
    jobs.add("deliberation.open_votes", open_votes, EVERY_MINUTE)
