"""Points pay a meal at the counter: the eater's own or her family agent's, whole points, back when it is undone."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.core.settings import Parameter
from portal.core.web import full_day
from portal.identity.permissions import Role
from portal.meals.models import OrderState, Payment, RedemptionMeans
from portal.meals.service import paying, redemption
from portal.meals.service.redemption import Handover
from portal.notifications.wording import words_for
from portal.points.service import ledger
from portal.registry.models import AgentState, FamilyAgent
from tests.meals.stand import DAY, acting, booked, clock_at


def with_points(person, points=100):
    with transaction():
        key = f"record:{person.public_id}:1"
        ledger.earn(person, points, key=key, words="老人送餐", expires_on=None, by=None)
    return person


def points_of(person):
    db.session.rollback()
    return ledger.balance(person).points


def daughter_of(make, mother, *, actions="meals.order", until=DAY + timedelta(days=30), points=100):
    person = with_points(make.person("李小红", born=date(1975, 1, 1)), points)
    account = make.resident(person)
    facts = {"principal_name": mother.name, "relation": "女儿", "actions": actions, "state": AgentState.ACCEPTED}
    with clock_at("08:00"):
        days = {"until": until, "requested_at": account.created_at}
        make.add(FamilyAgent(account_id=account.id, person_id=mother.id, **facts, **days))
    return person


def redeem(make, order, payer="", points=None, payment=Payment.CASH):
    said = Handover(RedemptionMeans.CODE, payment, "低保" * (payment is Payment.WAIVED), payer=payer, points=points)
    with clock_at("11:20"), transaction():
        by = acting(make.worker(Role.CANTEEN_OPERATOR, name="周洁"))
        return redemption.redeem(make.read(order), said, by=by)


def test_points_pay_what_they_can_and_the_rest_is_money(make):
    order = booked(make, make.menu(day=DAY), subsidy_fen=350, subsidised=True)
    with_points(order.person)
    redeemed = redeem(make, order, order.person.public_id)
    assert (redeemed.points, redeemed.points_fen, redeemed.paid_fen, redeemed.payment) == (8, 800, 50, Payment.CASH)
    assert points_of(order.person) == 92


def test_points_that_pay_it_all_are_the_payment(make):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person)
    redeemed = redeem(make, order, order.person.public_id)
    assert (redeemed.points, redeemed.paid_fen, redeemed.payment) == (12, 0, Payment.POINTS)
    assert redeemed.points_payer_id == order.person_id


def test_a_part_is_paid_where_a_part_is_said_or_no_more_is_there(make):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person, 5)
    redeemed = redeem(make, order, order.person.public_id, 3, Payment.CARD)
    assert (redeemed.points, redeemed.paid_fen, redeemed.payment) == (3, 900, Payment.CARD)
    assert points_of(order.person) == 2


@pytest.mark.parametrize(("points", "asked"), [(5, 6), (100, 13), (100, 0)])
def test_more_than_there_is_or_than_is_to_pay_is_refused_and_nothing_moves(make, points, asked):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person, points)
    with pytest.raises(Refused, match="最多可以用"):
        redeem(make, order, order.person.public_id, asked)
    assert points_of(order.person) == points
    assert make.read(order).state is OrderState.BOOKED


def test_points_of_nobody_are_not_taken_for_money(make):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person)
    with pytest.raises(Refused, match="还没选用谁的积分"):
        redeem(make, order, "", 3)
    assert make.read(order).state is OrderState.BOOKED


def test_a_family_agents_points_pay_for_her_mother_and_she_is_told(make):
    order = booked(make, make.menu(day=DAY))
    daughter = daughter_of(make, order.person)
    redeemed = redeem(make, order, daughter.public_id)
    assert (redeemed.points, redeemed.points_payer_id) == (12, daughter.id)
    assert points_of(daughter) == 88
    told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "meals.paid_with_points")).one()
    assert (told.recipient_id, told.facts["points"]) == (daughter.public_id, 12)
    said = words_for(told.topic, told.facts).body
    assert "用了您的 12 个志愿积分" in said
    assert full_day(DAY) in said


@pytest.mark.parametrize("agent", [{"actions": "cases.report"}, {"until": DAY - timedelta(days=1)}])
def test_who_may_not_order_for_her_today_does_not_pay_for_her(make, agent):
    order = booked(make, make.menu(day=DAY))
    daughter = daughter_of(make, order.person, **agent)
    with pytest.raises(Refused, match="换一种付法"):
        redeem(make, order, daughter.public_id)
    assert points_of(daughter) == 100


def test_a_strangers_points_pay_for_nobody(make):
    order = booked(make, make.menu(day=DAY))
    stranger = with_points(make.person("孙强"))
    with pytest.raises(Refused, match="换一种付法"):
        redeem(make, order, stranger.public_id)


def test_a_meal_that_is_waived_takes_no_points(make):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person)
    with pytest.raises(Refused, match="免收"):
        redeem(make, order, order.person.public_id, payment=Payment.WAIVED)


def test_a_handover_taken_back_returns_the_points_and_can_be_paid_anew(make):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person)
    redeem(make, order, order.person.public_id)
    with clock_at("11:30"), transaction():
        by = acting(make.worker(Role.CANTEEN_OPERATOR))
        redemption.undo(make.read(order), "按错了", by=by)
    assert points_of(order.person) == 100
    redeem(make, order, order.person.public_id, 2)
    assert points_of(order.person) == 98


@pytest.mark.parametrize(("rate", "most"), [(50, [24]), (700, [1]), (0, [])])
def test_what_a_point_is_worth_is_a_setting_and_nothing_pays_nothing(make, rate, most):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person)
    facts = {"valid_from": date(2020, 1, 1), "set_at": order.placed_at, "set_by": "周洁"}
    make.add(Parameter(key=paying.RATE, value=rate, **facts))
    with clock_at("11:20"):
        assert [payer.most for payer in paying.payers(order)] == most


def test_the_counter_offers_points_only_to_who_has_them(make, client):
    order = booked(make, make.menu(day=DAY))
    page = f"/desk/meals/redeem/{order.public_id}"
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR, scope=order.menu.canteen))
        assert "志愿积分" not in client.get(page).text
        with_points(order.person)
        daughter_of(make, order.person)
        shown = client.get(page).text
        assert "王秀英本人，最多 12 分" in shown
        assert "家人李小红，最多 12 分" in shown
        assert "100" not in shown.partition("家人")[2][:40]
        sent = {"payment": "cash", "payer": order.person.public_id, "points": "5", "means": "code", "idem": "k1"}
        for _turn in range(2):
            assert client.post(page, data=sent).status_code == 303
        assert points_of(order.person) == 95
        assert "积分 5 分" in client.get(f"/desk/meals/redeem?canteen={order.menu.canteen_id}").text
        undo = f"{page}/undo"
        assert "5 分" in client.get(undo).text
        assert client.post(undo, data={"reason": "按错了"}).status_code == 303
    assert points_of(order.person) == 100
    assert "meals.redemption_undone" in set(db.session.scalars(sa.select(AuditRow.action)))


def test_nobody_posts_points_as_money(make, client):
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR, scope=order.menu.canteen))
        sent = {"payment": "points", "means": "code", "idem": "k1"}
        assert client.post(f"/desk/meals/redeem/{order.public_id}", data=sent).status_code == 422
    assert make.read(order).state is OrderState.BOOKED


def test_a_refused_number_of_points_leaves_the_form_to_mend(make, client):
    order = booked(make, make.menu(day=DAY))
    with_points(order.person)
    said = {"payment": "cash", "payer": order.person.public_id, "points": "99"}
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        answer = client.post(f"/desk/meals/redeem/{order.public_id}", data=said)
    assert answer.status_code == 422
    assert "最多可以用" in answer.text
    assert 'name="points"' in answer.text
    assert "不能再取" not in answer.text
    assert "已取餐" not in answer.text
