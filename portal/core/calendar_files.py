"""Calendar files (RFC 5545) in the time of Asia/Shanghai: what events are written with, and the file round them."""

from collections.abc import Iterable
from datetime import datetime

from portal.core.clock import local

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


def file_text(product: str, events: Iterable[str], *, head: Iterable[str] = ()) -> str:
    """The file round the lines of some events; `head` are more lines of the calendar itself."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//portal//{product}//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        *head,
        *ZONE,
        *events,
        "END:VCALENDAR",
    ]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def span(starts_at: datetime, ends_at: datetime) -> tuple[str, str]:
    """The two lines that say when an event is."""
    return f"DTSTART;TZID=Asia/Shanghai:{_wall(starts_at)}", f"DTEND;TZID=Asia/Shanghai:{_wall(ends_at)}"


def alarm(title: str, hours: int) -> tuple[str, ...]:
    """A reminder so many hours before."""
    return "BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{text(title)}", f"TRIGGER:-PT{hours}H", "END:VALARM"


def stamp(moment: datetime) -> str:
    """A moment in UTC."""
    return f"{moment:%Y%m%dT%H%M%SZ}"


def text(words: str) -> str:
    """TEXT of RFC 5545, section 3.3.11."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def folded(line: str) -> str:
    """No line longer than 75 octets, and none broken inside a character: what goes on begins with a space."""
    parts, part, length = [], "", 0
    for sign in line:
        size = len(sign.encode())
        if length + size > OCTETS:
            parts.append(part)
            part, length = " ", 1
        part, length = part + sign, length + size
    return "\r\n".join([*parts, part])


def _wall(moment: datetime) -> str:
    return f"{local(moment):%Y%m%dT%H%M%S}"
