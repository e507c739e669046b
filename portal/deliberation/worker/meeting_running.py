"""Worker pages of a meeting that runs: matters with their times, quorum, motions, hands; minutes and the report."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.meetings import (
    FileForm,
    HandsForm,
    MinutesForm,
    MotionForm,
    ReportForm,
    SaidForm,
    WhyForm,
)
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting, MinutesVersion
from portal.deliberation.service import (
    meeting_attendance,
    meeting_minutes,
    meeting_reports,
    meeting_running,
    meetings,
)
from portal.deliberation.service.meeting_minutes import Overtaken
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.meetings import KEEP, kept

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _run(meeting_id: int, act: Callable[[], object], words: str) -> Response:
    """An act of one button: back to the page on which the meeting is run."""
    try:
        act()
        if words:
            flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".meeting_run", meeting_id=meeting_id)


@bp.route("/meetings/<int:meeting_id>/run")
@requires(KEEP)
def meeting_run(meeting_id: int) -> Response:
    meeting = kept(meeting_id)
    form = MotionForm(formdata=None)
    form.offer(meeting)
    facts: dict[str, Any] = {"stand": meeting_attendance.standing(meeting), "motions": meetings.motions(meeting)}
    facts |= {"form": form, "hands": HandsForm(formdata=None), "at": now()}
    return web.page("deliberation/worker/meeting_run.html", meeting=meeting, **facts)


@bp.route("/meetings/<int:meeting_id>/run", methods=["POST"])
@requires(KEEP)
def meeting_turn(meeting_id: int) -> Response:
    """Begin or end the meeting, or one of its matters."""
    meeting, by, asked = kept(meeting_id), current_actor(), request.form.get("act", "")
    if asked == "open":
        return _run(meeting_id, lambda: meeting_running.open_meeting(meeting, by=by), _("会议开始了。"))
    if asked == "close":
        return _run(meeting_id, lambda: meeting_running.close(meeting, by=by), _("已散会。请写好纪要，公布会议情况。"))
    item = meeting_running.item(meeting, web.number_asked("item", said=request.form))
    act = meeting_running.end_item if asked == "end" else meeting_running.begin_item
    return _run(meeting_id, lambda: act(meeting, item), "")


@bp.route("/meetings/<int:meeting_id>/items/<int:item_id>", methods=["GET", "POST"])
@requires(KEEP)
def meeting_said_at(meeting_id: int, item_id: int) -> Response:
    """What was said to one matter."""
    meeting = kept(meeting_id)
    item = meeting_running.item(meeting, item_id)
    form = SaidForm(data={"said": item.said})
    if form.carries_out(lambda: meeting_running.say(meeting, item, form.text("said"))):
        flash(_("已保存。"), "ok")
        return web.go(".meeting_run", meeting_id=meeting_id)
    facts = {"meeting": meeting, "item": item, "form": form}
    return web.page("deliberation/worker/meeting_said_at.html", status=form.status, **facts)


@bp.route("/meetings/<int:meeting_id>/motions", methods=["POST"])
@requires(KEEP)
def meeting_motion(meeting_id: int) -> Response:
    """Put a motion; what is missing is said on the page of the meeting."""
    meeting, form = kept(meeting_id), MotionForm()
    form.offer(meeting)
    if form.carries_out(lambda: _put(meeting, form)):
        flash(_("动议已提出，请大家举手后登记结果。"), "ok")
        return web.go(".meeting_run", meeting_id=meeting_id)
    facts: dict[str, Any] = {"stand": meeting_attendance.standing(meeting), "motions": meetings.motions(meeting)}
    facts |= {"form": form, "hands": HandsForm(formdata=None), "at": now()}
    return web.page("deliberation/worker/meeting_run.html", meeting=meeting, status=form.status, **facts)


def _put(meeting: Meeting, form: MotionForm) -> None:
    words, mover, seconder = (form.text(name) for name in ("words", "mover", "seconder"))
    given = {"words": words, "mover": mover, "seconder": seconder, "item_id": form.item.data, "by": current_actor()}
    made_once(f"deliberation.motion.{meeting.id}", form, lambda: meeting_running.put_motion(meeting, **given))


@bp.route("/meetings/<int:meeting_id>/motions/<int:motion_id>", methods=["GET", "POST"])
@requires(KEEP)
def meeting_hands(meeting_id: int, motion_id: int) -> Response:
    """The hands that were counted."""
    meeting, form = kept(meeting_id), HandsForm()
    motion = meeting_running.motion(meeting, motion_id)
    yes, no, abstain = (form[name].data or 0 for name in ("yes", "no", "abstain"))
    if form.carries_out(lambda: meeting_running.count(meeting, motion, yes=yes, no=no, abstain=abstain)):
        flash(_("已登记：通过。") if motion.result else _("已登记：没有通过。"), "ok")
        return web.go(".meeting_run", meeting_id=meeting_id)
    facts = {"motion": motion, "form": form, "stand": meeting_attendance.standing(meeting)}
    return web.page("deliberation/worker/meeting_hands.html", meeting=meeting, status=form.status, **facts)


@bp.route("/meetings/<int:meeting_id>/motions/<int:motion_id>/withdraw", methods=["GET", "POST"])
@requires(KEEP)
def meeting_motion_withdraw(meeting_id: int, motion_id: int) -> Response:
    meeting, form = kept(meeting_id), WhyForm()
    motion = meeting_running.motion(meeting, motion_id)
    if form.carries_out(lambda: meeting_running.withdraw(meeting, motion, why=form.text("why"))):
        flash(_("动议已撤回。"), "ok")
        return web.go(".meeting_run", meeting_id=meeting_id)
    facts = {"motion": motion, "form": form}
    return web.page("deliberation/worker/meeting_motion_withdraw.html", meeting=meeting, status=form.status, **facts)


@bp.route("/meetings/<int:meeting_id>/reopen", methods=["GET", "POST"])
@requires(KEEP)
def meeting_reopen(meeting_id: int) -> Response:
    meeting, form = kept(meeting_id), WhyForm()
    if form.carries_out(lambda: meeting_running.reopen(meeting, why=form.text("why"), by=current_actor())):
        flash(_("会议接着开。"), "ok")
        return web.go(".meeting_run", meeting_id=meeting_id)
    return web.page("deliberation/worker/meeting_reopen.html", meeting=meeting, form=form, status=form.status)


# ---- minutes


@bp.route("/meetings/<int:meeting_id>/minutes", methods=["GET", "POST"])
@requires(KEEP)
def meeting_minutes_page(meeting_id: int) -> Response:
    """Written on the spot; with scripts it saves itself, and answers with the version that stands."""
    meeting = kept(meeting_id)
    form = MinutesForm(data={"minutes": meeting.minutes, "seen": meeting.minutes_version})
    fragment = bool(request.headers.get("HX-Target"))
    other = None
    if form.validate_on_submit():
        other = _save(meeting, form)
        if not form.errors and not fragment:
            flash(_("纪要已保存。"), "ok")
            return web.go(".meeting_minutes_page", meeting_id=meeting_id)
    facts: dict[str, Any] = {"meeting": meeting, "form": form, "other": other}
    facts |= {"at": now(), "file": FileForm(formdata=None)}
    return web.page("deliberation/worker/meeting_minutes_page.html", status=form.status, **facts)


def _save(meeting: Meeting, form: MinutesForm) -> MinutesVersion | None:
    """Save, or answer with what somebody else saved meanwhile."""
    try:
        seen = form.seen.data or 0
        form.seen.data = meeting_minutes.save(meeting, form.text("minutes"), seen=seen, by=current_actor())
    except Overtaken as overtaken:
        form.refuse(overtaken)
        form.seen.data = meeting.minutes_version
        return meeting_minutes.newest(meeting)
    except Refused as refused:
        form.refuse(refused)
    return None


@bp.route("/meetings/<int:meeting_id>/minutes/versions")
@requires(KEEP)
def meeting_versions(meeting_id: int) -> Response:
    meeting = kept(meeting_id)
    found = meeting_minutes.versions(meeting)
    number = web.number_asked("version", found[0].version if found else 0)
    chosen = meeting_minutes.version(meeting, number) if found else None
    facts: dict[str, Any] = {"meeting": meeting, "found": found, "chosen": chosen}
    return web.page("deliberation/worker/meeting_versions.html", **facts)


@bp.route("/meetings/<int:meeting_id>/minutes/file")
@requires(KEEP)
def meeting_minutes_file(meeting_id: int) -> Response:
    """Filled into the community's own document where it has one."""
    meeting = kept(meeting_id)
    try:
        return web.download(meeting_minutes.filled(meeting, now()), f"{meeting.title}.docx", DOCX)
    except Refused as refused:
        web.turn_down(refused, "bad")
        return web.go(".meeting_minutes_page", meeting_id=meeting_id)


