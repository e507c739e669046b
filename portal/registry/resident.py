"""The resident platform of registry: registering, who my account is, who may act for me and for whom I act."""

from datetime import date, timedelta

from flask import Blueprint, Response, flash, request, session
from flask_babel import format_date
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, may, public, requires
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity import passwords
from portal.identity.forms import CodeForm
from portal.identity.permissions import Permission
from portal.registry.forms.accounts import IdentityForm, RegisterForm
from portal.registry.forms.agents import AgentForm, actions_said, relation_said
from portal.registry.models import ClaimState
from portal.registry.service import agents as agent_service
from portal.registry.service import claims, people

bp = Blueprint("resident", __name__)
bp.add_app_template_filter(actions_said, "agent_actions")
bp.add_app_template_filter(relation_said, "agent_relation")


@bp.app_template_filter("full_day")
def full_day(day: date | str) -> str:
    """A date that may lie in another year, also as a notice carries it: 2027年5月21日."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return str(format_date(day, "yyyy年M月d日" if web.current_view().locale == "zh" else "d MMM yyyy"))


@bp.route("/register", methods=["GET", "POST"])
@public
def register() -> Response:
    if may(Permission.SELF):
        return web.go(".identity")
    form = RegisterForm()
    form.offer_communities()
    if form.validate_on_submit():
        try:
            session["register_flow"] = claims.start_registration(address=request.remote_addr or "", **form.told())
            return web.go(".register_code")
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/resident/register.html", form=form, least=passwords.LEAST, status=form.status)


@bp.route("/register/code", methods=["GET", "POST"])
@public
def register_code() -> Response:
    flow = session.get("register_flow")
    if not flow:
        return web.go(".register")
    form = CodeForm()
    if form.validate_on_submit():
        try:
            claims.finish_registration(flow, form.text("code"))
            session.clear()
            return web.go(".identity")
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/resident/register_code.html", form=form, status=form.status)


@bp.route("/privacy")
@public
def privacy() -> Response:
    return web.page("registry/resident/privacy.html")


@bp.route("/identity")
@requires(Permission.SELF)
def identity() -> Response:
    actor = current_actor()
    claim, person = claims.claim_of(actor), people.person_of_or_none(actor)
    return web.page("registry/resident/identity.html", claim=claim, person=person, states=ClaimState)


@bp.route("/identity/again", methods=["GET", "POST"])
@requires(Permission.SELF)
def claim_again() -> Response:
    actor, form = current_actor(), IdentityForm()
    form.offer_communities()
    claim = claims.claim_of(actor)
    if claim and claim.state is not ClaimState.REFUSED:
        return web.go(".identity")
    if form.validate_on_submit():
        try:
            claims.claim_again(
                actor, name=form.text("name"), id_number=form.text("id_number"), community=form.text("community")
            )
            return web.go(".identity")
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/resident/claim_again.html", form=form, status=form.status)


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
