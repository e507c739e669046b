"""Delivery: what the outbox holds is taken, handed over outside any transaction, and marked with how it ended.

A notice is placed in the transaction that marks its row delivered, so it is placed once. A message to a telephone can
be lost between the two: then nobody knows, and a code in that state is never sent again, because a second code
message frightens people and a late one is useless. Other messages go again under the same key.
"""

from dataclasses import dataclass
from typing import Any

import structlog

from portal.config import Config
from portal.core import outbox
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.outbox import Delivery, OutboxRow, Recipient
from portal.identity import codes
from portal.notifications import wording
from portal.notifications.service import inbox, recipients
from portal.notifications.service.gateways import Answer, Gateway, Message, Outcome
from portal.notifications.service.recipients import Reached

log = structlog.get_logger(__name__)
AT_ONCE = 50


@dataclass(frozen=True)
class Parcel:
    """An outbox row read out, detached: what is handed over outside the transaction."""

    row_id: int
    topic: str
    to: Recipient
    facts: dict[str, Any]

    @property
    def secret(self) -> bool:
        return self.to.kind == "code"


def deliver_due(gateway: Gateway, config: Config) -> int:
    """Deliver everything that is due; return how many rows were taken."""
    _sweep_abandoned()
    count = 0
    while parcels := _take():
        for parcel in parcels:
            _deliver(parcel, gateway, config)
        count += len(parcels)
    return count


def _parcel(row: OutboxRow) -> Parcel:
    return Parcel(row.id, row.topic, Recipient(row.recipient_kind, row.recipient_id), dict(row.facts))


def _take() -> list[Parcel]:
    with transaction():
        rows = outbox.due(AT_ONCE)
        for row in rows:
            row.move(Delivery.SENDING)
            row.tries += 1
            row.due_at = now()
        return [_parcel(row) for row in rows]


def _sweep_abandoned() -> None:
    """Rows whose deliverer died: a message to a telephone may have left, a notice was certainly not placed."""
    with transaction():
        for row in outbox.abandoned():
            if _parcel(row).secret:
                row.error = "abandoned"
                row.move(Delivery.UNKNOWN)
            else:
                row.try_later("abandoned")
            log.warning("outbox.abandoned", row=row.id, topic=row.topic, state=row.state.value)


def _deliver(parcel: Parcel, gateway: Gateway, config: Config) -> None:
    reached, message = _address(parcel)
    # Nothing stays open while a gateway is asked.
    db.session.rollback()
    answer = _hand_over(message, gateway, config) if message else Answer(Outcome.SENT)
    if parcel.secret and message is None:
        answer = Answer(Outcome.REFUSED, "the code had ended")
    with transaction():
        row = db.session.get(OutboxRow, parcel.row_id, with_for_update=True)
        # Swept up meanwhile, because the gateway took longer than five minutes.
        if row is None or row.state is not Delivery.SENDING:
            return
        if answer.outcome is Outcome.SENT:
            inbox.place(reached.accounts, parcel.topic, parcel.facts)
        _mark(row, parcel, answer)


def _address(parcel: Parcel) -> tuple[Reached, Message | None]:
    key = f"outbox-{parcel.row_id}"
    if parcel.secret:
        told = codes.message(parcel.to.id, str(parcel.facts.get("sealed", "")))
        if told is None:
            return Reached(), None
        phone, code = told
        return Reached(), Message(key, phone, wording.words_for(parcel.topic, {"code": code}).line)
    reached = recipients.reached_by(parcel.to, parcel.topic)
    if not reached.phone:
        return reached, None
    return reached, Message(key, reached.phone, wording.words_for(parcel.topic, parcel.facts).line)


def _hand_over(message: Message, gateway: Gateway, config: Config) -> Answer:
    if config.notify_allow and message.phone not in config.notify_allow:
        return Answer(Outcome.REFUSED, "held back: not in NOTIFY_ALLOW")
    return gateway.send(message)


def _mark(row: OutboxRow, parcel: Parcel, answer: Answer) -> None:
    row.error = answer.error[:200]
    if answer.outcome is Outcome.SENT:
        row.move(Delivery.DELIVERED)
    elif answer.outcome is Outcome.REFUSED:
        row.move(Delivery.FAILED)
    elif answer.outcome is Outcome.UNKNOWN and parcel.secret:
        row.move(Delivery.UNKNOWN)
    else:
        row.try_later(answer.error)
    if row.state is not Delivery.DELIVERED:
        log.warning("outbox.not_delivered", row=row.id, topic=row.topic, state=row.state.value, error=row.error)
