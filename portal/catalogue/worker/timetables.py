"""Worker pages: the timetables of a community, their exceptions, and the slots that they opened."""

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.catalogue.forms.timetables import (
    DayOffForm,
    EndForm,
    ExceptionForm,
    SlotForm,
    TimetableForm,
    stands,
    timetable_form,
)
from portal.catalogue.models.schedules import Slot, Timetable
from portal.catalogue.service import closing, opening, schedule_words, timetables
from portal.catalogue.service.opening import Opened, Span
from portal.catalogue.worker.blueprint import bp
from portal.core import tokens, web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.service.resources import listing

KEEP = Permission.CATALOGUE_KEEP
Week = list[tuple[date, list[Span], str]]
bp.add_app_template_filter(schedule_words.schedule_said, "schedule_said")
bp.add_app_template_filter(schedule_words.slot_tint, "slot_tint")
bp.add_app_template_filter(schedule_words.hours_words, "timetable_hours")
bp.add_app_template_filter(schedule_words.breaks_words, "timetable_breaks")
bp.add_app_template_filter(schedule_words.clock_words, "slot_clock")
bp.add_app_template_filter(schedule_words.starts_words, "starts_words")
bp.add_app_template_filter(schedule_words.column_day, "column_day")
bp.add_app_template_filter(schedule_words.exception_words, "exception_words")
bp.add_app_template_filter(schedule_words.why, "slot_why")
bp.add_app_template_filter(schedule_words.whose_words, "timetable_whose")


def _within() -> tuple[Scope, ...]:
    return scopes(KEEP)


def _timetable(timetable_id: int) -> Timetable:
    return timetables.timetable_in(_within(), timetable_id)


def _slot(slot_id: int) -> Slot:
    return timetables.slot_in(_within(), slot_id)


@bp.route("/timetables")
@requires(KEEP)
def timetables_page() -> Response:
    ended, within = "ended" in request.args, _within()
    found, unsettled = timetables.timetables(within, ended=ended), timetables.unsettled(within)
    return web.page("catalogue/worker/timetables_page.html", timetables=found, ended=ended, unsettled=unsettled)


@bp.route("/timetables/new", methods=["GET", "POST"])
@requires(KEEP)
def timetable_new() -> Response:
    communities = listing.communities(_within())
    community = _community(communities)
    form = timetable_form(community)
    days = _drawn(form)
    if days is None and form.carries_out(lambda: _add(form, community)):
        return web.go(".timetable", timetable_id=int(form.made))
    context: dict[str, Any] = {"community": community, "communities": communities, "timetable": None, "days": days}
    return web.page("catalogue/worker/timetable_new.html", form=form, status=form.status, **context)


def _drawn(form: TimetableForm) -> Week | None:
    """The week that the form would give, where only that was asked; none where it is to be saved."""
    if "preview" not in request.form or not form.validate_on_submit():
        return [] if "preview" in request.form else None
    try:
        drawn = timetables.sketch(form.facts())
    except Refused as refused:
        form.refuse(refused)
        return []
    return opening.preview(drawn, today())


def _community(communities: list[Area]) -> Area:
    """The one that the address names, else the first."""
    asked = request.args.get("community", "")
    found = next((area for area in communities if not asked or area.code == asked), None)
    if found is None:
        raise Missing
    return found


def _add(form: TimetableForm, community: Area) -> None:
    """The same form sent twice makes one timetable."""
    by, facts = current_actor(), form.facts()
    earlier = tokens.same_request(by.public_id, "catalogue.timetable", form.text("idem"), form.body())
    if earlier is None:
        made, opened = timetables.add(community, facts, by=by)
        earlier = str(made.id)
        tokens.remember_request(by.public_id, "catalogue.timetable", form.text("idem"), form.body(), earlier)
        flash(_("时间表已建好，开放了 %(count)d 个时段。", count=opened.made), "ok")
    form.made = earlier


@bp.route("/timetables/<int:timetable_id>")
@requires(KEEP)
def timetable(timetable_id: int) -> Response:
    found = _timetable(timetable_id)
    days = opening.preview(found, today())
    unsettled = timetables.unsettled(_within(), found)
    facts: dict[str, Any] = {"days": days, "unsettled": unsettled, "today": today()}
    facts["clashes"] = timetables.clashes_of(found)
    return web.page("catalogue/worker/timetable.html", timetable=found, **facts)


