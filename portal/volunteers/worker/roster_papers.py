"""What goes out from the roster: paper for the wall, a workbook, a calendar file, words to many, an invitation."""

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import audit, settings, web
from portal.core.access import current_actor, requires
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.core.sheets import MIME
from portal.volunteers.forms.roster import MessageForm, TakeForm
from portal.volunteers.service import inviting, roster, roster_messages, roster_papers
from portal.volunteers.service.roster_messages import WHOM_WORDS, About, Whom
from portal.volunteers.worker.blueprint import bp
from portal.volunteers.worker.roster import KEEP, Asked, asked_for

INVITED = "volunteers.invitation_hours"
settings.declare(INVITED, default=48, label=lambda: _("邀请志愿者后等答复"), unit=lambda: _("小时"), least=2, most=240)
PAPERS = ("a4", "a3")


@bp.route("/roster/files", methods=["GET", "POST"])
@requires(KEEP, fresh=True)
def roster_files() -> Response:
    """Where the roster is printed or saved. The workbook holds names: it is taken with a reason."""
    asked, form = asked_for(), TakeForm()
    week = roster.week(asked.ids, asked.first, asked.wanted)
    if form.validate_on_submit():
        return _workbook(asked, week, form.text("reason"))
    return web.page("volunteers/worker/roster_files.html", asked=asked, week=week, form=form, status=form.status)


def _workbook(asked: Asked, week: Any, reason: str) -> Response:
    roster_papers.note_taken(week, asked.community, reason=reason, by=current_actor())
    body = roster_papers.workbook(week, by=current_actor())
    name = _("志愿排班-%(community)s-%(first)s", community=asked.community.name, first=week.first.isoformat())
    return web.download(body, f"{name}.xlsx", MIME)


@bp.route("/roster/print", methods=["POST"])
@requires(KEEP)
def roster_print() -> Response:
    """The week on paper; that it was printed is kept, for it holds names."""
    asked, size = asked_for(), request.form.get("size", "")
    week = roster.week(asked.ids, asked.first, asked.wanted)
    paper = size if size in PAPERS else "a4"
    audit.record("volunteers.roster_printed", None, first=week.first.isoformat(), paper=paper, people=asked.people)
    return web.page("volunteers/worker/roster_print.html", asked=asked, week=week, paper=paper, at=now())


@bp.route("/roster/calendar.ics")
@requires(KEEP)
def roster_calendar() -> Response:
    asked = asked_for()
    week = roster.week(asked.ids, asked.first, asked.wanted)
    body = roster_papers.calendar_text(week, address=web.absolute(".roster", **asked.query()))
    return web.download(body.encode(), f"roster-{week.first.isoformat()}.ics", "text/calendar")


@bp.route("/roster/message", methods=["GET", "POST"])
@requires(KEEP)
def roster_message() -> Response:
    """The words are looked at once more, with how many will read them, before they go."""
    asked, form, whom = asked_for(), MessageForm(), _whom()
    about = About(tuple(asked.ids), _day(asked), request.args.get("shift", ""))
    sure = form.validate_on_submit() and "send" in request.form
    if sure and _sent(about, whom, form):
        return web.go(".roster", **asked.query())
    facts: dict[str, Any] = {"heard": roster_messages.to_be_told(about, whom, now()), "whom": whom, "about": about}
    facts |= {"shifts": roster_messages.shifts_of(asked.ids, about.day), "choices": WHOM_WORDS, "asked": asked}
    facts["preview"] = form.is_submitted() and not form.errors
    return web.page("volunteers/worker/roster_message.html", form=form, status=form.status, **facts)


def _whom() -> Whom:
    said = request.args.get("whom", "")
    return Whom(said) if said in set(Whom) else Whom.ALL


def _day(asked: Asked) -> date:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        inside = asked.first <= today() < asked.first + timedelta(days=7)
        return today() if inside else asked.first


def _sent(about: About, whom: Whom, form: MessageForm) -> bool:
    try:
        told = roster_messages.send(about, whom, form.text("words"), by=current_actor(), idem=form.text("idem"))
    except Refused as refused:
        form.refuse(refused)
        return False
    flash(_("已通知 %(count)d 人。", count=told), "ok")
    return True


@bp.route("/roster/posts/<int:post_id>/invite", methods=["POST"])
@requires(KEEP)
def roster_invite(post_id: int) -> Response:
    asked = asked_for()
    post, volunteer = (
        roster.post_in(asked.ids, post_id),
        roster.volunteer_in(asked.ids, request.form.get("volunteer", "")),
    )
    until = now() + timedelta(hours=settings.get(INVITED))
    try:
        inviting.invite(post, volunteer, by=current_actor(), answer_by=until)
        flash(_("已邀请%(name)s，答复后会通知您。", name=volunteer.person.name), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".roster_post", post_id=post_id, **asked.query())
