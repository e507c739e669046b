"""Ideas of residents: which there are, for everybody, for who wrote them and for the committee; which say the same."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area, AreaKind
from portal.core import search, settings
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing
from portal.deliberation.models.codes import Category, IdeaState, Stage
from portal.deliberation.models.topics import Idea, IdeaSupport, Topic, TopicStage, topic_community
from portal.deliberation.service import reach
from portal.registry.models import Person
from portal.registry.service import people

NEEDED, LOOKS_FIRST = "deliberation.idea_needed", "deliberation.idea_looks_first"
DUE_DAYS, OPEN_DAYS, A_DAY = "deliberation.idea_due_days", "deliberation.idea_open_days", "deliberation.ideas_a_day"
settings.declare(
    NEEDED, default=20, label=lambda: _("居民建议：多少人附议后交居委会"), unit=lambda: _("人"), least=1, most=5000
)
settings.declare(
    LOOKS_FIRST,
    default=0,
    label=lambda: _("居民建议：先看过再公开（1 是，0 否）"),
    unit=lambda: "",
    least=0,
    most=1,
)
settings.declare(
    DUE_DAYS, default=15, label=lambda: _("居民建议：附议够了以后多少天内答复"), unit=lambda: _("天"), least=1, most=90
)
settings.declare(
    OPEN_DAYS,
    default=60,
    label=lambda: _("居民建议：附议不够的，多少天后也要答复"),
    unit=lambda: _("天"),
    least=7,
    most=366,
)
settings.declare(
    A_DAY, default=3, label=lambda: _("居民建议：每人每天最多提几条"), unit=lambda: _("条"), least=1, most=50
)
S = IdeaState
# What everybody reads; what waits to be looked at, and what its writer took back, is nobody else's.
SHOWN = (S.OPEN, S.REACHED, S.TAKEN, S.DECLINED, S.MERGED)
RUNNING = (S.OPEN, S.REACHED)
ANSWERED = (S.TAKEN, S.DECLINED, S.MERGED)
TABS = {"open": RUNNING, "answered": ANSWERED}
DESK_TABS = {"pending": (S.PENDING,), "due": RUNNING, "open": (S.OPEN,), "answered": ANSWERED}
A_PAGE, MOST_READ, MOST_ALIKE = 20, 400, 5
# As much must two texts share (Dice, of their bigrams) to be shown as perhaps the same.
ALIKE = 0.16
# A week before its day an idea without enough supporters is put to the committee too.
AHEAD = timedelta(days=7)
EMPTY_WORDS = frozenset({"希望", "社区", "建议", "我们", "小区", "可以", "能不", "不能", "一个", "增加", "大家"})


@dataclass(frozen=True)
class Like:
    """Something that perhaps says the same: an idea to support, or a topic that is already on its road."""

    title: str
    idea: Idea | None = None
    topic: Topic | None = None


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return joinedload(Idea.community), joinedload(Idea.person).load_only(*people.LEAN)


def public() -> sa.ColumnElement[bool]:
    return sa.and_(Idea.state.in_(SHOWN), Idea.is_hidden.is_(False))


def communities() -> list[Area]:
    """Where ideas can be: every community."""
    return list(db.session.scalars(sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)))


def listed(
    tab: str, *, community: int | None = None, category: Category | None = None, page: int = 1
) -> tuple[list[Idea], bool]:
    """A page of what everybody may read, the most supported first (of the answered the latest); and whether more is."""
    query = sa.select(Idea).where(public(), Idea.state.in_(TABS[tab])).options(*_whole())
    if community:
        query = query.where(Idea.community_id == community)
    if category:
        query = query.where(Idea.category == category)
    first = Idea.answered_at.desc() if tab == "answered" else Idea.supports.desc()
    return _page(query.order_by(first, Idea.id.desc()), page)


def mine(person: Person, page: int = 1) -> tuple[list[Idea], bool]:
    """What somebody proposed herself, the newest first."""
    query = sa.select(Idea).where(Idea.person_id.in_(people.ids_of(person))).options(*_whole())
    return _page(query.order_by(Idea.id.desc()), page)


def _page(query: sa.Select[Idea], page: int) -> tuple[list[Idea], bool]:
    found = list(db.session.scalars(query.limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def shown(idea_id: int, reader: Person | None = None) -> Idea:
    """An idea as somebody may read it: what everybody may, or her own."""
    hers = Idea.person_id.in_(people.ids_of(reader)) if reader else sa.false()
    query = sa.select(Idea).where(Idea.id == idea_id, sa.or_(public(), hers))
    return _found(db.session.scalar(query.options(*_whole(), *_answer())))


def own(idea_id: int, person: Person | None) -> Idea:
    """An idea as who wrote it changes it; Missing for everybody else."""
    found = shown(idea_id, person)
    if not is_mine(found, person):
        raise Missing
    return found


def kept(idea_id: int, *, within: Collection[Scope]) -> Idea:
    """An idea as its community answers it; Missing for everybody else, and for the street, which reads it."""
    led = Idea.community_id.in_(reach.leading(within))
    return _at_desk(idea_id, led)


def read(idea_id: int, *, within: Collection[Scope]) -> Idea:
    """An idea as a worker whose scopes reach its community reads it."""
    return _at_desk(idea_id, _inside(within))


def _at_desk(idea_id: int, condition: sa.ColumnElement[bool]) -> Idea:
    query = sa.select(Idea).where(Idea.id == idea_id, condition, Idea.state != S.WITHDRAWN)
    return _found(db.session.scalar(query.options(*_whole(), *_answer())))


def given_up_why(idea: Idea) -> str:
    """Why the topic that an idea became was withdrawn; nothing where it was not."""
    if idea.topic is None or idea.topic.stage is not Stage.WITHDRAWN:
        return ""
    query = sa.select(TopicStage.why).where(TopicStage.topic_id == idea.topic_id, TopicStage.stage == Stage.WITHDRAWN)
    return db.session.scalar(query.order_by(TopicStage.id.desc()).limit(1)) or ""


def _answer() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return joinedload(Idea.topic), joinedload(Idea.merged_into)


def _found(idea: Idea | None) -> Idea:
    if idea is None:
        raise Missing
    return idea


def _inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return Idea.community_id.in_(reach.touched(within))


def is_mine(idea: Idea, person: Person | None) -> bool:
    """Whether somebody, whatever records were merged into hers, wrote an idea."""
    return person is not None and people.resolved(idea.person).id == person.id


def supported_by(idea: Idea, person: Person | None) -> bool:
    return person is not None and support_of(idea, person) is not None


def support_of(idea: Idea, person: Person) -> int | None:
    """The row by which somebody, under whichever of her records, supports an idea."""
    hers = IdeaSupport.person_id.in_(people.ids_of(person))
    query = sa.select(IdeaSupport.id).where(IdeaSupport.idea_id == idea.id, hers)
    return db.session.scalar(query.order_by(IdeaSupport.id).limit(1))


def on_desk(tab: str, *, within: Collection[Scope], page: int = 1) -> tuple[list[Idea], bool]:
    """A page of a worker's list: what waits longest comes first, of the answered the latest."""
    query = sa.select(Idea).where(_inside(within), Idea.state.in_(DESK_TABS[tab])).options(*_whole())
    if tab == "due":
        query = query.where(waits(today()))
    last = tab == "answered"
    return _page(query.order_by(*((Idea.answered_at.desc(), Idea.id.desc()) if last else (Idea.due_on, Idea.id))), page)


