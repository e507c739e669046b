"""A meeting as a calendar file (RFC 5545), in the time of Asia/Shanghai."""

from flask_babel import gettext as _

from portal.core.clock import local, now
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting

OCTETS = 75
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


def calendar_text(meeting: Meeting, *, address: str) -> str:
    """The file's text; `address` is where the meeting can be read."""
    gone = meeting.state is MeetingState.CANCELLED
    told = _("看议程、改报名：%(address)s", address=address)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//portal//meetings//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *ZONE,
        "BEGIN:VEVENT",
        f"UID:{meeting.id}@meetings",
        f"DTSTAMP:{now():%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID=Asia/Shanghai:{local(meeting.starts_at):%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Asia/Shanghai:{local(meeting.ends_at):%Y%m%dT%H%M%S}",
        f"SUMMARY:{_text(meeting.title)}",
        f"LOCATION:{_text(meeting.place)}",
        f"DESCRIPTION:{_text(told)}",
        f"URL:{address}",
        f"STATUS:{'CANCELLED' if gone else 'CONFIRMED'}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(meeting.title)}",
        "TRIGGER:-PT2H",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _text(words: str) -> str:
    """TEXT of RFC 5545, section 3.3.11."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _folded(line: str) -> str:
    """No line longer than 75 octets, and none broken inside a character: what goes on begins with a space."""
    parts, part, length = [], "", 0
    for sign in line:
        size = len(sign.encode())
        if length + size > OCTETS:
            parts.append(part)
            part, length = " ", 1
        part, length = part + sign, length + size
    return "\r\n".join([*parts, part])
