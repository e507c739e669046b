"""Worker pages: who wishes to be in a volunteer team, answered where a team has no leader or she does not answer."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.people import ReasonForm
from portal.volunteers.models.people import TeamWish
from portal.volunteers.service import teams
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


def _wish(public_id: str) -> TeamWish:
    return teams.wish_of(teams.wishes_within(scopes(KEEP)), public_id)


@bp.route("/team-wishes")
@requires(KEEP)
def team_wishes() -> Response:
    return web.page("volunteers/worker/team_wishes.html", wishes=teams.wishes_within(scopes(KEEP)))


@bp.route("/team-wishes/<public_id>/accept", methods=["POST"])
@requires(KEEP)
def team_wish_accept(public_id: str) -> Response:
    found = _wish(public_id)
    try:
        teams.accept(found, by=current_actor())
        flash(_("%(name)s 已加入。", name=found.volunteer.person.name), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".team_wishes")


@bp.route("/team-wishes/<public_id>/refuse", methods=["GET", "POST"])
@requires(KEEP)
def team_wish_refuse(public_id: str) -> Response:
    found, form = _wish(public_id), ReasonForm()
    if form.carries_out(lambda: teams.refuse(found, by=current_actor(), reason=form.text("reason"))):
        flash(_("已答复。"), "ok")
        return web.go(".team_wishes")
    return web.page("volunteers/worker/team_wish_refuse.html", wish=found, form=form, status=form.status)
