"""Pages of who leads: her shifts, who came, the changing code, the paper, messages; nobody else's exist."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.attendance import MessageForm, NotedForm, ReasonForm, TimesForm
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import (
    attendance,
    attending,
    checking,
    code_pages,
    codes,
    hours,
    leading,
    papers,
    substituting,
)
from portal.volunteers.service.codes import Purpose

USE = Permission.VOLUNTEERS_USE


def _shift(shift_id: str) -> Shift:
    return leading.shift_led(current_actor(), shift_id)


def _signup(shift_id: str, signup_id: str) -> Signup:
    return attendance.signup_on(_shift(shift_id), signup_id)


@bp.route("/lead")
@requires(USE)
def lead_shifts() -> Response:
    found, moment = leading.shifts_led(current_actor()), now()
    counts = attendance.counts_of([shift.id for shift in found])
    return web.page("volunteers/resident/lead_shifts.html", found=found, counts=counts, at=moment)


@bp.route("/lead/<shift_id>")
@requires(USE)
def lead_shift(shift_id: str) -> Response:
    shift, moment = _shift(shift_id), now()
    lines = attendance.lines_of(shift)
    facts: dict[str, Any] = {
        "lines": lines,
        "groups": attendance.positions_of(lines),
        "late": [line for line in lines if line.is_late(moment)],
        "stays": [line for line in lines if line.signup.can_stay],
        "opens": hours.opens_at(shift),
        "closes": hours.closes_at(shift),
    }
    return web.page("volunteers/resident/lead_shift.html", shift=shift, at=moment, **facts)


@bp.route("/lead/<shift_id>/code")
@requires(USE)
def lead_code(shift_id: str) -> Response:
    """QR code and PIN, large; the page asks for the next one by itself, or by its link."""
    shift, purpose = _shift(shift_id), codes.purpose_of(request.args.get("purpose", ""))
    screen = code_pages.screen(shift, purpose, now())
    return web.page("volunteers/resident/lead_code.html", shift=shift, purpose=purpose, screen=screen)


@bp.route("/lead/<shift_id>/codes")
@requires(USE)
def lead_code_sheet(shift_id: str) -> Response:
    """The codes of the whole shift, to be opened or printed before there is no network."""
    shift = _shift(shift_id)
    sheets = [(purpose, codes.sheet(shift, purpose)) for purpose in Purpose]
    return web.page("volunteers/resident/lead_code_sheet.html", shift=shift, sheets=sheets, printed_at=now())


@bp.route("/lead/<shift_id>/sheet")
@requires(USE)
def lead_sheet(shift_id: str) -> Response:
    shift = _shift(shift_id)
    sheets = [(shift, attendance.lines_of(shift))]
    return web.page("volunteers/resident/lead_sheet.html", shift=shift, sheets=sheets, printed_at=now())


@bp.route("/lead/<shift_id>/people/<signup_id>", methods=["POST"])
@requires(USE)
def lead_mark(shift_id: str, signup_id: str) -> Response:
    """A mark of one button on the spot: come or gone, now."""
    signup, me = _signup(shift_id, signup_id), current_actor()
    purpose = Purpose.OUT if request.form.get("act") == "out" else Purpose.IN
    words = _("已登记 %(name)s。", name=signup.volunteer.person.name)
    return _done(shift_id, lambda: checking.on_the_spot(signup, purpose, by=me), words)


@bp.route("/lead/<shift_id>/people/<signup_id>/confirm", methods=["POST"])
@requires(USE)
def lead_confirm(shift_id: str, signup_id: str) -> Response:
    """The leader as the second person."""
    found = attending.attendance_of(_signup(shift_id, signup_id))
    if found is None:
        raise Missing
    seen = request.form.get("seen", "")
    return _done(shift_id, lambda: attending.confirm(found, by=current_actor(), seen=seen), _("已确认服务时间。"))


def _done(shift_id: str, act: Callable[[], object], words: str) -> Response:
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".lead_shift", shift_id=shift_id)


@bp.route("/lead/<shift_id>/people/<signup_id>/no-show", methods=["GET", "POST"])
@requires(USE)
def lead_no_show(shift_id: str, signup_id: str) -> Response:
    signup, form = _signup(shift_id, signup_id), ReasonForm()
    if form.carries_out(lambda: attending.no_show(signup, form.text("reason"), by=current_actor())):
        flash(_("已登记 %(name)s 未到。", name=signup.volunteer.person.name), "ok")
        return web.go(".lead_shift", shift_id=shift_id)
    return web.page("volunteers/resident/lead_no_show.html", signup=signup, form=form, status=form.status)


@bp.route("/lead/<shift_id>/people/<signup_id>/undo", methods=["GET", "POST"])
@requires(USE)
def lead_undo(shift_id: str, signup_id: str) -> Response:
    signup, form = _signup(shift_id, signup_id), ReasonForm()
    if form.carries_out(lambda: attendance.undo(signup, by=current_actor(), reason=form.text("reason"))):
        flash(_("已撤销 %(name)s 的登记。", name=signup.volunteer.person.name), "ok")
        return web.go(".lead_shift", shift_id=shift_id)
    return web.page("volunteers/resident/lead_undo.html", signup=signup, form=form, status=form.status)


@bp.route("/lead/<shift_id>/people/<signup_id>/times", methods=["GET", "POST"])
@requires(USE)
def lead_times(shift_id: str, signup_id: str) -> Response:
    """Times by hand: a second person confirms them."""
    signup, form = _signup(shift_id, signup_id), TimesForm()
    if form.carries_out(lambda: papers.enter_row(signup, form.row(), by=current_actor())):
        flash(_("已登记，等另一个人确认。"), "ok")
        return web.go(".lead_shift", shift_id=shift_id)
    found = attending.attendance_of(signup)
    return web.page("volunteers/resident/lead_times.html", signup=signup, found=found, form=form, status=form.status)


@bp.route("/lead/<shift_id>/noted", methods=["GET", "POST"])
@requires(USE)
def lead_noted(shift_id: str) -> Response:
    """Codes that were noted without network, typed in for all at once."""
    shift = _shift(shift_id)
    people = {line.signup.public_id: line.signup for line in attendance.lines_of(shift)}
    form = NotedForm() if request.method == "POST" else NotedForm.of(people.values())
    enter = partial(papers.enter_both, by=current_actor())
    if form.validate_on_submit() and (count := form.carry_out(people, enter)) is not None:
        flash(_("已核对并登记 %(count)d 条。", count=count), "ok")
        return web.go(".lead_shift", shift_id=shift_id)
    facts = {"shift": shift, "people": people, "form": form}
    return web.page("volunteers/resident/lead_noted.html", status=form.status, **facts)


@bp.route("/lead/<shift_id>/message", methods=["GET", "POST"])
@requires(USE)
def lead_message(shift_id: str) -> Response:
    shift, form = _shift(shift_id), MessageForm()
    me = current_actor()
    if form.carries_out(lambda: attendance.message(shift, form.text("words"), by=me, idem=form.text("idem"))):
        flash(_("已通知这个班次的人。"), "ok")
        return web.go(".lead_shift", shift_id=shift_id)
    heard = attendance.counts_of([shift.id]).get(shift.id)
    return web.page("volunteers/resident/lead_message.html", shift=shift, heard=heard, form=form, status=form.status)


@bp.route("/lead/<shift_id>/substitutes")
@requires(USE)
def lead_substitutes(shift_id: str) -> Response:
    """Who can come where somebody is missing."""
    shift = _shift(shift_id)
    facts: dict[str, Any] = {"gaps": substituting.gaps(shift, attendance.lines_of(shift))}
    facts |= {"stays": substituting.can_stay(shift), "begun": shift.starts_at <= now()}
    return web.page("volunteers/resident/lead_substitutes.html", shift=shift, **facts)


@bp.route("/lead/<shift_id>/substitutes", methods=["POST"])
@requires(USE)
def lead_substitute(shift_id: str) -> Response:
    """One tap: invited before the shift begins, put on it after."""
    shift, said, me = _shift(shift_id), request.form, current_actor()
    post_id = web.number_asked("post", said=said)
    try:
        flash(substituting.ask(shift, post_id, said.get("volunteer", ""), by=me, way=Way.LEADER), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".lead_substitutes", shift_id=shift_id)


@bp.route("/lead/<shift_id>/stay/<signup_id>", methods=["POST"])
@requires(USE)
def lead_keep_on(shift_id: str, signup_id: str) -> Response:
    """Who said she could stay on."""
    shift, me = _shift(shift_id), current_actor()
    act = partial(substituting.keep_on, shift, signup_id, by=me, way=Way.LEADER)
    return _done(shift_id, act, _("已安排接着这一班。"))
