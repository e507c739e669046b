"""Worker pages of the shop (爱心超市): the shelf, what was asked for, handing over by code, taking back."""

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.points.models import Goods, GoodsState
from portal.points.service import goods, goods_orders, ledger
from portal.registry.models import Person
from portal.registry.service import people as register
from portal.volunteers.forms.points import AskForForm, GoodsForm, HandOverCodeForm, NewGoodsForm, WhyForm
from portal.volunteers.worker.blueprint import bp

KEEP = Permission.VOLUNTEERS_KEEP


@bp.route("/shop")
@requires(KEEP)
def shop_goods() -> Response:
    within = scopes(KEEP)
    facts: dict[str, Any] = {"shelf": goods.goods_in(within), "waiting": goods_orders.waiting(within)}
    return web.page("volunteers/worker/shop_goods.html", **facts)


@bp.route("/shop/new", methods=["GET", "POST"])
@requires(KEEP)
def shop_goods_new() -> Response:
    items = goods.not_on_shelf(scopes(KEEP))
    form = NewGoodsForm.among(items)
    if form.carries_out(lambda: goods.put_on_shelf(_picked(items, form), form.facts())):
        flash(_("已上货架。"), "ok")
        return web.go(".shop_goods")
    return web.page("volunteers/worker/shop_goods_new.html", form=form, items=items, status=form.status)


def _picked(items: list[Any], form: NewGoodsForm) -> Any:
    found = next((item for item in items if item.id == form.item.data), None)
    if found is None:
        raise Missing
    return found


@bp.route("/shop/<int:goods_id>", methods=["GET", "POST"])
@requires(KEEP)
def shop_goods_edit(goods_id: int) -> Response:
    found = goods.one_in(scopes(KEEP), goods_id)
    form = GoodsForm.of(found)
    if form.carries_out(lambda: goods.change(found, form.facts())):
        flash(_("已保存。已经换走的不受影响。"), "ok")
        return web.go(".shop_goods")
    return web.page("volunteers/worker/shop_goods_edit.html", goods=found, form=form, status=form.status)


@bp.route("/shop/orders")
@requires(KEEP)
def shop_orders() -> Response:
    asked = request.args.get("state", "")
    state = GoodsState(asked) if asked in set(GoodsState) else GoodsState.ASKED
    found = goods_orders.orders_in(scopes(KEEP), state)
    return web.page("volunteers/worker/shop_orders.html", orders=found, state=state, states=list(GoodsState), at=now())


@bp.route("/shop/code", methods=["GET", "POST"])
@requires(KEEP)
def shop_code() -> Response:
    """The code that a resident says, or the address that a scanner read."""
    form = HandOverCodeForm()
    said = form.text("code") if form.validate_on_submit() else request.args.get("code", "").strip()
    if said:
        try:
            found = goods_orders.by_code(scopes(KEEP), said)
            return web.go(".shop_order", public_id=found.public_id, code=found.code)
        except Refused as refused:
            form.refuse(refused)
    return web.page("volunteers/worker/shop_code.html", form=form, status=form.status)


@bp.route("/points/people/<public_id>/goods", methods=["GET", "POST"])
@requires(KEEP)
def shop_ask_for(public_id: str) -> Response:
    """For somebody without a telephone: asked for at the counter, and handed over on the next page."""
    person = register.person_in(scopes(KEEP), public_id)
    shelf = goods.shelf(person.community_id)
    form = AskForForm.among(shelf)
    if form.validate_on_submit():
        try:
            return _asked_for(person, shelf, form)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"person": person, "shelf": shelf, "standing": ledger.balance(person)}
    return web.page("volunteers/worker/shop_ask_for.html", form=form, status=form.status, **facts)


def _asked_for(person: Person, shelf: list[Goods], form: AskForForm) -> Response:
    wanted = next(one for one in shelf if one.id == form.goods.data)
    wish = goods_orders.Wish(wanted, form.count.data or 0, person, person)
    body = f"{person.id} {form.body()}"
    made, code = goods_orders.ask_once(wish, key=form.text("idem"), body=body, by=current_actor())
    flash(_("已扣积分。现在交给本人，就在下面登记领取。"), "ok")
    return web.go(".shop_order", public_id=made, code=code)


@bp.route("/shop/orders/<public_id>", methods=["GET", "POST"])
@requires(KEEP)
def shop_order(public_id: str) -> Response:
    found = goods_orders.order_in(scopes(KEEP), public_id)
    form = HandOverCodeForm(code=request.args.get("code", ""))
    if form.carries_out(lambda: goods_orders.hand_over(found, form.text("code"), by=current_actor())):
        flash(_("已登记领取，库存已减。"), "ok")
        return web.go(".shop_orders")
    return web.page("volunteers/worker/shop_order.html", order=found, form=form, status=form.status)


@bp.route("/shop/orders/<public_id>/cancel", methods=["GET", "POST"])
@requires(KEEP)
def shop_order_cancel(public_id: str) -> Response:
    found, form = goods_orders.order_in(scopes(KEEP), public_id), WhyForm()
    if form.carries_out(lambda: goods_orders.cancel(found, reason=form.text("reason"), by=current_actor())):
        flash(_("已取消，积分退回，物品重新上架。"), "ok")
        return web.go(".shop_orders")
    return web.page("volunteers/worker/shop_order_cancel.html", order=found, form=form, status=form.status)
