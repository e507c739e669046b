"""Finding twins in a community: only people who share a key are compared, so that 50,000 take seconds."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator
from itertools import combinations
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import audit, jobs, settings
from portal.core.clock import now
from portal.core.db import apart, transaction
from portal.registry.models import Household, Person, PersonState, TwinPair, TwinState
from portal.registry.service.twins.scoring import Record, reasons, score, similar, weights

# A key that more people share says nothing: the committee's telephone, the collective household.
BLOCK = 60
CHUNK = 500
WAITING = (TwinState.OPEN, TwinState.LATER)
Found = dict[tuple[int, int], tuple[int, list[str]]]


def ask(community: Area) -> None:
    """Have a community's twins looked for in the background."""
    audit.record("registry.twins_sought", community)
    jobs.enqueue("registry.find_twins", community_id=community.id)


def seek(community_id: int) -> int:
    """Find a community's twins anew; pairs that were decided stay as they are. Returns how many wait."""
    with apart() as session:
        people = records_of(session, community_id)
        points, least = weights(), settings.get("twins.least")
    found = scored(people, points, least)
    try:
        with transaction() as session:
            return _store(session, community_id, found)
    except IntegrityError:
        # Another search of the same community was a moment faster, and found the same.
        return len(found)


def records_of(session: Session, community_id: int) -> list[Record]:
    """The living of a community, by id."""
    query = (
        sa.select(
            Person.id,
            Person.name,
            Person.pinyin,
            Person.sex,
            Person.birth_date,
            Person.id_index,
            Person.phone_index,
            Household.dwelling_id,
        )
        .outerjoin(Household, Person.household_id == Household.id)
        .where(Person.community_id == community_id, Person.merged_into_id.is_(None), Person.state != PersonState.DEAD)
        .order_by(Person.id)
    )
    return [Record(*row) for row in session.execute(query)]


KEYS: tuple[Callable[[Record], Hashable | None], ...] = (
    lambda one: one.phone,
    lambda one: (one.name, one.born.year) if one.born else (one.name,),
    lambda one: (one.sound, one.born) if one.born else None,
    lambda one: one.dwelling,
)


def scored(people: Collection[Record], points: dict[str, int], least: int) -> Found:
    """Every pair that is alike enough, by ids, with score and reasons."""
    found: Found = {}
    hopeless = 100 - points["other_number"] < least
    for one, other in _candidates(people, hopeless=hopeless):
        pair = one.id, other.id
        if pair not in found:
            codes = reasons(one, other)
            found[pair] = score(codes, points), codes
    return {pair: said for pair, said in found.items() if said[0] >= least}


def _candidates(people: Collection[Record], *, hopeless: bool) -> Iterator[tuple[Record, Record]]:
    """Pairs that share a key, in the order in which they stand; where two numbers make a pair hopeless, only those of
    whom one has none, so that a register with all its numbers costs one walk.
    """
    for key in KEYS:
        wanted = {key(one) for one in people if one.number is None} if hopeless else None
        blocks: dict[Hashable, list[Record]] = defaultdict(list)
        for one in people:
            value = key(one)
            if value is not None and (wanted is None or value in wanted):
                blocks[value].append(one)
        for block in blocks.values():
            if 1 < len(block) <= BLOCK:
                yield from (pair for pair in combinations(block, 2) if _worth(*pair))


def _worth(one: Record, other: Record) -> bool:
    """Neighbours and relatives share roofs and telephones: without any likeness of name or birth nobody is a twin."""
    born = one.born is not None and one.born == other.born
    return born or one.sound == other.sound or similar(one.name, other.name)


def _store(session: Session, community_id: int, found: Found) -> int:
    stored = {
        (pair.person_id, pair.other_id): pair
        for pair in session.execute(
            sa.select(
                TwinPair.id, TwinPair.person_id, TwinPair.other_id, TwinPair.state, TwinPair.score, TwinPair.reasons
            ).where(TwinPair.community_id == community_id)
        )
    }
    moment = now()
    fresh = [
        {"community_id": community_id, "person_id": pair[0], "other_id": pair[1], "found_at": moment, **_said(said)}
        for pair, said in found.items()
        if pair not in stored
    ]
    for start in range(0, len(fresh), CHUNK):
        session.execute(sa.insert(TwinPair), fresh[start : start + CHUNK])
    changed = [
        {"id": row.id, **_said(found[pair])}
        for pair, row in stored.items()
        if pair in found and (row.score, row.reasons) != found[pair]
    ]
    if changed:
        session.execute(sa.update(TwinPair), changed)
    gone = [row.id for pair, row in stored.items() if pair not in found and row.state in WAITING]
    for start in range(0, len(gone), CHUNK):
        session.execute(sa.delete(TwinPair).where(TwinPair.id.in_(gone[start : start + CHUNK])))
    decided = sum(1 for pair, row in stored.items() if pair in found and row.state not in WAITING)
    return len(found) - decided


def _said(said: tuple[int, list[str]]) -> dict[str, Any]:
    return {"score": said[0], "reasons": said[1]}
