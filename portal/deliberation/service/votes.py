"""Votes as they are found: by the desk within its scopes, by everybody once published; and how many have voted."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing
from portal.deliberation.models.codes import Channel, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollEntry, Turnout, Vote
from portal.deliberation.service import paper_waits, reach
from portal.deliberation.service.thresholds import NOTHING, Weight, threshold_of

A_PAGE = 40
# What everybody may read: a draft is the committee's, until its roll or its notice is out.
PUBLIC = tuple(state for state in VoteState if state is not VoteState.DRAFT)
V = VoteState
TABS: dict[str, tuple[VoteState, ...]] = {
    "going": (V.DRAFT, V.ROLL, V.OPEN, V.CLOSED, V.COUNTING),
    "counted": (V.COUNTED, V.VOID),
    "cancelled": (V.CANCELLED,),
}


def vote(vote_id: int, *, within: Collection[Scope]) -> Vote:
    """A vote as a worker reads it."""
    return _one(vote_id, reach.read_by(within))


def kept(vote_id: int, *, within: Collection[Scope]) -> Vote:
    """A vote that a worker runs: her own area leads its topic."""
    return _one(vote_id, reach.kept_by(within))


def shown(vote_id: int) -> Vote:
    """A vote as everybody may read it."""
    return _one(vote_id, sa.and_(reach.public(), Vote.state.in_(PUBLIC)))


def _one(vote_id: int, condition: sa.ColumnElement[bool]) -> Vote:
    found = db.session.scalar(_loaded().where(Vote.id == vote_id, condition))
    if found is None:
        raise Missing
    return found


def _loaded() -> sa.Select[Vote]:
    topic = joinedload(Vote.topic)
    options = (topic.joinedload(Topic.area), topic.selectinload(Topic.communities), selectinload(Vote.options))
    return sa.select(Vote).join(Topic, Vote.topic_id == Topic.id).options(*options)


def votes_within(within: Collection[Scope], *, tab: str = "going", page: int = 1) -> tuple[list[Vote], bool]:
    """A page of the votes of a desk, those that close next first, the ended newest first; and if there is more."""
    query = _loaded().where(reach.read_by(within), Vote.state.in_(TABS[tab]))
    order = (Vote.closes_at, Vote.id) if tab == "going" else (Vote.closes_at.desc(), Vote.id.desc())
    found = list(db.session.scalars(query.order_by(*order).limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def counts_within(within: Collection[Scope]) -> dict[str, int]:
    """How many votes a desk has under each tab."""
    query = sa.select(Vote.state, sa.func.count()).join(Topic, Vote.topic_id == Topic.id).where(reach.read_by(within))
    found = dict(db.session.execute(query.group_by(Vote.state)).all())
    return {tab: sum(found.get(state, 0) for state in states) for tab, states in TABS.items()}


def public_votes(*, ended: bool = False, page: int = 1) -> tuple[list[Vote], bool]:
    """Everybody's list: those that run or come, the first to close first; or those that ended, the newest first."""
    states = (V.COUNTED, V.VOID, V.CANCELLED) if ended else (V.ROLL, V.OPEN, V.CLOSED, V.COUNTING)
    query = _loaded().where(reach.public(), Vote.state.in_(states))
    order = (Vote.closes_at.desc(), Vote.id.desc()) if ended else (Vote.closes_at, Vote.id)
    found = list(db.session.scalars(query.order_by(*order).limit(A_PAGE + 1).offset((page - 1) * A_PAGE)))
    return found[:A_PAGE], len(found) > A_PAGE


def votes_of(topic: Topic, *, everything: bool = False) -> list[Vote]:
    """The votes of a topic, the newest first; with `everything` also drafts."""
    query = sa.select(Vote).where(Vote.topic_id == topic.id).order_by(Vote.id.desc()).limit(20)
    return list(db.session.scalars(query if everything else query.where(Vote.state.in_(PUBLIC))))


