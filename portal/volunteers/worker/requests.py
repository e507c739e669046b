"""Worker pages: requests to join or to be let go, who can stay on, open swaps; in the worker's communities."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.signups import AnswerForm, PlainForm
from portal.volunteers.models.codes import Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import leaving, requests, signups
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


@bp.route("/requests")
@requires(KEEP)
def requests_page() -> Response:
    return web.page("volunteers/worker/requests_page.html", found=signups.asked_within(scopes(KEEP)))


@bp.route("/requests/<public_id>", methods=["GET", "POST"])
@requires(KEEP)
def request_answer(public_id: str) -> Response:
    """A request to join, or to be let go, answered in one place."""
    found, form = signups.signup_within(scopes(KEEP), public_id), AnswerForm()
    if form.carries_out(lambda: _answered(form, found)):
        flash(_("已答复，并通知了志愿者。"), "ok")
        return web.go(".requests_page")
    return web.page("volunteers/worker/request_answer.html", status=form.status, form=form, signup=found)


@bp.route("/requests/<public_id>/stay", methods=["POST"])
@requires(KEEP)
def request_stay(public_id: str) -> Response:
    found, form = signups.signup_within(scopes(KEEP), public_id), PlainForm()
    try:
        if form.validate_on_submit():
            leaving.stay_on(found, by=current_actor(), way=Way.WORKER)
            flash(_("已安排继续下一班，并通知了志愿者。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".requests_page")


def _answered(form: AnswerForm, found: Signup) -> None:
    requests.answer(found, yes=bool(form.yes.data), by=current_actor(), reason=form.text("reason"))
