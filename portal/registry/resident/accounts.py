"""Resident pages: registering, and who my account is."""

from flask import Response, request, session, url_for

from portal.core import web
from portal.core.access import current_actor, may, public, requires
from portal.core.errors import Refused, TooMany
from portal.identity import pages, passwords
from portal.identity.models import CodePurpose
from portal.identity.permissions import Permission
from portal.registry.forms.accounts import IdentityForm, RegisterForm
from portal.registry.models import ClaimState
from portal.registry.resident.blueprint import bp
from portal.registry.service import claims, people


@bp.route("/register", methods=["GET", "POST"])
@public
def register() -> Response:
    if may(Permission.SELF):
        return web.go(".identity")
    form = RegisterForm()
    form.offer_communities()
    form.offer_consents()
    if form.validate_on_submit():
        try:
            return _code_sent(form)
        except Refused as refused:
            form.refuse(refused)
        except TooMany as full:
            form.slow_down(full)
    return web.page("registry/resident/register.html", form=form, least=passwords.LEAST, status=form.status)


def _code_sent(form: RegisterForm) -> Response:
    session[pages.flow_key(CodePurpose.REGISTER)] = claims.start_registration(
        address=request.remote_addr or "", **form.told()
    )
    return web.go(".register_code")


@bp.route("/register/code", methods=["GET", "POST"])
@public
def register_code() -> Response:
    def done(flow: str, code: str) -> Response:
        claims.finish_registration(flow, code)
        session.clear()
        return web.go(".identity")

    return pages.ask_code(
        CodePurpose.REGISTER, done, restart=url_for(".register"), template="registry/resident/register_code.html"
    )


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
