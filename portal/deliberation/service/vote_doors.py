"""What the doors hand over of votes: what waits at the desk, that somebody took part, her own choices where named."""

# ruff: noqa: ARG001 every door has its shape, whether or not it uses all it is handed

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core.access import Actor, Scope, scopes_of
from portal.core.clock import day_bounds, local, now
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.deliberation.models.codes import ProxyState, Stage, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import (
    NamedBallot,
    PaperBatch,
    RollEntry,
    RollPerson,
    Turnout,
    Vote,
    VoteProxy,
)
from portal.deliberation.service import papers, reach, vote_words, votes
from portal.deliberation.service.taking_part import Step
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

BOXES = "deliberation.worker.paper_page"
RUNS = (VoteState.ROLL, VoteState.OPEN, VoteState.CLOSED, VoteState.COUNTING)
ENDED = (VoteState.COUNTED, VoteState.VOID, VoteState.CANCELLED)


def todo_of(worker: Actor) -> list[Todo]:
    """Votes whose time to open has come and that something still holds up, and closed ones that wait for paper."""
    within = scopes_of(worker, Permission.DELIBERATION_VOTES)
    if not within:
        return []
    moment, held, waits = now(), VoteState.ROLL, VoteState.CLOSED
    due = sa.or_(sa.and_(Vote.state == held, Vote.opens_at <= moment), Vote.state == waits)
    query = sa.select(Vote.state, sa.func.count(), sa.func.min(Vote.closes_at)).join(Topic, Vote.topic_id == Topic.id)
    rows = db.session.execute(query.where(reach.kept_by(within), due).group_by(Vote.state))
    said = {held: _("表决到了开始时间，还有事没办好"), waits: _("投票截止，等录纸质票和计票")}
    return [
        Todo(said[state], "deliberation.worker.votes_page", count=count, due=closes, late=state is held)
        for state, count, closes in rows
    ] + _boxes(worker, within)


def _boxes(worker: Actor, within: Collection[Scope]) -> list[Todo]:
    """Boxes of paper votes that wait for her, each vote a line."""
    query = (
        sa.select(Vote.id, Vote.question, sa.func.count())
        .join(PaperBatch, PaperBatch.vote_id == Vote.id)
        .join(Topic, Vote.topic_id == Topic.id)
        .where(Vote.state.in_((VoteState.OPEN, VoteState.CLOSED)), Vote.papers_done_at.is_(None))
        .where(papers.waits_for(worker), reach.kept_by(within))
        .group_by(Vote.id, Vote.question)
        .order_by(Vote.id)
    )
    return [
        Todo(_("纸质票等您录入、核对或入账：%(question)s", question=words), BOXES, {"vote_id": number}, count=count)
        for number, words, count in db.session.execute(query)
    ]


def _ballots(person: Person) -> sa.Select[NamedBallot]:
    """Her named ballots, each version."""
    entry = joinedload(NamedBallot.entry).joinedload(RollEntry.vote).selectinload(Vote.options)
    return sa.select(NamedBallot).where(NamedBallot.person_id.in_(people.ids_of(person))).options(entry)


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """That she took part in a named vote, never how; of an unnamed one nothing has a time."""
    query = _ballots(person).where(NamedBallot.version == 1)
    found = db.session.scalars(query.order_by(NamedBallot.at.desc(), NamedBallot.id.desc()).limit(limit))
    return [Line(one.at, _("参加表决"), one.entry.vote.question) for one in found]


def export(person: Person) -> list[dict[str, Any]]:
    """Her own copy: where she is on a roll and whether that entry has voted; her choices where the vote is named."""
    query = (
        sa.select(RollPerson, Turnout.channel)
        .outerjoin(Turnout, Turnout.entry_id == RollPerson.entry_id)
        .where(RollPerson.person_id.in_(people.ids_of(person)))
        .options(joinedload(RollPerson.entry).joinedload(RollEntry.vote))
        .order_by(RollPerson.id)
    )
    rolls = [
        {
            _("表决"): one.entry.vote.question,
            _("名册编号"): one.entry.number,
            _("是否投过"): vote_words.channel_words(channel) if channel else _("没有投"),
        }
        for one, channel in db.session.execute(query)
    ]
    ballots = [
        {
            _("记名表决"): one.entry.vote.question,
            _("投票时间"): f"{local(one.at):%Y-%m-%d %H:%M}",
            _("投的是"): vote_words.option_words(one.entry.vote, one.choice),
        }
        for one in db.session.scalars(_ballots(person).order_by(NamedBallot.id))
    ]
    return rolls + ballots + _exported_proxies(person)


def _exported_proxies(person: Person) -> list[dict[str, Any]]:
    """By whom she was asked to vote, and whom somebody asked to vote in her place."""
    mine = people.ids_of(person)
    given = sa.select(RollPerson.entry_id).where(RollPerson.person_id.in_(mine))
    query = sa.select(VoteProxy).where(sa.or_(VoteProxy.holder_person_id.in_(mine), VoteProxy.entry_id.in_(given)))
    found = db.session.scalars(query.options(joinedload(VoteProxy.entry)).order_by(VoteProxy.id))
    return [
        {
            _("委托投票的人"): one.entry.name,
            _("受托投票的人"): one.holder,
            _("状态"): vote_words.proxy_words(one.state),
        }
        for one in found
    ]


