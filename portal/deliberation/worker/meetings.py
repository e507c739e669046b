"""Worker pages of meetings: the list, arranging one, its notice, changes and cancelling, the paper for the wall."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, may_enter, requires, scopes
from portal.core.clock import now, today
from portal.core.once import made_once
from portal.deliberation.forms.meetings import MeetingForm, NoticeForm, WhyForm, meeting_form
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.service import (
    meeting_attendance,
    meeting_notices,
    meeting_rules,
    meeting_words,
    meetings,
    reach,
)
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP
for _name, _words in meeting_words.FILTERS.items():
    bp.add_app_template_filter(_words, _name)


def kept(meeting_id: int) -> Meeting:
    return meetings.kept(meeting_id, within=scopes(KEEP))


def read(meeting_id: int) -> Meeting:
    return meetings.read(meeting_id, within=scopes(KEEP))


@bp.route("/meetings")
@requires(KEEP)
def meeting_list() -> Response:
    past, page = "past" in request.args, min(max(web.number_asked("page", 1), 1), 500)
    found, more = meetings.desk_list(scopes(KEEP), past=past, page=page)
    facts: dict[str, Any] = {"past": past, "page": page, "more": more}
    return web.page("deliberation/worker/meeting_list.html", found=found, **facts)


@bp.route("/topics/<int:topic_id>/meetings/new", methods=["GET", "POST"])
@requires(KEEP)
def meeting_new(topic_id: int) -> Response:
    topic = reach.kept(topic_id, within=scopes(KEEP))
    form, by = meeting_form(topic), current_actor()
    made: list[str] = []

    def make() -> None:
        made.append(made_once("deliberation.meeting", form, lambda: meetings.make(topic, form.facts(), by=by)))

    if form.carries_out(make):
        flash(_("草稿存好了。核对之后发通知，居民才看得到。"), "ok")
        return web.go(".meeting_desk", meeting_id=int(made[0]))
    return web.page("deliberation/worker/meeting_new.html", topic=topic, form=form, meeting=None, status=form.status)


@bp.route("/meetings/<int:meeting_id>")
@requires(KEEP)
def meeting_desk(meeting_id: int) -> Response:
    meeting = read(meeting_id)
    draft = meeting.state is MeetingState.DRAFT
    facts: dict[str, Any] = {
        "keeps": reach.keeps(meeting.topic, scopes(KEEP)),
        "stand": meeting_attendance.standing(meeting),
        "notices": meetings.notices_of(meeting),
        "motions": meetings.motions(meeting),
        "flaws": meeting_notices.flaws(meeting) if draft else [],
        "at": now(),
        "board": may_enter("catalogue.worker.room_board"),
    }
    return web.page("deliberation/worker/meeting_desk.html", meeting=meeting, topic=meeting.topic, **facts)


@bp.route("/meetings/<int:meeting_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def meeting_edit(meeting_id: int) -> Response:
    """A draft is changed; what was announced is announced anew, with the reason."""
    meeting = kept(meeting_id)
    form, draft = meeting_form(meeting.topic, meeting), meeting.state is MeetingState.DRAFT
    if form.carries_out(lambda: _change(meeting, form, draft=draft)):
        flash(_("已保存。") if draft else _("已改好并重新通知，报了名的人会收到消息。"), "ok")
        return web.go(".meeting_desk", meeting_id=meeting_id)
    facts: dict[str, Any] = {"topic": meeting.topic, "meeting": meeting, "form": form}
    return web.page("deliberation/worker/meeting_edit.html", status=form.status, **facts)


def _change(meeting: Meeting, form: MeetingForm, *, draft: bool) -> None:
    if draft:
        meetings.change(meeting, form.facts(), by=current_actor())
    else:
        meeting_notices.announce_anew(meeting, form.facts(), why=form.text("why"), by=current_actor())


@bp.route("/meetings/<int:meeting_id>/notice", methods=["GET", "POST"])
@requires(KEEP)
def meeting_notify(meeting_id: int) -> Response:
    """The notice as it will read, and its one button."""
    meeting, form, by = kept(meeting_id), NoticeForm(), current_actor()
    contact, checked = form.text("contact"), bool(form.checked.data)
    if form.carries_out(lambda: meeting_notices.publish(meeting, contact=contact, checked=checked, by=by)):
        flash(_("通知已发布，关注这个议题的居民会收到消息。记得把通知贴到公告栏。"), "ok")
        return web.go(".meeting_desk", meeting_id=meeting_id)
    facts: dict[str, Any] = {
        "flaws": meeting_notices.flaws(meeting),
        "unchecked": meeting_notices.is_unchecked(meeting),
        "first": meeting_rules.earliest(meeting.notice_days, today()),
    }
    return web.page("deliberation/worker/meeting_notify.html", status=form.status, meeting=meeting, form=form, **facts)


@bp.route("/meetings/<int:meeting_id>/cancel", methods=["GET", "POST"])
@requires(KEEP)
def meeting_cancel(meeting_id: int) -> Response:
    meeting, form = kept(meeting_id), WhyForm()
    if form.carries_out(lambda: meeting_notices.cancel(meeting, why=form.text("why"), by=current_actor())):
        flash(_("会议已取消，报了名的人会收到消息。"), "ok")
        return web.go(".meeting_desk", meeting_id=meeting_id)
    return web.page("deliberation/worker/meeting_cancel.html", meeting=meeting, form=form, status=form.status)


@bp.route("/meetings/<int:meeting_id>/wall")
@requires(KEEP)
def meeting_wall(meeting_id: int) -> Response:
    """The notice for the wall, with a QR code that leads to the page where one signs up."""
    meeting = read(meeting_id)
    address = web.absolute("deliberation.resident.meeting_page", meeting_id=meeting.id)
    qr = files.qr_svg(address, title=_("会议页面的二维码"))
    facts: dict[str, Any] = {"notice": meetings.notice_of(meeting), "qr": qr, "address": address}
    return web.page("deliberation/worker/meeting_wall.html", meeting=meeting, **facts)
