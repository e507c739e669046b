"""Worker pages of records: what is to be recorded, the list, a record with its versions, wishes, a sample."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import sheets, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.identity.permissions import Permission
from portal.volunteers.forms.records import (
    AnswerForm,
    EditForm,
    HandForm,
    RateForm,
    RecordFilter,
    SampleForm,
    VoidForm,
)
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.service import corrections, record_parties, record_words, recording, records, sampling
from portal.volunteers.worker.blueprint import bp

CERTIFY = Permission.VOLUNTEERS_CERTIFY


def _page_asked() -> int:
    return min(max(web.number_asked("page", 1), 1), 500)


@bp.route("/records")
@requires(CERTIFY)
def records_page() -> Response:
    within, form = scopes(CERTIFY), RecordFilter(request.args)
    found = records.records_in(within, form.asked(), after=request.args.get("after", ""))
    facts: dict[str, Any] = {"form": form, "more": len(found) > records.PAGE, "asked": form.address()}
    facts |= {"due": records.count_due(within), "wishes": corrections.count_asked(within)}
    return web.page("volunteers/worker/records_page.html", records=found[: records.PAGE], **facts)


@bp.route("/records/due")
@requires(CERTIFY)
def records_due() -> Response:
    return web.page("volunteers/worker/records_due.html", due=records.due_in(scopes(CERTIFY)))


@bp.route("/records/due/<int:attendance_id>", methods=["POST"])
@requires(CERTIFY)
def record_make(attendance_id: int) -> Response:
    found, by = records.attendance_in(scopes(CERTIFY), attendance_id), current_actor()
    try:
        recording.record(found, by=by.public_id, by_name=by.name)
        flash(_("记录好了。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".records_due")


@bp.route("/records/new", methods=["GET", "POST"])
@requires(CERTIFY)
def record_new() -> Response:
    places = record_parties.communities(scopes(CERTIFY))
    bodies = record_parties.organisations_of(places)
    form = HandForm(data={"who": request.args.get("who", "")[:60]}).offer(places, bodies)

    def make() -> ServiceRecord:
        community, body = record_parties.organiser(form.text("organiser"), places, bodies)
        volunteer = record_parties.volunteer_named(scopes(CERTIFY), form.text("who"))
        return recording.record_by_hand(volunteer, community, body, form.facts(), by=current_actor())

    if form.carries_out(lambda: made_once("volunteers.record", form, make)):
        flash(_("记录好了，已通知志愿者。"), "ok")
        return web.go(".records_page")
    return web.page("volunteers/worker/record_new.html", form=form, status=form.status)


@bp.route("/records/<public_id>")
@requires(CERTIFY)
def record_page(public_id: str) -> Response:
    found = records.record_in(scopes(CERTIFY), public_id)
    facts: dict[str, Any] = {"basics": record_words.basics(found.volunteer), "evidence": records.evidence(found)}
    facts |= {"history": records.history(found), "left": records.days_left(found.due_on)}
    form = RateForm(data={"version": str(found.version)})
    return web.page("volunteers/worker/record_page.html", record=found, form=form, **facts)


@bp.route("/records/<public_id>/edit", methods=["GET", "POST"])
@requires(CERTIFY)
def record_edit(public_id: str) -> Response:
    found = records.record_in(scopes(CERTIFY), public_id)
    form = EditForm.of(found)
    if form.carries_out(lambda: _changed(found, form)):
        flash(_("更正好了，原来的内容留在历史里，已通知志愿者。"), "ok")
        return web.go(".record_page", public_id=public_id)
    return web.page("volunteers/worker/record_edit.html", record=found, form=form, status=form.status)


def _changed(found: ServiceRecord, form: EditForm) -> None:
    facts = form.facts(found.factor)
    recording.check_over(facts)
    recording.change(found, facts, seen=form.seen, reason=form.text("reason"), by=current_actor().name)


@bp.route("/records/<public_id>/void", methods=["GET", "POST"])
@requires(CERTIFY)
def record_void(public_id: str) -> Response:
    found = records.record_in(scopes(CERTIFY), public_id)
    form = VoidForm(data={"version": str(found.version)})
    by = current_actor().name
    if form.carries_out(lambda: recording.void(found, seen=form.seen, reason=form.text("reason"), by=by)):
        flash(_("已作废，不再计入服务时间，已通知志愿者。"), "ok")
        return web.go(".record_page", public_id=public_id)
    return web.page("volunteers/worker/record_void.html", record=found, form=form, status=form.status)


@bp.route("/records/<public_id>/rate", methods=["POST"])
@requires(CERTIFY)
def record_rate(public_id: str) -> Response:
    found, form = records.record_in(scopes(CERTIFY), public_id), RateForm()
    by = current_actor().name
    if form.carries_out(lambda: recording.rate(found, int(form.text("quality")), seen=form.seen, by=by)):
        flash(_("评价好了。"), "ok")
    else:
        said = [*form.form_errors, *(words for errors in form.errors.values() for words in errors)]
        web.turn_down(Refused(str(said[0])), "bad")
    return web.go(".record_page", public_id=public_id)


@bp.route("/records/sample", methods=["GET", "POST"])
@requires(CERTIFY, fresh=True)
def records_sample() -> Response:
    """抽查: names and evidence leave the portal, so the password is asked for, and the reason is kept."""
    form, bodies = SampleForm(), list[bytes]()
    if form.carries_out(lambda: bodies.append(_sampled(form))):
        return web.download(bodies[0], _("服务记录抽查%(day)s.xlsx", day=today().isoformat()), sheets.MIME)
    return web.page("volunteers/worker/records_sample.html", form=form, status=form.status)


def _sampled(form: SampleForm) -> bytes:
    first, last, reason = form.first_day.data or today(), form.last_day.data or today(), form.text("reason")
    return sampling.sample(scopes(CERTIFY), first, last, int(form.count.data or 1), reason=reason, by=current_actor())


@bp.route("/records/corrections")
@requires(CERTIFY)
def corrections_page() -> Response:
    tab, page = request.args.get("tab", ""), _page_asked()
    tab = tab if tab in corrections.TABS else corrections.TABS[0]
    found = corrections.corrections_in(scopes(CERTIFY), tab, page=page)
    facts: dict[str, Any] = {"tab": tab, "page": page, "more": len(found) > corrections.PAGE}
    return web.page("volunteers/worker/corrections_page.html", corrections=found[: corrections.PAGE], **facts)


@bp.route("/records/corrections/<public_id>", methods=["GET", "POST"])
@requires(CERTIFY)
def correction_answer(public_id: str) -> Response:
    found = corrections.correction_in(scopes(CERTIFY), public_id)
    bodies = [] if found.record_id else record_parties.organisations_of([found.community])
    form = AnswerForm().offer(found, bodies)

    def act() -> None:
        taken, words = form.taken.data or [], form.text("words")
        corrections.answer(found, taken, words=words, by=current_actor(), **form.more(bodies))

    if form.carries_out(act):
        flash(_("答复好了，已通知志愿者。"), "ok")
        return web.go(".corrections_page")
    return web.page("volunteers/worker/correction_answer.html", correction=found, form=form, status=form.status)
