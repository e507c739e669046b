"""Background work of requests: colours each hour, and each night recurring matters, old drafts, the archive."""

from flask import Flask

from portal.casework.service import recurring, subscribers, supervising, tidying
from portal.core import events
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled


def supervise() -> None:
    with transaction():
        supervising.colour()


def tidy() -> None:
    with transaction():
        tidying.drop_drafts()
    with transaction():
        tidying.archive()


def find_recurring() -> None:
    with transaction():
        recurring.find()


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("casework.supervise", supervise, Scheduled(minute="5", hour="*"))
    jobs.add("casework.find_recurring", find_recurring, Scheduled(minute="45", hour="2"))
    jobs.add("casework.tidy", tidy, Scheduled(minute="25", hour="2"))


def listen(app: Flask) -> None:
    """Hear what the register tells."""
    events.subscribe(app, "person_died", subscribers.on_person_died)
