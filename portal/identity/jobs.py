"""Background work of identity: one-time codes and sessions that are long over are forgotten each night."""

from datetime import timedelta

from flask_babel import gettext as _

from portal.core import settings
from portal.core.clock import now
from portal.core.db import transaction
from portal.core.jobs import Jobs, Scheduled
from portal.identity import service, sessions

CODES_KEPT = timedelta(days=1)
SESSIONS_KEPT = "identity.sessions_kept_days"

settings.declare(
    SESSIONS_KEPT,
    default=180,
    label=lambda: _("登录记录保存多少天"),
    unit=lambda: _("天"),
    least=30,
    most=3650,
)


def purge() -> None:
    with transaction():
        service.purge(now() - CODES_KEPT)
        sessions.purge(now() - timedelta(days=settings.get(SESSIONS_KEPT)))


def register(jobs: Jobs) -> None:
    """Add this feature's jobs and their schedule."""
    jobs.add("identity.purge", purge, Scheduled(minute="30", hour="3"))
