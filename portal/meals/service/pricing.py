"""What an order would cost: the week's menus with a person's price, and a quote before anything is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload

from portal.core import settings
from portal.core.clock import now
from portal.core.db import db, rows_of
from portal.core.errors import Missing, Refused
from portal.meals.models import (
    Canteen,
    Dish,
    Meal,
    MealOrder,
    Menu,
    MenuDish,
    MenuState,
    OrderItem,
    OrderState,
    SubsidyRule,
    Way,
)
from portal.meals.service.entitlements import (
    Bill,
    Decision,
    Facts,
    Portion,
    Used,
    at_canteen,
    decide,
    facts_of,
    rules_on,
)
from portal.meals.service.subsidies import periods, used_by
from portal.meals.service.words import said
from portal.registry.models import Diet, Person
from portal.registry.service import people

settings.declare(
    "meals.most_portions",
    default=2,
    label=lambda: _("每人每餐最多订几份"),
    unit=lambda: _("份"),
    least=1,
    most=10,
)


@dataclass(frozen=True)
class Chosen:
    """A dish of a menu and how many portions of it."""

    menu_dish: MenuDish
    portions: int

    @property
    def price_fen(self) -> int:
        return self.menu_dish.price_fen


@dataclass(frozen=True)
class Standing:
    """A live order of a person on a day, as far as other orders of that day must know of it."""

    order_id: int
    public_id: str
    menu_id: int
    meal: Meal
    subsidised: bool
    pickup_code: str
    canteen: str
    portions: int


@dataclass(frozen=True)
class Eater:
    """A person on a day, with all that prices ask about: rules in force, caps used, orders standing."""

    person: Person
    day: date
    rules: tuple[SubsidyRule, ...]
    used: Mapping[int, Used]
    standing: tuple[Standing, ...]
    facts: dict[Meal, Facts] = field(default_factory=dict, compare=False)

    def facts_for(self, meal: Meal) -> Facts:
        if meal not in self.facts:
            self.facts[meal] = facts_of(self.person, self.day, meal, self.rules)
        return self.facts[meal]

    def rules_at(self, menu: Menu) -> list[SubsidyRule]:
        return at_canteen(self.rules, menu.canteen.community.code)

    def subsidised_at(self, meal: Meal) -> str:
        """The canteen whose order already has this meal's subsidy, or nothing."""
        return next((order.canteen for order in self.standing if order.subsidised and order.meal is meal), "")

    def order_from(self, menu: Menu) -> Standing | None:
        return next((order for order in self.standing if order.menu_id == menu.id), None)

    def portions_at(self, meal: Meal) -> int:
        return sum(order.portions for order in self.standing if order.meal is meal)

    def decision(self, menu: Menu, bill: Bill) -> Decision:
        """The subsidies a bill would get; none when the meal's subsidy is with another order."""
        elsewhere = self.subsidised_at(menu.meal)
        if elsewhere:
            return Decision(remarks=(only_once(elsewhere),))
        return decide(self.rules_at(menu), self.facts_for(menu.meal), bill, self.used)


@dataclass(frozen=True)
class Quote:
    """What an order costs and why; amounts in fen."""

    items: tuple[Chosen, ...]
    bill: Bill
    decision: Decision
    warnings: tuple[str, ...]

    @property
    def pay_fen(self) -> int:
        return self.bill.total_fen - self.decision.total_fen


@dataclass(frozen=True)
class DishOffer:
    """A dish on offer: its price, about what is left to pay for one portion, and what to look out for."""

    menu_dish: MenuDish
    pay_fen: int
    warnings: tuple[str, ...]

    @property
    def left(self) -> int:
        return self.menu_dish.capacity.left


@dataclass(frozen=True)
class MenuOffer:
    """A published menu as one person sees it."""

    menu: Menu
    own: bool
    open: bool
    ordered: Standing | None
    dishes: tuple[DishOffer, ...]

    @property
    def sold_out(self) -> bool:
        return all(dish.left <= 0 for dish in self.dishes)


def only_once(canteen: str) -> str:
    return _("同一天同一餐只补一份：「%(canteen)s」的订餐已享受补贴，这一份按原价。", canteen=canteen)


def same_person(*persons: Person) -> sa.Select[int]:
    """The ids that the rows of some people may carry, as a query: theirs, and those of persons merged into them."""
    return people.ids_of(*persons)


def _one_person() -> sa.Select[int]:
    """The same for the person whose id is given as `person`."""
    return people.merged_into(Person.id == sa.bindparam("person"))