def purge(before: date) -> int:
    """The written proxies of votes that ended before a day, and the documents of those by which was voted; ballots,
    rolls and files are records and stay.
    """
    moment = day_bounds(before)[0]
    ended = sa.select(Vote.id).where(Vote.state.in_(ENDED), Vote.closes_at < moment)
    kept = sa.select(NamedBallot.proxy_id).where(NamedBallot.proxy_id.is_not(None))
    forgetting = (
        sa.delete(VoteProxy).where(VoteProxy.vote_id.in_(ended), VoteProxy.id.not_in(kept)),
        sa.update(VoteProxy).where(VoteProxy.vote_id.in_(ended), VoteProxy.document != b"").values(document=b""),
    )
    done = [db.session.execute(one.execution_options(synchronize_session=False)) for one in forgetting]
    return sum(int(getattr(one, "rowcount", 0)) for one in done)


def steps(topic: Topic, person: Person | None, at: datetime) -> list[Step]:
    """Votes that everybody may read; to be cast where an entry of hers, or one she holds a proxy of, has not voted."""
    found = votes.votes_of(topic)
    mine, proxies = _to_cast([one.id for one in found if one.takes_votes(at)], person)
    named = {one.id: one for one in found if one.is_named}
    return [_step(one, one.id in mine, at) for one in found] + [
        Step(
            _("替%(name)s投票", name=name),
            _("您受书面委托：%(question)s", question=named[vote].question),
            "deliberation.resident.proxy_cast",
            {"vote_id": vote, "public_id": public_id},
            named[vote].closes_at,
            now=True,
        )
        for vote, public_id, name in proxies
        if vote in named
    ]


def _to_cast(open_ones: Sequence[int], person: Person | None) -> tuple[set[int], list[tuple[int, str, str]]]:
    """Of some votes those in which an entry of hers has not voted; and the unused proxies she holds there."""
    if person is None or not open_ones:
        return set(), []
    ids = people.ids_of(person)
    own = (
        sa.select(RollPerson.vote_id, sa.literal("").label("proxy"), RollEntry.name)
        .join(RollEntry, RollPerson.entry_id == RollEntry.id)
        .where(RollPerson.vote_id.in_(open_ones), RollPerson.person_id.in_(ids))
    )
    held = (
        sa.select(VoteProxy.vote_id, VoteProxy.public_id.label("proxy"), RollEntry.name)
        .join(RollEntry, VoteProxy.entry_id == RollEntry.id)
        .where(VoteProxy.vote_id.in_(open_ones), VoteProxy.holder_person_id.in_(ids))
        .where(VoteProxy.state == ProxyState.GIVEN)
    )
    voted = RollEntry.id.in_(sa.select(Turnout.entry_id).where(Turnout.vote_id.in_(open_ones)))
    query = sa.union_all(*(part.where(RollEntry.struck_at.is_(None), ~voted) for part in (own, held)))
    rows = [(vote, proxy, name) for vote, proxy, name in db.session.execute(query)]
    return {vote for vote, proxy, _name in rows if not proxy}, [row for row in rows if row[1]]


def _step(vote: Vote, mine: bool, at: datetime) -> Step:
    takes = vote.takes_votes(at)
    if takes and mine:
        words = _("您有一票还没投，点这里投票")
    elif takes:
        words = _("投票中，点这里看材料")
    else:
        words = vote_words.state_words(vote.state)
    endpoint, values = "deliberation.resident.vote_page", {"vote_id": vote.id}
    return Step(vote.question, words, endpoint, values, vote.closes_at if takes else None, now=takes and mine)


def desk_steps(topic: Topic, at: datetime) -> list[Step]:
    """The votes of a topic at the desk, and where another is made."""
    found = [
        Step(
            one.question,
            vote_words.state_words(one.state),
            "deliberation.worker.vote_page",
            {"vote_id": one.id},
            one.closes_at if one.state is VoteState.OPEN else None,
            now=one.state in RUNS or one.state is VoteState.DRAFT,
        )
        for one in votes.votes_of(topic, everything=True)
    ]
    if topic.stage is Stage.VOTING and not any(one.now for one in found):
        words = _("由有权的居民或业主投票决定：写好问题和选项，再公示名册")
        found.append(Step(_("办一次表决"), words, "deliberation.worker.vote_new", {"topic_id": topic.id}, now=True))
    elif topic.stage not in {Stage.DRAFT, Stage.ARCHIVED, Stage.WITHDRAWN}:
        words = _("可以先起草，等走到“提交表决”再公示名册")
        found.append(Step(_("起草一次表决"), words, "deliberation.worker.vote_new", {"topic_id": topic.id}))
    return found
