"""The doors of the catalogue: what waits for a worker, a person's line of appointments, export, forgetting."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.models.counter import ErrandPaper, PaperMove
from portal.catalogue.models.schedules import Slot, Timetable
from portal.catalogue.service import appointments, counter_doors, dictionary, reach, waiting
from portal.catalogue.service.applications import doors as applications
from portal.catalogue.service.appointment_words import appointment_said, slot_words
from portal.catalogue.service.rooms import doors as rooms
from portal.core import clock, reasons, settings
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, now, today
from portal.core.db import db
from portal.core.doors import Line, Load, Todo
from portal.identity.permissions import Permission
from portal.places import service as places
from portal.registry.models import Person

KEPT = "catalogue.kept_days"
settings.declare(
    KEPT,
    default=730,
    label=lambda: _("预约和申请记录保存多久"),
    unit=lambda: _("天"),
    least=90,
    most=3650,
)
_UNSYNCED = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """Who has come and waits, and who was to come and has no mark yet, where the worker serves."""
    scopes = scopes_of(worker, Permission.CATALOGUE_SERVE)
    if not scopes:
        return counter_doors.todo_of(worker)
    start, moment = day_bounds(today())[0], now()
    here = reach.reached(scopes, Timetable.community_id, Appointment.person_id)
    open_still = Appointment.state.in_([AppointmentState.BOOKED, AppointmentState.ARRIVED])
    query = (
        sa.select(
            sa.func.count().filter(Appointment.starts_at >= start),
            sa.func.count().filter(Appointment.ends_at < moment),
        )
        .select_from(Appointment)
        .join(Appointment.slot)
        .join(Slot.timetable)
        .where(here, open_still, Appointment.starts_at < day_bounds(today())[1])
    )
    coming, unmarked = db.session.execute(query).one()
    found = []
    if coming:
        found.append(Todo(_("今天的预约"), "catalogue.worker.days_page", count=coming))
    if unmarked:
        found.append(Todo(_("预约时间已过，还没有登记结果"), "catalogue.worker.days_page", count=unmarked, late=True))
    found += counter_doors.todo_of(worker)
    return found + applications.todo_of(worker) + rooms.todo_of(worker)


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    """Applications in the name of who is responsible; what waits at a counter is no one worker's."""
    return applications.open_of(workers, area)


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """A person's appointments, rooms and applications, the newest first."""
    lines = [_line(one) for one in appointments.of_person(person, limit=limit)]
    lines += rooms.timeline(person, limit=limit) + applications.timeline(person, limit=limit)
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def _line(one: Appointment) -> Line:
    title = _("预约：%(item)s，%(state)s", item=one.item.title, state=appointment_said(one.state))
    return Line(one.placed_at, title, slot_words(one))


# No appointment belongs to a worker: of the catalogue only applications change hands.
to_pass, hand_over, take_back = applications.to_pass, applications.hand_over, applications.take_back
passed_words = applications.passed_words


def passed_names(kind: str, ids: Collection[int]) -> list[str]:  # noqa: ARG001 a door has its shape
    return applications.passed_names(ids)


def export(person: Person) -> list[dict[str, Any]]:
    """Everything about a person's appointments and waiting, in words; days in ISO."""
    query = appointments.about([person]).order_by(Appointment.id)
    booked = [_exported(one) for one in db.session.scalars(query)]
    booked += [_exported_wait(one) for one in waiting.waits_of([person], live=False)]
    booked += counter_doors.papers_held(person)
    return booked + rooms.export(person) + applications.export(person)


def _exported(one: Appointment) -> dict[str, Any]:
    return {
        _("预约事项"): one.item.title,
        _("日期"): one.day.isoformat(),
        _("时间"): slot_words(one),
        _("状态"): appointment_said(one.state),
        _("怎样预约的"): appointment_said(one.channel),
        _("本人同意的方式"): one.consent,
        _("要说明的情况"): one.note or "",
        _("预约时间"): _minute(one.placed_at),
        _("预约人"): one.placed_by_name,
        _("原因"): reasons.said(one.reason),
        _("评价"): appointment_said(one.rating),
        _("评价的话"): one.rating_words or "",
    }


def _exported_wait(one: waiting.Waits) -> dict[str, Any]:
    return {
        _("候补事项"): one.item.title,
        _("日期"): one.slot.day.isoformat(),
        _("时间"): slot_words(one.slot),
        _("状态"): appointment_said(one.waiting.state),
        _("排上的时间"): _minute(one.waiting.queued_at),
        _("由谁排的"): one.waiting.placed_by_name,
    }


def _minute(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}"


def purge(before: date) -> int:
    """Forget the appointments of days before one, with the lines and the papers of their errands that were given
    back; what was not given back stays until it is. Rooms and applications of before go too. Return how many.
    """
    places.purge(waiting.KIND, day_bounds(before)[0])
    out = sa.select(ErrandPaper.appointment_id).where(ErrandPaper.returned_at.is_(None))
    old = sa.select(Appointment.id).where(Appointment.day < before, Appointment.id.not_in(out))
    papers = sa.select(ErrandPaper.id).where(ErrandPaper.appointment_id.in_(old))
    _delete(sa.delete(PaperMove).where(PaperMove.paper_id.in_(papers)))
    _delete(sa.delete(ErrandPaper).where(ErrandPaper.appointment_id.in_(old)))
    gone = _delete(sa.delete(Appointment).where(Appointment.day < before, Appointment.id.not_in(out)))
    counter_doors.purge(before)
    return gone + rooms.purge(before) + applications.purge(before) + dictionary.purge(before)


def _delete(statement: sa.Delete) -> int:
    done = db.session.execute(statement, execution_options=_UNSYNCED)
    return int(getattr(done, "rowcount", 0))
