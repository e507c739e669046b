"""Appointments: a person, an item and a slot; the states, and what was said of it afterwards."""

from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Person

# How long before the beginning somebody may be checked in or marked in any other way.
MARKS_OPEN = timedelta(minutes=30)


class AppointmentState(StrEnum):
    BOOKED = "booked"
    ARRIVED = "arrived"
    SERVED = "served"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"


# Who comes late after all arrives; a mark set by mistake at the counter is taken back.
MOVES: dict[AppointmentState, set[AppointmentState]] = {
    AppointmentState.BOOKED: {
        AppointmentState.ARRIVED,
        AppointmentState.NO_SHOW,
        AppointmentState.CANCELLED,
        AppointmentState.CALLED_OFF,
    },
    AppointmentState.ARRIVED: {AppointmentState.SERVED, AppointmentState.BOOKED, AppointmentState.CALLED_OFF},
    AppointmentState.SERVED: {AppointmentState.ARRIVED},
    AppointmentState.NO_SHOW: {AppointmentState.ARRIVED, AppointmentState.BOOKED},
    AppointmentState.CANCELLED: set(),
    AppointmentState.CALLED_OFF: set(),
}
# What holds a place of the slot.
HOLDS = frozenset(AppointmentState) - {AppointmentState.CANCELLED, AppointmentState.CALLED_OFF}


class Channel(StrEnum):
    """Who asked for it and how: herself, a family agent, a worker at the counter, a worker on the telephone."""

    SELF = "self"
    AGENT = "agent"
    COUNTER = "counter"
    PHONE = "phone"


class Rating(StrEnum):
    SATISFIED = "satisfied"
    MOSTLY = "mostly"
    DISSATISFIED = "dissatisfied"


_LIVE = "state not in ('cancelled', 'called_off')"


class Appointment(Base):
    """A place in a slot for a person and an item. `day`, `starts_at` and `ends_at` repeat the slot's.

    A person has one live appointment in a slot. `reminded` counts the reminders sent since it was booked or moved.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        sa.Index(
            "uq_appointment_live",
            "slot_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text(_LIVE),
            postgresql_where=sa.text(_LIVE),
        ),
        sa.UniqueConstraint("code"),
        sa.Index("ix_appointment_slot", "slot_id", "state", "id"),
        sa.Index("ix_appointment_person", "person_id", "starts_at", "id"),
        sa.Index("ix_appointment_item", "item_id", "day", "id"),
        sa.Index("ix_appointment_coming", "state", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    code: Mapped[str] = mapped_column(sa.String(8))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("service_item.id"))
    slot_id: Mapped[int] = mapped_column(sa.ForeignKey("slot.id"))
    day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[AppointmentState] = mapped_column(one_of(AppointmentState), default=AppointmentState.BOOKED)
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    consent: Mapped[str] = mapped_column(sa.String(200), default="")
    note: Mapped[str | None] = mapped_column(Sealed("appointment|note"))
    placed_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(sa.String(32))
    placed_by_name: Mapped[str] = mapped_column(sa.String(60))
    changed_at: Mapped[datetime]
    reminded: Mapped[int] = mapped_column(default=0)
    arrived_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    late: Mapped[bool] = mapped_column(default=False)
    rating: Mapped[Rating | None] = mapped_column(one_of(Rating))
    rating_words: Mapped[str | None] = mapped_column(Sealed("appointment|rating_words"))
    rated_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship()
    item: Mapped[Item] = relationship()
    slot: Mapped[Slot] = relationship()

    def is_coming(self, at: datetime) -> bool:
        """Booked, and not over yet."""
        return self.state in {AppointmentState.BOOKED, AppointmentState.ARRIVED} and at < self.ends_at

    def can_be_cancelled(self, at: datetime) -> bool:
        return self.state is AppointmentState.BOOKED and at < self.starts_at

    def can_be_marked(self, at: datetime) -> bool:
        """From the opening of the check-in on."""
        return at >= self.starts_at - MARKS_OPEN

    def can_be_rated(self, at: datetime, thinking: timedelta) -> bool:
        """After it was served: once, and for some time it may be thought over."""
        if self.state is not AppointmentState.SERVED:
            return False
        return self.rated_at is None or at < self.rated_at + thinking
