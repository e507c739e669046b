"""One appointment as a calendar file (RFC 5545), in the time of Asia/Shanghai."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from portal.catalogue.models.appointments import Appointment
from portal.core.clock import local, now

LINE = 75
# China has had one time and no summer time since 1991.
ZONE = (
    "BEGIN:VTIMEZONE",
    "TZID:Asia/Shanghai",
    "BEGIN:STANDARD",
    "DTSTART:19910915T000000",
    "TZOFFSETFROM:+0900",
    "TZOFFSETTO:+0800",
    "TZNAME:CST",
    "END:STANDARD",
    "END:VTIMEZONE",
)


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
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//portal//appointments//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *ZONE,
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{now():%Y%m%dT%H%M%SZ}",
        f"LAST-MODIFIED:{event.changed_at:%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID=Asia/Shanghai:{_wall(event.starts_at)}",
        f"DTEND;TZID=Asia/Shanghai:{_wall(event.ends_at)}",
        f"SUMMARY:{_text(event.title)}",
        f"LOCATION:{_text(event.place)}",
        f"DESCRIPTION:{_text(event.words)}",
        f"URL:{address}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(event.title)}",
        "TRIGGER:-PT2H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _wall(moment: datetime) -> str:
    return f"{local(moment):%Y%m%dT%H%M%S}"


def _text(words: str) -> str:
    """TEXT of RFC 5545, section 3.3.11."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """No line longer than 75 octets, and none broken inside a character: what goes on begins with a space."""
    parts, part, length = [], "", 0
    for sign in line:
        size = len(sign.encode())
        if length + size > LINE:
            parts.append(part)
            part, length = " ", 1
        part, length = part + sign, length + size
    return "\r\n".join([*parts, part])
