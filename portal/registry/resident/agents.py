"""Resident pages: who may act for me and for whom I act."""

from datetime import timedelta

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.agents import AgentForm, actions_said, relation_said
from portal.registry.resident.blueprint import bp
from portal.registry.service import agents as agent_service

bp.add_app_template_filter(actions_said, "agent_actions")
bp.add_app_template_filter(relation_said, "agent_relation")


@bp.route("/agents")
@requires(Permission.SELF)
def agents() -> Response:
    return web.page(
        "registry/resident/agents.html",
        standing=agent_service.standing(current_actor()),
        is_open=agent_service.is_open,
        today=today(),
    )


@bp.route("/agents/ask", methods=["GET", "POST"])
@requires(Permission.SELF)
def agent_ask() -> Response:
    longest = agent_service.latest_until()
    form = AgentForm(until=min(longest, today() + timedelta(days=180)))
    if form.validate_on_submit():
        try:
            agent_service.ask(current_actor(), **form.asked())
            flash(_("申请已经提交。对方同意后，您就可以代办。"), "ok")
            return web.go(".agents")
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/resident/agent_ask.html", form=form, longest=longest, status=form.status)


@bp.route("/agents/<public_id>/accept", methods=["POST"])
@requires(Permission.SELF)
def agent_accept(public_id: str) -> Response:
    actor = current_actor()
    agent_service.accept(agent_service.asked_of(actor, public_id), by=actor, consent=_("本人在账号里同意"))
    flash(_("您已同意，对方现在可以为您代办。"), "ok")
    return web.go(".agents")


@bp.route("/agents/<public_id>/decline", methods=["POST"])
@requires(Permission.SELF)
def agent_decline(public_id: str) -> Response:
    actor = current_actor()
    agent_service.decline(agent_service.asked_of(actor, public_id), by=actor)
    flash(_("您没有同意这个申请，对方不能为您代办。"), "ok")
    return web.go(".agents")


@bp.route("/agents/<public_id>/end", methods=["POST"])
@requires(Permission.SELF)
def agent_end(public_id: str) -> Response:
    actor = current_actor()
    agent_service.end(agent_service.between(actor, public_id), by=actor)
    flash(_("这条代办已经结束。"), "ok")
    return web.go(".agents")
