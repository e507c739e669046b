"""Goods asked for with points: points spent and stock reserved at once; handed over by code, or taken back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from portal.areas import service as areas
from portal.core import audit, clock, ids, outbox, reasons, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded, insert_new
from portal.core.errors import Missing, Refused
from portal.points.models import GOODS_MOVES, Goods, GoodsOrder, GoodsState
from portal.points.service import ledger
from portal.registry.models import Person, StockItem, StockReason
from portal.registry.service import people
from portal.registry.service.resources import stock

KEPT_DAYS = "volunteers.goods_kept_days"
settings.declare(
    KEPT_DAYS,
    default=14,
    label=lambda: _("积分兑换的物品最多保留多久"),
    unit=lambda: _("天"),
    least=1,
    most=90,
)
LAPSED = reasons.declare("points.goods_lapsed", label=lambda: _("超过保留期没有来取，积分已退回"))
TRIES = 20
SHOWN = 200


@dataclass(frozen=True)
class Wish:
    """How many of what, for whom, of whose points."""

    goods: Goods
    count: int
    person: Person
    payer: Person


def ask(wish: Wish, *, by: Actor) -> GoodsOrder:
    """Spend the points and reserve the goods, both or neither; two who ask for the last one: one gets it."""
    goods, count = wish.goods, wish.count
    if count < 1:
        raise Refused(_("请填要几件，至少 1 件。"), field="count")
    # The stock is held first, then the goods, then the purse: whoever asks or hands over holds them in this order.
    db.session.execute(sa.select(StockItem.id).where(StockItem.id == goods.stock_item_id).with_for_update())
    _reserve(goods, count)
    order = _made(wish, by)
    ledger.spend(wish.payer, order.points, key=_key(order), words=f"{goods.item.name} × {count}", by=by)
    _check_month(wish)
    audit.record("points.goods_asked", order, name=goods.item.name, count=count, points=order.points)
    _tell("points.goods_asked", order)
    return order


def ask_once(wish: Wish, *, key: str, body: str, by: Actor) -> tuple[str, str]:
    """The same for a form: the public id and code of the order it makes, or of the one an earlier post of it made."""
    earlier = tokens.same_request(by.public_id, "points.ask", key, body)
    if earlier is None:
        order = ask(wish, by=by)
        tokens.remember_request(by.public_id, "points.ask", key, body, f"{order.public_id}/{order.code}")
        return order.public_id, order.code
    public_id, _slash, code = earlier.partition("/")
    return public_id, code


def _key(order: GoodsOrder) -> str:
    return f"goods:{order.public_id}"


def _reserve(goods: Goods, count: int) -> None:
    in_stock = sa.select(StockItem.quantity).where(StockItem.id == goods.stock_item_id, StockItem.closed_on.is_(None))
    room = sa.and_(Goods.is_offered, Goods.reserved + count <= in_stock.scalar_subquery())
    taken = guarded(sa.update(Goods).where(Goods.id == goods.id, room).values(reserved=Goods.reserved + count))
    db.session.refresh(goods, ["reserved", "is_offered"])
    db.session.refresh(goods.item, ["quantity"])
    if not taken:
        left = max(0, goods.item.quantity - goods.reserved)
        if not left:
            raise Refused(_("这件物品已经换完了，请换一件，或者到货以后再来。"), field="count")
        words = _("这件物品现在只剩 %(left)d %(unit)s，请减少数量或换一件。", left=left, unit=goods.item.unit)
        raise Refused(words, field="count")


def _made(wish: Wish, by: Actor) -> GoodsOrder:
    row = {
        "public_id": ids.new_public_id(),
        "community_id": wish.goods.community_id,
        "goods_id": wish.goods.id,
        "person_id": wish.person.id,
        "payer_id": wish.payer.id,
        "count": wish.count,
        "points": wish.goods.price * wish.count,
        "state": GoodsState.ASKED,
        "asked_at": now(),
        "asked_by": by.public_id,
    }
    for _try in range(TRIES):
        made = insert_new(GoodsOrder, row | {"code": ids.short_code()})
        if made is not None:
            return made
    raise RuntimeError("no code is left for an order of goods")


def _check_month(wish: Wish) -> None:
    """Refuse more of a thing in a month than its limit. The purse is held by now, so that nobody asks beside."""
    most = wish.goods.most_each_month
    if not most:
        return
    first, _end = clock.day_bounds(clock.today().replace(day=1))
    query = sa.select(sa.func.coalesce(sa.func.sum(GoodsOrder.count), 0)).where(
        GoodsOrder.payer_id.in_(people.ids_of(people.resolved(wish.payer))),
        GoodsOrder.goods_id == wish.goods.id,
        GoodsOrder.state != GoodsState.CANCELLED,
        GoodsOrder.asked_at >= first,
    )
    already = (db.session.scalar(query) or 0) - wish.count
    unit = wish.goods.item.unit
    if already >= most:
        words = _("每人每月最多换 %(most)d %(unit)s，您本月已经换满，下个月再来吧。", most=most, unit=unit)
        raise Refused(words, field="count")
    if already + wish.count > most:
        left = most - already
        words = _(
            "每人每月最多换 %(most)d %(unit)s，您本月还能换 %(left)d %(unit)s，请减少数量。",
            most=most,
            left=left,
            unit=unit,
        )
        raise Refused(words, field="count")


def cancel(order: GoodsOrder, *, reason: str, by: Actor | None) -> None:
    """Take an order back before it was handed over: the points return, the goods are free again."""
    _end(order, GoodsState.CANCELLED, reason=reason, by=by)
    _let_go(order)
    spent = ledger.entry_of(_key(order))
    if spent is not None:
        ledger.reverse(spent, reason=reason, by=by)
    audit.record("points.goods_cancelled", order, reason=reason, points=order.points)
    _tell("points.goods_cancelled", order, reason=reason)


def hand_over(order: GoodsOrder, code: str, *, by: Actor) -> None:
    """Hand the goods over to who says the code, once: they leave the stock, by the register's own entry."""
    if ids.check_short_code(code) != order.code:
        raise Refused(_("兑换码不对，请居民再看一遍通知或页面上的兑换码。"), field="code")
    item = order.goods.item
    _end(order, GoodsState.HANDED, reason="", by=by)
    note = _("积分兑换 %(code)s", code=order.code)
    stock.move(item, StockReason.GIVEN, order.count, by=by, note=note)
    _let_go(order)
    audit.record("points.goods_handed", order, name=item.name, count=order.count)
    _tell("points.goods_handed", order)


