"""The shop (爱心超市) on both platforms: goods for points, reserved at once, handed over by code, taken back."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.notifications.wording import words_for
from portal.points.models import EntryKind, Goods, GoodsOrder, GoodsState, PointEntry, PointRule
from portal.points.service import goods_orders, ledger
from portal.points.service.goods_orders import Wish
from portal.registry.models import AgentState, FamilyAgent, Person, StockEntry, StockItem
from portal.volunteers import jobs
from portal.volunteers.service import point_doors
from tests.acting import actor_of
from tests.client import Client
from tests.concurrency.test_portions import at_once
from tests.counting import count_queries


def goods(make, name="大米", *, price=40, stock=5, community=None, **more):
    community = community or make.community()
    item = make.add(StockItem(community_id=community.id, name=name, unit="袋", place="春风里爱心超市", quantity=stock))
    return make.add(Goods(community_id=community.id, stock_item_id=item.id, price=price, **more))


def with_points(person, points=100, *, expires_on=None):
    with transaction():
        key = f"record:{person.public_id}:1"
        ledger.earn(person, points, key=key, words="老人送餐", expires_on=expires_on, by=None)
    return person


def asked(make, wanted, person, count=1, payer=None):
    """An order by the service, the objects read in its own transaction."""
    with transaction() as session:
        payer = session.get_one(Person, (payer or person).id)
        wish = Wish(session.get_one(Goods, wanted.id), count, session.get_one(Person, person.id), payer)
        return goods_orders.ask(wish, by=actor_of(make.worker()))


def points_of(person):
    db.session.rollback()
    return ledger.balance(person).points


@pytest.fixture
def me(make):
    person = with_points(make.person())
    return person, make.resident(person)


def test_goods_cost_points_and_are_reserved_at_once(make, me):
    wanted = goods(make)
    order = asked(make, wanted, me[0], 2)
    assert (order.points, order.state) == (80, GoodsState.ASKED)
    assert points_of(me[0]) == 20
    assert make.read(wanted).reserved == 2
    assert make.read(wanted.item).quantity == 5
    told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "points.goods_asked")).all()
    assert [row.facts["code"] for row in told] == [order.code]


def test_without_the_points_nothing_is_reserved_and_without_the_stock_nothing_is_spent(make, me):
    wanted = goods(make, stock=2)
    with pytest.raises(Refused, match="只剩 2 袋"):
        asked(make, wanted, me[0], 3)
    with pytest.raises(Refused, match="可用 100 分"):
        asked(make, goods(make, "食用油", price=90), me[0], 2)
    assert points_of(me[0]) == 100
    assert [row.reserved for row in db.session.scalars(sa.select(Goods))] == [0, 0]


def test_what_others_reserved_cannot_be_asked_for(make, me):
    wanted = goods(make, price=10, stock=3)
    asked(make, wanted, me[0], 2)
    with pytest.raises(Refused, match="只剩 1 袋"):
        asked(make, wanted, with_points(make.person("李梅")), 2)


def test_the_limit_of_a_month_holds_for_one_person_and_ends_with_the_month(make, me):
    wanted = goods(make, price=10, stock=9, most_each_month=2)
    order = asked(make, wanted, me[0], 2)
    with pytest.raises(Refused, match="本月已经换满"):
        asked(make, wanted, me[0])
    asked(make, wanted, with_points(make.person("李梅")))
    with transaction() as session:
        found = session.get_one(GoodsOrder, order.id)
        goods_orders.cancel(found, reason="不要了", by=None)
    asked(make, wanted, me[0], 2)
    with time_machine.travel(now() + timedelta(days=31), tick=False):
        asked(make, wanted, me[0])


def test_an_order_taken_back_returns_its_points_to_their_lot_and_its_goods_to_the_shelf(make, me):
    wanted = goods(make)
    order = asked(make, wanted, me[0])

    def take_back():
        with transaction() as session:
            goods_orders.cancel(session.get_one(GoodsOrder, order.id), reason="", by=None)

    take_back()
    with pytest.raises(Refused, match="已经取消"):
        take_back()
    assert points_of(me[0]) == 100
    assert make.read(wanted).reserved == 0


def test_goods_are_handed_over_by_their_code_once_and_leave_the_stock_by_an_entry(make, me):
    wanted, worker = goods(make), actor_of(make.worker())
    order = asked(make, wanted, me[0])

    def hand_over(code):
        with transaction() as session:
            goods_orders.hand_over(session.get_one(GoodsOrder, order.id), code, by=worker)

    with pytest.raises(Refused, match="兑换码不对"):
        hand_over("ABCDEF")
    hand_over(order.code.lower())
    with pytest.raises(Refused, match="已经领走"):
        hand_over(order.code)
    with pytest.raises(Refused, match="已经领走"), transaction() as session:
        goods_orders.cancel(session.get_one(GoodsOrder, order.id), reason="退", by=worker)
    assert (make.read(wanted.item).quantity, make.read(wanted).reserved) == (4, 0)
    assert [entry.delta for entry in db.session.scalars(sa.select(StockEntry))] == [-1]
    assert points_of(me[0]) == 60


def test_many_who_ask_for_the_last_ones_at_once_get_exactly_what_there_is(app, make):
    wanted, stock = goods(make, price=1, stock=7), 7
    people = [with_points(make.person(f"居民{number}"), 5).id for number in range(12)]
    by = actor_of(make.worker())

    def ask(number, again=3):
        try:
            with transaction() as session:
                person = session.get_one(Person, people[number])
                goods_orders.ask(Wish(session.get_one(Goods, wanted.id), 1, person, person), by=by)
            return True
        except Refused:
            return False
        except sa.exc.OperationalError:
            # On a busy machine somebody waits longer than one may, is told so, and asks again.
            return again > 0 and ask(number, again - 1)

    assert at_once(app, len(people), ask) == stock
    assert make.read(wanted).reserved == stock
    assert db.session.scalar(sa.select(sa.func.sum(PointEntry.points)).where(PointEntry.kind == "spent")) == -stock


def test_what_nobody_fetches_is_taken_back_by_the_night(make, me):
    order = asked(make, goods(make), me[0])
    jobs.lapse_goods()
    assert make.read(order).state is GoodsState.ASKED
    with time_machine.travel(now() + timedelta(days=15), tick=False):
        jobs.lapse_goods()
        assert make.read(order).state is GoodsState.CANCELLED
    assert points_of(me[0]) == 100


def test_a_resident_asks_sees_her_code_and_takes_it_back(make, client: Client, me):
    wanted = goods(make)
    client.sign_in(me[1])
    assert "大米" in client.get("/volunteers/shop").text
    page = client.get(f"/volunteers/shop/{wanted.id}").text
    sent = {"count": "2", "person": me[0].public_id, "idem": re.findall(r'name="idem"[^>]*value="([^"]+)"', page)[0]}
    first, again = (client.post(f"/volunteers/shop/{wanted.id}", data=sent) for _turn in range(2))
    assert first.status_code == again.status_code == 303
    assert first.location == again.location
    order = db.session.scalars(sa.select(GoodsOrder)).one()
    assert order.code in client.get(first.location).text
    assert points_of(me[0]) == 20
    assert "20 分" in client.get("/volunteers/points").text
    assert "大米" in client.get("/volunteers/shop/orders").text
    assert client.post(f"{first.location}/cancel", data={"reason": "买到了"}).status_code == 303
    assert points_of(me[0]) == 100
    assert "100 分" in client.get("/volunteers/points").text


def test_the_double_click_key_does_not_carry_another_order(make, client: Client, me):
    wanted = goods(make, price=10)
    client.sign_in(me[1])
    sent = {"count": "1", "person": me[0].public_id, "idem": "k1"}
    assert client.post(f"/volunteers/shop/{wanted.id}", data=sent).status_code == 303
    assert client.post(f"/volunteers/shop/{wanted.id}", data=sent | {"count": "3"}).status_code in {409, 422}
    assert points_of(me[0]) == 90


def test_goods_for_a_parent_cost_the_points_of_whom_acts_for_her(make, client: Client, me):
    mother = make.person("赵桂兰")
    facts = {"principal_name": "赵桂兰", "relation": "女儿", "actions": "meals.order", "state": AgentState.ACCEPTED}
    days = {"until": today() + timedelta(days=30), "requested_at": now()}
    make.add(FamilyAgent(account_id=me[1].id, person_id=mother.id, **facts, **days))
    wanted = goods(make)
    client.sign_in(me[1])
    page = client.get(f"/volunteers/shop/{wanted.id}").text
    assert "赵桂兰" in page
    sent = {"count": "1", "person": mother.public_id, "idem": "k1"}
    assert client.post(f"/volunteers/shop/{wanted.id}", data=sent).status_code == 303
    order = db.session.scalars(sa.select(GoodsOrder)).one()
    assert (order.person_id, order.payer_id) == (mother.id, me[0].id)
    assert points_of(me[0]) == 60
    client.sign_in(make.resident(mother))
    assert order.code in client.get(f"/volunteers/shop/orders/{order.public_id}").text
    assert client.post(f"/volunteers/shop/orders/{order.public_id}/cancel", data={}).status_code == 422


def test_a_stranger_is_nobody_to_ask_for_and_sees_no_order(make, client: Client, me):
    wanted, stranger = goods(make), make.person("孙强")
    order = asked(make, wanted, me[0])
    client.sign_in(make.resident(stranger))
    sent = {"count": "1", "person": me[0].public_id, "idem": "k1"}
    assert client.post(f"/volunteers/shop/{wanted.id}", data=sent).status_code == 422
    assert client.get(f"/volunteers/shop/orders/{order.public_id}").status_code == 404
    assert client.get(f"/volunteers/shop/orders/{order.public_id}/cancel").status_code == 404


def test_the_shelf_of_another_community_is_not_there(make, client: Client, me):
    other = goods(make, community=make.community("桃园社区"))
    client.sign_in(me[1])
    assert "货架还空着" in client.get("/volunteers/shop").text
    assert client.get(f"/volunteers/shop/{other.id}").status_code == 404


def test_an_account_without_a_person_is_told_what_to_wait_for(make, client: Client):
    client.sign_in(make.resident())
    for page in ("points", "shop", "shop/orders"):
        assert client.get(f"/volunteers/{page}").status_code == 200


def test_a_worker_puts_goods_on_the_shelf_hands_over_and_cancels_with_a_reason(make, client: Client, me):
    item = make.add(StockItem(community_id=make.community().id, name="洗衣液", unit="瓶", quantity=9))
    client.sign_in(make.worker())
    assert "洗衣液" in client.get("/desk/volunteers/shop/new").text
    sent = {"item": str(item.id), "price": "30", "most_each_month": "2", "words": "", "is_offered": "y"}
    assert client.post("/desk/volunteers/shop/new", data=sent).status_code == 303
    wanted = db.session.scalars(sa.select(Goods)).one()
    assert client.post(f"/desk/volunteers/shop/{wanted.id}", data={"price": "25", "is_offered": "y"}).status_code == 303
    assert "25" in client.get("/desk/volunteers/shop").text
    first, second = asked(make, wanted, me[0]), asked(make, wanted, me[0])
    found = client.get(f"/desk/volunteers/shop/code?code={first.code}")
    assert found.status_code == 303
    assert client.post("/desk/volunteers/shop/code", data={"code": "222222"}).status_code == 422
    assert first.code in client.get(found.location).text
    assert client.post(found.location, data={"code": first.code}).status_code == 303
    page = f"/desk/volunteers/shop/orders/{second.public_id}"
    assert client.post(f"{page}/cancel", data={"reason": ""}).status_code == 422
    assert client.post(f"{page}/cancel", data={"reason": "过期了"}).status_code == 303
    assert make.read(item).quantity == 8
    assert points_of(me[0]) == 75
    deeds = set(db.session.scalars(sa.select(AuditRow.action)))
    assert {"points.goods_added", "points.goods_changed", "points.goods_handed", "points.goods_cancelled"} <= deeds
    for state in GoodsState:
        assert client.get(f"/desk/volunteers/shop/orders?state={state.value}").status_code == 200


def test_a_worker_of_another_community_finds_none_of_it(make, client: Client, me):
    wanted = goods(make)
    order = asked(make, wanted, me[0])
    client.sign_in(make.worker(scope=make.community("桃园社区")))
    for page in (f"shop/{wanted.id}", f"shop/orders/{order.public_id}", f"points/people/{me[0].public_id}"):
        assert client.get(f"/desk/volunteers/{page}").status_code == 404
    assert client.post("/desk/volunteers/shop/code", data={"code": order.code}).status_code == 422
    assert "大米" not in client.get("/desk/volunteers/shop").text
    assert me[0].name not in client.get("/desk/volunteers/points").text


def test_points_are_adjusted_after_a_second_look_and_once(make, client: Client, me):
    client.sign_in(make.worker())
    page = f"/desk/volunteers/points/people/{me[0].public_id}/adjust"
    sent = {"way": "take", "points": "30", "reason": "重复计分", "idem": "k1", "seen": ""}
    looked = client.post(page, data=sent)
    assert "再核对一遍" in looked.text
    assert points_of(me[0]) == 100
    other = client.post(page, data=sent | {"points": "40", "seen": "-30:重复计分"})
    assert "再核对一遍" in other.text
    for _turn in range(2):
        assert client.post(page, data=sent | {"seen": "-30:重复计分"}).status_code == 303
    assert points_of(me[0]) == 70
    assert "重复计分" in client.get(f"/desk/volunteers/points/people/{me[0].public_id}").text
    told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "points.adjusted")).all()
    assert len(told) == 1
    assert client.post(page, data=sent | {"points": "99", "seen": "-99:重复计分"}).status_code == 422
    assert points_of(me[0]) == 70


def test_rules_are_the_streets_and_tell_their_source(make, client: Client):
    client.sign_in(make.worker())
    assert client.get("/desk/volunteers/points/rules").status_code == 403
    client.sign_in(make.worker(Role.STREET_ADMINISTRATOR))
    assert "每小时 10 分" in client.get("/desk/volunteers/points/rules").text
    sent = {"kind": "escort", "per_hour": "15", "expires_months": "", "valid_from": today().isoformat()}
    assert client.post("/desk/volunteers/points/rules/new", data=sent).status_code == 422
    assert client.post("/desk/volunteers/points/rules/new", data=sent | {"source": "街道积分办法"}).status_code == 303
    assert "街道积分办法" in client.get("/desk/volunteers/points/rules").text
    rule = db.session.scalars(sa.select(PointRule)).one()
    page = f"/desk/volunteers/points/rules/{rule.id}/end"
    assert client.post(page, data={"last_day": today().isoformat(), "reason": ""}).status_code == 422
    assert client.post(page, data={"last_day": today().isoformat(), "reason": "换办法"}).status_code == 303
    assert make.read(rule).valid_to == today()


def test_a_months_publication_masks_names_and_counts_what_was_taken_back_against_itself(make, client: Client, me):
    order = asked(make, goods(make), me[0])
    asked(make, goods(make, "食用油", price=10), me[0])
    with transaction() as session:
        goods_orders.cancel(session.get_one(GoodsOrder, order.id), reason="", by=None)
    month = f"{today():%Y-%m}"
    for page in ("published", "published/print"):
        shown = client.get(f"/volunteers/points/{page}?community={make.community().code}&month={month}").text
        assert "王**" in shown or "王＊" in shown or "王*" in shown
        assert "王秀英" not in shown
        assert "得 100 分，用 10 分" in shown
    assert (
        "没有积分变动" in client.get(f"/volunteers/points/published?community={make.community('桃园社区').code}").text
    )


def test_no_community_no_publication(client: Client):
    assert "还没有社区" in client.get("/volunteers/points/published?month=2026-99").text
    assert client.get("/volunteers/points/published/print").status_code == 200


@pytest.mark.parametrize("count", [3, 12])
def test_lists_ask_no_more_for_more_rows(make, client: Client, me, count):
    for number in range(count):
        asked(make, goods(make, f"物品{number}", price=1), me[0])
        with_points(make.person(f"居民{number}"))
    client.sign_in(make.worker())
    for page in ("shop", "shop/orders", "points", f"points/people/{me[0].public_id}"):
        with count_queries() as sent:
            assert client.get(f"/desk/volunteers/{page}").status_code == 200
        assert len(sent) <= 8, (page, sent)
    client.sign_in(me[1])
    for page in ("shop", "shop/orders", "points"):
        with count_queries() as sent:
            assert client.get(f"/volunteers/{page}").status_code == 200
        assert len(sent) <= 8, (page, sent)


def test_points_near_their_day_are_said(make, client: Client):
    person = with_points(make.person(), 12, expires_on=date(2099, 12, 31))
    client.sign_in(make.resident(person))
    assert "12 分，2099年12月31日 到期" in client.get("/volunteers/points").text
    assert db.session.scalars(sa.select(PointEntry.kind)).all() == [EntryKind.EARNED]


def test_the_doors_say_what_waits_what_moved_and_what_is_kept_and_forget_old_orders(make, me):
    worker = actor_of(make.worker())
    order, kept = asked(make, goods(make), me[0]), asked(make, goods(make, "毛巾", price=5), me[0])
    assert [(todo.words, todo.count) for todo in point_doors.todo_of(worker)] == [("爱心超市待领取", 2)]
    assert point_doors.todo_of(actor_of(make.worker(scope=make.community("桃园社区")))) == []
    with transaction() as session:
        goods_orders.cancel(session.get_one(GoodsOrder, order.id), reason="不要了", by=worker)
    titles = [line.title for line in point_doors.timeline(me[0])]
    assert titles == ["撤销：大米 × 1", "毛巾 × 1", "大米 × 1"]
    own = point_doors.export(me[0])
    assert [row["积分"] for row in own if "积分记录" in row] == [100, -40, -5, 40]
    assert {row["积分兑换"]: row["状态"] for row in own if "积分兑换" in row} == {"大米": "已取消", "毛巾": "待领取"}
    with transaction():
        assert point_doors.purge(today()) == 0
        assert point_doors.purge(today() + timedelta(days=1)) == 1
    assert [row.id for row in db.session.scalars(sa.select(GoodsOrder))] == [kept.id]


def test_every_notice_about_points_has_its_words(make, me):
    worker = actor_of(make.worker())
    order, other = asked(make, goods(make), me[0]), asked(make, goods(make, "毛巾", price=5), me[0])
    with transaction() as session:
        goods_orders.cancel(session.get_one(GoodsOrder, order.id), reason=goods_orders.LAPSED, by=None)
        goods_orders.hand_over(session.get_one(GoodsOrder, other.id), other.code, by=worker)
        person = session.get_one(Person, me[0].id)
        for points in (5, -5):
            ledger.adjust_told(person, points, key=f"adjust:{points}", reason="测试", by=worker)
    said = [words_for(row.topic, row.facts) for row in db.session.scalars(sa.select(OutboxRow).order_by(OutboxRow.id))]
    titles = ["积分兑换好了", "积分兑换好了", "积分兑换已取消", "兑换的物品已领取", "积分有调整", "积分有调整"]
    assert [words.title for words in said] == titles
    assert "超过保留期" in said[2].body
    assert "增加 5 分" in said[4].body
    assert "减少 5 分" in said[5].body
