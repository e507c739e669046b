"""A row that is somebody else than whom it stood beside: the two are told apart for good, and nobody asks again."""

import sqlalchemy as sa

from portal.core.db import db
from portal.core.ids import new_public_id
from portal.registry.models import ImportBatch, ImportRow, Person, TwinPair, TwinState, Verdict
from portal.registry.service import people
from portal.registry.service.imports import turning


def others_of(batch: ImportBatch, row: ImportRow) -> list[int]:
    """Whom a DIFFERENT row was compared with, as they are now: asked before the row is turned."""
    if row.verdict is not Verdict.DIFFERENT:
        return []
    found = {people.resolved(person) for person in _compared(batch, row)}
    return sorted(person.id for person in found if person.community_id == batch.community_id)


def _compared(batch: ImportBatch, row: ImportRow) -> list[Person]:
    if row.twin_row:
        earlier = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_number == row.twin_row)
        first = db.session.scalar(earlier)
        person = turning.of_row(first) if first else None
        return [person] if person else []
    alike = sa.and_(
        Person.community_id == batch.community_id, Person.name == row.name, Person.birth_date == row.birth_date
    )
    query = sa.select(Person).where(Person.id == row.person_id if row.person_id else alike)
    return list(db.session.scalars(query.order_by(Person.id)))


def keep(batch: ImportBatch, row: ImportRow, others: list[int]) -> None:
    """The pairs, as decided by who decided the row."""
    facts = {
        "community_id": batch.community_id,
        "score": 0,
        "reasons": [],
        "state": TwinState.APART,
        "found_at": row.decided_at,
        "decided_at": row.decided_at,
        "decided_by": row.decided_by,
    }
    pairs = [sorted((other, row.applied_to)) for other in others if row.applied_to and other != row.applied_to]
    db.session.add_all(
        TwinPair(public_id=new_public_id(), person_id=first, other_id=second, **facts) for first, second in pairs
    )
    db.session.flush()
