"""Ideas whose day of answer comes near: the committee is reminded, once; and what a cluster of requests becomes."""

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.core import audit, outbox, reasons
from portal.core.clock import now, today
from portal.core.db import db, insert_new, insert_once
from portal.core.errors import Missing
from portal.core.outbox import Recipient
from portal.deliberation.models.codes import Category, Forum, Stage
from portal.deliberation.models.topics import Idea, Topic, TopicFollower, topic_community
from portal.deliberation.service import ideas, proposing, public_log
from portal.identity import staff
from portal.identity.permissions import Permission
from portal.registry.models import Person

# So long before its day an idea is spoken of again.
BEFORE = timedelta(days=3)
RECURRED = reasons.declare("deliberation.recurred", label=lambda: _("反复发生的诉求"))


def due() -> list[int]:
    """The ideas to be answered soon of which nobody was reminded yet."""
    day = today()
    query = sa.select(Idea.id).where(
        Idea.state.in_(ideas.RUNNING), Idea.due_on <= day + BEFORE, Idea.reminded_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(Idea.id).limit(500)))


def remind(idea_id: int) -> None:
    idea = db.session.get_one(Idea, idea_id)
    if idea.state not in ideas.RUNNING or idea.reminded_at is not None or idea.due_on is None:
        return
    idea.reminded_at = now()
    audit.record("deliberation.idea_reminded", idea)
    proposing.tell_desk("idea_due", idea, due=idea.due_on.isoformat())


def on_matters_recur(
    *, matter: str, community: str, title: str, cases: Collection[str], people: Collection[Recipient], **_facts: object
) -> None:
    """Requests that came again and again become a draft of a topic, once; whoever reported them follows it."""
    try:
        area = areas.by_code(community)
    except Missing:
        return
    made = insert_new(
        Topic,
        {
            "area_id": area.id,
            "title": title[:80],
            "summary": _("这件事最近有 %(count)d 件居民诉求反映。", count=len(cases)),
            "category": Category.DIFFICULTY,
            "forum": Forum.COUNCIL,
            "stage": Stage.DRAFT,
            "matter": matter,
            "made_at": now(),
            "made_by": "system",
            "made_by_name": RECURRED,
        },
    )
    if made is None:
        return
    db.session.execute(sa.insert(topic_community).values(topic_id=made.id, community_id=area.id))
    refs = [ref.id for ref in people if ref.kind == "person"]
    found = sa.select(Person.id).where(Person.public_id.in_(refs))
    for person_id in db.session.scalars(found.order_by(Person.id)):
        insert_once(TopicFollower, {"topic_id": made.id, "person_id": person_id, "since": now()})
    public_log.log(made, "recurred", by_name="", count=len(cases))
    audit.record("deliberation.topic_recurred", made, matter=matter, count=len(cases))
    for account in staff.workers_on(Permission.DELIBERATION_KEEP, [area.code]):
        about = {"title": made.title, "topic_id": made.id, "count": len(cases)}
        outbox.enqueue("deliberation.topic_recurred", to=Recipient("account", account.public_id), **about)
