"""The list of topics with their maps of opinion, as the desk reads it."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.db import db
from portal.deliberation.models.codes import OpinionState, Stage
from portal.deliberation.models.opinions import Opinion, OpinionMap, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import reach

A_PAGE = 20


@dataclass(frozen=True)
class Row:
    """A topic, how many took a stand on how many statements, and its latest computation."""

    topic: Topic
    people: int
    opinions: int
    run: OpinionMap | None


def topics(within: Collection[Scope], *, page: int = 1) -> tuple[list[Row], bool]:
    """A page of the topics that a worker reads and residents too, the newest first; and whether there is more."""
    query = sa.select(Topic).where(reach.read_by(within), reach.public(), Topic.stage != Stage.WITHDRAWN)
    query = query.options(sa.orm.joinedload(Topic.area)).order_by(Topic.id.desc())
    found = list(db.session.scalars(query.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    ids = [topic.id for topic in found[:A_PAGE]]
    counts, runs = _counts(ids), _runs(ids)
    rows = [Row(topic, *counts.get(topic.id, (0, 0)), runs.get(topic.id)) for topic in found[:A_PAGE]]
    return rows, len(found) > A_PAGE


def _counts(ids: Collection[int]) -> dict[int, tuple[int, int]]:
    people, said = (sa.func.count(column.distinct()) for column in (OpinionVote.person_id, OpinionVote.opinion_id))
    query = sa.select(OpinionVote.topic_id, people, said).join(OpinionVote.opinion)
    query = query.where(OpinionVote.topic_id.in_(ids), Opinion.state == OpinionState.SHOWN)
    found = db.session.execute(query.group_by(OpinionVote.topic_id))
    return {topic: (int(who), int(what)) for topic, who, what in found}


def _runs(ids: Collection[int]) -> dict[int, OpinionMap]:
    last = sa.select(sa.func.max(OpinionMap.id)).where(OpinionMap.topic_id.in_(ids)).group_by(OpinionMap.topic_id)
    query = sa.select(OpinionMap).where(OpinionMap.id.in_(last)).order_by(OpinionMap.id)
    return {run.topic_id: run for run in db.session.scalars(query)}
