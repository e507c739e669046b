"""The room a meeting takes: one of its communities' own, and never two meetings in it at one time.

What residents and organisations booked is held by another capability, which this one does not know: it is asked by an
event, holds the time for the meeting as well, and answers by what stands in the way.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock, events
from portal.core.access import Actor
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Refused
from portal.deliberation.models.codes import MeetingState
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import meeting_words, reach
from portal.registry.models import Facility, Room, RoomUse

# A draft holds its room as well: whoever plans first has it.
HOLDS = (MeetingState.DRAFT, MeetingState.NOTIFIED, MeetingState.RUNNING)


def rooms_of(topic: Topic) -> list[Room]:
    """The rooms of the communities a topic concerns, those in use."""
    query = (
        sa.select(Room)
        .join(Room.facility)
        .where(Facility.community_id.in_(reach.community_ids(topic)))
        .where(*(sa.or_(closed.is_(None), closed > today()) for closed in (Room.closed_on, Facility.closed_on)))
        .options(joinedload(Room.facility))
        .order_by(Facility.community_id, Facility.name, Room.name, Room.id)
    )
    return list(db.session.scalars(query))


def take(
    topic: Topic,
    room_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    seats: int,
    agreed: bool,
    by: Actor,
    but: int = 0,
    kept: bool = False,
) -> Room | None:
    """The room for a time, or a refusal that says by what it is taken; `but` is the meeting that moves itself.

    A weekly use of the room gives way where the committee says that it was `agreed`. What the meeting has already, at
    the same time, is not asked for again (`kept`).
    """
    if not room_id:
        return None
    # Two who plan at once must not both find it free.
    db.session.execute(sa.select(Room.id).where(Room.id == room_id).with_for_update())
    room = next((one for one in rooms_of(topic) if one.id == room_id), None)
    if room is None:
        raise Refused(_("这间房不在这个议题的社区，或者已经停用。请换一间。"), field="room")
    if room.capacity and seats > room.capacity:
        words = _("%(room)s最多坐 %(most)d 人，请把座位改少，或换一间大的。", room=room.name, most=room.capacity)
        raise Refused(words, field="seats")
    _check_meetings(room, starts_at, ends_at, but)
    if kept:
        return room
    if not agreed:
        _check_uses(room, starts_at, ends_at)
    _hold(room, starts_at, ends_at, by)
    return room


def _hold(room: Room, starts_at: datetime, ends_at: datetime, by: Actor) -> None:
    taken: list[str] = []
    facts = {"room_id": room.id, "starts_at": starts_at, "ends_at": ends_at, "reason": _("居民会议"), "by": by}
    events.publish("room_wanted", taken=taken, **facts)
    if taken:
        words = _("%(room)s这段时间不空：%(taken)s。请换个时间或换一间房。", room=room.name, taken=_("；").join(taken))
        raise Refused(words, field="room")


def give_back(meeting: Meeting, by: Actor) -> None:
    """Let go of the room that a meeting has, where it is still to come."""
    if not meeting.room_id:
        return
    facts = {"room_id": meeting.room_id, "starts_at": meeting.starts_at, "ends_at": meeting.ends_at}
    events.publish("room_given_back", by=by, **facts)


def _check_meetings(room: Room, starts_at: datetime, ends_at: datetime, but: int) -> None:
    query = sa.select(Meeting).where(
        Meeting.room_id == room.id,
        Meeting.id != but,
        Meeting.state.in_(HOLDS),
        Meeting.starts_at < ends_at,
        Meeting.ends_at > starts_at,
    )
    other = db.session.scalar(query.order_by(Meeting.starts_at, Meeting.id).limit(1))
    if other is not None:
        words = _(
            "%(room)s在 %(when)s 要开“%(meeting)s”，请换个时间或换一间房。",
            room=room.name,
            when=meeting_words.when(other),
            meeting=other.title,
        )
        raise Refused(words, field="room")


def _check_uses(room: Room, starts_at: datetime, ends_at: datetime) -> None:
    for use in db.session.scalars(sa.select(RoomUse).where(RoomUse.room_id == room.id).order_by(RoomUse.id)):
        if _meets(use, starts_at, ends_at):
            words = _(
                "%(room)s每周这时固定用于“%(use)s”（%(opens)s-%(closes)s）。"
                "说好让出来的，请勾上“已经说好”；不然请换个时间或换一间房。",
                room=room.name,
                use=use.name,
                opens=f"{use.opens:%H:%M}",
                closes=f"{use.closes:%H:%M}",
            )
            raise Refused(words, field="agreed")


def _meets(use: RoomUse, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether a weekly use lies within a time, on any of its days."""
    first, last = clock.local(starts_at).date(), clock.local(ends_at).date()
    days = [first + timedelta(days=turn) for turn in range(min((last - first).days, 6) + 1)]
    return any(
        clock.at(day, use.opens) < ends_at and clock.at(day, use.closes) > starts_at
        for day in days
        if day.weekday() == use.weekday
    )
