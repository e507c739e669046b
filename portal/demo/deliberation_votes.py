"""Votes of the demonstration: one by households that runs, one of owners that is prepared."""

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core.access import Actor, Platform
from portal.core.clock import day_bounds, now, today
from portal.deliberation.models.codes import BatchState, Body, Channel, Stage, VoteState
from portal.deliberation.models.meetings import Notice
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import (
    NamedBallot,
    PaperBatch,
    PaperLine,
    RollEntry,
    Turnout,
    Vote,
    VoteOption,
)
from portal.deliberation.service import casting, papers, rolls, rules, vote_notices, vote_rules
from portal.identity.models import Account
from portal.registry.models import Person

GARDEN = "小花园和健身场地先改哪里"
PLANS = ("先改小花园", "先改健身场地", "两处都先做一点")
# Who has not voted yet, so that somebody can try.
LATER = ("王秀英", "李小红")


def build_votes(session: Session, community: Area) -> None:
    topic = session.scalar(sa.select(Topic).where(Topic.title == GARDEN))
    if topic is None:
        return
    account = session.scalars(sa.select(Account).where(Account.platform == Platform.DESK).order_by(Account.id)).first()
    by = Actor(account.id, account.public_id, "周洁", Platform.DESK, (), 0, now()) if account else None
    if by is None:
        return
    chance = random.Random(20260716)
    _running(session, topic, by, chance)
    _prepared(session, community)


def _vote(session: Session, topic: Topic, labels: Sequence[tuple[str, bool]], **facts: Any) -> Vote:
    vote = Vote(topic=topic, made_by_name="周洁", rule={}, extent={}, result={}, **facts)
    vote.options = [
        VoteOption(number=number, label=label, carries=carries) for number, (label, carries) in enumerate(labels, 1)
    ]
    session.add(vote)
    session.flush()
    return vote


def _opened(vote: Vote, by: Actor) -> list[RollEntry]:
    """Its roll made and frozen, its rule confirmed, its notice out."""
    rolls.build(vote, by=by)
    rule = vote_rules.rule_of(vote)
    if rule is not None:
        vote.rule_confirmed_at, vote.rule_confirmed_by_name = vote.opens_at - timedelta(days=12), "周洁"
        vote.rule_id, vote.rule = rule.id, rules.snapshot(rule, confirmed_by="周洁")
        facts = vote_notices.facts_of(vote, rule, "春风里社区居委会 010-55550101")
        title = f"关于“{vote.question}”的表决通知"
        notice = Notice(topic_id=vote.topic_id, vote_id=vote.id, title=title, facts=facts, published_by_name="周洁")
        notice.published_at = vote.opens_at - timedelta(days=12)
        sa.orm.object_session(vote).add(notice)  # type: ignore[union-attr]
    vote.state, vote.frozen_at = VoteState.OPEN, vote.opens_at
    vote.corrections_until = vote.opens_at
    sa.orm.object_session(vote).flush()  # type: ignore[union-attr]
    return rolls.entries(vote)


def _running(session: Session, topic: Topic, by: Actor, chance: random.Random) -> None:
    """Each household says which plan comes first; by name, and it may be changed until the end."""
    day = day_bounds(today() - timedelta(days=4))[0]
    labels = [*((plan, True) for plan in PLANS), ("弃权", False)]
    facts = {"body": Body.RESIDENTS_HOUSEHOLDS, "is_named": True, "may_change": True, "takes_paper": True}
    times = {"opens_at": day + timedelta(hours=8), "closes_at": day + timedelta(days=11, hours=20)}
    words = "小花园重铺路面、修灯；健身场地换器械、铺软垫；两处都做，就只修路面和灯。\n过半数的今年做，其余明年做。"
    vote = _vote(session, topic, labels, question="小花园和健身场地，今年先改哪里？", words=words, **facts, **times)
    rows: list[dict[str, Any]] = []
    on_paper: dict[int, int] = {}
    waiting, booked = _homes_of(session), vote.opens_at + timedelta(days=3)
    for entry in _opened(vote, by):
        if entry.unit in waiting or chance.random() > 0.42:
            continue
        paper = chance.random() < 0.2
        choice = chance.choices((1, 2, 3, 4), (55, 22, 16, 7))[0]
        if paper:
            on_paper[entry.number] = choice
        rows.append(
            {
                "vote_id": vote.id,
                "entry_id": entry.id,
                "version": 1,
                "choice": choice,
                "channel": Channel.PAPER if paper else Channel.PHONE,
                "receipt": casting.receipt_for(vote, casting.new_slip()),
                "by_name": "周洁" if paper else entry.name,
                "at": booked if paper else vote.opens_at + timedelta(minutes=chance.randrange(60 * 24 * 3)),
            }
        )
    if rows:
        session.execute(sa.insert(NamedBallot), rows)
        session.execute(
            sa.insert(Turnout),
            [{"vote_id": vote.id, "entry_id": one["entry_id"], "channel": one["channel"]} for one in rows],
        )
        _boxed(session, vote, on_paper)


def _boxed(session: Session, vote: Vote, said: Mapping[int, int]) -> None:
    """The paper votes as two people entered them: roll numbers and choices, alike."""
    both = sa.select(Account).where(Account.username.in_(("worker", "committee"))).order_by(Account.username.desc())
    first, second = session.scalars(both)
    booked = vote.opens_at + timedelta(days=3)
    batch = PaperBatch(vote_id=vote.id, name="居委会门口的票箱", state=BatchState.BOOKED, booked=len(said))
    batch.made_at, batch.booked_at = booked - timedelta(hours=1), booked
    batch.first_by, batch.first_by_name = first.public_id, first.name
    batch.second_by, batch.second_by_name = second.public_id, second.name
    batch.first_done_at, batch.second_done_at = booked - timedelta(minutes=40), booked - timedelta(minutes=15)
    session.add(batch)
    session.flush()
    lines = [
        {"batch_id": batch.id, "turn": turn, "number": number, "figure": choice}
        for turn in (papers.FIRST, papers.SECOND, papers.SETTLED)
        for number, choice in said.items()
    ]
    session.execute(sa.insert(PaperLine), lines)


def _homes_of(session: Session) -> set[str]:
    found = session.scalars(sa.select(Person.household_id).where(Person.name.in_(LATER)))
    return {f"household:{home}" for home in found}


def _prepared(session: Session, community: Area) -> None:
    """A draft that the committee still has to bring to the wall."""
    where = (Topic.area_id == community.id, Topic.stage == Stage.MEETING)
    topic = session.scalars(sa.select(Topic).where(*where).order_by(Topic.id)).first()
    if topic is None:
        return
    day = day_bounds(today() + timedelta(days=25))[0]
    labels = (("同意", True), ("反对", False), ("弃权", False))
    facts = {"body": Body.OWNERS_SPECIAL, "matter": 7, "is_named": True, "takes_paper": True}
    times = {"opens_at": day + timedelta(hours=8), "closes_at": day + timedelta(days=10, hours=20)}
    _vote(session, topic, labels, question=f"是否同意“{topic.title[:40]}”的实施方案？", **facts, **times)