@dataclass(frozen=True)
class Figures:
    """Who is entitled and who has voted, by channel. Never what anybody chose."""

    entitled: Weight = NOTHING
    took_part: Weight = NOTHING
    by_channel: dict[Channel, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return self.entitled.heads - self.took_part.heads

    @property
    def papers_out(self) -> int:
        """Of an unnamed vote: how many took a paper, themselves or who holds their proxy."""
        return sum(self.by_channel.get(channel, 0) for channel in paper_waits.HANDED)

    def percent(self) -> str:
        """Of heads, to a tenth, cut off and not rounded: 66.6 % is not two thirds."""
        return _share(Decimal(self.took_part.heads), Decimal(self.entitled.heads))

    def percent_area(self) -> str:
        return _share(Decimal(self.took_part.area), Decimal(self.entitled.area))


def _share(part: Decimal, whole: Decimal) -> str:
    return f"{int(part * 1000 / whole) / 10:.1f}" if whole else "0.0"


def figures(vote: Vote) -> Figures:
    return figures_of([vote.id]).get(vote.id, Figures())


def figures_of(vote_ids: Collection[int]) -> dict[int, Figures]:
    """The same of several, in one question; who was struck off is on neither side."""
    query = (
        sa.select(RollEntry.vote_id, Turnout.channel, sa.func.count(RollEntry.id), sa.func.sum(RollEntry.area_m2))
        .outerjoin(Turnout, Turnout.entry_id == RollEntry.id)
        .where(RollEntry.vote_id.in_(vote_ids), RollEntry.struck_at.is_(None))
        .group_by(RollEntry.vote_id, Turnout.channel)
    )
    found: dict[int, Figures] = {}
    for number, channel, heads, area in db.session.execute(query) if vote_ids else ():
        weight, before = Weight(heads, Decimal(area or 0)), found.get(number, Figures())
        entitled = before.entitled + weight
        if channel is None:
            found[number] = Figures(entitled, before.took_part, before.by_channel)
        else:
            by_channel = before.by_channel | {channel: heads}
            found[number] = Figures(entitled, before.took_part + weight, by_channel)
    return found


def quorum_met(vote: Vote, known: Figures) -> bool | None:
    """Whether enough have voted already; None before a rule stands on the vote.

    A paper of an unnamed vote is a vote once it came out of a box: until then it makes no quorum.
    """
    if not vote.rule:
        return None
    heads = known.took_part.heads
    if not vote.is_named and known.papers_out:
        heads -= known.papers_out - paper_waits.booked(vote)
    return threshold_of(vote.rule).quorum_met(Weight(heads, known.took_part.area), known.entitled)


def least_needed(vote: Vote, known: Figures) -> int | None:
    """How many heads make the quorum."""
    return threshold_of(vote.rule).quorum.least(known.entitled.heads) if vote.rule else None


def least_area(vote: Vote, known: Figures) -> Decimal | None:
    """How many m² of the owners make it; None where heads alone count."""
    if not vote.rule or not vote.rule["by_area"]:
        return None
    return threshold_of(vote.rule).quorum.least_area(known.entitled.area)


def entry_page(vote: Vote, *, voted: bool, page: int = 1, size: int = 100) -> tuple[list[RollEntry], bool]:
    """A page of the roll by number: those who have voted, or those who have not; whether there is more."""
    has = sa.select(Turnout.entry_id).where(Turnout.vote_id == vote.id)
    where = RollEntry.id.in_(has) if voted else RollEntry.id.not_in(has)
    query = sa.select(RollEntry).where(RollEntry.vote_id == vote.id, RollEntry.struck_at.is_(None), where)
    found = list(db.session.scalars(query.order_by(RollEntry.number).limit(size + 1).offset((page - 1) * size)))
    return found[:size], len(found) > size


def entries_from(vote: Vote, start: int, count: int) -> list[RollEntry]:
    """So many entries that have not voted, from a number on: whose ballots are printed."""
    has = sa.select(Turnout.entry_id).where(Turnout.vote_id == vote.id)
    query = sa.select(RollEntry).where(
        RollEntry.vote_id == vote.id, RollEntry.struck_at.is_(None), RollEntry.id.not_in(has), RollEntry.number >= start
    )
    return list(db.session.scalars(query.order_by(RollEntry.number).limit(count)))


def channels_of(vote: Vote, entry_ids: Collection[int] | None = None) -> dict[int, Channel]:
    """By which channel entries have voted: some of them, or all."""
    query = sa.select(Turnout.entry_id, Turnout.channel).where(Turnout.vote_id == vote.id)
    if entry_ids is not None:
        query = query.where(Turnout.entry_id.in_(entry_ids))
    rows = db.session.execute(query.order_by(Turnout.entry_id))
    return dict(rows.all())
