"""Worker pages of facilities, their rooms, and the uses of each room."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import web
from portal.core.access import may, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.forms.resources import FacilityForm, RoomForm, UseForm
from portal.registry.models import Facility, FacilityKind, Room
from portal.registry.service.resources import facilities as service
from portal.registry.service.resources import hours, listing, tables, words
from portal.registry.worker.blueprint import bp
from portal.registry.worker.resources import asked

bp.add_app_template_filter(words.word, "resource_word")
bp.add_app_template_filter(words.eases, "ease_words")
bp.add_app_template_filter(hours.said, "hours_words")
bp.add_app_template_filter(hours.weekday, "weekday_words")
bp.add_app_template_filter(tables.place_of, "facility_place")
bp.add_app_template_filter(tables.grade_words, "grade_words")


def _editable(facility_id: int) -> Facility:
    return service.facility_in(scopes(Permission.RESOURCES_EDIT), facility_id)


@bp.route("/resources/facilities")
@requires(Permission.RESOURCES_READ)
def facilities() -> Response:
    wanted = asked.wanted()
    found = service.facilities(scopes(Permission.RESOURCES_READ), wanted)
    around = asked.around(wanted, words.choices(FacilityKind))
    return web.page("registry/worker/facilities.html", found=found, **around)


@bp.route("/resources/facilities/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def facility_new() -> Response:
    form, own = FacilityForm(), asked.own_communities()
    _offer(form, own, own[0] if len(own) == 1 else None)
    if form.validate_on_submit():
        try:
            community = listing.community_in(scopes(Permission.RESOURCES_EDIT), form.community.data)
            added = service.add_facility(community, form.facts())
            flash(_("已登记设施“%(name)s”，请接着登记房间。", name=added.name), "ok")
            return web.go(".facility", facility_id=added.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/facility_new.html", form=form, facility=None, status=form.status)


def _offer(form: FacilityForm, own: list[Area], community: Area | None) -> None:
    """The buildings of the one community there is to choose; with several they are chosen afterwards."""
    form.offer(asked.offered(own), service.building_choices(community) if community else [])


@bp.route("/resources/facilities/<int:facility_id>")
@requires(Permission.RESOURCES_READ)
def facility(facility_id: int) -> Response:
    found = service.facility_in(scopes(Permission.RESOURCES_READ), facility_id)
    may_edit = may(Permission.RESOURCES_EDIT)
    is_open = hours.is_open(found.hours, now())
    return web.page("registry/worker/facility.html", facility=found, may_edit=may_edit, is_open=is_open)


@bp.route("/resources/facilities/<int:facility_id>/edit", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def facility_edit(facility_id: int) -> Response:
    found = _editable(facility_id)
    form = FacilityForm(facility=found)
    _offer(form, [found.community], found.community)
    if form.validate_on_submit():
        try:
            service.change_facility(found, form.facts())
            flash(asked.saved(found.name), "ok")
            return web.go(".facility", facility_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/facility_edit.html", form=form, facility=found, status=form.status)


@bp.route("/resources/facilities/<int:facility_id>/close", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def facility_close(facility_id: int) -> Response:
    found = _editable(facility_id)
    service.close_facility(found)
    flash(_("“%(name)s”已停用，居民页面不再显示。", name=found.name), "ok")
    return web.go(".facility", facility_id=found.id)


@bp.route("/resources/facilities/<int:facility_id>/reopen", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def facility_reopen(facility_id: int) -> Response:
    found = _editable(facility_id)
    service.reopen_facility(found)
    flash(_("“%(name)s”已恢复使用。", name=found.name), "ok")
    return web.go(".facility", facility_id=found.id)


@bp.route("/resources/facilities/<int:facility_id>/rooms/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def room_new(facility_id: int) -> Response:
    found, form = _editable(facility_id), RoomForm()
    if form.validate_on_submit():
        try:
            room = service.add_room(found, form.facts())
            flash(_("已登记房间“%(name)s”，可以接着排用途。", name=room.name), "ok")
            return web.go(".room", room_id=room.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/room_new.html", form=form, facility=found, status=form.status)


def _room(room_id: int) -> Room:
    return service.room_in(scopes(Permission.RESOURCES_EDIT), room_id)


@bp.route("/resources/rooms/<int:room_id>", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def room(room_id: int) -> Response:
    """A room with its week; the form puts one more use on it."""
    found, form = _room(room_id), UseForm()
    if form.validate_on_submit():
        try:
            use = service.add_use(found, **form.said())
            flash(_("已排用途“%(name)s”。", name=use.name), "ok")
            return web.go(".room", room_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/room.html", form=form, room=found, facility=found.facility, status=form.status)


@bp.route("/resources/rooms/<int:room_id>/edit", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def room_edit(room_id: int) -> Response:
    found = _room(room_id)
    form = RoomForm(standing=found)
    if form.validate_on_submit():
        try:
            service.change_room(found, form.facts())
            flash(asked.saved(found.name), "ok")
            return web.go(".room", room_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    facts = {"room": found, "facility": found.facility}
    return web.page("registry/worker/room_edit.html", form=form, status=form.status, **facts)


@bp.route("/resources/rooms/<int:room_id>/close", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def room_close(room_id: int) -> Response:
    found = _room(room_id)
    service.close_room(found)
    flash(_("“%(name)s”已停用。", name=found.name), "ok")
    return web.go(".facility", facility_id=found.facility_id)


@bp.route("/resources/rooms/<int:room_id>/reopen", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def room_reopen(room_id: int) -> Response:
    found = _room(room_id)
    service.reopen_room(found)
    flash(_("“%(name)s”已恢复使用。", name=found.name), "ok")
    return web.go(".facility", facility_id=found.facility_id)


@bp.route("/resources/rooms/<int:room_id>/uses/<int:use_id>/drop", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def use_drop(room_id: int, use_id: int) -> Response:
    found = _room(room_id)
    service.drop_use(found, use_id)
    flash(_("这一项用途已取消。"), "ok")
    return web.go(".room", room_id=found.id)
