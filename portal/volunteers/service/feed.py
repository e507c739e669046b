"""A volunteer's shifts as a calendar feed (RFC 5545) in the time of Asia/Shanghai, for the calendar on her phone."""

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import calendar_files
from portal.core.clock import now
from portal.core.db import db
from portal.volunteers.models.codes import HOLDS, SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import joining
from portal.volunteers.service.signup_words import signup_said

BACK, SHOWN = timedelta(days=60), 500
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
        f"X-WR-CALNAME:{calendar_files.text(name)}",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "REFRESH-INTERVAL;VALUE=DURATION:PT4H",
    ]
    events = (line for signup in signups for line in _event(signup, address))
    return calendar_files.file_text("volunteers", events, head=head)


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
        f"DTSTAMP:{calendar_files.stamp(now())}",
        f"LAST-MODIFIED:{calendar_files.stamp(signup.changed_at)}",
        *calendar_files.span(shift.starts_at, shift.ends_at),
        f"SUMMARY:{calendar_files.text(title)}",
        f"LOCATION:{calendar_files.text(shift.place or activity.place)}",
        f"DESCRIPTION:{calendar_files.text(chr(10).join(word for word in words if word))}",
        f"STATUS:{_status(signup)}",
        f"URL:{address}",
    ]
    return [*lines, "END:VEVENT"] if off else [*lines, *_alarms(signup, title), "END:VEVENT"]


def _alarms(signup: Signup, title: str) -> list[str]:
    """One for each of the lead times she chose."""
    chosen = sorted({int(count) for count in signup.volunteer.reminders or []}, reverse=True)
    return [line for hours in chosen for line in calendar_files.alarm(title, hours)]


def _status(signup: Signup) -> str:
    if signup.state is SignupState.CALLED_OFF:
        return "CANCELLED"
    return "TENTATIVE" if signup.state is SignupState.REQUESTED else "CONFIRMED"
