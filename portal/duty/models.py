"""Shifts and who serves them, swaps asked and agreed, the hours that must be covered, and who answers otherwise."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core.clock import local
from portal.core.db import Base, Json, one_of
from portal.identity.models import Account


class ShiftRole(StrEnum):
    """What a shift is there for."""

    COUNTER = "counter"
    TELEPHONE = "telephone"
    PATROL = "patrol"
    NIGHT = "night"
    LEADER = "leader"
    OTHER = "other"


class SwapState(StrEnum):
    ASKED = "asked"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


SWAP_MOVES = {
    SwapState.ASKED: {SwapState.AGREED, SwapState.DECLINED, SwapState.WITHDRAWN},
    SwapState.AGREED: set[SwapState](),
    SwapState.DECLINED: set[SwapState](),
    SwapState.WITHDRAWN: set[SwapState](),
}


class Shift(Base):
    """One span of duty at one place; `phone` is the line that rings there. Its people are accounts of the desk."""

    __tablename__ = "duty_shift"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "place", "role", "starts_at"),
        sa.Index("ix_duty_shift_time", "community_id", "starts_at", "ends_at"),
        sa.CheckConstraint("ends_at > starts_at", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    place: Mapped[str] = mapped_column(sa.String(60))
    role: Mapped[ShiftRole] = mapped_column(one_of(ShiftRole))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    note: Mapped[str] = mapped_column(sa.String(120), default="")
    community: Mapped[Area] = relationship()
    turns: Mapped[list["Turn"]] = relationship(back_populates="shift", order_by="Turn.id", cascade="all, delete-orphan")


class Turn(Base):
    """One account's part in a shift."""

    __tablename__ = "duty_turn"
    __table_args__ = (sa.UniqueConstraint("shift_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(sa.ForeignKey("duty_shift.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    shift: Mapped[Shift] = relationship(back_populates="turns")
    account: Mapped[Account] = relationship()


class Swap(Base):
    """A turn that one asks another to take, perhaps for one of hers in return; both must want it.

    What a turn was stays readable when its shift is gone: `subject` holds the facts of the shift given, and of the one
    given in return, to be said in the reader's language.
    """

    __tablename__ = "duty_swap"
    __table_args__ = (sa.Index("ix_duty_swap_community", "community_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    turn_id: Mapped[int | None] = mapped_column(sa.ForeignKey("duty_turn.id", ondelete="SET NULL"), index=True)
    back_id: Mapped[int | None] = mapped_column(sa.ForeignKey("duty_turn.id", ondelete="SET NULL"), index=True)
    wants_back: Mapped[bool] = mapped_column(default=False)
    asker_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    taker_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    state: Mapped[SwapState] = mapped_column(one_of(SwapState), default=SwapState.ASKED)
    subject: Mapped[Any] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(sa.String(120), default="")
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    turn: Mapped[Turn | None] = relationship(foreign_keys=[turn_id])
    back: Mapped[Turn | None] = relationship(foreign_keys=[back_id])
    asker: Mapped[Account] = relationship(foreign_keys=[asker_id])
    taker: Mapped[Account] = relationship(foreign_keys=[taker_id])
    community: Mapped[Area] = relationship()

    def move(self, state: SwapState) -> None:
        if state not in SWAP_MOVES[self.state]:
            raise ValueError(f"swap {self.id}: {self.state} cannot become {state}")
        self.state = state


class Cover(Base):
    """Hours of a weekday (0 is Monday) in which somebody must be on duty; `closes` at or before `opens` is next day."""

    __tablename__ = "duty_cover"
    __table_args__ = (sa.UniqueConstraint("community_id", "weekday", "opens"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]


class DayKind(StrEnum):
    """A day that the holiday table makes another than its weekday."""

    HOLIDAY = "holiday"
    WORKED = "worked"


class DayPlan(StrEnum):
    """Which hours must be covered on such a day."""

    WEEKDAY = "weekday"
    MONDAY = "monday"
    SUNDAY = "sunday"
    OWN = "own"
    NONE = "none"


class DayRule(Base):
    """From a day on, the required hours of holidays (all, or one by name) and of weekend days that are worked.

    `hours` are spans of "HH:MM" for OWN, the same in every community; otherwise each community's own hours hold.
    """

    __tablename__ = "duty_day_rule"
    __table_args__ = (sa.UniqueConstraint("kind", "name", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DayKind] = mapped_column(one_of(DayKind))
    name: Mapped[str] = mapped_column(sa.String(40), default="")
    plan: Mapped[DayPlan] = mapped_column(one_of(DayPlan))
    hours: Mapped[Any] = mapped_column(Json, default=list)
    valid_from: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(sa.String(64))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(sa.String(64))

    def holds_on(self, day: date) -> bool:
        """From its day on; taken back, only the days before that stand."""
        return self.valid_from <= day and (self.undone_at is None or day < local(self.undone_at).date())


class Fallback(Base):
    """Who answers at any hour when nobody is on duty, and the line that always rings."""

    __tablename__ = "duty_fallback"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    phone: Mapped[str] = mapped_column(sa.String(30))
    account: Mapped[Account] = relationship()


class WorkPhone(Base):
    """The telephone an account is reached at while on duty: a number of the office's, shown to colleagues."""

    __tablename__ = "duty_phone"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), unique=True)
    phone: Mapped[str] = mapped_column(sa.String(30))
    account: Mapped[Account] = relationship()
