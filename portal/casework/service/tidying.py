"""What time does to requests: drafts that nobody finished go, closed ones are archived."""

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.casework.models.cases import Case
from portal.casework.models.codes import CaseState
from portal.casework.service import asking, moves, queue, reporting
from portal.casework.service.moves import SYSTEM
from portal.core import settings
from portal.core.clock import now
from portal.core.db import db

AT_ONCE = 500
settings.declare(
    "casework.draft_days",
    default=14,
    label=lambda: _("没写完的诉求保留多少天"),
    unit=lambda: _("天"),
    least=1,
    most=90,
)
settings.declare(
    "casework.archive_days",
    default=30,
    label=lambda: _("办结多少天后归档"),
    unit=lambda: _("天"),
    least=1,
    most=365,
)


def drop_drafts() -> int:
    """Drafts that were begun too long ago, with their photographs."""
    since = now() - timedelta(days=settings.get("casework.draft_days"))
    query = sa.select(Case).where(Case.state == CaseState.DRAFT, Case.created_at < since).order_by(Case.id)
    found = list(db.session.scalars(query.limit(AT_ONCE)))
    for case in found:
        reporting.discard(case)
    return len(found)


def archive() -> int:
    """Closed requests whose time to be reopened is long over; none whose reporter still waits for an answer."""
    days = max(settings.get("casework.archive_days"), settings.get(asking.REOPEN_DAYS))
    since = now() - timedelta(days=days)
    old = sa.and_(Case.state == CaseState.CLOSED, Case.state_at < since, ~queue.asked_to_reopen())
    found = list(db.session.scalars(sa.select(Case).where(old).order_by(Case.id).limit(AT_ONCE)))
    for case in found:
        moves.move(case, CaseState.ARCHIVED, by=SYSTEM)
    return len(found)
