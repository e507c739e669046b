"""A worker orders for somebody who telephones: finding the person, ordering, changing, cancelling, within scope."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.meals.models import MealOrder, Menu, OrderState
from portal.registry.models import PersonState
from tests.days import day_sent
from tests.meals.stand import booked


@pytest.fixture
def desk(make, client):
    """A community worker's browser."""
    return client.sign_in(make.worker())


def form(menu, count=1, **more):
    return {f"dish_{menu.dishes[0].id}": count, "way": "dine_in", "idem": "key-of-the-form"} | more


def only_order():
    return db.session.scalars(sa.select(MealOrder)).one()


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)))


@pytest.mark.parametrize("by", ["name", "initials", "tail", "number"])
def test_a_person_is_found_by_name_initials_phone_tail_or_number(make, desk, by):
    person = make.person("王秀英", phone="13800006688")
    make.person("李桂兰", phone="13800001234")
    words = {"name": "王秀英", "initials": "wxy", "tail": "6688", "number": person.id_number}[by]
    page = desk.post("/desk/meals/orders/phone", data={"q": words})
    assert page.status_code == 200
    assert f"/desk/meals/orders/for/{person.public_id}" in page.get_data(as_text=True)
    assert "李桂兰" not in text_of(page)
    assert "138****6688" in text_of(page)


def test_a_search_is_recorded_without_its_words(make, desk):
    person = make.person("王秀英")
    desk.post("/desk/meals/orders/phone", data={"q": person.id_number})
    row = db.session.scalar(sa.select(AuditRow).where(AuditRow.action == "meals.person_sought"))
    assert row.facts == {"by": "id_number", "found": 1}


def test_nobody_found_says_what_to_try(desk):
    assert "没有找到" in text_of(desk.post("/desk/meals/orders/phone", data={"q": "查无此人"}))
    assert desk.post("/desk/meals/orders/phone", data={"q": ""}).status_code == 422


def test_somebody_of_another_community_is_not_found_and_404(make, desk):
    menu, stranger = make.menu(), make.person("王秀英", community=make.community("荷塘社区"))
    assert "没有找到" in text_of(desk.post("/desk/meals/orders/phone", data={"q": "王秀英"}))
    address = f"/desk/meals/orders/for/{stranger.public_id}"
    assert desk.get(address).status_code == 404
    assert desk.post(f"{address}/{menu.id}", data=form(menu)).status_code == 404


def test_the_dead_are_shown_but_cannot_be_ordered_for(make, desk):
    menu, person = make.menu(), make.person("王秀英", state=PersonState.DEAD)
    page = desk.post("/desk/meals/orders/phone", data={"q": "王秀英"})
    assert "已去世" in text_of(page)
    assert "给这位订餐" not in text_of(page)
    answer = desk.post(f"/desk/meals/orders/for/{person.public_id}/{menu.id}", data=form(menu))
    assert answer.status_code == 422
    assert "去世" in text_of(answer)


def test_a_grid_worker_orders_for_her_grid_only(make, client):
    grid = make.grid()
    inside, outside, menu = make.person("王秀英", grid=grid), make.person("李桂兰"), make.menu()
    browser = client.sign_in(make.worker(Role.GRID_WORKER, grid))
    assert browser.get(f"/desk/meals/orders/for/{inside.public_id}").status_code == 200
    assert browser.get(f"/desk/meals/orders/for/{outside.public_id}/{menu.id}").status_code == 404


def test_the_dossiers_link_leads_to_the_menus_of_that_person(make, desk):
    person = make.person()
    answer = desk.get(f"/desk/meals/orders/phone?person={person.public_id}")
    assert answer.status_code == 303
    assert answer.location == f"/desk/meals/orders/for/{person.public_id}"


def test_an_order_by_telephone_says_who_placed_it_for_whom(make, desk):
    menu, person = make.menu(), make.person("王秀英")
    assert "订餐" in text_of(desk.get(f"/desk/meals/orders/for/{person.public_id}?day={day_sent(1)}"))
    answer = desk.post(f"/desk/meals/orders/for/{person.public_id}/{menu.id}", data=form(menu, note="切碎"))
    assert answer.status_code == 303
    order = only_order()
    assert (order.person_id, order.placed_by_name, order.note) == (person.id, "周洁", "切碎")
    page = text_of(desk.get(answer.location))
    for words in ("王秀英", "周洁", order.pickup_code):
        assert words in page
    told = db.session.scalar(sa.select(OutboxRow).where(OutboxRow.topic == "meals.order_placed"))
    assert (told.recipient_id, told.facts["by"]) == (person.public_id, "周洁")


