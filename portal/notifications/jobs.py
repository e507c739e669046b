"""Background work of notifications."""

from flask import current_app

from portal.config import Config
from portal.core import outbox
from portal.core.jobs import EVERY_MINUTE, Jobs
from portal.notifications.service import delivery
from portal.notifications.service.gateways import Gateway, gateway_for


def register(jobs: Jobs) -> None:
    """Each transaction that enqueues wakes the delivery; the schedule finds what a crash left behind."""
    config: Config = jobs.app.extensions["portal.config"]
    jobs.app.extensions["portal.sms"] = gateway_for(config)
    jobs.add(outbox.DELIVER, deliver, EVERY_MINUTE)


def deliver() -> None:
    gateway: Gateway = current_app.extensions["portal.sms"]
    config: Config = current_app.extensions["portal.config"]
    delivery.deliver_due(gateway, config)
