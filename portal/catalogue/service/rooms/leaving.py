"""What becomes of somebody's room bookings when she is dead: nobody waits for her, and the rooms are free again."""

import sqlalchemy as sa

from portal.catalogue.models.rooms import LIVE, BookingState, RoomBooking
from portal.catalogue.service.rooms import holding
from portal.core import audit, reasons
from portal.core.clock import now
from portal.core.db import db
from portal.registry.models import Person
from portal.registry.service import people

# The words are the appointments' own.
DIED = "catalogue.person_died"


def on_person_died(*, person: Person, **_facts: object) -> None:
    """Cancel what she booked for herself and is still to come; an organisation's booking stays. Nobody is told."""
    query = sa.select(RoomBooking).where(
        RoomBooking.person_id.in_(people.ids_of(person)),
        RoomBooking.organisation_id.is_(None),
        RoomBooking.state.in_(LIVE),
        RoomBooking.starts_at > now(),
    )
    for booking in db.session.scalars(query.order_by(RoomBooking.id)):
        booking.state, booking.why, booking.changed_at = BookingState.CANCELLED, reasons.said(DIED), now()
        holding.let_go(booking)
        audit.record("rooms.cancelled", booking, reason=DIED)
