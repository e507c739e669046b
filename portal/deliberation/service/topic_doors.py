"""What the doors hand over of topics."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, today
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.topics import Topic, TopicFollower
from portal.deliberation.service import reach, topics
from portal.deliberation.service.taking_part import Step
from portal.deliberation.service.topic_words import stage_said
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

PAGE = "deliberation.worker.topic_list"


def todo_of(worker: Actor) -> list[Todo]:
    """Topics whose stage has run out, and drafts, where the worker keeps them."""
    scopes = scopes_of(worker, Permission.DELIBERATION_KEEP)
    if not scopes:
        return []
    late = sa.func.count(sa.case((sa.and_(Topic.stage_until < today(), Topic.stage.in_(topics.RUNNING)), 1)))
    drafts = sa.func.count(sa.case((Topic.stage == Stage.DRAFT, 1)))
    over, waiting = db.session.execute(sa.select(late, drafts).where(reach.kept_by(scopes))).one()
    found = [Todo(_("议题这一步到期，该往下走"), PAGE, {"group": "talking"}, count=over, late=True)] if over else []
    return found + ([Todo(_("议题草稿还没有发布"), PAGE, {"group": "draft"}, count=waiting)] if waiting else [])


def _of(person: Person) -> sa.Select[TopicFollower]:
    query = sa.select(TopicFollower).where(TopicFollower.person_id.in_(people.ids_of(person)))
    return query.options(joinedload(TopicFollower.topic))


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """Which topics somebody began to follow, the newest first."""
    query = _of(person).order_by(TopicFollower.since.desc(), TopicFollower.id.desc()).limit(limit)
    return [_line(one) for one in db.session.scalars(query)]


def _line(one: TopicFollower) -> Line:
    return Line(one.since, _("关注议题：%(title)s", title=one.topic.title), stage_said(one.topic.stage))


def export(person: Person) -> list[dict[str, Any]]:
    return [_exported(one) for one in db.session.scalars(_of(person).order_by(TopicFollower.id))]


def _exported(one: TopicFollower) -> dict[str, Any]:
    return {
        _("关注的议题"): one.topic.title,
        _("走到哪一步"): stage_said(one.topic.stage),
        _("关注的时间"): f"{clock.local(one.since):%Y-%m-%d %H:%M}",
    }


def purge(before: date) -> int:
    """Forget who followed topics that ended before a day. The topics and their log stay: they are the record."""
    moment = day_bounds(before)[0]
    old = sa.select(Topic.id).where(Topic.archived_at < moment)
    gone = sa.delete(TopicFollower).where(TopicFollower.topic_id.in_(old))
    done = db.session.execute(gone, execution_options={"synchronize_session": False})
    return int(getattr(done, "rowcount", 0))


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """What a resident, or a reader without an account, finds of this on the topic's page."""
    return []


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """What the committee finds of this on the topic's page at the desk: a stage that has run out."""
    if topic.stage is not Stage.COLLECTING or topic.stage_until is None or topic.stage_until >= today():
        return []
    words = _("民意征集到期了，看看大家怎么说，再定开会的时间。")
    values = {"topic_id": topic.id, "to": Stage.MEETING.value}
    return [Step(_("进入协商会议"), words, "deliberation.worker.topic_move", values, now=True)]
