"""Orders as they are looked up: a person's, an account's, a worker's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

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
)
from portal.meals.service.pricing import same_person
from portal.registry.models import Person, PersonState
from portal.registry.service import people

ORDER = "meals.order"
PAGE = 20
MISSED = 50


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
    query = orders_about([person]).order_by(MealOrder.day.desc(), MealOrder.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def orders_for(actor: Actor, *, page: int = 1) -> Orders:
    """The orders of an account's own person and of those it may act for."""
    whom = people.people_for(actor, ORDER)
    if not whom:
        return Orders((), (), more=False)
    coming = sa.and_(MealOrder.state == OrderState.BOOKED, MealOrder.day >= today())
    query = orders_about(whom)
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
    order = db.session.scalar(orders_about(whom).where(MealOrder.public_id == public_id)) if whom else None
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


def orders_about(whom: Sequence[Person]) -> sa.Select[MealOrder]:
    return sa.select(MealOrder).where(MealOrder.person_id.in_(same_person(*whom))).options(*everything())


def count_dead_who_booked(within: Collection[Scope]) -> int:
    """How many people in scope have died and still have a meal booked."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(_dead_who_booked(within).subquery())) or 0


def dead_who_booked(within: Collection[Scope], *, after: int = 0, limit: int = PAGE) -> list[Person]:
    """Those people, by key after a person's id."""
    query = _dead_who_booked(within).where(Person.id > after).order_by(Person.id).limit(limit)
    return list(db.session.scalars(query))


def _dead_who_booked(within: Collection[Scope]) -> sa.Select[Person]:
    booked = sa.exists().where(
        MealOrder.person_id == Person.id, MealOrder.state == OrderState.BOOKED, MealOrder.day >= today()
    )
    return sa.select(Person).where(people.within(within), Person.state == PersonState.DEAD, booked)
