"""What the doors of the volunteers say of attendance: what waits to be entered and confirmed, export, forgetting."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock, settings
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, now
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Attendance, CodeUse, Signup
from portal.volunteers.service import attendance, hours
from portal.volunteers.service.attendance_words import hours_said, mark_said
from portal.volunteers.service.signup_words import span

LATE_DAYS = "volunteers.attendance_late_days"
settings.declare(
    LATE_DAYS,
    default=3,
    label=lambda: _("志愿签到和服务时间超过多久没处理算逾期"),
    unit=lambda: _("天"),
    least=1,
    most=14,
)
_UNSYNCED = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """Attendance to enter and hours to confirm, and which of them lie too long."""
    scopes = scopes_of(worker, Permission.VOLUNTEERS_KEEP)
    if not scopes:
        return []
    moment, found = now(), []
    late = moment - timedelta(days=settings.get(LATE_DAYS))
    missing, waiting = attendance.count_to_enter(scopes, moment), attendance.count_to_confirm(scopes)
    if missing:
        overdue = attendance.count_to_enter(scopes, late) > 0
        found.append(
            Todo(_("志愿班次结束，还没登记到离"), "volunteers.worker.attendance_days", count=missing, late=overdue)
        )
    if waiting:
        overdue = attendance.count_to_confirm(scopes, late) > 0
        found.append(
            Todo(_("志愿服务时间待另一人确认"), "volunteers.worker.hours_waiting", count=waiting, late=overdue)
        )
    return found


def _of(person: Person) -> sa.Select[Attendance]:
    volunteers = sa.select(Volunteer.id).where(Volunteer.person_id.in_(people.ids_of(person)))
    shift = joinedload(Attendance.signup).joinedload(Signup.shift)
    return (
        sa.select(Attendance)
        .join(Attendance.signup)
        .where(Signup.volunteer_id.in_(volunteers))
        .options(shift.joinedload(Shift.activity))
    )


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """When somebody served, the newest first."""
    query = _of(person).order_by(Attendance.came_at.desc(), Attendance.id.desc()).limit(limit)
    return [_line(one) for one in db.session.scalars(query)]


def _line(one: Attendance) -> Line:
    title = _("志愿服务：%(activity)s", activity=one.signup.shift.activity.title)
    said = hours.hours_words(one.minutes)
    text = _("%(hours)s，%(state)s", hours=said, state=hours_said(one.state)) if said else hours_said(one.state)
    return Line(one.came_at, title, text)


def export(person: Person) -> list[dict[str, Any]]:
    """Coming and going on each shift, in words."""
    return [_exported(one) for one in db.session.scalars(_of(person).order_by(Attendance.id))]


def _exported(one: Attendance) -> dict[str, Any]:
    left = f"{clock.local(one.left_at):%Y-%m-%d %H:%M}" if one.left_at else ""
    return {
        _("志愿签到"): one.signup.shift.activity.title,
        _("班次"): span(one.signup.starts_at, one.signup.ends_at),
        _("到达时间"): f"{clock.local(one.came_at):%Y-%m-%d %H:%M}",
        _("离开时间"): left,
        _("怎么登记的"): mark_said(one.came_by),
        _("服务时间"): hours.hours_words(one.minutes),
        _("状态"): hours_said(one.state),
        _("说明"): one.words,
    }


def purge(before: date) -> int:
    """Forget coming and going of shifts that ended before a day, whatever became of them."""
    ended = sa.select(Signup.id).where(Signup.ends_at < day_bounds(before)[0])
    db.session.execute(sa.delete(CodeUse).where(CodeUse.signup_id.in_(ended)), execution_options=_UNSYNCED)
    gone = sa.delete(Attendance).where(Attendance.signup_id.in_(ended))
    return int(getattr(db.session.execute(gone, execution_options=_UNSYNCED), "rowcount", 0))
