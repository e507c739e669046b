"""Meetings of the demonstration: one to come with its list, one that was held and reported; the experts of a topic."""

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.deliberation.models.codes import Forum, MeetingState, Part, SignIn
from portal.deliberation.models.meetings import (
    AgendaItem,
    Attendee,
    Expert,
    Meeting,
    MinutesVersion,
    Motion,
    Notice,
)
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.service import meeting_words
from portal.places.models import Capacity
from portal.registry.models import Person, PersonState

PLACE = "春风里社区议事厅（居委会二楼）"
PARKING, GARDEN = "小区停车位怎么划、怎么停", "小花园和健身场地先改哪里"
TO_COME = (
    ("介绍现在有多少车、多少位", 10, "周洁"),
    ("物业讲两个划线方案", 15, "物业张经理"),
    ("报名的居民发言", 30, ""),
    ("大家讨论，归纳意见", 25, "赵德明"),
)
MATTERS = ("晚上回来没有位子，能不能分时段", "消防通道要留出来，请划黄线", "老人看病接送的车临时停哪里")


@dataclass(frozen=True)
class Tale:
    """A meeting that was held: its agenda with what was said (title, minutes, who, said), its report, its motion."""

    title: str
    agenda: tuple[tuple[str, int, str, str], ...]
    report: str
    minutes: str
    motion: str
    hands: tuple[int, int, int]
    came: int
    mover: str = "3 号楼代表"
    seconder: str = "6 号楼代表"
    forum: Forum = Forum.COUNCIL


GARDEN_HELD = Tale(
    "小花园和健身场地议事会",
    (
        ("介绍两块场地和设计草图", 15, "周洁", "设计单位带了草图：小花园重铺路面、加扶手；健身场地换器械、铺软垫。"),
        ("报名的居民发言", 30, "", "多数老人希望先改小花园，路面裂了容易绊倒；带孩子的家庭希望健身场地铺软垫。"),
        ("讨论先后和花费", 30, "赵德明", "钱一次不够，先改一处。另一处排到明年，写进计划。"),
    ),
    "到会居民和楼门代表商量了小花园和健身场地先改哪里。\n大家都认为小花园的路面最急，先改小花园；健身场地明年改。\n"
    "“先改小花园、健身场地列入明年计划”举手通过，接下来提交居民会议表决。",
    "主持：居委会。\n一、设计单位介绍草图，回答了排水和照明的问题。\n二、八位居民发言，六位希望先改小花园。\n"
    "三、商定：先改小花园，健身场地列入明年计划；物业在施工前把积水的井盖修好。",
    "先改小花园，健身场地列入明年计划",
    (18, 2, 1),
    22,
)


def build_meetings(session: Session, community: Area, day: date) -> None:
    topics = {one.title: one for one in session.scalars(sa.select(Topic).where(Topic.area_id == community.id))}
    living = sa.select(Person).where(Person.community_id == community.id, Person.state == PersonState.PRESENT)
    grown = living.where(Person.birth_date < date(day.year - 30, 1, 1), Person.merged_into_id.is_(None))
    people = list(session.scalars(grown.order_by(Person.id).limit(40)))
    if PARKING in topics:
        _to_come(session, topics[PARKING], people, day)
        _experts(session, topics[PARKING], day)
    if GARDEN in topics:
        held(session, topics[GARDEN], people[5:], clock.at(day - timedelta(days=21), time(14)), GARDEN_HELD)
    session.flush()


def _meeting(topic: Topic, title: str, starts: datetime, agenda: Sequence[AgendaItem], **more: Any) -> Meeting:
    facts: dict[str, Any] = {"forum": Forum.COUNCIL, "place": PLACE, "who": "春风里社区的居民"}
    facts |= {"notice_days": 3, "secret": secrets.token_urlsafe(32), "made_by_name": "周洁"}
    made = Meeting(topic_id=topic.id, title=title, starts_at=starts, ends_at=starts + timedelta(minutes=90))
    for name, value in (facts | more).items():
        setattr(made, name, value)
    made.agenda = list(agenda)
    return made


def _noticed(session: Session, meeting: Meeting, at: datetime) -> None:
    facts = {
        "when": meeting_words.when(meeting),
        "where": meeting.place,
        "matters": [item.title for item in meeting.agenda],
        "entitled": meeting.who,
        "count": 0,
        "quorum": 0,
        "rule": meeting_words.rule_said({}),
        "contact": "居委会周洁 010-55550101",
    }
    title = f"关于召开{meeting.title}的通知"
    row = {"topic_id": meeting.topic_id, "meeting_id": meeting.id, "published_at": at, "published_by_name": "周洁"}
    session.add(Notice(title=title, facts=facts, **row))
    named = {"meeting": meeting.title, "starts": meeting.starts_at.isoformat()}
    told(session, meeting.topic_id, "meeting_notified", at, **named)


def told(session: Session, topic_id: int, deed: str, at: datetime, **facts: Any) -> None:
    """A line of the public log as it was written then."""
    session.add(TopicEntry(topic_id=topic_id, deed=deed, at=at, by_name="周洁", facts=facts))


