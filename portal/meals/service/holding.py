"""What an order holds while it is written: the person, the menu, an order that stands; each read again once held."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm.attributes import set_committed_value

from portal.core.clock import now
from portal.core.db import db, rows_of
from portal.core.errors import Refused, TooMany
from portal.meals.models import Canteen, MealOrder, Menu, MenuDish, MenuState, OrderState
from portal.meals.service.pricing import Chosen
from portal.meals.service.words import said
from portal.registry.models import Person, PersonState

PACE, PACE_WINDOW = 10, timedelta(minutes=1)
# What an order asks of its canteen: read again with the menu.
_OF_CANTEEN = ("closed_at", "reopens_on", "delivery_fee_fen", "phone")


def hold_person(person: Person) -> None:
    """Lock the person for this transaction, so that two orders for one person come one after the other."""
    ((state, merged_into_id),) = rows_of(_holding_person(), {"person": person.id})
    if merged_into_id is not None:
        raise Refused(_("这份档案已并入另一份，请重新查找这位居民再订。"))
    if state is PersonState.DEAD:
        raise Refused(_("档案里登记为已去世，不能订餐。如果登记有误，请联系社区更正。"))
    if state is PersonState.MOVED_OUT:
        raise Refused(_("档案里登记为已迁出，不能订餐。如果还住在这里，请联系社区更正。"))


@cache
def _holding_person() -> sa.Select[PersonState, int | None]:
    query = sa.select(Person.state, Person.merged_into_id).where(Person.id == sa.bindparam("person"))
    return query.with_for_update(key_share=True)


def prices(menu: Menu, person: Person) -> dict[int, int]:
    """The prices of a held menu, by menu dish id. Refuses more than ten orders a minute for one person: a script."""
    asked = {"menu": menu.id, "person": person.id, "since": now() - PACE_WINDOW}
    rows = rows_of(_prices_and_pace(), asked)
    if any(row.recent >= PACE for row in rows):
        raise TooMany(int(PACE_WINDOW.total_seconds()))
    return {row.id: row.price_fen for row in rows}


@cache
def _prices_and_pace() -> sa.Select[Any]:
    recent = (
        sa.select(sa.func.count())
        .where(MealOrder.person_id == sa.bindparam("person"), MealOrder.placed_at > sa.bindparam("since"))
        .scalar_subquery()
    )
    return (
        sa.select(MenuDish.id, MenuDish.price_fen, recent.label("recent"))
        .where(MenuDish.menu_id == sa.bindparam("menu"))
        .order_by(MenuDish.id)
    )


def refuse_other_prices(items: Iterable[Chosen], prices: Mapping[int, int], seen: Mapping[int, int]) -> None:
    """What the kitchen changed since the page (`seen`, as far as it said), or since the menu was read, before it was
    held, must be looked at before it is ordered.
    """
    for item in items:
        dish_id, price_fen = item.menu_dish.id, item.price_fen
        if {prices.get(dish_id), seen.get(dish_id, price_fen)} != {price_fen}:
            words = _("「%(dish)s」的价格刚刚改过，请看清楚再订。", dish=item.menu_dish.dish.name)
            raise Refused(words, field=f"dish_{dish_id}")


def hold_menu(menu: Menu, *, still_offered: bool = True) -> None:
    """Read the menu again inside the writing transaction, against withdrawal and the cut-off by the server's clock.

    The menu is always held before an order of it, as withdrawing and settling do, so that nobody waits in a circle.
    """
    canteen, (row,) = menu.canteen, rows_of(_holding_menu(), {"menu": menu.id})
    for name in _OF_CANTEEN:
        set_committed_value(canteen, name, getattr(row, name))
    if still_offered and (row.state is not MenuState.PUBLISHED or canteen.is_closed_on(menu.day)):
        raise Refused(_("这份菜单已经撤回，不能再订。请看看别的助餐点或别的日子。"))
    if now() >= row.cutoff_at:
        words = _(
            "已过订餐截止时间，不能再订、改或取消。有急事请打助餐点电话 %(phone)s。",
            phone=menu.canteen.phone,
        )
        raise Refused(words)


@cache
def _holding_menu() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Menu.state, Menu.cutoff_at, *(getattr(Canteen, name) for name in _OF_CANTEEN))
        .join(Menu.canteen)
        .where(Menu.id == sa.bindparam("menu"))
        .with_for_update(read=True, of=Menu)
    )


def hold_order(order: MealOrder) -> None:
    """Lock the order and read it again; refuses one that is no longer booked."""
    state = db.session.scalar(sa.select(MealOrder.state).where(MealOrder.id == order.id).with_for_update())
    if state is not OrderState.BOOKED:
        raise Refused(_("这份订餐现在是「%(state)s」，不能再改或取消。", state=said(state or order.state)))
    db.session.refresh(order, ["state", "bill_fen", "subsidy_fen", "subsidised", "way", "items", "subsidies"])