def eater(person: Person, day: date, *, but: MealOrder | None = None) -> Eater:
    """Gather what prices ask about; `but` is an order to be left out, because it is being changed."""
    rules = tuple(rules_on(day))
    used = used_by(same_person(person), rules, day) if any(periods(rule) for rule in rules) else {}
    if but:
        used = _without(used, but)
    asked = {"person": person.id, "day": day, "but": but.id if but else 0}
    return Eater(person, day, rules, used, tuple(Standing(*row) for row in rows_of(_standing(), asked)))


def _without(used: Mapping[int, Used], order: MealOrder) -> dict[int, Used]:
    """What was used, less what this order's own lines used."""
    rest = dict(used)
    for line in order.subsidies:
        had = rest.get(line.rule_id, Used())
        fen = line.amount_fen
        rest[line.rule_id] = Used(had.day_fen - fen, had.day_times - 1, had.month_fen - fen)
    return rest


@cache
def _standing() -> sa.Select[*tuple[Any, ...]]:
    """The live orders of a person on a day, one left out, in the order of Standing's fields."""
    portions = sa.select(sa.func.sum(OrderItem.portions)).where(OrderItem.order_id == MealOrder.id)
    return (
        sa.select(
            MealOrder.id,
            MealOrder.public_id,
            MealOrder.menu_id,
            MealOrder.meal,
            MealOrder.subsidised,
            MealOrder.pickup_code,
            Canteen.name,
            portions.scalar_subquery(),
        )
        .join(Menu, Menu.id == MealOrder.menu_id)
        .join(Canteen, Canteen.id == Menu.canteen_id)
        .where(MealOrder.person_id.in_(_one_person()), MealOrder.day == sa.bindparam("day"))
        .where(MealOrder.state != OrderState.CANCELLED, MealOrder.id != sa.bindparam("but"))
        .order_by(MealOrder.id)
    )


def choose(menu: Menu, portions: Mapping[int, int]) -> tuple[Chosen, ...]:
    """The dishes of a menu that somebody wants, by menu dish id; refuses none at all, and what is not on the menu."""
    dishes = {row.id: row for row in menu.dishes}
    wanted = {dish_id: count for dish_id, count in portions.items() if count}
    if not wanted:
        raise Refused(_("请先选一道菜，再选要几份。"), field="portions")
    if any(dish_id not in dishes or count < 0 for dish_id, count in wanted.items()):
        raise Refused(_("有一道菜不在这份菜单上，请刷新页面再选。"), field="portions")
    return tuple(Chosen(dishes[dish_id], wanted[dish_id]) for dish_id in sorted(wanted))


def check_portions(items: Iterable[Chosen], already: int) -> None:
    """Refuse more portions than one person may have at one meal, all canteens together."""
    most = settings.get("meals.most_portions")
    if sum(item.portions for item in items) + already <= most:
        return
    if already:
        words = _(
            "每人每餐最多订 %(most)d 份，这一餐在别的助餐点已订 %(already)d 份，请减少份数。",
            most=most,
            already=already,
        )
        raise Refused(words, field="portions")
    raise Refused(
        _("每人每餐最多订 %(most)d 份，请减少份数；想换一道菜，就把另一道改成 0 份。", most=most), field="portions"
    )


def check_way(menu: Menu, way: Way) -> None:
    if way.value not in menu.ways:
        words = _("这一餐不提供%(way)s，请换一种取餐方式。", way=said(way))
        raise Refused(words, field="way")


def bill_of(menu: Menu, items: Iterable[Chosen], way: Way) -> Bill:
    portions = tuple(Portion(item.menu_dish.price_fen, item.menu_dish.dish.set_class, item.portions) for item in items)
    return Bill(portions, menu.canteen.delivery_fee_fen if way is Way.DELIVERY else 0)


def quote(menu: Menu, who: Eater, portions: Mapping[int, int], way: Way) -> Quote:
    """The price of an order for a person, as it would be now; refuses in words what could not be ordered."""
    items = choose(menu, portions)
    check_way(menu, way)
    check_portions(items, who.portions_at(menu.meal))
    bill = bill_of(menu, items, way)
    warnings = tuple(words for item in items for words in _named_warnings(who.person, item.menu_dish.dish))
    return Quote(items, bill, who.decision(menu, bill), warnings)


def quote_or_words(menu: Menu, who: Eater, portions: Mapping[int, int], way: Way) -> tuple[Quote | None, str]:
    """The quote for somebody whose facts were gathered, or the words that say why there is none yet."""
    try:
        return quote(menu, who, portions, way), ""
    except Refused as refused:
        return None, refused.message


