"""Moderating: what waits to be read, and hiding in the open: with a reason that everybody reads, and a line in the log.

Who wrote a statement is not shown here either. A writer is told what became of her words, and how to object.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, reasons
from portal.core.access import Actor, Scope
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import OpinionState
from portal.deliberation.models.opinions import Comment, Opinion
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import comments, public_log, reach, telling
from portal.deliberation.service.opinions import OWN
from portal.deliberation.service.veiling import veil
from portal.registry.service import people

Said = Opinion | Comment
A_PAGE = 30
# Between the code of a reason and what was written to it.
BAR = "|"
LEAST = 4


class Kind(StrEnum):
    """What is moderated."""

    OPINIONS = "opinions"
    COMMENTS = "comments"


class Why(StrEnum):
    """Why something is hidden; the rules for speaking are made of these."""

    PRIVATE = "private"
    ABUSE = "abuse"
    ADVERT = "advert"
    BESIDE = "beside"
    TWIN = "twin"
    UNTRUE = "untrue"
    UNLAWFUL = "unlawful"


def why_words(why: Why) -> str:
    return {
        Why.PRIVATE: _("泄露别人的隐私"),
        Why.ABUSE: _("辱骂、攻击别人"),
        Why.ADVERT: _("广告、推销"),
        Why.BESIDE: _("和这个议题无关"),
        Why.TWIN: _("和前面的重复"),
        Why.UNTRUE: _("明显不实"),
        Why.UNLAWFUL: _("违反法律法规"),
    }[why]


def hidden_said(kept: str) -> str:
    """A kept reason in the reader's language, with what was written to it."""
    code, _bar, words = kept.partition(BAR)
    said = why_words(Why(code)) if code in set(Why) else reasons.said(code)
    return _("%(why)s：%(words)s", why=said, words=words) if words else said


def hide(said: Said, why: Why, words: str, *, by: Actor) -> None:
    """Hide a statement or comment. The reason is public: names and numbers are taken out of it too."""
    reason = veil(" ".join(words.split()), reach.community_ids(said.topic)).words
    kept = f"{why.value}{BAR}{reason}" if reason else why.value
    model = type(said)
    change = sa.update(model).where(model.id == said.id, model.state != OpinionState.HIDDEN)
    if not guarded(change.values(state=OpinionState.HIDDEN, hidden_why=kept)):
        raise Refused(_("这一条已经隐去了，请刷新看看。"))
    db.session.refresh(said)
    told = hidden_said(kept)
    public_log.log(said.topic, f"{_noun(said)}_hidden", by_name=by.name, why=told, number=said.id)
    audit.record(f"deliberation.{_noun(said)}_hidden", said, reason=told)
    _tell(said, f"{_noun(said)}_hidden", why=told)


def let_pass(said: Said, *, by: Actor) -> None:
    """Show what waited to be read."""
    _show(said, OpinionState.PENDING, _("这一条已经有人处理过了，请刷新看看。"))
    audit.record(f"deliberation.{_noun(said)}_passed", said, by=by.name)
    if isinstance(said, Comment):
        comments.tell_answered(said)


def restore(said: Said, why: str, *, by: Actor) -> None:
    """Show again what was hidden; that too is said in the open. What its writer took back stays back."""
    if len(why.strip()) < LEAST:
        raise Refused(_("请写明为什么恢复，至少四个字，会公布出来。"), field="why")
    if said.hidden_why == OWN:
        raise Refused(_("这一条是本人撤回的，不能恢复。"))
    reason = veil(" ".join(why.split()), reach.community_ids(said.topic)).words
    _show(said, OpinionState.HIDDEN, _("这一条没有隐去，请刷新看看。"))
    public_log.log(said.topic, f"{_noun(said)}_restored", by_name=by.name, why=reason, number=said.id)
    audit.record(f"deliberation.{_noun(said)}_restored", said, reason=reason)
    _tell(said, f"{_noun(said)}_restored", why=reason)


def _show(said: Said, start: OpinionState, refusal: str) -> None:
    model = type(said)
    change = sa.update(model).where(model.id == said.id, model.state == start, model.hidden_why != OWN)
    if not guarded(change.values(state=OpinionState.SHOWN, hidden_why="")):
        raise Refused(refusal)
    db.session.refresh(said)


def _noun(said: Said) -> str:
    return "opinion" if isinstance(said, Opinion) else "comment"


def _tell(said: Said, event: str, **facts: Any) -> None:
    if said.person is not None:
        telling.tell(people.resolved(said.person), event, said.topic, **facts)


def _model(kind: Kind) -> Any:
    return Opinion if kind is Kind.OPINIONS else Comment


def said_in(within: Collection[Scope], kind: Kind, number: int) -> Said:
    """A statement or comment of a topic that a worker keeps; Missing otherwise."""
    model = _model(kind)
    query = sa.select(model).join(Topic, model.topic_id == Topic.id).where(model.id == number, reach.kept_by(within))
    of_topic = joinedload(model.topic)
    query = query.options(of_topic.joinedload(Topic.area), of_topic.selectinload(Topic.communities))
    found: Said | None = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def queue(
    within: Collection[Scope], kind: Kind, state: OpinionState, *, topic_id: int = 0, page: int = 1
) -> tuple[list[Said], bool]:
    """A page of what stands in a state in the topics a worker keeps: what waits, the oldest first, else the newest."""
    model = _model(kind)
    query = sa.select(model).join(Topic, model.topic_id == Topic.id)
    query = query.where(reach.kept_by(within), model.state == state, model.hidden_why != OWN)
    if topic_id:
        query = query.where(model.topic_id == topic_id)
    order = model.id.asc() if state is OpinionState.PENDING else model.id.desc()
    query = query.options(joinedload(model.topic)).order_by(order).limit(A_PAGE + 1).offset((page - 1) * A_PAGE)
    found: list[Said] = list(db.session.scalars(query))
    return found[:A_PAGE], len(found) > A_PAGE


def waiting(within: Collection[Scope], *, topic_id: int = 0) -> dict[Kind, int]:
    """How many statements and how many comments wait to be read, in one question."""
    counts = []
    for kind in Kind:
        model = _model(kind)
        query = sa.select(sa.func.count(model.id)).join(Topic, model.topic_id == Topic.id)
        query = query.where(reach.kept_by(within), model.state == OpinionState.PENDING)
        counts.append((query.where(model.topic_id == topic_id) if topic_id else query).scalar_subquery())
    return dict(zip(Kind, db.session.execute(sa.select(*counts)).one(), strict=True))


def all_of(topic: Topic, *, page: int = 1) -> tuple[list[Opinion], bool]:
    """A page of a topic's statements in whatever state, the newest first; not what was taken back."""
    query = sa.select(Opinion).where(Opinion.topic_id == topic.id, Opinion.hidden_why != OWN)
    found = db.session.scalars(query.order_by(Opinion.id.desc()).limit(A_PAGE + 1).offset((page - 1) * A_PAGE))
    rows = list(found)
    return rows[:A_PAGE], len(rows) > A_PAGE
