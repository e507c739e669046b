"""Worker pages: the counter, where an order is found, paid for and handed over once."""

from typing import Any

from flask import Response, flash, request
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _

from portal.core import files
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.core.web import go, page
from portal.identity.permissions import Permission
from portal.meals.forms.menus import ReasonForm
from portal.meals.forms.redeem import FindForm, HandoverForm
from portal.meals.models import Canteen, MealOrder, RedemptionMeans
from portal.meals.service import kitchen, paying, redemption
from portal.meals.worker.blueprint import bp
from portal.meals.worker.menus import asked_canteen

Found = tuple[list[MealOrder], RedemptionMeans]


@bp.record_once
def _camera(state: BlueprintSetupState) -> None:
    """The counter's page alone may use the camera."""
    state.app.config["CAMERA_ENDPOINTS"] |= {"meals.worker.redeem"}


@bp.route("/redeem", methods=["GET", "POST"])
@requires(Permission.MEALS_REDEEM)
def redeem() -> Response:
    form = FindForm()
    said = _said(form)
    windows, canteen = asked_canteen(scopes(Permission.MEALS_REDEEM))
    found, means = _find(canteen, form, said) if canteen else ([], RedemptionMeans.NAME)
    if len(found) == 1:
        return go(".redeem_order", public_id=found[0].public_id, means=means)
    context = {"canteens": windows, "canteen": canteen, "found": found, "means": means, **_day_of(canteen)}
    return page("meals/worker/redeem.html", form=form, status=form.status, **context)


def _day_of(canteen: Canteen | None) -> dict[str, Any]:
    """What the counter has done today."""
    if canteen is None:
        return {}
    return {"counters": redemption.counters(canteen, today()), "recent": redemption.recent(canteen)}


def _said(form: FindForm) -> str:
    """What the camera, the keyboard or a photograph says; a photograph is read before any query."""
    said = request.args.get("code", "").strip()
    # The camera fills the same field: the long text of a refused QR code would stand where the next code is typed.
    form.code.data = said if redemption.is_typed(said) else ""
    if "code" in request.args and not said:
        form.refuse(Refused(_("请填写这一项"), field="code"))
    if not form.validate_on_submit() or not form.photo.data:
        return said
    try:
        read = files.read_qr(form.photo.data.read())
    except files.BadFile as bad:
        form.refuse(Refused(bad.sentence, field="photo"))
        return ""
    if read is None:
        form.refuse(Refused(_("照片里没有认出二维码。请对准、照亮再拍一张，或输入取餐码。"), field="photo"))
    return read or ""


def _find(canteen: Canteen, form: FindForm, said: str) -> Found:
    """The orders that were asked for, by code first; a refusal goes beside its field."""
    try:
        if said and not form.errors:
            return redemption.by_code(canteen, said)
        if form.is_submitted() and not form.errors and not form.photo.data:
            return redemption.by_name(canteen, form.name.data or "", form.tail.data or ""), RedemptionMeans.NAME
    except Refused as refused:
        form.refuse(refused)
    return [], RedemptionMeans.NAME


@bp.route("/redeem/<public_id>", methods=["GET", "POST"])
@requires(Permission.MEALS_REDEEM)
def redeem_order(public_id: str) -> Response:
    order = redemption.order_in(scopes(Permission.MEALS_REDEEM), public_id)
    form = HandoverForm.offering(paying.payers(order), request.args.get("means", RedemptionMeans.NAME.value))
    if form.validate_on_submit():
        try:
            redemption.redeem(order, form.handover(), by=current_actor())
            flash(_("%(name)s 的餐已核销。", name=order.person.name), "ok")
            return go(".redeem", canteen=order.menu.canteen_id)
        except Refused as refused:
            form.refuse(refused)
    context = {"order": order, "cares": kitchen.cares_of(order), "trouble": redemption.trouble(order, now())}
    return page("meals/worker/redeem_order.html", form=form, status=form.status, **context)


@bp.route("/redeem/<public_id>/undo", methods=["GET", "POST"])
@requires(Permission.MEALS_REDEEM)
def redeem_undo(public_id: str) -> Response:
    order = redemption.order_in(scopes(Permission.MEALS_REDEEM), public_id)
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            redemption.undo(order, form.reason.data or "", by=current_actor())
            flash(_("已撤销 %(name)s 的核销，这份餐可以重新核销。", name=order.person.name), "ok")
            return go(".redeem", canteen=order.menu.canteen_id)
        except Refused as refused:
            form.refuse(refused)
    return page("meals/worker/redeem_undo.html", order=order, form=form, status=form.status)
