"""What the canteen's tests stand on: a fixed clock, an order as it was booked, and who acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import time_machine
from flask import Flask

from portal.core import events, ids
from portal.core.access import Actor
from portal.core.clock import SHANGHAI, now
from portal.identity.models import Account
from portal.meals.models import MealOrder, Menu, OrderItem, OrderState, Way
from portal.registry.models import Person
from tests.make import Make

# A Tuesday without holidays near.
DAY = date(2026, 6, 9)


@contextmanager
def clock_at(words: str, day: date = DAY) -> Iterator[None]:
    """Stop the clock at a time of the day in Asia/Shanghai."""
    moment = datetime.strptime(f"{day:%Y-%m-%d} {words}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)
    with time_machine.travel(moment, tick=False):
        yield


def booked(
    make: Make,
    menu: Menu,
    person: Person | None = None,
    *,
    state: OrderState = OrderState.BOOKED,
    way: Way = Way.DINE_IN,
    portions: int = 1,
    **more: object,
) -> MealOrder:
    """An order of the menu's first dish."""
    dish = menu.dishes[0]
    facts = {"subsidy_fen": 0, "subsidised": False, "pickup_code": ids.short_code(), **more}
    order = MealOrder(
        menu_id=menu.id,
        person_id=(person or make.person()).id,
        day=menu.day,
        meal=menu.meal,
        way=way,
        state=state,
        bill_fen=dish.price_fen * portions,
        placed_at=now(),
        placed_by="x",
        placed_by_name="李小红",
        changed_at=now(),
        **facts,
    )
    order.items = [OrderItem(menu_dish_id=dish.id, portions=portions, price_fen=dish.price_fen)]
    return make.add(order)


def acting(account: Account) -> Actor:
    return Actor(account.id, account.public_id, account.name, account.platform, (), 0, now())


def heard(app: Flask, name: str) -> list[dict[str, object]]:
    """What is published under a name from now on."""
    facts: list[dict[str, object]] = []
    events.subscribe(app, name, lambda **said: facts.append(said))
    return facts
