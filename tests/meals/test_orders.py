"""Placing, changing and cancelling orders: the rules of the service."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import ids
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import at, local, now, today
from portal.core.db import db, transaction
from portal.core.errors import Conflict, Missing, Refused
from portal.core.outbox import OutboxRow
from portal.core.settings import put
from portal.demo import schemes
from portal.identity.permissions import Role
from portal.meals.models import (
    Meal,
    MealOrder,
    Menu,
    MenuState,
    OrderState,
    PayerLevel,
    Period,
    SubsidyCounter,
    SubsidyLine,
    SubsidyRule,
    Way,
)
from portal.meals.service import history, orders, pricing, subsidies
from portal.places.models import Capacity
from portal.registry.models import AgentState, FamilyAgent, PersonState
from tests.meals.stand import acting

TOMORROW = timedelta(days=1)


@pytest.fixture
def place(make):
    """Order in a transaction of its own, one portion of the first dish by default, placed by the person's account."""
    accounts = {}

    def placing(menu, person, count=1, *, portions=None, way=Way.DINE_IN, by=None, **more):
        if by is None and person.id not in accounts:
            accounts[person.id] = acting(make.resident(person))
        with transaction():
            return orders.place_order(
                menu,
                person,
                portions=portions or {menu.dishes[0].id: count},
                way=way,
                by=by or accounts[person.id],
                **more,
            )

    return placing


@pytest.fixture
def rule(make):
    """Put a rule in force everywhere."""

    def adding(**shape):
        columns = {"payer": PayerLevel.CITY, "amount_fen": 500} | shape
        return make.add(schemes._rule("测试", columns.pop("name", "测试补贴"), "", "测试", **columns))

    return adding


def taken(menu):
    db.session.rollback()
    return [db.session.scalar(sa.select(Capacity.taken).where(Capacity.id == row.capacity_id)) for row in menu.dishes]


def counters(period=Period.DAY):
    db.session.rollback()
    query = sa.select(SubsidyCounter.used_fen, SubsidyCounter.used_times).where(SubsidyCounter.period == period)
    return [tuple(row) for row in db.session.execute(query.order_by(SubsidyCounter.id))]


def notices(topic):
    db.session.rollback()
    query = sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)
    return list(db.session.scalars(query))


def lines_of(order):
    db.session.rollback()
    query = sa.select(SubsidyLine.amount_fen).where(SubsidyLine.order_id == order.id, SubsidyLine.reversed_at.is_(None))
    return list(db.session.scalars(query.order_by(SubsidyLine.id)))


def cancel(order, by, reason=""):
    with transaction():
        orders.cancel_order(db.session.get_one(MealOrder, order.id), by=by, reason=reason)


def change(order, portions, by, way=Way.DINE_IN, note=""):
    with transaction():
        found = db.session.get_one(MealOrder, order.id)
        return orders.change_order(found, portions=portions, way=way, by=by, note=note)


# Placing.


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


# Subsidies of orders.


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
    asked = pricing.quote(make.read(dinner), make.read(person), {dinner.dishes[0].id: 1}, Way.DINE_IN)
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
    asked = pricing.quote(make.read(there), make.read(person), {there.dishes[0].id: 1}, Way.DINE_IN)
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


# Changing.


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


# Looking up.


def test_an_account_sees_its_own_orders_and_those_of_its_principals(make, place):
    menu, mother, daughter = make.menu(), make.person(), make.person("李小红", born=date(1975, 1, 1))
    account = make.resident(daughter)
    own, hers = place(menu, daughter, by=acting(account)), place(menu, mother)
    other = place(menu, make.person("陈美珍"))
    with pytest.raises(Missing):
        history.order_for(acting(account), hers.public_id)
    make.add(
        FamilyAgent(
            account_id=account.id,
            person_id=mother.id,
            principal_name=mother.name,
            relation="女儿",
            state=AgentState.ACCEPTED,
            until=today() + timedelta(days=30),
            requested_at=now(),
        )
    )
    assert {order.id for order in history.orders_for(acting(account)).coming} == {own.id, hers.id}
    assert history.order_for(acting(account), hers.public_id).id == hers.id
    with pytest.raises(Missing):
        history.order_for(acting(account), other.public_id)