@bp.route("/timetables/<int:timetable_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def timetable_edit(timetable_id: int) -> Response:
    found = _timetable(timetable_id)
    form = timetable_form(found.community, found)
    days = _drawn(form)
    if days is None and form.carries_out(lambda: _say(_change(found, form))):
        return web.go(".timetable", timetable_id=found.id)
    context: dict[str, Any] = {"timetable": found, "community": found.community, "communities": [], "days": days}
    return web.page("catalogue/worker/timetable_edit.html", form=form, status=form.status, **context)


def _change(found: Timetable, form: TimetableForm) -> Opened:
    """Of two who edit one timetable the second is told what the first changed."""
    timetables.hold(found)
    form.refuse_older(stands(found), by=found.updated_by)
    return timetables.change(found, form.facts(), by=current_actor())


def _say(opened: Opened) -> None:
    """What a change did."""
    flash(_("已保存：新开 %(made)d 个时段，收回 %(gone)d 个。", made=opened.made, gone=opened.withdrawn), "ok")
    if opened.misfits:
        flash(_("有 %(count)d 个已有人预约的时段和新安排不合，请在下面逐个处理。", count=len(opened.misfits)), "warn")


@bp.route("/timetables/<int:timetable_id>/exception", methods=["GET", "POST"])
@requires(KEEP)
def timetable_exception(timetable_id: int) -> Response:
    found, form = _timetable(timetable_id), ExceptionForm()
    if form.carries_out(lambda: _say(_except(found, form))):
        return web.go(".timetable", timetable_id=found.id)
    return web.page("catalogue/worker/timetable_exception.html", timetable=found, form=form, status=form.status)


def _except(found: Timetable, form: ExceptionForm) -> Opened:
    first, last = form.first_day.data or today(), form.last_day.data or today()
    return timetables.add_exception(found, first, last, form.hours(), form.text("reason"), by=current_actor())


@bp.route("/timetables/<int:timetable_id>/exceptions/<int:exception_id>/drop", methods=["POST"])
@requires(KEEP)
def timetable_exception_drop(timetable_id: int, exception_id: int) -> Response:
    found = _timetable(timetable_id)
    return _done(found, lambda: _say(timetables.drop_exception(found, exception_id, by=current_actor())))


def _done(found: Timetable, act: Callable[[], object]) -> Response:
    """An act of one button: back to the timetable, with what it did or why not."""
    try:
        act()
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".timetable", timetable_id=found.id)


@bp.route("/timetables/<int:timetable_id>/end", methods=["GET", "POST"])
@requires(KEEP)
def timetable_end(timetable_id: int) -> Response:
    found, form = _timetable(timetable_id), EndForm()
    if form.carries_out(lambda: _say(timetables.end(found, form.text("reason"), by=current_actor()))):
        return web.go(".timetable", timetable_id=found.id)
    return web.page("catalogue/worker/timetable_end.html", timetable=found, form=form, status=form.status)


@bp.route("/timetables/<int:timetable_id>/reopen", methods=["POST"])
@requires(KEEP)
def timetable_reopen(timetable_id: int) -> Response:
    found = _timetable(timetable_id)
    return _done(found, lambda: _say(timetables.reopen(found, by=current_actor())))


@bp.route("/timetables/<int:timetable_id>/open-again", methods=["POST"])
@requires(KEEP)
def timetable_open_again(timetable_id: int) -> Response:
    found = _timetable(timetable_id)
    return _done(found, lambda: _say(timetables.open_again(found, by=current_actor())))


@bp.route("/timetables/<int:timetable_id>/day-off", methods=["GET", "POST"])
@requires(KEEP)
def timetable_day_off(timetable_id: int) -> Response:
    found, form = _timetable(timetable_id), DayOffForm()
    if form.carries_out(lambda: _day_off(found, form)):
        return web.go(".timetable", timetable_id=found.id)
    return web.page("catalogue/worker/timetable_day_off.html", timetable=found, form=form, status=form.status)


def _day_off(found: Timetable, form: DayOffForm) -> None:
    _slots, told = closing.close_day(found, form.day.data or today(), form.text("reason"), by=current_actor())
    flash(_("这一天已停办，通知了 %(count)d 位已预约的居民。", count=told), "ok")


@bp.route("/slots/<int:slot_id>/keep", methods=["POST"])
@requires(KEEP)
def slot_keep(slot_id: int) -> Response:
    found = _slot(slot_id)
    closing.keep(found, by=current_actor())
    flash(_("已保留，预约的居民照原时间来。"), "ok")
    return web.go(".timetable", timetable_id=found.timetable_id)


@bp.route("/slots/<int:slot_id>/close", methods=["GET", "POST"])
@requires(KEEP)
def slot_close(slot_id: int) -> Response:
    found, form = _slot(slot_id), SlotForm()
    if form.carries_out(lambda: closing.close(found, form.text("reason"), by=current_actor())):
        flash(_("这个时段不再接受预约，已预约的照常。"), "ok")
        return web.go(".timetable", timetable_id=found.timetable_id)
    context: dict[str, Any] = {"slot": found, "booked": closing.booked_on(found)}
    return web.page("catalogue/worker/slot_close.html", form=form, status=form.status, **context)


@bp.route("/slots/<int:slot_id>/call-off", methods=["GET", "POST"])
@requires(KEEP)
def slot_call_off(slot_id: int) -> Response:
    found, form = _slot(slot_id), SlotForm()
    if form.carries_out(lambda: _call_off(found, form.text("reason"))):
        return web.go(".timetable", timetable_id=found.timetable_id)
    context: dict[str, Any] = {"slot": found, "booked": closing.booked_on(found)}
    return web.page("catalogue/worker/slot_call_off.html", form=form, status=form.status, **context)


def _call_off(found: Slot, reason: str) -> None:
    told = closing.call_off(found, reason, by=current_actor())
    flash(_("这个时段已取消，通知了 %(count)d 位已预约的居民。", count=told), "ok")


@bp.route("/slots/<int:slot_id>/reopen", methods=["POST"])
@requires(KEEP)
def slot_reopen(slot_id: int) -> Response:
    found = _slot(slot_id)
    return _done(found.timetable, lambda: closing.reopen(found, by=current_actor()))


@bp.app_template_filter("is_ahead")
def is_ahead(slot: Slot) -> bool:
    """Whether a slot has not begun."""
    return slot.starts_at > now()
