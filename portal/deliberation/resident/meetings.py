"""Resident pages of meetings: what is announced, signing up and in, what came of it; the experts of a topic."""

from typing import Any

from flask import Response, flash, request
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.deliberation.forms.meetings import CodeForm, JoinForm, LeaveForm, PressForm, ShownForm
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import (
    experts,
    meeting_attendance,
    meeting_codes,
    meeting_files,
    meeting_minutes,
    meeting_reports,
    meeting_signup,
    meetings,
    reach,
)
from portal.deliberation.service.meeting_codes import Link
from portal.deliberation.service.meeting_notices import LIVE
from portal.identity.permissions import Permission

USE = Permission.DELIBERATION_USE


@bp.record_once
def _with_camera(state: BlueprintSetupState) -> None:
    state.app.config["CAMERA_ENDPOINTS"] |= {"deliberation.resident.meeting_come"}


@bp.route("/meetings")
@public
def meeting_list() -> Response:
    past, page = "past" in request.args, min(max(web.number_asked("page", 1), 1), 500)
    found, more = meetings.public_list(now(), past=past, page=page)
    facts: dict[str, Any] = {"past": past, "page": page, "more": more}
    return web.page("deliberation/resident/meeting_list.html", found=found, **facts)


@bp.route("/meetings/<int:meeting_id>")
@public
def meeting_page(meeting_id: int) -> Response:
    """The notice before, the report after; how she stands with it."""
    meeting, moment = meetings.shown(meeting_id), now()
    person = reach.person_of(actor_or_none())
    mine = meeting_signup.mine(meeting, person)
    facts: dict[str, Any] = {"notice": meetings.notice_of(meeting), "mine": mine, "at": moment, "person": person}
    facts["waits"] = meeting_signup.place_in_line(meeting, person) if mine and person else 0
    facts["signs_in"] = not meeting_codes.trouble(meeting, moment)
    if meeting.state is MeetingState.REPORTED:
        facts |= _held(meeting)
    return web.page("deliberation/resident/meeting_page.html", meeting=meeting, topic=meeting.topic, **facts)


def _held(meeting: Meeting) -> dict[str, Any]:
    """What is told of a meeting that was held."""
    return {
        "motions": meetings.motions(meeting),
        "names": meeting_reports.shown_names(meeting_reports.came(meeting)),
        "attendance": meeting_minutes.attendance_said(meeting),
    }


@bp.route("/meetings/<int:meeting_id>/calendar")
@public
def meeting_calendar(meeting_id: int) -> Response:
    meeting = meetings.shown(meeting_id)
    text = meeting_files.calendar_text(meeting, address=web.absolute(".meeting_page", meeting_id=meeting.id))
    return web.download(text.encode(), f"{meeting.title}.ics", "text/calendar")


@bp.route("/meetings/<int:meeting_id>/join", methods=["GET", "POST"])
@requires(USE)
def meeting_join(meeting_id: int) -> Response:
    meeting, form = meetings.shown(meeting_id), JoinForm()
    if form.carries_out(lambda: _join(meeting, form)):
        return web.go(".meeting_page", meeting_id=meeting_id)
    if request.method == "GET":
        _asked(meeting)
    return web.page("deliberation/resident/meeting_join.html", meeting=meeting, form=form, status=form.status)


def _asked(meeting: Meeting) -> None:
    """Who may not sign up hears so before she has filled anything in."""
    try:
        reach.person_in(meeting.topic, current_actor())
        meeting_signup.check_open(meeting)
    except Refused as refused:
        flash(refused.message, "warn")


def _join(meeting: Meeting, form: JoinForm) -> None:
    """Who is on the list already stays on it as she is."""
    by = current_actor()
    person = reach.person_in(meeting.topic, by)
    one = meeting_signup.join(meeting, person, form.wish(), by=by)
    if one.state.value == "waiting":
        flash(_("座位报满了，已替您排上候补。有人退出就轮到您，会通知您。"), "ok")
    else:
        flash(_("报名成功。开会前会提醒您。"), "ok")


