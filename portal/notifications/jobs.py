"""Background work of notifications."""

from datetime import timedelta

from flask import current_app

from portal.config import Config
from portal.core import outbox
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.notifications.service import delivery, inbox
from portal.notifications.service.gateways import Gateway, gateway_for

# A notice is read within days; a year answers every later question.
NOTICES_KEPT = timedelta(days=365)


def register(jobs: Jobs) -> None:
    """Each transaction that enqueues wakes the delivery; the schedule finds what a crash left behind."""
    config: Config = jobs.app.extensions["portal.config"]
    jobs.app.extensions["portal.sms"] = gateway_for(config)
    jobs.add(outbox.DELIVER, deliver, EVERY_MINUTE)
    jobs.add("notifications.purge", purge, Scheduled(minute="40", hour="3"))


def deliver() -> None:
    gateway: Gateway = current_app.extensions["portal.sms"]
    config: Config = current_app.extensions["portal.config"]
    delivery.deliver_due(gateway, config)


def purge() -> None:
    with transaction():
        inbox.purge(now() - NOTICES_KEPT)
