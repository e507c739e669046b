"""Rolls as they are shown: to the desk in pages with what waits, to a resident her own entries alone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.deliberation.models.codes import AskState, VoteState
from portal.deliberation.models.votes import RollCorrection, RollEntry, RollPerson, Vote
from portal.deliberation.service import reach, roll_corrections, rolls, votes
from portal.deliberation.service.thresholds import Weight
from portal.registry.models import Person

A_PAGE = 100


@dataclass(frozen=True)
class Shown:
    """What the desk sees: a page of entries, how many there are, what was asked, whether it may still change, and how
    many people may cast for each entry: where it is nobody, only paper is left.
    """

    entries: list[RollEntry]
    more: bool
    weight: Weight
    asked: list[RollCorrection]
    may_change: bool
    voices: dict[int, int]

    @property
    def waiting(self) -> int:
        return sum(1 for one in self.asked if one.state is AskState.OPEN)


def desk(vote: Vote, *, words: str = "", page: int = 1, asked: bool = True, named: bool = True) -> Shown:
    """Without `named` no line of it, without `asked` nothing that residents asked to have put right."""
    mine = sa.select(sa.func.count(RollPerson.id)).where(RollPerson.entry_id == RollEntry.id).scalar_subquery()
    query = sa.select(RollEntry, mine).where(RollEntry.vote_id == vote.id)
    if words.isdigit():
        query = query.where(RollEntry.number == int(words[:9]))
    elif words:
        query = query.where(RollEntry.name.contains(words, autoescape=True))
    query = query.order_by(RollEntry.number).limit(A_PAGE + 1).offset((page - 1) * A_PAGE)
    found = [(one, int(count)) for one, count in db.session.execute(query)] if named else []
    changes = vote.frozen_at is None and vote.state in {VoteState.DRAFT, VoteState.ROLL}
    shown, voices = [one for one, _count in found[:A_PAGE]], {one.id: count for one, count in found}
    wanted = roll_corrections.of_vote(vote) if asked else []
    return Shown(shown, len(found) > A_PAGE, rolls.entitled(vote), wanted, changes, voices)


def entry(vote: Vote, number: int) -> RollEntry:
    """An entry by its number, struck or not; Missing where there is none."""
    query = sa.select(RollEntry).where(RollEntry.vote_id == vote.id, RollEntry.number == number)
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def look_or_none(vote: Vote) -> rolls.Look | None:
    """What the register gives today; None where no rule holds for the vote's day."""
    try:
        return rolls.look(vote)
    except Refused:
        return None


def keeps(vote: Vote, within: Collection[Scope]) -> bool:
    return reach.keeps(vote.topic, within)


def reads_names(vote: Vote, within: Collection[Scope]) -> bool:
    """Whether a worker reads who is on the roll: she keeps the vote, or every community of it is hers."""
    if keeps(vote, within):
        return True
    return set(reach.community_ids(vote.topic)) <= set(db.session.scalars(reach.touched(within)))


def readable(vote_id: int, within: Collection[Scope]) -> Vote:
    """A vote whose roll a worker reads by name; Missing else."""
    found = votes.vote(vote_id, within=within)
    if not reads_names(found, within):
        raise Missing
    return found


@dataclass(frozen=True)
class Mine:
    """What somebody finds of herself: her entries, struck ones too, what she asked, whether she may ask now."""

    entries: list[RollEntry]
    asked: list[RollCorrection]
    may_ask: bool


def mine(vote: Vote, person: Person | None, at: datetime) -> Mine:
    if person is None:
        return Mine([], [], may_ask=False)
    asked = roll_corrections.of_person(vote, person)
    waits = any(one.state is AskState.OPEN for one in asked)
    may_ask = roll_corrections.may_ask(vote, at) and not waits
    return Mine(rolls.entries_of(vote, person, struck=True), asked, may_ask)
