"""Worker pages of shifts: made by a pattern with a preview, undone as a batch, single ones kept."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.activities import ReasonForm
from portal.volunteers.forms.shifts import PatternForm, ShiftForm, UndoForm, shift_form
from portal.volunteers.models.activities import Activity, Shift, ShiftBatch
from portal.volunteers.service import activities, activity_templates, calling_off, patterns, serving, shifts
from portal.volunteers.service.patterns import Occurrence
from portal.volunteers.worker.activities import activity_in
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP
bp.add_app_template_filter(patterns.pattern_words, "pattern_words")


def _shift(public_id: str) -> Shift:
    return activities.shift(public_id, within=scopes(KEEP))


@bp.route("/activities/<public_id>/shifts", methods=["GET", "POST"])
@requires(KEEP)
def shifts_new(public_id: str) -> Response:
    found, form = activity_in(public_id), _pattern_form()
    dates = _drawn(found, form)
    if dates is None and form.carries_out(lambda: _make(found, form)):
        return web.go(".activity", public_id=public_id)
    shown = dates or _against(found, form)
    facts: dict[str, Any] = {"dates": shown, "made": shifts.split(shown)[0], "drawn": bool(dates)}
    facts["unknown"] = patterns.beyond_holidays(shown)
    return web.page("volunteers/worker/shifts_new.html", activity=found, form=form, status=form.status, **facts)


def _pattern_form() -> PatternForm:
    """Empty, or filled with the usual pattern of the template that the address names."""
    number = web.number_asked("template")
    usual = activity_templates.template(scopes(KEEP), number).pattern if number else {}
    return PatternForm(data={"weekdays": usual["weekdays"], "slots": usual["slots"]}) if usual else PatternForm()


def _drawn(found: Activity, form: PatternForm) -> list[Occurrence] | None:
    """The dates of the pattern where only they were asked for; none where it is to be made."""
    if "preview" not in request.form:
        return None
    dates: list[Occurrence] = []
    form.carries_out(lambda: dates.extend(patterns.look(found, form.pattern())))
    return dates


def _against(found: Activity, form: PatternForm) -> list[Occurrence]:
    """The dates once more where making them was refused, so that the reasons can be read."""
    if request.method == "GET" or not form.errors:
        return []
    try:
        return patterns.look(found, form.pattern())
    except Refused:
        return []


def _make(found: Activity, form: PatternForm) -> None:
    made = shifts.make(found, form.pattern(), by=current_actor(), idem=form.text("idem"))
    flash(_("排好了 %(count)d 个班次。排错了可以整批撤销。", count=made.count), "ok")


def _batch(public_id: str, batch_id: str) -> tuple[Activity, ShiftBatch]:
    found = activity_in(public_id)
    return found, shifts.batch(found, batch_id)


@bp.route("/activities/<public_id>/batches/<batch_id>/undo", methods=["GET", "POST"])
@requires(KEEP)
def shifts_undo(public_id: str, batch_id: str) -> Response:
    found, made = _batch(public_id, batch_id)
    form = UndoForm()
    if form.carries_out(lambda: _undo(made, form)):
        return web.go(".activity", public_id=public_id)
    facts: dict[str, Any] = {"batch": made, "shifts": shifts.of_batch(made), "names": shifts.people_in(made)}
    return web.page("volunteers/worker/shifts_undo.html", activity=found, form=form, status=form.status, **facts)


def _undo(made: ShiftBatch, form: UndoForm) -> None:
    done = shifts.undo(made, form.text("reason"), by=current_actor(), only_free=bool(form.only_free.data))
    flash(_("撤销了 %(count)d 个班次，留下 %(stay)d 个。", count=done.gone + done.called_off, stay=done.stay), "ok")


@bp.route("/activities/<public_id>/shift", methods=["GET", "POST"])
@requires(KEEP)
def shift_new(public_id: str) -> Response:
    found = activity_in(public_id)
    form = shift_form(found)
    if form.carries_out(lambda: _add(found, form)):
        flash(_("班次加好了。"), "ok")
        return web.go(".activity", public_id=public_id)
    return web.page("volunteers/worker/shift_new.html", activity=found, shift=None, form=form, status=form.status)


def _said(form: ShiftForm) -> dict[str, Any]:
    words = {"place": form.text("place"), "note": form.text("note")}
    return words | {"needs": form.needs(), "by": current_actor()}


def _add(found: Activity, form: ShiftForm) -> None:
    """The same form twice is refused: the time is taken by the first."""
    shifts.add(found, *form.times(), **_said(form))


@bp.route("/shifts/<public_id>")
@requires(KEEP)
def shift_page(public_id: str) -> Response:
    found = _shift(public_id)
    facts: dict[str, Any] = {"names": calling_off.people_on(found), "moment": now()}
    facts["served"] = serving.served_by(found)
    return web.page("volunteers/worker/shift_page.html", shift=found, **facts)


@bp.route("/shifts/<public_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def shift_edit(public_id: str) -> Response:
    found = _shift(public_id)
    form = shift_form(found.activity, found)
    along = bool(form.with_people.data)
    if form.carries_out(lambda: shifts.change(found, *form.times(), with_people=along, **_said(form))):
        flash(_("班次已保存。"), "ok")
        return web.go(".shift_page", public_id=public_id)
    facts: dict[str, Any] = {"activity": found.activity, "shift": found, "names": calling_off.people_on(found)}
    return web.page("volunteers/worker/shift_edit.html", form=form, status=form.status, **facts)


def _with_reason(found: Shift, template: str, act: Callable[[str], object], words: str) -> Response:
    form = ReasonForm()
    if form.carries_out(lambda: act(form.text("reason"))):
        flash(words, "ok")
        return web.go(".shift_page", public_id=found.public_id)
    names = calling_off.people_on(found)
    return web.page(template, shift=found, form=form, names=names, status=form.status)


@bp.route("/shifts/<public_id>/close", methods=["GET", "POST"])
@requires(KEEP)
def shift_close(public_id: str) -> Response:
    found, by = _shift(public_id), current_actor()
    words = _("这个班次不再报名，已报的照常。")
    page = "volunteers/worker/shift_close.html"
    return _with_reason(found, page, lambda reason: calling_off.close_shift(found, reason, by=by), words)


@bp.route("/shifts/<public_id>/call-off", methods=["GET", "POST"])
@requires(KEEP)
def shift_call_off(public_id: str) -> Response:
    found, by = _shift(public_id), current_actor()
    words = _("班次已取消，报了名和候补的人都会收到通知。")
    page = "volunteers/worker/shift_call_off.html"
    return _with_reason(found, page, lambda reason: calling_off.call_off_shift(found, reason, by=by), words)


@bp.route("/shifts/<public_id>/reopen", methods=["POST"])
@requires(KEEP)
def shift_reopen(public_id: str) -> Response:
    found = _shift(public_id)
    try:
        calling_off.reopen_shift(found, by=current_actor())
        flash(_("班次重新接受报名。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".shift_page", public_id=public_id)
