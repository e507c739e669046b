"""Following a topic: whoever does is told what becomes of it, until she asks not to be."""

import sqlalchemy as sa

from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, insert_once
from portal.deliberation.models.topics import Topic, TopicFollower
from portal.registry.models import Person
from portal.registry.service import people


def follow(topic: Topic, person: Person) -> bool:
    """Follow a topic, once however often it is asked; whether this began it."""
    if follows(topic, person):
        return False
    return insert_once(TopicFollower, {"topic_id": topic.id, "person_id": person.id, "since": now()})


def unfollow(topic: Topic, person: Person) -> None:
    gone = sa.delete(TopicFollower).where(
        TopicFollower.topic_id == topic.id, TopicFollower.person_id.in_(people.ids_of(person))
    )
    db.session.execute(gone, execution_options={"synchronize_session": False})


def follows(topic: Topic, person: Person | None) -> bool:
    if person is None:
        return False
    query = sa.select(TopicFollower.id).where(
        TopicFollower.topic_id == topic.id, TopicFollower.person_id.in_(people.ids_of(person))
    )
    return db.session.scalar(query.limit(1)) is not None


def follow_asked(topic: Topic, person: Person) -> None:
    """The same as an act of its own, with its audit row."""
    if follow(topic, person):
        audit.record("deliberation.topic_followed", topic)


def unfollow_asked(topic: Topic, person: Person) -> None:
    if follows(topic, person):
        unfollow(topic, person)
        audit.record("deliberation.topic_unfollowed", topic)


def count(topic: Topic) -> int:
    query = sa.select(sa.func.count()).select_from(TopicFollower).where(TopicFollower.topic_id == topic.id)
    return db.session.scalar(query) or 0