@bp.route("/meetings/<int:meeting_id>/minutes/file", methods=["POST"])
@requires(KEEP)
def meeting_minutes_back(meeting_id: int) -> Response:
    """The document brought back: its words become the minutes, as a version like any other."""
    meeting, upload = kept(meeting_id), FileForm()
    form = MinutesForm(formdata=None, data={"minutes": meeting.minutes, "seen": meeting.minutes_version})
    if upload.carries_out(lambda: _take_back(meeting, upload)):
        flash(_("文件里的文字已存为纪要，请看一遍。"), "ok")
        return web.go(".meeting_minutes_page", meeting_id=meeting_id)
    facts: dict[str, Any] = {"meeting": meeting, "form": form, "other": None, "at": now(), "file": upload}
    return web.page("deliberation/worker/meeting_minutes_page.html", status=upload.status, **facts)


def _take_back(meeting: Meeting, upload: FileForm) -> None:
    if not upload.file.data:
        raise Refused(_("请先选文件。"), field="file")
    text = meeting_minutes.text_of(upload.file.data.read())
    seen = int(upload.text("seen")) if upload.text("seen").isdigit() else 0
    meeting_minutes.save(meeting, text, seen=seen, by=current_actor())


# ---- the report


@bp.route("/meetings/<int:meeting_id>/report", methods=["GET", "POST"])
@requires(KEEP)
def meeting_report(meeting_id: int) -> Response:
    meeting = kept(meeting_id)
    drafted = meeting_reports.draft(meeting) if request.method == "GET" else ""
    form, by = ReportForm(data={"report": drafted}), current_actor()
    cover = bool(form.cover.data)
    if form.carries_out(lambda: meeting_reports.publish(meeting, form.text("report"), cover=cover, by=by)):
        flash(_("会议情况已公布。"), "ok")
        return web.go(".meeting_desk", meeting_id=meeting_id)
    facts: dict[str, Any] = {"names": meeting_reports.shown_names(meeting_reports.came(meeting))}
    facts["ready"] = meeting.state is MeetingState.CLOSED
    return web.page("deliberation/worker/meeting_report.html", meeting=meeting, form=form, status=form.status, **facts)