def clashes(person: Person, dish: Dish) -> tuple[Diet, ...]:
    """The diets of a person that a dish is not marked for."""
    missed = person.diets() - {Diet(code) for code in dish.diets}
    return tuple(diet for diet in Diet if diet in missed)


def warnings_for(person: Person, dish: Dish) -> tuple[str, ...]:
    """Sentences, to stand beside a dish, on what may not agree with a person: diets missing, allergens on record."""
    words = []
    missed = clashes(person, dish)
    if missed:
        diets = _("、").join(said(diet) for diet in missed)
        words.append(_("没有标明适合%(diets)s，请留意。", diets=diets))
    health = person.health or ""
    allergens = [allergen for allergen in dish.allergens if "过敏" in health and allergen in health]
    if allergens:
        named = _("、").join(allergens)
        words.append(_("含%(allergens)s，档案里写有过敏，请换一道菜。", allergens=named))
    return tuple(words)


def _named_warnings(person: Person, dish: Dish) -> list[str]:
    """The same for a list in which several dishes are spoken of."""
    return [_("「%(dish)s」%(words)s", dish=dish.name, words=words) for words in warnings_for(person, dish)]


def menu_on_offer(menu_id: int) -> Menu:
    """A menu that is or was published, with its dishes; Missing for a draft."""
    menu = db.session.scalars(_menu_on_offer(), {"menu": menu_id}).unique().first()
    if menu is None:
        raise Missing
    return menu


@cache
def _menu_on_offer() -> sa.Select[Any]:
    return _menus().where(Menu.id == sa.bindparam("menu"), Menu.state != MenuState.DRAFT)


def first_open_day(days: Sequence[date]) -> date | None:
    """The first of some days with a menu that still takes orders."""
    return db.session.scalars(_open_days(), {"days": list(days), "at": now()}).first()


@cache
def _open_days() -> sa.Select[Any]:
    return (
        sa.select(Menu.day)
        .where(Menu.day.in_(sa.bindparam("days", expanding=True)), Menu.state == MenuState.PUBLISHED)
        .where(Menu.cutoff_at > sa.bindparam("at"))
        .order_by(Menu.day, Menu.id)
        .limit(1)
    )


def offers(day: date, person: Person | None) -> list[MenuOffer]:
    """The published menus of a day: those of the person's own community first, then by meal and canteen."""
    menus = db.session.scalars(_offered(), {"day": day}).unique().all()
    who = eater(person, day) if person and menus else None
    found = [_offer(menu, who) for menu in menus]
    return sorted(found, key=lambda offer: not offer.own)


@cache
def _offered() -> sa.Select[Any]:
    return (
        _menus()
        .where(Menu.day == sa.bindparam("day"), Menu.state == MenuState.PUBLISHED)
        .order_by(Menu.opens_at, Canteen.name, Menu.id)
    )


def _menus() -> sa.Select[Menu]:
    """Menus with their canteen, its community, and their dishes, in one query."""
    return (
        sa.select(Menu)
        .join(Menu.canteen)
        .join(Canteen.community)
        .options(
            contains_eager(Menu.canteen).contains_eager(Canteen.community),
            joinedload(Menu.dishes).joinedload(MenuDish.dish),
            joinedload(Menu.dishes).joinedload(MenuDish.capacity),
        )
    )


def _offer(menu: Menu, who: Eater | None) -> MenuOffer:
    ordered = who.order_from(menu) if who else None
    priced = _before(who, ordered) if who and ordered else who
    return MenuOffer(
        menu=menu,
        own=who is not None and menu.canteen.community_id == who.person.community_id,
        open=menu.accepts_orders(now()),
        ordered=ordered,
        dishes=tuple(_dish_offer(row, menu, priced) for row in menu.dishes),
    )


def _before(who: Eater, ordered: Standing) -> Eater:
    """The person as before an order: its own subsidy must not make its own menu look dearer."""
    return eater(who.person, who.day, but=db.session.get_one(MealOrder, ordered.order_id))


def _dish_offer(row: MenuDish, menu: Menu, who: Eater | None) -> DishOffer:
    if who is None:
        return DishOffer(row, row.price_fen, ())
    return DishOffer(row, about(row, menu, who), warnings_for(who.person, row.dish))


def about(row: MenuDish, menu: Menu, who: Eater) -> int:
    """About what is left to pay for one portion of a dish, as it is said beside its price."""
    bill = Bill((Portion(row.price_fen, row.dish.set_class),))
    return bill.total_fen - who.decision(menu, bill).total_fen
