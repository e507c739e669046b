"""Reminders before a meeting: at each lead time once, through the outbox."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import settings
from portal.core.db import db, guarded
from portal.deliberation.models.codes import AttendeeState, MeetingState
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.service import telling
from portal.deliberation.service.meeting_notices import told
from portal.registry.service import people

FIRST, SECOND = "deliberation.first_reminder", "deliberation.second_reminder"
settings.declare(
    FIRST, default=24, label=lambda: _("协商会议前多久第一次提醒"), unit=lambda: _("小时"), least=3, most=168
)
settings.declare(
    SECOND, default=2, label=lambda: _("协商会议前多久第二次提醒"), unit=lambda: _("小时"), least=1, most=48
)


def leads() -> list[timedelta]:
    hours = sorted({settings.get(FIRST), settings.get(SECOND)}, reverse=True)
    return [timedelta(hours=count) for count in hours]


def due(moment: datetime) -> list[int]:
    """The rows that have a reminder due, the soonest meeting first."""
    waits = [
        sa.and_(Attendee.reminded <= number, Meeting.starts_at <= moment + lead) for number, lead in enumerate(leads())
    ]
    query = (
        sa.select(Attendee.id)
        .join(Attendee.meeting)
        .where(
            Meeting.state == MeetingState.NOTIFIED,
            Meeting.starts_at > moment,
            Attendee.state == AttendeeState.GOING,
            Attendee.person_id.is_not(None),
            Attendee.came_at.is_(None),
            sa.or_(*waits),
        )
        .order_by(Meeting.starts_at, Attendee.id)
        .limit(500)
    )
    return list(db.session.scalars(query))


def remind(attendee_id: int, moment: datetime) -> bool:
    """Send the reminder that is due, unless another runner did; one that was due before she signed up is left out."""
    query = sa.select(Attendee).where(Attendee.id == attendee_id)
    loaded = (joinedload(Attendee.person), joinedload(Attendee.meeting).joinedload(Meeting.topic))
    one = db.session.scalars(query.options(*loaded)).one()
    known = leads()
    number = sum(moment >= one.meeting.starts_at - lead for lead in known)
    before = one.reminded
    counted = sa.update(Attendee).where(
        Attendee.id == one.id, Attendee.reminded == before, Attendee.state == AttendeeState.GOING
    )
    if number <= before or one.person is None or not guarded(counted.values(reminded=number)):
        return False
    if one.signed_up_at >= one.meeting.starts_at - known[number - 1]:
        return False
    telling.tell(people.resolved(one.person), "meeting_reminder", one.meeting.topic, **told(one.meeting))
    return True
