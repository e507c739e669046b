"""At the counter: finding an order in four ways, handing it over once, and taking a mistake back."""

import io
import threading
from datetime import timedelta

import pytest
import segno
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Role
from portal.meals.models import Meal, MealOrder, OrderState, Payment, Redemption, RedemptionMeans
from portal.meals.service import orders, redemption
from portal.meals.service.redemption import Handover
from tests.client import Client
from tests.make import Make
from tests.meals.stand import DAY, acting, booked, clock_at, heard

CASH = Handover(RedemptionMeans.CODE, Payment.CASH)


def _picture(text: str) -> io.BytesIO:
    file = io.BytesIO()
    segno.make_qr(text).save(file, kind="png", scale=6, border=4)
    file.seek(0)
    return file


def _redeem(make: Make, order: MealOrder, handover: Handover = CASH) -> Redemption:
    with transaction():
        return redemption.redeem(order, handover, by=acting(make.worker(Role.CANTEEN_OPERATOR, name="周洁")))


def test_redeeming_takes_the_payment_and_moves_the_order(make: Make) -> None:
    order = booked(make, make.menu(day=DAY), subsidy_fen=300, subsidised=True)
    with clock_at("11:20"):
        redeemed = _redeem(make, order)
    assert make.read(order).state is OrderState.COLLECTED
    assert (redeemed.paid_fen, redeemed.payment, redeemed.subsidised) == (900, Payment.CASH, True)


def test_a_meal_is_not_handed_over_twice_and_the_refusal_says_when_and_by_whom(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        _redeem(make, order)
    with clock_at("11:25"), pytest.raises(Refused, match=r"今天 11:20 由周洁核销"):
        _redeem(make, make.read(order))


def test_two_operators_at_once_hand_it_over_once(make: Make, app: Flask) -> None:
    menu = make.menu(day=DAY)
    first = acting(make.worker(Role.CANTEEN_OPERATOR, name="周洁"))
    second = acting(make.worker(Role.CANTEEN_OPERATOR, name="钱敏"))
    order_id = booked(make, menu).id
    db.session.rollback()
    together, results = threading.Barrier(2), []

    def serve(who: object) -> None:
        with app.app_context():
            # Both have looked at the order before either acts.
            order = db.session.get_one(MealOrder, order_id)
            redemption.trouble(order, clock.now())
            db.session.rollback()
            together.wait()
            try:
                with transaction():
                    redemption.redeem(db.session.get_one(MealOrder, order_id), CASH, by=who)  # type: ignore[arg-type]
                results.append("done")
            except Refused as refused:
                results.append(refused.message)

    with clock_at("11:20"):
        threads = [threading.Thread(target=serve, args=(who,)) for who in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(result == "done" for result in results) == [False, True]
    assert any("核销" in result for result in results)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Redemption)) == 1


