"""The resident platform of meals: the week's menus, ordering for oneself or one's family, one's orders."""

from collections.abc import Callable, Sequence
from datetime import date

from flask import Blueprint, Response, flash, request
from flask_babel import gettext as _
from markupsafe import Markup

from portal.core import calendar, files, web
from portal.core.access import current_actor, requires
from portal.core.clock import now, today
from portal.core.db import reading
from portal.core.errors import Missing, Refused, TooMany
from portal.identity.permissions import Permission
from portal.meals.forms.orders import CancelForm, OrderForm, order_form
from portal.meals.models import MealOrder, Menu
from portal.meals.service import history, pricing, words
from portal.meals.service import orders as ordering
from portal.meals.service.menus import menu_words
from portal.registry.models import Person
from portal.registry.service import people

bp = Blueprint("resident", __name__)
_FILTERS: dict[str, Callable[..., str | list[str]]] = {
    "said": words.said,
    "diet_words": words.diet_words,
    "meal_said": words.meal_said,
    "tag_said": words.tag_said,
    "way_said": words.way_said,
    "iso_day": words.iso_day,
    "near_day": words.near_day,
    "tab_day": words.tab_day,
    "cutoff": words.cutoff_words,
    "menu_words": menu_words,
}
for _name, _filter in _FILTERS.items():
    bp.add_app_template_filter(_filter, _name)


@bp.route("/")
@requires(Permission.MEALS_ORDER)
def menus() -> Response:
    whom = people.people_for(current_actor(), history.ORDER)
    person, day = _one_of(whom, request.args.get("person")), _day(request.args.get("day"))
    return web.page(
        "meals/resident/menus.html",
        whom=whom,
        person=person,
        day=day,
        days=words.week_from(today()),
        offers=pricing.offers(day, person),
        holiday=calendar.holiday_name(day),
        at=now(),
    )


@bp.route("/<int:menu_id>/order", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER)
def order(menu_id: int) -> Response:
    with reading():
        menu, me, person = _asked(menu_id)
        form = order_form(menu, asked=request.args)
    if form.validate_on_submit() and "quote" not in request.form:
        try:
            placed = _place(menu, person, form)
            return web.go(".placed", public_id=placed.public_id)
        except TooMany as full:
            form.slow_down(full)
        except Refused as refused:
            form.refuse(refused)
            menu, me, person = _asked(menu_id)
    return _ordering("meals/resident/order.html", menu, person, form, me=me)


@bp.route("/orders")
@requires(Permission.MEALS_ORDER)
def orders() -> Response:
    page = min(max(web.number_asked("page", 1), 1), 1000)
    found = history.orders_for(current_actor(), page=page)
    return web.page("meals/resident/orders.html", found=found, page=page)


@bp.route("/orders/<public_id>")
@requires(Permission.MEALS_ORDER)
def placed(public_id: str) -> Response:
    found = history.order_for(current_actor(), public_id)
    return web.page(
        "meals/resident/placed.html",
        order=found,
        qr=_qr(found),
        open=found.can_be_changed(now()),
        mine=found.placed_by == current_actor().public_id,
    )


@bp.route("/orders/<public_id>/change", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER)
def change(public_id: str) -> Response:
    found = history.order_for(current_actor(), public_id)
    form = order_form(found.menu, asked=request.args, order=found)
    if form.validate_on_submit() and "quote" not in request.form:
        try:
            _change(found, form)
            return web.go(".placed", public_id=public_id)
        except TooMany as full:
            form.slow_down(full)
        except Refused as refused:
            form.refuse(refused)
    return _ordering("meals/resident/change.html", found.menu, found.person, form, order=found)


@bp.route("/orders/<public_id>/cancel", methods=["GET", "POST"])
@requires(Permission.MEALS_ORDER)
def cancel(public_id: str) -> Response:
    found = history.order_for(current_actor(), public_id)
    form = CancelForm()
    if form.validate_on_submit():
        try:
            ordering.cancel_order(found, by=current_actor(), reason=form.reason.data or "")
            flash(_("已取消，名额和补贴都已退回。"), "ok")
            return web.go(".placed", public_id=public_id)
        except Refused as refused:
            form.refuse(refused)
    open_still = found.can_be_changed(now())
    return web.page("meals/resident/cancel.html", order=found, form=form, open=open_still, status=form.status)


def _place(menu: Menu, person: Person, form: OrderForm) -> MealOrder:
    by, idem, seen = current_actor(), form.idem.data or "", form.seen_prices()
    made = ordering.place_order(
        menu, person, portions=form.portions(), way=form.chosen_way(), by=by, note=form.words(), idem=idem, seen=seen
    )
    flash(_("订好了。取餐时出示二维码或报取餐码。"), "ok")
    return made


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
    me: Person | None = None,
    order: MealOrder | None = None,
) -> Response:
    """The order page with its live price; `order` is the one being changed."""
    with reading():
        form.show(menu)
        who = pricing.eater(person, menu.day, but=order)
        quoted, trouble = pricing.quote_or_words(menu, who, form.portions(), form.chosen_way())
        return web.page(
            template,
            status=form.status,
            menu=menu,
            person=person,
            whom=() if order else people.people_for(current_actor(), history.ORDER, me=me),
            form=form,
            order=order,
            quoted=quoted,
            trouble=trouble,
            standing=who.order_from(menu),
            warnings={row.id: pricing.warnings_for(person, row.dish) for row in menu.dishes},
            about={row.id: pricing.about(row, menu, who) for row in menu.dishes},
            open=menu.accepts_orders(now()),
        )


def _asked(menu_id: int) -> tuple[Menu, Person | None, Person]:
    """The menu, who is asking, and for whom this page is: who is named in the address, of all it may order for."""
    with reading():
        menu, me = pricing.menu_on_offer(menu_id), people.person_of_or_none(current_actor(), lean=True)
        named = request.args.get("person")
        if me and named in {None, "", me.public_id}:
            return menu, me, me
        whom = people.people_for(current_actor(), history.ORDER, me=me)
        return menu, me, _one_of(whom, named) or people.person_of(current_actor())


def _one_of(whom: Sequence[Person], public_id: str | None) -> Person | None:
    if not public_id:
        return whom[0] if whom else None
    person = next((person for person in whom if person.public_id == public_id), None)
    if person is None:
        raise Missing
    return person


def _day(text: str | None) -> date:
    """The day asked for, within the week that is shown; the first day on which something can still be ordered."""
    days = words.week_from(today())
    asked = next((day for day in days if day.isoformat() == text), None)
    return asked or pricing.first_open_day(days) or days[0]


def _qr(order: MealOrder) -> Markup:
    """The picture of the order's signed pick-up address."""
    address = web.absolute("meals.worker.redeem", code=ordering.pickup_token(order))
    return files.qr_svg(address, title=_("取餐二维码"))
