"""Worker pages: the shifts of a day and who came, the paper entered at once, sheets to print, who stands in."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.attendance import NotedForm, PaperForm, ReasonForm, TimesForm
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import Mark, Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import attendance, attending, code_pages, codes, hours, papers, substituting
from portal.volunteers.service.codes import Purpose
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


def _within() -> tuple[Scope, ...]:
    return scopes(KEEP)


def _shift(shift_id: str) -> Shift:
    return attendance.shift_in(_within(), shift_id)


def _signup(shift_id: str, signup_id: str) -> Signup:
    return attendance.signup_on(_shift(shift_id), signup_id)


def _asked_day() -> date:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today()


@bp.route("/attendance")
@requires(KEEP)
def attendance_days() -> Response:
    day, moment, within = _asked_day(), now(), _within()
    found = attendance.shifts_on(within, day)
    facts: dict[str, Any] = {
        "counts": attendance.counts_of([shift.id for shift in found]),
        "open": attendance.to_enter(within, moment),
        "to_confirm": attendance.count_to_confirm(within),
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
    }
    return web.page("volunteers/worker/attendance_days.html", found=found, day=day, at=moment, **facts)


@bp.route("/attendance/sheet")
@requires(KEEP)
def attendance_day_sheet() -> Response:
    day = _asked_day()
    sheets = attendance.sheets_of(attendance.shifts_on(_within(), day))
    return web.page("volunteers/worker/attendance_day_sheet.html", sheets=sheets, day=day, printed_at=now())


@bp.route("/attendance/<shift_id>")
@requires(KEEP)
def attendance_shift(shift_id: str) -> Response:
    shift, moment = _shift(shift_id), now()
    facts: dict[str, Any] = {"lines": attendance.lines_of(shift), "opens": hours.opens_at(shift)}
    facts |= {"count": attendance.counts_of([shift.id]).get(shift.id)}
    return web.page("volunteers/worker/attendance_shift.html", shift=shift, at=moment, **facts)


@bp.route("/attendance/<shift_id>/code")
@requires(KEEP)
def attendance_code(shift_id: str) -> Response:
    """The changing code, shown by a worker where no volunteer leads."""
    shift, purpose = _shift(shift_id), codes.purpose_of(request.args.get("purpose", ""))
    screen = code_pages.screen(shift, purpose, now())
    return web.page("volunteers/worker/attendance_code.html", shift=shift, purpose=purpose, screen=screen)


@bp.route("/attendance/<shift_id>/codes")
@requires(KEEP)
def attendance_code_sheet(shift_id: str) -> Response:
    shift = _shift(shift_id)
    sheets = [(purpose, codes.sheet(shift, purpose)) for purpose in Purpose]
    return web.page("volunteers/worker/attendance_code_sheet.html", shift=shift, sheets=sheets, printed_at=now())


@bp.route("/attendance/<shift_id>/sheet")
@requires(KEEP)
def attendance_sheet(shift_id: str) -> Response:
    shift = _shift(shift_id)
    sheets = [(shift, attendance.lines_of(shift))]
    return web.page("volunteers/worker/attendance_sheet.html", shift=shift, sheets=sheets, printed_at=now())


@bp.route("/attendance/<shift_id>/paper", methods=["GET", "POST"])
@requires(KEEP)
def attendance_paper(shift_id: str) -> Response:
    """The sign-in sheet of a shift, entered for all at once: all of it or nothing."""
    shift = _shift(shift_id)
    people = attendance.asked_about(shift)
    form = PaperForm() if request.method == "POST" else PaperForm.of(people.values())
    enter = partial(papers.enter_row, by=current_actor())
    if form.validate_on_submit() and (count := form.carry_out(people, enter)) is not None:
        flash(_("已录入 %(count)d 人，等另一位工作人员确认。", count=count), "ok")
        return web.go(".attendance_shift", shift_id=shift_id)
    facts = {"shift": shift, "people": people, "form": form}
    return web.page("volunteers/worker/attendance_paper.html", status=form.status, **facts)


@bp.route("/attendance/<shift_id>/noted", methods=["GET", "POST"])
@requires(KEEP)
def attendance_noted(shift_id: str) -> Response:
    """Codes that were noted without network."""
    shift = _shift(shift_id)
    people = attendance.asked_about(shift)
    form = NotedForm() if request.method == "POST" else NotedForm.of(people.values())
    enter = partial(papers.enter_both, by=current_actor())
    if form.validate_on_submit() and (count := form.carry_out(people, enter)) is not None:
        flash(_("已核对并登记 %(count)d 人。", count=count), "ok")
        return web.go(".attendance_shift", shift_id=shift_id)
    facts = {"shift": shift, "people": people, "form": form}
    return web.page("volunteers/worker/attendance_noted.html", status=form.status, **facts)


@bp.route("/attendance/<shift_id>/people/<signup_id>", methods=["POST"])
@requires(KEEP)
def attendance_mark(shift_id: str, signup_id: str) -> Response:
    """Come or gone, now, by a worker's hand."""
    signup, me = _signup(shift_id, signup_id), current_actor()
    act = attending.mark_out if request.form.get("act") == "out" else attending.mark_in
    words = _("已登记 %(name)s。", name=signup.volunteer.person.name)
    return _done(lambda: act(signup, Mark.WORKER, now(), me), words, shift_id)


