"""Timetables and their slots: a weekly pattern with breaks and exceptions, and the times that it opened."""

from collections.abc import Collection
from datetime import date, datetime, time
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.catalogue.models.codes import ItemState
from portal.catalogue.models.items import Item
from portal.core import clock
from portal.core.db import Base, one_of
from portal.places.models import Capacity
from portal.registry.models import Room, Staff

# A slot's length and the rest after it are so many minutes, or several times so many.
STEP_MINUTES = 5


class Of(StrEnum):
    """What a timetable is the calendar of: somebody, a room, or a desk with no name to it."""

    STAFF = "staff"
    ROOM = "room"
    DESK = "desk"


class MakeUp(StrEnum):
    """A weekend day that is worked (调休): closed, open as its own weekday says, or as another weekday says."""

    CLOSED = "closed"
    OWN = "own"
    MONDAY = "0"
    TUESDAY = "1"
    WEDNESDAY = "2"
    THURSDAY = "3"
    FRIDAY = "4"

    def weekday(self, day: date) -> int | None:
        """The weekday whose hours hold on such a day; none when it is closed."""
        if self is MakeUp.CLOSED:
            return None
        return day.weekday() if self is MakeUp.OWN else int(self.value)


class SlotState(StrEnum):
    """CLOSED takes nobody more and may open again; CALLED_OFF will not take place."""

    OPEN = "open"
    CLOSED = "closed"
    CALLED_OFF = "called_off"


SLOT_MOVES = {
    SlotState.OPEN: {SlotState.CLOSED, SlotState.CALLED_OFF},
    SlotState.CLOSED: {SlotState.OPEN, SlotState.CALLED_OFF},
    SlotState.CALLED_OFF: set(),
}

timetable_item = sa.Table(
    "timetable_item",
    Base.metadata,
    sa.Column("timetable_id", sa.ForeignKey("timetable.id"), primary_key=True),
    sa.Column("item_id", sa.ForeignKey("service_item.id"), primary_key=True, index=True),
)


