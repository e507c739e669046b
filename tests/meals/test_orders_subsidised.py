"""Subsidies of orders: frozen lines, counters and caps, and one subsidy for one meal."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.demo import schemes
from portal.meals.models import (
    Meal,
    MealOrder,
    PayerLevel,
    Period,
    SubsidyRule,
    Way,
)
from portal.meals.service import pricing, subsidies
from tests.meals.looking import counters, lines_of

TOMORROW = timedelta(days=1)


def test_a_line_is_frozen_into_the_order(make, place, rule):
    rule(age_from=60)
    order = place(make.menu(), make.person(born=date(1950, 5, 5)))
    assert (order.subsidised, order.subsidy_fen, order.pay_fen) == (True, 500, 700)
    with transaction() as session:
        session.execute(sa.update(SubsidyRule).values(amount_fen=900))
    assert make.read(order).pay_fen == 700
    assert lines_of(order) == [500]


def test_the_birthday_on_the_day_of_the_meal_counts(make, place, rule):
    rule(age_from=60)
    day = today() + TOMORROW
    menu = make.menu(day=day)
    born = date(day.year - 60, day.month, day.day if (day.month, day.day) != (2, 29) else 28)
    assert place(menu, make.person(born=born)).subsidy_fen == 500
    assert place(menu, make.person("李桂兰", born=born + timedelta(days=2))).subsidy_fen == 0


def test_the_second_meal_of_a_day_meets_the_cap_and_says_so(make, place, rule):
    rule(times_per_day=1, name="每天一次")
    lunch = make.menu()
    dinner = make.menu(meal=Meal.DINNER)
    person = make.person()
    place(lunch, person)
    who = pricing.eater(make.read(person), dinner.day)
    asked = pricing.quote(make.read(dinner), who, {dinner.dishes[0].id: 1}, Way.DINE_IN)
    assert "每天最多 1 次" in asked.decision.remarks[0]
    assert place(dinner, person).subsidy_fen == 0
    assert counters() == [(500, 1)]


def test_a_monthly_cap_shrinks_the_last_line(make, place, rule):
    rule(cap_month_fen=800)
    person = make.person()
    first = (today().replace(day=1) + timedelta(days=62)).replace(day=1)
    given = [place(make.menu(day=first + timedelta(days=count)), person).subsidy_fen for count in range(3)]
    assert given == [500, 300, 0]
    assert counters(Period.MONTH) == [(800, 2)]


def test_a_counter_refuses_what_goes_past_its_cap(make, place, rule):
    daily = rule(cap_day_fen=700)
    order = place(make.menu(), make.person())
    line = subsidies.Line(daily, 300, "")
    with transaction():
        assert not subsidies._raise_all(order, [line], {})
        assert subsidies._raise_all(order, [subsidies.Line(daily, 200, "")], {})


def test_a_refused_counter_lowers_those_raised_before_it(make, place, rule):
    first, second = rule(cap_day_fen=9000), rule(cap_month_fen=500)
    order = place(make.menu(), make.person())
    with transaction():
        both = [subsidies.Line(first, 100, ""), subsidies.Line(second, 600, "")]
        assert not subsidies._raise_all(order, both, {})
    assert (counters(), counters(Period.MONTH)) == ([(500, 1)], [(0, 0)])


def test_two_canteens_at_one_meal_are_subsidised_once_and_say_why(make, place, rule):
    rule()
    here, there, person = make.menu(), make.menu(canteen=make.canteen("荷塘助餐点")), make.person()
    assert place(here, person).subsidy_fen == 500
    who = pricing.eater(make.read(person), there.day)
    asked = pricing.quote(make.read(there), who, {there.dishes[0].id: 1}, Way.DINE_IN)
    assert asked.decision.total_fen == 0
    assert "只补一份" in asked.decision.remarks[0]
    second = place(there, person)
    assert (second.subsidised, second.pay_fen) == (False, 1200)


def test_the_database_itself_holds_one_subsidised_order_for_a_meal(make, place, rule):
    rule()
    here, there, person = make.menu(), make.menu(canteen=make.canteen("荷塘助餐点")), make.person()
    place(here, person)
    second = place(there, person)
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.update(MealOrder).where(MealOrder.id == second.id).values(subsidised=True))


def test_what_a_merged_record_has_had_counts(make, place, rule):
    rule(times_per_day=1)
    person, old = make.person(), make.person("王秀英")
    place(make.menu(), old)
    with transaction() as session:
        session.execute(sa.update(type(old)).where(type(old).id == old.id).values(merged_into_id=person.id))
    db.session.expire_all()
    assert place(make.menu(meal=Meal.DINNER), make.read(person)).subsidy_fen == 0


def test_a_rule_of_another_community_does_not_apply(make, place):
    make.add(schemes._rule("别处", "别处补贴", "110101001001", "测试", payer=PayerLevel.CITY, amount_fen=500))
    assert place(make.menu(), make.person()).subsidy_fen == 0
