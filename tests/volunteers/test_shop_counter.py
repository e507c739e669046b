"""Goods for somebody without a telephone: asked for and handed over at the counter."""

import pytest
import sqlalchemy as sa

from portal.core.db import db
from portal.points.models import GoodsOrder, GoodsState
from tests.client import Client
from tests.volunteers.test_shop import goods, points_of, with_points


@pytest.fixture
def page(make):
    return f"/desk/volunteers/points/people/{with_points(make.person('王秀英')).public_id}/goods"


def test_a_worker_asks_and_hands_over_at_once(make, client: Client, page):
    wanted = goods(make)
    client.sign_in(make.worker())
    assert "大米，每件 40 分，还有 5 袋" in client.get(page).text
    sent = {"goods": str(wanted.id), "count": "1", "idem": "k1"}
    first, again = (client.post(page, data=sent) for _turn in range(2))
    assert first.status_code == 303
    assert first.location == again.location
    order = db.session.scalars(sa.select(GoodsOrder)).one()
    assert order.code in client.get(first.location).text
    assert client.post(first.location, data={"code": order.code}).status_code == 303
    assert make.read(order).state is GoodsState.HANDED
    assert points_of(order.person) == 60


def test_too_few_points_are_refused_beside_the_form(make, client: Client, page):
    wanted = goods(make)
    client.sign_in(make.worker())
    refused = client.post(page, data={"goods": str(wanted.id), "count": "3", "idem": "k1"})
    assert refused.status_code == 422
    assert "现在可用 100 分" in refused.text
    assert make.read(wanted).reserved == 0


def test_what_is_on_no_shelf_of_hers_is_not_to_be_had(make, client: Client, page):
    other = goods(make, community=make.community("桃园社区"))
    client.sign_in(make.worker())
    assert "货架还空着" in client.get(page).text
    assert client.post(page, data={"goods": str(other.id), "count": "1", "idem": "k1"}).status_code == 422
    client.sign_in(make.worker(scope=make.community("桃园社区")))
    assert client.get(page).status_code == 404
