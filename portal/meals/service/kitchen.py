"""The kitchen's papers: how much to cook, for whom a dish does not suit, how it is served, whom to expect."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Building, Dwelling
from portal.core import clock
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing
from portal.meals.models import Canteen, MealOrder, Menu, MenuDish, MenuState, OrderItem, OrderState, Way
from portal.meals.service.canteens import within
from portal.meals.service.pricing import Chosen, clashes
from portal.registry.models import Diet, Household, Person


@dataclass(frozen=True)
class Eater:
    """Somebody for whom a dish does not suit, and how many portions of it."""

    name: str
    portions: int


@dataclass(frozen=True)
class Clash:
    """The people for whom one dish misses the same diets."""

    diets: tuple[Diet, ...]
    eaters: tuple[Eater, ...]

    @property
    def portions(self) -> int:
        return sum(eater.portions for eater in self.eaters)


@dataclass(frozen=True)
class DishCount:
    """How many portions of a dish, how many of them as it is, and the groups that need it otherwise."""

    name: str
    portions: int
    clashes: tuple[Clash, ...]
    ways: dict[Way, int]

    @property
    def plain(self) -> int:
        return self.portions - sum(clash.portions for clash in self.clashes)


@dataclass(frozen=True)
class Stop:
    """One door of a delivery round."""

    address: str
    order: MealOrder


@dataclass(frozen=True)
class Care:
    """What to mind when somebody gets a dish: diets it does not suit, allergens it holds."""

    order: MealOrder
    dish: str
    diets: tuple[Diet, ...]
    allergens: tuple[str, ...]


@dataclass(frozen=True)
class Label:
    """One portion's label."""

    care: Care
    address: str

    @property
    def order(self) -> MealOrder:
        return self.care.order


@dataclass(frozen=True)
class Sheet:
    """All that the kitchen needs to know of one menu. `final` once no order can come or go."""

    menu: Menu
    final: bool
    orders: tuple[MealOrder, ...]
    dishes: tuple[DishCount, ...]
    ways: dict[Way, int]
    stops: tuple[Stop, ...]

    @property
    def portions(self) -> int:
        return sum(dish.portions for dish in self.dishes)

    def remarks(self) -> list[MealOrder]:
        return [order for order in self.orders if order.note]

    def allergies(self) -> list[Care]:
        return [care for order in self.orders for care in cares_of(order) if care.allergens]


def menus_on(canteen: Canteen, day: date) -> list[Menu]:
    """The published menus of a canteen's day, by opening time."""
    query = (
        sa.select(Menu)
        .where(Menu.canteen_id == canteen.id, Menu.day == day, Menu.state == MenuState.PUBLISHED)
        .options(joinedload(Menu.canteen))
        .order_by(Menu.opens_at, Menu.id)
    )
    return list(db.session.scalars(query))


def current(menus: Collection[Menu], at: datetime) -> Menu | None:
    """The menu a kitchen thinks of at a moment: the first that has not closed, else the last."""
    ordered = sorted(menus, key=lambda menu: (menu.opens_at, menu.id))
    return next((menu for menu in ordered if menu.closes_at > at), ordered[-1] if ordered else None)


def sheet(menu: Menu) -> Sheet:
    """Count the live orders of a menu: what is cancelled counts nowhere."""
    orders = live_orders(menu)
    return Sheet(
        menu=menu,
        final=menu.cutoff_at <= clock.now(),
        orders=tuple(orders),
        dishes=tuple(_count(orders)),
        ways=_by_way(order.way for order in orders),
        stops=tuple(_round(orders)),
    )


def live_orders(menu: Menu) -> list[MealOrder]:
    """The orders that are not cancelled, by pinyin, with all that a paper shows of them."""
    home = joinedload(MealOrder.person).joinedload(Person.household).joinedload(Household.dwelling)
    query = (
        sa.select(MealOrder)
        .join(Person)
        .where(MealOrder.menu_id == menu.id, MealOrder.state != OrderState.CANCELLED)
        .options(
            selectinload(MealOrder.items).joinedload(OrderItem.menu_dish).joinedload(MenuDish.dish),
            home.joinedload(Dwelling.building).joinedload(Building.estate),
        )
        .order_by(Person.pinyin, MealOrder.id)
    )
    return list(db.session.scalars(query))


