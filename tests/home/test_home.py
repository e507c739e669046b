"""The two homes: each says what its reader can do, and none of its links leads nowhere."""

import re
from datetime import date

import pytest

from portal.core.clock import now, today
from portal.core.ids import Sex
from portal.core.money import yuan
from portal.home.service import copies
from portal.identity.permissions import Role
from portal.meals.models import MealOrder, Menu, OrderItem, OrderState, Way
from portal.registry.models import (
    AgentState,
    Claim,
    ClaimState,
    FamilyAgent,
    PersonState,
    Registration,
    Relation,
    TagKind,
)
from tests.client import Client
from tests.make import Make

LINK = re.compile(r'<(?:a|form)\b[^>]*?\s(?:href|action)="([^"#]*)')


def links(html: str) -> set[str]:
    return {address.replace("&amp;", "&") for address in LINK.findall(html) if address.startswith("/")}


def every_link_leads_somewhere(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    html = answer.get_data(as_text=True)
    for link in sorted(links(html)):
        status = client.get(link).status_code
        # 405: the address of a form that only takes posts. 303: the password is asked for again.
        assert status in {200, 303, 308, 405}, f"{link} on {address} answers {status}"
    return html


def an_order(
    make: Make, person: object, menu: Menu | None = None, *, code: str = "ABC234", state: OrderState = OrderState.BOOKED
) -> MealOrder:
    menu = menu or make.menu()
    order = MealOrder(
        menu=menu,
        person=person,
        day=menu.day,
        meal=menu.meal,
        way=Way.DINE_IN,
        state=state,
        pickup_code=code,
        bill_fen=1200,
        placed_at=now(),
        placed_by="x",
        placed_by_name="李小红",
        changed_at=now(),
    )
    order.items = [OrderItem(menu_dish_id=menu.dishes[0].id, portions=1, price_fen=1200)]
    return make.add(order)


def test_a_visitor_reads_what_can_be_done_and_what_is_on_the_menu(make: Make, client: Client) -> None:
    menu = make.menu()
    html = every_link_leads_somewhere(client, "/")
    assert "登录" in html
    assert "注册" in html
    assert menu.dishes[0].dish.name in html


def test_a_resident_sees_the_next_meal_with_its_code(make: Make, client: Client) -> None:
    person = make.person("王秀英", household_id=make.household().id)
    an_order(make, person)
    client.sign_in(make.resident(person))
    html = every_link_leads_somewhere(client, "/")
    assert "ABC234" in html
    assert "春风里社区" in html
    assert "301" in html


def test_a_resident_without_a_meal_is_offered_to_order_one(make: Make, client: Client) -> None:
    client.sign_in(make.resident(make.person()))
    html = every_link_leads_somewhere(client, "/")
    assert "还没有订好的餐" in html
    assert "去订餐" in html


def test_somebody_whose_claim_waits_is_told_so(make: Make, client: Client) -> None:
    account = make.resident()
    claim = Claim(account_id=account.id, name="李小红", id_number="x", id_index=b"1", made_at=now())
    make.add(claim)
    client.sign_in(account)
    assert "身份核对中" in every_link_leads_somewhere(client, "/")
    assert "核对中" in every_link_leads_somewhere(client, "/me")


def test_somebody_whose_claim_was_refused_reads_why(make: Make, client: Client) -> None:
    account = make.resident()
    make.add(
        Claim(
            account_id=account.id,
            name="李小红",
            id_number="x",
            id_index=b"1",
            made_at=now(),
            state=ClaimState.REFUSED,
            reason="姓名和号码对不上",
        )
    )
    client.sign_in(account)
    assert "没有核对上" in client.get("/").get_data(as_text=True)
    assert "姓名和号码对不上" in client.get("/me").get_data(as_text=True)


def test_a_request_to_act_for_her_is_announced(make: Make, client: Client) -> None:
    mother = make.person("王秀英")
    daughter = make.resident(make.person("李小红"))
    make.add(
        FamilyAgent(
            account_id=daughter.id,
            person_id=mother.id,
            principal_name="王秀英",
            relation="女儿",
            state=AgentState.REQUESTED,
            until=date(2099, 1, 1),
            requested_at=now(),
        )
    )
    client.sign_in(make.resident(mother))
    assert "申请为您代办" in client.get("/").get_data(as_text=True)


@pytest.mark.parametrize("address", ["/me", "/me/looked"])
def test_a_residents_own_pages_lead_nowhere_dead(make: Make, client: Client, address: str) -> None:
    client.sign_in(make.resident(make.person()))
    every_link_leads_somewhere(client, address)


@pytest.mark.parametrize("address", ["/me", "/me/looked"])
def test_a_visitor_is_asked_to_sign_in_for_her_own_pages(client: Client, address: str) -> None:
    assert client.get(address).status_code == 303


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.RESIDENT])
def test_every_role_has_a_desk_without_dead_links(make: Make, client: Client, role: Role) -> None:
    an_order(make, make.person())
    client.sign_in(make.worker(role))
    every_link_leads_somewhere(client, "/desk/")


