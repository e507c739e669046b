"""Orders, their states and moves, and what happened at the counter."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.meals.models.menus import Meal, Menu, MenuDish, Way
from portal.meals.models.subsidies import SubsidyLine
from portal.registry.models import Person


class OrderState(StrEnum):
    BOOKED = "booked"
    CANCELLED = "cancelled"
    COLLECTED = "collected"
    NO_SHOW = "no_show"


# A late entry of the outage list turns a no-show into a collected meal; a mistaken redemption is taken back.
MOVES: dict[OrderState, set[OrderState]] = {
    OrderState.BOOKED: {OrderState.CANCELLED, OrderState.COLLECTED, OrderState.NO_SHOW},
    OrderState.NO_SHOW: {OrderState.COLLECTED},
    OrderState.COLLECTED: {OrderState.BOOKED},
    OrderState.CANCELLED: set(),
}

_LIVE = "state <> 'cancelled'"


class MealOrder(Base):
    """One person's order from one menu. Amounts are in fen: bill = items + delivery, pay = bill - subsidy.

    A person has one live order for a menu; `subsidised` is unique by person, day and meal across all canteens.
    `day` and `meal` repeat the menu's, so that the database can hold that.
    """

    __tablename__ = "meal_order"
    __table_args__ = (
        sa.Index(
            "uq_meal_order_live",
            "menu_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text(_LIVE),
            postgresql_where=sa.text(_LIVE),
        ),
        sa.Index(
            "uq_meal_order_subsidised",
            "person_id",
            "day",
            "meal",
            unique=True,
            sqlite_where=sa.text(f"subsidised and {_LIVE}"),
            postgresql_where=sa.text(f"subsidised and {_LIVE}"),
        ),
        sa.Index("ix_meal_order_menu", "menu_id", "state", "id"),
        sa.Index("ix_meal_order_person", "person_id", "day", "id"),
        sa.UniqueConstraint("menu_id", "pickup_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    menu_id: Mapped[int] = mapped_column(sa.ForeignKey("menu.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    day: Mapped[date]
    meal: Mapped[Meal] = mapped_column(one_of(Meal))
    way: Mapped[Way] = mapped_column(one_of(Way))
    state: Mapped[OrderState] = mapped_column(one_of(OrderState), default=OrderState.BOOKED)
    pickup_code: Mapped[str] = mapped_column(sa.String(8))
    bill_fen: Mapped[int]
    delivery_fen: Mapped[int] = mapped_column(default=0)
    subsidy_fen: Mapped[int] = mapped_column(default=0)
    subsidised: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(Sealed("meal_order|note"))
    placed_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.String(32))
    placed_by_name: Mapped[str] = mapped_column(sa.String(60))
    changed_at: Mapped[datetime]
    menu: Mapped[Menu] = relationship()
    person: Mapped[Person] = relationship()
    items: Mapped[list["OrderItem"]] = relationship(back_populates="order", order_by="OrderItem.id")
    subsidies: Mapped[list[SubsidyLine]] = relationship(
        order_by=SubsidyLine.id,
        primaryjoin=lambda: sa.and_(SubsidyLine.order_id == MealOrder.id, SubsidyLine.reversed_at.is_(None)),
        viewonly=True,
    )
    redemption: Mapped["Redemption | None"] = relationship(
        primaryjoin=lambda: sa.and_(Redemption.order_id == MealOrder.id, Redemption.undone_at.is_(None)),
        viewonly=True,
        uselist=False,
    )

    @property
    def pay_fen(self) -> int:
        return self.bill_fen - self.subsidy_fen

    def can_be_changed(self, at: datetime) -> bool:
        return self.state is OrderState.BOOKED and at < self.menu.cutoff_at


class OrderItem(Base):
    __tablename__ = "order_item"
    __table_args__ = (sa.UniqueConstraint("order_id", "menu_dish_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("meal_order.id"))
    menu_dish_id: Mapped[int] = mapped_column(sa.ForeignKey("menu_dish.id"), index=True)
    portions: Mapped[int]
    price_fen: Mapped[int]
    order: Mapped[MealOrder] = relationship(back_populates="items")
    menu_dish: Mapped[MenuDish] = relationship()


class Payment(StrEnum):
    CASH = "cash"
    CARD = "card"
    WAIVED = "waived"
    POINTS = "points"


class RedemptionMeans(StrEnum):
    QR = "qr"
    CODE = "code"
    NAME = "name"
    OUTAGE_LIST = "outage_list"


_STANDING = "undone_at is null"


class Redemption(Base):
    """核销: the meal was handed over. Unique by order, and by person, day and meal when subsidised.

    What volunteers' points paid for: `points` of `points_payer`, worth `points_fen`; `paid_fen` is the rest, in money.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        sa.Index(
            "uq_redemption_order",
            "order_id",
            unique=True,
            sqlite_where=sa.text(_STANDING),
            postgresql_where=sa.text(_STANDING),
        ),
        sa.Index(
            "uq_redemption_subsidised",
            "person_id",
            "day",
            "meal",
            unique=True,
            sqlite_where=sa.text(f"subsidised and {_STANDING}"),
            postgresql_where=sa.text(f"subsidised and {_STANDING}"),
        ),
        sa.Index("ix_redemption_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("meal_order.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    day: Mapped[date]
    meal: Mapped[Meal] = mapped_column(one_of(Meal))
    subsidised: Mapped[bool]
    means: Mapped[RedemptionMeans] = mapped_column(one_of(RedemptionMeans))
    payment: Mapped[Payment] = mapped_column(one_of(Payment))
    paid_fen: Mapped[int]
    points: Mapped[int] = mapped_column(default=0, server_default="0")
    points_fen: Mapped[int] = mapped_column(default=0, server_default="0")
    points_payer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(32))
    by_name: Mapped[str] = mapped_column(sa.String(60), default="")
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(sa.String(32), default="")
    undone_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    order: Mapped[MealOrder] = relationship(viewonly=True)
