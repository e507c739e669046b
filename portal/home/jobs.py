"""Background work of home: each night every capability forgets what is past its keeping, and the audit says so."""

from portal.core import audit, clock, settings
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled
from portal.home.service.capabilities import CAPABILITIES


def purge() -> None:
    """Each capability in a transaction of its own, so that one that fails holds up no other."""
    for capability in CAPABILITIES:
        before = clock.days_before(clock.today(), settings.get(capability.kept))
        with transaction():
            gone = capability.doors.purge(before)
            if gone:
                audit.record("home.purged", capability=capability.name, before=before.isoformat(), count=gone)


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("home.purge", purge, Scheduled(minute="50", hour="2"))
