"""A vote of some months ago that is counted: its result, its file, and receipts to look up."""

import random
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.deliberation.models.codes import Body, Channel, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import RollEntry, RollPerson, SecretBallot, Turnout, Vote, VoteOption
from portal.deliberation.service import casting, counting
from portal.registry.models import Person, PersonState

RAMPS = "单元门口的坡道和扶手"
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
    ramps = _vote(session, RAMPS, day - timedelta(days=96), day - timedelta(days=89))
    ramps.question = "是否同意在 14 个单元门口修坡道、装扶手？"
    ramps.words = "区里出八成，社区公益金出两成，不向居民收钱。施工期间每个单元门口封闭两天。"
    _offer(ramps, [("同意", True), ("反对", False), ("弃权", False)])
    session.add(ramps)
    session.flush()
    _drop(session, ramps, _roll(session, ramps, community, 40)[:33], [1, 1, 1, 2, 1, 3, 1, 1])
    _count(session, ramps)


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
    """Counted when it closed, as far as its page says."""
    counting.count(vote)
    vote.counted_at = vote.closes_at + timedelta(minutes=1)
    session.flush()
