"""What the committee answers to an idea: taken as a topic, merged into another, declined; always with words, told."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, insert_once
from portal.core.errors import Refused
from portal.deliberation.models.codes import IDEA_MOVES, Forum, IdeaState, Stage
from portal.deliberation.models.topics import Idea, IdeaSupport, Topic, TopicFollower
from portal.deliberation.service import ideas, proposing, public_log, reach
from portal.registry.service import people

S = IdeaState
ANSWERABLE = tuple(state for state in IDEA_MOVES if S.DECLINED in IDEA_MOVES[state])
# A topic that has not got further may still take in what a neighbour proposed.
JOINABLE = (Stage.DRAFT, Stage.COLLECTING, Stage.MEETING)


@dataclass(frozen=True)
class Taken:
    """The topic an idea became, and how many were told."""

    topic: Topic
    told: int


def joinable(idea: Idea, within: tuple[Scope, ...]) -> list[Topic]:
    """The topics a worker keeps that an idea of this community may join; the newest first."""
    query = sa.select(Topic).where(reach.kept_by(within), Topic.stage.in_(JOINABLE))
    query = query.where(Topic.communities.any(id=idea.community_id))
    return list(db.session.scalars(query.order_by(Topic.id.desc()).limit(50)))


def mergeable(idea: Idea) -> list[Idea]:
    """Other open ideas of the community; those that say nearly the same come first."""
    near = [
        one.idea.id for one in ideas.alike(idea.community_id, f"{idea.title} {idea.words}", but=idea.id) if one.idea
    ]
    query = sa.select(Idea).where(
        Idea.community_id == idea.community_id, Idea.id != idea.id, Idea.state.in_(ideas.RUNNING)
    )
    found = list(db.session.scalars(query.order_by(Idea.supports.desc(), Idea.id.desc()).limit(100)))
    return sorted(found, key=lambda one: near.index(one.id) if one.id in near else len(near))


def take(idea: Idea, *, answer: str, by: Actor, topic: Topic | None = None) -> Taken:
    """The idea becomes a topic (a draft of it), or joins one; its writer and supporters follow it from then on."""
    _answered(idea, S.TAKEN, answer, by)
    made = topic or draft(idea, by)
    idea.topic_id = made.id
    db.session.flush()
    backers = [people.resolved(idea.person), *proposing.supporters(idea)]
    for person in dict.fromkeys(backers):
        insert_once(TopicFollower, {"topic_id": made.id, "person_id": person.id, "since": now()})
    public_log.log(made, "idea_taken", by_name=by.name, why=answer, idea=idea.title, supports=idea.supports)
    audit.record("deliberation.idea_taken", idea, topic=made.id, count=idea.supports)
    return Taken(made, _tell(idea, "idea_taken", answer))


def draft(idea: Idea, by: Actor) -> Topic:
    """A draft topic that says what the idea says."""
    made = Topic(
        area_id=idea.community_id,
        title=idea.title,
        summary=idea.words,
        category=idea.category,
        forum=Forum.COUNCIL,
        place=idea.place,
        made_by=by.public_id,
        made_by_name=by.name,
    )
    made.communities = [idea.community]
    db.session.add(made)
    db.session.flush()
    audit.record("deliberation.topic_created", made)
    return made


def merge(idea: Idea, into_id: int, *, answer: str, by: Actor) -> Idea:
    """Two say the same: the supporters of one, and who wrote it, count for the other from now on."""
    into = next((one for one in mergeable(idea) if one.id == into_id), None)
    if into is None:
        raise Refused(_("请选一条还在附议的建议。"), field="into")
    _answered(idea, S.MERGED, answer, by)
    idea.merged_into_id = into.id
    held = {*proposing.supporters(into), people.resolved(into.person)}
    backers = dict.fromkeys([people.resolved(idea.person), *proposing.supporters(idea)])
    joining = [person for person in backers if person not in held]
    count = sum(
        insert_once(IdeaSupport, {"idea_id": into.id, "person_id": person.id, "at": now()}) for person in joining
    )
    if count:
        proposing.count_in(into, count)
    audit.record("deliberation.idea_merged", idea, into=into.id, count=count)
    _tell(idea, "idea_merged", answer, other=into.title)
    return into


def decline(idea: Idea, *, answer: str, by: Actor, hide: bool = False) -> None:
    """No topic, and why. What is unfit to be shown is read by nobody else any more."""
    unseen = idea.state is S.PENDING
    _answered(idea, S.DECLINED, answer, by)
    idea.is_hidden = hide or unseen
    audit.record("deliberation.idea_declined", idea, reason=answer, hidden=idea.is_hidden)
    _tell(idea, "idea_declined", answer)


def _answered(idea: Idea, to: IdeaState, answer: str, by: Actor) -> None:
    said = answer.strip()
    if not said:
        raise Refused(_("请写答复，提建议的人和附议的人都会看到。"), field="answer")
    proposing.move(idea, to, from_=ANSWERABLE, answer=said, answered_at=now(), answered_by_name=by.name)


def _tell(idea: Idea, event: str, answer: str, **facts: object) -> int:
    """Its writer, and everybody who supported it, get the answer."""
    told = list(dict.fromkeys([people.resolved(idea.person), *proposing.supporters(idea)]))
    for person in told:
        proposing.tell(person, event, idea, words=answer, **facts)
    return len(told)
