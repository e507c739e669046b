"""Resident pages of points: what I have, the shop (爱心超市), what I asked for, and the monthly publication."""

from datetime import date
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import files, web
from portal.core.access import current_actor, public, requires
from portal.core.clock import now, today
from portal.core.db import undo
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.points.models import Goods, GoodsOrder
from portal.points.service import goods, goods_orders, ledger, rules, wording
from portal.registry.models import Person
from portal.registry.service import people as register
from portal.volunteers.forms.points import AskForm, CancelForm
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.service import published_points

USE = Permission.VOLUNTEERS_USE

bp.add_app_template_filter(wording.entry_words, "point_words")
bp.add_app_template_filter(wording.entry_why, "point_why")
bp.add_app_template_filter(wording.reason_words, "point_reason")
bp.add_app_template_filter(wording.signed, "signed_points")
bp.add_app_template_filter(wording.goods_state, "goods_state")
bp.add_app_template_filter(wording.goods_tint, "goods_tint")
bp.add_app_template_filter(goods.left_of, "goods_left")
bp.add_app_template_filter(goods_orders.keeps_until, "goods_kept_until")


def _me() -> Person:
    return register.person_of(current_actor())


@bp.route("/points")
@requires(USE)
def points_mine() -> Response:
    me = register.person_of_or_none(current_actor())
    facts: dict[str, Any] = {"rule": rules.in_force("", today())}
    if me is not None:
        facts |= {"standing": ledger.balance(me), "entries": ledger.entries(me), "community": me.community}
    return web.page("volunteers/resident/points_mine.html", person=me, **facts)


@bp.route("/shop")
@requires(USE)
def shop() -> Response:
    me = register.person_of_or_none(current_actor())
    if me is None:
        return web.page("volunteers/resident/shop.html", person=None, shelf=[])
    facts: dict[str, Any] = {
        "shelf": goods.shelf(me.community_id),
        "standing": ledger.balance(me),
        "community": me.community,
    }
    return web.page("volunteers/resident/shop.html", person=me, **facts)


@bp.route("/shop/<int:goods_id>", methods=["GET", "POST"])
@requires(USE)
def shop_ask(goods_id: int) -> Response:
    me = _me()
    wanted, relatives = goods.on_shelf(me.community_id, goods_id), register.relatives_of(current_actor())
    form = AskForm.of(me, relatives)
    if form.validate_on_submit():
        try:
            return web.go(".shop_order", public_id=_asked(wanted, me, [me, *relatives], form))
        except Refused as refused:
            form.refuse(refused)
            # What was taken before the refusal is not what she has.
            undo()
    facts: dict[str, Any] = {"goods": wanted, "standing": ledger.balance(me), "others": bool(relatives)}
    return web.page("volunteers/resident/shop_ask.html", form=form, status=form.status, **facts)


def _asked(wanted: Goods, me: Person, whom: list[Person], form: AskForm) -> str:
    """The public id of the order that this form makes, or that an earlier post of it made."""
    person = next((one for one in whom if one.public_id == form.person.data), None)
    if person is None:
        raise Missing
    wish = goods_orders.Wish(wanted, form.count.data or 0, person, me)
    body = f"{wanted.id} {form.body()}"
    public_id, _code = goods_orders.ask_once(wish, key=form.text("idem"), body=body, by=current_actor())
    flash(_("换好了，积分已扣。请在保留期内带兑换码来领。"), "ok")
    return public_id


@bp.route("/shop/orders")
@requires(USE)
def shop_orders() -> Response:
    me = register.person_of_or_none(current_actor())
    found = goods_orders.orders_of(me) if me else []
    return web.page("volunteers/resident/shop_orders.html", person=me, orders=found)


def _order(public_id: str) -> tuple[Person, GoodsOrder]:
    """An order of whom the reader is, or of somebody she acts for."""
    me = _me()
    return me, goods_orders.order_of([me, *register.relatives_of(current_actor())], public_id)


@bp.route("/shop/orders/<public_id>")
@requires(USE)
def shop_order(public_id: str) -> Response:
    me, order = _order(public_id)
    address = web.absolute("volunteers.worker.shop_code", code=order.code)
    qr = files.qr_svg(address, title=_("兑换二维码"))
    facts: dict[str, Any] = {"open": goods_orders.may_cancel(order, me), "at": now(), "qr": qr, "me": me}
    return web.page("volunteers/resident/shop_order.html", order=order, **facts)


@bp.route("/shop/orders/<public_id>/cancel", methods=["GET", "POST"])
@requires(USE)
def shop_cancel(public_id: str) -> Response:
    me, order = _order(public_id)
    form = CancelForm()
    if form.carries_out(lambda: goods_orders.cancel_own(order, me, reason=form.text("reason"), by=current_actor())):
        flash(_("已取消，积分退回来了。"), "ok")
        return web.go(".shop_order", public_id=public_id)
    open_ = goods_orders.may_cancel(order, me)
    return web.page("volunteers/resident/shop_cancel.html", order=order, form=form, open=open_, status=form.status)


@bp.route("/points/published")
@public
def points_published() -> Response:
    return _publication("volunteers/resident/points_published.html")


@bp.route("/points/published/print")
@public
def points_published_print() -> Response:
    return _publication("volunteers/resident/points_published_print.html")


def _publication(template: str) -> Response:
    """公示 of a month, by the address's community and month."""
    shown = published_points.page_of(request.args.get("community", ""), _month())
    return web.page(template, shown=shown, today=today())


def _month() -> date | None:
    try:
        return date.fromisoformat(f"{request.args.get('month', '')}-01")
    except ValueError:
        return None
