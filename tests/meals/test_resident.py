"""The resident's pages: menus, ordering for oneself and one's mother, one's orders, changing and cancelling."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import files
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.demo import schemes
from portal.identity.permissions import Role
from portal.meals.models import MealOrder, Menu, MenuState, OrderState, PayerLevel, Payment, RedemptionMeans
from portal.meals.service import orders, redemption
from portal.places.models import Capacity
from portal.registry.models import AgentState, FamilyAgent
from tests.days import day_sent
from tests.meals.stand import acting, booked


@pytest.fixture
def mother(make):
    return make.person("王秀英")


@pytest.fixture
def signed(make, client, mother):
    """The mother's own browser."""
    return client.sign_in(make.resident(mother))


@pytest.fixture
def daughter(make, client, mother):
    """The browser of the daughter, accepted as her mother's family agent."""
    account = make.resident(make.person("李小红", born=today().replace(year=1975, month=1, day=1)))
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
    return client.sign_in(account)


def subsidy(make, **shape):
    columns = {"payer": PayerLevel.CITY, "amount_fen": 500, "age_from": 60} | shape
    return make.add(schemes._rule("测试", "长者午餐补贴", "", "测试", **columns))


def form(menu, count=1, **more):
    return {f"dish_{menu.dishes[0].id}": count, "way": "dine_in", "idem": "key-of-the-form"} | more


def only_order():
    return db.session.scalars(sa.select(MealOrder)).one()


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))


def test_the_menus_show_price_after_subsidies_portions_and_cutoff(make, signed):
    subsidy(make)
    canteen = make.canteen()
    make.menu(dishes=[make.dish(canteen, name="红烧带鱼套餐", diets=["low_sugar"], allergens=["鱼"])], portions=3)
    page = text_of(signed.get(f"/meals/?day={day_sent(1)}"))
    for words in ("红烧带鱼套餐", "补贴后约 ¥7.00", "还剩 3 份", "明天 09:00 截止", "低糖", "含鱼", "订这一餐"):
        assert words in page


def test_the_menus_open_on_the_first_day_that_still_takes_orders(make, signed):
    make.menu(day=today() + timedelta(days=2))
    assert "订这一餐" in text_of(signed.get("/meals/"))


def test_a_day_without_menus_says_what_to_do(signed):
    assert "这一天没有菜单" in text_of(signed.get("/meals/"))


def test_a_sold_out_menu_offers_no_order(make, signed):
    make.menu(portions=0)
    page = text_of(signed.get(f"/meals/?day={day_sent(1)}"))
    assert "已订完" in page
    assert "订这一餐" not in page


def test_drafts_are_not_shown(make, signed):
    menu = make.menu(state=MenuState.DRAFT)
    assert "这一天没有菜单" in text_of(signed.get(f"/meals/?day={day_sent(1)}"))
    assert signed.get(f"/meals/{menu.id}/order").status_code == 404


def test_an_account_without_a_person_may_look_but_is_told_to_wait(make, client):
    menu, browser = make.menu(), client.sign_in(make.resident())
    shown = browser.get(f"/meals/?day={day_sent(1)}")
    page = text_of(shown)
    assert "身份核对好以后就可以订餐" in page
    assert f"电话：{make.canteen().phone}" in page
    # Whether it still waits or was sent back stands on the page of the identity.
    assert 'href="/people/identity"' in shown.get_data(as_text=True)
    assert "订这一餐" not in page
    assert browser.post(f"/meals/{menu.id}/order", data=form(menu)).status_code == 422


def test_the_order_page_prices_what_its_address_asks_without_writing(make, signed):
    subsidy(make)
    menu = make.menu()
    page = signed.get(
        f"/meals/{menu.id}/order?dish_{menu.dishes[0].id}=2&way=dine_in",
        headers={"HX-Request": "true", "HX-Target": "quote"},
    )
    assert "<html" not in page.get_data(as_text=True)
    for words in ("× 2", "长者午餐补贴", "-¥5.00", "取餐时付 ¥19.00"):
        assert words in text_of(page)
    assert db.session.scalars(sa.select(MealOrder)).all() == []


def test_the_order_page_says_about_what_is_left_to_pay_as_the_menu_does(make, signed):
    subsidy(make)
    menu = make.menu()
    for address in (f"/meals/?day={day_sent(1)}", f"/meals/{menu.id}/order"):
        assert "原价 ¥12.00 补贴后约 ¥7.00" in text_of(signed.get(address)), address


def test_without_scripts_a_button_works_out_the_price_and_writes_nothing(make, signed):
    menu = make.menu()
    page = signed.post(f"/meals/{menu.id}/order", data=form(menu, quote="1"))
    assert page.status_code == 200
    assert "取餐时付 ¥12.00" in text_of(page)
    assert db.session.scalars(sa.select(MealOrder)).all() == []


def test_an_order_leads_to_its_page_with_qr_and_code(make, signed):
    menu = make.menu()
    answer = signed.post(f"/meals/{menu.id}/order", data=form(menu))
    assert answer.status_code == 303
    order = only_order()
    page = signed.get(answer.location)
    assert order.pickup_code in text_of(page)
    assert "<svg" in page.get_data(as_text=True)
    assert "代订" not in text_of(page)


