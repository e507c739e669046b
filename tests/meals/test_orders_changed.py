"""Changing and cancelling orders, their states, and the tokens of their QR codes."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import at, local, now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.meals.models import (
    MealOrder,
    Menu,
    MenuState,
    OrderState,
    Period,
    Way,
)
from portal.meals.service import orders
from tests.meals.looking import cancel, change, counters, lines_of, notices, taken
from tests.meals.stand import acting

TOMORROW = timedelta(days=1)


def test_a_change_moves_portions_and_works_out_subsidies_anew(make, place, rule):
    rule(cap_day_fen=500)
    canteen, person = make.canteen(), make.person()
    menu = make.menu(dishes=[make.dish(canteen), make.dish(canteen, price_fen=300)])
    order = place(menu, person)
    by = acting(make.worker())
    changed = change(order, {menu.dishes[1].id: 2}, by, way=Way.TAKE_AWAY, note="少油")
    assert (changed.bill_fen, changed.subsidy_fen, changed.way, changed.note) == (600, 500, Way.TAKE_AWAY, "少油")
    assert changed.pickup_code == order.pickup_code
    assert taken(menu) == [0, 2]
    assert lines_of(order) == [500]
    assert counters() == [(500, 1)]


def test_a_change_without_a_difference_tells_nobody(make, place):
    menu = make.menu()
    order = place(menu, make.person())
    change(order, {menu.dishes[0].id: 1}, acting(make.worker()))
    assert notices("meals.order_changed") == []


def test_a_change_beyond_what_is_left_keeps_the_order_as_it_was(make, place):
    menu = make.menu(portions=1)
    order = place(menu, make.person())
    with pytest.raises(Refused, match="订完"):
        change(order, {menu.dishes[0].id: 2}, acting(make.worker()))
    assert taken(menu) == [1]


def test_after_the_cutoff_nothing_is_changed_or_cancelled(make, place):
    menu, person = make.menu(), make.person()
    order = place(menu, person)
    with transaction() as session:
        session.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1)))
    db.session.expire_all()
    by = acting(make.worker())
    with pytest.raises(Refused, match="截止"):
        change(order, {menu.dishes[0].id: 2}, by)
    with pytest.raises(Refused, match="截止"):
        cancel(order, by)


# Cancelling.


def test_cancelling_gives_back_portions_subsidies_and_counters(make, place, rule):
    rule(cap_day_fen=500, cap_month_fen=9000)
    menu, person = make.menu(), make.person()
    order = place(menu, person, 2)
    cancel(order, acting(make.worker()), reason="家人来电")
    assert make.read(order).state is OrderState.CANCELLED
    assert taken(menu) == [0]
    assert (lines_of(order), counters(), counters(Period.MONTH)) == ([], [(0, 0)], [(0, 0)])
    assert notices("meals.order_cancelled")[0].facts["reason"] == "家人来电"


def test_a_cancelled_meal_can_be_ordered_and_subsidised_again(make, place, rule):
    rule(times_per_day=1)
    menu, person = make.menu(), make.person()
    cancel(place(menu, person), acting(make.worker()))
    assert place(menu, person).subsidy_fen == 500


def test_an_order_is_cancelled_once(make, place):
    menu = make.menu()
    order, by = place(menu, make.person()), acting(make.worker())
    cancel(order, by)
    with pytest.raises(Refused, match="已取消"):
        cancel(order, by)
    assert taken(menu) == [0]


def test_who_placed_an_order_hears_when_another_cancels_it(make, place):
    daughter = acting(make.resident(make.person("李小红", born=date(1975, 1, 1))))
    order = place(make.menu(), make.person(), by=daughter)
    cancel(order, acting(make.worker()))
    assert {row.recipient_id for row in notices("meals.order_cancelled")} == {
        make.read(order).person.public_id,
        daughter.public_id,
    }


def test_a_canteen_takes_orders_back_even_after_the_cutoff(make, place):
    menu = make.menu()
    order = place(menu, make.person())
    with transaction() as session:
        session.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1), state=MenuState.WITHDRAWN))
    db.session.expire_all()
    with transaction():
        orders.void_order(db.session.get_one(MealOrder, order.id), reason="停水")
    assert make.read(order).state is OrderState.CANCELLED
    assert taken(menu) == [0]


@pytest.mark.parametrize(
    ("state", "after", "allowed"),
    [
        (OrderState.BOOKED, OrderState.COLLECTED, True),
        (OrderState.NO_SHOW, OrderState.COLLECTED, True),
        (OrderState.CANCELLED, OrderState.BOOKED, False),
        (OrderState.COLLECTED, OrderState.CANCELLED, False),
    ],
)
def test_orders_move_only_as_the_table_says(make, place, state, after, allowed):
    order = place(make.menu(), make.person())
    with transaction() as session:
        session.execute(sa.update(MealOrder).values(state=state))
    db.session.expire_all()
    with transaction():
        found = db.session.get_one(MealOrder, order.id)
        if allowed:
            orders.move(found, after)
            assert found.state is after
        else:
            with pytest.raises(Refused):
                orders.move(found, after)


# Pick-up tokens.


def test_a_pickup_token_names_its_order_bare_or_in_an_address(make, place):
    order = place(make.menu(), make.person())
    token = orders.pickup_token(order)
    for text in (token, f" https://portal.example/desk/meals/redeem?code={token} "):
        assert orders.order_of_token(text).public_id == order.public_id


def test_a_forged_token_or_one_for_another_purpose_names_nothing(make, place):
    order = place(make.menu(), make.person())
    token = orders.pickup_token(order)
    for text in ("", "x", order.public_id, token[:-1], "https://portal.example/?code=abc"):
        assert orders.order_of_token(text) is None


def test_a_token_lives_until_the_end_of_the_day_after_the_meal(make, place):
    order = place(make.menu(), make.person())
    token = orders.pickup_token(order)
    end = at(order.day + timedelta(days=2), local(now()).time().replace(hour=0, minute=0, second=0, microsecond=0))
    with time_machine.travel(end - timedelta(seconds=1), tick=False):
        assert orders.order_of_token(token) is not None
    with time_machine.travel(end, tick=False):
        assert orders.order_of_token(token) is None
