"""Telling who follows a topic what becomes of it, in the transaction that made it true.

The words of an event stand in templates/deliberation/messages/<event>.txt; each gets `person`, `title` (the topic's),
`topic_id`, and the event's own facts.
"""

from typing import Any

import sqlalchemy as sa

from portal.core import outbox
from portal.core.db import db
from portal.deliberation.models.topics import Topic, TopicFollower
from portal.registry.models import Person, PersonState
from portal.registry.service import people


def tell_followers(topic: Topic, event: str, **facts: Any) -> int:
    """Tell everybody who follows a topic; how many. A follower whose record was merged is told once, as who she is."""
    query = sa.select(Person).join(TopicFollower, TopicFollower.person_id == Person.id)
    found = db.session.scalars(query.where(TopicFollower.topic_id == topic.id).order_by(Person.id))
    followers = {person.id: person for person in map(people.resolved, found)}
    told = [one for one in sorted(followers.values(), key=lambda one: one.id) if one.state is PersonState.PRESENT]
    for person in told:
        tell(person, event, topic, **facts)
    return len(told)


def tell(person: Person, event: str, topic: Topic, **facts: Any) -> None:
    """Tell one person of a topic."""
    about = {"person": person.name, "title": topic.title, "topic_id": topic.id}
    outbox.enqueue(f"deliberation.{event}", to=person.ref, **about | facts)
