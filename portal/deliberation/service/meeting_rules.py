"""What a body's rule asks of a meeting: how early it is announced, how many are entitled, how many must be there."""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Settlement
from portal.core import clock, settings
from portal.core.db import db
from portal.deliberation.models.bodies import Delegate
from portal.deliberation.models.codes import UNITS, Body, Forum, Unit
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import meeting_words, reach, rules
from portal.deliberation.service.thresholds import Share, threshold_of
from portal.registry.models import Household, Person, PersonState
from portal.registry.service import people

NOTICE = "deliberation.meeting_notice_days"
settings.declare(
    NOTICE,
    default=3,
    label=lambda: _("不作法定表决的协商会至少提前几天通知"),
    unit=lambda: _("天"),
    least=0,
    most=30,
)
# More than half of who is there, where no body's rule says otherwise.
HANDS = Share(Fraction(1, 2), over=True)
TOWN = (
    Body.RESIDENTS_PERSONS,
    Body.RESIDENTS_HOUSEHOLDS,
    Body.RESIDENTS_GROUPS,
    Body.RESIDENT_DELEGATES,
    Body.COMMITTEE,
)
VILLAGE = (
    Body.VILLAGERS_PERSONS,
    Body.VILLAGERS_HOUSEHOLDS,
    Body.VILLAGE_DELEGATES,
    Body.VILLAGE_GROUP_PERSONS,
    Body.VILLAGE_GROUP_HOUSEHOLDS,
    Body.COMMITTEE,
)
OWNERS = (Body.OWNERS_ORDINARY, Body.OWNERS_SPECIAL)


def bodies_of(topic: Topic) -> list[tuple[str, str]]:
    """As which body a meeting of a topic may meet, none first."""
    village = any(one.settlement is Settlement.VILLAGE for one in topic.communities)
    known = (VILLAGE if village else TOWN) + OWNERS
    return [("", _("只商量，不作法定表决")), *((one.value, meeting_words.body_said(one)) for one in known)]


def body_by_itself(topic: Topic, forum: Forum) -> str:
    """The body that a forum means, "" for those that only talk."""
    village = any(one.settlement is Settlement.VILLAGE for one in topic.communities)
    if forum is Forum.RESIDENTS:
        return (Body.VILLAGERS_PERSONS if village else Body.RESIDENTS_PERSONS).value
    if forum is Forum.DELEGATES:
        return (Body.VILLAGE_DELEGATES if village else Body.RESIDENT_DELEGATES).value
    return ""


def rule_of(topic: Topic, body: str, day: date) -> dict[str, Any]:
    """The rule of a body on the day of a meeting, as it is written onto the meeting; {} where no body decides."""
    return rules.snapshot(rules.rule_for(Body(body), topic.area, day)) if body else {}


def notice_days(rule: Mapping[str, Any], day: date) -> int:
    return int(rule["notice_days"]) if rule else settings.get(NOTICE, day)


def earliest(days: int, announced: date) -> date:
    """The first day on which a meeting announced on a day may be: the day of announcing is not counted."""
    return announced + timedelta(days=days)


def quorum_of(rule: Mapping[str, Any], entitled: int) -> int:
    """How many must be there; of owners how many heads, their area is held by meeting_attendance.standing."""
    if not rule or not entitled:
        return 0
    return threshold_of(rule).quorum.least(entitled)


def passes_of(meeting: Meeting) -> Share:
    """What a motion needs of those who are there."""
    return threshold_of(meeting.rule).passes if meeting.rule else HANDS


def body_of(meeting: Meeting) -> Body | None:
    return Body(meeting.rule["body"]) if meeting.rule else None


def entitled_by_register(topic: Topic, body: str, day: date) -> int:
    """How many the register would count; 0 where it cannot know. A suggestion: what is entered decides."""
    if not body or Body(body) in OWNERS:
        return 0
    unit, places = UNITS[Body(body)], reach.community_ids(topic)
    if unit is Unit.DELEGATE:
        return len(delegates(topic, Body(body), day))
    if unit is Unit.HOUSEHOLD:
        lives = Household.closed_on.is_(None)
        query = sa.select(sa.func.count(Household.id)).where(Household.community_id.in_(places), lives)
    else:
        born = day.replace(year=day.year - 18) if (day.month, day.day) != (2, 29) else date(day.year - 18, 2, 28)
        query = sa.select(sa.func.count(Person.id)).where(
            Person.community_id.in_(places),
            Person.state == PersonState.PRESENT,
            Person.merged_into_id.is_(None),
            Person.birth_date <= born,
        )
    return db.session.scalar(query) or 0


def delegates(topic: Topic, body: Body, day: date) -> list[Person]:
    """Who sits in a body of delegates on a day, each once."""
    query = (
        sa.select(Person)
        .join(Delegate, Delegate.person_id == Person.id)
        .where(
            Delegate.community_id.in_(reach.community_ids(topic)),
            Delegate.body == body,
            Delegate.since <= day,
            sa.or_(Delegate.until.is_(None), Delegate.until >= day),
        )
        .order_by(Delegate.id)
    )
    found = {person.id: person for person in map(people.resolved, db.session.scalars(query))}
    return [one for one in found.values() if one.state is PersonState.PRESENT]


def counts_by_itself(meeting: Meeting, person: Person) -> bool:
    """Whether whoever comes counts towards the quorum: in a meeting of all adults, each of them."""
    body = body_of(meeting)
    if body is None or UNITS[body] is not Unit.PERSON or person.birth_date is None:
        return False
    day = clock.local(meeting.starts_at).date()
    return clock.full_years(person.birth_date, day) >= int(meeting.rule["least_age"])


def passed(meeting: Meeting, yes: int, here: int) -> bool:
    """Whether so many hands of so many who are there carry a motion."""
    return passes_of(meeting).met(Fraction(yes), Fraction(here))
