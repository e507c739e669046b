"""Worker pages of who comes to a meeting: the list, adding somebody, signing in by it, the wall's code, the sheet."""

from collections.abc import Callable
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.meetings import ListForm, SeekForm, WhyForm
from portal.deliberation.models.codes import Part
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.service import (
    meeting_attendance,
    meeting_codes,
    meeting_owners,
    meeting_rules,
    meeting_signup,
    meetings,
    opinion_paper,
)
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.meetings import KEEP, kept
from portal.registry.models import Person


def _one(meeting_id: int, attendee_id: str) -> Attendee:
    return meeting_attendance.attendee(kept(meeting_id), attendee_id)


def _done(meeting_id: int, act: Callable[[], object], words: str) -> Response:
    """An act of one button: back to the list, with what it did or why not."""
    try:
        act()
        flash(words, "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".meeting_people", meeting_id=meeting_id)


@bp.route("/meetings/<int:meeting_id>/people")
@requires(KEEP)
def meeting_people(meeting_id: int) -> Response:
    meeting, moment = kept(meeting_id), now()
    facts: dict[str, Any] = {
        "found": meetings.attendees(meeting),
        "stand": meeting_attendance.standing(meeting),
        "body": meeting_rules.body_of(meeting),
        "marks": meeting.state in meeting_attendance.MARKED and moment >= meeting_codes.opens_at(meeting),
    }
    return web.page("deliberation/worker/meeting_people.html", meeting=meeting, **facts)


@bp.route("/meetings/<int:meeting_id>/people/add", methods=["GET", "POST"])
@requires(KEEP)
def meeting_add(meeting_id: int) -> Response:
    """A guest by name, or a resident who is looked for first."""
    meeting, form = kept(meeting_id), ListForm()
    if form.carries_out(lambda: _add(meeting, form, None)):
        return web.go(".meeting_people", meeting_id=meeting_id)
    facts: dict[str, Any] = {"form": form, "seek": SeekForm(formdata=None), "found": None}
    return web.page("deliberation/worker/meeting_add.html", meeting=meeting, status=form.status, **facts)


@bp.route("/meetings/<int:meeting_id>/people/seek", methods=["POST"])
@requires(KEEP)
def meeting_seek(meeting_id: int) -> Response:
    """Narrow, by the whole name or a number; that somebody looked is kept."""
    meeting, seek, found = kept(meeting_id), SeekForm(), []
    asks: dict[str, Any] = {"within": scopes(KEEP), "by": current_actor()}
    seek.carries_out(lambda: found.extend(opinion_paper.seek(meeting.topic, seek.text("q"), **asks)))
    facts: dict[str, Any] = {"form": ListForm(formdata=None), "seek": seek, "found": found}
    return web.page("deliberation/worker/meeting_add.html", meeting=meeting, status=seek.status, **facts)


@bp.route("/meetings/<int:meeting_id>/people/add/<person_id>", methods=["GET", "POST"])
@requires(KEEP)
def meeting_add_person(meeting_id: int, person_id: str) -> Response:
    meeting, form = kept(meeting_id), ListForm()
    person = opinion_paper.person_for(meeting.topic, person_id, within=scopes(KEEP))
    if form.carries_out(lambda: _add(meeting, form, person)):
        return web.go(".meeting_people", meeting_id=meeting_id)
    facts: dict[str, Any] = {"form": form, "person": person}
    return web.page("deliberation/worker/meeting_add_person.html", meeting=meeting, status=form.status, **facts)


def _add(meeting: Meeting, form: ListForm, person: Person | None) -> None:
    """The same form sent twice puts one on the list."""
    if person is None:
        form.needs_name()
    who, by, owner = person or form.text("guest"), current_actor(), form.text("owner")
    given: dict[str, Any] = {
        "speaks_for": form.text("speaks_for"),
        "counts": bool(form.counts.data),
        "by": by,
        "owner": meeting_owners.named(meeting, owner, by=by) if owner else None,
    }
    made_once(
        f"deliberation.attendee.{meeting.id}",
        form,
        lambda: meeting_attendance.add(meeting, who, Part(form.part.data), **given),
    )
    flash(_("已加入名单。"), "ok")


@bp.route("/meetings/<int:meeting_id>/people/delegates", methods=["POST"])
@requires(KEEP)
def meeting_add_delegates(meeting_id: int) -> Response:
    meeting = kept(meeting_id)
    by = current_actor()
    return _done(meeting_id, lambda: meeting_attendance.add_delegates(meeting, by=by), _("代表已加入名单。"))


@bp.route("/meetings/<int:meeting_id>/people/<attendee_id>", methods=["POST"])
@requires(KEEP)
def meeting_mark(meeting_id: int, attendee_id: str) -> Response:
    """She is here; or she counts towards the quorum, or does not."""
    one, act = _one(meeting_id, attendee_id), request.form.get("act", "")
    if act in {"counts", "not_counts"}:
        counts = act == "counts"
        return _done(meeting_id, lambda: meeting_attendance.set_counting(one, counts=counts), _("已改好。"))
    return _done(meeting_id, lambda: meeting_attendance.mark(one), _("已登记到会。"))


@bp.route("/meetings/<int:meeting_id>/people/<attendee_id>/unmark", methods=["GET", "POST"])
@requires(KEEP)
def meeting_unmark(meeting_id: int, attendee_id: str) -> Response:
    one, form = _one(meeting_id, attendee_id), WhyForm()
    if form.carries_out(lambda: meeting_attendance.unmark(one, why=form.text("why"))):
        flash(_("已撤销到会登记。"), "ok")
        return web.go(".meeting_people", meeting_id=meeting_id)
    return web.page(
        "deliberation/worker/meeting_unmark.html", meeting=one.meeting, one=one, form=form, status=form.status
    )


@bp.route("/meetings/<int:meeting_id>/people/<attendee_id>/remove", methods=["GET", "POST"])
@requires(KEEP)
def meeting_remove(meeting_id: int, attendee_id: str) -> Response:
    one, form, by = _one(meeting_id, attendee_id), WhyForm(), current_actor()
    if form.carries_out(lambda: meeting_signup.leave(one, why=form.text("why"), by=by)):
        flash(_("已移出名单，座位让给候补的人。"), "ok")
        return web.go(".meeting_people", meeting_id=meeting_id)
    return web.page(
        "deliberation/worker/meeting_remove.html", meeting=one.meeting, one=one, form=form, status=form.status
    )


@bp.route("/meetings/<int:meeting_id>/code")
@requires(KEEP)
def meeting_code(meeting_id: int) -> Response:
    """The changing code for the wall, with the quorum as it stands."""
    meeting, moment = kept(meeting_id), now()
    facts: dict[str, Any] = {
        "screen": meeting_codes.shown(meeting, moment),
        "stand": meeting_attendance.standing(meeting),
    }
    return web.page("deliberation/worker/meeting_code.html", meeting=meeting, **facts)


@bp.route("/meetings/<int:meeting_id>/sheet")
@requires(KEEP)
def meeting_sheet(meeting_id: int) -> Response:
    meeting = kept(meeting_id)
    found = [one for one in meetings.attendees(meeting) if one.state != "left"]
    return web.page("deliberation/worker/meeting_sheet.html", meeting=meeting, found=found, printed_at=now())
