"""The outbox: what people are to be told, written in the transaction that made it true, delivered afterwards."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import jobs
from portal.core.clock import now
from portal.core.db import Base, Json, after_commit, db, insert, one_of

log = structlog.get_logger(__name__)
# The job that hands on what is due; whoever knows the channels registers it.
DELIVER = "notifications.deliver"

# Waits between tries, after GOV.UK Notify: 10 s, 60 s, 5 min, 1 h, 4 h.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 3600, 14400))


class Delivery(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


MOVES = {
    Delivery.WAITING: {Delivery.SENDING},
    Delivery.SENDING: {Delivery.DELIVERED, Delivery.FAILED, Delivery.UNKNOWN, Delivery.WAITING},
    Delivery.DELIVERED: set(),
    Delivery.FAILED: {Delivery.WAITING},
    Delivery.UNKNOWN: {Delivery.WAITING},
}


@dataclass(frozen=True)
class Recipient:
    """An opaque addressee, kind and id; notifications finds the account, the telephone, the family agent."""

    kind: str
    id: str


class OutboxRow(Base):
    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_due", "state", "due_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(sa.String(64))
    recipient_kind: Mapped[str] = mapped_column(sa.String(24))
    recipient_id: Mapped[str] = mapped_column(sa.String(64))
    facts: Mapped[Any] = mapped_column(Json)
    state: Mapped[Delivery] = mapped_column(one_of(Delivery), default=Delivery.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(sa.String(200), default="")

    def move(self, state: Delivery) -> None:
        if state not in MOVES[self.state]:
            raise ValueError(f"outbox row {self.id}: {self.state} cannot become {state}")
        self.state = state

    def try_later(self, error: str) -> None:
        """Back to waiting with the next wait, or failed when the waits are used up."""
        self.error = error[:200]
        if self.tries > len(WAITS):
            self.move(Delivery.FAILED)
            return
        self.due_at = now() + WAITS[max(self.tries - 1, 0)]
        self.move(Delivery.WAITING)


def enqueue(topic: str, *, to: Recipient, **facts: Any) -> None:
    moment = now()
    row = {"topic": topic, "recipient_kind": to.kind, "recipient_id": to.id, "facts": facts}
    insert(OutboxRow, {**row, "created_at": moment, "due_at": moment})
    if _wake not in db.session.info.get("after_commit", ()):
        after_commit(_wake)


def call_back(topic: str, *, to: Recipient) -> None:
    """Forget what still waits to be told under a topic: it is true no more. What is on its way arrives."""
    waits = (OutboxRow.topic == topic, OutboxRow.recipient_kind == to.kind, OutboxRow.recipient_id == to.id)
    db.session.execute(sa.delete(OutboxRow).where(*waits, OutboxRow.state == Delivery.WAITING))


def _wake() -> None:
    """Have the delivery look soon. It also looks every minute, so a queue that is away loses nothing."""
    try:
        known = jobs.of(current_app)
        if DELIVER in known.works:
            known.soon(DELIVER)
    except Exception as error:  # noqa: BLE001 the transaction is committed: its answer must not become an error
        log.warning("outbox.not_woken", error=type(error).__name__)


def due(limit: int = 50) -> list[OutboxRow]:
    """Waiting rows whose time has come, oldest first, locked against a second worker on PostgreSQL."""
    query = (
        sa.select(OutboxRow)
        .where(OutboxRow.state == Delivery.WAITING, OutboxRow.due_at <= now())
        .order_by(OutboxRow.due_at, OutboxRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(db.session.scalars(query))


def abandoned(older_than: timedelta = timedelta(minutes=5)) -> list[OutboxRow]:
    """Rows left in SENDING by a worker that died: nobody knows whether they arrived."""
    query = (
        sa.select(OutboxRow)
        .where(OutboxRow.state == Delivery.SENDING, OutboxRow.due_at <= now() - older_than)
        .order_by(OutboxRow.id)
    )
    return list(db.session.scalars(query))


def purge(before: datetime) -> int:
    """Forget messages whose delivery ended before a moment; return how many went. What still waits stays."""
    ended = (Delivery.DELIVERED, Delivery.FAILED, Delivery.UNKNOWN)
    gone = db.session.execute(sa.delete(OutboxRow).where(OutboxRow.state.in_(ended), OutboxRow.due_at < before))
    return int(getattr(gone, "rowcount", 0))
