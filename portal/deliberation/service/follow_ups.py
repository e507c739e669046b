"""What becomes of an outcome: tasks with owners and dates, reports with how far and what it cost, photographs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, outbox
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.deliberation.models.codes import Stage, TaskState
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import public_log, reach, telling
from portal.identity import staff
from portal.identity.permissions import Permission

T = TaskState
RUNNING = (T.OPEN, T.DOING)
ENDED = (T.DONE, T.DROPPED)
FAR = timedelta(days=3650)


@dataclass(frozen=True)
class Task:
    """What is to be done, by whom, until when."""

    title: str
    words: str
    owner: str
    due_on: date
    budget_fen: int


@dataclass(frozen=True)
class Progress:
    """What somebody reports: how far it is now, what was spent since, a photograph perhaps."""

    words: str
    percent: int
    spent_fen: int
    photo: bytes | None = None
    photo_words: str = ""


@dataclass(frozen=True)
class Sum:
    """All tasks of a topic together."""

    tasks: int
    done: int
    percent: int
    budget_fen: int
    spent_fen: int


def owners(topic: Topic) -> list[tuple[str, str]]:
    """Who may be made responsible: whoever keeps the topics of its area and communities; public id and name."""
    codes = [topic.area.code, *(community.code for community in topic.communities)]
    return [
        (one.public_id, one.name) for one in staff.workers_on(Permission.DELIBERATION_KEEP, list(dict.fromkeys(codes)))
    ]


def tasks(topic: Topic) -> list[FollowUp]:
    query = sa.select(FollowUp).where(FollowUp.topic_id == topic.id)
    return list(db.session.scalars(query.order_by(FollowUp.position, FollowUp.id)))


def steps(topic: Topic) -> dict[int, list[FollowUpStep]]:
    """The reports on a topic's tasks by the task's number, the newest first; words of a photograph mean one."""
    query = sa.select(FollowUpStep).join(FollowUpStep.task).where(FollowUp.topic_id == topic.id)
    found: dict[int, list[FollowUpStep]] = {}
    for step in db.session.scalars(query.order_by(FollowUpStep.id.desc())):
        found.setdefault(step.task_id, []).append(step)
    return found


def sum_of(found: Collection[FollowUp]) -> Sum:
    """Dropped tasks count with what they cost, not with how far they came."""
    alive = [one for one in found if one.state is not T.DROPPED]
    percent = sum(one.percent for one in alive) // len(alive) if alive else 0
    return Sum(
        len(alive),
        sum(one.state is T.DONE for one in alive),
        percent,
        sum(one.budget_fen for one in alive),
        sum(one.spent_fen for one in found),
    )


def task_in(topic: Topic, task_id: int) -> FollowUp:
    found = db.session.scalar(sa.select(FollowUp).where(FollowUp.id == task_id, FollowUp.topic_id == topic.id))
    if found is None:
        raise Missing
    return found


def add(topic: Topic, task: Task, *, by: Actor) -> FollowUp:
    _check(topic, task)
    last = db.session.scalar(sa.select(sa.func.max(FollowUp.position)).where(FollowUp.topic_id == topic.id)) or 0
    made = FollowUp(topic_id=topic.id, position=last + 1, **_values(topic, task))
    db.session.add(made)
    db.session.flush()
    facts = {"task": made.title, "owner": made.owner_name, "due": made.due_on.isoformat()}
    public_log.log(topic, "follow_up_made", by_name=by.name, **facts)
    audit.record("deliberation.follow_up_made", made)
    _tell_owner(made, "follow_up_given", by)
    return made


def edit(followed: FollowUp, task: Task, *, seen: int, by: Actor) -> None:
    _check(followed.topic, task)
    before = followed.owner
    values = _values(followed.topic, task) | {"version": seen + 1, "reminded_at": None}
    _change(followed, values, seen)
    public_log.log(followed.topic, "follow_up_edited", by_name=by.name, task=followed.title)
    audit.record("deliberation.follow_up_edited", followed)
    if followed.owner != before:
        _tell_owner(followed, "follow_up_given", by)


def report(followed: FollowUp, said: Progress, *, by: Actor) -> FollowUpStep:
    """How far a task is now; at a hundred it is done, and who follows the topic is told."""
    if followed.state not in RUNNING:
        raise Refused(_("这件事已经结束了，不用再填进度。"))
    if not 0 <= said.percent <= 100:
        raise Refused(_("请填 0 到 100 之间的整数。"), field="percent")
    if bool(said.photo) != bool(said.photo_words.strip()):
        words = (
            _("照片要配一句话，说说照片上是什么，看不见的人靠它知道。")
            if said.photo
            else _("写了照片说明，还没有选照片。")
        )
        raise Refused(words, field="photo_words")
    if said.percent < followed.percent:
        words = _(
            "上次已经到 %(percent)d%%，进度只能往前。做错了要返工，请在说明里写清楚，进度填原来的数。",
            percent=followed.percent,
        )
        raise Refused(words, field="percent")
    done = said.percent == 100
    values = {
        "percent": said.percent,
        "spent_fen": FollowUp.spent_fen + said.spent_fen,
        "state": T.DONE if done else T.DOING,
        "ended_at": now() if done else None,
    }
    standing = sa.and_(FollowUp.id == followed.id, FollowUp.state.in_(RUNNING), FollowUp.percent <= said.percent)
    if not guarded(sa.update(FollowUp).where(standing).values(**values)):
        raise Refused(_("刚刚有人填过进度，请刷新看看再填。"))
    made = FollowUpStep(task_id=followed.id, by_name=by.name, **vars(said))
    db.session.add(made)
    db.session.flush()
    db.session.refresh(followed, list(values))
    audit.record("deliberation.follow_up_reported", followed, percent=said.percent, spent=said.spent_fen)
    if done:
        public_log.log(followed.topic, "follow_up_done", by_name=by.name, task=followed.title)
    facts = {"task": followed.title, "percent": said.percent}
    telling.tell_followers(followed.topic, "follow_up_done" if done else "follow_up_reported", **facts)
    return made


def drop(followed: FollowUp, *, why: str, by: Actor) -> None:
    """Not done after all, and why, for everybody to read."""
    if len(why.strip()) < 4:
        raise Refused(_("请写明为什么不办了，至少四个字，会公布出来。"), field="why")
    values = {"state": T.DROPPED, "ended_at": now(), "ended_why": why.strip()[:300]}
    standing = sa.and_(FollowUp.id == followed.id, FollowUp.state.in_(RUNNING))
    if not guarded(sa.update(FollowUp).where(standing).values(**values)):
        raise Refused(_("这件事已经结束了，请刷新看看。"))
    db.session.refresh(followed, list(values))
    public_log.log(followed.topic, "follow_up_dropped", by_name=by.name, why=why.strip(), task=followed.title)
    audit.record("deliberation.follow_up_dropped", followed, reason=why)


def _change(followed: FollowUp, values: dict[str, object], seen: int) -> None:
    standing = sa.and_(FollowUp.id == followed.id, FollowUp.state.in_(RUNNING), FollowUp.version == seen)
    if not guarded(sa.update(FollowUp).where(standing).values(**values)):
        raise Refused(_("这件事刚刚有人改过或已经结束，请刷新看看再改。"))
    db.session.refresh(followed)


def _check(topic: Topic, task: Task) -> None:
    if topic.stage is not Stage.FOLLOW_UP:
        raise Refused(_("公示期满、结果定下来以后才安排落实。"))
    if task.owner not in dict(owners(topic)):
        raise Refused(_("请选一位负责人。"), field="owner")
    if not today() <= task.due_on <= today() + FAR:
        raise Refused(_("请填今天以后、十年以内的日期。"), field="due_on")


def _values(topic: Topic, task: Task) -> dict[str, object]:
    return {**vars(task), "owner_name": dict(owners(topic))[task.owner]}


def _tell_owner(followed: FollowUp, event: str, by: Actor | None) -> None:
    if by is not None and by.public_id == followed.owner:
        return
    facts = {"task": followed.title, "title": followed.topic.title, "topic_id": followed.topic_id}
    facts["due"] = followed.due_on.isoformat()
    outbox.enqueue(f"deliberation.{event}", to=Recipient("account", followed.owner), **facts)


def late() -> list[int]:
    """Tasks whose day is over and whose owner was not told so yet."""
    query = sa.select(FollowUp.id).where(
        FollowUp.state.in_(RUNNING), FollowUp.due_on < today(), FollowUp.reminded_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(FollowUp.id).limit(500)))


def remind(task_id: int) -> None:
    followed = db.session.get_one(FollowUp, task_id, options=[joinedload(FollowUp.topic)])
    if followed.state in RUNNING and followed.reminded_at is None:
        followed.reminded_at = now()
        audit.record("deliberation.follow_up_reminded", followed)
        _tell_owner(followed, "follow_up_late", None)


def photo(public_id: str) -> bytes:
    """A photograph that everybody may see: of a topic that everybody reads."""
    query = (
        sa.select(FollowUpStep.photo)
        .join(FollowUpStep.task)
        .join(FollowUp.topic)
        .where(FollowUpStep.public_id == public_id, FollowUpStep.photo.is_not(None), reach.public())
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def mine(worker: str, within: Collection[Scope]) -> list[FollowUp]:
    """The tasks a worker has to carry out, the first due first."""
    query = sa.select(FollowUp).join(FollowUp.topic).where(FollowUp.owner == worker, FollowUp.state.in_(RUNNING))
    query = query.where(reach.read_by(within)).options(joinedload(FollowUp.topic))
    return list(db.session.scalars(query.order_by(FollowUp.due_on, FollowUp.id).limit(200)))


def own_counts(worker: str, within: Collection[Scope]) -> tuple[int, int]:
    """How many tasks a worker has to carry out, and how many of them are late."""
    over = sa.func.count(sa.case((FollowUp.due_on < today(), 1)))
    query = sa.select(sa.func.count(FollowUp.id), over).join(FollowUp.topic)
    query = query.where(FollowUp.owner == worker, FollowUp.state.in_(RUNNING), reach.read_by(within))
    row = db.session.execute(query).one()
    return row[0], row[1]
