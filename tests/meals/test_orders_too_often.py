"""Too many orders a minute: said on the form itself, which keeps what was typed."""

import time_machine

from portal.core.clock import now
from portal.core.db import transaction
from portal.meals.models import Way
from portal.meals.service import holding, orders
from tests.meals.stand import acting


def test_who_orders_too_often_reads_when_to_try_again_and_keeps_what_was_typed(make, client):
    person, menu = make.person("王秀英"), make.menu()
    account = make.resident(person)
    dish = menu.dishes[0].id
    with time_machine.travel(now(), tick=False):
        for _time in range(holding.PACE):
            with transaction():
                made = orders.place_order(menu, person, portions={dish: 1}, way=Way.DINE_IN, by=acting(account))
            with transaction():
                orders.cancel_order(made, by=acting(account))
        told = {f"dish_{dish}": 2, "way": "dine_in", "note": "少放盐", "idem": "one more"}
        answer = client.sign_in(account).post(f"/meals/{menu.id}/order", data=told)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert "请大约 1 分钟后再试" in answer.text
    assert "少放盐" in answer.text
