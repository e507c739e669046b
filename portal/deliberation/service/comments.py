"""Comments: longer words in threads below a topic, each answered by others and by the committee."""

from collections.abc import Collection
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import OpinionState, Stage
from portal.deliberation.models.opinions import Comment
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import telling
from portal.deliberation.service.opinions import OWN, PER, READ, hold_writer, tidy
from portal.deliberation.service.veiling import Veiled
from portal.registry.models import Person
from portal.registry.service import people

A_DAY = "deliberation.comments_a_day"
settings.declare(
    A_DAY, default=10, label=lambda: _("留言：每人每个议题每天最多写几条"), unit=lambda: _("条"), least=1, most=100
)
OPEN = frozenset({Stage.COLLECTING, Stage.MEETING, Stage.EXPERTS, Stage.HEARING})
LEAST, MOST = 2, 500
A_PAGE = 15


@dataclass
class Thread:
    """A comment with what was answered to it, the oldest first."""

    comment: Comment
    answers: list[Comment] = field(default_factory=list)


def why_closed(topic: Topic) -> str:
    """Why nobody may comment now; "" while the matter is talked over."""
    if topic.stage in OPEN:
        return ""
    return _("这个议题已经商量完，不能再留言。以前的留言都可以看。")


def write(topic: Topic, person: Person, words: str, *, parent: Comment | None = None) -> tuple[Comment, Veiled]:
    """Keep a comment, or an answer to one; the writer of that one is told. Pending where the topic says so."""
    _refuse_closed(topic)
    _refuse_more(topic, person)
    veiled = tidy(topic, words, least=LEAST, most=MOST)
    _refuse_echo(topic, person, veiled.words)
    state = OpinionState.PENDING if topic.looks_first else OpinionState.SHOWN
    made = _make(topic, veiled, parent, person_id=person.id, state=state)
    audit.record("deliberation.comment_written", made, names=veiled.names, numbers=veiled.numbers)
    if state is OpinionState.SHOWN:
        tell_answered(made)
    return made, veiled


def answer(topic: Topic, words: str, *, by: Actor, parent: Comment | None) -> tuple[Comment, Veiled]:
    """The committee's own word, under its writer's name."""
    _refuse_closed(topic)
    veiled = tidy(topic, words, least=LEAST, most=MOST)
    made = _make(topic, veiled, parent, by_name=by.name, state=OpinionState.SHOWN)
    audit.record("deliberation.comment_answered", made)
    tell_answered(made)
    return made, veiled


def _make(topic: Topic, veiled: Veiled, parent: Comment | None, **facts: object) -> Comment:
    # Threads are one deep: an answer to an answer stands below the same comment.
    above = (parent.parent_id or parent.id) if parent else None
    made = Comment(topic_id=topic.id, parent_id=above, words=veiled.words, masked=veiled.masked, **facts)
    db.session.add(made)
    db.session.flush()
    return made


def tell_answered(made: Comment) -> None:
    """Tell who began the thread that somebody answered, once it can be read."""
    if made.parent_id is None:
        return
    parent = db.session.get_one(Comment, made.parent_id)
    if parent.person is None or parent.person_id == made.person_id:
        return
    telling.tell(people.resolved(parent.person), "comment_answered", parent.topic, official=made.is_official)


def _refuse_closed(topic: Topic) -> None:
    why = why_closed(topic)
    if why:
        raise Refused(why)


def _hers(person: Person | None) -> sa.ColumnElement[bool]:
    return Comment.person_id.in_(people.ids_of(person)) if person else sa.false()


def _refuse_more(topic: Topic, person: Person) -> None:
    hold_writer(person)
    most = settings.get(A_DAY)
    query = sa.select(sa.func.count(Comment.id)).where(
        Comment.topic_id == topic.id, _hers(person), Comment.at > now() - PER
    )
    if (db.session.scalar(query) or 0) >= most:
        raise Refused(_("一天最多留言 %(most)d 条，您写满了。明天可以接着写。", most=most))


def _refuse_echo(topic: Topic, person: Person, words: str) -> None:
    same = (Comment.topic_id == topic.id, Comment.words == words, Comment.state != OpinionState.HIDDEN)
    if db.session.scalar(sa.select(Comment.id).where(*same, _hers(person)).limit(1)) is not None:
        raise Refused(_("这句话您已经留过言了，在下面可以看到。"), field="words")


def withdraw(comment: Comment) -> None:
    """Take one's own comment back; its place in the thread stays."""
    where = (Comment.id == comment.id, Comment.state != OpinionState.HIDDEN)
    if guarded(sa.update(Comment).where(*where).values(state=OpinionState.HIDDEN, hidden_why=OWN)):
        db.session.refresh(comment)
        audit.record("deliberation.comment_withdrawn", comment)


def comment_of(topic: Topic, comment_id: int) -> Comment:
    """A comment of a topic that everybody reads."""
    return _one(Comment.id == comment_id, Comment.topic_id == topic.id, Comment.state == OpinionState.SHOWN)


def own(topic: Topic, person: Person | None, comment_id: int) -> Comment:
    return _one(Comment.id == comment_id, Comment.topic_id == topic.id, _hers(person))


def _one(*conditions: sa.ColumnElement[bool]) -> Comment:
    found = db.session.scalar(sa.select(Comment).where(*conditions))
    if found is None:
        raise Missing
    return found


def mine(topic: Topic, person: Person | None) -> set[int]:
    """The comments of a topic that somebody wrote herself and has not taken back."""
    query = sa.select(Comment.id).where(
        Comment.topic_id == topic.id, _hers(person), Comment.state != OpinionState.HIDDEN
    )
    return set(db.session.scalars(query.order_by(Comment.id)))


def threads(topic: Topic, *, page: int = 1, also: Collection[int] = ()) -> tuple[list[Thread], bool]:
    """A page of threads, the newest first, and whether more follow. `also` are comments of the reader's own that wait
    to be looked at; what was hidden has its place and its reason.
    """
    readable = sa.or_(Comment.state.in_(READ), Comment.id.in_(also))
    query = sa.select(Comment).where(Comment.topic_id == topic.id, readable)
    query = query.options(joinedload(Comment.person).load_only(Person.name))
    tops = query.where(Comment.parent_id.is_(None)).order_by(Comment.id.desc())
    found = list(db.session.scalars(tops.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    shown = {one.id: Thread(one) for one in found[:A_PAGE]}
    if shown:
        for one in db.session.scalars(query.where(Comment.parent_id.in_(shown)).order_by(Comment.id)):
            shown[one.parent_id or 0].answers.append(one)
    return list(shown.values()), len(found) > A_PAGE