def test_the_guard_holds_even_for_who_saw_the_order_booked(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    by = acting(make.worker(Role.CANTEEN_OPERATOR))
    with clock_at("11:20"):
        _redeem(make, order)
        # As a second operator's session, whose copy is from before, would act.
        sa.orm.attributes.set_committed_value(order, "state", OrderState.BOOKED)
        with pytest.raises(Refused, match="已在"):
            redemption.hand_over(order, CASH, by=by)


def test_a_double_click_is_answered_as_the_first(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    by = acting(make.worker(Role.CANTEEN_OPERATOR))
    twice = Handover(RedemptionMeans.QR, Payment.CASH, key="k1", body="b")
    with clock_at("11:20"):
        with transaction():
            first = redemption.redeem(order, twice, by=by).id
        with transaction():
            assert redemption.redeem(db.session.get_one(MealOrder, order.id), twice, by=by).id == first


def test_one_person_has_one_subsidised_redemption_a_meal(make: Make) -> None:
    person, other = make.person(), make.canteen("梧桐苑助餐点")
    here = booked(make, make.menu(day=DAY), person, subsidised=True)
    with clock_at("11:20"):
        _redeem(make, here)
        there = booked(make, make.menu(day=DAY, canteen=other), person)
        # The order's own index would refuse it; the counter's index must hold by itself.
        sa.orm.attributes.set_committed_value(there, "subsidised", True)
        by = acting(make.worker(Role.CANTEEN_OPERATOR, other))
        with pytest.raises(Refused, match="只能享受一次补贴"):
            redemption.hand_over(there, CASH, by=by)


def test_waiving_needs_a_reason(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        with pytest.raises(Refused, match="原因"):
            _redeem(make, order, Handover(RedemptionMeans.NAME, Payment.WAIVED))
        redeemed = _redeem(make, make.read(order), Handover(RedemptionMeans.NAME, Payment.WAIVED, "低保对象"))
    assert redeemed.paid_fen == 0


def test_the_window_opens_half_an_hour_before_the_meal(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("10:29"):
        assert "10:30 起可以核销" in redemption.trouble(order, clock.now())
    with clock_at("10:30"):
        assert redemption.trouble(order, clock.now()) == ""


def test_another_days_order_and_a_cancelled_one_are_refused_in_words(make: Make) -> None:
    tomorrow = booked(make, make.menu(day=DAY + timedelta(days=1)))
    yesterday = booked(make, make.menu(day=DAY - timedelta(days=1)))
    cancelled = booked(make, make.menu(day=DAY), state=OrderState.CANCELLED)
    with clock_at("11:20"):
        assert "还没到时间" in redemption.trouble(tomorrow, clock.now())
        assert "当天已过" in redemption.trouble(yesterday, clock.now())
        assert "已经取消" in redemption.trouble(cancelled, clock.now())


def test_a_no_show_who_comes_the_same_day_is_served_and_the_event_withdrawn(make: Make, app: Flask) -> None:
    order = booked(make, make.menu(day=DAY), state=OrderState.NO_SHOW)
    told = heard(app, "meals.collected_late")
    with clock_at("14:00"):
        _redeem(make, order)
    assert make.read(order).state is OrderState.COLLECTED
    assert [fact["order"] for fact in told] == [order.public_id]


def test_a_no_show_settled_after_the_page_was_read_withdraws_its_event_too(make: Make, app: Flask) -> None:
    order = booked(make, make.menu(day=DAY))
    told, by = heard(app, "meals.collected_late"), acting(make.worker(Role.CANTEEN_OPERATOR))
    with clock_at("14:00"), transaction() as session:
        read = session.get_one(MealOrder, order.id)
        settled = sa.update(MealOrder).values(state=OrderState.NO_SHOW)
        session.execute(settled, execution_options={"synchronize_session": False})
        redemption.redeem(read, CASH, by=by)
    assert [fact["order"] for fact in told] == [order.public_id]


def test_a_typed_code_is_found_in_any_case_with_spaces_and_full_width(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    code = order.pickup_code
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in code.lower())
    with clock_at("11:20"):
        for typed in (code.lower(), f"{code[:3]} {code[3:]}", f"{code[:3]}-{code[3:]}", wide):
            assert redemption.by_code(make.canteen(), typed) == ([order], RedemptionMeans.CODE)


@pytest.mark.parametrize("sign", ["0", "O", "1", "I", "L"])
def test_a_sign_that_no_code_holds_is_refused_with_a_hint(make: Make, sign: str) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"), pytest.raises(Refused, match="没有数字 0、1"):
        redemption.by_code(make.canteen(), order.pickup_code[:5] + sign)


def test_one_wrong_sign_finds_nobody_elses_order(make: Make) -> None:
    order = booked(make, make.menu(day=DAY), pickup_code="222222")
    assert order.pickup_code
    with clock_at("11:20"), pytest.raises(Refused, match="再看一遍"):
        redemption.by_code(make.canteen(), "Z22222")


def test_a_code_of_another_day_names_the_day(make: Make) -> None:
    order = booked(make, make.menu(day=DAY + timedelta(days=1)))
    with clock_at("11:20"), pytest.raises(Refused, match="6月10日"):
        redemption.by_code(make.canteen(), order.pickup_code)


@pytest.mark.parametrize(
    ("state", "away", "words"),
    [
        (OrderState.CANCELLED, 1, "^已取消：.*重新订"),
        (OrderState.CANCELLED, -1, "^已取消：.*重新订"),
        (OrderState.NO_SHOW, -1, "^未取餐：.*重新订"),
        (OrderState.COLLECTED, -1, "^已取餐：.*重新订"),
        (OrderState.BOOKED, -1, "当天已过"),
    ],
)
def test_what_became_of_another_days_order_is_said_first(make: Make, state: OrderState, away: int, words: str) -> None:
    order = booked(make, make.menu(day=DAY + timedelta(days=away)), state=state)
    with clock_at("11:20"):
        with pytest.raises(Refused, match=words):
            redemption.by_code(make.canteen(), order.pickup_code)
        assert "那一天再来" not in redemption.trouble(order, clock.now())
        assert "误操作" not in redemption.trouble(order, clock.now())


def test_a_qr_of_another_canteen_names_that_canteen(make: Make) -> None:
    order = booked(make, make.menu(day=DAY, canteen=make.canteen("梧桐苑助餐点")))
    with clock_at("11:20"), pytest.raises(Refused, match="梧桐苑助餐点"):
        redemption.by_code(make.canteen(), orders.pickup_token(order))


def test_a_typed_code_of_another_canteen_is_not_found_here(make: Make) -> None:
    order = booked(make, make.menu(day=DAY, canteen=make.canteen("梧桐苑助餐点")))
    with clock_at("11:20"), pytest.raises(Refused, match="没有找到"):
        redemption.by_code(make.canteen(), order.pickup_code)


def test_a_neighbouring_canteens_order_is_not_there(make: Make) -> None:
    order = booked(make, make.menu(day=DAY, canteen=make.canteen("梧桐苑助餐点")))
    with pytest.raises(Missing):
        redemption.order_in([make.canteen().scope], order.public_id)


def test_name_and_last_four_figures_find_todays_order(make: Make) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu, make.person("王秀英", phone="13800001234"))
    booked(make, menu, make.person("王秀英", phone="13800009999"))
    with clock_at("11:20"):
        assert redemption.by_name(make.canteen(), "王秀英", "1234") == [order]
        assert redemption.by_name(make.canteen(), "wxy", "1234") == [order]
        with pytest.raises(Refused, match="核对姓名"):
            redemption.by_name(make.canteen(), "李建国", "1234")


def test_undoing_makes_the_meal_redeemable_again(make: Make) -> None:
    order = booked(make, make.menu(day=DAY), subsidised=True)
    by = acting(make.worker(Role.CANTEEN_OPERATOR))
    with clock_at("11:20"):
        _redeem(make, order)
        with transaction():
            redemption.undo(make.read(order), "认错了人", by=by)
        assert make.read(order).state is OrderState.BOOKED
        _redeem(make, make.read(order))
    assert make.read(order).state is OrderState.COLLECTED


def test_a_redemption_is_undone_on_its_own_day_only(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        _redeem(make, order)
    with clock_at("08:00", DAY + timedelta(days=1)), pytest.raises(Refused, match="当天撤销"):
        redemption.undo(make.read(order), "认错了人", by=acting(make.worker(Role.CANTEEN_OPERATOR)))


def test_scanning_shows_the_order_and_writes_nothing(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY, dishes=[make.dish(name="红烧带鱼套餐")])
    order = booked(make, menu, make.person("王秀英", diet="low_salt"))
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        answer = client.get("/desk/meals/redeem", query_string={"code": orders.pickup_token(order)})
        assert answer.status_code == 303
        text = client.get(answer.headers["Location"]).text
    for words in ("王秀英", "红烧带鱼套餐", "低盐", "¥12.00"):
        assert words in text
    assert make.read(order).state is OrderState.BOOKED


def test_the_counter_redeems_and_shows_it_among_the_latest(make: Make, client: Client) -> None:
    order = booked(make, make.menu(day=DAY), make.person("王秀英"))
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR, name="周洁"))
        said = {"means": "qr", "payment": "card", "idem": "k"}
        assert client.post(f"/desk/meals/redeem/{order.public_id}", data=said).status_code == 303
        text = client.get("/desk/meals/redeem").text
        assert "周洁" in text
        again = client.post(f"/desk/meals/redeem/{order.public_id}", data={**said, "idem": "k2"})
        assert again.status_code == 422
        assert "不能再取" in again.text
    redeemed = db.session.scalars(sa.select(Redemption)).one()
    assert (redeemed.means, redeemed.payment) == (RedemptionMeans.QR, Payment.CARD)


def test_a_photograph_of_the_code_is_read(make: Make, client: Client) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        said = {"by": "photo", "photo": (_picture(orders.pickup_token(order)), "qr.png")}
        answer = client.post("/desk/meals/redeem", data=said, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert order.public_id in answer.headers["Location"]


def test_what_is_no_photograph_is_refused_beside_its_field(make: Make, client: Client) -> None:
    make.menu(day=DAY)
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        for body, words in ((b"no picture", "不是能打开的图片"), (_blank(), "没有认出二维码")):
            said = {"by": "photo", "photo": (io.BytesIO(body), "qr.png")}
            answer = client.post("/desk/meals/redeem", data=said, content_type="multipart/form-data")
            assert answer.status_code == 422
            assert words in answer.text
        nothing = client.post("/desk/meals/redeem", data={"by": "photo"})
        assert nothing.status_code == 422
        assert "请选一张照片" in nothing.text


def _blank() -> bytes:
    file = io.BytesIO()
    Image.new("L", (60, 60), 255).save(file, "PNG")
    return file.getvalue()


def test_name_and_figures_are_posted_and_lead_to_the_order(make: Make, client: Client) -> None:
    order = booked(make, make.menu(day=DAY), make.person("王秀英", phone="13800001234"))
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        found = client.post("/desk/meals/redeem", data={"by": "name", "name": "王秀英", "tail": "1234"})
        assert order.public_id in found.headers["Location"]
        wrong = client.post("/desk/meals/redeem", data={"by": "name", "name": "王秀英", "tail": "12a4"})
        assert wrong.status_code == 422
        assert "4 位数字" in wrong.text
        assert "王秀英" in wrong.text


def test_two_meals_of_a_day_are_offered_to_choose(make: Make, client: Client) -> None:
    person = make.person("王秀英", phone="13800001234")
    booked(make, make.menu(day=DAY), person)
    booked(make, make.menu(day=DAY, meal=Meal.DINNER), person)
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        text = client.post("/desk/meals/redeem", data={"by": "name", "name": "王秀英", "tail": "1234"}).text
    assert "找到 2 份订餐" in text


def test_an_unknown_code_answers_422_and_keeps_what_was_typed(make: Make, client: Client) -> None:
    make.menu(day=DAY)
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        answer = client.get("/desk/meals/redeem?code=ABC123")
    assert answer.status_code == 422
    assert 'value="ABC123"' in answer.text


def test_only_the_counters_page_may_use_the_camera(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    order = booked(make, menu)
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert "camera=(self)" in client.get("/desk/meals/redeem").headers["Permissions-Policy"]
    other = client.get(f"/desk/meals/redeem/{order.public_id}")
    assert "camera=()" in other.headers["Permissions-Policy"]


def test_undoing_asks_for_a_reason(make: Make, client: Client) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        _redeem(make, order)
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        address = f"/desk/meals/redeem/{order.public_id}/undo"
        assert ">¥12.00</span>" in client.get(address).text
        assert client.post(address, data={"reason": ""}).status_code == 422
        assert client.post(address, data={"reason": "认错了人"}).status_code == 303
    assert make.read(order).state is OrderState.BOOKED


def test_a_neighbours_order_answers_404_on_every_page_of_the_counter(make: Make, client: Client) -> None:
    order = booked(make, make.menu(day=DAY, canteen=make.canteen("邻村助餐点", make.community("邻村"))))
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR, make.canteen()))
    for address in (f"/desk/meals/redeem/{order.public_id}", f"/desk/meals/redeem/{order.public_id}/undo"):
        assert client.get(address).status_code == 404
        assert client.post(address, data={"payment": "cash", "reason": "x"}).status_code == 404
    assert make.read(order).state is OrderState.BOOKED


def test_the_counter_of_a_day_tells_collected_from_waiting(make: Make) -> None:
    menu = make.menu(day=DAY)
    for name, state in zip("甲乙丙丁", OrderState, strict=True):
        booked(make, menu, make.person(name), state=state)
    with clock_at("11:20"):
        counter = redemption.counters(make.canteen(), DAY)[0]
    assert (counter.ordered, counter.collected, counter.waiting, counter.no_show) == (3, 1, 1, 1)