class Timetable(Base):
    """When somebody, a room or a desk can be had, for which items, and by how many people at once.

    Its items share the places of each slot. `minimum` is 0 where one person is enough; else the slot is called off
    `decide_hours` before it begins unless so many have booked. `days_ahead` counts today as 0.
    """

    __tablename__ = "timetable"
    __table_args__ = (
        sa.Index("ix_timetable_community", "community_id", "name", "id"),
        sa.CheckConstraint("people >= 1", name="people"),
        sa.CheckConstraint("minimum >= 0 AND minimum <= people", name="minimum"),
        sa.CheckConstraint("slot_minutes >= 5", name="slot_minutes"),
        sa.CheckConstraint("buffer_minutes >= 0", name="buffer_minutes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    of: Mapped[Of] = mapped_column(one_of(Of))
    staff_id: Mapped[int | None] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("room.id"), index=True)
    # Where to go, in words.
    place: Mapped[str] = mapped_column(sa.String(120), default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    days_ahead: Mapped[int] = mapped_column(default=14)
    people: Mapped[int] = mapped_column(default=1)
    minimum: Mapped[int] = mapped_column(default=0)
    decide_hours: Mapped[int] = mapped_column(default=24)
    slot_minutes: Mapped[int] = mapped_column(default=30)
    buffer_minutes: Mapped[int] = mapped_column(default=0)
    on_holidays: Mapped[bool] = mapped_column(default=False)
    make_up: Mapped[MakeUp] = mapped_column(one_of(MakeUp), default=MakeUp.CLOSED)
    ended_at: Mapped[datetime | None]
    # What the last opening left out because somebody else had the person or the room: how many, and the first.
    clashes: Mapped[int] = mapped_column(default=0)
    clash_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_by: Mapped[str] = mapped_column(sa.String(64), default="")
    community: Mapped[Area] = relationship()
    staff: Mapped[Staff | None] = relationship()
    room: Mapped[Room | None] = relationship()
    items: Mapped[list[Item]] = relationship(secondary=timetable_item, order_by="(Item.title, Item.id)")
    hours: Mapped[list["WeeklyHours"]] = relationship(
        back_populates="timetable",
        order_by="(WeeklyHours.weekday, WeeklyHours.opens, WeeklyHours.id)",
        cascade="all, delete-orphan",
    )
    breaks: Mapped[list["Break"]] = relationship(
        back_populates="timetable", order_by="(Break.weekday, Break.opens, Break.id)", cascade="all, delete-orphan"
    )
    exceptions: Mapped[list["DayException"]] = relationship(
        back_populates="timetable", order_by="(DayException.first_day, DayException.id)"
    )

    def holds(self, day: date) -> bool:
        """Whether the timetable is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def is_kept(self) -> bool:
        return self.ended_at is None

    def is_of_use(self) -> bool:
        """Whether anything is had at it: not once all its items were withdrawn."""
        return not self.items or any(item.state is not ItemState.WITHDRAWN for item in self.items)

    def serves(self, item_id: int) -> bool:
        return any(item.id == item_id for item in self.items)


class WeeklyHours(Base):
    """Hours of a weekday (0 is Monday)."""

    __tablename__ = "timetable_hours"
    __table_args__ = (
        sa.UniqueConstraint("timetable_id", "weekday", "opens"),
        sa.CheckConstraint("closes > opens", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    timetable_id: Mapped[int] = mapped_column(sa.ForeignKey("timetable.id"))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]
    timetable: Mapped[Timetable] = relationship(back_populates="hours")


class Break(Base):
    """A time of a weekday (0 is Monday) in which nothing begins or goes on."""

    __tablename__ = "timetable_break"
    __table_args__ = (
        sa.UniqueConstraint("timetable_id", "weekday", "opens"),
        sa.CheckConstraint("closes > opens", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    timetable_id: Mapped[int] = mapped_column(sa.ForeignKey("timetable.id"))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]
    timetable: Mapped[Timetable] = relationship(back_populates="breaks")


class DayException(Base):
    """Some days that are closed for a reason, or have other hours: `opens` and `closes` stand or lack together.

    Of several that hold on a day the latest written is in force, and it is stronger than a holiday.
    """

    __tablename__ = "timetable_exception"
    __table_args__ = (
        sa.Index("ix_timetable_exception_of", "timetable_id", "first_day", "id"),
        sa.CheckConstraint("last_day >= first_day", name="days"),
        sa.CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="both"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    timetable_id: Mapped[int] = mapped_column(sa.ForeignKey("timetable.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    reason: Mapped[str] = mapped_column(sa.String(120))
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[str] = mapped_column(sa.String(64), default="")
    timetable: Mapped[Timetable] = relationship(back_populates="exceptions")

    def holds(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day

    def is_closed(self) -> bool:
        return self.opens is None


class Slot(Base):
    """One time that can be booked. How many at once, and how many have, its capacity says.

    `fits` is false where the timetable has changed since and the slot was kept for those who have booked it;
    `settled` says that a worker looked and let it stand.
    """

    __tablename__ = "slot"
    __table_args__ = (
        sa.UniqueConstraint("timetable_id", "starts_at"),
        sa.Index("ix_slot_day", "day", "timetable_id", "starts_at"),
        sa.Index("ix_slot_decide", "state", "decide_at", "id"),
        sa.CheckConstraint("ends_at > starts_at", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    timetable_id: Mapped[int] = mapped_column(sa.ForeignKey("timetable.id"))
    day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity_id: Mapped[int] = mapped_column(sa.ForeignKey("capacity.id"), unique=True)
    minimum: Mapped[int] = mapped_column(default=0)
    # When it is decided whether enough have booked; none where one person is enough, or once it is decided.
    decide_at: Mapped[datetime | None]
    state: Mapped[SlotState] = mapped_column(one_of(SlotState), default=SlotState.OPEN)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    fits: Mapped[bool] = mapped_column(default=True)
    settled: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_by: Mapped[str] = mapped_column(sa.String(64), default="")
    timetable: Mapped[Timetable] = relationship()
    capacity: Mapped[Capacity] = relationship()

    @property
    def left(self) -> int:
        return self.capacity.left

    @property
    def may_fail(self) -> bool:
        """Whether it is still to be decided if enough have booked."""
        return self.minimum > 1 and self.decide_at is not None

    def is_bookable(self, at: datetime) -> bool:
        """Whether somebody may still book it, as far as the slot itself says."""
        return self.state is SlotState.OPEN and at < self.starts_at and self.left > 0

    def may_become(self, state: SlotState) -> bool:
        return state in SLOT_MOVES[self.state]


class SlotHold(Base):
    """Five minutes of somebody or of a desk, taken by a slot: nobody is in two places, which the database sees to.

    `kind` is "staff" with the id of a member of staff, or "desk" with that of the timetable. A room's quarters stand
    with its bookings, so that a timetable and a booking never have it at once.
    """

    __tablename__ = "slot_hold"
    __table_args__ = (sa.UniqueConstraint("kind", "ref", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(sa.ForeignKey("slot.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(8))
    ref: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)


class SlotMessage(Base):
    """Words sent to everybody on a slot, and to how many."""

    __tablename__ = "slot_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(sa.ForeignKey("slot.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(200))
    told: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(32))
    by_name: Mapped[str] = mapped_column(sa.String(64))


def states_before(state: SlotState) -> Collection[SlotState]:
    """The states from which a slot may come to this one."""
    return [old for old, following in SLOT_MOVES.items() if state in following]
