"""A capacity that the database itself never lets be oversold, and who waits for a place in it."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.registry.models import Person


class Capacity(Base):
    """`total` units on offer, `taken` of them. What they are, the row that points here knows."""

    __tablename__ = "capacity"
    __table_args__ = (
        sa.CheckConstraint("taken >= 0", name="not_negative"),
        sa.CheckConstraint("taken <= total", name="not_oversold"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)

    @property
    def left(self) -> int:
        return self.total - self.taken


class WaitingState(StrEnum):
    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LAPSED = "lapsed"
    LEFT = "left"
    CLOSED = "closed"


MOVES: dict[WaitingState, set[WaitingState]] = {
    WaitingState.WAITING: {WaitingState.OFFERED, WaitingState.LEFT, WaitingState.CLOSED},
    WaitingState.OFFERED: {WaitingState.TAKEN, WaitingState.LAPSED, WaitingState.LEFT, WaitingState.CLOSED},
    WaitingState.TAKEN: set(),
    WaitingState.LAPSED: set(),
    WaitingState.LEFT: set(),
    WaitingState.CLOSED: set(),
}

_LIVE = "state in ('waiting', 'offered')"


class Waiting(Base):
    """Somebody in the line of a capacity. What is offered to her counts as taken, so that nobody else gets it.

    `kind` and `ref` say, in the words of the capability that put her there, what she waits for. At `closes_at` the
    line ends: what is offered shortly before it stands no longer than until then.
    """

    __tablename__ = "waiting"
    __table_args__ = (
        sa.Index(
            "uq_waiting_live",
            "capacity_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text(_LIVE),
            postgresql_where=sa.text(_LIVE),
        ),
        sa.Index("ix_waiting_line", "capacity_id", "state", "id"),
        sa.Index("ix_waiting_offers", "state", "offer_until", "id"),
        sa.Index("ix_waiting_closing", "state", "closes_at", "id"),
        sa.Index("ix_waiting_person", "person_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    capacity_id: Mapped[int] = mapped_column(sa.ForeignKey("capacity.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    units: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(sa.String(24))
    ref: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[WaitingState] = mapped_column(one_of(WaitingState), default=WaitingState.WAITING)
    queued_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    offer_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    placed_by: Mapped[str] = mapped_column(sa.String(32))
    placed_by_name: Mapped[str] = mapped_column(sa.String(60))
    # How somebody agreed for whom another took the place in the line.
    consent: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    capacity: Mapped[Capacity] = relationship()
    person: Mapped[Person] = relationship()

    def stands(self, at: datetime) -> bool:
        """Whether a place is offered that may still be taken."""
        return self.state is WaitingState.OFFERED and self.offer_until is not None and at < self.offer_until
