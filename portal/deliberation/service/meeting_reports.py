"""The closing report of a meeting: drafted from what was entered, published with minutes, hands and who came as they
chose, without names and numbers that nobody agreed to.
"""

import re
from collections.abc import Iterable

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, masking
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.service import meeting_attendance, meeting_minutes, meeting_words, meetings, public_log
from portal.deliberation.service.meeting_notices import tell_everybody

MOBILE = re.compile(r"(?<!\d)1[3-9]\d(?:[\s-]?\d){8}(?!\d)")
ID_NUMBER = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")


def draft(meeting: Meeting) -> str:
    """A report to begin from: attendance, matters, motions with their hands."""
    lines = [
        _("会议：%(title)s", title=meeting.title),
        _("时间：%(when)s", when=meeting_words.when(meeting)),
        _("地点：%(place)s", place=meeting.place),
        meeting_minutes.attendance_said(meeting) + _("。"),
        "",
    ]
    lines += [
        f"{one.position}. {one.title}" + (_("：%(said)s", said=one.said) if one.said else "") for one in meeting.agenda
    ]
    for one in meetings.motions(meeting):
        hands = meeting_words.hands_said(one) or one.why
        said = meeting_words.motion_said(one)
        lines.append(_("动议“%(words)s”%(result)s。%(hands)s", words=one.words, result=said, hands=hands))
    return "\n".join(lines)


def came(meeting: Meeting) -> list[Attendee]:
    query = sa.select(Attendee).where(Attendee.meeting_id == meeting.id, Attendee.came_at.is_not(None))
    return list(db.session.scalars(query.options(joinedload(Attendee.person)).order_by(Attendee.id)))


def _listed(meeting: Meeting) -> list[Attendee]:
    query = sa.select(Attendee).where(Attendee.meeting_id == meeting.id)
    return list(db.session.scalars(query.options(joinedload(Attendee.person)).order_by(Attendee.id)))


def _unnamed(present: Iterable[Attendee]) -> list[str]:
    """The names that must not stand in the report: of residents and guests who did not choose their full name."""
    names = {one.person.name if one.person else one.guest for one in present if one.shown_as != "full"}
    return sorted((name for name in names if len(name) > 1), key=lambda name: (-len(name), name))


def exposed(meeting: Meeting, report: str) -> list[str]:
    """Names and numbers in what would be published that nobody agreed to, masked; each once."""
    motions = [f"{one.words} {one.mover} {one.seconder} {one.why}" for one in meetings.motions(meeting)]
    said = "\n".join([report, meeting.minutes, *(one.said for one in meeting.agenda), *motions])
    found = [masking.mask_name(name) for name in _unnamed(_listed(meeting)) if name in said]
    found += [masking.mask_phone(match.group()) for match in MOBILE.finditer(said)]
    found += [masking.mask_id(match.group()) for match in ID_NUMBER.finditer(said)]
    return list(dict.fromkeys(found))


def covered(text: str, names: Iterable[str]) -> str:
    """A text without those names and without telephone or ID numbers."""
    for name in names:
        text = text.replace(name, masking.mask_name(name))
    text = MOBILE.sub(lambda match: masking.mask_phone(match.group()), text)
    return ID_NUMBER.sub(lambda match: masking.mask_id(match.group()), text)


def publish(meeting: Meeting, text: str, *, cover: bool, by: Actor) -> None:
    """Publish the report; what it must not tell is covered, or named for somebody to mend it."""
    if meeting.state is not MeetingState.CLOSED:
        raise Refused(_("散会以后才能公布，每次会议只公布一次。"))
    if not meeting.minutes.strip():
        raise Refused(_("还没有写纪要。请先写下或上传纪要，再公布会议情况。"))
    if cover:
        text = _cover(meeting, text)
    elif found := exposed(meeting, text):
        words = _(
            "里面有没有同意公开的姓名或号码：%(found)s。请改掉，或勾上“自动遮住”。", found=_("、").join(found[:8])
        )
        raise Refused(words, field="cover")
    stand = meeting_attendance.standing(meeting)
    moved = sa.update(Meeting).where(Meeting.id == meeting.id, Meeting.state == MeetingState.CLOSED)
    rule = meeting_attendance.held(meeting, stand)
    if not guarded(moved.values(state=MeetingState.REPORTED, report=text, reported_at=now(), rule=rule)):
        raise Refused(_("已经公布过了，请刷新页面看看。"))
    db.session.refresh(meeting)
    audit.record("deliberation.meeting_reported", meeting, came=stand.came, covered=cover)
    public_log.log(meeting.topic, "meeting_reported", by_name=by.name, meeting=meeting.title, came=stand.came)
    tell_everybody(meeting, "meeting_reported")


def _cover(meeting: Meeting, report: str) -> str:
    """Cover the minutes and what was said as well; the answer is the report."""
    names = _unnamed(_listed(meeting))
    meeting.minutes = covered(meeting.minutes, names)
    for item in meeting.agenda:
        item.said = covered(item.said, names)
    for motion in meetings.motions(meeting):
        motion.words, motion.why = covered(motion.words, names)[:300], covered(motion.why, names)[:200]
        motion.mover, motion.seconder = covered(motion.mover, names)[:40], covered(motion.seconder, names)[:40]
    db.session.flush()
    return covered(report, names)


def shown_names(present: Iterable[Attendee]) -> list[str]:
    """Who came, as each chose to be named."""
    return [name for one in present if (name := meeting_words.shown_name(one))]