def test_a_resent_form_leads_to_the_same_order(make, signed):
    menu = make.menu()
    first, again = (signed.post(f"/meals/{menu.id}/order", data=form(menu)) for _time in range(2))
    assert first.location == again.location
    assert make.read(menu.dishes[0].capacity).taken == 1


def test_another_content_under_the_same_key_answers_409(make, signed):
    menu = make.menu()
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    assert signed.post(f"/meals/{menu.id}/order", data=form(menu, 2)).status_code == 409


def test_a_refused_order_keeps_what_was_chosen_and_writes_nothing(make, signed):
    subsidy(make, times_per_day=1)
    menu = make.menu(portions=1)
    page = signed.post(f"/meals/{menu.id}/order", data=form(menu, 2, note="少油"))
    assert page.status_code == 422
    assert "只剩 1 份" in text_of(page)
    assert "少油" in text_of(page)
    assert "长者午餐补贴" in text_of(page), "the subsidy is still hers"
    assert "用完" not in text_of(page)
    assert make.read(menu.dishes[0].capacity).taken == 0
    for model in (MealOrder, OutboxRow):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(model)) == 0


@pytest.mark.parametrize("bad", [{"way": ""}, {"way": "drone"}, {"note": "长" * 61}, {"count": "x"}, {"count": "-1"}])
def test_bad_input_answers_422(make, signed, bad):
    menu = make.menu()
    data = form(menu, bad.pop("count", 1)) | bad
    assert signed.post(f"/meals/{menu.id}/order", data=data).status_code == 422


def test_after_the_cutoff_the_page_says_so_and_refuses(make, signed):
    menu = make.menu(cutoff=now() - timedelta(minutes=1))
    assert "已截止订餐" in text_of(signed.get(f"/meals/{menu.id}/order"))
    assert signed.post(f"/meals/{menu.id}/order", data=form(menu)).status_code == 422


def test_a_menu_already_ordered_from_leads_to_that_order(make, signed):
    menu = make.menu()
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    page = signed.get(f"/meals/{menu.id}/order").get_data(as_text=True)
    assert f"/meals/orders/{only_order().public_id}" in page


def test_a_daughter_orders_for_her_mother_at_her_mothers_price(make, daughter, mother):
    subsidy(make)
    menu = make.menu()
    menus = text_of(daughter.get(f"/meals/?day={day_sent(1)}&person={mother.public_id}"))
    assert "给李小红订" in menus
    assert "给王秀英订" in menus
    assert "补贴后约 ¥7.00" in menus
    answer = daughter.post(f"/meals/{menu.id}/order?person={mother.public_id}", data=form(menu))
    order = only_order()
    assert (order.person_id, order.placed_by_name, order.pay_fen) == (mother.id, "李小红", 700)
    assert "王秀英" in text_of(daughter.get(answer.location))


def test_the_mother_sees_who_ordered_for_her(make, app, daughter, mother):
    menu = make.menu()
    answer = daughter.post(f"/meals/{menu.id}/order?person={mother.public_id}", data=form(menu))
    hers = app.test_client().sign_in(make.resident(mother))
    assert "由李小红代订" in text_of(hers.get(answer.location))


def test_ordering_for_a_stranger_is_404(make, signed):
    menu, stranger = make.menu(), make.person("陈美珍")
    for address in (f"/meals/?person={stranger.public_id}", f"/meals/{menu.id}/order?person={stranger.public_id}"):
        assert signed.get(address).status_code == 404
    assert signed.post(f"/meals/{menu.id}/order?person={stranger.public_id}", data=form(menu)).status_code == 404


def test_a_neighbours_order_is_404_on_every_page(make, app, signed):
    menu = make.menu()
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    address = f"/meals/orders/{only_order().public_id}"
    neighbour = app.test_client().sign_in(make.resident(make.person("陈美珍")))
    for ending in ("", "/change", "/cancel"):
        assert neighbour.get(address + ending).status_code == 404
        assert signed.get(address + ending).status_code == 200
    assert neighbour.post(f"{address}/change", data=form(menu, 2)).status_code == 404
    assert neighbour.post(f"{address}/cancel").status_code == 404
    assert only_order().state is OrderState.BOOKED


def test_an_ended_agent_no_longer_sees_the_order(make, daughter, mother):
    menu = make.menu()
    answer = daughter.post(f"/meals/{menu.id}/order?person={mother.public_id}", data=form(menu))
    with transaction() as session:
        session.execute(sa.update(FamilyAgent).values(state=AgentState.ENDED))
    assert daughter.get(answer.location).status_code == 404


def test_ones_orders_are_listed_coming_and_past(make, signed):
    coming, past = make.menu(), make.menu(day=today() + timedelta(days=2))
    for menu in (coming, past):
        signed.post(f"/meals/{menu.id}/order", data=form(menu, idem=f"key-{menu.id}"))
    gone = db.session.scalars(sa.select(MealOrder).where(MealOrder.menu_id == past.id)).one()
    signed.post(f"/meals/orders/{gone.public_id}/cancel")
    page = text_of(signed.get("/meals/orders"))
    assert page.index("待取餐") < page.index("明天 午餐") < page.index("以往") < page.rindex("已取消")


