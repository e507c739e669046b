"""Worker pages: the day as a list, the week at a glance, their paper, one slot with its people, the figures."""

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.counter import MessageForm
from portal.catalogue.models.appointments import HOLDS, AppointmentState
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import counter, days, reach, timetables, waiting
from portal.catalogue.worker.blueprint import bp
from portal.core import web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission

SERVE = Permission.CATALOGUE_SERVE


def _within() -> tuple[Scope, ...]:
    return scopes(SERVE)


def _asked_day(name: str = "day") -> date:
    """The day that the address asks for; today for anything else."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return today()


def _slot(slot_id: int) -> Slot:
    return timetables.slot_in(_within(), slot_id)


@bp.route("/days")
@requires(SERVE)
def days_page() -> Response:
    day, within, chosen = _asked_day(), _within(), web.number_asked("timetable")
    tables = days.tables_on(within, day)
    shown = [table for table in tables if not chosen or table.timetable.id == chosen]
    around: dict[str, Any] = {"before": day - timedelta(days=1), "after": day + timedelta(days=1), "today": today()}
    facts: dict[str, Any] = {
        "day": day,
        "tables": tables,
        "shown": shown,
        "chosen": chosen,
        "counts": days.counts(shown),
        "state": next((one for one in AppointmentState if one == request.args.get("state")), None),
    }
    return web.page("catalogue/worker/days_page.html", moment=now(), **facts, **around)


@bp.route("/days/sheet")
@requires(SERVE)
def day_sheet() -> Response:
    day, chosen = _asked_day(), web.number_asked("timetable")
    tables = days.tables_on(_within(), day, timetable_id=chosen)
    return web.page("catalogue/worker/day_sheet.html", tables=tables, day=day, chosen=chosen, printed_at=now())


@bp.route("/days/tickets")
@requires(SERVE)
def day_tickets() -> Response:
    day, chosen = _asked_day(), web.number_asked("timetable")
    tables = days.tables_on(_within(), day, timetable_id=chosen)
    tickets = [(table.timetable, ticket) for table in tables for ticket in table.tickets]
    return web.page("catalogue/worker/day_tickets.html", tickets=tickets, day=day, chosen=chosen)


@bp.route("/weeks")
@requires(SERVE)
def week() -> Response:
    monday = days.monday_of(_asked_day("week"))
    facts: dict[str, Any] = {
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "today": today(),
    }
    return web.page("catalogue/worker/week.html", people=days.week(_within(), monday), days=_days(monday), **facts)


@bp.route("/weeks/sheet")
@requires(SERVE)
def week_sheet() -> Response:
    monday = days.monday_of(_asked_day("week"))
    people = days.week(_within(), monday)
    return web.page("catalogue/worker/week_sheet.html", people=people, days=_days(monday), printed_at=now())


def _days(monday: date) -> list[date]:
    return [monday + timedelta(days=offset) for offset in range(7)]


@bp.route("/slots/<int:slot_id>")
@requires(SERVE)
def slot(slot_id: int) -> Response:
    found = _slot(slot_id)
    tickets = days.tickets_of(found, _within())
    facts: dict[str, Any] = {
        "tickets": tickets,
        "own": sum(ticket.appointment.state in HOLDS for ticket in tickets),
        "whole": found.timetable.community_id in reach.whole(_within()),
        "line": waiting.line(found, _within()),
        "messages": counter.messages(found),
    }
    return web.page("catalogue/worker/slot.html", slot=found, moment=now(), **facts)


@bp.route("/slots/<int:slot_id>/message", methods=["GET", "POST"])
@requires(SERVE)
def slot_message(slot_id: int) -> Response:
    """The words are looked at once more, with how many will read them, before they go."""
    found, form = _slot(slot_id), MessageForm()
    sure = form.validate_on_submit() and "send" in request.form
    if sure and _sent(found, form):
        return web.go(".slot", slot_id=found.id)
    heard, preview = counter.to_be_told(found, _within()), form.is_submitted() and not form.errors
    return web.page(
        "catalogue/worker/slot_message.html", slot=found, form=form, people=heard, preview=preview, status=form.status
    )


def _sent(found: Slot, form: MessageForm) -> bool:
    try:
        told = counter.message(found, form.text("words"), by=current_actor(), within=_within(), idem=form.text("idem"))
    except Refused as refused:
        form.refuse(refused)
        return False
    flash(_("已通知 %(count)d 人。", count=told), "ok")
    return True
