"""What a resident reads of her points and goods in the small hours is of the day of the street, not of London's."""

from datetime import UTC, datetime

import time_machine

from portal.core.db import transaction
from portal.points.models import Goods
from portal.points.service import goods_orders, ledger
from portal.points.service.goods_orders import Wish
from portal.registry.models import Person, StockItem
from tests.acting import actor_of
from tests.client import Client
from tests.make import Make
from tests.visitor import words_shown

# Half past midnight of 10 June in the street.
NIGHT = datetime(2026, 6, 9, 16, 30, tzinfo=UTC)


def test_points_and_goods_of_the_small_hours_are_of_that_day(make: Make, client: Client) -> None:
    with time_machine.travel(NIGHT):
        me, worker = make.person(), actor_of(make.worker())
        item = make.add(StockItem(community_id=me.community_id, name="大米", unit="袋", place="超市", quantity=5))
        goods = make.add(Goods(community_id=me.community_id, stock_item_id=item.id, price=40))
        with transaction() as session:
            ledger.earn(me, 100, key="record:1", words="老人送餐", expires_on=None, by=None)
            her = session.get_one(Person, me.id)
            order = goods_orders.ask(Wish(session.get_one(Goods, goods.id), 1, her, her), by=worker)
            address = f"/volunteers/shop/orders/{order.public_id}"
        client.sign_in(make.resident(me))
        pages = {path: words_shown(client.get(path).text) for path in ("/volunteers/points", "/volunteers/shop/orders")}
        kept = words_shown(client.get(address).text)
    assert all("6月10日周三00:30" in words for words in pages.values()), pages
    # Two weeks to the minute: a day alone would send her home with nothing in the afternoon of the last one.
    assert "请在6月24日周三00:30前来领" in kept