def test_a_worker_on_the_residents_home_is_led_to_the_desk_and_to_nothing_closed(make: Make, client: Client) -> None:
    make.menu()
    client.sign_in(make.worker())
    html = every_link_leads_somewhere(client, "/")
    assert "进入工作台" in html
    assert "我的订单" not in html


def test_a_resident_has_no_desk(make: Make, client: Client) -> None:
    client.sign_in(make.resident(make.person()))
    assert client.get("/desk/").status_code == 403


def test_the_operator_of_a_canteen_lands_on_redeeming(make: Make, client: Client) -> None:
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert "开始核销" in client.get("/desk/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.SYSTEM_ADMINISTRATOR, "参数"),
        (Role.SECURITY_ADMINISTRATOR, "账号权限"),
        (Role.AUDITOR, "审计"),
    ],
)
def test_the_three_administrators_see_their_own_work_and_no_residents(
    make: Make, client: Client, role: Role, words: str
) -> None:
    client.sign_in(make.worker(role))
    html = client.get("/desk/").get_data(as_text=True)
    assert words in html
    assert "今天订餐" not in html


def test_a_desk_names_those_in_scope_who_did_not_collect_today(make: Make, client: Client) -> None:
    menu = make.menu(day=today())
    an_order(make, make.person("罗玉珍"), menu, code="ABC235", state=OrderState.NO_SHOW)
    away = make.person("邵大成", community=make.community("荷塘社区"))
    an_order(make, away, menu, code="ABC236", state=OrderState.NO_SHOW)
    an_order(make, make.person("康德明"), menu)
    client.sign_in(make.worker())
    html = every_link_leads_somewhere(client, "/desk/")
    assert "今天没有取餐的人（1 份）" in html
    assert "您负责的居民 1 份" in html
    assert "罗玉珍" in html
    assert "邵大成" not in html
    assert "康德明" not in html


def test_the_operator_of_a_canteen_reads_no_list_of_who_to_visit(make: Make, client: Client) -> None:
    order = an_order(make, make.person("罗玉珍"), make.menu(day=today()), state=OrderState.NO_SHOW)
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR, order.menu.canteen))
    html = client.get("/desk/").get_data(as_text=True)
    assert "罗玉珍" not in html
    # Nor is she told to do what she cannot.
    assert "由社区回访" in html
    assert "请回访" not in html


def test_a_desk_shows_the_claims_that_wait(make: Make, client: Client) -> None:
    account = make.resident()
    community = make.community()
    make.add(
        Claim(
            account_id=account.id,
            name="李小红",
            id_number="x",
            id_index=b"1",
            made_at=now(),
            community_id=community.id,
        )
    )
    client.sign_in(make.worker())
    assert "账号认领" in client.get("/desk/").get_data(as_text=True).split("今天要办的事")[1]


