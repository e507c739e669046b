"""Worker pages: the kitchen's sheet, its papers, and the paper list of an outage."""

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.core.web import go, page
from portal.identity.permissions import Permission
from portal.meals.forms.redeem import OutageForm
from portal.meals.models import Menu
from portal.meals.service import kitchen as service
from portal.meals.service import settlement
from portal.meals.worker.blueprint import bp
from portal.meals.worker.menus import asked_canteen, asked_day


def _menu(menu_id: int) -> Menu:
    return service.published_in(scopes(Permission.MEALS_KITCHEN), menu_id)


@bp.route("/kitchen")
@requires(Permission.MEALS_KITCHEN)
def kitchen() -> Response:
    (found, canteen), day = asked_canteen(scopes(Permission.MEALS_KITCHEN)), asked_day("day", today())
    menus = service.menus_on(canteen, day) if canteen else []
    asked = [menu for menu in menus if menu.meal == request.args.get("meal")]
    menu = asked[0] if asked else service.current(menus, now())
    return page(
        "meals/worker/kitchen.html",
        canteens=found,
        canteen=canteen,
        day=day,
        menus=menus,
        menu=menu,
        sheet=service.sheet(menu) if menu else None,
        settles_at=settlement.settles_at(menu) if menu else None,
    )


@bp.route("/kitchen/<int:menu_id>/sheet")
@requires(Permission.MEALS_KITCHEN)
def kitchen_sheet(menu_id: int) -> Response:
    return page("meals/worker/kitchen_sheet.html", sheet=service.sheet(_menu(menu_id)), printed_at=now())


@bp.route("/kitchen/<int:menu_id>/labels")
@requires(Permission.MEALS_KITCHEN)
def labels(menu_id: int) -> Response:
    menu = _menu(menu_id)
    return page("meals/worker/labels.html", menu=menu, labels=service.labels(menu), final=menu.cutoff_at <= now())


@bp.route("/kitchen/<int:menu_id>/names")
@requires(Permission.MEALS_KITCHEN)
def kitchen_names(menu_id: int) -> Response:
    return page("meals/worker/kitchen_names.html", sheet=service.sheet(_menu(menu_id)), printed_at=now())


@bp.route("/kitchen/<int:menu_id>/outage", methods=["GET", "POST"])
@requires(Permission.MEALS_REDEEM)
def outage(menu_id: int) -> Response:
    menu = service.published_in(scopes(Permission.MEALS_REDEEM), menu_id)
    orders = service.live_orders(menu)
    form = OutageForm() if request.method == "POST" else OutageForm.of(orders)
    if form.validate_on_submit():
        try:
            _say(settlement.enter_list(menu, form.ticked(), by=current_actor()))
            return go(".kitchen", canteen=menu.canteen_id, day=menu.day, meal=menu.meal)
        except Refused as refused:
            form.refuse(refused)
    by_id = {order.public_id: order for order in orders}
    return page("meals/worker/outage.html", menu=menu, orders=by_id, form=form, status=form.status)


def _say(entered: settlement.Entered) -> None:
    flash(_("名单已录入：新核销 %(count)d 份。", count=entered.collected), "ok")
    if entered.before:
        flash(_("有 %(count)d 份之前已经核销，没有重复记。", count=entered.before), "info")
    if entered.cancelled:
        flash(_("有 %(count)d 份勾选的订餐其实已经取消，没有记为已取，请核对。", count=entered.cancelled), "warn")
    if entered.missed:
        flash(_("%(count)d 份没有来取，已记为未取餐。", count=entered.missed), "warn")


@bp.route("/kitchen/<int:menu_id>/declare-outage", methods=["POST"])
@requires(Permission.MEALS_REDEEM)
def declare_outage(menu_id: int) -> Response:
    menu = service.published_in(scopes(Permission.MEALS_REDEEM), menu_id)
    settlement.declare_outage(menu)
    flash(_("已登记断网：补录名单之前，这一餐不会有人被记为未取餐。"), "ok")
    return go(".outage", menu_id=menu.id)
