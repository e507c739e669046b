"""Rotating the blind-index key: a new key indexes, everything older is recomputed in batches, the old key goes.

Meanwhile look-ups ask under both keys (see sealing.Blind), and a value that must be unique is looked for under the
older one before it is written, because the constraint sees only equal bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper

from portal.core import sealing
from portal.core.db import Base, db, transaction
from portal.core.rotation import Rotated
from portal.core.sealing import Blind, BlindIndex, Keys, Sealed

BATCH = 500
Row = tuple[int, bytes, bytes | None]


@dataclass(frozen=True)
class IndexColumn:
    """A column of blind indexes with the sealed column that they are of."""

    table: sa.Table
    name: str
    kind: Blind

    @property
    def key(self) -> sa.Column[int]:
        (key,) = self.table.primary_key.columns
        return key

    @property
    def stored(self) -> sa.ColumnElement[bytes]:
        return sa.type_coerce(self.table.c[self.name], sa.LargeBinary)

    @property
    def source(self) -> sa.ColumnElement[bytes]:
        return sa.type_coerce(self.table.c[self.kind.of], sa.LargeBinary)

    def not_under(self, version: int) -> sa.ColumnElement[bool]:
        """Indexed under another key than this one; an empty column is under none."""
        head = sa.type_coerce(sa.func.substr(self.table.c[self.name], 1, 1), sa.LargeBinary)
        return self.stored.is_not(None) & (head != sa.literal(version.to_bytes(1, "big"), sa.LargeBinary))

    def agrees(self, keys: Keys, row: int, stored: bytes, sealed: bytes | None) -> bool:
        """Whether a stored index is of its value; what cannot be opened is told of elsewhere."""
        try:
            fresh = self.recomputed(keys, row, sealed)
        except RuntimeError:
            return True
        return fresh is not None and fresh.fits(stored)

    def recomputed(self, keys: Keys, row: int, sealed: bytes | None) -> BlindIndex | None:
        """The index anew; None where what it was of is no longer kept, so that nothing can be found by it."""
        if sealed is None:
            return None
        source: Sealed = self.table.c[self.kind.of].type  # type: ignore[assignment]
        try:
            return self.kind.index(keys, keys.open(sealed, source.context))
        except (KeyError, InvalidTag):
            where = f"{self.table.name}.{self.kind.of} of row {row}"
            raise RuntimeError(f"{where} cannot be opened with this site's keys: run `portal verify`") from None


@cache
def index_columns() -> tuple[IndexColumn, ...]:
    """Every column so declared, those that must be unique first."""
    found = [
        IndexColumn(table, column.name, column.type)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Blind)
    ]
    return tuple(sorted(found, key=lambda column: not column.table.c[column.name].unique))


def rotate(path: Path) -> Rotated:
    """Add an index key, recompute every index, drop the older keys. Run again after a breakdown, it goes on.

    The portal may run meanwhile: each process reads the key file again when it changes.
    """
    if not sealing.load(path, create=False).older_indexes:
        sealing.add_index_key(path)
    keys = sealing.load(path, create=False)
    sealing.use(keys, path)
    values = sum(_recompute(column, keys) for column in index_columns())
    with transaction():
        _hold_writers()
        left = sum(_count(column, keys.index_version) for column in index_columns())
        if left:
            raise RuntimeError(f"{left} values are still indexed by an older key: run rotate-keys --index again")
        sealing.drop_index_keys(path)
    return Rotated(keys.index_version, values)


def _hold_writers() -> None:
    """Until this transaction ends nobody writes an index. On SQLite a writing transaction is alone anyway."""
    if db.engine.dialect.name == "postgresql":
        names = ", ".join(dict.fromkeys(f'"{column.table.name}"' for column in index_columns()))
        db.session.execute(sa.text(f"LOCK TABLE {names} IN SHARE MODE"))


def _count(column: IndexColumn, version: int) -> int:
    query = sa.select(sa.func.count()).select_from(column.table).where(column.not_under(version))
    return db.session.scalar(query) or 0


def _recompute(column: IndexColumn, keys: Keys) -> int:
    return sum(_recompute_batch(column, keys, rows) for rows in _batches(column, keys.index_version))


def _batches(column: IndexColumn, version: int) -> Iterator[list[Row]]:
    after = 0
    while True:
        query = (
            sa.select(column.key, column.stored, column.source)
            .where(column.not_under(version), column.key > after)
            .order_by(column.key)
            .limit(BATCH)
        )
        with transaction() as session:
            rows: list[Row] = [
                (key, bytes(stored), None if sealed is None else bytes(sealed))
                for key, stored, sealed in session.execute(query)
            ]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _recompute_batch(column: IndexColumn, keys: Keys, rows: list[Row]) -> int:
    """Change only what nobody changed meanwhile; what somebody did is indexed by the new key already."""
    plain = sa.table(column.table.name, sa.column(column.key.name), sa.column(column.name, sa.LargeBinary))
    statement = (
        sa.update(plain)
        .where(plain.c[column.key.name] == sa.bindparam("row"), plain.c[column.name] == sa.bindparam("old"))
        .values({column.name: sa.bindparam("new")})
    )
    fresh = [{"row": key, "old": old, "new": column.recomputed(keys, key, sealed)} for key, old, sealed in rows]
    try:
        with transaction() as session:
            session.connection().execute(statement, fresh)
    except IntegrityError:
        where = f"{column.table.name}.{column.name}, rows {rows[0][0]} to {rows[-1][0]}"
        raise RuntimeError(f"{where}: two rows are of one value; mend one of them, then run this again") from None
    return len(rows)


@cache
def _unique(mapper: Mapper[Any]) -> tuple[tuple[str, sa.Column[Any]], ...]:
    columns = [column for column in mapper.columns if isinstance(column.type, Blind) and column.unique]
    return tuple((mapper.get_property_by_column(column).key, column) for column in columns)


def guard() -> None:
    """Watch what is written from now on; once a process."""
    for moment in ("before_insert", "before_update"):
        if not event.contains(Base, moment, _refuse_twins):
            event.listen(Base, moment, _refuse_twins, propagate=True)


def _refuse_twins(mapper: Mapper[Any], connection: sa.Connection, target: Any) -> None:
    """While a key is rotated: what a row under the older key says already breaks the constraint as well."""
    for name, column in _unique(mapper):
        value = getattr(target, name)
        if not isinstance(value, BlindIndex) or not value.older:
            continue
        (key,) = mapper.primary_key
        same = sa.select(key).where(column.in_(value.older), key != (getattr(target, key.name) or 0))
        if connection.execute(same.limit(1)).first():
            raise IntegrityError(f"{column} is held under an older key", {}, ValueError())
