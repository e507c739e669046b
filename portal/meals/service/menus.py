"""Menus: a week at a glance, what is on each, and the portions of every dish."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from portal.core import audit, calendar, clock, working
from portal.core.access import Scope
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.web import day_words
from portal.meals.models import Canteen, Dish, Meal, MealTime, Menu, MenuDish, MenuState, OrderItem
from portal.meals.service.canteens import dishes_of, within
from portal.meals.service.words import said
from portal.places import service as places
from portal.places.models import Capacity

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Serving:
    """A dish as a worker puts it on a menu."""

    dish_id: int
    portions: int
    price_fen: int


@dataclass(frozen=True)
class Cell:
    """One meal of one day in the week's table."""

    time: MealTime
    menu: Menu | None


@dataclass(frozen=True)
class Day:
    """One day of the week's table; `closed` says why the canteen does not serve."""

    day: date
    closed: str
    past: bool
    cells: tuple[Cell, ...]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def sunday_of(day: date) -> date:
    return monday_of(day) + timedelta(days=6)


def menu_words(day: date, meal: Meal) -> str:
    """A menu as people name it: 11月23日 周一 午餐."""
    return _("%(day)s %(meal)s", day=day_words(day), meal=said(meal))


def everything() -> tuple[ExecutableOption, ...]:
    """What a page of menus needs beside the menus themselves."""
    dish = selectinload(Menu.dishes)
    return dish.joinedload(MenuDish.dish), dish.joinedload(MenuDish.capacity)


def menu_in(scopes: Collection[Scope], menu_id: int) -> Menu:
    query = (
        sa.select(Menu)
        .join(Canteen)
        .where(Menu.id == menu_id, within(scopes))
        .options(*everything(), joinedload(Menu.canteen).selectinload(Canteen.times))
    )
    menu = db.session.scalar(query)
    if menu is None:
        raise Missing
    return menu


def menus_between(canteen: Canteen, first: date, last: date) -> list[Menu]:
    query = (
        sa.select(Menu)
        .where(Menu.canteen_id == canteen.id, Menu.day.between(first, last))
        .options(*everything())
        .order_by(Menu.day, Menu.opens_at, Menu.id)
    )
    return list(db.session.scalars(query))


def menu_of(canteen: Canteen, day: date, meal: Meal) -> Menu | None:
    """The menu of a canteen's meal on a day, if somebody has begun one."""
    query = sa.select(Menu).where(Menu.canteen_id == canteen.id, Menu.day == day, Menu.meal == meal)
    return db.session.scalar(query.options(*everything()))


def dishes_for(canteen: Canteen, menu: Menu | None) -> list[Dish]:
    """What a menu may hold: the canteen's dishes, and those already on it that were retired since."""
    offered = dishes_of(canteen)
    retired = [row.dish for row in menu.dishes if row.dish not in offered] if menu else []
    return [*retired, *offered]


def closures(canteen: Canteen, first: date, last: date) -> dict[date, str]:
    """The days on which a canteen does not serve, each with the words that say so: a statutory holiday, or closed."""
    days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
    shut = {day: _("停止供餐") for day in days if canteen.is_closed_on(day)}
    if not canteen.closed_on_holidays:
        return shut
    special_days = calendar.special_days(first, last)
    return {one.day: _("%(holiday)s休息", holiday=one.name) for one in special_days if not one.works} | shut


def holidays_unknown(canteen: Canteen, day: date) -> bool:
    """Whether a day lies beyond the table of holidays, for a canteen that closes on them."""
    if not canteen.closed_on_holidays or day < clock.today():
        return False
    end = working.known_until()
    return end is None or day > end


def week(canteen: Canteen, first: date) -> list[Day]:
    """Seven days from a Monday, each with its meals and their menus."""
    days = [first + timedelta(days=count) for count in range(7)]
    menus = {(menu.day, menu.meal): menu for menu in menus_between(canteen, days[0], days[-1])}
    closed = closures(canteen, days[0], days[-1])
    return [
        Day(
            day=day,
            closed=closed.get(day, ""),
            past=day < clock.today(),
            cells=tuple(Cell(time, menus.get((day, time.meal))) for time in canteen.times),
        )
        for day in days
    ]


def time_of(canteen: Canteen, meal: Meal) -> MealTime:
    """When a canteen serves a meal; Missing when it does not."""
    found = next((served for served in canteen.times if served.meal is meal), None)
    if found is None:
        raise Missing
    return found


