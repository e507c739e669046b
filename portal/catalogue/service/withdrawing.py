"""Withdrawing an item: what still hangs on it, and what becomes of those who have booked or wait."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.catalogue.models.applications import OPEN, WAITING, Application
from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import appointments, changing, keeping, telling, waiting
from portal.core import audit, outbox
from portal.core.clock import now
from portal.core.db import db
from portal.places import service as places
from portal.places.models import Waiting

NAMED = 50


@dataclass(frozen=True)
class Hanging:
    """How many appointments are still to come, how many wait in lines, and the applications that go on."""

    booked: int
    waiting: int
    applications: list[Application]


def _coming(item: Item) -> sa.ColumnElement[bool]:
    return sa.and_(
        Appointment.item_id == item.id,
        Appointment.state == AppointmentState.BOOKED,
        Appointment.starts_at > now(),
    )


def hanging(item: Item) -> Hanging:
    """What a worker is to know before she withdraws an item."""
    booked = db.session.scalar(sa.select(sa.func.count(Appointment.id)).where(_coming(item))) or 0
    line = sa.and_(Waiting.kind == waiting.KIND, Waiting.ref == str(item.id), Waiting.state.in_(places.LIVE))
    waits = db.session.scalar(sa.select(sa.func.count(Waiting.id)).where(line)) or 0
    query = (
        sa.select(Application)
        .where(Application.item_id == item.id, Application.state.in_((*OPEN, *WAITING)))
        .options(joinedload(Application.person))
        .order_by(Application.id)
        .limit(NAMED)
    )
    return Hanging(booked, waits, list(db.session.scalars(query)))


def withdraw(item: Item, *, reason: str, call_off: bool) -> int:
    """Residents see it no more and nobody waits for it any longer. Who has booked is called off with the reason, or
    comes all the same; return how many were called off. Applications go on to their result.
    """
    keeping.withdraw(item, reason=reason)
    found = _held(item)
    for line in places.close_of(waiting.KIND, str(item.id), reason=reason):
        told = line.person.ref
        outbox.enqueue("catalogue.line_ended", to=told, person=line.person.name, item=item.title, reason=reason)
    if not call_off:
        return 0
    for appointment in found:
        _call_off(appointment, reason)
    return len(found)


def _held(item: Item) -> list[Appointment]:
    """The appointments still to come; every place that will be freed is held first, in one order."""
    slots = sa.select(Appointment.slot_id).where(_coming(item))
    lines = sa.select(Waiting.capacity_id).where(
        Waiting.kind == waiting.KIND, Waiting.ref == str(item.id), Waiting.state.in_(places.LIVE)
    )
    booked = sa.select(Slot.capacity_id).where(Slot.id.in_(slots))
    for capacity_id in sorted({*db.session.scalars(booked), *db.session.scalars(lines)}):
        places.hold(capacity_id)
    query = sa.select(Appointment).where(_coming(item)).options(*appointments.whole())
    query = query.order_by(Appointment.starts_at, Appointment.id).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


def _call_off(appointment: Appointment, reason: str) -> None:
    """No other time of the same item is named: there is none."""
    changing.move(appointment, AppointmentState.CALLED_OFF, reason=reason)
    audit.record(
        "catalogue.appointment_called_off",
        appointment,
        reason=reason,
        on_behalf_of=appointment.person.public_id,
    )
    telling.tell("catalogue.appointment_called_off", appointment, reason=reason)