def test_no_orders_yet_says_where_to_begin(signed):
    assert "去看菜单" in text_of(signed.get("/meals/orders"))


def test_an_order_is_changed_until_the_cutoff(make, signed):
    subsidy(make)
    menu = make.menu()
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    address = f"/meals/orders/{only_order().public_id}"
    assert signed.post(f"{address}/change", data=form(menu, 2, way="take_away")).status_code == 303
    assert (only_order().bill_fen, only_order().way) == (2400, "take_away")
    with transaction() as session:
        session.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1)))
    assert signed.post(f"{address}/change", data=form(menu, 1)).status_code == 422
    page = text_of(signed.get(address))
    assert "不能再修改或取消" in page
    assert "0571-88880000" in page


def test_a_change_after_the_cutoff_leads_back_to_the_order(make, signed):
    menu = make.menu()
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    order = only_order()
    with transaction() as session:
        session.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1)))
    late = signed.post(f"/meals/orders/{order.public_id}/change", data=form(menu, 2))
    assert late.status_code == 422
    assert "返回订单" in text_of(late)
    assert "看别的日子" not in text_of(late)


def test_a_collected_order_says_what_was_paid(make, signed, mother):
    order = booked(make, make.menu(), mother)
    worker = acting(make.worker(Role.CANTEEN_OPERATOR))
    with transaction(), time_machine.travel(order.menu.opens_at, tick=False):
        waived = redemption.Handover(RedemptionMeans.CODE, Payment.WAIVED, "社区垫付")
        redemption.redeem(order, waived, by=worker)
    assert "实付：免收 ¥0.00" in text_of(signed.get(f"/meals/orders/{order.public_id}"))


def test_a_cancelled_order_gives_its_portion_back(make, signed):
    menu = make.menu()
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    address = f"/meals/orders/{only_order().public_id}"
    assert "确定取消" in text_of(signed.get(f"{address}/cancel"))
    assert signed.post(f"{address}/cancel", data={"reason": "回老家"}).status_code == 303
    assert db.session.scalar(sa.select(sa.func.sum(Capacity.taken))) == 0
    page = signed.get(address)
    assert "已取消" in text_of(page)
    assert "不用付" in text_of(page)
    assert "取餐时出示二维码" not in text_of(page)


def test_the_qr_code_holds_an_address_that_names_the_order(make, signed, monkeypatch):
    menu, drawn = make.menu(), []
    signed.post(f"/meals/{menu.id}/order", data=form(menu))
    real = files.qr_svg
    monkeypatch.setattr(files, "qr_svg", lambda text, **more: drawn.append(text) or real(text, **more))
    signed.get(f"/meals/orders/{only_order().public_id}")
    assert drawn[0].startswith("http://127.0.0.1:8000/desk/meals/redeem?code=")
    assert orders.order_of_token(drawn[0]).id == only_order().id


@pytest.mark.parametrize("menu_id", [0, 999, 2**31, 10**30])
def test_a_menu_that_is_not_there_is_404(signed, menu_id):
    assert signed.get(f"/meals/{menu_id}/order").status_code == 404


@pytest.mark.parametrize("scale", ["1", "1.3", "1.8"])
def test_the_pages_stand_in_every_text_size(make, signed, scale):
    signed.set_cookie("scale", scale)
    menu = make.menu()
    for address in ("/meals/", f"/meals/{menu.id}/order", "/meals/orders"):
        assert signed.get(address).status_code == 200


def test_a_worker_has_no_business_on_the_residents_pages(make, client):
    assert client.sign_in(make.worker()).get("/meals/").status_code == 403


def test_the_lists_ask_as_many_questions_for_many_rows_as_for_few(make, daughter, mother):
    subsidy(make, cap_day_fen=500, tags=["basic_eldercare"])
    asked = []

    def note(_connection, _cursor, statement, *_rest):
        if statement.startswith(("SELECT", "WITH")) and "signed_session" not in statement:
            asked.append(statement)

    for number in range(5):
        canteen = make.canteen(f"{number}号助餐点")
        make.menu(canteen=canteen, dishes=[make.dish(canteen) for _dish in range(3)])
        menu = make.menu(canteen=canteen, day=today() + timedelta(days=number + 2))
        address = f"/meals/{menu.id}/order?person={mother.public_id}"
        assert daughter.post(address, data=form(menu, idem=f"key-{number}")).status_code == 303
    for address in (f"/meals/?day={day_sent(1)}&person={mother.public_id}", "/meals/orders"):
        asked.clear()
        sa.event.listen(db.engine, "before_cursor_execute", note)
        assert daughter.get(address).status_code == 200
        sa.event.remove(db.engine, "before_cursor_execute", note)
        # Beside the page's own, two of every page: the grants of who asks, and the bell's number.
        assert len(asked) <= 8 + 2, asked
