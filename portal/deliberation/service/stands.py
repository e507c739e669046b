"""Stands: where one person stands on one statement, agree, disagree or neither; changed as long as it is asked."""

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, tokens
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db, insert_once
from portal.core.errors import Refused
from portal.deliberation.models.codes import OpinionState, Stand
from portal.deliberation.models.opinions import Opinion, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import opinions
from portal.registry.models import Person
from portal.registry.service import people

A_MINUTE = 60
# A second tap that was meant for the statement before.
A_BREATH = timedelta(milliseconds=600)


def slow_down(by: Actor) -> None:
    """Hold whoever answers faster than anybody reads; asked first, because it ends what was read."""
    tokens.throttle("deliberation.stand", by.public_id, limit=A_MINUTE, per=timedelta(minutes=1))


def take(topic: Topic, opinion: Opinion, person: Person, stand: Stand) -> None:
    """Take a stand or change it: one for each person and statement, held by the database."""
    opinions.refuse_closed(topic, today())
    first = not opinions.stood_on(topic, person)
    put(opinion, person, stand)
    if first:
        # That she takes part, once; on which statement and how is in nobody's record but hers.
        audit.record("deliberation.stands_begun", topic)


def put(opinion: Opinion, person: Person, stand: Stand, *, on_paper: bool = False) -> bool:
    """Write a stand. What is read off paper never changes what she said herself; answers whether it was written."""
    # Read first: of a change that begins with a WITH, SQLite does not say how many rows it met.
    ids = list(db.session.scalars(people.ids_of(person)))
    mine = (OpinionVote.opinion_id == opinion.id, OpinionVote.person_id.in_(ids))
    facts = {"stand": stand, "at": now(), "on_paper": on_paper}
    spoken = [OpinionVote.on_paper.is_(True)] if on_paper else []
    if _changed(sa.update(OpinionVote).where(*mine, *spoken).values(**facts)):
        return True
    if on_paper and db.session.scalar(sa.select(OpinionVote.id).where(*mine).limit(1)) is not None:
        return False
    made = {"topic_id": opinion.topic_id, "opinion_id": opinion.id, "person_id": person.id, **facts}
    if insert_once(OpinionVote, made):
        return True
    return _changed(sa.update(OpinionVote).where(*mine, *spoken).values(**facts))


def _changed(statement: sa.Update) -> bool:
    """Whether anything was: of somebody whose records were merged it may be two rows."""
    db.session.flush()
    return db.session.connection().execute(statement).rowcount > 0


def stands_of(topic: Topic, person: Person) -> list[tuple[Opinion, Stand]]:
    """On what somebody has taken a stand in a topic, and which; the latest first."""
    query = (
        sa.select(Opinion, OpinionVote.stand)
        .join(OpinionVote, OpinionVote.opinion_id == Opinion.id)
        .where(
            OpinionVote.topic_id == topic.id,
            OpinionVote.person_id.in_(people.ids_of(person)),
            Opinion.state == OpinionState.SHOWN,
        )
        .order_by(OpinionVote.at.desc(), OpinionVote.id.desc())
    )
    return [(opinion, stand) for opinion, stand in db.session.execute(query)]


def refuse_haste(topic: Topic, person: Person) -> None:
    """Where one statement follows another under the same buttons, a double tap is not a stand on the second."""
    query = sa.select(sa.func.max(OpinionVote.at)).where(
        OpinionVote.topic_id == topic.id, OpinionVote.person_id.in_(people.ids_of(person))
    )
    latest = db.session.scalar(query)
    if latest is not None and now() - latest < A_BREATH:
        raise Refused(_("点得太快了。这是下一条，请先看一看再选。"))
