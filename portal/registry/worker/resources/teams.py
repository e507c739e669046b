"""Worker pages of volunteer teams and their members."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import may, requires, scopes
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.resources import PickForm, TeamForm
from portal.registry.models import VolunteerTeam
from portal.registry.service import people
from portal.registry.service.resources import listing
from portal.registry.service.resources import teams as service
from portal.registry.worker.blueprint import bp
from portal.registry.worker.resources import asked
from portal.registry.worker.resources.staff import looked_for


def _editable(team_id: int) -> VolunteerTeam:
    return service.team_in(scopes(Permission.RESOURCES_EDIT), team_id)


@bp.route("/resources/teams")
@requires(Permission.RESOURCES_READ)
def teams() -> Response:
    wanted = asked.wanted()
    found = service.teams(scopes(Permission.RESOURCES_READ), wanted)
    counts = {team.id: service.headcount(team) for team in found.rows}
    return web.page("registry/worker/teams.html", found=found, counts=counts, **asked.around(wanted))


@bp.route("/resources/teams/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def team_new() -> Response:
    form = TeamForm()
    form.community.choices = asked.offered(asked.own_communities())
    if form.validate_on_submit():
        try:
            community = listing.community_in(scopes(Permission.RESOURCES_EDIT), form.community.data)
            added = service.add_team(community, form.facts())
            flash(_("已登记志愿队“%(name)s”，请接着加队员。", name=added.name), "ok")
            return web.go(".team", team_id=added.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/team_new.html", form=form, team=None, status=form.status)


@bp.route("/resources/teams/<int:team_id>")
@requires(Permission.RESOURCES_READ)
def team(team_id: int) -> Response:
    found = service.team_in(scopes(Permission.RESOURCES_READ), team_id)
    members = service.members_of(found, scopes(Permission.PEOPLE_READ))
    may_edit = may(Permission.RESOURCES_EDIT)
    shown: dict[str, Any] = {"members": members, "count": service.headcount(found), "may_edit": may_edit}
    return web.page("registry/worker/team.html", team=found, **shown)


@bp.route("/resources/teams/<int:team_id>/edit", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def team_edit(team_id: int) -> Response:
    found = _editable(team_id)
    form = TeamForm(team=found)
    form.community.choices = asked.offered([found.community])
    if form.validate_on_submit():
        try:
            service.change_team(found, form.facts())
            flash(asked.saved(found.name), "ok")
            return web.go(".team", team_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/team_edit.html", form=form, team=found, status=form.status)


@bp.route("/resources/teams/<int:team_id>/disband", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def team_disband(team_id: int) -> Response:
    found = _editable(team_id)
    service.disband(found)
    flash(_("“%(name)s”已解散，资料仍保留。", name=found.name), "ok")
    return web.go(".team", team_id=found.id)


@bp.route("/resources/teams/<int:team_id>/revive", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def team_revive(team_id: int) -> Response:
    found = _editable(team_id)
    service.revive(found)
    flash(_("“%(name)s”已恢复。", name=found.name), "ok")
    return web.go(".team", team_id=found.id)


@bp.route("/resources/teams/<int:team_id>/people", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def team_people(team_id: int) -> Response:
    """Find people of the register to take into the team; a post only because a search is recorded."""
    found, form = _editable(team_id), PickForm()
    hits = looked_for(form)
    inside = {listed.person.id for listed in service.members_of(found, scopes(Permission.PEOPLE_READ))}
    facts = {"found": hits, "inside": inside}
    return web.page("registry/worker/team_people.html", form=form, team=found, status=form.status, **facts)


@bp.route("/resources/teams/<int:team_id>/join", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def team_join(team_id: int) -> Response:
    found = _editable(team_id)
    person = people.person_in(scopes(Permission.PEOPLE_READ), request.form.get("person", ""))
    try:
        service.join(found, person)
        flash(_("%(name)s已加入。", name=person.name), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".team", team_id=found.id)


@bp.route("/resources/teams/<int:team_id>/members/<int:member_id>/leave", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def member_leave(team_id: int, member_id: int) -> Response:
    found = _editable(team_id)
    service.leave(found, member_id)
    flash(_("这位队员已退出。"), "ok")
    return web.go(".team", team_id=found.id)


@bp.route("/resources/teams/<int:team_id>/members/<int:member_id>/lead", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def member_lead(team_id: int, member_id: int) -> Response:
    found = _editable(team_id)
    try:
        service.lead(found, member_id)
        flash(_("队长已更换。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".team", team_id=found.id)
