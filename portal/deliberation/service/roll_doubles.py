"""One head, one line: whether somebody, or a household, stands on a roll twice, by hand and from the register."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db
from portal.deliberation.models.codes import Unit
from portal.deliberation.models.votes import RollEntry, RollPerson, Vote
from portal.deliberation.service import roll_units
from portal.registry.models import Person
from portal.registry.service import people

# Why a line added by hand was struck by the house itself: the register has the same head by now.
DOUBLE = "登记补上以后，已在名册另一行"


@dataclass
class _Line:
    """What a line stands for: a person as she is since records were merged, a household, or the unit itself."""

    id: int
    number: int
    by_hand: bool
    struck: bool
    keys: set[str]


def doubles(vote: Vote) -> list[tuple[int, int]]:
    """The numbers of lines that stand for the same head. An owner may stand on several: alone and with others."""
    if vote.unit is Unit.OWNER:
        return []
    seen: dict[str, int] = {}
    found: set[tuple[int, int]] = set()
    for line in _lines(vote):
        for key in () if line.struck else line.keys:
            first = seen.setdefault(key, line.number)
            if first != line.number:
                found.add((first, line.number))
    return sorted(found)


def settle(vote: Vote) -> None:
    """What the register gives now takes the place of what was added by hand for the same head."""
    lines = [] if vote.unit is Unit.OWNER else [line for line in _lines(vote) if not line.struck]
    given: set[str] = set().union(*(line.keys for line in lines if not line.by_hand))
    for line in lines:
        if line.by_hand and line.keys & given:
            entry = db.session.get_one(RollEntry, line.id)
            entry.struck_at, entry.struck_why = now(), DOUBLE
    db.session.flush()


def holds(vote: Vote, person: Person) -> bool:
    """Whether somebody, or where households vote hers, stands on the roll already."""
    found = people.resolved(person)
    keys = {f"person:{found.id}"}
    if vote.unit is Unit.HOUSEHOLD and found.household_id is not None:
        keys.add(f"household:{found.household_id}")
    return any(line.keys & keys for line in _lines(vote) if not line.struck)


def stands_beside(vote: Vote, entry: RollEntry) -> bool:
    """Whether the head of a line stands on another line that is not struck off."""
    lines = [] if vote.unit is Unit.OWNER else _lines(vote)
    hers: set[str] = set().union(*(line.keys for line in lines if line.id == entry.id))
    return any(line.keys & hers for line in lines if line.id != entry.id and not line.struck)


def _lines(vote: Vote) -> list[_Line]:
    query = (
        sa.select(RollEntry, Person.id, Person.merged_into_id, Person.household_id)
        .outerjoin(RollPerson, RollPerson.entry_id == RollEntry.id)
        .outerjoin(Person, RollPerson.person_id == Person.id)
        .where(RollEntry.vote_id == vote.id)
        .order_by(RollEntry.number, RollPerson.id)
    )
    rows = db.session.execute(query).all()
    merged = _resolved({row.id for row in rows if row.merged_into_id is not None})
    made: dict[int, _Line] = {}
    for entry, number, _merged_into, home in rows:
        fresh = _Line(entry.id, entry.number, bool(entry.added_why), entry.struck_at is not None, {entry.unit})
        line = made.setdefault(entry.id, fresh)
        if number is None:
            continue
        person, household = merged.get(number, (number, home))
        line.keys.add(f"person:{person}")
        if line.by_hand and vote.unit is Unit.HOUSEHOLD and household is not None:
            line.keys.add(f"household:{household}")
    return list(made.values())


def _resolved(numbers: Collection[int]) -> dict[int, tuple[int, int | None]]:
    """Who those whose records were merged are now, and of which household."""
    if not numbers:
        return {}
    known = roll_units.standing_for(numbers)
    query = sa.select(Person.id, Person.household_id).where(Person.id.in_({one for one, _state in known.values()}))
    homes = dict(db.session.execute(query).all())
    return {number: (person, homes.get(person)) for number, (person, _state) in known.items()}
