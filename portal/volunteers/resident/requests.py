"""Pages of who leads: who asked to join, who cannot come, who can stay on, who looks for somebody to swap with."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.identity.permissions import Permission
from portal.volunteers.forms.signups import AnswerForm
from portal.volunteers.models.codes import Way
from portal.volunteers.models.signups import Signup
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.resident.signups import answer
from portal.volunteers.service import leaving, requests, signups

USE = Permission.VOLUNTEERS_USE


@bp.route("/lead/requests")
@requires(USE)
def lead_requests() -> Response:
    found = signups.asked_of_leader(current_actor())
    return web.page("volunteers/resident/lead_requests.html", found=found)


@bp.route("/lead/requests/<public_id>", methods=["GET", "POST"])
@requires(USE)
def lead_request(public_id: str) -> Response:
    """A request to join, or to be let go, answered in one place."""
    found, form = signups.signup_led(current_actor(), public_id), AnswerForm()
    if form.carries_out(lambda: _answered(form, found)):
        flash(_("已答复，并通知了志愿者。"), "ok")
        return web.go(".lead_requests")
    return web.page("volunteers/resident/lead_request.html", status=form.status, form=form, signup=found)


@bp.route("/lead/requests/<public_id>/stay", methods=["POST"])
@requires(USE)
def lead_stay(public_id: str) -> Response:
    found = signups.signup_led(current_actor(), public_id)
    act = lambda: leaving.stay_on(found, by=current_actor(), way=Way.LEADER)  # noqa: E731
    return answer(act, _("已安排继续下一班，并通知了志愿者。"), ".lead_requests")


def _answered(form: AnswerForm, found: Signup) -> None:
    requests.answer(found, yes=bool(form.yes.data), by=current_actor(), reason=form.text("reason"))
