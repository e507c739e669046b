"""What keeps scripts and crowds from the orders: a pace, and locks always taken in one order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused, TooMany
from portal.meals.models import MealOrder, Menu, Way
from portal.meals.service import orders, publishing
from tests.make import Make
from tests.meals.stand import acting


def _order_and_cancel(make: Make, menu: Menu, times: int) -> None:
    person = make.person()
    actor = acting(make.resident(person))
    for _time in range(times):
        with transaction():
            order = orders.place_order(menu, person, portions={menu.dishes[0].id: 1}, way=Way.DINE_IN, by=actor)
        with transaction():
            orders.cancel_order(order, by=actor)


def test_more_than_ten_orders_a_minute_for_one_person_are_too_many(make: Make):
    menu = make.menu()
    with time_machine.travel(now(), tick=False), pytest.raises(TooMany) as refused:
        _order_and_cancel(make, menu, 11)
    assert refused.value.retry_after == 60


def test_ten_orders_a_minute_are_let_through(make: Make):
    with time_machine.travel(now(), tick=False):
        _order_and_cancel(make, make.menu(), 10)


def test_withdrawing_a_menu_while_its_orders_are_cancelled_never_waits_in_a_circle(make: Make, app: Flask):
    menu = make.menu(day=(now() + timedelta(days=3)).date(), portions=60)
    keys = [make.order(menu, make.person()).id for _order in range(12)]
    menu_id, worker = menu.id, acting(make.worker())

    def cancel(order_id: int) -> None:
        orders.cancel_order(db.session.get_one(MealOrder, order_id), by=worker)

    def withdraw(_nothing: int) -> None:
        publishing.withdraw(db.session.get_one(Menu, menu_id), "停水")

    acts = [(cancel, key) for key in keys]
    acts.insert(3, (withdraw, 0))
    with ThreadPoolExecutor(len(acts)) as crowd:
        failures = list(crowd.map(lambda act: _alone(app, *act), acts))
    assert not any(failures), failures


def _alone(app: Flask, act: Callable[[int], None], key: int) -> str:
    """Do something in a transaction of its own; what went wrong, other than a refusal in words."""
    with app.app_context():
        try:
            with transaction():
                act(key)
        except Refused:
            return ""
        except SQLAlchemyError as failure:
            return str(failure)
        return ""
