"""Worker pages: a plan that fills open posts, from its wishes to its lines, applied and taken back."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.db import undo
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.plans import ApplyForm, ChoiceForm, LineForm, PlanForm, TakeBackForm
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.plans import Plan, PlanLine
from portal.volunteers.service import plan_editing, plan_showing, plan_words, planning, roster, signup_words
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP

bp.add_app_template_filter(signup_words.length, "plan_length")


def _plan(public_id: str) -> Plan:
    return planning.plan_in(scopes(KEEP), public_id)


@bp.route("/plans")
@requires(KEEP)
def plans_page() -> Response:
    found = planning.plans(scopes(KEEP), before=web.number_asked("before"))
    shown: dict[str, Any] = {"plans": found[: planning.PAGE], "more": len(found) > planning.PAGE}
    return web.page("volunteers/worker/plans_page.html", words=plan_words, filled=planning.filled(found), **shown)


def _community() -> tuple[Area, list[Area]]:
    """The community that the address names, else the first in scope; and all of them."""
    communities = roster.communities_in(scopes(KEEP))
    asked = request.args.get("community", "")
    return next((one for one in communities if one.code == asked), communities[0]), communities


@bp.route("/plans/new", methods=["GET", "POST"])
@requires(KEEP)
def plan_new() -> Response:
    community, communities = _community()
    form = PlanForm.fresh()
    offered = planning.activities(community, today(), today() + planning.AHEAD)
    form.offer(offered)
    made: list[Plan] = []
    if form.carries_out(lambda: made.append(planning.start(community, form.wishes(), by=current_actor()))):
        return web.go(".plan_page", public_id=made[0].public_id)
    facts: dict[str, Any] = {"community": community, "communities": communities, "offered": offered}
    facts["running"] = planning.running(community)
    return web.page("volunteers/worker/plan_new.html", form=form, status=form.status, **facts)


@bp.route("/plans/<public_id>")
@requires(KEEP)
def plan_page(public_id: str) -> Response:
    return _shown(_plan(public_id), ApplyForm())


def _shown(plan: Plan, form: ApplyForm) -> Response:
    facts: dict[str, Any] = {"plan": plan, "words": plan_words, "running": plan.state in planning.RUNS}
    if plan.state in {PlanState.READY, PlanState.APPLIED, PlanState.UNDONE}:
        facts["found"] = plan_showing.proposal(plan)
    page = web.page("volunteers/worker/plan_page.html", form=form, status=form.status, **facts)
    if "HX-Target" in request.headers and not facts["running"]:
        # It has come to an end: the whole page anew.
        page.headers["HX-Refresh"] = "true"
    return page


@bp.route("/plans/<public_id>/cancel", methods=["POST"])
@requires(KEEP)
def plan_cancel(public_id: str) -> Response:
    try:
        planning.cancel(_plan(public_id))
        flash(_("已取消，没有安排任何人。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".plan_page", public_id=public_id)


@bp.route("/plans/<public_id>/lines/<int:line_id>", methods=["POST"])
@requires(KEEP)
def plan_line(public_id: str, line_id: int) -> Response:
    plan, form = _plan(public_id), LineForm()
    line = plan_editing.line_of(plan, line_id)
    act = plan_editing.restore if form.text("act") == "restore" else plan_editing.strike
    try:
        act(plan, line)
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".plan_page", public_id=public_id)


@bp.route("/plans/<public_id>/posts/<int:post_id>", methods=["GET", "POST"])
@requires(KEEP)
def plan_post(public_id: str, post_id: int) -> Response:
    plan, form = _plan(public_id), ChoiceForm()
    post, instead = plan_editing.post_of(plan, post_id), _instead(plan)
    choices = plan_editing.choices(plan, post, without=instead)
    form.offer(choices)
    if form.carries_out(lambda: plan_editing.add(plan, post, form.volunteer.data, replacing=instead)):
        return web.go(".plan_page", public_id=public_id)
    facts: dict[str, Any] = {"plan": plan, "post": post, "instead": instead, "choices": choices, "words": plan_words}
    return web.page("volunteers/worker/plan_post.html", form=form, status=form.status, **facts)


def _instead(plan: Plan) -> PlanLine | None:
    """The line that the address says is to be replaced."""
    number = web.number_asked("instead")
    return plan_editing.line_of(plan, number) if number else None


@bp.route("/plans/<public_id>/apply", methods=["POST"])
@requires(KEEP)
def plan_apply(public_id: str) -> Response:
    plan, form = _plan(public_id), ApplyForm()
    placed: list[int] = []
    if form.carries_out(lambda: placed.append(plan_editing.apply(plan, agreed=form.agreed(), by=current_actor()))):
        if placed[0]:
            flash(_("已安排 %(count)d 人次，并通知了本人。", count=placed[0]), "ok")
        return web.go(".plan_page", public_id=public_id)
    undo()
    return _shown(_plan(public_id), form)


@bp.route("/plans/<public_id>/undo", methods=["GET", "POST"])
@requires(KEEP)
def plan_undo(public_id: str) -> Response:
    plan, form = _plan(public_id), TakeBackForm()
    standing = plan_editing.standing_signups(plan)
    facts: dict[str, Any] = {"ours": plan_editing.can_be_taken_back(standing), "standing": standing}
    if form.carries_out(lambda: plan_editing.undo(plan, reason=form.text("reason"), by=current_actor())):
        flash(_("已撤回 %(count)d 人次，并通知了本人。", count=len(facts["ours"])), "ok")
        return web.go(".plan_page", public_id=public_id)
    return web.page("volunteers/worker/plan_undo.html", plan=plan, form=form, status=form.status, **facts)
