"""Papers that were asked for and did not come: whoever applied is reminded once, before the last day."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.catalogue.models.applications import Application, ApplicationState
from portal.catalogue.service.applications import moving, terms
from portal.core import settings
from portal.core.clock import local
from portal.core.db import db, guarded

S = ApplicationState


def due(moment: datetime) -> list[int]:
    """Those whose last day is near; and of those whose term stands still meanwhile, who was asked long ago."""
    near = local(moment).date() + timedelta(days=settings.get(terms.REMIND_DAYS))
    long_ago = moment - timedelta(days=settings.get(terms.BRING_DAYS))
    waits = sa.or_(
        sa.and_(Application.state == S.ASKED, Application.due_on <= near),
        sa.and_(Application.state == S.PAUSED, Application.asked_at <= long_ago),
    )
    query = sa.select(Application.id).where(waits, Application.asked_reminded_at.is_(None))
    return list(db.session.scalars(query.order_by(Application.id).limit(500)))


def remind(application_id: int, moment: datetime) -> bool:
    """Of two runners one reminds; papers that came meanwhile are asked for no more."""
    waits = sa.and_(
        Application.id == application_id,
        Application.state.in_((S.ASKED, S.PAUSED)),
        Application.asked_reminded_at.is_(None),
    )
    if not guarded(sa.update(Application).where(waits).values(asked_reminded_at=moment)):
        return False
    application = db.session.get_one(Application, application_id)
    moving.tell(application, "application_asked_again", due=moving.day_text(application.due_on))
    return True
