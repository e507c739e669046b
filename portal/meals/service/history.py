"""Orders as they are looked up: a person's, an account's, a worker's; the doors that every capability offers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from portal.core import settings
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing
from portal.meals.models import (
    Canteen,
    MealOrder,
    Menu,
    MenuDish,
    OrderItem,
    OrderState,
    Redemption,
    SubsidyCounter,
    SubsidyLine,
)
from portal.meals.service.kitchen import dish_words
from portal.meals.service.menus import menu_words
from portal.meals.service.pricing import same_person
from portal.meals.service.words import said
from portal.registry.models import Person
from portal.registry.service import people

settings.declare(
    "meals.orders_kept_days",
    default=730,
    label=lambda: _("订餐记录保存多久"),
    unit=lambda: _("天"),
    least=90,
    most=3650,
)

ORDER = "meals.order"
PAGE = 20
MISSED = 50
_UNSYNCED = {"synchronize_session": False}


@dataclass(frozen=True)
class Orders:
    """Orders still to be collected, soonest first; and a page of the others, newest first."""

    coming: tuple[MealOrder, ...]
    past: tuple[MealOrder, ...]
    more: bool


def everything() -> tuple[ExecutableOption, ...]:
    """What a page about orders shows beside them."""
    dish = selectinload(MealOrder.items).joinedload(OrderItem.menu_dish).joinedload(MenuDish.dish)
    return joinedload(MealOrder.menu).joinedload(Menu.canteen), joinedload(MealOrder.person), dish


def orders_of(person: Person, *, limit: int = PAGE) -> list[MealOrder]:
    """A person's orders, the latest day first; those of persons merged into it too."""
    query = _orders_of([person]).order_by(MealOrder.day.desc(), MealOrder.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def orders_for(actor: Actor, *, page: int = 1) -> Orders:
    """The orders of an account's own person and of those it may act for."""
    whom = people.people_for(actor, ORDER)
    if not whom:
        return Orders((), (), more=False)
    coming = sa.and_(MealOrder.state == OrderState.BOOKED, MealOrder.day >= today())
    query = _orders_of(whom)
    first = db.session.scalars(query.where(coming).order_by(MealOrder.day, MealOrder.id))
    skipped = max(page - 1, 0) * PAGE
    past = query.where(~coming).order_by(MealOrder.day.desc(), MealOrder.id.desc()).offset(skipped).limit(PAGE + 1)
    found = db.session.scalars(past).all()
    return Orders(tuple(first), tuple(found[:PAGE]), more=len(found) > PAGE)


def missed(scopes: Collection[Scope], day: date) -> list[MealOrder]:
    """The orders of a day that persons in scope did not collect: whom to ask after, wherever they eat."""
    query = (
        sa.select(MealOrder)
        .join(MealOrder.person)
        .where(people.within(scopes), MealOrder.day == day, MealOrder.state == OrderState.NO_SHOW)
        .options(contains_eager(MealOrder.person), joinedload(MealOrder.menu).joinedload(Menu.canteen))
        .order_by(MealOrder.meal, Person.name, MealOrder.id)
        .limit(MISSED)
    )
    return list(db.session.scalars(query))


def order_for(actor: Actor, public_id: str) -> MealOrder:
    """An order of the account's own person or of one it may act for; a neighbour's is Missing."""
    whom = people.people_for(actor, ORDER)
    order = db.session.scalar(_orders_of(whom).where(MealOrder.public_id == public_id)) if whom else None
    if order is None:
        raise Missing
    return order


def order_in(scopes: Collection[Scope], public_id: str) -> MealOrder:
    """An order whose person is in an area scope, or whose canteen is a scope itself; Missing otherwise."""
    canteens = [scope.ref for scope in scopes if scope.kind == "canteen"]
    query = (
        sa.select(MealOrder)
        .join(MealOrder.person)
        .join(MealOrder.menu)
        .join(Menu.canteen)
        .where(MealOrder.public_id == public_id, sa.or_(people.within(scopes), Canteen.public_id.in_(canteens)))
        .options(*everything())
    )
    order = db.session.scalar(query)
    if order is None:
        raise Missing
    return order


def _orders_of(whom: Sequence[Person]) -> sa.Select[MealOrder]:
    return sa.select(MealOrder).where(MealOrder.person_id.in_(same_person(*whom))).options(*everything())


def todo_of(_worker: Actor) -> list[Any]:
    """Ordering leaves nothing for a worker to take up: what is not collected goes to the visits by an event."""
    return []


def hand_over(_giver: Actor, _taker: Actor) -> int:
    """No order belongs to a worker, so nothing changes hands."""
    return 0


def timeline(person: Person, *, limit: int = PAGE) -> list[tuple[datetime, str, str]]:
    """What a person's page says of meals, newest first: moment, title, text."""
    return [
        (
            order.placed_at,
            _title(order),
            _("%(dishes)s（%(canteen)s）", dishes=dish_words(order), canteen=_canteen(order)),
        )
        for order in orders_of(person, limit=limit)
    ]


def _title(order: MealOrder) -> str:
    return _("订餐：%(menu)s，%(state)s", menu=menu_words(order.day, order.meal), state=said(order.state))


def _canteen(order: MealOrder) -> str:
    return order.menu.canteen.name


def export(person: Person) -> list[dict[str, Any]]:
    """Everything meals holds of a person, as plain values; amounts in fen."""
    query = _orders_of([person]).options(selectinload(MealOrder.subsidies)).order_by(MealOrder.id)
    return [
        {
            "day": order.day.isoformat(),
            "meal": order.meal.value,
            "canteen": _canteen(order),
            "dishes": {item.menu_dish.dish.name: item.portions for item in order.items},
            "way": order.way.value,
            "state": order.state.value,
            "bill_fen": order.bill_fen,
            "subsidies": [{"amount_fen": line.amount_fen, "why": line.sentence} for line in order.subsidies],
            "pay_fen": order.pay_fen,
            "note": order.note or "",
            "placed_at": order.placed_at.isoformat(),
            "placed_by": order.placed_by_name,
        }
        for order in db.session.scalars(query)
    ]


def purge(before: date) -> int:
    """Forget orders of meals before a day; the menus and how many portions went stay. Return how many orders."""
    old = sa.select(MealOrder.id).where(MealOrder.day < before)
    for child in (OrderItem, SubsidyLine, Redemption):
        db.session.execute(sa.delete(child).where(child.order_id.in_(old)), execution_options=_UNSYNCED)
    db.session.execute(
        sa.delete(SubsidyCounter).where(SubsidyCounter.start < before.replace(day=1)), execution_options=_UNSYNCED
    )
    gone = db.session.execute(sa.delete(MealOrder).where(MealOrder.day < before), execution_options=_UNSYNCED)
    return int(getattr(gone, "rowcount", 0))
