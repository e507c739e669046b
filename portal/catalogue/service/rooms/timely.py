"""What happens to a booking of a room when its time comes near: reminders, and requests that nobody answered."""

from datetime import datetime

import sqlalchemy as sa

from portal.catalogue.models.rooms import BookingState, RoomBooking
from portal.catalogue.service import reminding
from portal.catalogue.service.rooms import booking, history, holding
from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, guarded


def due(moment: datetime) -> list[int]:
    """The bookings that have a reminder due, the soonest first; the community's own use reminds nobody."""
    waits = [
        sa.and_(RoomBooking.reminded <= number, RoomBooking.starts_at <= moment + lead)
        for number, lead in enumerate(reminding.leads())
    ]
    query = (
        sa.select(RoomBooking.id)
        .where(
            RoomBooking.state == BookingState.CONFIRMED,
            RoomBooking.person_id.is_not(None),
            RoomBooking.starts_at > moment,
            sa.or_(*waits),
        )
        .order_by(RoomBooking.starts_at, RoomBooking.id)
        .limit(500)
    )
    return list(db.session.scalars(query))


def remind(booking_id: int, moment: datetime) -> bool:
    """Send the reminder that is due, unless another runner did; one that was due before it was booked is left out."""
    found, known = _booking(booking_id), reminding.leads()
    number = max((turn for turn, lead in enumerate(known, 1) if moment >= found.starts_at - lead), default=0)
    if number <= found.reminded or not _count(found, number):
        return False
    if found.changed_at >= found.starts_at - known[number - 1]:
        return False
    booking.tell(found, "room_reminder", None)
    return True


def _count(found: RoomBooking, number: int) -> bool:
    """Of two runners one counts it; who moves or cancels it meanwhile wins over both."""
    where = sa.and_(
        RoomBooking.id == found.id,
        RoomBooking.reminded == found.reminded,
        RoomBooking.starts_at == found.starts_at,
        RoomBooking.state == BookingState.CONFIRMED,
    )
    return guarded(sa.update(RoomBooking).where(where).values(reminded=number))


def unanswered(moment: datetime) -> list[int]:
    """The requests whose time has come before anybody answered, the oldest first."""
    where = sa.and_(RoomBooking.state == BookingState.REQUESTED, RoomBooking.starts_at <= moment)
    return list(db.session.scalars(sa.select(RoomBooking.id).where(where).order_by(RoomBooking.id).limit(500)))


def lapse(booking_id: int, moment: datetime) -> bool:
    """End one request that nobody answered, and say so; False when somebody answered at this very moment."""
    found = _booking(booking_id)
    where = sa.and_(
        RoomBooking.id == found.id, RoomBooking.state == BookingState.REQUESTED, RoomBooking.starts_at <= moment
    )
    values = {"state": BookingState.LAPSED, "changed_at": now(), "changed_by_name": ""}
    if not guarded(sa.update(RoomBooking).where(where).values(**values)):
        return False
    db.session.refresh(found, list(values))
    holding.let_go(found)
    audit.record("rooms.lapsed", found)
    booking.tell(found, "room_lapsed", None)
    return True


def _booking(booking_id: int) -> RoomBooking:
    query = sa.select(RoomBooking).where(RoomBooking.id == booking_id).options(*history.everything())
    return db.session.scalars(query).one()
