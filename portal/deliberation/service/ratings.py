"""Rating (评议) what became of a topic: each resident once, to be changed; everybody reads how many said what."""

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit
from portal.core.clock import now
from portal.core.db import db, insert_once
from portal.core.errors import Refused
from portal.deliberation.models.codes import Score, Stage
from portal.deliberation.models.outcomes import TopicRating
from portal.deliberation.models.topics import Topic
from portal.registry.models import Person
from portal.registry.service import people

RATED = (Stage.FOLLOW_UP, Stage.ARCHIVED)


@dataclass(frozen=True)
class Rates:
    """How many said what; in the order of Score."""

    counts: dict[Score, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def satisfied(self) -> int:
        """Of a hundred, rounded down, who were at least mostly satisfied."""
        content = self.counts[Score.SATISFIED] + self.counts[Score.MOSTLY]
        return content * 100 // self.total if self.total else 0

    @property
    def rows(self) -> list[tuple[str, int]]:
        return [(score_said(score), count) for score, count in self.counts.items()]


def score_said(score: Score) -> str:
    return {Score.SATISFIED: _("满意"), Score.MOSTLY: _("基本满意"), Score.DISSATISFIED: _("不满意")}[score]


def of(topic: Topic) -> Rates:
    query = sa.select(TopicRating.score, sa.func.count()).where(TopicRating.topic_id == topic.id)
    found = {row[0]: row[1] for row in db.session.execute(query.group_by(TopicRating.score))}
    return Rates({score: found.get(score, 0) for score in Score})


def own(topic: Topic, person: Person | None) -> TopicRating | None:
    if person is None:
        return None
    hers = TopicRating.person_id.in_(people.ids_of(person))
    query = sa.select(TopicRating).where(TopicRating.topic_id == topic.id, hers)
    return db.session.scalar(query.order_by(TopicRating.id).limit(1))


def rate(topic: Topic, person: Person, score: Score, *, words: str) -> None:
    """Hers once; said again it replaces what she said."""
    if topic.stage not in RATED:
        raise Refused(_("等事情开始落实，再来评议。"))
    held = own(topic, person)
    if held is None:
        insert_once(TopicRating, {"topic_id": topic.id, "person_id": person.id, "score": score, "at": now()})
        held = own(topic, person)
    if held is not None:
        held.score, held.words, held.at = score, words.strip() or None, now()
    audit.record("deliberation.topic_rated", topic)


def said(topic: Topic, *, limit: int = 50) -> list[TopicRating]:
    """What was written with the ratings, for the committee, the latest first; without who wrote it."""
    query = sa.select(TopicRating).where(TopicRating.topic_id == topic.id, TopicRating.words.is_not(None))
    return list(db.session.scalars(query.order_by(TopicRating.at.desc(), TopicRating.id.desc()).limit(limit)))
