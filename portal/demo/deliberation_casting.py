"""Votes of some months ago that are counted: their results, their files, and receipts to look up."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.deliberation.models.codes import Body, Channel, VoteState
from portal.deliberation.models.meetings import Notice
from portal.deliberation.models.topics import Topic, TopicEntry
from portal.deliberation.models.votes import RollEntry, RollPerson, SecretBallot, Turnout, Vote, VoteOption
from portal.deliberation.service import casting, counting, rule_words, vote_words
from portal.demo.deliberation_days import CANTEEN, RAMPS
from portal.registry.models import Person, PersonState

KNOWN = ("王秀英", "李小红")
RULE = {
    "article": "《城市居民委员会组织法》第九条、第十条",
    "notice_days": 0,
    "quorum": [2, 3],
    "quorum_over": False,
    "passes": [1, 2],
    "passes_over": True,
    "by_area": False,
    "registered_only": False,
    "least_age": 18,
    "confirmed": True,
    "confirmed_by_name": "何立新",
}


def build_votes(session: Session, community: Area, day: date) -> None:
    ramps = _vote(session, RAMPS, day - timedelta(days=106), day - timedelta(days=99))
    ramps.question = "是否同意在 14 个单元门口修坡道、装扶手？"
    ramps.words = "区里出八成，社区公益金出两成，不向居民收钱。施工期间每个单元门口封闭两天。"
    canteen = _vote(session, CANTEEN, day - timedelta(days=164), day - timedelta(days=158))
    canteen.question = "午饭十一点开、送餐到三公里，就按听证会的方案定下来，好不好？"
    canteen.words = "听证会上有两种方案：十一点开饭，或者十一点半开饭。多数人要十一点。"
    for vote, heads, took_part, pattern in (
        (ramps, 40, 33, [1, 1, 1, 2, 1, 3, 1, 1]),
        (canteen, 38, 31, [1, 1, 2, 1, 1, 1, 3, 1, 1, 2]),
    ):
        _offer(vote, [("同意", True), ("反对", False), ("弃权", False)])
        session.add(vote)
        session.flush()
        _told(session, vote, heads)
        _drop(session, vote, _roll(session, vote, community, heads)[:took_part], pattern)
        _count(session, vote)


def _told(session: Session, vote: Vote, heads: int) -> None:
    """What the public log says of a vote before it is counted."""
    session.add(_notice(vote, heads))
    asks, row = {"question": vote.question}, {"topic_id": vote.topic.id, "by_name": "周洁"}
    session.add_all(
        TopicEntry(**row, deed=deed, at=at, facts=facts)
        for deed, at, facts in (
            ("roll_published", vote.roll_at, {"heads": heads}),
            ("vote_announced", vote.roll_at, asks),
            ("vote_opened", vote.opens_at, asks | {"count": heads}),
            ("vote_closed", vote.closes_at, {"vote": vote.question}),
        )
    )


def _notice(vote: Vote, heads: int) -> Notice:
    facts = {
        "when": vote_words.time_words(vote),
        "where": "手机上投票",
        "matters": [vote.question, "选项：同意、反对、弃权"],
        "entitled": f"居民代表会议，每位代表一票，名册上共 {heads} 票",
        "kind": vote_words.kind_words(vote),
        "rule": "；".join((rule_words.quorum_words(vote.rule), rule_words.passes_words(vote.rule))),
        "contact": "春风里社区居委会 010-55550101",
    }
    title = f"关于“{vote.question}”的表决通知"
    row = {"topic_id": vote.topic.id, "vote_id": vote.id, "published_at": vote.roll_at, "published_by_name": "周洁"}
    return Notice(title=title, facts=facts, **row)


def _vote(session: Session, title: str, opens: date, closes: date) -> Vote:
    topic = session.scalars(sa.select(Topic).where(Topic.title == title)).one()
    return Vote(
        topic=topic,
        question="",
        body=Body.RESIDENT_DELEGATES,
        rule=dict(RULE),
        is_named=False,
        takes_paper=False,
        state=VoteState.CLOSED,
        opens_at=clock.at(opens, time(9)),
        closes_at=clock.at(closes, time(18)),
        roll_at=clock.at(opens - timedelta(days=8), time(10)),
        corrections_until=clock.at(opens - timedelta(days=1), time(18)),
        frozen_at=clock.at(opens, time(9)),
        closed_at=clock.at(closes, time(18)),
        made_at=clock.at(opens - timedelta(days=10), time(10)),
        made_by_name="周洁",
    )


def _offer(vote: Vote, options: list[tuple[str, bool]]) -> None:
    vote.options = [VoteOption(number=n, label=label, carries=put) for n, (label, put) in enumerate(options, 1)]


def _roll(session: Session, vote: Vote, community: Area, count: int) -> list[RollEntry]:
    """Delegates, the two residents that the demonstration shows among them."""
    grown = clock.today().replace(day=1) - timedelta(days=20 * 366)
    query = sa.select(Person).where(
        Person.community_id == community.id, Person.state == PersonState.PRESENT, Person.birth_date < grown
    )
    known = list(session.scalars(query.where(Person.name.in_(KNOWN)).order_by(Person.id)))
    others = session.scalars(query.where(Person.name.not_in(KNOWN)).order_by(Person.id).limit(count - len(known)))
    made = []
    for number, person in enumerate([*others, *known], start=1):
        entry = RollEntry(
            vote_id=vote.id, number=number, unit=f"delegate:{person.id}", name=person.name, place="春风里小区"
        )
        session.add(entry)
        session.flush()
        session.add(RollPerson(vote_id=vote.id, entry_id=entry.id, person_id=person.id))
        made.append(entry)
    return made


def _drop(session: Session, vote: Vote, entries: list[RollEntry], pattern: list[int]) -> None:
    chance = random.Random(vote.id)
    chance.shuffle(entries)
    rows: list[dict[str, Any]] = [
        {"key": casting.receipt_for(vote, casting.new_slip()), "vote_id": vote.id, "choice": pattern[n % len(pattern)]}
        for n in range(len(entries))
    ]
    session.execute(
        sa.insert(Turnout), [{"entry_id": one.id, "vote_id": vote.id, "channel": Channel.PHONE} for one in entries]
    )
    session.execute(sa.insert(SecretBallot), rows)
    session.flush()


def _count(session: Session, vote: Vote) -> None:
    """Counted when it closed, as far as its page and the public log say."""
    at = vote.closes_at + timedelta(minutes=1)
    with _as_of(session, at):
        counting.count(vote)
    vote.counted_at = at
    session.flush()


@contextmanager
def _as_of(session: Session, at: datetime) -> Iterator[None]:
    """What is written to the public log meanwhile was written then: a line of it cannot be changed afterwards."""

    def back(_session: Session, _context: Any, _instances: Any) -> None:
        for row in session.new:
            if isinstance(row, TopicEntry):
                row.at = at

    sa.event.listen(session, "before_flush", back)
    try:
        yield
    finally:
        sa.event.remove(session, "before_flush", back)