def test_the_price_is_worked_out_for_the_caller_without_writing(make, desk):
    menu, person = make.menu(), make.person()
    address = f"/desk/meals/orders/for/{person.public_id}/{menu.id}"
    page = desk.get(
        f"{address}?dish_{menu.dishes[0].id}=2&way=dine_in", headers={"HX-Request": "true", "HX-Target": "quote"}
    )
    assert "取餐时付 ¥24.00" in text_of(page)
    assert desk.post(address, data=form(menu, quote="1")).status_code == 200
    assert db.session.scalars(sa.select(MealOrder)).all() == []


def test_a_worker_changes_and_cancels_until_the_cutoff_with_a_reason(make, desk):
    menu, person = make.menu(), make.person()
    desk.post(f"/desk/meals/orders/for/{person.public_id}/{menu.id}", data=form(menu))
    address = f"/desk/meals/orders/{only_order().public_id}"
    assert desk.get(f"{address}/change").status_code == 200
    assert desk.post(f"{address}/change", data=form(menu, 2)).status_code == 303
    assert only_order().bill_fen == 2400
    assert desk.post(f"{address}/cancel", data={"reason": ""}).status_code == 422
    assert desk.post(f"{address}/cancel", data={"reason": "本人来电"}).status_code == 303
    assert only_order().state is OrderState.CANCELLED
    assert desk.post(f"{address}/cancel", data={"reason": "再来"}).status_code == 422


def test_the_latest_orders_name_their_canteen_where_two_are_of_one_meal(make, desk):
    person = make.person()
    booked(make, make.menu(), person)
    booked(make, make.menu(canteen=make.canteen("九号助餐点")), person)
    text = text_of(desk.get(f"/desk/meals/orders/for/{person.public_id}"))
    latest = text.split("最近的订餐", 1)[1]
    assert "春风里助餐点" in latest
    assert "九号助餐点" in latest


def test_a_delivery_says_to_which_door_and_a_cancelled_order_asks_no_money(make, desk):
    home = make.household()
    menu, person = make.menu(), make.person(household_id=home.id)
    door = make.read(home).dwelling.address()
    address = f"/desk/meals/orders/for/{person.public_id}/{menu.id}"
    assert f"送餐上门送到：{door}" in text_of(desk.get(address))
    desk.post(address, data=form(menu, way="delivery"))
    placed = f"/desk/meals/orders/{only_order().public_id}"
    assert f"送餐地址 {door}" in text_of(desk.get(placed))
    desk.post(f"{placed}/cancel", data={"reason": "本人来电"})
    page = text_of(desk.get(placed))
    assert "这份订餐已取消，不用付" in page
    assert "取餐时付" not in page


def test_after_the_cutoff_the_desk_is_refused_too(make, desk):
    menu, person = make.menu(), make.person()
    with transaction() as session:
        session.execute(sa.update(Menu).values(cutoff_at=now() - timedelta(minutes=1)))
    answer = desk.post(f"/desk/meals/orders/for/{person.public_id}/{menu.id}", data=form(menu))
    assert answer.status_code == 422
    assert "截止" in text_of(answer)


def test_another_communitys_worker_gets_404_for_the_order(make, app, desk):
    menu, person = make.menu(), make.person()
    desk.post(f"/desk/meals/orders/for/{person.public_id}/{menu.id}", data=form(menu))
    address = f"/desk/meals/orders/{only_order().public_id}"
    other = app.test_client().sign_in(make.worker(Role.COMMUNITY_WORKER, make.community("荷塘社区")))
    assert desk.get(address).status_code == 200
    for ending in ("", "/change", "/cancel"):
        assert other.get(address + ending).status_code == 404
    assert other.post(f"{address}/cancel", data={"reason": "x"}).status_code == 404


def test_the_panel_of_a_persons_orders_is_a_fragment_for_htmx(make, desk):
    menu, person = make.menu(), make.person()
    empty = desk.get(f"/desk/meals/orders/of/{person.public_id}")
    assert "还没有订过餐" in text_of(empty)
    desk.post(f"/desk/meals/orders/for/{person.public_id}/{menu.id}", data=form(menu))
    panel = desk.get(
        f"/desk/meals/orders/of/{person.public_id}", headers={"HX-Request": "true", "HX-Target": "person-orders"}
    )
    assert "<html" not in panel.get_data(as_text=True)
    assert only_order().pickup_code in text_of(panel)
    assert "应收" in text_of(panel)
    assert "¥12.00" in text_of(panel)
    desk.post(f"/desk/meals/orders/{only_order().public_id}/cancel", data={"reason": "本人来电"})
    assert "¥" not in text_of(desk.get(f"/desk/meals/orders/of/{person.public_id}"))


@pytest.mark.parametrize("role", [Role.CANTEEN_OPERATOR, Role.STREET_ADMINISTRATOR, Role.AUDITOR])
def test_only_those_who_may_order_for_others_come_in(make, client, role):
    assert client.sign_in(make.worker(role)).get("/desk/meals/orders/phone").status_code == 403
