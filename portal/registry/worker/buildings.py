"""Worker pages: buildings as lists and as pictures, and the homes in them."""

from typing import Any

from flask import Response, flash, url_for
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import DwellingUse, Estate
from portal.core import web
from portal.core.access import requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.buildings import BuildingForm, DwellingForm, NewBuildingForm, NewDwellingForm
from portal.registry.service import buildings as service
from portal.registry.service import owners
from portal.registry.service.buildings import RoomState
from portal.registry.worker.blueprint import bp


def _estate_tab(estate: Estate) -> tuple[int, str, str]:
    return estate.id, estate.name, url_for("registry.worker.buildings", estate=estate.id)


bp.add_app_template_filter(_estate_tab, "estate_tab")
bp.add_app_template_filter(service.use_words, "use_words")
bp.add_app_template_filter(service.state_words, "room_words")


@bp.route("/buildings")
@requires(Permission.PEOPLE_READ)
def buildings() -> Response:
    within, estate = scopes(Permission.PEOPLE_READ), web.number_asked("estate") or None
    lines, estates = service.buildings(within, estate), service.estates(within)
    facts: dict[str, Any] = {"estates": estates, "estate": estate, "own": areas.reach(within).grids}
    return web.page("registry/worker/buildings.html", lines=lines, **facts)


@bp.route("/buildings/<int:building_id>")
@requires(Permission.PEOPLE_READ)
def building(building_id: int) -> Response:
    plan = service.plan(scopes(Permission.PEOPLE_READ), building_id)
    return web.page("registry/worker/building.html", plan=plan, today=today(), states=RoomState)


@bp.route("/buildings/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def building_new() -> Response:
    form, chosen = NewBuildingForm.among(areas.whole_communities(scopes(Permission.PEOPLE_EDIT)))
    if form.validate_on_submit():
        try:
            return web.go(".building", building_id=form.build(chosen).id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/building_new.html", form=form, status=form.status)


@bp.route("/buildings/<int:building_id>/edit", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def building_edit(building_id: int) -> Response:
    building = service.building_in(scopes(Permission.PEOPLE_EDIT), building_id)
    form = BuildingForm.of(building, areas.grids(building.estate.community))
    if form.validate_on_submit():
        try:
            service.mend_building(building, name=form.text("name"), grid=form.chosen_grid())
            return web.go(".building", building_id=building.id)
        except Refused as refused:
            form.refuse(refused)
    facts = {"building": building, "mends": service.mends(building)}
    return web.page("registry/worker/building_edit.html", form=form, status=form.status, **facts)


@bp.route("/buildings/<int:building_id>/rooms/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def dwelling_new(building_id: int) -> Response:
    building = service.building_in(scopes(Permission.PEOPLE_EDIT), building_id)
    form = NewDwellingForm()
    if form.validate_on_submit():
        try:
            service.add_dwelling(building, unit=form.text("unit"), room=form.text("room"), floor=form.floor.data)
            return web.go(".building", building_id=building.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/dwelling_new.html", form=form, building=building, status=form.status)


@bp.route("/rooms/<int:dwelling_id>")
@requires(Permission.PEOPLE_READ)
def dwelling(dwelling_id: int) -> Response:
    within = scopes(Permission.PEOPLE_READ)
    home = service.dwelling_in(within, dwelling_id)
    facts: dict[str, Any] = {"households": service.households_at(home, within), "floor": service.floor_of(home)}
    facts["owners"] = owners.titles_on([home.id], today()).get(home.id, [])
    return web.page("registry/worker/dwelling.html", dwelling=home, today=today(), **facts)


@bp.route("/rooms/<int:dwelling_id>/edit", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def dwelling_edit(dwelling_id: int) -> Response:
    home = service.dwelling_in(scopes(Permission.PEOPLE_EDIT), dwelling_id)
    form = DwellingForm.of(home)
    if form.validate_on_submit():
        use = DwellingUse(form.use.data)
        service.mend_dwelling(home, use=use, area_m2=form.area_m2.data, floor=form.floor.data)
        flash(_("已保存。"), "ok")
        return web.go(".dwelling", dwelling_id=home.id)
    return web.page("registry/worker/dwelling_edit.html", form=form, dwelling=home, status=form.status)