def waits(day: date) -> sa.ColumnElement[bool]:
    """The condition that the committee is to answer: enough support, or its time nearly over."""
    return sa.or_(Idea.state == S.REACHED, sa.and_(Idea.state == S.OPEN, Idea.due_on <= day + AHEAD))


def counted(within: Collection[Scope], *, own: bool = False) -> dict[str, int]:
    """How many wait to be looked at, to be answered, and are late; of what a worker reads, or answers herself (own)."""
    day = today()
    here = Idea.community_id.in_(reach.leading(within)) if own else _inside(within)
    due = sa.and_(Idea.state.in_(RUNNING), waits(day))
    query = sa.select(
        sa.func.count(sa.case((Idea.state == S.PENDING, 1))),
        sa.func.count(sa.case((due, 1))),
        sa.func.count(sa.case((sa.and_(due, Idea.due_on < day), 1))),
    ).where(here, Idea.state.in_((S.PENDING, *RUNNING)))
    row = db.session.execute(query).one()
    return {"pending": row[0], "due": row[1], "late": row[2]}


def alike(community_id: int, text: str, *, but: int = 0, writer: Person | None = None) -> list[Like]:
    """What in a community perhaps says the same as a text, the likeliest first: ideas, and topics on their road.

    Of whoever is writing it nothing of her own is shown: a form sent twice must not find itself.
    """
    words = _words(text)
    if len(words) < 2:
        return []
    held = [
        (Like(one.title, idea=one), f"{one.title} {one.words}")
        for one in _near(community_id)
        if one.id != but and (writer is None or one.person_id != writer.id)
    ]
    held += [(Like(one.title, topic=one), f"{one.title} {one.summary}") for one in _topics(community_id)]
    scored = [(_likeness(words, said, like.title), turn, like) for turn, (like, said) in enumerate(held)]
    likely = sorted(one for one in ((score, -turn) for score, turn, _like in scored) if one[0] >= ALIKE)
    return [held[-turn][0] for _score, turn in reversed(likely)][:MOST_ALIKE]


def _near(community_id: int) -> list[Idea]:
    query = (
        sa.select(Idea)
        .where(Idea.community_id == community_id, Idea.state.in_(RUNNING), Idea.is_hidden.is_(False))
        .order_by(Idea.id.desc())
        .limit(MOST_READ)
    )
    return list(db.session.scalars(query))


def _topics(community_id: int) -> list[Topic]:
    here = sa.select(topic_community.c.topic_id).where(topic_community.c.community_id == community_id)
    over = (Stage.DRAFT, Stage.ARCHIVED, Stage.WITHDRAWN)
    query = sa.select(Topic).where(Topic.id.in_(here), reach.public(), Topic.stage.not_in(over))
    return list(db.session.scalars(query.order_by(Topic.id.desc()).limit(MOST_READ)))


def _words(text: str) -> frozenset[str]:
    return frozenset(search.bigrams(text)) - EMPTY_WORDS


def _likeness(words: frozenset[str], said: str, title: str) -> float:
    """How much is shared with the whole text or with its title alone, whichever is more."""
    return max(_dice(words, _words(said)), _dice(words, _words(title)))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    total = len(one) + len(other)
    return 2 * len(one & other) / total if total else 0.0
