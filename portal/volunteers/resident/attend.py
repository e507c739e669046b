"""Resident pages: checking in and out with the leader's QR code or PIN."""

from typing import Any

from flask import Response, flash
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.attendance import CodeForm, PressForm
from portal.volunteers.models.signups import Attendance
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import attendance_words, attending, checking, codes, hours, signup_words
from portal.volunteers.service.checking import Mine
from portal.volunteers.service.codes import Link

USE = Permission.VOLUNTEERS_USE
bp.add_app_template_filter(signup_words.span, "attend_span")
bp.add_app_template_filter(hours.hours_words, "served_hours")
bp.add_app_template_filter(attending.stamp, "hours_stamp")
bp.add_app_template_filter(attendance_words.mark_said, "mark_said")
bp.add_app_template_filter(attendance_words.hours_said, "hours_said")
bp.add_app_template_filter(attendance_words.hours_tint, "hours_tint")


@bp.record_once
def _with_camera(state: BlueprintSetupState) -> None:
    state.app.config["CAMERA_ENDPOINTS"] |= {"volunteers.resident.attend"}


@bp.route("/attend")
@requires(USE)
def attend_today() -> Response:
    moment = now()
    found = [(one, _words(one)) for one in checking.today_of(current_actor())]
    return web.page("volunteers/resident/attend_today.html", found=found, at=moment)


@bp.route("/attend/<public_id>", methods=["GET", "POST"])
@requires(USE)
def attend(public_id: str) -> Response:
    found, form = checking.mine(current_actor(), public_id), CodeForm()
    if form.validate_on_submit() and (said := _said(form)):
        try:
            _say(checking.enter(found, said, by=current_actor()))
            return web.go(".attend", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"found": found, "words": _words(found), "at": now()}
    return web.page("volunteers/resident/attend.html", status=form.status, form=form, **facts)


def _said(form: CodeForm) -> str:
    """What was scanned, typed or photographed; what is missing is said beside its field."""
    if not form.photo.data:
        if not form.text("code"):
            form.refuse(Refused(_("请扫二维码，或输入 6 位签到码。"), field="code"))
        return form.text("code")
    try:
        read = files.read_qr(form.photo.data.read())
    except files.BadFile as bad:
        form.refuse(Refused(bad.sentence, field="photo"))
        return ""
    if read is None:
        form.refuse(Refused(_("照片里没有认出二维码。请对准、照亮再拍一张，或输入 6 位签到码。"), field="photo"))
    return read or ""


@bp.route("/attend/<shift_id>/<purpose>/<int:step>/<signature>", methods=["GET", "POST"])
@requires(USE)
def attend_scan(shift_id: str, purpose: str, step: int, signature: str) -> Response:
    """The address of the leader's QR code: one button."""
    shift, form, link = checking.shift_of(shift_id), PressForm(), Link(shift_id, purpose, step, signature)
    if form.carries_out(lambda: _say(checking.press(shift, link, form.text("seen"), by=current_actor()))):
        return web.go(".attend_today")
    found = _opened(form, link) if not form.errors else None
    return web.page(
        "volunteers/resident/attend_scan.html",
        status=form.status,
        shift=shift,
        purpose=codes.purpose_of(purpose),
        form=form,
        found=found,
        words=_words(found) if found else "",
    )


def _opened(form: PressForm, link: Link) -> Mine | None:
    try:
        found, form.seen.data = checking.opened(checking.shift_of(link.shift), link, by=current_actor())
    except Refused as refused:
        form.refuse(refused)
        return None
    return found


def _words(found: Mine) -> str:
    return attendance_words.state_words(found.signup, found.attendance, now())


def _say(attendance: Attendance) -> None:
    if attendance.left_at is None:
        flash(_("签到成功。谢谢您来帮忙！结束时请记得签退。"), "ok")
    else:
        flash(_("签退成功，服务 %(hours)s。辛苦了！", hours=hours.hours_words(attendance.minutes)), "ok")
