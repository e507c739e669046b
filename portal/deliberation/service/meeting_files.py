"""A meeting as a calendar file (RFC 5545), in the time of Asia/Shanghai."""

from flask_babel import gettext as _

from portal.core import calendar_files
from portal.core.clock import now
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting


def calendar_text(meeting: Meeting, *, address: str) -> str:
    """The file's text; `address` is where the meeting can be read."""
    gone = meeting.state is MeetingState.CANCELLED
    told = _("看议程、改报名：%(address)s", address=address)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{meeting.id}@meetings",
        f"DTSTAMP:{calendar_files.stamp(now())}",
        *calendar_files.span(meeting.starts_at, meeting.ends_at),
        f"SUMMARY:{calendar_files.text(meeting.title)}",
        f"LOCATION:{calendar_files.text(meeting.place)}",
        f"DESCRIPTION:{calendar_files.text(told)}",
        f"URL:{address}",
        f"STATUS:{'CANCELLED' if gone else 'CONFIRMED'}",
        *calendar_files.alarm(meeting.title, 2),
        "END:VEVENT",
    ]
    return calendar_files.file_text("meetings", lines)