def test_orders_of_a_merged_record_are_found_under_the_one_that_stands(make, place):
    person, old = make.person(), make.person("王秀英")
    order = place(make.menu(), old)
    with transaction() as session:
        session.execute(sa.update(type(old)).where(type(old).id == old.id).values(merged_into_id=person.id))
    assert [found.id for found in history.orders_of(make.read(person))] == [order.id]


def test_a_worker_finds_orders_of_her_community_only(make, place):
    order = place(make.menu(), make.person())
    elsewhere = make.worker(Role.COMMUNITY_WORKER, make.community("荷塘社区"))
    assert history.order_in(_scopes(make.worker()), order.public_id).id == order.id
    with pytest.raises(Missing):
        history.order_in(_scopes(elsewhere), order.public_id)


def _scopes(account):
    return [Scope(grant.scope_kind, grant.scope_ref) for grant in account.grants]


def test_the_timeline_and_the_export_tell_of_an_order(make, place, rule):
    rule()
    person = make.person()
    order = place(make.menu(), person, note="少油")
    moment, title, text = history.timeline(make.read(person))[0]
    assert (moment, "已预订" in title, "春风里助餐点" in text) == (order.placed_at, True, True)
    exported = history.export(person)[0]
    assert (exported["pay_fen"], exported["note"], len(exported["subsidies"])) == (700, "少油", 1)


def test_a_purge_forgets_old_orders_and_keeps_their_menus(make, place, rule):
    rule(cap_day_fen=500)
    menu, person = make.menu(), make.person()
    place(menu, person)
    with transaction():
        assert history.purge(today()) == 0
        assert history.purge(today() + timedelta(days=70)) == 1
    assert history.orders_of(make.read(person)) == []
    assert (taken(menu), counters()) == ([1], [])


# Prices before ordering.


def test_the_offers_of_a_day_show_the_own_community_first_and_the_price_after_subsidies(make, rule):
    rule(age_from=60)
    person, elsewhere = make.person(), make.community("荷塘社区")
    make.menu(canteen=make.canteen("一号助餐点", elsewhere))
    make.menu(canteen=make.canteen("九号助餐点", make.community()))
    make.menu(canteen=make.canteen("草稿助餐点"), state=MenuState.DRAFT)
    offers = pricing.offers(today() + TOMORROW, person)
    assert [(offer.menu.canteen.name, offer.own) for offer in offers] == [("九号助餐点", True), ("一号助餐点", False)]
    assert offers[0].dishes[0].pay_fen == 700
    assert pricing.offers(today() + TOMORROW, None)[0].dishes[0].pay_fen == 1200


def test_the_offers_of_a_day_ask_few_questions_however_many_menus(make, rule):
    rule(cap_day_fen=500)
    person = make.person()
    for number in range(6):
        canteen = make.canteen(f"{number}号助餐点")
        make.menu(canteen=canteen, dishes=[make.dish(canteen) for _dish in range(3)])
    asked = []
    make.read(person)

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    offers = pricing.offers(today() + TOMORROW, person)
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len(offers) == 6
    assert len(asked) <= 8, asked


def test_a_dish_that_misses_a_diet_or_holds_an_allergen_warns(make):
    canteen = make.canteen()
    dish = make.dish(canteen, name="花生炖肉", diets=["soft"], allergens=["花生"])
    person = make.person(diet="low_sugar,soft", health="花生过敏")
    words = pricing.warnings_for(person, dish)
    assert "低糖" in words[0]
    assert "软食" not in words[0]
    assert "花生" in words[1]
