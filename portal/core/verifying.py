"""Whether the database is whole: its own checks, its references, the audit's chain, and a few values opened."""

from dataclasses import dataclass, field

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from portal.core import audit, migrating, sealing
from portal.core.blinding import index_columns
from portal.core.db import Base, db
from portal.core.rotation import SealedColumn, sealed_columns

# How many values of each sealed column are opened.
OPENED = 10


@dataclass
class Report:
    """What was looked at, in lines to print, and every flaw in words."""

    lines: list[str] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)


def verify() -> Report:
    """Look at everything; needs the tables, so a database without them has one flaw only."""
    report = Report()
    current, head = migrating.current(), migrating.head()
    report.lines.append(f"revision {current or 'none'}")
    if current != head:
        report.flaws.append(
            f"the database is at revision {current or 'none'}, the code at {head}: run `portal migrate`"
        )
        return report
    _integrity(report)
    _references(report)
    _counts(report)
    _audit(report)
    _openings(report)
    _indexes(report)
    db.session.rollback()
    return report


def _integrity(report: Report) -> None:
    if db.engine.dialect.name != "sqlite":
        return
    found = list(db.session.scalars(sa.text("PRAGMA integrity_check")))
    if found == ["ok"]:
        report.lines.append("integrity ok")
    else:
        report.flaws += [f"integrity: {line}" for line in found[:20]]


def _references(report: Report) -> None:
    """Rows that point at nothing, asked the same way of both databases."""
    broken = 0
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            here, there = key.parent, key.column.table.alias()
            pointed = sa.exists().where(there.c[key.column.name] == here)
            query = sa.select(sa.func.count()).select_from(table).where(here.is_not(None), ~pointed)
            count = db.session.scalar(query) or 0
            broken += count
            if count:
                report.flaws.append(f"{count} rows of {table.name} point by {here.name} at a row that is not there")
    if not broken:
        report.lines.append("references ok")


def _counts(report: Report) -> None:
    for table in Base.metadata.sorted_tables:
        rows = db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        if rows:
            report.lines.append(f"{table.name}: {rows} rows")


def _audit(report: Report) -> None:
    verdict = audit.verify()
    report.lines.append(
        f"audit: {verdict.rows} rows sealed in {verdict.batches} batches, {verdict.unsealed} not yet sealed, "
        f"head {verdict.head}"
    )
    report.flaws += [f"audit: {flaw}" for flaw in verdict.flaws]


def _openings(report: Report) -> None:
    opened = 0
    for column in sealed_columns():
        query = sa.select(column.key, column.raw).where(column.raw.is_not(None)).order_by(sa.func.random())
        for row, value in db.session.execute(query.limit(OPENED)):
            opened += 1
            report.flaws += _opening_flaw(column, row, bytes(value))
    report.lines.append(f"opened {opened} sealed values")


def _indexes(report: Report) -> None:
    """A few blind indexes of each column, recomputed: wrong ones are people whom nobody finds."""
    keys, looked = sealing.keys(), 0
    for column in index_columns():
        query = sa.select(column.key, column.stored, column.source).where(column.stored.is_not(None))
        for row, stored, source in db.session.execute(query.order_by(sa.func.random()).limit(OPENED)):
            looked += 1
            if not column.agrees(keys, row, bytes(stored), None if source is None else bytes(source)):
                report.flaws.append(f"{column.table.name}.{column.name} of row {row} is not the index of its value")
    report.lines.append(f"recomputed {looked} blind indexes")


def _opening_flaw(column: SealedColumn, row: int, value: bytes) -> list[str]:
    where = f"{column.table.name}.{column.name} of row {row}"
    try:
        sealing.keys().open(value, column.context)
    except KeyError:
        return [f"{where} is sealed by a key that is not in the key file"]
    except (InvalidTag, ValueError):
        return [f"{where} cannot be opened: changed, moved, or sealed by another site's key"]
    return []
