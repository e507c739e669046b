"""Worker pages: what recurs, taken up as a topic or set aside."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.casework.forms.worker import SplitForm, WhyForm
from portal.casework.models.recurring import MatterState
from portal.casework.service import recurring
from portal.casework.worker.blueprint import bp
from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission

bp.add_app_template_filter(recurring.place_of, "matter_place")
SIZE = recurring.A_PAGE


@bp.route("/matters")
@requires(Permission.CASES_SUPERVISE)
def matters() -> Response:
    text = request.args.get("state", MatterState.PROPOSED.value)
    state = MatterState(text) if text in set(MatterState) else MatterState.PROPOSED
    page = min(max(web.number_asked("page", 1), 1), 500)
    found = recurring.matters(scopes(Permission.CASES_SUPERVISE), state, page)
    shown: dict[str, Any] = {"matters": found[:SIZE], "more": len(found) > SIZE, "page": page, "state": state}
    return web.page("casework/worker/matters.html", **shown)


@bp.route("/matters/<public_id>", methods=["GET", "POST"])
@requires(Permission.CASES_SUPERVISE)
def matter(public_id: str) -> Response:
    """The requests of a matter; what is ticked leaves it, with a reason."""
    found, form = recurring.matter_in(scopes(Permission.CASES_SUPERVISE), public_id), SplitForm()
    form.offer(found)
    ticked = set(form.cases.data or ())
    if form.carries_out(lambda: recurring.take_out(found, ticked, form.text("why"), by=current_actor())):
        flash(_("已移出。以后再找反复发生的事，不会再和这件放在一起。"), "ok")
        return web.go(".matter", public_id=public_id)
    return web.page("casework/worker/matter.html", matter=found, form=form, status=form.status)


@bp.route("/matters/<public_id>/back/<case>", methods=["POST"])
@requires(Permission.CASES_SUPERVISE)
def matter_back(public_id: str, case: str) -> Response:
    found = recurring.matter_in(scopes(Permission.CASES_SUPERVISE), public_id)
    try:
        recurring.put_back(found, case, by=current_actor())
        flash(_("已放回。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".matter", public_id=public_id)


@bp.route("/matters/<public_id>/take", methods=["POST"])
@requires(Permission.CASES_SUPERVISE)
def matter_take(public_id: str) -> Response:
    found = recurring.matter_in(scopes(Permission.CASES_SUPERVISE), public_id)
    try:
        told = recurring.take(found, by=current_actor())
        flash(_("已列为议题，告诉了 %(count)d 位反映和关注的居民。", count=told), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".matters")


@bp.route("/matters/<public_id>/dismiss", methods=["GET", "POST"])
@requires(Permission.CASES_SUPERVISE)
def matter_dismiss(public_id: str) -> Response:
    found, form = recurring.matter_in(scopes(Permission.CASES_SUPERVISE), public_id), WhyForm()
    if form.carries_out(lambda: recurring.dismiss(found, form.text("why"), by=current_actor())):
        flash(_("已记下，再来几件才会又提出。"), "ok")
        return web.go(".matters")
    return web.page("casework/worker/matter_dismiss.html", matter=found, form=form, status=form.status)
