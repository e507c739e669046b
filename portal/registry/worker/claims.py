"""Worker pages: the queue of claims, and the requests of family agents that wait for somebody's consent."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.accounts import ClaimDecisionForm
from portal.registry.forms.agents import ConsentForm
from portal.registry.models import AgentState, Claim, ClaimState, FamilyAgent
from portal.registry.service import agents as agent_service
from portal.registry.service import claims as service
from portal.registry.service import people
from portal.registry.worker.blueprint import bp


def _state(states: type[ClaimState] | type[AgentState], default: str) -> str:
    """The tab asked for, or the first one."""
    asked = request.args.get("state", default)
    return asked if asked in set(states) else default


@bp.route("/claims")
@requires(Permission.CLAIMS_DECIDE)
def claims() -> Response:
    state = ClaimState(_state(ClaimState, ClaimState.PENDING))
    page = max(1, web.number_asked("page", 1))
    within = scopes(Permission.CLAIMS_DECIDE)
    found = service.claims(within, state, page=page)
    return web.page(
        "registry/worker/claims.html",
        claims=found[: service.PAGE],
        more=len(found) > service.PAGE,
        page=page,
        state=state,
        waiting=service.waiting(within),
        today=today(),
    )


@bp.route("/claims/<public_id>", methods=["GET", "POST"])
@requires(Permission.CLAIMS_DECIDE)
def claim(public_id: str) -> Response:
    within = scopes(Permission.CLAIMS_DECIDE)
    found = service.claim_in(within, public_id)
    form = ClaimDecisionForm()
    if form.validate_on_submit():
        try:
            _decide(found, form)
            return web.go(".claims")
        except Refused as refused:
            form.refuse(refused)
    candidates = service.candidates(found, within) if found.state is ClaimState.PENDING else []
    return web.page(
        "registry/worker/claim.html", claim=found, candidates=candidates, form=form, today=today(), status=form.status
    )


def _decide(found: Claim, form: ClaimDecisionForm) -> None:
    if form.text("person"):
        person = people.person_in(scopes(Permission.CLAIMS_DECIDE), form.text("person"))
        service.confirm(found, person, by=current_actor())
        flash(_("已确认为%(name)s，账号可以使用了。", name=person.name), "ok")
        return
    service.refuse(found, form.text("reason").strip(), by=current_actor())
    flash(_("已退回，原因会告诉申请人。"), "ok")


@bp.route("/agents")
@requires(Permission.CLAIMS_DECIDE)
def agents() -> Response:
    state = AgentState(_state(AgentState, AgentState.REQUESTED))
    return web.page(
        "registry/worker/agents.html",
        agents=agent_service.agents(scopes(Permission.CLAIMS_DECIDE), state),
        state=state,
    )


@bp.route("/agents/<public_id>", methods=["GET", "POST"])
@requires(Permission.CLAIMS_DECIDE)
def agent(public_id: str) -> Response:
    found = agent_service.agent_in(scopes(Permission.CLAIMS_DECIDE), public_id)
    form = ConsentForm()
    if form.validate_on_submit():
        try:
            _record(found, form)
            return web.go(".agents")
        except Refused as refused:
            form.refuse(refused)
    is_open = agent_service.is_open(found)
    return web.page("registry/worker/agent.html", agent=found, form=form, is_open=is_open, status=form.status)


def _record(found: FamilyAgent, form: ConsentForm) -> None:
    """What the worker heard from the principal: consent, refusal, or that it is to end."""
    actor, said = current_actor(), form.consent()
    acts = {
        "accept": lambda: agent_service.accept(found, by=actor, consent=said),
        "decline": lambda: agent_service.decline(found, by=actor, consent=said),
        "end": lambda: agent_service.end(found, by=actor, note=said),
    }
    act = acts.get(request.form.get("decision", ""))
    if act is None:
        raise Refused(_("请点下面的按钮选择本人的意见"))
    act()
    flash(_("已记录本人的意见，双方都会收到通知。"), "ok")
