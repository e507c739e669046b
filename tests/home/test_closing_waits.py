"""While the end of an account waits, it orders nothing and changes nothing; taking that back frees it."""

import pytest
from flask import Flask

from portal.core import access
from portal.core.clock import now, today
from portal.home.resident import WHILE_CLOSING
from portal.identity.models import Account
from portal.meals.models import OrderState
from portal.registry.models import AgentState, FamilyAgent, RightKind, RightsRequest, RightState
from tests.client import Client
from tests.make import Make

WORDS = "正在等待注销"


@pytest.fixture
def account(make: Make) -> Account:
    return make.resident(make.person("王芳"))


def ask_closing(make: Make, account: Account) -> RightsRequest:
    asked = {"channel": "self", "asked_by": account.public_id, "asked_name": "王芳", "due_on": today()}
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
