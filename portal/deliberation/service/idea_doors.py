"""What the doors hand over of ideas."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import IdeaState
from portal.deliberation.models.topics import Idea, IdeaSupport, Topic
from portal.deliberation.service import idea_words, ideas, topic_words
from portal.deliberation.service.taking_part import Step
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

PAGE, DESK_PAGE = "deliberation.resident.idea_page", "deliberation.worker.idea_desk_page"
LIST = "deliberation.worker.idea_desk_list"


def todo_of(worker: Actor) -> list[Todo]:
    """Ideas to be looked at before they are shown, and ideas to be answered: those of the worker's own community."""
    within = scopes_of(worker, Permission.DELIBERATION_KEEP)
    if not within:
        return []
    counts = ideas.counted(within, own=True)
    found = [
        Todo(_("要答复的居民建议"), LIST, count=counts["due"], late=counts["late"] > 0),
        Todo(_("待看的居民建议"), LIST, {"tab": "pending"}, count=counts["pending"]),
    ]
    return [one for one in found if one.count]


def _of(person: Person, limit: int | None = None) -> list[Idea]:
    query = sa.select(Idea).where(Idea.person_id.in_(people.ids_of(person)))
    return list(db.session.scalars(query.order_by(Idea.made_at.desc(), Idea.id.desc()).limit(limit)))


def _backed(person: Person, limit: int | None = None) -> list[IdeaSupport]:
    query = sa.select(IdeaSupport).where(IdeaSupport.person_id.in_(people.ids_of(person)))
    query = query.options(joinedload(IdeaSupport.idea)).order_by(IdeaSupport.at.desc(), IdeaSupport.id.desc())
    return list(db.session.scalars(query.limit(limit)))


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """What she proposed, and what she supported."""
    lines = [_line(idea.made_at, _("提了建议：%(title)s", title=idea.title), idea) for idea in _of(person, limit)]
    return lines + [
        _line(one.at, _("附议：%(title)s", title=one.idea.title), one.idea) for one in _backed(person, limit)
    ]


def _line(at: datetime, title: str, idea: Idea) -> Line:
    return Line(at, title, idea_words.state_said(idea.state))


def export(person: Person) -> list[dict[str, Any]]:
    """Her ideas with their answers, and what she supported."""
    return [_out(idea) for idea in _of(person)] + [
        {_("附议"): one.idea.title, _("时间"): _minute(one.at)} for one in _backed(person)
    ]


def _out(idea: Idea) -> dict[str, Any]:
    return {
        _("居民建议"): idea.title,
        _("内容"): idea.words,
        _("在哪里"): idea.place,
        _("类别"): topic_words.category_said(idea.category),
        _("附议人数"): idea.supports,
        _("状态"): idea_words.state_said(idea.state),
        _("时间"): _minute(idea.made_at),
        _("答复"): idea.answer,
        _("答复人"): idea.answered_by_name,
        _("答复时间"): _minute(idea.answered_at),
    }


def _minute(moment: datetime | None) -> str:
    return f"{clock.local(moment):%Y-%m-%d %H:%M}" if moment else ""


def purge(before: date) -> int:
    """Forget what was answered, or taken back, before a day and led to no topic and no other idea."""
    kept = sa.select(Idea.merged_into_id).where(Idea.merged_into_id.is_not(None))
    over = (IdeaState.DECLINED, IdeaState.MERGED, IdeaState.WITHDRAWN)
    gone = sa.and_(
        Idea.state.in_(over),
        Idea.answered_at < clock.at(before, time(0)),
        Idea.topic_id.is_(None),
        Idea.id.not_in(kept),
    )
    ids = list(db.session.scalars(sa.select(Idea.id).where(gone)))
    if ids:
        db.session.execute(sa.delete(IdeaSupport).where(IdeaSupport.idea_id.in_(ids)))
        db.session.execute(sa.delete(Idea).where(Idea.id.in_(ids)))
    return len(ids)


def _ideas_of(topic: Topic) -> list[Idea]:
    query = sa.select(Idea).where(Idea.topic_id == topic.id, Idea.is_hidden.is_(False))
    return list(db.session.scalars(query.order_by(Idea.supports.desc(), Idea.id).limit(5)))


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """Where the topic comes from: the ideas it was made of."""
    return [_step(idea, PAGE) for idea in _ideas_of(topic)]


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    return [_step(idea, DESK_PAGE) for idea in _ideas_of(topic)]


def _step(idea: Idea, endpoint: str) -> Step:
    words = _("居民建议，%(count)d 人附议", count=idea.supports)
    return Step(_("来自：%(title)s", title=idea.title), words, endpoint, {"idea_id": idea.id})