def _end(order: GoodsOrder, state: GoodsState, *, reason: str, by: Actor | None) -> None:
    """Move from where the row is known to be; refused when somebody was quicker. The stock is held before."""
    db.session.execute(sa.select(StockItem.id).where(StockItem.id == order.goods.stock_item_id).with_for_update())
    before = [old for old, following in GOODS_MOVES.items() if state in following]
    where = sa.and_(GoodsOrder.id == order.id, GoodsOrder.state.in_(before))
    values = {"state": state, "reason": reason, "ended_at": now(), "ended_by_name": by.name if by else ""}
    moved = guarded(sa.update(GoodsOrder).where(where).values(values))
    db.session.refresh(order, ["state", "reason", "ended_at", "ended_by_name"])
    if moved:
        return
    if order.state is GoodsState.HANDED:
        raise Refused(_("这件物品已经领走了，不能再领一次，也不能取消。"))
    raise Refused(_("这次兑换已经取消，积分已退回。还想要的话请重新兑换。"))


def _let_go(order: GoodsOrder) -> None:
    """What was reserved is so no more: it was handed over, or is free again."""
    enough = sa.and_(Goods.id == order.goods_id, Goods.reserved >= order.count)
    if not guarded(sa.update(Goods).where(enough).values(reserved=Goods.reserved - order.count)):
        raise RuntimeError(f"goods {order.goods_id}: {order.count} let go that were never reserved")
    db.session.expire(order.goods, ["reserved"])


def _tell(event: str, order: GoodsOrder, reason: str = "") -> None:
    """Tell whom the goods are for, and whose points they cost."""
    facts = {
        "name": order.goods.item.name,
        "unit": order.goods.item.unit,
        "count": order.count,
        "points": order.points,
        "code": order.code,
        "place": order.goods.item.place,
        "reason": reason,
        "order": order.public_id,
    }
    told = dict.fromkeys([people.resolved(order.payer), people.resolved(order.person)])
    for person in told:
        outbox.enqueue(event, to=person.ref, person=order.person.name, **facts)


