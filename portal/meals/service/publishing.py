"""Publishing menus: one or a week of them, copying a week, withdrawing one."""

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, calendar, clock
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.meals.models import Canteen, Meal, Menu, MenuDish, MenuState
from portal.meals.models.menus import MENU_MOVES
from portal.meals.service import menus, orders
from portal.places import service as places

NAMED = 3


@dataclass(frozen=True)
class Skipped:
    """A menu that was left out, and why."""

    day: date
    meal: Meal
    why: str

    def said(self) -> str:
        return menus.menu_words(self.day, self.meal)


@dataclass(frozen=True)
class Done:
    """What an act on a week did, and what it left out."""

    done: tuple[Menu, ...]
    skipped: tuple[Skipped, ...]

    def why(self) -> str:
        """What was left out, reason by reason; of many menus with one reason the first few are named."""
        reasons = dict.fromkeys(skipped.why for skipped in self.skipped)
        return _("；").join(self._left_out(why) for why in reasons)

    def _left_out(self, why: str) -> str:
        menus_said = [skipped.said() for skipped in self.skipped if skipped.why == why]
        named = _("、").join(menus_said[:NAMED])
        if len(menus_said) > NAMED:
            named = _("%(named)s等 %(count)d 份", named=named, count=len(menus_said))
        return _("%(menu)s（%(why)s）", menu=named, why=why)


def _move(menu: Menu, state: MenuState) -> None:
    """Move a menu by a guarded UPDATE, so that two workers at once move it once."""
    before = [old for old, following in MENU_MOVES.items() if state in following]
    moved = guarded(sa.update(Menu).where(Menu.id == menu.id, Menu.state.in_(before)).values(state=state))
    if not moved:
        raise Refused(_("这份菜单的状态刚才变了，请刷新页面再看。"))
    db.session.refresh(menu, ["state"])


def publish(menu: Menu) -> None:
    """Show a menu to residents. Its hours and cut-off are taken from the canteen's hours of this moment."""
    _check_open(menu)
    holiday = calendar.holiday_name(menu.day) if menu.canteen.closed_on_holidays else ""
    if holiday:
        words = _(
            "%(day)s是%(holiday)s，助餐点节假日休息，不能发布。确要供餐，请社区在助餐点资料里改为节假日照常供餐。",
            day=menus.menu_words(menu.day, menu.meal),
            holiday=holiday,
        )
        raise Refused(words)
    served = next((served for served in menu.canteen.times if served.meal is menu.meal), None)
    if served is None:
        raise Refused(_("助餐点已不供应这一餐，请先在助餐点资料里填上供应时间。"))
    menus.set_times(menu, served, menu.canteen.ways)
    if not any(row.capacity.total for row in menu.dishes):
        raise Refused(_("菜单上还没有菜或份数，请先选菜、填份数。"))
    if menu.cutoff_at <= clock.now():
        raise Refused(_("已过这一餐的订餐截止时间，现在发布也没有人能订。"))
    menu.withdrawn_reason = ""
    db.session.flush()
    _move(menu, MenuState.PUBLISHED)
    audit.record("meals.menu_published", menu, day=menu.day.isoformat(), meal=menu.meal.value)


def _check_open(menu: Menu) -> None:
    """Read the canteen again and hold it: whoever closes it waits, and then finds this menu."""
    canteen = menu.canteen
    db.session.refresh(canteen, ["closed_at", "reopens_on"], with_for_update={"read": True})
    if canteen.is_closed_on(menu.day):
        words = _("%(menu)s：助餐点这一天停止供餐，不能发布。", menu=menus.menu_words(menu.day, menu.meal))
        raise Refused(words)


def publish_week(canteen: Canteen, first: date) -> Done:
    """Publish every draft of a week; what cannot be published is named with the reason."""
    done, skipped = [], []
    last = first + menus.WEEK - timedelta(days=1)
    for menu in menus.menus_between(canteen, first, last):
        if menu.state is not MenuState.DRAFT:
            continue
        try:
            publish(menu)
            done.append(menu)
        except Refused as refused:
            skipped.append(Skipped(menu.day, menu.meal, refused.message.rstrip("。")))
    return Done(tuple(done), tuple(skipped))


def copy_week(canteen: Canteen, first: date) -> Done:
    """Copy the week before into the week that begins on `first`, as drafts, without touching what is there."""
    source = menus.menus_between(canteen, first - menus.WEEK, first - timedelta(days=1))
    last = first + menus.WEEK - timedelta(days=1)
    there = {(menu.day, menu.meal) for menu in menus.menus_between(canteen, first, last)}
    closed = menus.closures(canteen, first, last)
    done, skipped = [], []
    for menu in source:
        day = menu.day + menus.WEEK
        why = _why_not(canteen, menu, day, closed.get(day, ""), taken=(day, menu.meal) in there)
        if why:
            skipped.append(Skipped(day, menu.meal, why))
        else:
            done.append(_copy(menu, day))
    audit.record("meals.week_copied", canteen, first=first.isoformat(), menus=len(done), skipped=len(skipped))
    return Done(tuple(done), tuple(skipped))


def _why_not(canteen: Canteen, menu: Menu, day: date, closed: str, *, taken: bool) -> str:
    """Why a menu is not copied to a day; nothing when it can be."""
    served = next((served for served in canteen.times if served.meal is menu.meal), None)
    reasons = [
        (bool(closed), closed),
        (taken, _("已有菜单")),
        (served is None, _("已不供应这一餐")),
        (served is not None and served.cutoff_at(day) <= clock.now(), _("已过订餐截止时间")),
        (not _still_cooked(menu), _("菜品都已停用")),
    ]
    return next((words for holds, words in reasons if holds), "")


def _still_cooked(menu: Menu) -> list[MenuDish]:
    return [row for row in menu.dishes if row.dish.retired_at is None]


def _copy(menu: Menu, day: date) -> Menu:
    copied = menus.new_menu(menu.canteen, day, menu.meal)
    for row in _still_cooked(menu):
        capacity = places.open_capacity(row.capacity.total)
        copied.dishes.append(MenuDish(dish=row.dish, capacity=capacity, price_fen=row.price_fen))
    db.session.flush()
    return copied


def withdraw(menu: Menu, reason: str) -> int:
    """Take a published menu back; every order of it is cancelled and told why. Return how many there were."""
    if menu.closes_at <= clock.now():
        raise Refused(_("这一餐已经结束，不能再撤回。"))
    _move(menu, MenuState.WITHDRAWN)
    menu.withdrawn_reason = reason
    live = orders.live_orders(menu)
    for order in live:
        orders.void_order(order, reason=reason)
    audit.record("meals.menu_withdrawn", menu, reason=reason, orders=len(live))
    return len(live)
