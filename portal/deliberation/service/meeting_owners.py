"""Owners at a meeting: the heads and the area that stand behind who is there (Civil Code 278).

By the roll of the topic's own vote of owners where there is one, else by the register; co-owners are one head, and a
home counts once. A company, or an owner who lives elsewhere, counts by whoever comes for it. Who stands in neither is
one head without area.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Building, Dwelling, Estate
from portal.core import clock, search, tokens
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Refused
from portal.deliberation.models.codes import UNITS, Unit, VoteState
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollDwelling, RollEntry, RollPerson, Vote
from portal.deliberation.service import opinion_paper, reach, roll_owners, roll_units
from portal.deliberation.service.thresholds import Weight
from portal.registry.models import Person
from portal.registry.models.owners import Owner, Title
from portal.registry.service import owners

OWNERS = tuple(body for body, unit in UNITS.items() if unit is Unit.OWNER)


@dataclass(frozen=True)
class Came:
    """Somebody who is there: a person of the register or none, for herself or for an owner who is no person of it."""

    person_id: int | None
    owner_id: int | None


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


def present(meeting: Meeting, came: Collection[Came]) -> Weight:
    """What stands behind who is there; whoever is no owner, by the roll or the register, is a head without area."""
    vote = vote_of(meeting.topic)
    return _by_roll(vote, came) if vote else _by_register(meeting, came)


def named(meeting: Meeting, words: str, *, by: Actor) -> Owner:
    """The owner, no person of the register, whom a worker names whole or by a home; looked for narrowly."""
    tokens.throttle("deliberation.seek", by.public_id, limit=opinion_paper.AN_HOUR, per=timedelta(hours=1))
    said = "".join(search.normalise(words).split())
    found: dict[str, Owner] = {}
    rooms: dict[int, Owner] = {}
    for title in _titles_of_strangers(meeting):
        if "".join(search.normalise(title.owner.name).split()) == said:
            found.setdefault(roll_owners.key_of(title.owner, {}), title.owner)
        if "".join(search.normalise(title.dwelling.address()).split()).endswith(said):
            rooms.setdefault(title.dwelling_id, title.owner)
    # The owners of one home are one head, whoever of them is named.
    chosen = list((found or rooms).values())
    if not chosen:
        words = _("没有找到这位业主。请核对全名，或写房号，例如“东苑1号楼101”；登记的居民请按居民查找。")
        raise Refused(words, field="owner")
    if len(chosen) > 1:
        raise Refused(_("叫这个名字或这个房号的不止一位业主。请写全小区、楼号和房号。"), field="owner")
    return chosen[0]


def _titles_of_strangers(meeting: Meeting) -> list[Title]:
    """What companies and people from elsewhere own in the topic's communities on the day of the meeting."""
    query = (
        _titles(meeting.topic)
        .where(Owner.person_id.is_(None))
        .options(joinedload(Title.owner), joinedload(Title.dwelling).joinedload(Dwelling.building))
        .options(joinedload(Title.dwelling).joinedload(Dwelling.building).joinedload(Building.estate))
        .order_by(Title.id)
    )
    day = clock.local(meeting.starts_at).date()
    return [title for title in db.session.scalars(query) if title.holds_on(day)]


def _titles(topic: Topic) -> sa.Select[Title]:
    return (
        sa.select(Title)
        .join(Owner, Title.owner_id == Owner.id)
        .join(Dwelling, Title.dwelling_id == Dwelling.id)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(Estate.community_id.in_(reach.community_ids(topic)))
    )


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


def _by_roll(vote: Vote, came: Collection[Came]) -> Weight:
    """Whoever may cast an entry, and for owners who are no person the entries on which their homes stand."""
    ids = _with_merged({one.person_id for one in came if one.person_id is not None})
    entries: dict[int, set[int]] = {}
    query = sa.select(RollPerson.person_id, RollPerson.entry_id).where(
        RollPerson.vote_id == vote.id, RollPerson.person_id.in_(ids)
    )
    for person, entry in db.session.execute(query):
        entries.setdefault(ids[person], set()).add(entry)
    homes = _homes(vote.topic, came, clock.local(vote.roll_at or clock.now()).date())
    on_roll = sa.select(RollDwelling.dwelling_id, RollDwelling.entry_id).where(
        RollDwelling.vote_id == vote.id, RollDwelling.dwelling_id.in_(homes.areas)
    )
    by_home = {row[0]: row[1] for row in db.session.execute(on_roll)}
    brought = [
        entries.get(one.person_id or 0, set()) | {by_home[home] for home in homes.of_owner(one) if home in by_home}
        for one in came
    ]
    there: set[int] = set().union(*brought)
    return _sum(RollEntry.id.in_(there)) + Weight(brought.count(set()))


def _by_register(meeting: Meeting, came: Collection[Came]) -> Weight:
    """The homes of the topic's communities that they own on the day; the same owners of several are one head."""
    homes = _homes(meeting.topic, came, clock.local(meeting.starts_at).date())
    brought = [homes.of_person(one) | homes.of_owner(one) for one in came]
    there: set[int] = set().union(*brought)
    heads = {homes.heads[home] for home in there}
    area = sum((homes.areas[home] for home in there), Decimal(0))
    return Weight(len(heads), area) + Weight(brought.count(set()))


@dataclass(frozen=True)
class _Homes:
    """Homes with their areas and the keys of whoever owns each; the keys of people and owners who came."""

    areas: dict[int, Decimal]
    heads: dict[int, frozenset[str]]
    persons: roll_units.Known
    owners: dict[int, str]

    def of_person(self, one: Came) -> set[int]:
        return self._owned(f"p{self.persons[one.person_id][0]}") if one.person_id is not None else set()

    def of_owner(self, one: Came) -> set[int]:
        return self._owned(self.owners[one.owner_id]) if one.owner_id is not None else set()

    def _owned(self, key: str) -> set[int]:
        return {home for home, keys in self.heads.items() if key in keys}


def _homes(topic: Topic, came: Collection[Came], day: date) -> _Homes:
    """The homes in the topic's communities that those who came, or the owners they speak for, own on a day."""
    ids = {one.person_id for one in came if one.person_id is not None}
    spoken_for = list(db.session.scalars(sa.select(Owner).where(Owner.id.in_({one.owner_id for one in came}))))
    same = sa.or_(
        Owner.person_id.in_(_with_merged(ids | {one.person_id for one in spoken_for if one.person_id is not None})),
        Owner.id.in_([one.id for one in spoken_for]),
        Owner.id_index.in_([one.id_index for one in spoken_for if one.id_index]),
        Owner.organisation_id.in_([one.organisation_id for one in spoken_for if one.organisation_id]),
    )
    query = _titles(topic).with_only_columns(Dwelling.id, Dwelling.area_m2).where(same).order_by(Dwelling.id)
    areas = {number: area or Decimal(0) for number, area in db.session.execute(query)}
    titles = owners.titles_on(list(areas), day)
    everybody = [*spoken_for, *(one.owner for found in titles.values() for one in found)]
    persons = roll_units.standing_for(ids | {one.person_id for one in everybody if one.person_id is not None})
    heads = {home: frozenset(roll_owners.key_of(one.owner, persons) for one in found) for home, found in titles.items()}
    return _Homes(areas, heads, persons, {one.id: roll_owners.key_of(one, persons) for one in spoken_for})
