"""Canteens and their dishes: which ones a scope reaches, and the acts on them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import time

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.meals.models import Canteen, Dish, Meal, MealTime, SetClass, Way
from portal.meals.service.words import said
from portal.registry.models import Diet


@dataclass(frozen=True)
class Serving:
    """When a canteen serves one meal, as a worker fills it in."""

    meal: Meal
    opens: time
    closes: time
    cutoff_days: int
    cutoff: time


@dataclass(frozen=True)
class Facts:
    """What a worker says about a canteen."""

    name: str
    address: str
    phone: str
    ways: tuple[Way, ...]
    delivery_fee_fen: int
    closed_on_holidays: bool
    servings: tuple[Serving, ...]


def within(scopes: Collection[Scope]) -> sa.ColumnElement[bool]:
    """The condition that a canteen is in scope: named itself, or standing in a community inside an area scope."""
    named = [scope.ref for scope in scopes if scope.kind == "canteen"]
    return sa.or_(Canteen.public_id.in_(named), Canteen.community_id.in_(areas.reach(scopes).communities))


def in_business() -> sa.ColumnElement[bool]:
    """The condition that a canteen is not closed for good: it serves, will serve again, or serves for some days yet."""
    return sa.or_(Canteen.closed_at.is_(None), Canteen.closed_at > now(), Canteen.reopens_on.is_not(None))


def _by_name() -> sa.Select[Canteen]:
    return (
        sa.select(Canteen)
        .options(joinedload(Canteen.times), joinedload(Canteen.community))
        .order_by(Canteen.community_id, Canteen.name, Canteen.id)
    )


def canteens_in(scopes: Collection[Scope]) -> list[Canteen]:
    """The canteens in scope that are not closed for good, by community and name."""
    return list(db.session.scalars(_by_name().where(within(scopes), in_business())).unique())


def gone_in(scopes: Collection[Scope]) -> list[Canteen]:
    """The canteens in scope that are closed for good, by community and name."""
    return list(db.session.scalars(_by_name().where(within(scopes), sa.not_(in_business()))).unique())


def as_scopes() -> list[tuple[str, str]]:
    """Public id and name of every open canteen, for whoever grants a role on one."""
    query = sa.select(Canteen).options(joinedload(Canteen.community)).where(in_business())
    found = db.session.scalars(query.order_by(Canteen.community_id, Canteen.name, Canteen.id))
    return [(canteen.public_id, f"{canteen.community.name} {canteen.name}") for canteen in found]


def canteen_in(scopes: Collection[Scope], canteen_id: int) -> Canteen:
    canteen = db.session.scalars(_by_name().where(within(scopes), Canteen.id == canteen_id)).unique().first()
    if canteen is None:
        raise Missing
    return canteen


def chosen(found: Sequence[Canteen], canteen_id: int | None) -> Canteen | None:
    """The canteen a page is about: the asked one, else the first, else none. Missing when it is not among them."""
    if canteen_id is None:
        return next(iter(found), None)
    asked = next((canteen for canteen in found if canteen.id == canteen_id), None)
    if asked is None:
        raise Missing
    return asked


def area_scopes(scopes: Collection[Scope]) -> tuple[Scope, ...]:
    """The scopes that let somebody change the canteens of an area: an operator keeps to menus."""
    return tuple(scope for scope in scopes if scope.kind != "canteen")


def managed(scopes: Collection[Scope], canteen_id: int) -> bool:
    """Whether a canteen's own page may be changed from these scopes."""
    query = sa.select(Canteen.id).where(Canteen.id == canteen_id, within(area_scopes(scopes)))
    return db.session.scalar(query) is not None


def communities(scopes: Collection[Scope]) -> list[Area]:
    """Where somebody may open a canteen."""
    return areas.whole_communities(area_scopes(scopes))


def open_canteen(scopes: Collection[Scope], community_code: str, facts: Facts) -> Canteen:
    community = next((area for area in communities(scopes) if area.code == community_code), None)
    if community is None:
        raise Missing
    canteen = Canteen(community_id=community.id)
    db.session.add(canteen)
    _say(canteen, facts)
    audit.record("meals.canteen_opened", canteen, name=facts.name)
    return canteen


