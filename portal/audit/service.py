"""Reading the audit: rows newest first by keyset, each reading on record; the chain, and whether it holds."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.core import audit
from portal.core.audit import AuditBatch, AuditRow, Verdict
from portal.core.clock import day_bounds
from portal.core.db import apart, aside, db
from portal.core.errors import Missing

PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """What a reader asks for; empty means any."""

    action: str = ""
    actor: str = ""
    thing: str = ""
    ref: str = ""
    first: date | None = None
    last: date | None = None

    def asked(self) -> dict[str, str]:
        """The filters in use, for the address of the next page and for the record of this reading."""
        return {name: str(value) for name, value in vars(self).items() if value}


def note_reading(asked: dict[str, str], *, before: int | None = None) -> None:
    """Put a reading on record before it happens: it stays even if the reading fails."""
    words = [f"{name}={value}" for name, value in asked.items()]
    with aside() as session:
        audit.record("audit.read", session=session, asked=words, before=before or 0)


def rows(wanted: Wanted, *, before: int | None = None, limit: int = PAGE) -> tuple[list[AuditRow], int | None]:
    """A page of rows, newest first, and the id to go on from, or None at the end."""
    query = sa.select(AuditRow).where(*_conditions(wanted)).order_by(AuditRow.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(AuditRow.id < before)
    found = list(db.session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    exact = {AuditRow.action: wanted.action, AuditRow.object_type: wanted.thing, AuditRow.object_id: wanted.ref}
    found = [column == value for column, value in exact.items() if value]
    if wanted.actor:
        found.append(AuditRow.actor_name.icontains(wanted.actor, autoescape=True))
    if wanted.first:
        found.append(AuditRow.at >= day_bounds(wanted.first)[0])
    if wanted.last:
        found.append(AuditRow.at < day_bounds(wanted.last)[1])
    return found


def row(row_id: int) -> AuditRow:
    found = db.session.get(AuditRow, row_id)
    if found is None:
        raise Missing
    return found


def batch_of(found: AuditRow) -> AuditBatch | None:
    """The sealed batch that holds a row, or None while it waits to be sealed."""
    query = sa.select(AuditBatch).where(AuditBatch.last_row >= found.id).order_by(AuditBatch.last_row).limit(1)
    return db.session.scalar(query)


@dataclass(frozen=True)
class Chain:
    """The chain at a glance: its head (the genesis while nothing is sealed) and how many rows wait."""

    head: AuditBatch | None
    head_hash: str
    unsealed: int

    @property
    def head_words(self) -> str:
        """The head hash in groups of eight, to be copied by hand."""
        return " ".join(self.head_hash[start : start + 8] for start in range(0, 64, 8))


def chain() -> Chain:
    head = audit.head_batch()
    waiting = sa.select(sa.func.count()).select_from(AuditRow).where(AuditRow.id > (head.last_row if head else 0))
    return Chain(head, head.hash if head else audit.GENESIS, db.session.scalar(waiting) or 0)


def batches(*, before: int | None = None, limit: int = PAGE) -> tuple[list[AuditBatch], int | None]:
    """Sealed batches, newest first, and the id to go on from, or None at the end."""
    query = sa.select(AuditBatch).order_by(AuditBatch.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(AuditBatch.id < before)
    found = list(db.session.scalars(query))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


@dataclass(frozen=True)
class Check:
    """A verdict on the chain, and the batch whose hash the reader had noted (None: it is nowhere in the chain)."""

    verdict: Verdict
    noted: str
    noted_batch: int | None

    @property
    def holds(self) -> bool:
        return not self.verdict.flaws and (not self.noted or self.noted_batch is not None)


def check(noted: str = "") -> Check:
    """Recompute the whole chain in a reading session of its own, so that no writer waits; put the check on record."""
    noted = "".join(noted.split()).lower()
    with apart() as session:
        verdict = audit.verify(session)
        known = session.scalar(sa.select(AuditBatch.id).where(AuditBatch.hash == noted)) if noted else None
    audit.record("audit.verified", None, batches=verdict.batches, rows=verdict.rows, flaws=len(verdict.flaws))
    return Check(verdict, noted, known)
