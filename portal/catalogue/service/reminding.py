"""Reminders before an appointment: at each lead time once, through the outbox."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.service import appointments, telling
from portal.core import settings
from portal.core.db import db, guarded

FIRST, SECOND = "catalogue.first_reminder", "catalogue.second_reminder"

settings.declare(FIRST, default=24, label=lambda: _("预约前多久第一次提醒"), unit=lambda: _("小时"), least=3, most=168)
settings.declare(SECOND, default=2, label=lambda: _("预约前多久第二次提醒"), unit=lambda: _("小时"), least=1, most=48)


def leads() -> list[timedelta]:
    """How long before the beginning a reminder is due, the earliest first."""
    hours = sorted({settings.get(FIRST), settings.get(SECOND)}, reverse=True)
    return [timedelta(hours=count) for count in hours]


def due(moment: datetime) -> list[int]:
    """The appointments that have a reminder due, the soonest first."""
    known = leads()
    waits = [
        sa.and_(Appointment.reminded <= number, Appointment.starts_at <= moment + lead)
        for number, lead in enumerate(known)
    ]
    query = (
        sa.select(Appointment.id)
        .where(Appointment.state == AppointmentState.BOOKED, Appointment.starts_at > moment, sa.or_(*waits))
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(500)
    )
    return list(db.session.scalars(query))


def remind(appointment_id: int, moment: datetime) -> bool:
    """Send the reminder that is due, unless another runner did; one that was due before it was booked is left out."""
    query = sa.select(Appointment).where(Appointment.id == appointment_id).options(*appointments.whole())
    appointment = db.session.scalars(query).one()
    known = leads()
    passed = [number for number, lead in enumerate(known, start=1) if moment >= appointment.starts_at - lead]
    number = max(passed, default=0)
    if number <= appointment.reminded or not _count(appointment, number):
        return False
    if appointment.changed_at >= appointment.starts_at - known[number - 1]:
        return False
    telling.tell("catalogue.appointment_reminder", appointment)
    return True


def _count(appointment: Appointment, number: int) -> bool:
    """Of two runners one counts it; who moves or cancels it meanwhile wins over both."""
    where = sa.and_(
        Appointment.id == appointment.id,
        Appointment.reminded == appointment.reminded,
        Appointment.starts_at == appointment.starts_at,
        Appointment.state == AppointmentState.BOOKED,
    )
    return guarded(sa.update(Appointment).where(where).values(reminded=number))