def change_canteen(canteen: Canteen, facts: Facts) -> None:
    """Change what is said of a canteen. Published menus keep their times; drafts take the new ones when published."""
    _say(canteen, facts)
    audit.record("meals.canteen_changed", canteen)


def _say(canteen: Canteen, facts: Facts) -> None:
    for serving in facts.servings:
        _check(serving)
    if not facts.servings:
        raise Refused(_("请至少填一餐的供应时间。"))
    canteen.name, canteen.address, canteen.phone = facts.name, facts.address, facts.phone
    canteen.ways = [way.value for way in facts.ways]
    canteen.delivery_fee_fen = facts.delivery_fee_fen
    canteen.closed_on_holidays = facts.closed_on_holidays
    _set_times(canteen, facts.servings)
    db.session.flush()


def _check(serving: Serving) -> None:
    if serving.closes <= serving.opens:
        raise Refused(_("%(meal)s结束供应的时间要晚于开始供应的时间。", meal=said(serving.meal)))
    if serving.cutoff_days == 0 and serving.cutoff > serving.opens:
        raise Refused(_("%(meal)s是当天截止订餐的，截止时间不能晚于开始供应的时间。", meal=said(serving.meal)))


def _set_times(canteen: Canteen, servings: Sequence[Serving]) -> None:
    standing = {served.meal: served for served in canteen.times}
    for meal in standing.keys() - {serving.meal for serving in servings}:
        db.session.delete(standing[meal])
        canteen.times.remove(standing[meal])
    for serving in servings:
        row = standing.get(serving.meal)
        if row is None:
            row = MealTime(meal=serving.meal)
            canteen.times.append(row)
        row.opens, row.closes = serving.opens, serving.closes
        row.cutoff_days, row.cutoff = serving.cutoff_days, serving.cutoff


def dishes_of(canteen: Canteen, *, retired: bool = False) -> list[Dish]:
    """The dishes a canteen cooks, or those it no longer does; by name."""
    gone = Dish.retired_at.is_not(None) if retired else Dish.retired_at.is_(None)
    query = sa.select(Dish).where(Dish.canteen_id == canteen.id, gone).order_by(Dish.name, Dish.id)
    return list(db.session.scalars(query))


def dish_in(scopes: Collection[Scope], dish_id: int) -> Dish:
    query = sa.select(Dish).join(Canteen).where(Dish.id == dish_id, within(scopes)).options(joinedload(Dish.canteen))
    dish = db.session.scalar(query)
    if dish is None:
        raise Missing
    return dish


@dataclass(frozen=True)
class Recipe:
    """What a worker says about a dish."""

    name: str
    price_fen: int
    set_class: SetClass
    diets: tuple[Diet, ...]
    allergens: tuple[str, ...]
    description: str


def add_dish(canteen: Canteen, recipe: Recipe) -> Dish:
    dish = Dish(canteen_id=canteen.id)
    with unique_or(_name_taken()):
        db.session.add(dish)
        _describe(dish, recipe)
    audit.record("meals.dish_added", dish, name=recipe.name, price_fen=recipe.price_fen)
    return dish


def change_dish(dish: Dish, recipe: Recipe) -> None:
    """Change a dish. Menus keep the price they were given."""
    with unique_or(_name_taken()):
        _describe(dish, recipe)
    audit.record("meals.dish_changed", dish, name=recipe.name, price_fen=recipe.price_fen)


def _name_taken() -> Refused:
    return Refused(_("这个助餐点已经有同名的菜品（也可能已停用），请换个名字或恢复原来的。"), field="name")


def _describe(dish: Dish, recipe: Recipe) -> None:
    dish.name, dish.price_fen, dish.description = recipe.name, recipe.price_fen, recipe.description
    dish.set_class = recipe.set_class
    dish.diets = [diet.value for diet in recipe.diets]
    dish.allergens = list(recipe.allergens)


def retire_dish(dish: Dish) -> None:
    """Take a dish off the list; menus that have it keep it."""
    dish.retired_at = dish.retired_at or now()
    audit.record("meals.dish_retired", dish, name=dish.name)


def restore_dish(dish: Dish) -> None:
    dish.retired_at = None
    audit.record("meals.dish_restored", dish, name=dish.name)
