"""A volunteer's shifts as a calendar feed (RFC 5545) in the time of Asia/Shanghai, for the calendar on her phone."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.clock import local, now
from portal.core.db import db
from portal.volunteers.models.codes import HOLDS, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import joining
from portal.volunteers.service.signup_words import signup_said

LINE = 75
BACK, SHOWN = timedelta(days=60), 500
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
_KEPT = tuple(sorted({*HOLDS, SignupState.CALLED_OFF} - {SignupState.NO_SHOW}))


def signups_of(volunteer: Volunteer) -> list[Signup]:
    """What her calendar shows: the last two months and everything ahead; what is called off stays as cancelled."""
    query = sa.select(Signup).where(
        Signup.volunteer_id == volunteer.id, Signup.state.in_(_KEPT), Signup.ends_at > now() - BACK
    )
    query = query.options(*joining.whole()).order_by(Signup.starts_at, Signup.id).limit(SHOWN)
    return list(db.session.scalars(query))


def feed_text(signups: list[Signup], *, address: str) -> str:
    """The file's text; `address` is the page of her shifts."""
    name = _("我的志愿班次")
    head = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//portal//volunteers//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{text(name)}",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "REFRESH-INTERVAL;VALUE=DURATION:PT4H",
        *ZONE,
    ]
    lines = [*head, *(line for signup in signups for line in _event(signup, address)), "END:VCALENDAR"]
    return "".join(f"{folded(line)}\r\n" for line in lines)


def _event(signup: Signup, address: str) -> list[str]:
    activity, shift = signup.shift.activity, signup.shift
    off = signup.state is SignupState.CALLED_OFF
    title = _("%(activity)s（%(position)s）", activity=activity.title, position=signup.post.position.name)
    waits = signup.state in {SignupState.REQUESTED, SignupState.CALLED_OFF}
    title = _("【%(state)s】%(title)s", state=signup_said(signup.state), title=title) if waits else title
    words = [activity.content, activity.conditions, shift.note, _("查看或退出：%(address)s", address=address)]
    lines = [
        "BEGIN:VEVENT",
        f"UID:{signup.public_id}@volunteers",
        f"DTSTAMP:{now():%Y%m%dT%H%M%SZ}",
        f"LAST-MODIFIED:{signup.changed_at:%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID=Asia/Shanghai:{wall(shift.starts_at)}",
        f"DTEND;TZID=Asia/Shanghai:{wall(shift.ends_at)}",
        f"SUMMARY:{text(title)}",
        f"LOCATION:{text(shift.place or activity.place)}",
        f"DESCRIPTION:{text(chr(10).join(word for word in words if word))}",
        f"STATUS:{_status(signup)}",
        f"URL:{address}",
    ]
    return [*lines, "END:VEVENT"] if off else [*lines, *_alarms(signup, title), "END:VEVENT"]


def _alarms(signup: Signup, title: str) -> list[str]:
    """One for each of the lead times she chose."""
    return [
        line
        for hours in sorted({int(count) for count in signup.volunteer.reminders or []}, reverse=True)
        for line in (
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{text(title)}",
            f"TRIGGER:-PT{hours}H",
            "END:VALARM",
        )
    ]


def _status(signup: Signup) -> str:
    if signup.state is SignupState.CALLED_OFF:
        return "CANCELLED"
    return "TENTATIVE" if signup.state is SignupState.REQUESTED else "CONFIRMED"


def wall(moment: datetime) -> str:
    return f"{local(moment):%Y%m%dT%H%M%S}"


def text(words: str) -> str:
    """TEXT of RFC 5545, section 3.3.11."""
    escaped = words.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def folded(line: str) -> str:
    """No line longer than 75 octets, and none broken inside a character: what goes on begins with a space."""
    parts, part, length = [], "", 0
    for sign in line:
        size = len(sign.encode())
        if length + size > LINE:
            parts.append(part)
            part, length = " ", 1
        part, length = part + sign, length + size
    return "\r\n".join([*parts, part])
