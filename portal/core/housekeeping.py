"""The house's own background work: a heartbeat and the audit's seal each minute, what is over swept at night."""

from datetime import timedelta

from portal.core import audit, health, outbox, tokens
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled

# Longer than any throttle's window and than anybody resends a form.
KEYS_KEPT = timedelta(days=2)
# Long enough to answer "was I told?" from the delivery; the notice itself stays in the inbox.
MESSAGES_KEPT = timedelta(days=30)


def seal_audit() -> None:
    with transaction():
        audit.seal()


def purge() -> None:
    with transaction():
        tokens.purge(now() - KEYS_KEPT)
        outbox.purge(now() - MESSAGES_KEPT)


def register(jobs: Jobs) -> None:
    jobs.add("core.heartbeat", health.beat_of_jobs, EVERY_MINUTE)
    jobs.add("core.seal_audit", seal_audit, EVERY_MINUTE)
    jobs.add("core.purge", purge, Scheduled(minute="20", hour="3"))
