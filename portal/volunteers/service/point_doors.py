"""What points have for the doors: orders of goods to hand over, lines of a timeline, a person's own copy."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.points.models import GoodsOrder, GoodsState
from portal.points.service import goods_orders, ledger, wording
from portal.registry.models import Person

EVERYTHING = 100_000


def todo_of(worker: Actor) -> list[Todo]:
    """How many have goods to fetch."""
    within = scopes_of(worker, Permission.VOLUNTEERS_KEEP)
    count = goods_orders.waiting(within) if within else 0
    return [Todo(_("爱心超市待领取"), "volunteers.worker.shop_orders", count=count)] if count else []


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """Points spent, adjusted and taken back; what was earned stands with its records."""
    return [
        Line(entry.at, wording.entry_words(entry), _("%(points)s 分", points=wording.signed(entry.points)))
        for entry in ledger.moves(person, limit=limit)
    ]


def export(person: Person) -> list[dict[str, Any]]:
    """The ledger and the orders of goods in words; days in ISO."""
    entries = [
        {
            _("积分记录"): wording.entry_words(entry),
            _("日期"): clock.local(entry.at).date().isoformat(),
            _("积分"): entry.points,
            _("欠的积分"): entry.owed,
            _("原因"): wording.reason_words(entry.reason),
            _("经办人"): entry.by_name,
        }
        for entry in reversed(ledger.entries(person, limit=EVERYTHING))
    ]
    return entries + [_order(order) for order in goods_orders.orders_of(person, limit=EVERYTHING)]


def _order(order: GoodsOrder) -> dict[str, Any]:
    return {
        _("积分兑换"): order.goods.item.name,
        _("数量"): order.count,
        _("积分"): order.points,
        _("给谁"): order.person.name,
        _("谁的积分"): order.payer.name,
        _("日期"): clock.local(order.asked_at).date().isoformat(),
        _("状态"): wording.goods_state(order.state),
        _("原因"): wording.reason_words(order.reason),
    }


def purge(before: date) -> int:
    """Forget orders of goods that ended before a day; the ledger itself is never forgotten."""
    start, _end = clock.day_bounds(before)
    old = sa.delete(GoodsOrder).where(GoodsOrder.state != GoodsState.ASKED, GoodsOrder.ended_at < start)
    return int(getattr(db.session.execute(old), "rowcount", 0))