def clash_of(order: MealOrder, item: OrderItem) -> tuple[Diet, ...]:
    """The diets of a person that a dish does not suit, in the order in which Diet lists them."""
    return clashes(order.person, item.menu_dish.dish)


def allergens_of(order: MealOrder, item: OrderItem) -> tuple[str, ...]:
    """The allergens of a dish that a person's record names as not borne."""
    health = order.person.health or ""
    return tuple(word for word in item.menu_dish.dish.allergens if "过敏" in health and word in health)


def cares_of(order: MealOrder) -> list[Care]:
    """Each dish of an order that misses a diet or holds an allergen of the person."""
    found = [
        Care(order, item.menu_dish.dish.name, clash_of(order, item), allergens_of(order, item)) for item in order.items
    ]
    return [care for care in found if care.diets or care.allergens]


def dish_words(order: MealOrder, items: Iterable[Chosen | OrderItem] | None = None) -> str:
    """The dishes of an order in a line: 红烧带鱼套餐、小米粥×2. Given what it holds, the order is not asked."""
    return _("、").join(
        item.menu_dish.dish.name + (f"×{item.portions}" if item.portions > 1 else "")
        for item in (order.items if items is None else items)
    )


def address_of(person: Person) -> str:
    """Where to bring a meal, or nothing when the register does not say."""
    dwelling = person.household.dwelling if person.household else None
    return dwelling.address() if dwelling else ""


def _count(orders: Iterable[MealOrder]) -> list[DishCount]:
    portions: Counter[str] = Counter()
    ways: dict[str, Counter[Way]] = defaultdict(Counter)
    missed: dict[str, dict[tuple[Diet, ...], list[Eater]]] = defaultdict(lambda: defaultdict(list))
    for order in orders:
        for item in order.items:
            name = item.menu_dish.dish.name
            portions[name] += item.portions
            ways[name][order.way] += item.portions
            if diets := clash_of(order, item):
                missed[name][diets].append(Eater(order.person.name, item.portions))
    return [
        DishCount(name, portions[name], tuple(_groups(missed[name])), dict(ways[name])) for name in sorted(portions)
    ]


def _by_way(ways: Iterable[Way]) -> dict[Way, int]:
    """How many of each, in the order in which Way lists them."""
    counts = Counter(ways)
    return {way: counts[way] for way in Way if counts[way]}


def _groups(missed: dict[tuple[Diet, ...], list[Eater]]) -> list[Clash]:
    """The largest group first."""
    groups = [Clash(diets, tuple(eaters)) for diets, eaters in missed.items()]
    return sorted(groups, key=lambda group: (-group.portions, group.diets))


def _round(orders: Iterable[MealOrder]) -> list[Stop]:
    """Deliveries in the order of buildings; who has no address comes first, so that nobody forgets to ask."""
    stops = [Stop(address_of(order.person), order) for order in orders if order.way is Way.DELIVERY]
    return sorted(stops, key=lambda stop: (_natural(stop.address), stop.order.id))


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A key that puts 2号楼 before 10号楼."""
    parts = re.findall(r"\d+|\D+", text)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def labels(menu: Menu) -> list[Label]:
    """One label a portion: deliveries in the order of the round, then the others by name."""
    orders = live_orders(menu)
    stops = _round(orders)
    others = [Stop("", order) for order in orders if order.way is not Way.DELIVERY]
    return [
        Label(
            Care(stop.order, item.menu_dish.dish.name, clash_of(stop.order, item), allergens_of(stop.order, item)),
            stop.address,
        )
        for stop in [*stops, *others]
        for item in stop.order.items
        for _portion in range(item.portions)
    ]


def published_in(scopes: Collection[Scope], menu_id: int) -> Menu:
    """A menu in scope that is, or was, published; Missing otherwise."""
    query = (
        sa.select(Menu)
        .join(Canteen)
        .where(Menu.id == menu_id, within(scopes), Menu.state != MenuState.DRAFT)
        .options(joinedload(Menu.canteen))
    )
    menu = db.session.scalar(query)
    if menu is None:
        raise Missing
    return menu
