"""Background work of identity: one-time codes that have run out are forgotten each night."""

from datetime import timedelta

from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled
from portal.identity import service

CODES_KEPT = timedelta(days=1)


def purge() -> None:
    with transaction():
        service.purge(now() - CODES_KEPT)


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("identity.purge", purge, Scheduled(minute="30", hour="3"))
