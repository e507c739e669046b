"""Rooms that are booked (一室多用): their rules, blockings, bookings, weekly series, and the quarters these hold."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.outbox import Recipient
from portal.registry.models import Organisation, Person, Room

# A room is held by the quarter of an hour.
QUARTER = 15


class Booker(StrEnum):
    """Who may book a room; the community's own workers always may."""

    RESIDENT = "resident"
    ORGANISATION = "organisation"


class BookingState(StrEnum):
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    USED = "used"
    NO_SHOW = "no_show"
    # Asked for, and nobody answered before its time had come.
    LAPSED = "lapsed"


# A mistaken no-show is put right with a reason; a confirmed one that takes another time is asked for anew where the
# room wants it.
BOOKING_MOVES: dict[BookingState, set[BookingState]] = {
    BookingState.REQUESTED: {
        BookingState.CONFIRMED,
        BookingState.REFUSED,
        BookingState.CANCELLED,
        BookingState.LAPSED,
    },
    BookingState.CONFIRMED: {
        BookingState.REQUESTED,
        BookingState.CANCELLED,
        BookingState.USED,
        BookingState.NO_SHOW,
    },
    BookingState.NO_SHOW: {BookingState.USED},
    BookingState.REFUSED: set(),
    BookingState.CANCELLED: set(),
    BookingState.USED: set(),
    BookingState.LAPSED: set(),
}
# What holds its quarters and counts against how many somebody may hold.
LIVE = (BookingState.REQUESTED, BookingState.CONFIRMED)


class BookedBy(StrEnum):
    """Through whom a booking came."""

    SELF = "self"
    AGENT = "agent"
    ORGANISATION = "organisation"
    COUNTER = "counter"


class RoomRule(Base):
    """How one room is booked. `hours` is {"0": [["08:30", "17:30"]], ...} by weekday, `open_to` codes of Booker.

    `least_ahead` and `cancel_ahead` are hours, `most_ahead` days, `longest` and `buffer` minutes.
    """

    __tablename__ = "room_rule"
    __table_args__ = (
        sa.CheckConstraint("most_ahead > 0 AND least_ahead >= 0 AND cancel_ahead >= 0", name="ahead"),
        sa.CheckConstraint("longest > 0 AND buffer >= 0 AND most_held > 0", name="counts"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"), unique=True)
    is_open: Mapped[bool] = mapped_column(default=True)
    open_to: Mapped[Any] = mapped_column(Json, default=list)
    hours: Mapped[Any] = mapped_column(Json, default=dict)
    on_holidays: Mapped[bool] = mapped_column(default=False)
    most_ahead: Mapped[int] = mapped_column(default=30)
    least_ahead: Mapped[int] = mapped_column(default=2)
    cancel_ahead: Mapped[int] = mapped_column(default=2)
    longest: Mapped[int] = mapped_column(default=120)
    buffer: Mapped[int] = mapped_column(default=15)
    most_held: Mapped[int] = mapped_column(default=2)
    needs_confirmation: Mapped[bool] = mapped_column(default=False)
    equipment: Mapped[str] = mapped_column(sa.String(200), default="")
    access: Mapped[str] = mapped_column(sa.String(200), default="")
    cost: Mapped[str] = mapped_column(sa.String(120), default="")
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(sa.String(64), default="")
    room: Mapped[Room] = relationship()

    def is_open_to(self, booker: Booker) -> bool:
        return booker.value in self.open_to


class RoomSeries(Base):
    """The same time every week, made by a worker; each occurrence is a booking with a state of its own."""

    __tablename__ = "room_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(60))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(sa.String(32))
    made_by_name: Mapped[str] = mapped_column(sa.String(64))
    room: Mapped[Room] = relationship()


class RoomBooking(Base):
    """A room for a purpose and a number of people, from a quarter until another.

    `person` is for whom (the applicant of an organisation too); without one it is the community's own use. `consent`
    says how somebody at the counter agreed to be booked for.
    """

    __tablename__ = "room_booking"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="order"),
        sa.CheckConstraint("headcount > 0", name="headcount"),
        sa.Index("ix_room_booking_room", "room_id", "starts_at", "id"),
        sa.Index("ix_room_booking_person", "person_id", "starts_at", "id"),
        sa.Index("ix_room_booking_organisation", "organisation_id", "starts_at", "id"),
        sa.Index("ix_room_booking_state", "state", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    code: Mapped[str] = mapped_column(sa.String(8), unique=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"))
    series_id: Mapped[int | None] = mapped_column(sa.ForeignKey("room_series.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    purpose: Mapped[str] = mapped_column(sa.String(60))
    headcount: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[BookingState] = mapped_column(one_of(BookingState))
    why: Mapped[str] = mapped_column(sa.String(200), default="")
    through: Mapped[BookedBy] = mapped_column(one_of(BookedBy))
    consent: Mapped[str] = mapped_column(sa.String(100), default="")
    # How many of the reminders have been sent.
    reminded: Mapped[int] = mapped_column(default=0)
    placed_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.String(32), index=True)
    placed_by_name: Mapped[str] = mapped_column(sa.String(64))
    changed_at: Mapped[datetime]
    changed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    room: Mapped[Room] = relationship()
    person: Mapped[Person | None] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    series: Mapped[RoomSeries | None] = relationship()

    @property
    def told(self) -> Recipient | None:
        """Who hears of it: the person it is for; nobody for the community's own use."""
        return self.person.ref if self.person else None

    def is_live(self) -> bool:
        return self.state in LIVE

    def may_become(self, state: BookingState) -> bool:
        return state in BOOKING_MOVES[self.state]


class RoomBlock(Base):
    """A time in which nobody books a room, and why: repairs, an event, a polling day."""

    __tablename__ = "room_block"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="order"),
        sa.Index("ix_room_block_room", "room_id", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(100))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(sa.String(32))
    made_by_name: Mapped[str] = mapped_column(sa.String(64))
    lifted_at: Mapped[datetime | None]
    lifted_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    room: Mapped[Room] = relationship()


class RoomQuarter(Base):
    """A quarter of an hour of a room that is taken, by a booking (its cleaning time too), a blocking or a timetable.

    The constraint is what keeps two from holding one room at one time.
    """

    __tablename__ = "room_quarter"
    __table_args__ = (sa.UniqueConstraint("room_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"))
    at: Mapped[datetime]
    booking_id: Mapped[int | None] = mapped_column(sa.ForeignKey("room_booking.id"), index=True)
    block_id: Mapped[int | None] = mapped_column(sa.ForeignKey("room_block.id"), index=True)
    # A slot of a timetable that takes place in the room.
    slot_id: Mapped[int | None] = mapped_column(sa.ForeignKey("slot.id"), index=True)
