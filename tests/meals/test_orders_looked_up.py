"""Orders looked up, exported and purged; the offers of a day and what they warn of."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Missing
from portal.identity.permissions import Role
from portal.meals.models import (
    MenuState,
    Payment,
    RedemptionMeans,
)
from portal.meals.service import doors, history, pricing, redemption
from portal.registry.models import AgentState, FamilyAgent
from tests.meals.looking import counters, taken
from tests.meals.stand import acting

TOMORROW = timedelta(days=1)


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
    line = doors.timeline(make.read(person))[0]
    assert (line.at, "已预订" in line.title, "春风里助餐点" in line.text) == (order.placed_at, True, True)
    assert (line.endpoint, line.values) == ("meals.worker.order", {"public_id": order.public_id})
    exported = doors.export(person)[0]
    assert (exported["应付（元）"], exported["应付（分）"], exported["备注"], len(exported["补贴"])) == (
        "7.00",
        700,
        "少油",
        1,
    )
    assert (exported["餐次"], exported["状态"], exported["日期"]) == ("午餐", "已预订", order.day.isoformat())


def test_the_export_tells_what_was_paid_apart_from_what_was_due(make, place):
    person = make.person()
    order = place(make.menu(), person)
    assert (doors.export(person)[0]["收款"], doors.export(person)[0]["实付（元）"]) == ("", "0.00")
    worker = acting(make.worker(Role.CANTEEN_OPERATOR))
    with transaction(), time_machine.travel(order.menu.opens_at, tick=False):
        waived = redemption.Handover(RedemptionMeans.CODE, Payment.WAIVED, "社区垫付")
        redemption.redeem(make.read(order), waived, by=worker)
    exported = doors.export(make.read(person))[0]
    assert (exported["收款"], exported["应付（元）"], exported["实付（元）"]) == ("免收", "12.00", "0.00")


def test_a_purge_forgets_old_orders_and_keeps_their_menus(make, place, rule):
    rule(cap_day_fen=500)
    menu, person = make.menu(), make.person()
    place(menu, person)
    with transaction():
        assert doors.purge(today()) == 0
        assert doors.purge(today() + timedelta(days=70)) == 1
    assert history.orders_of(make.read(person)) == []
    assert (taken(menu), counters()) == ([1], [])


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


def test_a_menu_ordered_from_keeps_its_price_after_subsidies(make, rule, place):
    rule(cap_day_fen=500)
    menu, person = make.menu(), make.person()
    other = make.menu(canteen=make.canteen("九号助餐点"))
    place(menu, person)
    prices = {offer.menu.id: offer.dishes[0].pay_fen for offer in pricing.offers(menu.day, make.read(person))}
    assert prices == {menu.id: 700, other.id: 1200}


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
