"""Background work of notifications."""

from datetime import timedelta

from flask import current_app
from flask_babel import gettext as _

from portal.config import Config
from portal.core import outbox, settings
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.notifications.service import announcements, delivery, inbox
from portal.notifications.service.gateways import Gateway, gateway_for

# A notice is read within days; a year answers every later question.
NOTICES_KEPT = timedelta(days=365)
ANNOUNCEMENTS_KEPT = "announcements.kept_days"
settings.declare(
    ANNOUNCEMENTS_KEPT, default=730, label=lambda: _("公告过期后保存"), unit=lambda: _("天"), least=30, most=3650
)


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
        announcements.purge(now() - timedelta(days=settings.get(ANNOUNCEMENTS_KEPT)))