def set_times(menu: Menu, served: MealTime, ways: list[str]) -> None:
    """Opening, closing and cut-off of a menu from its canteen's hours."""
    menu.opens_at, menu.closes_at = clock.at(menu.day, served.opens), clock.at(menu.day, served.closes)
    menu.cutoff_at = served.cutoff_at(menu.day)
    menu.ways = list(ways)


def new_menu(canteen: Canteen, day: date, meal: Meal) -> Menu:
    """An empty draft. Refused for a day that is over; two workers at once begin one menu."""
    served = time_of(canteen, meal)
    if day < clock.today():
        raise Refused(_("这一天已经过去，不能再填菜单。"))
    menu = Menu(canteen=canteen, day=day, meal=meal, state=MenuState.DRAFT)
    set_times(menu, served, canteen.ways)
    with unique_or(Refused(_("刚才已经有人填了这一餐的菜单，请返回一周菜单查看。"))):
        db.session.add(menu)
    audit.record("meals.menu_begun", menu, day=day.isoformat(), meal=meal.value)
    return menu


def set_dishes(menu: Menu, servings: Iterable[Serving]) -> None:
    """Make a menu hold exactly these dishes. What is ordered keeps its dish, its price, and at least its portions."""
    if menu.closes_at <= clock.now():
        raise Refused(_("这一餐已经结束，菜单不能再改。"))
    _hold(menu)
    wanted = {serving.dish_id: serving for serving in servings}
    if not wanted:
        raise Refused(_("请至少选一道菜。"))
    standing = {row.dish_id: row for row in menu.dishes}
    for dish_id in standing.keys() - wanted.keys():
        _take_off(menu, standing[dish_id])
    offered = {dish.id: dish for dish in dishes_of(menu.canteen)}
    for serving in wanted.values():
        if serving.dish_id in standing:
            _change(standing[serving.dish_id], serving)
        else:
            _put_on(menu, offered.get(serving.dish_id), serving)
    db.session.flush()
    audit.record("meals.menu_changed", menu, dishes=len(wanted), portions=sum(s.portions for s in wanted.values()))


def _hold(menu: Menu) -> None:
    """Let orders under way end and new ones wait, then read anew what is taken."""
    db.session.execute(sa.select(Menu.id).where(Menu.id == menu.id).with_for_update())
    taken = sa.select(Capacity).where(Capacity.id.in_([row.capacity_id for row in menu.dishes]))
    db.session.scalars(taken.execution_options(populate_existing=True)).all()


def _take_off(menu: Menu, row: MenuDish) -> None:
    if row.capacity.taken or _was_ordered(row):
        raise Refused(_("「%(dish)s」已经有人订过，不能从菜单上拿掉；可以把份数减到已订的份数。", dish=row.dish.name))
    capacity = row.capacity
    menu.dishes.remove(row)
    db.session.delete(row)
    db.session.flush()
    db.session.delete(capacity)


def _was_ordered(row: MenuDish) -> bool:
    return db.session.scalar(sa.select(OrderItem.id).where(OrderItem.menu_dish_id == row.id).limit(1)) is not None


def _put_on(menu: Menu, dish: Dish | None, serving: Serving) -> None:
    if dish is None:
        raise Refused(_("有一道菜已停用或不属于这个助餐点，请刷新页面重新选择。"))
    capacity = places.open_capacity(serving.portions)
    menu.dishes.append(MenuDish(dish=dish, capacity=capacity, price_fen=serving.price_fen))


def _change(row: MenuDish, serving: Serving) -> None:
    if serving.price_fen != row.price_fen:
        if row.capacity.taken:
            raise Refused(_("「%(dish)s」已经有人按原价订了，今天的价格不能再改。", dish=row.dish.name))
        row.price_fen = serving.price_fen
    if serving.portions != row.capacity.total:
        resize(row, serving.portions)


def resize(row: MenuDish, portions: int) -> None:
    """Change the portions of a dish; the database refuses fewer than are taken."""
    try:
        places.resize(row.capacity_id, portions)
    except Refused:
        taken = row.capacity.taken
        words = _("「%(dish)s」已经订出 %(taken)d 份，不能少于这个数。", dish=row.dish.name, taken=taken)
        raise Refused(words) from None
