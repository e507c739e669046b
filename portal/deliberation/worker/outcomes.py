"""Worker pages of outcomes: written down, published, printed for the wall; objections answered; taken down."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Missing
from portal.core.once import made_once
from portal.deliberation.forms.outcomes import ObjectionAnswerForm, OutcomeForm, PublishForm, TakeDownForm
from portal.deliberation.models.codes import OutcomeState, Stage
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import guards, objections, outcomes, reach
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


@bp.route("/outcomes")
@requires(KEEP)
def outcome_desk_list() -> Response:
    page, ended = max(web.number_asked("page", 1), 1), request.args.get("tab") == "ended"
    found, more = outcomes.on_desk(scopes(KEEP), ended=ended, page=page)
    facts: dict[str, Any] = {"found": found, "more": more, "page": page, "ended": ended}
    return web.page("deliberation/worker/outcome_desk_list.html", waiting=outcomes.waiting(found), **facts)


@bp.route("/topics/<int:topic_id>/outcome")
@requires(KEEP)
def outcome_desk(topic_id: int) -> Response:
    topic = reach.topic(topic_id, within=scopes(KEEP))
    found = outcomes.of(topic)
    standing = any(one.state in (OutcomeState.DRAFT, OutcomeState.PUBLISHED) for one in found)
    kept = reach.keeps(topic, scopes(KEEP))
    facts: dict[str, Any] = {"kept": kept, "writable": topic.stage in outcomes.WRITABLE and not standing and kept}
    facts["asked"] = {one.id: objections.of(one) for one in found[:3]} if kept else {}
    return web.page("deliberation/worker/outcome_desk.html", topic=topic, found=found, **facts)


@bp.route("/topics/<int:topic_id>/outcome/new", methods=["GET", "POST"])
@requires(KEEP)
def outcome_new(topic_id: int) -> Response:
    topic = reach.kept(topic_id, within=scopes(KEEP))
    form = OutcomeForm() if request.method == "POST" else OutcomeForm.begun(outcomes.proposal(topic))
    form.offer(outcomes.votes_of(topic))
    act = lambda: outcomes.write(topic, form.said(), by=current_actor())  # noqa: E731
    if form.carries_out(lambda: made_once("deliberation.outcome", form, act)):
        flash(_("草稿写好了，看一遍再公示。"), "ok")
        return web.go(".outcome_desk", topic_id=topic_id)
    return _form_page(topic, form)


@bp.route("/outcomes/<int:outcome_id>/edit", methods=["GET", "POST"])
@requires(KEEP)
def outcome_edit(outcome_id: int) -> Response:
    found = _kept(outcome_id, OutcomeState.DRAFT)
    form = OutcomeForm() if request.method == "POST" else OutcomeForm.of(found)
    form.offer(outcomes.votes_of(found.topic))
    if form.carries_out(lambda: outcomes.edit(found, form.said(), seen=form.seen, by=current_actor())):
        flash(_("改好了。"), "ok")
        return web.go(".outcome_desk", topic_id=found.topic_id)
    return _form_page(found.topic, form)


def _form_page(topic: Topic, form: OutcomeForm) -> Response:
    return web.page("deliberation/worker/outcome_form.html", topic=topic, form=form, status=form.status)


@bp.route("/outcomes/<int:outcome_id>/publish", methods=["GET", "POST"])
@requires(KEEP)
def outcome_publish(outcome_id: int) -> Response:
    found, form = _kept(outcome_id, OutcomeState.DRAFT), PublishForm()
    if form.carries_out(lambda: outcomes.publish(found, by=current_actor(), why=form.text("why"))):
        flash(_("已公示，关注这个议题的居民会收到通知。"), "ok")
        return web.go(".outcome_desk", topic_id=found.topic_id)
    facts: dict[str, Any] = {"until": outcomes.ends_for(found, today())}
    facts["skipped"] = guards.skipped(found.topic.stage, Stage.NOTICE)
    return web.page("deliberation/worker/outcome_publish.html", outcome=found, form=form, status=form.status, **facts)


@bp.route("/outcomes/<int:outcome_id>/take-down", methods=["GET", "POST"])
@requires(KEEP)
def outcome_take_down(outcome_id: int) -> Response:
    found, form = _kept(outcome_id, OutcomeState.PUBLISHED), TakeDownForm()
    if form.carries_out(lambda: _taken_down(found, form)):
        flash(_("已撤下，议题退回去重新商量。"), "ok")
        return web.go(".outcome_desk", topic_id=found.topic_id)
    return web.page("deliberation/worker/outcome_take_down.html", outcome=found, form=form, status=form.status)


def _taken_down(found: Outcome, form: TakeDownForm) -> None:
    objections.take_down(found, Stage(form.text("to")), why=form.text("why"), by=current_actor())


@bp.route("/outcomes/<int:outcome_id>/notice")
@requires(KEEP)
def outcome_notice(outcome_id: int) -> Response:
    """The notice for the wall."""
    found = outcomes.read(outcome_id, within=scopes(KEEP))
    if found.state is OutcomeState.DRAFT:
        raise Missing
    address = web.absolute("deliberation.resident.outcome_page", outcome_id=found.id)
    qr = files.qr_svg(address, title=_("公示的二维码"))
    return web.page("deliberation/worker/outcome_notice.html", outcome=found, address=address, qr=qr)


@bp.route("/objections/<public_id>", methods=["GET", "POST"])
@requires(KEEP)
def outcome_objection(public_id: str) -> Response:
    found, form = objections.kept(public_id, within=scopes(KEEP)), ObjectionAnswerForm()
    if form.carries_out(lambda: _answered(found, form)):
        flash(_("已答复，提异议的人会收到通知。"), "ok")
        return web.go(".outcome_desk", topic_id=found.outcome.topic_id)
    return web.page("deliberation/worker/outcome_objection.html", objection=found, form=form, status=form.status)


def _answered(found: Objection, form: ObjectionAnswerForm) -> None:
    by, answer = current_actor(), form.text("answer")
    if form.text("upheld") == "yes":
        objections.uphold(found, form.back_to(), answer=answer, why=form.text("why"), by=by)
    else:
        objections.deny(found, answer=answer, by=by)


def _kept(outcome_id: int, state: OutcomeState) -> Outcome:
    found = outcomes.kept(outcome_id, within=scopes(KEEP))
    if found.state is not state:
        raise Missing
    return found
