"""Owners at a meeting: the heads and the area that stand behind who is there (Civil Code 278).

By the roll of the topic's own vote of owners where there is one, else by the register; co-owners are one head, and a
home counts once. Who stands in neither is one head without area.
"""

from collections.abc import Collection
from decimal import Decimal

import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core import clock
from portal.core.db import db
from portal.deliberation.models.codes import UNITS, Unit, VoteState
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollEntry, RollPerson, Vote
from portal.deliberation.service import reach, roll_owners, roll_units
from portal.deliberation.service.thresholds import Weight
from portal.registry.models import Person
from portal.registry.models.owners import Owner, Title
from portal.registry.service import owners

OWNERS = tuple(body for body, unit in UNITS.items() if unit is Unit.OWNER)


def vote_of(topic: Topic) -> Vote | None:
    """The topic's newest vote of owners that has a roll."""
    query = sa.select(Vote).where(Vote.topic_id == topic.id, Vote.body.in_(OWNERS), Vote.state != VoteState.CANCELLED)
    listed = sa.select(RollEntry.id).where(RollEntry.vote_id == Vote.id).exists()
    return db.session.scalar(query.where(listed).order_by(Vote.id.desc()).limit(1))


def entitled(topic: Topic) -> Weight:
    """All heads and their area by that roll; nothing where there is none: then it is entered by hand."""
    vote = vote_of(topic)
    return _sum(RollEntry.vote_id == vote.id) if vote else Weight()


def _sum(condition: sa.ColumnElement[bool]) -> Weight:
    query = sa.select(sa.func.count(RollEntry.id), sa.func.sum(RollEntry.area_m2))
    heads, area = db.session.execute(query.where(condition, RollEntry.struck_at.is_(None))).one()
    return Weight(heads, Decimal(area or 0))


def present(meeting: Meeting, person_ids: Collection[int], unknown: int) -> Weight:
    """What stands behind who is there; `unknown` are those whom the register does not have."""
    ids = _with_merged(person_ids)
    vote = vote_of(meeting.topic)
    found, known = _by_roll(vote, ids) if vote else _by_register(meeting, ids)
    strangers = len(set(person_ids) - known) + unknown
    return found + Weight(strangers)


def _with_merged(person_ids: Collection[int]) -> dict[int, int]:
    """Every record of some people, with the one under which she stands on the list."""
    found = {one: one for one in person_ids}
    query = sa.select(Person.id, Person.merged_into_id).where(
        sa.or_(Person.id.in_(person_ids), Person.merged_into_id.in_(person_ids))
    )
    for own, into in db.session.execute(query.order_by(Person.id)):
        if own in person_ids and into is not None:
            found.setdefault(into, own)
        elif into is not None:
            found.setdefault(own, into)
    return found


def _by_roll(vote: Vote, ids: dict[int, int]) -> tuple[Weight, set[int]]:
    query = sa.select(RollPerson.person_id, RollPerson.entry_id).where(
        RollPerson.vote_id == vote.id, RollPerson.person_id.in_(ids)
    )
    rows = list(db.session.execute(query.order_by(RollPerson.id)))
    return _sum(RollEntry.id.in_({entry for _person, entry in rows})), {ids[person] for person, _entry in rows}


def _by_register(meeting: Meeting, ids: dict[int, int]) -> tuple[Weight, set[int]]:
    """The homes of the topic's communities that they own on the day; the same owners of several are one head."""
    day = clock.local(meeting.starts_at).date()
    query = (
        sa.select(Dwelling.id, Dwelling.area_m2)
        .join(Title, Title.dwelling_id == Dwelling.id)
        .join(Owner, Title.owner_id == Owner.id)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(Owner.person_id.in_(ids), Estate.community_id.in_(reach.community_ids(meeting.topic)))
        .order_by(Dwelling.id)
    )
    areas = {number: area or Decimal(0) for number, area in db.session.execute(query)}
    titles_of = owners.titles_on(list(areas), day)
    held = {one.owner.person_id for titles in titles_of.values() for one in titles}
    persons = roll_units.standing_for({one for one in held if one is not None})
    heads: set[frozenset[str]] = set()
    known: set[int] = set()
    total = Decimal(0)
    for number, titles in titles_of.items():
        here = {ids[one.owner.person_id] for one in titles if one.owner.person_id in ids}
        if here:
            known |= here
            heads.add(frozenset(roll_owners.key_of(one.owner, persons) for one in titles))
            total += areas[number]
    return Weight(len(heads), total), known
