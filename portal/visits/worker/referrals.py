"""Worker pages: what was found and handed on, and how it stands."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.visits.forms.checks import RedirectForm, move_form
from portal.visits.models import ReferralState
from portal.visits.service import referrals as referring
from portal.visits.service.words import party_words
from portal.visits.worker.blueprint import asked_page, bp

SIZE = referring.A_PAGE


@bp.route("/referrals")
@requires(Permission.VISITS_DO)
def referrals() -> Response:
    closed, page = request.args.get("state") == "closed", asked_page()
    found = referring.referrals(scopes(Permission.VISITS_DO), closed=closed, page=page)
    facts: dict[str, Any] = {"closed": closed, "page": page, "more": len(found) > SIZE, "today": today()}
    return web.page("visits/worker/referrals.html", referrals=found[:SIZE], **facts)


@bp.route("/referrals/<public_id>", methods=["GET", "POST"])
@requires(Permission.VISITS_DO)
def referral(public_id: str) -> Response:
    found = referring.referral_in(scopes(Permission.VISITS_DO), public_id)
    form = move_form(found)
    if form.validate_on_submit():
        try:
            referring.move(found, ReferralState(form.state.data), form.text("note"), by=current_actor())
            flash(_("转介单更新好了。"), "ok")
            return web.go(".referral", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/referral.html", referral=found, form=form, today=today(), status=form.status)


@bp.route("/referrals/<public_id>/party", methods=["GET", "POST"])
@requires(Permission.VISITS_DO)
def referral_party(public_id: str) -> Response:
    found = referring.referral_in(scopes(Permission.VISITS_DO), public_id)
    form = RedirectForm(data={"party": party_words(found), "due_on": max(found.due_on, today())})
    if form.validate_on_submit():
        try:
            due = form.due_on.data or today()
            referring.redirect(found, form.text("party"), due, by=current_actor())
            flash(_("转介单更新好了。"), "ok")
            return web.go(".referral", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("visits/worker/referral_party.html", referral=found, form=form, status=form.status)