def _whole() -> tuple[ExecutableOption, ...]:
    return (
        joinedload(GoodsOrder.goods).joinedload(Goods.item),
        joinedload(GoodsOrder.goods).joinedload(Goods.community),
        joinedload(GoodsOrder.person),
        joinedload(GoodsOrder.payer),
    )


def _of(*persons: Person) -> sa.ColumnElement[bool]:
    """What some people paid for, or are to get."""
    hers = people.ids_of(*(people.resolved(person) for person in persons))
    return sa.or_(GoodsOrder.payer_id.in_(hers), GoodsOrder.person_id.in_(hers))


def orders_of(person: Person, *, limit: int = SHOWN) -> list[GoodsOrder]:
    """Those still to be fetched first, then the latest."""
    order = sa.case((GoodsOrder.state == GoodsState.ASKED, 0), else_=1), GoodsOrder.id.desc()
    query = sa.select(GoodsOrder).where(_of(person)).options(*_whole()).order_by(*order).limit(limit)
    return list(db.session.scalars(query))


def order_of(persons: Collection[Person], public_id: str) -> GoodsOrder:
    """An order of one of some people; Missing for anybody else's."""
    query = sa.select(GoodsOrder).where(GoodsOrder.public_id == public_id, _of(*persons)).options(*_whole())
    return _found(db.session.scalar(query))


def may_cancel(order: GoodsOrder, person: Person) -> bool:
    """Whose points they were may take an order back until it is handed over."""
    return order.state is GoodsState.ASKED and people.resolved(order.payer).id == people.resolved(person).id


def cancel_own(order: GoodsOrder, person: Person, *, reason: str, by: Actor) -> None:
    """The same by herself; what another paid for is the other's to take back."""
    if people.resolved(order.payer).id != people.resolved(person).id:
        raise Refused(_("这是用%(name)s的积分换的，请由本人取消，或联系社区。", name=order.payer.name))
    cancel(order, reason=reason, by=by)


def _found(order: GoodsOrder | None) -> GoodsOrder:
    if order is None:
        raise Missing
    return order


def _in(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return GoodsOrder.community_id.in_(areas.touched(within))


def orders_in(within: Collection[Scope], state: GoodsState) -> list[GoodsOrder]:
    """Those of a state in scope: the oldest of what waits first, otherwise the latest."""
    order = GoodsOrder.id if state is GoodsState.ASKED else GoodsOrder.id.desc()
    query = sa.select(GoodsOrder).where(_in(within), GoodsOrder.state == state).options(*_whole())
    return list(db.session.scalars(query.order_by(order).limit(SHOWN)))


def waiting(within: Collection[Scope]) -> int:
    query = sa.select(sa.func.count(GoodsOrder.id)).where(_in(within), GoodsOrder.state == GoodsState.ASKED)
    return db.session.scalar(query) or 0


def order_in(within: Collection[Scope], public_id: str) -> GoodsOrder:
    query = sa.select(GoodsOrder).where(GoodsOrder.public_id == public_id, _in(within)).options(*_whole())
    return _found(db.session.scalar(query))


def by_code(within: Collection[Scope], text: str) -> GoodsOrder:
    """The order that a code means; a refusal where it is none, or another community's."""
    code = ids.check_short_code(text)
    query = sa.select(GoodsOrder).where(GoodsOrder.code == (code or ""), _in(within)).options(*_whole())
    found = db.session.scalar(query)
    if found is None:
        words = _("没有找到这个兑换码。请核对后重输；兑换码是 6 位，没有数字 0、1，也没有字母 I、L、O。")
        raise Refused(words, field="code")
    return found


def keeps_until(order: GoodsOrder) -> datetime:
    """Until when asked goods are kept."""
    return order.asked_at + timedelta(days=settings.get(KEPT_DAYS))


def overdue(moment: datetime, limit: int = 200) -> list[int]:
    """What nobody fetched in time, the oldest first."""
    before = moment - timedelta(days=settings.get(KEPT_DAYS))
    query = sa.select(GoodsOrder.id).where(GoodsOrder.state == GoodsState.ASKED, GoodsOrder.asked_at < before)
    return list(db.session.scalars(query.order_by(GoodsOrder.id).limit(limit)))


def lapse(order_id: int) -> None:
    """Give the points of one order back that nobody fetched."""
    order = db.session.scalars(sa.select(GoodsOrder).where(GoodsOrder.id == order_id).options(*_whole())).one()
    if order.state is GoodsState.ASKED:
        cancel(order, reason=LAPSED, by=None)
