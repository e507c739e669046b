"""Placing orders: what is taken, what is refused, who is told."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import ids
from portal.core.audit import AuditRow
from portal.core.clock import at, local, now, today
from portal.core.db import db, transaction
from portal.core.errors import Conflict, Refused
from portal.core.settings import put
from portal.meals.models import (
    MealOrder,
    Menu,
    MenuState,
    Way,
)
from portal.meals.service import orders
from portal.registry.models import PersonState
from tests.meals.looking import notices, taken
from tests.meals.stand import acting

TOMORROW = timedelta(days=1)


def test_an_order_takes_its_portions_and_says_what_is_to_be_paid(make, place):
    menu = make.menu(price_fen=1200)
    order = place(menu, make.person(), 2)
    assert (order.bill_fen, order.pay_fen) == (2400, 2400)
    assert taken(menu) == [2]
    assert ids.check_short_code(order.pickup_code) == order.pickup_code


def test_delivery_adds_the_canteens_fee(make, place):
    menu = make.menu(canteen=make.canteen("送餐点", delivery_fee_fen=200))
    order = place(menu, make.person(), way=Way.DELIVERY)
    assert (order.bill_fen, order.delivery_fen) == (1400, 200)


def test_an_order_after_the_cutoff_is_refused(make, place):
    menu = make.menu(cutoff=now() - timedelta(minutes=1))
    with pytest.raises(Refused, match="截止"):
        place(menu, make.person())
    assert taken(menu) == [0]


def test_the_cutoff_is_the_servers_clock_to_the_second(make, place):
    day = today() + TOMORROW
    menu, first, second = make.menu(day=day), make.person(), make.person("李桂兰")
    cutoff = at(day, local(menu.cutoff_at).time())
    with time_machine.travel(cutoff - timedelta(seconds=1), tick=False):
        place(menu, first)
    with time_machine.travel(cutoff, tick=False), pytest.raises(Refused, match="截止"):
        place(menu, second)


def test_the_cutoff_is_read_again_inside_the_transaction(make, place):
    menu, person = make.menu(), make.person()
    with db.engine.begin() as other:
        other.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1)))
    assert menu.accepts_orders(now())
    with pytest.raises(Refused, match="截止"):
        place(menu, person)


def test_a_withdrawn_menu_takes_no_orders(make, place):
    menu, person = make.menu(), make.person()
    with transaction() as session:
        session.execute(sa.update(Menu).values(state=MenuState.WITHDRAWN))
    with pytest.raises(Refused, match="撤回"):
        place(menu, person)


@pytest.mark.parametrize(("state", "words"), [(PersonState.DEAD, "去世"), (PersonState.MOVED_OUT, "迁出")])
def test_the_dead_and_those_who_moved_away_are_refused_in_words(make, place, state, words):
    menu = make.menu()
    with pytest.raises(Refused, match=words):
        place(menu, make.person(state=state), by=acting(make.worker()))


def test_a_merged_record_is_refused_in_words(make, place):
    menu, stands = make.menu(), make.person()
    with pytest.raises(Refused, match="并入"):
        place(menu, make.person("王秀英", merged_into_id=stands.id), by=acting(make.worker()))


def test_more_portions_than_the_parameter_allows_are_refused(make, place):
    menu, person = make.menu(), make.person()
    with pytest.raises(Refused, match="最多订 2 份"):
        place(menu, person, 3)
    with transaction():
        put("meals.most_portions", 3, valid_from=today(), by="test")
    assert place(menu, person, 3).items[0].portions == 3


def test_the_limit_of_portions_holds_over_all_canteens(make, place):
    here, there, person = make.menu(), make.menu(canteen=make.canteen("荷塘助餐点")), make.person()
    place(here, person, 2)
    with pytest.raises(Refused, match="别的助餐点已订 2 份"):
        place(there, person)


@pytest.mark.parametrize("portions", [{}, {1: 0}, {1: -1}, {999: 1}])
def test_nothing_and_nonsense_are_refused(make, place, portions):
    menu, person = make.menu(), make.person()
    wanted = {menu.dishes[0].id if key == 1 else key: count for key, count in portions.items()}
    with pytest.raises(Refused):
        place(menu, person, portions=wanted or {0: 0})
    assert taken(menu) == [0]


def test_a_way_the_menu_does_not_offer_is_refused(make, place):
    menu = make.menu()
    with transaction() as session:
        session.execute(sa.update(Menu).values(ways=["dine_in"]))
    db.session.expire_all()
    with pytest.raises(Refused, match="不提供"):
        place(make.read(menu), make.person(), way=Way.DELIVERY)


def test_what_is_sold_out_names_the_dish_and_what_is_left(make, place):
    menu = make.menu(portions=1)
    with pytest.raises(Refused, match="只剩 1 份") as refused:
        place(menu, make.person(), 2)
    assert refused.value.field == f"dish_{menu.dishes[0].id}"
    place(menu, make.person("李桂兰"))
    with pytest.raises(Refused, match="已经订完"):
        place(menu, make.person("赵玉兰"))


def test_a_refusal_gives_nothing_away(make, place):
    canteen = make.canteen()
    menu = make.menu(dishes=[make.dish(canteen), make.dish(canteen)], portions=1)
    place(menu, make.person(), portions={menu.dishes[1].id: 1})
    with pytest.raises(Refused):
        place(menu, make.person("李桂兰"), portions={menu.dishes[0].id: 1, menu.dishes[1].id: 1})
    assert taken(menu) == [0, 1]


def test_what_was_sold_out_meanwhile_leaves_no_order_behind_in_whatever_its_transaction_does_next(make, monkeypatch):
    monkeypatch.setattr(orders, "_refuse_sold_out", lambda _items: None)
    menu, person = make.menu(portions=1), make.person()
    by, facts = acting(make.resident(person)), {"way": Way.DINE_IN}
    with transaction():
        dish = menu.dishes[0].id
        with pytest.raises(Refused, match="只剩 1 份"):
            orders.place_order(menu, person, portions={dish: 2}, by=by, **facts)
        made = orders.place_order(menu, person, portions={dish: 1}, by=by, **facts)
    assert db.session.scalars(sa.select(MealOrder.id)).all() == [made.id]
    assert taken(menu) == [1]


def test_a_second_order_from_the_same_menu_points_to_the_first(make, place):
    menu, person = make.menu(), make.person()
    first = place(menu, person)
    with pytest.raises(orders.AlreadyOrdered, match=first.pickup_code) as refused:
        place(menu, person)
    assert refused.value.order.public_id == first.public_id


def test_the_database_itself_holds_one_live_order_for_person_and_menu(make, place):
    menu, person = make.menu(), make.person()
    order = place(menu, person)
    twin = {column.key: getattr(order, column.key) for column in MealOrder.__table__.columns}
    twin |= {"id": None, "public_id": ids.new_public_id(), "pickup_code": "ABCDEF"}
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.insert(MealOrder).values({key: value for key, value in twin.items() if key != "id"}))


def test_a_resend_makes_one_order(make, place):
    menu, person = make.menu(), make.person()
    first, again = (place(menu, person, idem="key-of-the-form") for _time in range(2))
    assert first.public_id == again.public_id
    assert taken(menu) == [1]
    assert len(notices("meals.order_placed")) == 1


def test_a_resend_after_the_cutoff_still_gives_the_order(make, place):
    menu, person = make.menu(), make.person()
    first = place(menu, person, idem="key-of-the-form")
    with transaction() as session:
        session.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1)))
    assert place(menu, person, idem="key-of-the-form").public_id == first.public_id


def test_another_content_under_the_same_key_is_a_conflict(make, place):
    menu, person = make.menu(), make.person()
    place(menu, person, idem="key-of-the-form")
    with pytest.raises(Conflict):
        place(menu, person, 2, idem="key-of-the-form")


def test_a_taken_pickup_code_is_drawn_again(make, place, monkeypatch):
    menu, codes = make.menu(), iter(["ABCDEF", "ABCDEF", "GHJKMN"])
    monkeypatch.setattr(ids, "short_code", lambda _n: next(codes))
    first, second = place(menu, make.person()), place(menu, make.person("李桂兰"))
    assert [first.pickup_code, second.pickup_code] == ["ABCDEF", "GHJKMN"]


def test_an_order_says_who_placed_it_for_whom(make, place):
    menu, mother, daughter = make.menu(), make.person(), make.person("李小红", born=date(1975, 1, 1))
    by = acting(make.resident(daughter))
    order = place(menu, mother, by=by)
    assert (order.placed_by, order.placed_by_name) == (by.public_id, "李小红")
    told = notices("meals.order_placed")
    assert told[0].recipient_kind == "person"
    assert told[0].recipient_id == mother.public_id
    assert told[0].facts["by"] == "李小红"
    row = db.session.scalar(sa.select(AuditRow).where(AuditRow.action == "meals.order_placed"))
    assert row.on_behalf_of == mother.public_id


def test_a_notice_of_ones_own_order_names_nobody_else(make, place):
    place(make.menu(), make.person())
    assert notices("meals.order_placed")[0].facts["by"] == ""
