"""Material stock: a quantity that moves by entries only, and never below nothing."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit, tokens
from portal.core.access import Actor, Scope, actor_or_none
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.registry.models import StockEntry, StockItem, StockReason
from portal.registry.service.resources.listing import Paged, Wanted, in_reach, one_in, paged

MOST_AT_ONCE = 1_000_000
MOST_HELD = 1_000_000_000
ENTRIES_SHOWN = 100


@dataclass(frozen=True)
class ItemFacts:
    name: str
    unit: str
    place: str = ""
    low_below: int = 0


def items(within: Collection[Scope], wanted: Wanted) -> Paged[StockItem]:
    """Stock in scope by community and name; `state` "low": less than the warning level."""
    query = sa.select(StockItem).options(joinedload(StockItem.community))
    closed = StockItem.closed_on.is_not(None) if wanted.state == "closed" else StockItem.closed_on.is_(None)
    query = query.where(in_reach(StockItem.community_id, within, wanted.community), closed)
    if wanted.state == "low":
        query = query.where(StockItem.quantity < StockItem.low_below)
    if wanted.q:
        either = (StockItem.name, StockItem.place)
        query = query.where(sa.or_(*(column.icontains(wanted.q, autoescape=True) for column in either)))
    return paged(query.order_by(StockItem.community_id, StockItem.name, StockItem.id), wanted)


def low(within: Collection[Scope]) -> int:
    """How many kinds of material are below their warning level."""
    return items(within, Wanted(state="low", size=1)).total


def item_in(within: Collection[Scope], item_id: int) -> StockItem:
    query = sa.select(StockItem).options(joinedload(StockItem.community))
    return one_in(query.where(in_reach(StockItem.community_id, within), StockItem.id == item_id))


def entries_of(item: StockItem) -> list[StockEntry]:
    """The latest movements first."""
    query = sa.select(StockEntry).where(StockEntry.item_id == item.id).order_by(StockEntry.id.desc())
    return list(db.session.scalars(query.limit(ENTRIES_SHOWN)))


def add_item(community: Area, facts: ItemFacts) -> StockItem:
    item = StockItem(community_id=community.id, quantity=0)
    with unique_or(_taken()):
        _say(item, facts)
        db.session.add(item)
    audit.record("resources.item_added", item, name=facts.name)
    return item


def change_item(item: StockItem, facts: ItemFacts) -> None:
    if facts.unit != item.unit and entries_of(item):
        raise Refused(_("已经有出入库记录，计量单位不能改。请停用这一项，另建一项。"), field="unit")
    with unique_or(_taken()):
        _say(item, facts)
    audit.record("resources.item_changed", item, name=facts.name)


def _taken() -> Refused:
    return Refused(_("这个社区已经有同名同单位的物资（也可能已停用），请核对。"), field="name")


def _say(item: StockItem, facts: ItemFacts) -> None:
    item.name, item.unit, item.place, item.low_below = facts.name, facts.unit, facts.place, facts.low_below


def close_item(item: StockItem) -> None:
    item.closed_on = item.closed_on or today()
    audit.record("resources.item_closed", item, name=item.name)


def reopen_item(item: StockItem) -> None:
    item.closed_on = None
    audit.record("resources.item_reopened", item, name=item.name)


def move(item: StockItem, reason: StockReason, count: int, *, by: Actor, note: str = "", key: str = "") -> int:
    """Bring or take `count`, by the reason; return what is left. The same key again moves nothing."""
    body = f"{item.id} {reason} {count} {note}"
    earlier = tokens.same_request(by.public_id, "resources.stock_moved", key, body)
    if earlier is not None:
        return int(earlier)
    if not 1 <= count <= MOST_AT_ONCE:
        raise Refused(_("请填 1 到 1000000 之间的数量。"), field="count")
    if item.closed_on is not None:
        raise Refused(_("这项物资已停用，请先恢复。"))
    left = _enter(item, reason, count, note=note, by=by)
    tokens.remember_request(by.public_id, "resources.stock_moved", key, body, str(left))
    audit.record("resources.stock_moved", item, name=item.name, kind=reason.value, count=count)
    return left


def count(item: StockItem, found: int, *, note: str) -> None:
    """Enter the difference to what somebody counted, as found or lost; nothing where nothing differs."""
    differing = found - item.quantity
    if differing:
        reason = StockReason.FOUND if differing > 0 else StockReason.LOST
        _enter(item, reason, abs(differing), note=note, by=actor_or_none())


def _enter(item: StockItem, reason: StockReason, count: int, *, note: str, by: Actor | None) -> int:
    delta = count if reason.brings else -count
    left = _moved(item, delta)
    who = {"by": by.public_id, "by_name": by.name} if by else {"by": "system", "by_name": ""}
    db.session.add(StockEntry(item_id=item.id, delta=delta, left_after=left, reason=reason, note=note, at=now(), **who))
    db.session.flush()
    return left


def _moved(item: StockItem, delta: int) -> int:
    """Move the quantity where the database finds enough; refuse in words otherwise."""
    after = StockItem.quantity + delta
    fits = sa.and_(StockItem.id == item.id, after >= 0, after <= MOST_HELD)
    moved = guarded(sa.update(StockItem).where(fits).values(quantity=after))
    db.session.refresh(item, ["quantity"])
    if not moved and delta < 0:
        words = _("现在只有 %(left)d%(unit)s，不够出库。", left=item.quantity, unit=item.unit)
        raise Refused(words, field="count")
    if not moved:
        raise Refused(_("数量太大了，请核对。"), field="count")
    return item.quantity
