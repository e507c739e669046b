"""Canteens, their dishes, and the menus they publish."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.access import Scope
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.places.models import Capacity


class Meal(StrEnum):
    BREAKFAST = "breakfast"
    LUNCH = "lunch"
    DINNER = "dinner"


class Way(StrEnum):
    """How a meal is served."""

    DINE_IN = "dine_in"
    TAKE_AWAY = "take_away"
    DELIVERY = "delivery"


class SetClass(StrEnum):
    """What a dish counts as for subsidy rules: an ordinary set meal, or one made for an illness."""

    BASIC = "basic"
    DIETARY = "dietary"


class MenuState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


MENU_MOVES = {
    MenuState.DRAFT: {MenuState.PUBLISHED},
    MenuState.PUBLISHED: {MenuState.WITHDRAWN},
    MenuState.WITHDRAWN: {MenuState.PUBLISHED},
}


class Canteen(Base):
    """助餐点. Anyone may order anywhere.

    `closed_at`: the first instant of the first day it is closed; `reopens_on`: the day it serves again, none when it is
    closed for good.
    """

    __tablename__ = "canteen"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    address: Mapped[str] = mapped_column(sa.String(120))
    phone: Mapped[str] = mapped_column(sa.String(20))
    closed_on_holidays: Mapped[bool] = mapped_column(default=True)
    ways: Mapped[Any] = mapped_column(Json, default=list)
    delivery_fee_fen: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    reopens_on: Mapped[date | None]
    community: Mapped[Area] = relationship()
    times: Mapped[list["MealTime"]] = relationship(back_populates="canteen", order_by="MealTime.opens")

    @property
    def scope(self) -> Scope:
        return Scope("canteen", self.public_id)

    @property
    def closed_from(self) -> date | None:
        return clock.local(self.closed_at).date() if self.closed_at else None

    def has_closure(self, on: date) -> bool:
        """Whether it is closed on that day or will be later: a closure that is over says nothing any more."""
        return self.closed_at is not None and (self.reopens_on is None or on < self.reopens_on)

    def is_closed_on(self, day: date) -> bool:
        if self.closed_from is None or day < self.closed_from:
            return False
        return self.reopens_on is None or day < self.reopens_on


class MealTime(Base):
    """When a canteen serves a meal, and until when it takes orders: `cutoff_days` before the day, at `cutoff`."""

    __tablename__ = "meal_time"
    __table_args__ = (sa.UniqueConstraint("canteen_id", "meal"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteen.id"))
    meal: Mapped[Meal] = mapped_column(one_of(Meal))
    opens: Mapped[time]
    closes: Mapped[time]
    cutoff_days: Mapped[int] = mapped_column(default=0)
    cutoff: Mapped[time]
    canteen: Mapped[Canteen] = relationship(back_populates="times")

    def cutoff_at(self, day: date) -> datetime:
        return clock.at(clock.days_before(day, self.cutoff_days), self.cutoff)


class Dish(Base):
    """What a canteen can cook. Prices are in fen; `diets` are the diets it suits, `allergens` free words."""

    __tablename__ = "dish"
    __table_args__ = (sa.UniqueConstraint("canteen_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteen.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    description: Mapped[str] = mapped_column(sa.String(200), default="")
    price_fen: Mapped[int]
    set_class: Mapped[SetClass] = mapped_column(one_of(SetClass), default=SetClass.BASIC)
    diets: Mapped[Any] = mapped_column(Json, default=list)
    allergens: Mapped[Any] = mapped_column(Json, default=list)
    retired_at: Mapped[datetime | None]
    canteen: Mapped[Canteen] = relationship()


class Menu(Base):
    """What a canteen serves at one meal of one day.

    `outage_at`: the network was down at the counter; no-shows wait until the paper list is in (`outage_entered_at`).
    """

    __tablename__ = "menu"
    __table_args__ = (
        sa.UniqueConstraint("canteen_id", "day", "meal"),
        sa.Index("ix_menu_day", "day", "canteen_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    canteen_id: Mapped[int] = mapped_column(sa.ForeignKey("canteen.id"))
    day: Mapped[date]
    meal: Mapped[Meal] = mapped_column(one_of(Meal))
    state: Mapped[MenuState] = mapped_column(one_of(MenuState), default=MenuState.DRAFT)
    cutoff_at: Mapped[datetime]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    ways: Mapped[Any] = mapped_column(Json, default=list)
    settled_at: Mapped[datetime | None]
    outage_at: Mapped[datetime | None]
    outage_entered_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    canteen: Mapped[Canteen] = relationship()
    dishes: Mapped[list["MenuDish"]] = relationship(back_populates="menu", order_by="MenuDish.id")

    def accepts_orders(self, at: datetime) -> bool:
        return self.state is MenuState.PUBLISHED and at < self.cutoff_at

    @property
    def awaits_outage_list(self) -> bool:
        """Whether the network was down at the counter and the paper list is not entered yet."""
        return self.outage_at is not None and self.outage_entered_at is None


class MenuDish(Base):
    """A dish on a menu, with the price and the portions of that day."""

    __tablename__ = "menu_dish"
    __table_args__ = (sa.UniqueConstraint("menu_id", "dish_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    menu_id: Mapped[int] = mapped_column(sa.ForeignKey("menu.id"))
    dish_id: Mapped[int] = mapped_column(sa.ForeignKey("dish.id"))
    capacity_id: Mapped[int] = mapped_column(sa.ForeignKey("capacity.id"))
    price_fen: Mapped[int]
    menu: Mapped[Menu] = relationship(back_populates="dishes")
    dish: Mapped[Dish] = relationship()
    capacity: Mapped[Capacity] = relationship()
