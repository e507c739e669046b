"""The queue: rows of imports that wait, and pairs of the register; told apart for good, put off, counted."""

from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased, joinedload

from portal.areas import service as areas
from portal.areas.models import Building, Dwelling
from portal.core import audit
from portal.core.access import Actor, Scope, scopes_of
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.doors import Todo
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.models import (
    BatchState,
    Household,
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    TwinPair,
    TwinState,
    Verdict,
)

PAGE = 50
WAITING = (TwinState.OPEN, TwinState.LATER)


def waiting(within: Collection[Scope]) -> int:
    """How many rows and pairs wait for a worker in some scopes: of whole communities, as they are decided there."""
    rows = sa.select(sa.func.count()).select_from(_rows(within).subquery())
    return int(db.session.scalar(rows) or 0) + waiting_pairs(within)


def waiting_pairs(within: Collection[Scope]) -> int:
    return int(db.session.scalar(sa.select(sa.func.count()).select_from(_pairs(within).subquery())) or 0)


def todo_of(worker: Actor) -> list[Todo]:
    """For the desk: what waits to be compared, of the communities where this worker may merge."""
    count = waiting(scopes_of(worker, Permission.PEOPLE_MERGE))
    if not count:
        return []
    return [Todo(words=_("疑似重复的居民，等您核实"), endpoint="registry.worker.twins", count=count)]


def waiting_rows(within: Collection[Scope], *, limit: int = PAGE) -> list[ImportRow]:
    """Waiting rows, those put off last, the latest batch first; one more than the limit."""
    off = sa.case((ImportRow.verdict == Verdict.LATER, 1), else_=0)
    query = _rows(within).options(joinedload(ImportRow.batch).joinedload(ImportBatch.community))
    ordered = query.order_by(off, ImportRow.batch_id.desc(), ImportRow.row_number, ImportRow.id)
    return list(db.session.scalars(ordered.limit(limit + 1)))


def _rows(within: Collection[Scope]) -> sa.Select[ImportRow]:
    """Of confirmed batches: the rows of one that may yet be cancelled are decided from its own pages."""
    return (
        sa.select(ImportRow)
        .join(ImportBatch, ImportRow.batch_id == ImportBatch.id)
        .where(
            ImportBatch.community_id.in_(areas.reach(within).communities),
            ImportBatch.state == BatchState.CONFIRMED,
            ImportRow.outcome == Outcome.WAITING,
            sa.or_(ImportRow.verdict.is_(None), ImportRow.verdict == Verdict.LATER),
        )
    )


def pairs(within: Collection[Scope], *, limit: int = PAGE) -> list[TwinPair]:
    """Waiting pairs, those put off last, the most alike first; one more than the limit."""
    off = sa.case((TwinPair.state == TwinState.LATER, 1), else_=0)
    homes = [
        joinedload(side).joinedload(Person.household).joinedload(Household.dwelling).joinedload(Dwelling.building)
        .joinedload(Building.estate)
        for side in (TwinPair.person, TwinPair.other)
    ]  # fmt: skip
    query = _pairs(within).options(*homes)
    return list(db.session.scalars(query.order_by(off, TwinPair.score.desc(), TwinPair.id).limit(limit + 1)))


def _pairs(within: Collection[Scope]) -> sa.Select[TwinPair]:
    """Pairs of whom neither was merged away since, of one community in scope, wherever they lived when found."""
    one, other = aliased(Person), aliased(Person)
    return (
        sa.select(TwinPair)
        .join(one, TwinPair.person_id == one.id)
        .join(other, TwinPair.other_id == other.id)
        .where(
            one.community_id.in_(areas.reach(within).communities),
            one.community_id == other.community_id,
            TwinPair.state.in_(WAITING),
            one.merged_into_id.is_(None),
            other.merged_into_id.is_(None),
        )
    )


def people_of(within: Collection[Scope], first: str, second: str) -> tuple[Person, Person]:
    """Two people by their own public ids, aliases as themselves, in whole communities in scope; else Missing."""
    query = sa.select(Person).where(
        Person.public_id.in_([first, second]), Person.community_id.in_(areas.reach(within).communities)
    )
    home = joinedload(Person.household).joinedload(Household.dwelling).joinedload(Dwelling.building)
    query = query.options(home.joinedload(Building.estate), joinedload(Person.grid), joinedload(Person.guardian))
    found = {person.public_id: person for person in db.session.scalars(query.order_by(Person.id))}
    if first not in found or second not in found:
        raise Missing
    return found[first], found[second]


def between(one: Person, other: Person) -> TwinPair | None:
    """The pair of two people, whatever became of it."""
    first, second = sorted((one.id, other.id))
    return db.session.scalar(sa.select(TwinPair).where(TwinPair.person_id == first, TwinPair.other_id == second))


def apart(one: Person, other: Person, *, by: Actor) -> None:
    """They are two people, and nobody is asked again."""
    _decide(one, other, TwinState.APART, by)
    audit.record("registry.twins_told_apart", one, person=other.public_id)


def later(one: Person, other: Person, *, by: Actor) -> None:
    """Not now: the pair goes behind the others."""
    _decide(one, other, TwinState.LATER, by)
    audit.record("registry.twins_put_off", one, person=other.public_id)


def _decide(one: Person, other: Person, state: TwinState, by: Actor) -> None:
    if one.id == other.id or one.community_id != other.community_id:
        raise Missing
    first, second = sorted((one.id, other.id))
    decided = {"state": state, "decided_at": now(), "decided_by": by.public_id, "decided_name": by.name}
    mine = sa.update(TwinPair).where(TwinPair.person_id == first, TwinPair.other_id == second)
    if guarded(mine.where(TwinPair.state != TwinState.MERGED).values(**decided)):
        return
    refusal = Refused(_("刚才有人处理了这一对，请返回列表。"))
    if between(one, other):
        raise refusal
    with unique_or(refusal):
        facts = {"community_id": one.community_id, "person_id": first, "other_id": second, "score": 0}
        db.session.add(TwinPair(**facts, reasons=[], found_at=now(), **decided))