def _done(act: Callable[[], object], words: str, shift_id: str) -> Response:
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".attendance_shift", shift_id=shift_id)


@bp.route("/attendance/<shift_id>/people/<signup_id>/hours", methods=["GET", "POST"])
@requires(KEEP)
def attendance_hours(shift_id: str, signup_id: str) -> Response:
    signup, form = _signup(shift_id, signup_id), TimesForm()
    enter = partial(papers.enter_row, by=current_actor(), mark=Mark.WORKER)
    if form.carries_out(lambda: enter(signup, form.row())):
        flash(_("已登记，等另一位工作人员确认。"), "ok")
        return web.go(".attendance_shift", shift_id=shift_id)
    found = attending.attendance_of(signup)
    return web.page(
        "volunteers/worker/attendance_hours.html", signup=signup, found=found, form=form, status=form.status
    )


@bp.route("/attendance/<shift_id>/people/<signup_id>/no-show", methods=["GET", "POST"])
@requires(KEEP)
def attendance_no_show(shift_id: str, signup_id: str) -> Response:
    signup, form = _signup(shift_id, signup_id), ReasonForm()
    if form.carries_out(lambda: attending.no_show(signup, form.text("reason"), by=current_actor())):
        flash(_("已登记 %(name)s 未到。", name=signup.volunteer.person.name), "ok")
        return web.go(".attendance_shift", shift_id=shift_id)
    return web.page("volunteers/worker/attendance_no_show.html", signup=signup, form=form, status=form.status)


@bp.route("/attendance/<shift_id>/people/<signup_id>/undo", methods=["GET", "POST"])
@requires(KEEP)
def attendance_undo(shift_id: str, signup_id: str) -> Response:
    signup, form = _signup(shift_id, signup_id), ReasonForm()
    if form.carries_out(lambda: attendance.undo(signup, by=current_actor(), reason=form.text("reason"))):
        flash(_("已撤销 %(name)s 的登记。", name=signup.volunteer.person.name), "ok")
        return web.go(".attendance_shift", shift_id=shift_id)
    return web.page("volunteers/worker/attendance_undo.html", signup=signup, form=form, status=form.status)


@bp.route("/attendance/<shift_id>/substitutes")
@requires(KEEP)
def attendance_substitutes(shift_id: str) -> Response:
    shift = _shift(shift_id)
    facts: dict[str, Any] = {"gaps": substituting.gaps(shift, attendance.lines_of(shift))}
    facts |= {"stays": substituting.can_stay(shift), "begun": shift.starts_at <= now()}
    return web.page("volunteers/worker/attendance_substitutes.html", shift=shift, **facts)


@bp.route("/attendance/<shift_id>/substitutes", methods=["POST"])
@requires(KEEP)
def attendance_substitute(shift_id: str) -> Response:
    """One tap: invited before the shift begins, put on it after."""
    shift, said, me = _shift(shift_id), request.form, current_actor()
    post_id = web.number_asked("post", said=said)
    try:
        flash(substituting.ask(shift, post_id, said.get("volunteer", ""), by=me, way=Way.WORKER), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".attendance_substitutes", shift_id=shift_id)


@bp.route("/attendance/<shift_id>/stay/<signup_id>", methods=["POST"])
@requires(KEEP)
def attendance_keep_on(shift_id: str, signup_id: str) -> Response:
    """Who said she could stay on."""
    act = partial(substituting.keep_on, _shift(shift_id), signup_id, by=current_actor(), way=Way.WORKER)
    return _done(act, _("已安排接着这一班。"), shift_id)
