"""Worker pages of ideas: look at them, show them, take one as a topic, merge two, decline; of one's communities."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.ideas import DeclineForm, MergeForm, PlainForm, TakeForm
from portal.deliberation.models.topics import Idea
from portal.deliberation.service import idea_answers, ideas, proposing, reach
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

KEEP = Permission.DELIBERATION_KEEP


@bp.route("/ideas")
@requires(KEEP)
def idea_desk_list() -> Response:
    within, tab, page = scopes(KEEP), request.args.get("tab", "due"), max(web.number_asked("page", 1), 1)
    tab = tab if tab in ideas.DESK_TABS else "due"
    found, more = ideas.on_desk(tab, within=within, page=page)
    facts: dict[str, Any] = {"found": found, "more": more, "tab": tab, "page": page, "counts": ideas.counted(within)}
    return web.page("deliberation/worker/idea_desk_list.html", **facts)


@bp.route("/ideas/<int:idea_id>")
@requires(KEEP)
def idea_desk_page(idea_id: int) -> Response:
    found = ideas.read(idea_id, within=scopes(KEEP))
    near = ideas.alike(found.community_id, f"{found.title} {found.words}", but=found.id)
    facts: dict[str, Any] = {"near": near, "phone": found.person.phone}
    facts["keeps"] = reach.leads(found.community, scopes(KEEP))
    return web.page("deliberation/worker/idea_desk_page.html", idea=found, **facts)


@bp.route("/ideas/<int:idea_id>/release", methods=["POST"])
@requires(KEEP)
def idea_release(idea_id: int) -> Response:
    found, form = _kept(idea_id), PlainForm()
    try:
        if form.validate_on_submit():
            proposing.release(found)
            flash(_("已公开，提的人会收到通知。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".idea_desk_page", idea_id=idea_id)


@bp.route("/ideas/<int:idea_id>/take", methods=["GET", "POST"])
@requires(KEEP)
def idea_take(idea_id: int) -> Response:
    found = _kept(idea_id)
    topics = idea_answers.joinable(found, scopes(KEEP))
    form = TakeForm().offer(topics)
    if form.carries_out(lambda: made_once("deliberation.idea_take", form, lambda: _taken(found, form, topics))):
        flash(_("已列为议题，提的人和附议的人会收到答复。"), "ok")
        return web.go(".idea_desk_page", idea_id=idea_id)
    return web.page("deliberation/worker/idea_take.html", idea=found, form=form, status=form.status)


def _taken(found: Idea, form: TakeForm, topics: list[Any]) -> Any:
    answer, chosen = form.text("answer"), form.chosen(topics)
    return idea_answers.take(found, answer=answer, by=current_actor(), topic=chosen).topic


@bp.route("/ideas/<int:idea_id>/merge", methods=["GET", "POST"])
@requires(KEEP)
def idea_merge(idea_id: int) -> Response:
    found = _kept(idea_id)
    others = idea_answers.mergeable(found)
    form = MergeForm().offer(others)
    if form.carries_out(lambda: made_once("deliberation.idea_merge", form, lambda: _merged(found, form))):
        flash(_("已合并，附议合在一起算。"), "ok")
        return web.go(".idea_desk_page", idea_id=idea_id)
    return web.page("deliberation/worker/idea_merge.html", idea=found, form=form, found=others, status=form.status)


def _merged(found: Idea, form: MergeForm) -> Idea:
    return idea_answers.merge(found, int(form.text("into")), answer=form.text("answer"), by=current_actor())


@bp.route("/ideas/<int:idea_id>/decline", methods=["GET", "POST"])
@requires(KEEP)
def idea_decline(idea_id: int) -> Response:
    found, form = _kept(idea_id), DeclineForm()
    if form.carries_out(lambda: made_once("deliberation.idea_decline", form, lambda: _declined(found, form))):
        flash(_("已答复。"), "ok")
        return web.go(".idea_desk_list")
    return web.page("deliberation/worker/idea_decline.html", idea=found, form=form, status=form.status)


def _declined(found: Idea, form: DeclineForm) -> Idea:
    idea_answers.decline(found, answer=form.text("answer"), by=current_actor(), hide=bool(form.hide.data))
    return found


def _kept(idea_id: int) -> Idea:
    return ideas.kept(idea_id, within=scopes(KEEP))
