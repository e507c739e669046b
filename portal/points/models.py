"""The ledger of points: balances the database never lets fall below nothing, entries that are never changed."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.registry.models import Person, StockItem


class EntryKind(StrEnum):
    EARNED = "earned"
    SPENT = "spent"
    EXPIRED = "expired"
    ADJUSTED = "adjusted"
    REVERSED = "reversed"
    SETTLED = "settled"


class Balance(Base):
    """What somebody has. It moves with its entries in one transaction, by guarded updates only.

    `debt` is what was taken back of points that were spent already: what comes in next pays it first.
    """

    __tablename__ = "point_balance"
    __table_args__ = (
        sa.CheckConstraint("points >= 0", name="not_negative"),
        sa.CheckConstraint("debt >= 0", name="debt_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    points: Mapped[int] = mapped_column(default=0)
    debt: Mapped[int] = mapped_column(default=0)
    person: Mapped[Person] = relationship()


class PointEntry(Base):
    """One line of the ledger. `key` names its source, so that the same source never writes twice.

    `points` moves the balance and `owed` the debt; a reversal points at what it takes back. Where records of one
    person were merged, one act may move several balances: its further entries are `part_of` the first.
    """

    __tablename__ = "point_entry"
    __table_args__ = (
        sa.CheckConstraint("points <> 0 OR owed <> 0", name="something"),
        sa.Index("ix_point_entry_balance", "balance_id", "id"),
        sa.Index("ix_point_entry_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    balance_id: Mapped[int] = mapped_column(sa.ForeignKey("point_balance.id"))
    kind: Mapped[EntryKind] = mapped_column(one_of(EntryKind))
    points: Mapped[int]
    owed: Mapped[int] = mapped_column(default=0)
    key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    words: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    reverses_id: Mapped[int | None] = mapped_column(sa.ForeignKey("point_entry.id"), unique=True)
    part_of_id: Mapped[int | None] = mapped_column(sa.ForeignKey("point_entry.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by: Mapped[str] = mapped_column(sa.String(32), default="")
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    balance: Mapped[Balance] = relationship()


class Lot(Base):
    """Points earned together and what is left of them; the oldest go first, and what is left on its day expires."""

    __tablename__ = "point_lot"
    __table_args__ = (
        sa.CheckConstraint("remaining >= 0", name="not_negative"),
        sa.CheckConstraint("remaining <= points", name="not_more"),
        sa.Index("ix_point_lot_balance", "balance_id", "expires_on", "id"),
        sa.Index("ix_point_lot_expiry", "expires_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    balance_id: Mapped[int] = mapped_column(sa.ForeignKey("point_balance.id"))
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("point_entry.id"), unique=True)
    points: Mapped[int]
    remaining: Mapped[int]
    expires_on: Mapped[date | None]


class Draw(Base):
    """How much an entry took from a lot, so that a reversal puts it back where it came from."""

    __tablename__ = "point_draw"
    __table_args__ = (
        sa.UniqueConstraint("entry_id", "lot_id"),
        sa.CheckConstraint("points > 0", name="something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("point_entry.id"))
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("point_lot.id"), index=True)
    points: Mapped[int]


class PointRule(Base):
    """How many points an hour of a kind of service earns, between two days. Without a kind it holds for the rest.

    `expires_months` after the end of the month of earning they expire; none: never.
    """

    __tablename__ = "point_rule"
    __table_args__ = (sa.UniqueConstraint("kind", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20), default="")
    per_hour: Mapped[int]
    expires_months: Mapped[int | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(sa.String(120), default="")
    updated_by_name: Mapped[str] = mapped_column(sa.String(64), default="")


class Goods(Base):
    """What the shop (爱心超市) gives for points: so many of them for one of a stock item.

    `reserved` is how many of the item are asked for and not handed over yet; `most_each_month` for one person, 0: any.
    """

    __tablename__ = "point_goods"
    __table_args__ = (
        sa.CheckConstraint("price > 0", name="price"),
        sa.CheckConstraint("reserved >= 0", name="reserved"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    stock_item_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_item.id"), unique=True)
    price: Mapped[int]
    most_each_month: Mapped[int] = mapped_column(default=0)
    is_offered: Mapped[bool] = mapped_column(default=True)
    reserved: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(sa.String(120), default="")
    community: Mapped[Area] = relationship()
    item: Mapped[StockItem] = relationship()


class GoodsState(StrEnum):
    ASKED = "asked"
    HANDED = "handed"
    CANCELLED = "cancelled"


GOODS_MOVES: dict[GoodsState, set[GoodsState]] = {
    GoodsState.ASKED: {GoodsState.HANDED, GoodsState.CANCELLED},
    GoodsState.HANDED: set(),
    GoodsState.CANCELLED: set(),
}


class GoodsOrder(Base):
    """Goods asked for with points, kept until a worker hands them over or it is taken back.

    `person` is for whom they are, `payer` whose points they cost: her own, or her family agent's.
    """

    __tablename__ = "point_goods_order"
    __table_args__ = (
        sa.CheckConstraint("count > 0", name="something"),
        sa.Index("ix_point_goods_order_state", "community_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    code: Mapped[str] = mapped_column(sa.String(8), unique=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    goods_id: Mapped[int] = mapped_column(sa.ForeignKey("point_goods.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    payer_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    count: Mapped[int]
    points: Mapped[int]
    state: Mapped[GoodsState] = mapped_column(one_of(GoodsState), default=GoodsState.ASKED)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    asked_by: Mapped[str] = mapped_column(sa.String(32))
    ended_at: Mapped[datetime | None]
    ended_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    goods: Mapped[Goods] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    payer: Mapped[Person] = relationship(foreign_keys=[payer_id])
