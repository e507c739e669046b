"""What somebody has to do with a vote: the lines of the roll she may vote for, and what has come of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, load_only

from portal.core.db import db
from portal.core.errors import Missing
from portal.deliberation.models.codes import Channel, VoteState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import NamedBallot, RollEntry, RollPerson, Turnout, Vote
from portal.deliberation.service import casting, chain, counting, reach, votes
from portal.registry.models import Person
from portal.registry.service import people


@dataclass(frozen=True)
class Own:
    """A line of the roll that somebody may vote for: whether it has voted, and of a named vote how."""

    entry: RollEntry
    channel: Channel | None
    ballot: NamedBallot | None
    open: bool

    @property
    def number(self) -> int:
        return self.entry.number

    @property
    def struck(self) -> bool:
        return self.entry.struck_at is not None

    @property
    def version(self) -> int:
        return self.ballot.version if self.ballot else 0


def own(vote: Vote, person: Person | None, at: datetime) -> list[Own]:
    """Her lines by number, those struck off too; nothing for who is on no roll."""
    if person is None or vote.state is VoteState.DRAFT:
        return []
    found = _lines(vote, person)
    ballots = _newest(vote, [entry for entry, _channel in found])
    takes = vote.takes_votes(at)
    return [
        Own(
            entry,
            channel,
            ballots.get(entry.id),
            takes and entry.struck_at is None and (channel is None or (vote.is_named and vote.may_change)),
        )
        for entry, channel in found
    ]


def _lines(vote: Vote, person: Person) -> list[tuple[RollEntry, Channel | None]]:
    """Her entries by number, each with the channel by which it has voted."""
    found = db.session.execute(_hers(), {"vote": vote.id, "person": person.id})
    return [(entry, channel) for entry, channel in found]


@cache
def _hers() -> sa.Select[RollEntry, Channel | None]:
    """Whoever votes asks this, on her page and with her vote: built once."""
    mine = people.merged_into(Person.id == sa.bindparam("person"))
    hers = sa.select(RollPerson.entry_id).where(RollPerson.person_id.in_(mine))
    return (
        sa.select(RollEntry, Turnout.channel)
        .outerjoin(Turnout, Turnout.entry_id == RollEntry.id)
        .where(RollEntry.vote_id == sa.bindparam("vote"), RollEntry.id.in_(hers))
        .order_by(RollEntry.number)
    )


def ballot_of(vote_id: int) -> Vote:
    """A vote as its ballot needs it, in one question: with its options, without what is told of it and its topic."""
    found = db.session.scalars(_ballot(), {"vote": vote_id}).unique().one_or_none()
    if found is None:
        raise Missing
    return found


@cache
def _ballot() -> sa.Select[Vote]:
    asked = (Vote.topic_id, Vote.question, Vote.state, Vote.is_named, Vote.may_change, Vote.opens_at, Vote.closes_at)
    query = sa.select(Vote).join(Topic, Vote.topic_id == Topic.id).where(Vote.id == sa.bindparam("vote"))
    query = query.where(reach.public(), Vote.state.in_(votes.PUBLIC))
    return query.options(load_only(*asked), joinedload(Vote.options))


def _newest(vote: Vote, entries: Sequence[RollEntry]) -> dict[int, NamedBallot]:
    """By entry, the version that counts; an unnamed vote has none."""
    if not vote.is_named or not entries:
        return {}
    query = sa.select(NamedBallot).where(NamedBallot.entry_id.in_([entry.id for entry in entries]))
    return {ballot.entry_id: ballot for ballot in db.session.scalars(query.order_by(NamedBallot.version))}


def chosen(lines: Sequence[Own], number: int) -> Own:
    """The line under a number of the roll, or the first that is not struck off; Missing for what is not hers."""
    found = [line for line in lines if line.number == number] if number else list(lines)
    if not found:
        raise Missing
    return min(found, key=lambda line: line.struck)


def why_not(vote: Vote, lines: Sequence[Own], at: datetime) -> str:
    """What somebody reads who cannot vote just now; "" for who can."""
    struck = bool(lines) and all(line.struck for line in lines)
    if vote.state in {VoteState.ROLL, VoteState.OPEN} and at < vote.opens_at:
        return _struck_early() if struck else _("投票还没有开始，请到时间再来。")
    if not vote.takes_votes(at):
        return ""
    if not lines:
        return _("这次表决的名册里没有您。觉得应该有的，请打社区电话查问。")
    if struck:
        return _("您已不在这次表决的名册里，不能投票。有疑问请向社区查问。")
    return ""


def _struck_early() -> str:
    return _("您已不在这次表决的名册里，到时候不能投票。请点“我在不在名册上”看原因，觉得不对的，那里写着怎么办。")


@dataclass(frozen=True)
class Found:
    """What a receipt is known as: the number of its ballot in the file and its option, once it is counted."""

    code: str
    number: int = 0
    choice: int = 0


def look_up(vote: Vote, text: str) -> Found | None:
    """A receipt of this vote: that it is kept, and after counting what stands beside it in the published file."""
    code = casting.typed(text)
    if vote.state is VoteState.COUNTED:
        file = counting.file_of(vote)
        row = chain.row_of(file.content, code) if file else None
        return Found(code, row[0], row[1].choice) if row else None
    return Found(code) if casting.keeps(vote, code) else None
