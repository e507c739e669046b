"""The kitchen's papers: what is counted, for whom a dish does not suit, and in which order meals are carried."""

from collections.abc import Callable

import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.db import db
from portal.identity.permissions import Role
from portal.meals.models import MenuDish, MenuState, OrderItem, OrderState, Way
from portal.meals.service import kitchen
from portal.places.models import Capacity
from portal.registry.models import Diet, Household, Person
from tests.client import Client
from tests.make import Make
from tests.meals.stand import DAY, booked, clock_at


def _living_at(make: Make, estate: Estate, building: str, name: str) -> Person:
    block = make.add(Building(estate_id=estate.id, name=building))
    dwelling = make.add(Dwelling(building_id=block.id, unit="1单元", room="101"))
    community = make.community()
    number = f"H{make.number():06d}"
    household = make.add(Household(community_id=community.id, number=number, dwelling_id=dwelling.id))
    return make.person(name, household_id=household.id)


def test_only_live_orders_are_counted(make: Make) -> None:
    menu = make.menu(day=DAY)
    booked(make, menu, portions=2)
    booked(make, menu, make.person("李建国"), state=OrderState.COLLECTED)
    booked(make, menu, make.person("赵敏"), state=OrderState.CANCELLED)
    sheet = kitchen.sheet(menu)
    assert sheet.portions == 3
    assert [order.person.name for order in sheet.orders] == ["李建国", "王秀英"]


def test_numbers_are_final_at_the_cutoff_and_not_before(make: Make) -> None:
    menu = make.menu(day=DAY)
    with clock_at("08:59"):
        assert not kitchen.sheet(menu).final
    with clock_at("09:00"):
        assert kitchen.sheet(menu).final


def test_people_are_grouped_by_the_diets_a_dish_misses(make: Make) -> None:
    menu = make.menu(day=DAY, dishes=[make.dish(diets=["low_sugar"])])
    booked(make, menu, make.person("王秀英", diet="low_salt,soft"))
    booked(make, menu, make.person("李建国", diet="soft,low_salt"), portions=2)
    booked(make, menu, make.person("赵敏", diet="low_sugar,soft"))
    booked(make, menu, make.person("孙立", diet="low_sugar"))
    dish = kitchen.sheet(menu).dishes[0]
    assert dish.portions == 5
    assert dish.plain == 1
    groups = {clash.diets: [eater.name for eater in clash.eaters] for clash in dish.clashes}
    assert groups == {(Diet.LOW_SALT, Diet.SOFT): ["李建国", "王秀英"], (Diet.SOFT,): ["赵敏"]}
    assert dish.clashes[0].portions == 3


def test_two_dishes_of_one_order_are_counted_each(make: Make) -> None:
    fish, porridge = make.dish(name="带鱼"), make.dish(name="小米粥", diets=["soft"])
    menu = make.menu(day=DAY, dishes=[fish, porridge])
    order = booked(make, menu, make.person(diet="soft"))
    make.add(OrderItem(order_id=order.id, menu_dish_id=menu.dishes[1].id, portions=2, price_fen=500))
    db.session.expire_all()
    counts = {dish.name: (dish.portions, dish.plain) for dish in kitchen.sheet(menu).dishes}
    assert counts == {"带鱼": (1, 0), "小米粥": (2, 2)}


def test_deliveries_go_by_building_number_and_a_missing_address_comes_first(make: Make) -> None:
    menu = make.menu(day=DAY)
    estate = make.add(Estate(community_id=make.community().id, name="春风里小区"))
    for building, name in (("10号楼", "王秀英"), ("2号楼", "李建国")):
        booked(make, menu, _living_at(make, estate, building, name), way=Way.DELIVERY)
    booked(make, menu, make.person("赵敏"), way=Way.DELIVERY)
    booked(make, menu, make.person("孙立"), way=Way.DINE_IN)
    sheet = kitchen.sheet(menu)
    assert [stop.order.person.name for stop in sheet.stops] == ["赵敏", "李建国", "王秀英"]
    assert sheet.stops[0].address == ""
    assert sheet.ways == {Way.DELIVERY: 3, Way.DINE_IN: 1}


def test_an_allergen_on_record_is_named(make: Make) -> None:
    menu = make.menu(day=DAY, dishes=[make.dish(allergens=["虾", "花生"])])
    booked(make, menu, make.person(health="对虾过敏"))
    care = kitchen.sheet(menu).allergies()[0]
    assert care.allergens == ("虾",)


def test_every_portion_has_its_label(make: Make) -> None:
    menu = make.menu(day=DAY)
    booked(make, menu, make.person(diet="low_salt"), portions=2)
    labels = kitchen.labels(menu)
    assert len(labels) == 2
    assert labels[0].care.diets == (Diet.LOW_SALT,)


def test_the_page_says_that_numbers_are_not_final(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    booked(make, menu)
    with clock_at("08:00"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        assert "数字还会变" in client.get("/desk/meals/kitchen").text
        assert "未截止" in client.get(f"/desk/meals/kitchen/{menu.id}/sheet").text
    with clock_at("09:01"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        assert "订餐已截止" in client.get("/desk/meals/kitchen").text


def test_a_day_without_a_menu_says_what_to_do(make: Make, client: Client) -> None:
    make.canteen()
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert "没有发布的菜单" in client.get("/desk/meals/kitchen").text


def test_the_papers_name_people_and_hide_their_phones(make: Make, client: Client) -> None:
    menu = make.menu(day=DAY)
    person = make.person("王秀英", diet="low_salt", phone="13800001234")
    order = booked(make, menu, person, way=Way.DELIVERY)
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    for paper in ("sheet", "labels", "names"):
        text = client.get(f"/desk/meals/kitchen/{menu.id}/{paper}").text
        assert "王秀英" in text
        assert "13800001234" not in text
        assert order.pickup_code not in text
    assert "1234" in client.get(f"/desk/meals/kitchen/{menu.id}/names").text
    assert "低盐" in client.get(f"/desk/meals/kitchen/{menu.id}/labels").text


def test_a_draft_and_a_neighbours_menu_have_no_papers(make: Make, client: Client) -> None:
    mine, other = make.canteen(), make.canteen("邻村助餐点", make.community("邻村"))
    draft, foreign = make.menu(day=DAY, state=MenuState.DRAFT), make.menu(day=DAY, canteen=other)
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR, mine))
    for menu in (draft, foreign):
        for paper in ("sheet", "labels", "names", "outage"):
            assert client.get(f"/desk/meals/kitchen/{menu.id}/{paper}").status_code == 404


def test_the_sheet_asks_a_fixed_number_of_questions(make: Make) -> None:
    menu = make.menu(day=DAY)
    row = make.add(MenuDish(menu_id=menu.id, dish=make.dish(), capacity=Capacity(total=9, taken=0), price_fen=1))
    counts = []
    for more in (2, 6):
        for _count in range(more):
            order = booked(make, menu, make.person(household_id=make.household().id), way=Way.DELIVERY)
            make.add(OrderItem(order_id=order.id, menu_dish_id=row.id, portions=1, price_fen=1))
        db.session.expire_all()
        counts.append(_queries(lambda: kitchen.sheet(menu)))
    assert counts[0] == counts[1]


def _queries(act: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
