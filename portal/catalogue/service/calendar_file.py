"""One appointment as a calendar file (RFC 5545), in the time of Asia/Shanghai."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.catalogue.models.appointments import Appointment
from portal.core import calendar_files
from portal.core.clock import now


@dataclass(frozen=True)
class Event:
    """What a calendar is told: `uid` stays the same when it is moved."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    title: str
    place: str
    words: str


def calendar_text(appointment: Appointment, *, address: str) -> str:
    """The file's text; `address` is where the appointment can be read."""
    item, place = appointment.item, appointment.slot.timetable.place or appointment.item.place
    told = _(
        "预约码 %(code)s。%(name)s。改时间或取消：%(address)s",
        code=appointment.code,
        name=appointment.person.name,
        address=address,
    )
    times = (appointment.starts_at, appointment.ends_at, appointment.changed_at)
    return event_text(Event(f"{appointment.public_id}@appointments", *times, item.title, place, told), address=address)


def event_text(event: Event, *, address: str) -> str:
    """The text of a file that holds one event."""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{calendar_files.stamp(now())}",
        f"LAST-MODIFIED:{calendar_files.stamp(event.changed_at)}",
        *calendar_files.span(event.starts_at, event.ends_at),
        f"SUMMARY:{calendar_files.text(event.title)}",
        f"LOCATION:{calendar_files.text(event.place)}",
        f"DESCRIPTION:{calendar_files.text(event.words)}",
        f"URL:{address}",
        *calendar_files.alarm(event.title, 2),
        "END:VEVENT",
    ]
    return calendar_files.file_text("appointments", lines)
