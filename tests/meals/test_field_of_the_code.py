"""The counter's field of the code: what stands in it after a refusal, and what an empty one says."""

from portal.identity.permissions import Role
from portal.meals.service import orders
from tests.client import Client
from tests.make import Make
from tests.meals.stand import DAY, booked, clock_at
from tests.visitor import words_shown


def test_a_refused_qr_does_not_stand_in_the_field_where_the_next_code_is_typed(make: Make, client: Client) -> None:
    make.menu(day=DAY)
    order = booked(make, make.menu(day=DAY, canteen=make.canteen("梧桐苑助餐点")))
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        token = orders.pickup_token(order)
        answer = client.get("/desk/meals/redeem", query_string={"code": token, "canteen": make.canteen().id})
    assert answer.status_code == 422
    assert "请居民到那里取餐" in answer.text
    assert f'value="{token}"' not in answer.text


def test_looking_for_no_code_says_that_one_is_needed(make: Make, client: Client) -> None:
    make.menu(day=DAY)
    with clock_at("11:20"):
        client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
        answer = client.get("/desk/meals/redeem?code=+")
    assert answer.status_code == 422
    assert "取餐码：请填写这一项" in words_shown(answer.text)
