"""Worker pages: ordering for somebody who telephones, and what a worker may do with such an order."""

from datetime import date

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.core import audit, calendar, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.meals.forms.orders import FindForm, OrderForm, WorkerCancelForm, order_form
from portal.meals.models import MealOrder, Menu
from portal.meals.service import history, pricing, words
from portal.meals.service import orders as ordering
from portal.meals.worker.blueprint import bp
from portal.registry.models import Person
from portal.registry.service import people


@bp.route("/orders/phone", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER_FOR)
def phone_order() -> Response:
    if "person" in request.args:
        return web.go(".order_menus", person=request.args["person"])
    form, found = FindForm(), None
    if form.validate_on_submit():
        found, kind = people.find(form.words(), scopes(Permission.MEALS_ORDER_FOR)), people.kind_of_query(form.words())
        audit.record("meals.person_sought", None, by=kind, found=len(found))
        form.forget(kind)
    return web.page("meals/worker/phone_order.html", form=form, found=found, status=form.status)


@bp.route("/orders/for/<person>")
@requires(Permission.MEALS_ORDER_FOR)
def order_menus(person: str) -> Response:
    who, day = _person(person), _day()
    return web.page(
        "meals/worker/order_menus.html",
        person=who,
        served=people.is_served(who),
        day=day,
        days=words.week_from(today()),
        offers=pricing.offers(day, who),
        holiday=calendar.holiday_name(day),
        recent=history.orders_of(who, limit=8),
    )


@bp.route("/orders/for/<person>/<int:menu_id>", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER_FOR)
def order_new(person: str, menu_id: int) -> Response:
    who, menu = _person(person), pricing.menu_on_offer(menu_id)
    form = order_form(menu, asked=request.args)
    if form.validate_on_submit() and "quote" not in request.form:
        try:
            placed = _place(menu, who, form)
            return web.go(".order", public_id=placed.public_id)
        except Refused as refused:
            form.refuse(refused)
    return _ordering("meals/worker/order_new.html", menu, who, form)


@bp.route("/orders/<public_id>")
@requires(Permission.MEALS_ORDER_FOR)
def order(public_id: str) -> Response:
    found = history.order_in(scopes(Permission.MEALS_ORDER_FOR), public_id)
    return web.page("meals/worker/order.html", order=found, open=found.can_be_changed(now()))


@bp.route("/orders/<public_id>/change", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER_FOR)
def order_change(public_id: str) -> Response:
    found = history.order_in(scopes(Permission.MEALS_ORDER_FOR), public_id)
    form = order_form(found.menu, asked=request.args, order=found)
    if form.validate_on_submit() and "quote" not in request.form:
        try:
            _change(found, form)
            return web.go(".order", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return _ordering("meals/worker/order_change.html", found.menu, found.person, form, order=found)


@bp.route("/orders/<public_id>/cancel", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER_FOR)
def order_cancel(public_id: str) -> Response:
    found = history.order_in(scopes(Permission.MEALS_ORDER_FOR), public_id)
    form = WorkerCancelForm()
    if form.validate_on_submit():
        try:
            ordering.cancel_order(found, by=current_actor(), reason=form.reason.data or "")
            flash(_("已取消，名额和补贴都已退回。"), "ok")
            return web.go(".order", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("meals/worker/order_cancel.html", order=found, form=form, status=form.status)


@bp.route("/orders/of/<person>")
@requires(Permission.MEALS_ORDER_FOR)
def person_orders(person: str) -> Response:
    who = _person(person)
    return web.page("meals/worker/person_orders.html", person=who, orders=history.orders_of(who))


def _person(public_id: str) -> Person:
    return people.person_in(scopes(Permission.MEALS_ORDER_FOR), public_id)


def _day() -> date:
    days = words.week_from(today())
    asked = next((day for day in days if day.isoformat() == request.args.get("day")), None)
    return asked or pricing.first_open_day(days) or days[0]


def _place(menu: Menu, who: Person, form: OrderForm) -> MealOrder:
    by, idem = current_actor(), form.idem.data or ""
    placed = ordering.place_order(
        menu, who, portions=form.portions(), way=form.chosen_way(), by=by, note=form.words(), idem=idem
    )
    flash(_("已为%(name)s订餐，取餐码 %(code)s。", name=who.name, code=placed.pickup_code), "ok")
    return placed


def _change(found: MealOrder, form: OrderForm) -> None:
    by = current_actor()
    ordering.change_order(found, portions=form.portions(), way=form.chosen_way(), by=by, note=form.words())
    flash(_("改好了，取餐码不变。"), "ok")


def _ordering(
    template: str,
    menu: Menu,
    person: Person,
    form: OrderForm,
    *,
    order: MealOrder | None = None,
) -> Response:
    """The order page with its live price; `order` is the one being changed."""
    who = pricing.eater(person, menu.day, but=order)
    quoted, trouble = pricing.quote_or_words(menu, who, form.portions(), form.chosen_way())
    return web.page(
        template,
        status=form.status,
        menu=menu,
        person=person,
        form=form,
        order=order,
        standing=who.order_from(menu),
        quoted=quoted,
        trouble=trouble,
        warnings={row.id: pricing.warnings_for(person, row.dish) for row in menu.dishes},
        about={row.id: pricing.about(row, menu, who) for row in menu.dishes},
        open=menu.accepts_orders(now()),
    )
