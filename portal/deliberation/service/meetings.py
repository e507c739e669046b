"""Meetings: finding them in reach, making and changing one with its agenda before it is announced."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from portal.core import audit, clock
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import Forum, MeetingState, Part, Stage
from portal.deliberation.models.meetings import AgendaItem, Attendee, Meeting, Motion, Notice
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import meeting_rooms, meeting_rules, reach
from portal.places import service as places
from portal.registry.models import Room

A_PAGE = 20
OVER = (Stage.ARCHIVED, Stage.WITHDRAWN)
AHEAD = (MeetingState.NOTIFIED, MeetingState.RUNNING)
HELD = (MeetingState.CLOSED, MeetingState.REPORTED)
# A meeting on the same day lasts no longer than this.
LONGEST = timedelta(hours=12)


@dataclass(frozen=True)
class Line:
    """One matter of the agenda as it is entered."""

    title: str
    minutes: int
    speaker: str = ""


@dataclass(frozen=True)
class Facts:
    """A meeting as it is entered; `body` is "" where no body decides."""

    title: str
    forum: Forum
    body: str
    starts_at: datetime
    ends_at: datetime
    place: str
    seats: int
    speakers: int
    entitled: int
    who: str
    agenda: tuple[Line, ...] = ()
    # The m² of all owners together, where a body of owners meets.
    entitled_area: Decimal = Decimal(0)
    # The id of a room of the community, 0 for none; `agreed` where a weekly use of it gives way.
    room: int = 0
    agreed: bool = False


def whole() -> tuple[ORMOption, ...]:
    """A meeting with its topic, seats and agenda."""
    topic = joinedload(Meeting.topic)
    return (
        topic.joinedload(Topic.area),
        topic.selectinload(Topic.communities),
        joinedload(Meeting.capacity),
        joinedload(Meeting.speaking),
        joinedload(Meeting.room).joinedload(Room.facility),
        selectinload(Meeting.agenda),
    )


def _one(meeting_id: int, *conditions: sa.ColumnElement[bool]) -> Meeting:
    query = sa.select(Meeting).join(Meeting.topic).where(Meeting.id == meeting_id, *conditions)
    found = db.session.scalar(query.options(*whole()))
    if found is None:
        raise Missing
    return found


def shown(meeting_id: int) -> Meeting:
    """A meeting as everybody may read it: announced once, of a public topic."""
    return _one(meeting_id, reach.public(), Meeting.notified_at.is_not(None))


def read(meeting_id: int, *, within: Collection[Scope]) -> Meeting:
    return _one(meeting_id, reach.read_by(within))


def kept(meeting_id: int, *, within: Collection[Scope]) -> Meeting:
    """A meeting of a topic that a worker keeps."""
    return _one(meeting_id, reach.kept_by(within))


def of_topic(topic: Topic, *, public: bool) -> list[Meeting]:
    """The meetings of a topic, the latest first."""
    query = sa.select(Meeting).where(Meeting.topic_id == topic.id).options(joinedload(Meeting.capacity))
    if public:
        query = query.where(Meeting.notified_at.is_not(None))
    return list(db.session.scalars(query.order_by(Meeting.starts_at.desc(), Meeting.id.desc()).limit(30)))


def public_list(at: datetime, *, past: bool, page: int = 1) -> tuple[list[Meeting], bool]:
    """What was announced: the next ones soonest first, or those that were, the latest first."""
    query = sa.select(Meeting).join(Meeting.topic).where(reach.public(), Meeting.notified_at.is_not(None))
    over = sa.or_(Meeting.ends_at < at, Meeting.state.in_((*HELD, MeetingState.CANCELLED)))
    order = (Meeting.starts_at.desc(), Meeting.id.desc()) if past else (Meeting.starts_at, Meeting.id)
    query = query.where(over if past else sa.not_(over)).order_by(*order)
    return _page(query, page)


def desk_list(within: Collection[Scope], *, past: bool, page: int = 1) -> tuple[list[Meeting], bool]:
    """The meetings that a worker reads: those to come and to be finished, or those that are done."""
    done = Meeting.state.in_((MeetingState.REPORTED, MeetingState.CANCELLED))
    order = (Meeting.starts_at.desc(), Meeting.id.desc()) if past else (Meeting.starts_at, Meeting.id)
    query = sa.select(Meeting).join(Meeting.topic).where(reach.read_by(within), done if past else sa.not_(done))
    return _page(query.order_by(*order), page)


def _page(query: sa.Select[Meeting], page: int) -> tuple[list[Meeting], bool]:
    loaded = query.options(joinedload(Meeting.topic).joinedload(Topic.area), joinedload(Meeting.capacity))
    found = list(db.session.scalars(loaded.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def notice_of(meeting: Meeting) -> Notice | None:
    """What is announced of a meeting now."""
    query = sa.select(Notice).where(Notice.meeting_id == meeting.id, Notice.withdrawn_at.is_(None))
    return db.session.scalar(query.order_by(Notice.id.desc()).limit(1))


def notices_of(meeting: Meeting) -> list[Notice]:
    query = sa.select(Notice).where(Notice.meeting_id == meeting.id).order_by(Notice.id.desc())
    return list(db.session.scalars(query))


def attendees(meeting: Meeting) -> list[Attendee]:
    """Everybody on the list: who sits first, by what she comes as, then by when she signed up."""
    order = sa.case({part: number for number, part in enumerate(Part)}, value=Attendee.part, else_=9)
    query = sa.select(Attendee).where(Attendee.meeting_id == meeting.id).options(joinedload(Attendee.person))
    query = query.options(joinedload(Attendee.owner))
    return list(db.session.scalars(query.order_by(Attendee.state, order, Attendee.id)))


def motions(meeting: Meeting) -> list[Motion]:
    query = sa.select(Motion).where(Motion.meeting_id == meeting.id).order_by(Motion.id)
    return list(db.session.scalars(query))


def make(topic: Topic, facts: Facts, *, by: Actor) -> Meeting:
    """A draft of a meeting; nobody hears of it before it is announced."""
    if topic.stage in OVER:
        raise Refused(_("这个议题已经结束，不能再开会。请先新建一个议题。"))
    _check(facts)
    seats, speaking = places.open_capacity(facts.seats), places.open_capacity(facts.speakers)
    db.session.flush()
    made = Meeting(
        topic_id=topic.id,
        capacity_id=seats.id,
        speaking_id=speaking.id,
        secret=secrets.token_urlsafe(32),
        made_by_name=by.name,
        **_columns(topic, facts),
        room_id=_room(topic, facts, by=by),
    )
    made.agenda = _agenda(facts.agenda)
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.meeting_made", made, topic=topic.id, title=made.title)
    return made


def _columns(topic: Topic, facts: Facts) -> dict[str, Any]:
    day = clock.local(facts.starts_at).date()
    rule = meeting_rules.rule_of(topic, facts.body, day)
    return {
        "title": facts.title,
        "forum": facts.forum,
        "starts_at": facts.starts_at,
        "ends_at": facts.ends_at,
        "place": facts.place[:100],
        "who": facts.who,
        "rule": rule,
        "entitled": facts.entitled,
        "entitled_area": facts.entitled_area if rule and rule["by_area"] else Decimal(0),
        "quorum": meeting_rules.quorum_of(rule, facts.entitled),
        "notice_days": meeting_rules.notice_days(rule, day),
    }


def _room(topic: Topic, facts: Facts, *, by: Actor, but: int = 0, kept: bool = False) -> int | None:
    asked: dict[str, Any] = {"seats": facts.seats, "agreed": facts.agreed, "by": by, "but": but, "kept": kept}
    room = meeting_rooms.take(topic, facts.room, facts.starts_at, facts.ends_at, **asked)
    return room.id if room else None


def _agenda(lines: Sequence[Line]) -> list[AgendaItem]:
    return [
        AgendaItem(position=number, title=line.title, minutes=line.minutes, speaker=line.speaker)
        for number, line in enumerate(lines, start=1)
    ]


def _check(facts: Facts) -> None:
    if facts.ends_at <= facts.starts_at:
        raise Refused(_("结束时间要晚于开始时间，请核对。"), field="ends")
    if facts.starts_at <= now():
        raise Refused(_("开始时间已经过了，请选以后的时间。"), field="day")
    if facts.speakers > facts.seats:
        raise Refused(_("发言名额不能比座位多，请改小一些。"), field="speakers")


def change(meeting: Meeting, facts: Facts, *, by: Actor) -> list[str]:
    """Change a meeting that has not begun; the names of what changed. What is announced already is announced anew by
    meeting_notices.
    """
    if meeting.state not in {MeetingState.DRAFT, MeetingState.NOTIFIED}:
        raise Refused(_("会议已经开始或结束，不能再改安排。"))
    _check(facts)
    places.resize(meeting.capacity_id, facts.seats, field="seats")
    places.resize(meeting.speaking_id, facts.speakers, field="speakers")
    columns = _columns(meeting.topic, facts)
    stays = (meeting.room_id or 0, meeting.starts_at, meeting.ends_at) == (facts.room, facts.starts_at, facts.ends_at)
    if not stays:
        meeting_rooms.give_back(meeting, by)
    columns["room_id"] = _room(meeting.topic, facts, by=by, but=meeting.id, kept=stays)
    if columns["rule"] and columns["rule"].get("id") == meeting.rule.get("id"):
        columns["rule"] = meeting.rule
    changed = [name for name, value in columns.items() if getattr(meeting, name) != value]
    for name in changed:
        setattr(meeting, name, columns[name])
    if lines_of(meeting) != list(facts.agenda):
        for item in list(meeting.agenda):
            db.session.delete(item)
        db.session.flush()
        db.session.expire(meeting, ["agenda"])
        db.session.add_all([_of(meeting, item) for item in _agenda(facts.agenda)])
        db.session.flush()
        db.session.expire(meeting, ["agenda"])
        changed.append("agenda")
    audit.record("deliberation.meeting_changed", meeting, fields=changed, by=by.name)
    return changed


def _of(meeting: Meeting, item: AgendaItem) -> AgendaItem:
    item.meeting_id = meeting.id
    return item


def lines_of(meeting: Meeting) -> list[Line]:
    return [Line(item.title, item.minutes, item.speaker) for item in meeting.agenda]


def usual_agenda() -> list[Line]:
    """What a meeting mostly goes through, to begin from."""
    return [
        Line(_("说明事项和背景"), 15),
        Line(_("报名的居民发言"), 30),
        Line(_("大家讨论"), 30),
        Line(_("归纳意见，说明下一步"), 15),
    ]
