"""What the doors hand over of outcomes."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import OutcomeState, Stage
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep, Objection, Outcome, TopicRating
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import follow_ups, objections, outcome_words, outcomes, ratings
from portal.deliberation.service.taking_part import Step
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

RESIDENT, DESK = "deliberation.resident", "deliberation.worker"


def todo_of(worker: Actor) -> list[Todo]:
    """Objections to be answered, and the tasks in the worker's own name."""
    within = scopes_of(worker, Permission.DELIBERATION_KEEP)
    if not within:
        return []
    waiting, over = objections.waiting(within)
    own, late = follow_ups.own_counts(worker.public_id, within)
    found = [
        Todo(_("要答复的异议"), f"{DESK}.outcome_desk_list", count=waiting, late=over > 0),
        Todo(_("我负责的落实事项"), f"{DESK}.follow_up_mine", count=own, late=late > 0),
    ]
    return [one for one in found if one.count]


def _objections(person: Person, limit: int | None = None) -> list[Objection]:
    query = sa.select(Objection).where(Objection.person_id.in_(people.ids_of(person)))
    query = query.options(joinedload(Objection.outcome)).order_by(Objection.at.desc(), Objection.id.desc())
    return list(db.session.scalars(query.limit(limit)))


def _ratings(person: Person, limit: int | None = None) -> list[TopicRating]:
    query = sa.select(TopicRating).where(TopicRating.person_id.in_(people.ids_of(person)))
    query = query.options(joinedload(TopicRating.topic)).order_by(TopicRating.at.desc(), TopicRating.id.desc())
    return list(db.session.scalars(query.limit(limit)))


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """That she objected or rated; what she wrote stays with the outcome."""
    lines = [
        Line(one.at, _("提了异议：%(title)s", title=one.outcome.title), outcome_words.outcome_said(one.state))
        for one in _objections(person, limit)
    ]
    return lines + [Line(one.at, _("评议：%(title)s", title=one.topic.title)) for one in _ratings(person, limit)]


def export(person: Person) -> list[dict[str, Any]]:
    return [_objection_out(one) for one in _objections(person)] + [_rating_out(one) for one in _ratings(person)]


def _objection_out(one: Objection) -> dict[str, Any]:
    return {
        _("异议"): one.words or "",
        _("对哪个结果"): one.outcome.title,
        _("状态"): outcome_words.outcome_said(one.state),
        _("时间"): f"{clock.local(one.at):%Y-%m-%d %H:%M}",
        _("答复"): one.answer,
        _("答复人"): one.decided_by_name,
    }


def _rating_out(one: TopicRating) -> dict[str, Any]:
    return {
        _("评议"): one.topic.title,
        _("评价"): ratings.score_said(one.score),
        _("想说的话"): one.words or "",
        _("时间"): f"{clock.local(one.at):%Y-%m-%d %H:%M}",
    }


def purge(before: date) -> int:
    """Forget what people wrote of topics that were archived before a day, objections and ratings, and the photographs
    of what became of them; the reports' words stay.
    """
    old = sa.select(Topic.id).where(Topic.archived_at < clock.at(before, time(0)))
    of_old, tasks = (sa.select(one.id).where(one.topic_id.in_(old)) for one in (Outcome, FollowUp))
    pictured = (FollowUpStep.task_id.in_(tasks), FollowUpStep.photo.is_not(None))
    forgetting = (
        sa.delete(Objection).where(Objection.outcome_id.in_(of_old)),
        sa.delete(TopicRating).where(TopicRating.topic_id.in_(old)),
        sa.update(FollowUpStep).where(*pictured).values(photo=None, photo_words=""),
    )
    done = [db.session.execute(one, execution_options={"synchronize_session": False}) for one in forgetting]
    return sum(int(getattr(one, "rowcount", 0)) for one in done)


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """The outcome, whether to object today, and what becomes of it."""
    shown = [one for one in outcomes.of(topic) if one.state in (OutcomeState.PUBLISHED, OutcomeState.STANDS)]
    found = [_outcome_step(one, at) for one in shown[:2]]
    if topic.stage in ratings.RATED:
        words = _("谁负责、到什么时候、花了多少钱、照片；也可以评议")
        now = topic.stage is Stage.FOLLOW_UP
        found.append(Step(_("落实情况"), words, f"{RESIDENT}.follow_up_page", {"topic_id": topic.id}, now=now))
    return found


def _outcome_step(one: Outcome, at: datetime) -> Step:
    values = {"outcome_id": one.id}
    if not outcomes.takes_objections(one, clock.local(at).date()) or one.ends_on is None:
        return Step(one.title, outcome_words.outcome_said(one.state), f"{RESIDENT}.outcome_page", values)
    until = clock.at(one.ends_on + timedelta(days=1), time(0)) - timedelta(minutes=1)
    words = _("结果在公示，有不同意见可以提异议")
    return Step(one.title, words, f"{RESIDENT}.outcome_page", values, until=until, now=True)


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    found, values = [], {"topic_id": topic.id}
    if topic.stage in (*outcomes.WRITABLE, *ratings.RATED):
        title, now = _("结果和公示"), topic.stage is Stage.NOTICE
        found.append(Step(title, _("写结果、公示、答复异议"), f"{DESK}.outcome_desk", values, now=now))
    if topic.stage in ratings.RATED:
        now = topic.stage is Stage.FOLLOW_UP
        words = _("安排负责人和日期，填进度、花费和照片")
        found.append(Step(_("落实和项目"), words, f"{DESK}.follow_up_desk", values, now=now))
    return found
