"""The shelf of the shop (爱心超市): what a community gives for points, of its own stock."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import contains_eager, joinedload

from portal.areas import service as areas
from portal.core import audit
from portal.core.access import Scope
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.points.models import Goods
from portal.registry.models import StockItem

SHOWN = 300


@dataclass(frozen=True)
class GoodsFacts:
    """`most_each_month` of 0: as many as somebody has points for."""

    price: int
    most_each_month: int = 0
    is_offered: bool = True
    words: str = ""


def left_of(goods: Goods) -> int:
    """How many can still be asked for: what is in stock and not reserved."""
    return max(0, goods.item.quantity - goods.reserved)


def _goods() -> sa.Select[Goods]:
    return (
        sa.select(Goods)
        .join(Goods.item)
        .options(contains_eager(Goods.item), joinedload(Goods.community))
        .order_by(Goods.community_id, Goods.price, Goods.id)
        .limit(SHOWN)
    )


def shelf(community_id: int) -> list[Goods]:
    """What a community offers now, the cheapest first; what has run out stands there too."""
    mine = sa.and_(Goods.community_id == community_id, Goods.is_offered, StockItem.closed_on.is_(None))
    return list(db.session.scalars(_goods().where(mine)))


def on_shelf(community_id: int, goods_id: int) -> Goods:
    found = next((goods for goods in shelf(community_id) if goods.id == goods_id), None)
    if found is None:
        raise Missing
    return found


def goods_in(within: Collection[Scope]) -> list[Goods]:
    """Everything on the shelves in scope, whether it is offered or not."""
    return list(db.session.scalars(_goods().where(Goods.community_id.in_(areas.touched(within)))))


def one_in(within: Collection[Scope], goods_id: int) -> Goods:
    query = _goods().where(Goods.id == goods_id, Goods.community_id.in_(areas.touched(within)))
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def not_on_shelf(within: Collection[Scope]) -> list[StockItem]:
    """Stock in scope that the shop does not have yet."""
    query = (
        sa.select(StockItem)
        .where(StockItem.community_id.in_(areas.touched(within)), StockItem.closed_on.is_(None))
        .where(StockItem.id.not_in(sa.select(Goods.stock_item_id)))
        .options(joinedload(StockItem.community))
        .order_by(StockItem.community_id, StockItem.name, StockItem.id)
        .limit(SHOWN)
    )
    return list(db.session.scalars(query))


def put_on_shelf(item: StockItem, facts: GoodsFacts) -> Goods:
    made = Goods(community_id=item.community_id, stock_item_id=item.id, reserved=0)
    _say(made, facts)
    with unique_or(Refused(_("这项物资已经在爱心超市里了，请直接改它的分数。"), field="item")):
        db.session.add(made)
    audit.record("points.goods_added", made, name=item.name, price=facts.price)
    return made


def change(goods: Goods, facts: GoodsFacts) -> None:
    """What was asked for already keeps its price."""
    _say(goods, facts)
    db.session.flush()
    audit.record("points.goods_changed", goods, name=goods.item.name, price=facts.price, offered=facts.is_offered)


def _say(goods: Goods, facts: GoodsFacts) -> None:
    goods.price, goods.most_each_month = facts.price, facts.most_each_month
    goods.is_offered, goods.words = facts.is_offered, facts.words
