"""What follows once people are stored: whom to call, guardians in the same home, and each change's history."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.core.access import actor_or_none
from portal.registry.models import EmergencyContact, ImportBatch, ImportRow, Person, PersonChange, Source

Where = Sequence[sa.ColumnElement[bool]]


def statements(batch: ImportBatch, moment: datetime, stored: Where, changed: Where) -> Iterator[sa.Executable]:
    """In the order in which they are executed; `stored` and `changed` say which rows are meant."""
    yield _contacts(stored)
    yield _guardians(stored)
    yield _histories(batch, moment, changed)


def _contacts(stored: Where) -> sa.Insert:
    """Sealed already as the register seals them, so that bytes are copied; behind the contacts there are."""
    held = sa.select(sa.func.count()).where(EmergencyContact.person_id == Person.id).scalar_subquery()
    wanted = (
        sa.select(
            Person.id,
            ImportRow.contact_name,
            ImportRow.contact_relation,
            sa.type_coerce(ImportRow.contact_phone, sa.LargeBinary),
            held + 1,
        )
        .join(ImportRow, ImportRow.public_id == Person.public_id)
        .where(*stored, ImportRow.contact_name != "")
        .order_by(ImportRow.row_number)
    )
    return sa.insert(EmergencyContact).from_select(["person_id", "name", "relation", "phone", "rank"], wanted)


def _guardians(stored: Where) -> sa.Update:
    """A guardian by name is somebody of the same household; who is not found stays in the note."""
    other, row = aliased(Person), ImportRow
    found = (
        sa.select(sa.func.min(other.id))
        .join(row, row.public_id == Person.public_id)
        .where(
            *stored,
            row.guardian_name != "",
            other.name == row.guardian_name,
            other.household_id == Person.household_id,
            other.id != Person.id,
            other.merged_into_id.is_(None),
        )
        .correlate(Person)
        .scalar_subquery()
    )
    named = sa.select(row.public_id).where(*stored, row.guardian_name != "")
    return (
        sa.update(Person)
        .where(Person.public_id.in_(named), Person.guardian_id.is_(None))
        .values(guardian_id=found)
        .execution_options(synchronize_session=False)
    )


def _histories(batch: ImportBatch, moment: datetime, changed: Where) -> sa.Insert:
    """The differences as the check sealed them become one row of each changed person's history."""
    actor = actor_or_none()
    columns = PersonChange.__table__.c
    wanted = (
        sa.select(
            Person.id,
            Person.version,
            sa.literal(moment, columns.at.type),
            sa.literal(actor.public_id if actor else "system"),
            sa.literal(actor.name if actor else ""),
            sa.literal(Source.IMPORT, columns.source.type),
            sa.literal(batch.public_id),
            sa.literal(""),
            sa.type_coerce(ImportRow.changes, sa.LargeBinary),
        )
        .join(ImportRow, ImportRow.person_id == Person.id)
        .where(*changed)
        .order_by(ImportRow.row_number)
    )
    names = ["person_id", "version", "at", "by", "by_name", "source", "ref", "reason", "changes"]
    return sa.insert(PersonChange).from_select(names, wanted)