def test_a_persons_page_shows_household_tags_meals_and_masked_numbers(make: Make, client: Client) -> None:
    home = make.household()
    make.person("张建国", household_id=home.id, relation=Relation.HEAD, sex=Sex.MALE)
    person = make.person(
        "王秀英",
        household_id=home.id,
        phone="13800005678",
        tags=[TagKind.LIVING_ALONE],
        diet="low_sugar",
        registration=Registration.LOCAL,
    )
    an_order(make, person)
    client.sign_in(make.worker())
    html = every_link_leads_somewhere(client, f"/desk/person/{person.public_id}")
    for words in ("王秀英", "张建国", "独居", "低糖", "138****5678", "本地户籍", "红烧带鱼"):
        assert words in html
    assert "13800005678" not in html


def test_a_person_out_of_scope_is_not_found(make: Make, client: Client) -> None:
    person = make.person(community=make.community("秋月社区"))
    client.sign_in(make.worker())
    assert client.get(f"/desk/person/{person.public_id}").status_code == 404


def test_the_operator_of_a_canteen_may_open_nobodys_page(make: Make, client: Client) -> None:
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert client.get(f"/desk/person/{make.person().public_id}").status_code == 403


def test_the_elder_view_and_the_language_are_kept_for_a_year(client: Client) -> None:
    answer = client.post("/preferences", data={"scale": "1.3", "next": "/me"})
    assert answer.status_code == 303
    assert answer.location == "/me"
    cookie = client.get_cookie("scale")
    assert cookie is not None
    assert cookie.value == "1.3"
    assert cookie.same_site == "Lax"
    assert cookie.max_age == 365 * 24 * 3600
    client.post("/preferences", data={"locale": "en", "next": "/"})
    html = client.get("/").get_data(as_text=True)
    assert 'lang="en"' in html
    assert "标准版" in html or "Standard" in html


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "", "javascript:1"]
)
def test_preferences_never_lead_away_from_the_portal(client: Client, elsewhere: str) -> None:
    assert client.post("/preferences", data={"scale": "1", "next": elsewhere}).location == "/"


def test_a_size_that_does_not_exist_is_refused(client: Client) -> None:
    assert client.post("/preferences", data={"scale": "99"}).status_code == 400
    assert client.get_cookie("scale") is None


def test_a_copy_of_her_data_tells_her_meals_in_words(make):
    person = make.person("王秀英")
    order = make.order(make.menu(), person)
    (section,) = [one for one in copies.sections(copies.compose(make.read(person))) if one.title == "助餐"]
    told = dict(section.things[0])
    assert (told["餐次"], told["状态"], told["日期"]) == ("午餐", "已预订", order.day.isoformat())
    assert told["总价（元）"] == yuan(order.bill_fen)


def test_the_page_of_who_is_not_here_offers_nothing_for_who_is(make: Make, client: Client) -> None:
    gone, here = make.person("赵玉兰", state=PersonState.MOVED_OUT), make.person("王秀英")
    client.sign_in(make.worker())
    assert f"person={here.public_id}" in client.get(f"/desk/person/{here.public_id}").text
    page = client.get(f"/desk/person/{gone.public_id}").text
    assert f"person={gone.public_id}" not in page
    assert "没有入户" in page
    assert "登记表里这一户只有一个人" not in page


def test_nobody_is_asked_to_find_a_contact_for_the_dead(make: Make, client: Client) -> None:
    dead, here = make.person("赵玉兰", state=PersonState.DEAD, state_on=today()), make.person("王秀英")
    client.sign_in(make.worker())
    assert "请至少登记一位" in client.get(f"/desk/people/{here.public_id}/record").text
    assert "请至少登记一位" not in client.get(f"/desk/people/{dead.public_id}/record").text
