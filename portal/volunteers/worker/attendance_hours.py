"""Worker pages: hours that wait for a second person, confirming them, and hours that are disputed."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.attendance import ReasonForm
from portal.volunteers.service import attendance, attending, hours
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP
bp.add_app_template_filter(hours.is_over_day, "is_over_day")
bp.add_app_template_filter(hours.day_of, "attend_day")


@bp.route("/hours")
@requires(KEEP)
def hours_waiting() -> Response:
    me = current_actor().public_id
    found = attendance.to_confirm(scopes(KEEP))
    mine = {one.id for one in found if me in {one.entered_by, one.came_entered_by}}
    return web.page("volunteers/worker/hours_waiting.html", found=found, mine=mine, totals=hours.totals_of(found))


@bp.route("/hours/confirm", methods=["POST"])
@requires(KEEP)
def hours_confirm_picked() -> Response:
    """The second person's yes to several at once."""
    done, refused = attendance.confirm_picked(scopes(KEEP), _picks(), by=current_actor())
    if done or not refused:
        words = _("已确认 %(count)d 人的服务时间。", count=done) if done else _("请先勾选要确认的人。")
        flash(words, "ok" if done else "warn")
    for words in refused:
        flash(words, "bad")
    return web.go(".hours_waiting")


def _picks() -> dict[int, str]:
    """What was ticked: an id with the mark of what stood beside it."""
    said = [pick.partition(":") for pick in request.form.getlist("pick")[:500]]
    return {int(number): seen for number, _colon, seen in said if number.isascii() and number.isdigit() and seen}


@bp.route("/hours/<int:attendance_id>/confirm", methods=["POST"])
@requires(KEEP)
def hours_confirm(attendance_id: int) -> Response:
    """The second person's yes to what the page showed."""
    found = attendance.attendance_in(scopes(KEEP), attendance_id)
    try:
        attending.confirm(found, by=current_actor(), seen=request.form.get("seen", ""))
        flash(_("已确认 %(name)s 的服务时间。", name=found.signup.volunteer.person.name), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".hours_waiting")


@bp.route("/hours/<int:attendance_id>/dispute", methods=["GET", "POST"])
@requires(KEEP)
def hours_dispute(attendance_id: int) -> Response:
    found, form = attendance.attendance_in(scopes(KEEP), attendance_id), ReasonForm()
    if form.carries_out(lambda: attending.dispute(found, by=current_actor(), reason=form.text("reason"))):
        flash(_("已记下异议，核对后请重新填写时间。"), "ok")
        return web.go(".attendance_shift", shift_id=found.signup.shift.public_id)
    return web.page("volunteers/worker/hours_dispute.html", found=found, form=form, status=form.status)
