"""Subsidy rules as data, the lines frozen into orders, and the counters that hold their caps."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Json, one_of
from portal.meals.models.menus import Meal, SetClass


class PayerLevel(StrEnum):
    """Who pays a subsidy."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    VILLAGE = "village"


class RegionLevel(StrEnum):
    """How much of a registration code must agree with the rule's region: 4, 6 or 9 digits; ANY asks nothing."""

    ANY = "any"
    CITY = "city"
    DISTRICT = "district"
    STREET = "street"


class SubsidyKind(StrEnum):
    """REDUCTION takes `amount_fen` off; SHARE takes `permille` of the bill off.

    FIXED_PRICE leaves `amount_fen` to pay of one portion, the dearest; a second portion is at its full price.
    """

    REDUCTION = "reduction"
    SHARE = "share"
    FIXED_PRICE = "fixed_price"


class Days(StrEnum):
    ALL = "all"
    WORKING = "working"


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"


class SubsidyRule(Base):
    """One row of a subsidy scheme. Ages are full years on the day of the meal, both ends included; amounts in fen.

    `scheme` groups the rules of one place; a canteen's community decides which schemes apply (`area_code`, a prefix of
    the community's code, empty for everywhere). `tags` names TagKinds of which one must hold. Stackable rules all
    apply; of the others only the best does. Shapes: shared rules, section 5.
    """

    __tablename__ = "subsidy_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    scheme: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(60))
    area_code: Mapped[str] = mapped_column(sa.String(12), default="")
    payer: Mapped[PayerLevel] = mapped_column(one_of(PayerLevel))
    kind: Mapped[SubsidyKind] = mapped_column(one_of(SubsidyKind))
    amount_fen: Mapped[int] = mapped_column(default=0)
    permille: Mapped[int] = mapped_column(default=0)
    age_from: Mapped[int | None]
    age_to: Mapped[int | None]
    region_level: Mapped[RegionLevel] = mapped_column(one_of(RegionLevel), default=RegionLevel.ANY)
    region_code: Mapped[str] = mapped_column(sa.String(12), default="")
    tags: Mapped[Any] = mapped_column(Json, default=list)
    meals: Mapped[Any] = mapped_column(Json, default=list)
    set_class: Mapped[SetClass | None] = mapped_column(one_of(SetClass))
    days: Mapped[Days] = mapped_column(one_of(Days), default=Days.ALL)
    least_bill_fen: Mapped[int] = mapped_column(default=0)
    strictly_above: Mapped[bool] = mapped_column(default=False)
    counts_delivery: Mapped[bool] = mapped_column(default=False)
    cap_meal_fen: Mapped[int | None]
    cap_day_fen: Mapped[int | None]
    cap_month_fen: Mapped[int | None]
    times_per_day: Mapped[int | None]
    stackable: Mapped[bool] = mapped_column(default=False)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    confirmed_by: Mapped[str] = mapped_column(sa.String(60), default="")
    source: Mapped[str] = mapped_column(sa.String(200), default="")

    def in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def for_meal(self, meal: Meal) -> bool:
        return not self.meals or meal.value in self.meals


class SubsidyLine(Base):
    """A subsidy as it was granted: rule, amount and the reason in a sentence; never changed, only reversed."""

    __tablename__ = "subsidy_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("meal_order.id"), index=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("subsidy_rule.id"), index=True)
    payer: Mapped[PayerLevel] = mapped_column(one_of(PayerLevel))
    amount_fen: Mapped[int]
    sentence: Mapped[str] = mapped_column(sa.String(200))
    granted_at: Mapped[datetime]
    reversed_at: Mapped[datetime | None]
    rule: Mapped[SubsidyRule] = relationship()


class SubsidyCounter(Base):
    """What a person has had under a rule in a day or a month: raised by a guarded UPDATE, lowered by a reversal."""

    __tablename__ = "subsidy_counter"
    __table_args__ = (
        sa.UniqueConstraint("rule_id", "person_id", "period", "start"),
        sa.CheckConstraint("used_fen >= 0 and used_times >= 0", name="not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("subsidy_rule.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    period: Mapped[Period] = mapped_column(one_of(Period))
    start: Mapped[date]
    used_fen: Mapped[int] = mapped_column(default=0)
    used_times: Mapped[int] = mapped_column(default=0)
