"""While the end of an account waits, it orders nothing and changes nothing; taking that back frees it."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import access, outbox
from portal.core.access import Platform
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.home.resident import WHILE_CLOSING
from portal.identity import passwords
from portal.identity.models import Account
from portal.meals.models import OrderState
from portal.notifications.models import Notice
from portal.registry.models import AgentState, FamilyAgent, RightKind, RightsRequest, RightState
from tests.client import Client
from tests.counting import count_queries
from tests.make import Make

WORDS, PASSWORD = "正在等待注销", "correct horse 1"


@pytest.fixture(scope="module")
def password_hash(bare_app: Flask) -> str:
    with bare_app.app_context():
        return passwords.hashed(PASSWORD, Platform.RESIDENT)


@pytest.fixture
def account(make: Make, password_hash: str) -> Account:
    return make.resident(make.person("王芳"), password_hash=password_hash)


def ask_closing(make: Make, account: Account) -> RightsRequest:
    asked = {"channel": "self", "asked_by": account.public_id, "asked_name": "王芳", "due_on": today()}
    with transaction() as session:
        session.execute(sa.update(Account).where(Account.id == account.id).values(closes_on=today()))
    return make.add(RightsRequest(kind=RightKind.CLOSING, account_id=account.id, asked_at=now(), **asked))


def test_no_new_order_is_placed_for_herself_or_whom_she_acts_for(make: Make, client: Client, account: Account) -> None:
    mother = make.person("李桂兰")
    agent = {"relation": "child", "state": AgentState.ACCEPTED, "until": today(), "requested_at": now()}
    make.add(FamilyAgent(account_id=account.id, person_id=mother.id, principal_name=mother.name, **agent))
    menu = make.menu()
    request = ask_closing(make, account)
    client.sign_in(account)
    dish = {f"dish_{menu.dishes[0].id}": "1", "way": "dine_in"}
    for who in ({}, {"person": mother.public_id}):
        answer = client.post(f"/meals/{menu.id}/order", data={**dish, **who})
        assert answer.status_code == 422
        assert WORDS in answer.get_data(as_text=True)
    assert "现在只能查看" in client.get("/me").get_data(as_text=True)
    assert client.post("/me/closing/take-back").status_code == 303
    assert "现在只能查看" not in client.get("/me").get_data(as_text=True)
    assert make.read(request).state is RightState.WITHDRAWN
    assert WORDS not in client.post(f"/meals/{menu.id}/order", data=dish).get_data(as_text=True)


def test_an_order_that_stands_is_read_but_not_changed(make: Make, client: Client, account: Account) -> None:
    order = make.order(make.menu(), make.person("李桂兰"), by=account)
    ask_closing(make, account)
    client.sign_in(account)
    assert client.get("/meals/orders").status_code == 200
    assert client.post(f"/meals/orders/{order.public_id}/cancel").status_code == 422
    assert make.read(order).state is OrderState.BOOKED


def test_every_page_that_sends_something_is_shut_but_the_few_that_change_nothing(
    make: Make, app: Flask, client: Client, account: Account
) -> None:
    ask_closing(make, account)
    wrong = []
    for rule in app.url_map.iter_rules():
        guard = access.guard_of(app.view_functions[rule.endpoint])
        if "POST" not in (rule.methods or ()) or rule.rule.startswith("/desk") or guard is None or guard.public:
            continue
        address = app.url_map.bind("").build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), method="POST")
        shut = WORDS in client.sign_in(account).post(address).get_data(as_text=True)
        if shut is (rule.endpoint in WHILE_CLOSING):
            wrong.append((rule.endpoint, shut))
        if rule.endpoint == "home.resident.closing_take_back":
            ask_closing(make, account)
    assert not wrong, wrong


def test_what_may_be_sent_meanwhile_is_there(app: Flask) -> None:
    assert set(app.view_functions) >= WHILE_CLOSING


def test_other_accounts_and_workers_are_not_held_up(make: Make, client: Client, account: Account) -> None:
    ask_closing(make, account)
    for other in (make.resident(make.person("陈建国")), make.worker()):
        client.sign_in(other)
        assert WORDS not in client.post("/notices/read").get_data(as_text=True)
        assert WORDS not in client.post("/people/consents/health/give").get_data(as_text=True)


BANNER = 'action="/me/closing/take-back"'
PAGES = ("/", "/meals/", "/meals/orders", "/notices/", "/me", "/me/looked", "/people/mine", "/people/agents")


def test_every_page_of_hers_says_that_the_account_ends_and_takes_it_back(
    make: Make, client: Client, account: Account
) -> None:
    client.sign_in(account)
    for page in PAGES:
        assert BANNER not in client.get(page).text, page
    ask_closing(make, account)
    for page in PAGES:
        answer = client.get(page)
        assert (answer.status_code, answer.text.count(BANNER)) == (200, 1), page
        assert f"您的账号将在{today().year}年{today().month}月{today().day}日注销" in answer.text, page
    assert client.get("/me/closing").text.count(BANNER) == 1
    client.sign_in(make.resident(make.person("陈建国")))
    assert BANNER not in client.get("/").text


def test_the_banner_costs_no_question_of_its_own(make: Make, client: Client, account: Account) -> None:
    client.sign_in(account)
    client.get("/notices/")
    with count_queries() as before:
        client.get("/notices/")
    ask_closing(make, account)
    client.get("/notices/")
    with count_queries() as waiting:
        assert BANNER in client.get("/notices/").text
    assert len(waiting) == len(before)


def test_where_nothing_may_be_ordered_a_sentence_stands_for_the_button(make: Make, client: Client) -> None:
    menu, mine = make.menu(), make.person("李桂兰")
    account = make.resident(mine)
    order = make.order(make.menu(day=menu.day, canteen=make.canteen("梧桐苑助餐点")), mine, by=account)
    client.sign_in(account)
    places = (
        (f"/meals/?day={menu.day}", "订这一餐"),
        (f"/meals/{menu.id}/order", "确认订餐"),
        (f"/meals/orders/{order.public_id}", "/cancel"),
        (f"/meals/orders/{order.public_id}/cancel", "确定取消"),
        (f"/meals/orders/{order.public_id}/change", "确认修改"),
    )
    ask_closing(make, account)
    for address, button in places:
        text = client.get(address).text
        assert button not in text, address
        assert "账号等待注销，" in text, address


def test_the_refusal_is_a_page_in_words_with_the_way_back(make: Make, client: Client, account: Account) -> None:
    menu = make.menu()
    ask_closing(make, account)
    answer = client.sign_in(account).post(f"/meals/{menu.id}/order", data={"way": "dine_in"})
    assert answer.status_code == 422
    assert answer.text.count(BANNER) == 1
    assert f"{today().year}年{today().month}月{today().day}日" in answer.text
    assert today().isoformat() not in answer.text
    assert "错误编号" not in answer.text


def test_me_leads_to_where_it_is_taken_back(make: Make, client: Client, account: Account) -> None:
    ask_closing(make, account)
    text = client.sign_in(account).get("/me").text
    assert "等待注销，点这里可以撤回" in text
    assert 'href="/me/closing"' in text


def test_the_family_and_the_community_may_still_order_for_her_and_the_page_says_so(
    make: Make, client: Client, account: Account
) -> None:
    client.sign_in(account)
    assert "家人和社区仍可代订" in client.get("/me/closing").text
    ask_closing(make, account)
    assert "家人和社区仍可代订" in client.get("/me/closing").text


def _alarms(account: Account) -> list[tuple[str, bool]]:
    query = sa.select(Notice).where(Notice.account_id == account.id).order_by(Notice.id)
    return [(notice.topic, notice.read_at is None) for notice in db.session.scalars(query)]


def _round(client: Client) -> None:
    assert client.post("/me/closing", data={"password": PASSWORD, "sure": "y"}).status_code == 303


def test_taking_it_back_takes_the_alarm_back(client: Client, account: Account) -> None:
    client.sign_in(account)
    asked, back = "registry.closing_asked", "registry.closing_taken_back"
    _round(client)
    assert _alarms(account) == [(asked, True)]
    client.post("/me/closing/take-back")
    db.session.rollback()
    assert _alarms(account) == [(asked, False), (back, True)]
    assert "账号留下来了，照常使用" in client.get("/notices/").text
    _round(client)
    db.session.rollback()
    assert _alarms(account) == [(asked, False), (back, False), (asked, True)]


def test_an_alarm_that_was_not_delivered_yet_never_is(app: Flask, client: Client, account: Account) -> None:
    client.sign_in(account)
    jobs = app.extensions["portal.jobs"]
    deliver = jobs.works.pop(outbox.DELIVER)
    try:
        _round(client)
        assert _alarms(account) == []
    finally:
        jobs.works[outbox.DELIVER] = deliver
    client.post("/me/closing/take-back")
    db.session.rollback()
    assert _alarms(account) == [("registry.closing_taken_back", True)]
