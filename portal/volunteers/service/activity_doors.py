"""What the doors of the volunteers say of activities and of the people that shifts serve."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, today
from portal.core.db import db
from portal.core.doors import Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people
from portal.volunteers.models.activities import Served, Shift
from portal.volunteers.service import offering
from portal.volunteers.service.activity_words import activity_said, shift_span


def todo_of(worker: Actor) -> list[Todo]:
    """Tomorrow's shifts that lack people, where the worker keeps activities."""
    scopes = scopes_of(worker, Permission.VOLUNTEERS_KEEP)
    if not scopes:
        return []
    short = offering.short_on(areas.touched(scopes), today() + timedelta(days=1))
    return [Todo(_("明天还缺人的志愿班次"), "volunteers.worker.activities_page", count=short)] if short else []


def export(person: Person) -> list[dict[str, Any]]:
    """On which shifts somebody was served, in words."""
    query = (
        sa.select(Served)
        .where(Served.person_id.in_(people.ids_of(person)))
        .options(joinedload(Served.shift).joinedload(Shift.activity))
        .order_by(Served.id)
    )
    return [_exported(one) for one in db.session.scalars(query)]


def _exported(one: Served) -> dict[str, Any]:
    return {
        _("接受的志愿服务"): one.shift.activity.title,
        _("时间"): shift_span(one.shift),
        _("做什么"): activity_said(one.task),
        _("要知道的"): one.needs or "",
        _("完成时间"): f"{clock.local(one.done_at):%Y-%m-%d %H:%M}" if one.done_at else "",
        _("情况"): one.done_words or "",
    }


def purge(before: date) -> int:
    """Forget whom the shifts served that ended before a day."""
    old = sa.select(Shift.id).where(Shift.ends_at < day_bounds(before)[0])
    done = db.session.execute(
        sa.delete(Served).where(Served.shift_id.in_(old)), execution_options={"synchronize_session": False}
    )
    return int(getattr(done, "rowcount", 0))
