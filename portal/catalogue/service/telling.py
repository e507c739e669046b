"""Notices about appointments and offered places, written in the transaction that made them true."""

from portal.catalogue.models.appointments import Appointment
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.core import outbox
from portal.core.access import Actor
from portal.places.models import Waiting
from portal.registry.models import Person


def booked(appointment: Appointment, slot: Slot, item: Item, person: Person, by: Actor) -> None:
    """A new appointment, told from what its booking has in hand."""
    outbox.enqueue(
        "catalogue.appointment_booked",
        to=person.ref,
        person=person.name,
        by=by.name if by.name != person.name else "",
        item=item.title,
        place=slot.timetable.place or item.place,
        starts=slot.starts_at.isoformat(),
        ends=slot.ends_at.isoformat(),
        code=appointment.code,
    )


def tell(
    event: str, appointment: Appointment, *, by: str = "", reason: str = "", late: bool = False, instead: str = ""
) -> None:
    """Tell the person, and with her, by the channel of notifications, who acts for her."""
    item, slot = appointment.item, appointment.slot
    outbox.enqueue(
        event,
        to=appointment.person.ref,
        person=appointment.person.name,
        by=by if by != appointment.person.name else "",
        item=item.title,
        place=slot.timetable.place or item.place,
        starts=appointment.starts_at.isoformat(),
        ends=appointment.ends_at.isoformat(),
        code=appointment.code,
        phone=item.telephone,
        reason=reason,
        late=late,
        instead=instead,
    )


def tell_waiting(event: str, waiting: Waiting, item: Item, slot: Slot) -> None:
    """Tell somebody in a line what became of it."""
    outbox.enqueue(
        event,
        to=waiting.person.ref,
        person=waiting.person.name,
        item=item.title,
        starts=slot.starts_at.isoformat(),
        ends=slot.ends_at.isoformat(),
        until=waiting.offer_until.isoformat() if waiting.offer_until else "",
        phone=item.telephone,
    )
