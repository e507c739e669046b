"""Stands as the tests of the map make them: a row of signs for each person, mapped in this process where told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from portal.core.clock import now
from portal.core.db import db, insert, transaction
from portal.deliberation.mapping.__main__ import mapped
from portal.deliberation.mapping.question import AGREE, DISAGREE, PASS
from portal.deliberation.models.codes import OpinionState, Stand
from portal.deliberation.models.opinions import Opinion, OpinionMap, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import mapping_child, maps
from portal.registry.models import Person
from tests.make import Make

STANDS = {AGREE: Stand.AGREE, DISAGREE: Stand.DISAGREE, PASS: Stand.PASS}
# Two groups that contradict each other on the first four of eight statements, and agree on the rest.
TWO = ("++--++++",) * 8 + ("--++++++",) * 6


def opinions(make: Make, topic: Topic, count: int) -> list[Opinion]:
    words = [f"第 {number} 条看法" for number in range(1, count + 1)]
    return [make.add(Opinion(topic_id=topic.id, words=said, state=OpinionState.SHOWN)) for said in words]


def stands(make: Make, topic: Topic, rows: Sequence[str], *, at: datetime | None = None) -> list[Person]:
    """People of the topic's first community who took these stands: on its statements, or on new ones."""
    said = list(db.session.scalars(select(Opinion).where(Opinion.topic_id == topic.id).order_by(Opinion.id)))
    said = said or opinions(make, topic, len(rows[0]))
    people = [make.person(f"居民{make.number()}", community=topic.communities[0]) for _row in rows]
    made = [
        {
            "topic_id": topic.id,
            "opinion_id": opinion.id,
            "person_id": person.id,
            "stand": STANDS[sign],
            "at": at or now(),
        }
        for person, row in zip(people, rows, strict=True)
        for opinion, sign in zip(said, row, strict=True)
        if sign in STANDS
    ]
    with transaction():
        insert(OpinionVote, *made)
    return people


def drawn(topic: Topic, **more: Any) -> OpinionMap:
    """A map of a topic, computed at once: jobs run so in tests."""
    topic_id = topic.id
    with transaction():
        run_id = maps.start(db.session.get_one(Topic, topic_id), by=more.get("by")).id
    db.session.expire_all()
    return db.session.get_one(OpinionMap, run_id)


def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process of its own: starting one takes seconds."""
    monkeypatch.setattr(
        mapping_child, "mapped", lambda question, goes_on: goes_on({"step": "groups"}) and mapped(question)
    )
