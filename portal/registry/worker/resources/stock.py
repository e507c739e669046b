"""Worker pages of material stock."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, may, requires, scopes
from portal.core.errors import Refused
from portal.core.forms import status_of
from portal.identity.permissions import Permission
from portal.registry.forms.resources import ItemForm, MoveForm
from portal.registry.models import StockItem, StockReason
from portal.registry.service.resources import listing
from portal.registry.service.resources import stock as service
from portal.registry.worker.blueprint import bp
from portal.registry.worker.resources import asked


def _editable(item_id: int) -> StockItem:
    return service.item_in(scopes(Permission.RESOURCES_EDIT), item_id)


@bp.route("/resources/stock")
@requires(Permission.RESOURCES_READ)
def stock() -> Response:
    wanted = asked.wanted()
    found = service.items(scopes(Permission.RESOURCES_READ), wanted)
    low = service.low(scopes(Permission.RESOURCES_READ))
    around = asked.around(wanted, states=[("low", _("低于预警线"))])
    return web.page("registry/worker/stock.html", found=found, low=low, **around)


@bp.route("/resources/stock/new", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def item_new() -> Response:
    form = ItemForm()
    form.community.choices = asked.offered(asked.own_communities())
    if form.validate_on_submit():
        try:
            community = listing.community_in(scopes(Permission.RESOURCES_EDIT), form.community.data)
            added = service.add_item(community, form.facts())
            flash(_("已登记物资“%(name)s”，请接着入库。", name=added.name), "ok")
            return web.go(".item", item_id=added.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/item_new.html", form=form, item=None, status=form.status)


@bp.route("/resources/stock/<int:item_id>")
@requires(Permission.RESOURCES_READ)
def item(item_id: int) -> Response:
    found = service.item_in(scopes(Permission.RESOURCES_READ), item_id)
    facts: dict[str, Any] = {"entries": service.entries_of(found), "may_edit": may(Permission.RESOURCES_EDIT)}
    return web.page("registry/worker/item.html", item=found, form=MoveForm(), **facts)


@bp.route("/resources/stock/<int:item_id>/move", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def item_move(item_id: int) -> Response:
    found, form, status = _editable(item_id), MoveForm(), 200
    if form.validate_on_submit():
        try:
            left = _move(found, form)
            flash(_("已记账，现有 %(left)d%(unit)s。", left=left, unit=found.unit), "ok")
            return web.go(".item", item_id=found.id)
        except Refused as refused:
            form.refuse(refused)
            status = status_of(refused)
    entries = service.entries_of(found)
    facts: dict[str, Any] = {"item": found, "entries": entries, "may_edit": True, "status": max(status, form.status)}
    return web.page("registry/worker/item_move.html", form=form, **facts)


def _move(found: StockItem, form: MoveForm) -> int:
    return service.move(
        found,
        StockReason(form.reason.data),
        int(form.count.data or 0),
        by=current_actor(),
        note=form.text("note"),
        key=form.text("idem"),
    )


@bp.route("/resources/stock/<int:item_id>/edit", methods=["GET", "POST"])
@requires(Permission.RESOURCES_EDIT)
def item_edit(item_id: int) -> Response:
    found = _editable(item_id)
    form = ItemForm(item=found)
    form.community.choices = asked.offered([found.community])
    if form.validate_on_submit():
        try:
            service.change_item(found, form.facts())
            flash(asked.saved(found.name), "ok")
            return web.go(".item", item_id=found.id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("registry/worker/item_edit.html", form=form, item=found, status=form.status)


@bp.route("/resources/stock/<int:item_id>/close", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def item_close(item_id: int) -> Response:
    found = _editable(item_id)
    service.close_item(found)
    flash(_("“%(name)s”已停用。", name=found.name), "ok")
    return web.go(".item", item_id=found.id)


@bp.route("/resources/stock/<int:item_id>/reopen", methods=["POST"])
@requires(Permission.RESOURCES_EDIT)
def item_reopen(item_id: int) -> Response:
    found = _editable(item_id)
    service.reopen_item(found)
    flash(_("“%(name)s”已恢复使用。", name=found.name), "ok")
    return web.go(".item", item_id=found.id)
