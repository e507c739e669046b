"""Canteens, dishes and menus: what a worker may change, and what a week becomes."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import calendar, clock
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.meals.models import Canteen, Dish, Meal, Menu, MenuDish, MenuState, OrderState
from portal.meals.service import canteens, menus, publishing
from tests.client import Client
from tests.make import Make
from tests.meals.stand import DAY, booked, clock_at

MONDAY = date(2026, 6, 8)


def _week_of_menus(make: Make, monday: date, *days: int) -> list[Menu]:
    return [make.menu(day=monday + timedelta(days=count)) for count in days]


def _draft(make: Make, day: date = DAY) -> Menu:
    return make.menu(day=day, state=MenuState.DRAFT)


def test_a_canteen_scope_reaches_its_canteen_and_no_other(make: Make) -> None:
    mine, other = make.canteen(), make.canteen("梧桐苑助餐点")
    assert canteens.canteens_in([mine.scope]) == [mine]
    with pytest.raises(Missing):
        canteens.canteen_in([mine.scope], other.id)


def test_a_community_scope_reaches_every_canteen_in_it(make: Make) -> None:
    make.canteen()
    make.canteen("梧桐苑助餐点")
    make.canteen("邻村助餐点", make.community("邻村"))
    scope = [canteens.areas.area_scope(make.community())]
    assert {canteen.name for canteen in canteens.canteens_in(scope)} == {"春风里助餐点", "梧桐苑助餐点"}


def test_publishing_takes_the_cutoff_from_the_canteens_hours(make: Make) -> None:
    with clock_at("08:00"):
        menu = _draft(make, DAY + timedelta(days=1))
        with transaction():
            served = menu.canteen.times[0]
            served.cutoff_days, served.cutoff, served.opens = 1, time(18), time(11, 30)
            menu.cutoff_at = clock.now()
            publishing.publish(menu)
        published = make.read(menu)
        assert published.state is MenuState.PUBLISHED
        assert published.cutoff_at == clock.at(DAY, time(18))
        assert published.opens_at == clock.at(DAY + timedelta(days=1), time(11, 30))


def test_a_menu_without_portions_is_not_published(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY, state=MenuState.DRAFT, portions=0)
        with pytest.raises(Refused, match="先选菜"):
            publishing.publish(menu)


def test_a_menu_past_its_cutoff_is_not_published(make: Make) -> None:
    with clock_at("09:00"), pytest.raises(Refused, match="截止"):
        publishing.publish(_draft(make))


def test_a_statutory_holiday_shuts_a_canteen_that_closes_on_holidays(make: Make) -> None:
    with transaction():
        calendar.fill(2026)
    with clock_at("08:00", date(2026, 9, 28)), pytest.raises(Refused, match="国庆节"):
        publishing.publish(_draft(make, date(2026, 10, 1)))


def test_a_canteen_that_stays_open_publishes_on_a_holiday(make: Make) -> None:
    with transaction():
        calendar.fill(2026)
        make.canteen().closed_on_holidays = False
        db.session.add(make.canteen())
    with clock_at("08:00", date(2026, 9, 28)):
        menu = _draft(make, date(2026, 10, 1))
        publishing.publish(menu)
        assert menu.state is MenuState.PUBLISHED


def test_copying_a_week_skips_the_holiday_and_says_so(make: Make) -> None:
    with transaction():
        calendar.fill(2026)
    with clock_at("08:00", date(2026, 9, 21)):
        source = date(2026, 9, 21)
        _week_of_menus(make, source, 1, 2, 3)
        with transaction():
            result = publishing.copy_week(make.canteen(), source + timedelta(days=7))
        copied = {menu.day: menu for menu in result.done}
        assert set(copied) == {date(2026, 9, 29), date(2026, 9, 30)}
        assert [skipped.day for skipped in result.skipped] == [date(2026, 10, 1)]
        assert "国庆节休息" in result.why()


def test_a_worked_saturday_is_copied_like_any_other_day(make: Make) -> None:
    with transaction():
        calendar.fill(2026)
    with clock_at("08:00", date(2026, 2, 2)):
        _week_of_menus(make, date(2026, 2, 2), 5)
        with transaction():
            result = publishing.copy_week(make.canteen(), date(2026, 2, 9))
        assert [menu.day for menu in result.done] == [date(2026, 2, 14)]


def test_copies_are_drafts_with_the_same_dishes_and_portions_and_new_hours(make: Make) -> None:
    with clock_at("08:00", MONDAY):
        _week_of_menus(make, MONDAY, 0)
        with transaction():
            copied = publishing.copy_week(make.canteen(), MONDAY + timedelta(days=7)).done[0]
        row = make.read(copied).dishes[0]
        assert copied.state is MenuState.DRAFT
        assert (row.capacity.total, row.capacity.taken, row.price_fen) == (20, 0, 1200)
        assert copied.cutoff_at == clock.at(MONDAY + timedelta(days=7), time(9))


def test_copying_leaves_a_menu_that_is_there_alone(make: Make) -> None:
    with clock_at("08:00", MONDAY):
        _week_of_menus(make, MONDAY, 0, 7)
        with transaction():
            result = publishing.copy_week(make.canteen(), MONDAY + timedelta(days=7))
        assert not result.done
        assert "已有菜单" in result.why()


def test_a_retired_dish_is_not_copied(make: Make) -> None:
    with clock_at("08:00", MONDAY):
        menu = _week_of_menus(make, MONDAY, 0)[0]
        with transaction():
            canteens.retire_dish(db.session.merge(menu.dishes[0].dish))
        with transaction():
            result = publishing.copy_week(make.canteen(), MONDAY + timedelta(days=7))
        assert "停用" in result.why()


def test_publishing_a_week_names_what_could_not_be_published(make: Make) -> None:
    with clock_at("10:00", MONDAY):
        late, fine = _draft(make, MONDAY), _draft(make, DAY)
        with transaction():
            result = publishing.publish_week(make.canteen(), MONDAY)
        assert [menu.id for menu in result.done] == [fine.id]
        assert [skipped.day for skipped in result.skipped] == [late.day]
        assert make.read(late).state is MenuState.DRAFT


def test_portions_cannot_go_below_what_is_taken(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY)
        row = menu.dishes[0]
        with transaction():
            menus.places.take(row.capacity_id, 5, refusal=Refused("full"))
        with pytest.raises(Refused, match="已经订出 5 份"):
            menus.set_dishes(menu, [menus.Serving(row.dish_id, 4, row.price_fen)])


def test_portions_can_grow_while_a_menu_is_published(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY)
        row = menu.dishes[0]
        with transaction():
            menus.set_dishes(menu, [menus.Serving(row.dish_id, 60, row.price_fen)])
        assert make.read(row.capacity).total == 60


def test_the_price_stays_once_a_dish_is_ordered(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY)
        row = menu.dishes[0]
        with transaction():
            menus.places.take(row.capacity_id, 1, refusal=Refused("full"))
        with pytest.raises(Refused, match="原价"):
            menus.set_dishes(menu, [menus.Serving(row.dish_id, 20, 900)])


def test_an_ordered_dish_stays_on_the_menu(make: Make) -> None:
    with clock_at("08:00"):
        menu, other = make.menu(day=DAY), make.dish()
        booked(make, menu, state=OrderState.CANCELLED)
        with pytest.raises(Refused, match="不能从菜单上拿掉"):
            menus.set_dishes(menu, [menus.Serving(other.id, 10, 1200)])


def test_a_dish_nobody_ordered_leaves_the_menu_with_its_capacity(make: Make) -> None:
    with clock_at("08:00"):
        menu, other = make.menu(day=DAY), make.dish()
        with transaction():
            menus.set_dishes(menu, [menus.Serving(other.id, 10, 1200)])
        assert [row.dish_id for row in make.read(menu).dishes] == [other.id]
        assert db.session.scalar(sa.select(sa.func.count()).select_from(MenuDish)) == 1


def test_another_canteens_dish_cannot_be_put_on_a_menu(make: Make) -> None:
    with clock_at("08:00"):
        menu, foreign = make.menu(day=DAY), make.dish(make.canteen("梧桐苑助餐点"))
        with pytest.raises(Refused, match="不属于"):
            menus.set_dishes(menu, [menus.Serving(foreign.id, 10, 1200)])


def test_withdrawing_a_menu_cancels_its_orders_and_tells_why(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY)
        with transaction():
            menus.places.take(menu.dishes[0].capacity_id, 1, refusal=Refused("full"))
        order = booked(make, menu)
        with transaction():
            assert publishing.withdraw(menu, "停水") == 1
        assert make.read(order).state is OrderState.CANCELLED
        assert make.read(menu.dishes[0].capacity).taken == 0
        told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.recipient_kind == "person")).all()
        assert [row.facts["reason"] for row in told] == ["停水"]


def test_a_withdrawn_menu_is_not_withdrawn_again(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY, state=MenuState.WITHDRAWN)
        with pytest.raises(Refused, match="刷新"):
            publishing.withdraw(menu, "停水")


def test_two_dishes_of_one_name_are_refused_beside_the_name(make: Make, client: Client) -> None:
    dish = make.dish(name="红烧带鱼套餐")
    client.sign_in(make.worker())
    answer = client.post(
        f"/desk/meals/canteens/{dish.canteen_id}/dishes/new",
        data={"name": "红烧带鱼套餐", "price": "12", "set_class": "basic"},
    )
    assert answer.status_code == 422
    assert "同名" in answer.text


def test_a_worker_adds_a_dish_with_diets_and_allergens(make: Make, client: Client) -> None:
    canteen = make.canteen()
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    said = {
        "name": "清蒸鲈鱼套餐",
        "price": "15.5",
        "set_class": "dietary",
        "diets": ["low_salt", "soft"],
        "allergens": "鱼、花生",
    }
    assert client.post(f"/desk/meals/canteens/{canteen.id}/dishes/new", data=said).status_code == 303
    dish = db.session.scalars(sa.select(Dish)).one()
    assert (dish.price_fen, dish.diets, dish.allergens) == (1550, ["low_salt", "soft"], ["鱼", "花生"])
    assert "清蒸鲈鱼套餐" in client.get(f"/desk/meals/canteens/{canteen.id}/dishes").text


def test_a_retired_dish_leaves_the_list_and_can_come_back(make: Make, client: Client) -> None:
    dish = make.dish(name="红烧带鱼套餐")
    client.sign_in(make.worker())
    client.post(f"/desk/meals/dishes/{dish.id}/retire")
    assert canteens.dishes_of(dish.canteen) == []
    assert "红烧带鱼套餐" in client.get(f"/desk/meals/canteens/{dish.canteen_id}/dishes?retired=1").text
    client.post(f"/desk/meals/dishes/{dish.id}/restore")
    assert make.read(dish).retired_at is None


def test_one_page_begins_a_menu_and_publishes_it(make: Make, client: Client) -> None:
    dish, spare = make.dish(), make.dish()
    address = f"/desk/meals/menus/{dish.canteen_id}/{DAY:%Y-%m-%d}/lunch"
    with clock_at("08:00"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        shown = client.get(address).text
        assert dish.name in shown
        assert spare.name in shown
        said = {
            "rows-0-dish_id": dish.id,
            "rows-0-chosen": "y",
            "rows-0-portions": "30",
            "rows-0-price": "11",
            "rows-1-dish_id": spare.id,
            "rows-1-portions": "",
            "rows-1-price": "",
            "publish": "1",
        }
        assert client.post(address, data=said).status_code == 303
    menu = db.session.scalars(sa.select(Menu)).one()
    assert menu.state is MenuState.PUBLISHED
    assert [(row.capacity.total, row.price_fen) for row in menu.dishes] == [(30, 1100)]


def test_a_chosen_dish_without_portions_is_asked_for_and_what_was_typed_stays(make: Make, client: Client) -> None:
    dish = make.dish()
    with clock_at("08:00"):
        client.sign_in(make.worker())
        said = {"rows-0-dish_id": dish.id, "rows-0-chosen": "y", "rows-0-portions": "", "rows-0-price": "9.90"}
        answer = client.post(f"/desk/meals/menus/{dish.canteen_id}/{DAY:%Y-%m-%d}/lunch", data=said)
    assert answer.status_code == 422
    assert "请填份数" in answer.text
    assert "9.90" in answer.text
    assert db.session.scalar(sa.select(Menu)) is None


def test_an_empty_day_says_what_to_do(make: Make, client: Client) -> None:
    make.canteen()
    with clock_at("08:00"):
        client.sign_in(make.worker())
        text = client.get("/desk/meals/menus").text
    assert "填菜单" in text
    assert "复制上一周" in text


def test_the_week_page_copies_and_publishes(make: Make, client: Client) -> None:
    with clock_at("08:00", MONDAY):
        menu = make.menu(day=MONDAY)
        client.sign_in(make.worker())
        following = f"{MONDAY + timedelta(days=7):%Y-%m-%d}"
        client.post(f"/desk/meals/menus/{menu.canteen_id}/copy-week", data={"week": following})
        client.post(f"/desk/meals/menus/{menu.canteen_id}/publish-week", data={"week": following})
        text = client.get(f"/desk/meals/menus?canteen={menu.canteen_id}&week={following}").text
    assert "已发布" in text
    assert menu.dishes[0].dish.name in text


def test_a_neighbouring_canteens_pages_are_not_there(make: Make, client: Client) -> None:
    mine, other = make.canteen(), make.canteen("邻村助餐点", make.community("邻村"))
    menu, dish = make.menu(canteen=other), make.dish(other)
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR, mine))
    for address in (
        f"/desk/meals/menus?canteen={other.id}",
        f"/desk/meals/menus/{other.id}/{menu.day:%Y-%m-%d}/lunch",
        f"/desk/meals/menus/{menu.id}/withdraw",
        f"/desk/meals/canteens/{other.id}",
        f"/desk/meals/canteens/{other.id}/dishes",
        f"/desk/meals/dishes/{dish.id}",
    ):
        assert client.get(address).status_code == 404, address


def test_an_operator_reads_the_canteens_page_and_may_not_change_it(make: Make, client: Client) -> None:
    canteen = make.canteen()
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert "由社区维护" in client.get(f"/desk/meals/canteens/{canteen.id}").text
    assert client.post(f"/desk/meals/canteens/{canteen.id}", data={"name": "别名"}).status_code == 404
    assert client.get("/desk/meals/canteens/new").status_code == 404
    assert make.read(canteen).name == "春风里助餐点"


CANTEEN = {
    "name": "梧桐苑助餐点",
    "address": "梧桐苑 2 号楼",
    "phone": "0571-88886666",
    "ways": ["dine_in", "delivery"],
    "delivery_fee": "2",
    "closed_on_holidays": "y",
    "lunch-serves": "y",
    "lunch-opens": "11:00",
    "lunch-closes": "12:30",
    "lunch-cutoff_days": "1",
    "lunch-cutoff": "18:00",
    "breakfast-cutoff_days": "0",
    "dinner-cutoff_days": "0",
}


def test_a_community_worker_opens_a_canteen(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    said = {**CANTEEN, "community": make.community().code}
    assert client.post("/desk/meals/canteens/new", data=said).status_code == 303
    canteen = db.session.scalars(sa.select(Canteen)).one()
    assert (canteen.delivery_fee_fen, canteen.ways, canteen.closed_on_holidays) == (200, ["dine_in", "delivery"], True)
    assert [(served.meal, served.cutoff_days, served.cutoff) for served in canteen.times] == [(Meal.LUNCH, 1, time(18))]


def test_hours_that_end_before_they_begin_are_refused(make: Make, client: Client) -> None:
    canteen = make.canteen()
    client.sign_in(make.worker())
    said = {**CANTEEN, "community": make.community().code, "lunch-closes": "10:00"}
    answer = client.post(f"/desk/meals/canteens/{canteen.id}", data=said)
    assert answer.status_code == 422
    assert "要晚于开始" in answer.text
    assert make.read(canteen).name == "春风里助餐点"


def test_a_meal_ticked_without_hours_is_asked_for(make: Make, client: Client) -> None:
    client.sign_in(make.worker())
    said = {**CANTEEN, "community": make.community().code, "dinner-serves": "y"}
    answer = client.post("/desk/meals/canteens/new", data=said)
    assert answer.status_code == 422
    assert "请填时间" in answer.text


def test_withdrawing_asks_for_a_reason(make: Make, client: Client) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=DAY)
        client.sign_in(make.worker())
        answer = client.post(f"/desk/meals/menus/{menu.id}/withdraw", data={"reason": ""})
        assert answer.status_code == 422
        assert make.read(menu).state is MenuState.PUBLISHED
        assert client.post(f"/desk/meals/menus/{menu.id}/withdraw", data={"reason": "停水"}).status_code == 303
        assert make.read(menu).state is MenuState.WITHDRAWN
