"""The doors of plans: what waits to be applied, and forgetting old ones."""

from datetime import date, time

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.access import Actor
from portal.core.clock import at, today
from portal.core.db import db
from portal.core.doors import Todo
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.plans import Plan
from portal.volunteers.service import planning


def todo_of(worker: Actor) -> list[Todo]:
    """Plans she asked for, which are computed and whose days are not over."""
    query = sa.select(sa.func.count(Plan.id)).where(
        Plan.made_by == worker.public_id, Plan.state == PlanState.READY, Plan.last_day >= today()
    )
    count = db.session.scalar(query) or 0
    return [Todo(_("排班方案算好了，看过就可以应用"), "volunteers.worker.plans_page", count=count)] if count else []


def purge(before: date) -> int:
    return planning.purge(at(before, time(0)))
