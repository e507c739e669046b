"""Topics as they are found: the list of residents and of a desk, one with all that its page shows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value

from portal.areas.models import Area, AreaKind
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing
from portal.deliberation.models.codes import Category, Stage
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.models.opinions import Comment, Opinion, OpinionVote
from portal.deliberation.models.outcomes import Objection, Outcome, TopicRating
from portal.deliberation.models.topics import (
    Idea,
    Topic,
    TopicFollower,
    TopicPaper,
    TopicParty,
    TopicStage,
    topic_community,
)
from portal.deliberation.models.votes import RollPerson, Vote
from portal.deliberation.service import reach
from portal.registry.models import Person
from portal.registry.service import people

A_PAGE = 20
# How residents look for topics: what is talked about, what is decided and done, what is over.
GROUPS: Mapping[str, tuple[Stage, ...]] = {
    "talking": (Stage.COLLECTING, Stage.MEETING, Stage.EXPERTS, Stage.HEARING),
    "voting": (Stage.VOTING,),
    "notice": (Stage.NOTICE,),
    "doing": (Stage.FOLLOW_UP,),
    "over": (Stage.ARCHIVED, Stage.WITHDRAWN),
}
RUNNING = tuple(stage for name, stages in GROUPS.items() if name != "over" for stage in stages)
# What is soonest over stands first.
_SOONEST = (sa.nulls_last(Topic.stage_until.asc()), Topic.id.desc())


@dataclass(frozen=True)
class Seeking:
    """What a reader of the list asks for; empty means anything."""

    group: str = ""
    category: Category | None = None
    community_id: int | None = None
    mine: Person | None = None
    words: str = ""


def listed(seeking: Seeking, *, page: int = 1) -> tuple[list[Topic], bool]:
    """A page of the public topics that suit, those that end soonest first; and whether there are more."""
    query = sa.select(Topic).where(reach.public(), *_conditions(seeking)).options(joinedload(Topic.area))
    if seeking.group:
        query = query.where(Topic.stage.in_(GROUPS[seeking.group]))
    return _page(query.order_by(*_order(seeking.group)), page)


def group_counts(seeking: Seeking) -> dict[str, int]:
    """How many public topics there are in each group, of what is sought otherwise."""
    query = sa.select(Topic.stage, sa.func.count(Topic.id)).where(reach.public(), *_conditions(seeking))
    held = {row[0]: row[1] for row in db.session.execute(query.group_by(Topic.stage))}
    return {name: sum(held.get(stage, 0) for stage in stages) for name, stages in GROUPS.items()}


def _order(group: str) -> tuple[Any, ...]:
    return (Topic.id.desc(),) if group == "over" else (sa.case((Topic.stage.in_(RUNNING), 0), else_=1), *_SOONEST)


def _conditions(seeking: Seeking) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if seeking.category is not None:
        found.append(Topic.category == seeking.category)
    if seeking.community_id is not None:
        there = sa.select(topic_community.c.topic_id).where(topic_community.c.community_id == seeking.community_id)
        found.append(Topic.id.in_(there))
    if seeking.words:
        found.append(Topic.title.contains(seeking.words, autoescape=True))
    if seeking.mine is not None:
        found.append(Topic.id.in_(part_of(seeking.mine)))
    return found


def part_of(person: Person) -> sa.CompoundSelect[Any]:
    """The ids of the topics that somebody follows, has taken part in, or may vote on."""
    ids = people.ids_of(person)
    return sa.union(
        sa.select(TopicFollower.topic_id).where(TopicFollower.person_id.in_(ids)),
        sa.select(Opinion.topic_id).where(Opinion.person_id.in_(ids)),
        sa.select(OpinionVote.topic_id).where(OpinionVote.person_id.in_(ids)),
        sa.select(Comment.topic_id).where(Comment.person_id.in_(ids)),
        sa.select(Idea.topic_id).where(Idea.person_id.in_(ids), Idea.topic_id.is_not(None)),
        sa.select(Meeting.topic_id)
        .join(Attendee, Attendee.meeting_id == Meeting.id)
        .where(Attendee.person_id.in_(ids)),
        sa.select(Vote.topic_id).join(RollPerson, RollPerson.vote_id == Vote.id).where(RollPerson.person_id.in_(ids)),
        sa.select(Outcome.topic_id)
        .join(Objection, Objection.outcome_id == Outcome.id)
        .where(Objection.person_id.in_(ids)),
        sa.select(TopicRating.topic_id).where(TopicRating.person_id.in_(ids)),
    )


def at_desk(within: Collection[Scope], *, group: str = "", words: str = "", page: int = 1) -> tuple[list[Topic], bool]:
    """A page of the topics that a worker reads: what is running by its last day, drafts first."""
    query = sa.select(Topic).where(reach.read_by(within)).options(joinedload(Topic.area))
    if group:
        query = query.where(Topic.stage.in_(_desk_stages(group)))
    if words:
        query = query.where(Topic.title.contains(words, autoescape=True))
    first = sa.case((Topic.stage == Stage.DRAFT, 0), (Topic.stage.in_(RUNNING), 1), else_=2)
    return _page(query.order_by(first, *_SOONEST), page)


def desk_counts(within: Collection[Scope]) -> dict[str, int]:
    query = sa.select(Topic.stage, sa.func.count(Topic.id)).where(reach.read_by(within)).group_by(Topic.stage)
    held = {row[0]: row[1] for row in db.session.execute(query)}
    return {name: sum(held.get(stage, 0) for stage in _desk_stages(name)) for name in ("draft", *GROUPS)}


def _desk_stages(group: str) -> tuple[Stage, ...]:
    return (Stage.DRAFT,) if group == "draft" else GROUPS[group]


def _page(query: sa.Select[Topic], page: int) -> tuple[list[Topic], bool]:
    found = list(db.session.scalars(query.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def fill(topic: Topic) -> Topic:
    """What the page of a topic shows beside its own row: the road and the parties, in two questions."""
    stages = sa.select(TopicStage).where(TopicStage.topic_id == topic.id).order_by(TopicStage.id)
    parties = sa.select(TopicParty).where(TopicParty.topic_id == topic.id).order_by(TopicParty.id)
    set_committed_value(topic, "stages", list(db.session.scalars(stages)))
    set_committed_value(topic, "parties", list(db.session.scalars(parties)))
    return topic


def papers(topic: Topic, *, withdrawn: bool = False) -> list[TopicPaper]:
    """The papers of a topic in the order they came."""
    query = sa.select(TopicPaper).where(TopicPaper.topic_id == topic.id)
    if not withdrawn:
        query = query.where(TopicPaper.withdrawn_at.is_(None))
    return list(db.session.scalars(query.order_by(TopicPaper.id)))


def paper(topic: Topic, public_id: str) -> TopicPaper:
    """One that stands, with its content."""
    query = sa.select(TopicPaper).where(
        TopicPaper.topic_id == topic.id, TopicPaper.public_id == public_id, TopicPaper.withdrawn_at.is_(None)
    )
    found = db.session.scalar(query.options(sa.orm.undefer(TopicPaper.content)))
    if found is None:
        raise Missing
    return found


def communities() -> list[Area]:
    """Every community, for a filter."""
    return list(db.session.scalars(sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)))


def communities_of(area: Area) -> list[Area]:
    """The communities that topics of an area may concern: itself, or those of the street."""
    if area.kind is AreaKind.COMMUNITY:
        return [area]
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY, Area.parent_id == area.id)
    return list(db.session.scalars(query.order_by(Area.code)))
