"""The story of a lunch as people live it: on a phone, in both views, with and without JavaScript."""

from collections.abc import Iterator
from datetime import date, time, timedelta

import pytest
import time_machine

from portal.core.access import Platform
from portal.core.clock import SHANGHAI, at, today
from portal.identity import passwords
from portal.identity.permissions import Role
from portal.meals.models import Meal, Menu, PayerLevel, SubsidyKind, SubsidyRule
from portal.registry.models import AgentState, FamilyAgent, Person
from tests.browser.conftest import Open, Reader
from tests.identity.telephone import Telephone
from tests.make import Make

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]
PASSWORD = "春天的花-2026"
DESK_PASSWORD = "zhe shi yi ju hen chang de hua"
PHONE = "13812345678"
VIEWS = [
    pytest.param("1", True, id="standard"),
    pytest.param("1.3", True, id="elder"),
    pytest.param("1", False, id="standard-without-scripts"),
    pytest.param("1.3", False, id="elder-without-scripts"),
]


@pytest.fixture(scope="session")
def hashes() -> dict[Platform, str]:
    return {
        Platform.RESIDENT: passwords.hashed(PASSWORD, Platform.RESIDENT),
        Platform.DESK: passwords.hashed(DESK_PASSWORD, Platform.DESK),
    }


@pytest.fixture
def telephone(app) -> Iterator[Telephone]:
    held = app.extensions["portal.sms"]
    yield Telephone(app)
    app.extensions["portal.sms"] = held


def _rule(make: Make) -> None:
    make.add(
        SubsidyRule(
            scheme="春风里",
            name="60 岁以上午餐",
            payer=PayerLevel.CITY,
            kind=SubsidyKind.REDUCTION,
            amount_fen=500,
            age_from=60,
            meals=[Meal.LUNCH.value],
            tags=[],
            valid_from=date(2020, 1, 1),
        )
    )


def _register(reader: Reader, telephone: Telephone, person: Person) -> None:
    reader.go("/people/register")
    reader.fill("姓名", person.name).fill("身份证号", person.id_number or "").fill("手机", PHONE)
    reader.fill("密码", PASSWORD)
    reader.page.get_by_label("所在社区").or_(reader.page.get_by_label("社区")).first.select_option(index=1)
    # A mistake in the middle: the separate consent was forgotten. What was typed is kept, but for the password.
    reader.press("下一步")
    assert reader.page.get_by_label("姓名").input_value() == person.name
    reader.page.get_by_role("checkbox", name="我同意社区为核对身份").check()
    reader.fill("密码", PASSWORD).press("下一步")
    reader.fill("验证码", telephone.code(PHONE)).press("完成注册")


def _accepted(make: Make, mother: Person) -> None:
    """The newest account may act for the mother, as her family agent."""
    make.add(
        FamilyAgent(
            account_id=make.accounts()[0].id,
            person_id=mother.id,
            principal_name=mother.name,
            relation="母女",
            state=AgentState.ACCEPTED,
            until=today() + timedelta(days=30),
            requested_at=at(today(), time(8)),
        )
    )


def _order_for_mother(phone: Reader, menu: Menu, mother: Person) -> None:
    phone.go(f"/meals/?day={menu.day}")
    phone.press("给王秀英订")
    assert phone.reads(menu.dishes[0].dish.name)
    phone.go(f"/meals/{menu.id}/order?person={mother.public_id}")
    phone.page.get_by_text("1 份", exact=True).first.click()
    if phone.scripts:
        # In the bill: beside the dish the price after subsidy stands before anything is asked.
        phone.page.locator("#quote").get_by_text("¥7.00").first.wait_for()
    else:
        phone.press("算一算")
    assert phone.reads("岁")
    assert phone.reads("¥7.00")
    phone.press("确认订餐")
    assert phone.reads("王秀英")
    assert phone.page.locator("figure.qr svg").first.is_visible()
    assert len(phone.page.locator("#pickup-code").inner_text().replace(" ", "")) == 6


@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_a_daughter_registers_orders_for_her_mother_and_cancels_her_own(
    make: Make, reader: Open, telephone: Telephone, scale: str, scripts: bool
):
    daughter = make.person("李小红", born=date(1974, 6, 1), phone=PHONE)
    mother = make.person("王秀英", born=date(1948, 3, 12))
    menu = make.menu()
    _rule(make)
    phone = reader(scale=scale, scripts=scripts)
    _register(phone, telephone, daughter)
    _accepted(make, mother)
    _order_for_mother(phone, menu, mother)
    phone.go(f"/meals/{menu.id}/order?person={daughter.public_id}")
    phone.page.get_by_text("1 份", exact=True).first.click()
    phone.press("确认订餐").press("取消订餐")
    phone.page.locator("main form button[type=submit]").first.click()
    phone.look()
    phone.go("/meals/orders")
    assert phone.reads("已取消")
    assert phone.reads("王秀英")


@pytest.mark.parametrize(("scale", "scripts"), VIEWS)
def test_a_canteen_prints_its_sheets_and_hands_a_meal_over_once(
    make: Make, reader: Open, hashes: dict[Platform, str], scale: str, scripts: bool
):
    person = make.person("王秀英", born=date(1948, 3, 12), diet="low_salt")
    resident = make.resident(person)
    menu = make.menu()
    worker = make.worker(Role.CANTEEN_OPERATOR, make.canteen(), password_hash=hashes[Platform.DESK])
    order = make.order(menu, person, by=resident)
    noon = at(menu.day, time(11, 30)).astimezone(SHANGHAI)
    with time_machine.travel(noon, tick=True):
        counter = reader(scale=scale, scripts=scripts)
        counter.go("/desk/account/sign-in")
        counter.fill("用户名", worker.username or "").fill("密码", DESK_PASSWORD).press("登录")
        for sheet, words in (("sheet", menu.dishes[0].dish.name), ("labels", person.name), ("names", person.name)):
            counter.go(f"/desk/meals/kitchen/{menu.id}/{sheet}")
            assert counter.reads(words)
        counter.go("/desk/meals/redeem")
        counter.fill("取餐码", "AAAAAA").press("查找")
        assert counter.reads("取餐码")
        counter.fill("取餐码", order.pickup_code.lower()).press("查找")
        assert counter.reads("王秀英")
        assert counter.reads("低盐")
        counter.page.get_by_text("现金", exact=True).first.click()
        counter.press("收款并核销")
        counter.go(f"/desk/meals/redeem/{order.public_id}")
        assert counter.reads("撤销这次核销")
        assert not counter.page.get_by_role("button", name="收款并核销").count()