def _to_come(session: Session, topic: Topic, people: list[Person], day: date) -> None:
    """Four days ahead: some seats are taken, two speak."""
    agenda = [
        AgendaItem(position=at, title=what, minutes=long, speaker=who) for at, (what, long, who) in _counted(TO_COME)
    ]
    told = clock.at(day - timedelta(days=2), time(9, 20))
    starts = clock.at(day + timedelta(days=4), time(14))
    seats: dict[str, Any] = {"capacity": Capacity(total=40, taken=11), "speaking": Capacity(total=6, taken=3)}
    seats["who"] = "春风里社区的居民和车主代表"
    state = {"state": MeetingState.NOTIFIED, "notified_at": told}
    meeting = _meeting(topic, "停车位划线议事会", starts, agenda, **seats, **state)
    session.add(meeting)
    session.flush()
    _noticed(session, meeting, told)
    for number, person in enumerate(people[:10]):
        speaks = number < len(MATTERS)
        one: dict[str, Any] = {
            "part": Part.SPEAKER if speaks else Part.LISTENER,
            "shown_as": ("family", "", "full")[number % 3],
        }
        one |= {"matter": MATTERS[number] if speaks else "", "signed_up_at": told + timedelta(hours=3 * number + 1)}
        session.add(Attendee(meeting_id=meeting.id, person_id=person.id, signed_up_by_name=person.name, **one))
    guest = {"guest": "张经理", "part": Part.MEMBER, "speaks_for": "春风里物业", "signed_up_by_name": "周洁"}
    session.add(Attendee(meeting_id=meeting.id, signed_up_at=told, **guest))


def _counted(lines: Sequence[Any]) -> Any:
    return enumerate(lines, start=1)


def held(session: Session, topic: Topic, people: Sequence[Person], starts: datetime, tale: Tale) -> None:
    """Minutes, a motion that was carried, who came as they chose; and what the public log says of it."""
    ends = starts + timedelta(minutes=84)
    agenda, at = [], starts
    for number, (what, long, who, said) in _counted(tale.agenda):
        item = AgendaItem(position=number, title=what, minutes=long, speaker=who, said=said, began_at=at)
        item.ended_at = at = at + timedelta(minutes=long + 2)
        agenda.append(item)
    came = people[: tale.came]
    seats = {"capacity": Capacity(total=40, taken=len(came)), "speaking": Capacity(total=8, taken=8)}
    state: dict[str, Any] = {"state": MeetingState.REPORTED, "began_at": starts, "forum": tale.forum}
    state |= {"notified_at": starts - timedelta(days=5), "closed_at": ends, "reported_at": ends + timedelta(days=1)}
    state |= {"report": tale.report, "minutes": tale.minutes}
    meeting = _meeting(topic, tale.title, starts, agenda, minutes_version=3, **seats, **state)
    session.add(meeting)
    session.flush()
    _noticed(session, meeting, starts - timedelta(days=5))
    told(session, topic.id, "meeting_opened", starts, meeting=tale.title)
    told(session, topic.id, "meeting_closed", ends, meeting=tale.title, came=len(came))
    told(session, topic.id, "meeting_reported", ends + timedelta(days=1), meeting=tale.title, came=len(came))
    session.add(MinutesVersion(meeting_id=meeting.id, version=3, text=tale.minutes, by_name="周洁", at=ends))
    yes, no, neither = tale.hands
    hands = {"hands_for": yes, "hands_against": no, "hands_abstain": neither, "present": len(came), "result": True}
    said_by = {"words": tale.motion, "mover": tale.mover, "seconder": tale.seconder}
    session.add(Motion(meeting_id=meeting.id, put_at=ends, counted_at=ends, **said_by, **hands))
    _came(session, meeting, came)


def _came(session: Session, meeting: Meeting, people: Sequence[Person]) -> None:
    for number, person in enumerate(people):
        one = {
            "came_at": meeting.starts_at - timedelta(minutes=number % 14),
            "came_by": SignIn.CODE if number % 2 else SignIn.LIST,
        }
        chosen = random.Random(number).choice(("family", "family", "full", ""))
        as_what = {"part": Part.MEMBER, "counts": True, "shown_as": chosen, "signed_up_by_name": person.name}
        one["signed_up_at"] = meeting.starts_at - timedelta(days=4, hours=number % 20)
        session.add(Attendee(meeting_id=meeting.id, person_id=person.id, **one, **as_what))


def _experts(session: Session, topic: Topic, day: date) -> None:
    asked = clock.at(day - timedelta(days=6), time(10))
    first = {
        "name": "陆文斌",
        "field": "城市交通",
        "organisation": "市交通规划设计院",
        "stake": "",
        "asked": "单行和分时段停车，哪个办法对消防和出行更好？",
        "advice": "建议东西两条路改成单行，消防通道一侧不划位。\n晚七点到早七点可以用门前商铺的位子，白天让出来。",
        "advised_at": asked + timedelta(days=2),
        "published_at": asked + timedelta(days=2),
    }
    second = {"name": "何工", "field": "消防安全", "organisation": "区消防救援站", "asked": "登高场地要留多宽？"}
    for one in (first, second):
        session.add(Expert(topic_id=topic.id, invited_at=asked, by_name="周洁", **one))