def _mine(meeting_id: int) -> Attendee:
    """Her own live row; anything else does not exist."""
    meeting = meetings.shown(meeting_id)
    one = meeting_signup.mine(meeting, reach.person_of(current_actor()))
    if one is None or one.state not in LIVE:
        raise Missing
    return one


@bp.route("/meetings/<int:meeting_id>/leave", methods=["GET", "POST"])
@requires(USE)
def meeting_leave(meeting_id: int) -> Response:
    one, form = _mine(meeting_id), LeaveForm()
    if form.carries_out(lambda: meeting_signup.leave(one, why=form.text("why"))):
        flash(_("已退出，座位让给候补的人。"), "ok")
        return web.go(".meeting_page", meeting_id=meeting_id)
    return web.page("deliberation/resident/meeting_leave.html", meeting=one.meeting, form=form, status=form.status)


@bp.route("/meetings/<int:meeting_id>/name", methods=["GET", "POST"])
@requires(USE)
def meeting_name(meeting_id: int) -> Response:
    """How the report names her."""
    one = _mine(meeting_id)
    form = ShownForm(data={"shown_as": one.shown_as})
    if form.carries_out(lambda: meeting_signup.choose_shown(one, form.text("shown_as"))):
        flash(_("已改好。"), "ok")
        return web.go(".meeting_page", meeting_id=meeting_id)
    return web.page("deliberation/resident/meeting_name.html", meeting=one.meeting, form=form, status=form.status)


@bp.route("/meetings/<int:meeting_id>/come", methods=["GET", "POST"])
@requires(USE)
def meeting_come(meeting_id: int) -> Response:
    """Signing in by what is on the wall: scanned, typed, or photographed."""
    meeting, form, by = meetings.shown(meeting_id), CodeForm(), current_actor()
    if form.validate_on_submit() and (said := _said(form)):
        try:
            meeting_attendance.enter(meeting, said, reach.person_in(meeting.topic, by), by=by)
            flash(_("签到成功。"), "ok")
            return web.go(".meeting_page", meeting_id=meeting_id)
        except Refused as refused:
            form.refuse(refused)
    trouble = meeting_codes.trouble(meeting, now())
    facts = {"meeting": meeting, "form": form, "trouble": trouble}
    return web.page("deliberation/resident/meeting_come.html", status=form.status, **facts)


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


@bp.route("/meetings/<int:meeting_id>/in/<int:step>/<signature>", methods=["GET", "POST"])
@requires(USE)
def meeting_scan(meeting_id: int, step: int, signature: str) -> Response:
    """The address of the wall's QR code: one button."""
    meeting, form, by = meetings.shown(meeting_id), PressForm(), current_actor()
    link, ready = Link(meeting_id, step, signature), False
    if form.carries_out(lambda: _press(meeting, link, form.text("seen"))):
        return web.go(".meeting_page", meeting_id=meeting_id)
    if not form.errors:
        try:
            form.seen.data = meeting_attendance.opened(meeting, link, reach.person_in(meeting.topic, by))
            ready = True
        except Refused as refused:
            form.refuse(refused)
    facts = {"meeting": meeting, "form": form, "ready": ready}
    return web.page("deliberation/resident/meeting_scan.html", status=form.status, **facts)


def _press(meeting: Meeting, link: Link, seen: str) -> None:
    by = current_actor()
    meeting_attendance.press(meeting, link, seen, reach.person_in(meeting.topic, by), by=by)
    flash(_("签到成功。"), "ok")


@bp.route("/topics/<int:topic_id>/experts")
@public
def expert_list(topic_id: int) -> Response:
    topic = reach.shown(topic_id)
    return web.page("deliberation/resident/expert_list.html", topic=topic, found=experts.of_topic(topic, public=True))
