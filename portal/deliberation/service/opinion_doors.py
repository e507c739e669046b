"""What the doors hand over of opinions: what waits to be read, that she took part, her own words and stands."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock
from portal.core.access import Actor, Scope, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import OpinionState, SheetState, Stage
from portal.deliberation.models.opinions import Comment, Opinion, OpinionSheet, OpinionVote
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import comments, moderating, opinions, reach
from portal.deliberation.service.moderating import Kind
from portal.deliberation.service.opinion_sheets import WAITS
from portal.deliberation.service.opinion_words import opinion_said
from portal.deliberation.service.taking_part import Step
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

SPEAKING = "deliberation.resident.opinion_next"
READING = "deliberation.resident.opinion_list"
TALKING = "deliberation.resident.opinion_comments"
QUEUE = "deliberation.worker.opinion_queue"
PAPERS = "deliberation.worker.opinion_paper_who"


@dataclass(frozen=True)
class _Counts:
    shown: int
    mine: int
    comments: int


def todo_of(worker: Actor) -> list[Todo]:
    within = scopes_of(worker, Permission.DELIBERATION_KEEP)
    if not within:
        return []
    waits = moderating.waiting(within)
    found = [
        Todo(_("等看的看法"), QUEUE, {"kind": Kind.OPINIONS.value}, count=waits[Kind.OPINIONS]),
        Todo(_("等看的留言"), QUEUE, {"kind": Kind.COMMENTS.value}, count=waits[Kind.COMMENTS]),
    ]
    return [*(one for one in found if one.count), *_papers(worker, within)]


def _papers(worker: Actor, within: Collection[Scope]) -> list[Todo]:
    """Papers of opinions that wait for a second person, who is not the first, or to be settled."""
    mine = sa.or_(OpinionSheet.state == SheetState.DIFFERS, OpinionSheet.first_by != worker.public_id)
    query = (
        sa.select(Topic.id, Topic.title, sa.func.count())
        .join(OpinionSheet, OpinionSheet.topic_id == Topic.id)
        .where(OpinionSheet.state.in_(WAITS), mine, Topic.stage == Stage.COLLECTING, reach.read_by(within))
        .group_by(Topic.id, Topic.title)
        .order_by(Topic.id)
    )
    return [
        Todo(_("纸质意见等录第二遍：%(title)s", title=title), PAPERS, {"topic_id": number}, count=count)
        for number, title, count in db.session.execute(query)
    ]


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """That she took part in a topic, dated as the topic is: nothing here tells which statement is hers."""
    ids = people.ids_of(person)
    taken = sa.union(
        *(sa.select(one.topic_id).where(one.person_id.in_(ids)) for one in (Opinion, OpinionVote, Comment))
    )
    query = sa.select(Topic).where(Topic.id.in_(taken), Topic.published_at.is_not(None))
    found = db.session.scalars(query.order_by(Topic.published_at.desc(), Topic.id.desc()).limit(limit))
    return [
        Line(one.published_at or one.made_at, _("参与协商：%(title)s", title=one.title), _("说看法、表态或留言"))
        for one in found
    ]


def export(person: Person) -> list[dict[str, Any]]:
    """What she wrote and where she stands, in words; days in ISO."""
    ids = people.ids_of(person)
    rows = [*_written(Opinion, _("看法"), ids), *_written(Comment, _("留言"), ids), *_on_paper(ids)]
    query = (
        sa.select(OpinionVote, Opinion.words, Topic.title)
        .join(Opinion, OpinionVote.opinion_id == Opinion.id)
        .join(Topic, OpinionVote.topic_id == Topic.id)
        .where(OpinionVote.person_id.in_(ids))
    )
    return rows + [
        {
            _("表态"): opinion_said(one.stand),
            _("看法"): words,
            _("议题"): title,
            _("日期"): _day(one.at),
            _("怎么来的"): _("纸质") if one.on_paper else _("本人"),
        }
        for one, words, title in db.session.execute(query.order_by(OpinionVote.id))
    ]


def _written(model: Any, name: str, ids: sa.Select[int]) -> list[dict[str, Any]]:
    query = sa.select(model, Topic.title).join(Topic, model.topic_id == Topic.id).where(model.person_id.in_(ids))
    return [_said_out(name, one, title) for one, title in db.session.execute(query.order_by(model.id))]


def _on_paper(ids: sa.Select[int]) -> list[dict[str, Any]]:
    """Papers of hers that are not entered to the end: what the first person read."""
    query = sa.select(OpinionSheet, Topic.title).join(Topic, OpinionSheet.topic_id == Topic.id)
    query = query.where(OpinionSheet.person_id.in_(ids), OpinionSheet.state.in_(WAITS)).order_by(OpinionSheet.id)
    return [
        {
            _("看法"): one.first["words"],
            _("议题"): title,
            _("日期"): _day(one.first_at),
            _("状态"): _("纸质意见，还没有录完"),
            _("表态"): len(one.first["stands"]),
        }
        for one, title in db.session.execute(query)
    ]


def _said_out(name: str, one: Opinion | Comment, title: str) -> dict[str, Any]:
    return {
        name: one.words,
        _("议题"): title,
        _("日期"): _day(one.at),
        _("状态"): opinion_said(one.state),
        _("隐去的原因"): moderating.hidden_said(one.hidden_why) if one.hidden_why else "",
    }


def _day(at: datetime) -> str:
    return clock.local(at).date().isoformat()


def purge(before: date) -> int:
    """Of topics archived before a day: what was said stays readable, who said it and who stood where is forgotten."""
    start, _end = clock.day_bounds(before)
    old = sa.select(Topic.id).where(Topic.archived_at < start)
    gone = _changed(sa.delete(OpinionSheet).where(OpinionSheet.topic_id.in_(old)))
    for model in (Opinion, Comment):
        known = sa.update(model).where(model.topic_id.in_(old), model.person_id.is_not(None)).values(person_id=None)
        gone += _changed(known)
    return gone + _changed(sa.delete(OpinionVote).where(OpinionVote.topic_id.in_(old)))


def _changed(statement: sa.Update | sa.Delete) -> int:
    found = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(getattr(found, "rowcount", 0))


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """Statements to take a stand on, and the talk below the topic."""
    day, counts = clock.local(at).date(), _counts(topic, person)
    closed, here = opinions.why_closed(topic, day), {"topic_id": topic.id}
    found = []
    if not closed:
        now = reach.lives_in(person, topic)
        left = max(counts.shown - counts.mine, 0)
        words = _to_do(left, counts.shown) if now else _("%(count)d 条看法，住在这里的居民可以表态", count=counts.shown)
        found.append(Step(_("说看法、表态"), words, SPEAKING, here, until=_last(topic), now=now))
    elif counts.shown:
        words = _("%(count)d 条看法，同意的和不同意的各有多少", count=counts.shown)
        found.append(Step(_("看大家的看法"), words, READING, here))
    talking = not comments.why_closed(topic)
    if talking or counts.comments:
        words = _("%(count)d 条留言", count=counts.comments) if counts.comments else _("还没有人留言")
        found.append(Step(_("留言"), words, TALKING, here, now=talking and reach.lives_in(person, topic)))
    return found


def _to_do(left: int, shown: int) -> str:
    if left:
        return _("还有 %(count)d 条看法等您表态", count=left)
    return _("都表过态了，可以再写一条自己的") if shown else _("还没有人说，请您说第一条")


def _last(topic: Topic) -> datetime | None:
    return clock.day_bounds(topic.stage_until)[1] - timedelta(minutes=1) if topic.stage_until else None


def _counts(topic: Topic, person: Person | None) -> _Counts:
    shown = (Opinion.topic_id == topic.id, Opinion.state == OpinionState.SHOWN)
    queries = [
        sa.select(sa.func.count(Opinion.id)).where(*shown).scalar_subquery(),
        _stood(person, shown) if person else sa.literal(0),
        sa.select(sa.func.count(Comment.id))
        .where(Comment.topic_id == topic.id, Comment.state == OpinionState.SHOWN)
        .scalar_subquery(),
    ]
    return _Counts(*db.session.execute(sa.select(*queries)).one())


def _stood(person: Person, shown: Any) -> Any:
    query = sa.select(sa.func.count(sa.distinct(OpinionVote.opinion_id)))
    query = query.join(Opinion, OpinionVote.opinion_id == Opinion.id)
    return query.where(*shown, OpinionVote.person_id.in_(people.ids_of(person))).scalar_subquery()


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """What waits to be read of a topic, and all that was said."""
    counts = _counts(topic, None)
    words = _("%(opinions)d 条看法，%(comments)d 条留言", opinions=counts.shown, comments=counts.comments)
    open_now = not opinions.why_closed(topic, clock.local(at).date())
    return [Step(_("看法和留言"), words, "deliberation.worker.opinion_topic", {"topic_id": topic.id}, now=open_now)]
