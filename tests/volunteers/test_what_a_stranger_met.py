"""What a stranger stumbled over in the volunteers' pages: each stays mended."""

import re
from datetime import timedelta

import pytest
from flask import Flask

from portal.core.clock import now
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.points.models import Goods
from portal.points.service import ledger
from portal.registry.models import StockItem
from portal.volunteers.models.codes import SignupState, Way
from portal.volunteers.service import joining, requests
from tests.acting import actor_of
from tests.helping import Helping
from tests.make import Make


def test_a_refused_order_shows_what_she_still_has(make: Make, app: Flask):
    person = make.person()
    with transaction():
        ledger.earn(person, 500, key="record:x:1", words="老人送餐", expires_on=None, by=None)
    stock = {"community_id": make.community().id, "name": "大米", "unit": "袋", "quantity": 20}
    rice = make.add(
        Goods(
            community_id=make.community().id, stock_item_id=make.add(StockItem(**stock)).id, price=40, most_each_month=1
        )
    )
    client = app.test_client().sign_in(make.resident(person))
    page = client.post(f"/volunteers/shop/{rice.id}", data={"count": "9", "person": person.public_id, "idem": "a" * 20})
    assert page.status_code == 422
    said = re.sub(r"<[^>]+>|\s+", "", page.text)
    assert "还有20袋" in said
    assert "您可用500分" in said


def test_goods_that_ran_out_are_said_so_and_not_offered_in_smaller_numbers(make: Make, app: Flask):
    person = make.person()
    with transaction():
        ledger.earn(person, 500, key="record:x:1", words="老人送餐", expires_on=None, by=None)
    stock = {"community_id": make.community().id, "name": "食用油", "unit": "桶", "quantity": 1}
    item = make.add(StockItem(**stock))
    oil = make.add(Goods(community_id=make.community().id, stock_item_id=item.id, price=40, reserved=1))
    client = app.test_client().sign_in(make.resident(person))
    assert "确认兑换" not in client.get(f"/volunteers/shop/{oil.id}").text
    said = {"count": "1", "person": person.public_id, "idem": "a" * 20}
    page = client.post(f"/volunteers/shop/{oil.id}", data=said)
    assert page.status_code == 422
    assert "已经换完了，请换一件" in page.text
    assert "请减少数量" not in page.text


@pytest.mark.parametrize("path", ["hours", "certificates", "stars", "me"])
def test_who_is_no_volunteer_is_shown_the_way_from_every_entrance(make: Make, app: Flask, path: str):
    client = app.test_client().sign_in(make.resident(make.person()))
    page = client.get(f"/volunteers/{path}")
    assert "/volunteers/register" in page.text or page.location.endswith("/volunteers/register")


def test_nobody_grants_a_request_of_her_own(make: Make):
    helping = Helping(make)
    volunteer = helping.volunteer()
    account = actor_of(make.resident(volunteer.person))
    post = helping.post(helping.shift(helping.activity(leader_id=volunteer.id)))
    with transaction():
        asked = joining.put_on(
            post,
            volunteer,
            way=Way.SELF,
            by=account,
            state=SignupState.REQUESTED,
            agreed_at=now() - timedelta(minutes=1),
        )
    with transaction() as session, pytest.raises(Refused, match="不能通过自己提的申请"):
        requests.answer_request(session.get_one(type(asked), asked.id), yes=True, by=account)
    with transaction() as session:
        requests.answer_request(session.get_one(type(asked), asked.id), yes=True, by=actor_of(make.worker()))
    assert make.read(asked).state is SignupState.JOINED


def test_confirming_nobody_says_to_tick_somebody(make: Make, app: Flask):
    client = app.test_client().sign_in(make.worker())
    client.post("/desk/volunteers/hours/confirm")
    assert "请先勾选要确认的人" in client.get("/desk/volunteers/hours").text
