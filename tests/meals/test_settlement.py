"""After the meal: no-shows, the paper list of an outage, and subsidies of meals nobody ate."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import clock
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.meals import jobs
from portal.meals.models import MealOrder, Menu, OrderState, Payment, Redemption, RedemptionMeans
from portal.meals.models.subsidies import PayerLevel, SubsidyKind, SubsidyLine, SubsidyRule
from portal.meals.service import redemption, settlement
from portal.meals.service.settlement import Ticked
from tests.client import Client
from tests.make import Make
from tests.meals.stand import DAY, acting, booked, clock_at, heard
from tests.visitor import words_shown


def _enter(make: Make, menu: Menu, *ticked: MealOrder, paid: Ticked = Ticked()) -> settlement.Entered:  # noqa: B008
    with transaction():
        fresh = db.session.get_one(Menu, menu.id)
        by = acting(make.worker(Role.CANTEEN_OPERATOR))
        return settlement.enter_list(fresh, {order.public_id: paid for order in ticked}, by=by)


def _declare(menu: Menu) -> None:
    with transaction():
        settlement.declare_outage(db.session.get_one(Menu, menu.id))


def test_nobody_is_a_no_show_before_half_an_hour_after_closing(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("12:59"):
        jobs.settle()
    assert make.read(order).state is OrderState.BOOKED


def test_half_an_hour_after_closing_whoever_did_not_come_is_a_no_show_with_one_event_each(
    make: Make, app: Flask
) -> None:
    menu, told = make.menu(day=DAY), heard(app, "meals.not_collected")
    missed = [booked(make, menu, make.person(name)) for name in ("王秀英", "李建国")]
    came = booked(make, menu, make.person("赵敏"), state=OrderState.COLLECTED)
    gone = booked(make, menu, make.person("孙立"), state=OrderState.CANCELLED)
    with clock_at("13:00"):
        jobs.settle()
    assert {make.read(order).state for order in missed} == {OrderState.NO_SHOW}
    assert make.read(came).state is OrderState.COLLECTED
    assert make.read(gone).state is OrderState.CANCELLED
    assert [fact["order"] for fact in told] == [order.public_id for order in missed]
    assert told[0]["person"] == missed[0].person.ref
    assert (told[0]["day"], told[0]["meal"], told[0]["way"]) == (DAY, "lunch", "dine_in")
    assert [fact["fed"] for fact in told] == [False, False]


def test_the_event_says_who_was_handed_the_same_meal_at_another_counter(make: Make, app: Flask) -> None:
    menu, told = make.menu(day=DAY), heard(app, "meals.not_collected")
    other = make.menu(canteen=make.canteen("东门助餐点"), day=DAY)
    person = make.person("王秀英")
    booked(make, menu, person)
    booked(make, other, person, state=OrderState.COLLECTED)
    with clock_at("13:00"):
        jobs.settle()
    assert [fact["fed"] for fact in told] == [True]


def test_settling_again_changes_and_tells_nothing(make: Make, app: Flask) -> None:
    order, told = booked(make, make.menu(day=DAY)), heard(app, "meals.not_collected")
    with clock_at("13:00"):
        jobs.settle()
        jobs.settle()
        with transaction():
            assert settlement.settle(order.menu_id) == 0
    assert len(told) == 1
    assert len(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "meals.no_show")).all()) == 1


def test_a_menu_that_was_missed_is_swept_up_later(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("06:00", DAY + timedelta(days=2)):
        jobs.settle()
    assert make.read(order).state is OrderState.NO_SHOW


def test_the_minutes_are_a_parameter(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("12:45"):
        with transaction():
            settlement.settings.put("meals.no_show_minutes", 15, valid_from=DAY, by="x")
        jobs.settle()
    assert make.read(order).state is OrderState.NO_SHOW


def test_an_outage_postpones_until_the_list_is_entered(make: Make, app: Flask) -> None:
    menu, told = make.menu(day=DAY), heard(app, "meals.not_collected")
    came, missed = booked(make, menu, make.person("王秀英")), booked(make, menu, make.person("李建国"))
    with clock_at("11:30"):
        _declare(menu)
    with clock_at("15:00"):
        jobs.settle()
        assert make.read(missed).state is OrderState.BOOKED
        entered = _enter(make, menu, came)
    assert (entered.collected, entered.missed) == (1, 1)
    assert make.read(came).state is OrderState.COLLECTED
    assert make.read(missed).state is OrderState.NO_SHOW
    assert [fact["order"] for fact in told] == [missed.public_id]


def test_a_menu_under_an_outage_is_neither_due_nor_settled(make: Make) -> None:
    menu = make.menu(day=DAY)
    booked(make, menu)
    with clock_at("11:30"):
        _declare(menu)
    with clock_at("15:00"):
        assert settlement.due(clock.now()) == []
        with transaction():
            assert settlement.settle(menu.id) == 0


def test_a_list_entered_before_closing_makes_no_no_shows_yet(make: Make) -> None:
    menu = make.menu(day=DAY)
    missed = booked(make, menu)
    with clock_at("12:00"):
        _declare(menu)
        _enter(make, menu)
        assert make.read(missed).state is OrderState.BOOKED
    with clock_at("13:00"):
        jobs.settle()
    assert make.read(missed).state is OrderState.NO_SHOW


def test_an_outage_whose_list_never_came_is_settled_when_it_can_no_longer_come(make: Make) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu)
    with clock_at("11:30"):
        _declare(menu)
    with clock_at("23:50", DAY + timedelta(days=3)):
        jobs.settle()
        assert make.read(order).state is OrderState.BOOKED
    with clock_at("00:10", DAY + timedelta(days=4)):
        jobs.settle()
        assert make.read(order).state is OrderState.NO_SHOW
        with pytest.raises(Refused, match="期限"):
            _enter(make, menu, order)


def test_a_late_list_withdraws_the_no_show_with_an_event(make: Make, app: Flask) -> None:
    menu, told = make.menu(day=DAY), heard(app, "meals.collected_late")
    late, missed = booked(make, menu, make.person("王秀英")), booked(make, menu, make.person("李建国"))
    with clock_at("13:00"):
        jobs.settle()
    with clock_at("16:00"):
        entered = _enter(make, menu, late)
    assert entered.collected == 1
    assert make.read(late).state is OrderState.COLLECTED
    assert make.read(missed).state is OrderState.NO_SHOW
    assert [fact["order"] for fact in told] == [late.public_id]


def test_entering_a_list_twice_redeems_once(make: Make) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu)
    with clock_at("15:00"):
        _enter(make, menu, order)
        again = _enter(make, menu, order)
    assert (again.collected, again.before) == (0, 1)
    redeemed = db.session.scalars(sa.select(Redemption)).one()
    assert (redeemed.means, redeemed.paid_fen) == (RedemptionMeans.OUTAGE_LIST, 1200)


def test_a_tick_on_a_cancelled_order_is_counted_and_not_redeemed(make: Make) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu, state=OrderState.CANCELLED)
    with clock_at("15:00"):
        assert _enter(make, menu, order).cancelled == 1
    assert make.read(order).state is OrderState.CANCELLED


def test_one_bad_line_leaves_the_whole_list_unentered(make: Make) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu)
    with clock_at("15:00"), pytest.raises(Refused, match="原因"):
        _enter(make, menu, order, paid=Ticked(Payment.WAIVED))
    assert make.read(order).state is OrderState.BOOKED
    assert make.read(menu).outage_entered_at is None


def test_another_menus_order_cannot_be_ticked(make: Make) -> None:
    menu = make.menu(day=DAY)
    foreign = booked(make, make.menu(day=DAY, canteen=make.canteen("梧桐苑助餐点")))
    with clock_at("15:00"), pytest.raises(Missing):
        _enter(make, menu, foreign)


def test_an_undone_redemption_is_settled_again(make: Make, app: Flask) -> None:
    order, told = booked(make, make.menu(day=DAY)), heard(app, "meals.not_collected")
    by = acting(make.worker(Role.CANTEEN_OPERATOR))
    with clock_at("12:00"), transaction():
        redemption.redeem(order, redemption.Handover(RedemptionMeans.CODE, Payment.CASH), by=by)
    with clock_at("13:00"):
        jobs.settle()
        with transaction():
            redemption.undo(db.session.get_one(MealOrder, order.id), "认错了人", by=by)
        jobs.settle()
    assert make.read(order).state is OrderState.NO_SHOW
    assert [fact["order"] for fact in told] == [order.public_id]


def test_an_outage_is_not_declared_for_a_day_to_come(make: Make) -> None:
    menu = make.menu(day=DAY + timedelta(days=1))
    with clock_at("11:00"), pytest.raises(Refused, match="还没到"):
        _declare(menu)


def test_the_subsidy_of_a_meal_nobody_ate_is_taken_back_once_no_list_can_come(make: Make) -> None:
    rule = make.add(
        SubsidyRule(
            scheme="test",
            name="每餐减 3 元",
            payer=PayerLevel.CITY,
            kind=SubsidyKind.REDUCTION,
            amount_fen=300,
            valid_from=DAY,
        )
    )
    order = booked(make, make.menu(day=DAY), subsidy_fen=300, subsidised=True)
    facts = {
        "rule_id": rule.id,
        "payer": rule.payer,
        "amount_fen": 300,
        "sentence": "减 3 元",
        "granted_at": clock.now(),
    }
    line = make.add(SubsidyLine(order_id=order.id, **facts))
    with clock_at("13:00"):
        jobs.settle()
    with clock_at("02:20", DAY + timedelta(days=3)):
        jobs.take_back_subsidies()
        assert make.read(line).reversed_at is None
    with clock_at("02:20", DAY + timedelta(days=4)):
        jobs.take_back_subsidies()
        jobs.take_back_subsidies()
    assert make.read(line).reversed_at is not None


def test_the_subsidy_of_a_meal_that_was_collected_after_all_stays(make: Make) -> None:
    order = booked(make, make.menu(day=DAY), state=OrderState.COLLECTED, subsidy_fen=300, subsidised=True)
    with transaction():
        assert settlement.take_back_subsidy(order.id) == 0
    assert "meals.subsidy_taken_back" not in db.session.scalars(sa.select(AuditRow.action)).all()


def test_the_outage_page_enters_who_is_ticked(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    came, missed = booked(make, menu, make.person("王秀英")), booked(make, menu, make.person("李建国"))
    with clock_at("15:00"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        client.post(f"/desk/meals/kitchen/{menu.id}/declare-outage")
        assert make.read(menu).awaits_outage_list
        address = f"/desk/meals/kitchen/{menu.id}/outage"
        assert "李建国" in client.get(address).text
        said = {
            "rows-0-order": came.public_id,
            "rows-0-ticked": "y",
            "rows-0-payment": "card",
            "rows-1-order": missed.public_id,
            "rows-1-payment": "cash",
        }
        assert client.post(address, data=said).status_code == 303
        assert "未取餐" in client.get(address).text
    assert make.read(came).state is OrderState.COLLECTED
    assert make.read(missed).state is OrderState.NO_SHOW


def test_once_settled_the_page_no_longer_foretells_it_and_offers_no_outage(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    booked(make, menu)
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    with clock_at("12:59"):
        assert "13:00会把没核销的人记为未取餐" in words_shown(client.get("/desk/meals/kitchen").text)
    with clock_at("13:01"):
        jobs.settle()
        page = words_shown(client.get("/desk/meals/kitchen").text)
    assert "没核销的人已经记为未取餐" in page
    assert "登记断网" not in page
    assert "补录纸质名单" in page


def test_a_refused_line_of_the_page_answers_422_and_writes_nothing(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu)
    with clock_at("15:00"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        said = {"rows-0-order": order.public_id, "rows-0-ticked": "y", "rows-0-payment": "waived"}
        answer = client.post(f"/desk/meals/kitchen/{menu.id}/outage", data=said)
    assert answer.status_code == 422
    assert make.read(order).state is OrderState.BOOKED


def test_a_refused_list_shows_nobody_as_handed_over_and_keeps_every_tick(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    first, bad = booked(make, menu, make.person("安小红")), booked(make, menu, make.person("王秀英"))
    said = {
        "rows-0-order": first.public_id,
        "rows-0-ticked": "y",
        "rows-0-payment": "card",
        "rows-1-order": bad.public_id,
        "rows-1-ticked": "y",
        "rows-1-payment": "waived",
    }
    with clock_at("15:00"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        answer = client.post(f"/desk/meals/kitchen/{menu.id}/outage", data=said)
        assert answer.status_code == 422
        ticks = re.findall(r'<input[^>]*type="checkbox"[^>]*>', answer.text)
        assert [" checked" in tick for tick in ticks] == [True, True]
        summary = answer.text.partition("error-summary")[2].partition("</ul>")[0]
        assert summary.count("王秀英：免收请写明原因") == 1
        assert re.findall(r'<input[^>]*aria-invalid="true"[^>]*name="([^"]*)"', answer.text) == ["rows-1-reason"]
        mended = client.post(f"/desk/meals/kitchen/{menu.id}/outage", data={**said, "rows-1-reason": "社区垫付"})
        assert mended.status_code == 303
    assert [make.read(order).state for order in (first, bad)] == [OrderState.COLLECTED, OrderState.COLLECTED]
