"""Rotating the sealing key: a new key seals, everything older is sealed again in batches, the old keys go."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from portal.core import sealing
from portal.core.db import Base, db, transaction
from portal.core.sealing import Keys, Sealed

BATCH = 500


@dataclass(frozen=True)
class SealedColumn:
    """A column that holds sealed values, as bytes, with its table's key."""

    table: sa.Table
    name: str
    context: str

    @property
    def key(self) -> sa.Column[int]:
        (key,) = self.table.primary_key.columns
        return key

    @property
    def raw(self) -> sa.ColumnElement[bytes]:
        return sa.type_coerce(self.table.c[self.name], sa.LargeBinary)

    def not_under(self, key_id: int) -> sa.ColumnElement[bool]:
        """Sealed by another key than this one; an empty column is sealed by none."""
        head = sa.type_coerce(sa.func.substr(self.table.c[self.name], 1, 3), sa.LargeBinary)
        prefix = sealing.VERSION + key_id.to_bytes(2, "big")
        return self.raw.is_not(None) & (head != sa.literal(prefix, sa.LargeBinary))


@dataclass(frozen=True)
class Rotated:
    """The key that seals now, and how many values were sealed again."""

    key: int
    values: int


def sealed_columns() -> list[SealedColumn]:
    return [
        SealedColumn(table, column.name, column.type.context)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Sealed)
    ]


def rotate(path: Path) -> Rotated:
    """Add a key, seal everything again, drop the others. Run again after a breakdown, it goes on where it stopped.

    The portal may run meanwhile: each process reads the key file again when it changes.
    """
    keys = sealing.load(path, create=False)
    current = keys.current if len(keys.sealing) > 1 else sealing.add_key(path)
    keys = sealing.load(path, create=False)
    sealing.use(keys, path)
    values = sum(_reseal(column, keys) for column in sealed_columns())
    with transaction():
        _hold_writers()
        left = sum(_count(column, current) for column in sealed_columns())
        if left:
            raise RuntimeError(f"{left} values are still sealed by an older key: run rotate-keys again")
        sealing.drop_keys(path, keep=current)
    return Rotated(current, values)


def _hold_writers() -> None:
    """Until this transaction ends nobody writes a sealed value. On SQLite a writing transaction is alone anyway."""
    if db.engine.dialect.name == "postgresql":
        names = ", ".join(dict.fromkeys(f'"{column.table.name}"' for column in sealed_columns()))
        db.session.execute(sa.text(f"LOCK TABLE {names} IN SHARE MODE"))


def _count(column: SealedColumn, key_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(column.table).where(column.not_under(key_id))
    return db.session.scalar(query) or 0


def _reseal(column: SealedColumn, keys: Keys) -> int:
    return sum(_reseal_batch(column, keys, rows) for rows in _batches(column, keys.current))


def _batches(column: SealedColumn, key_id: int) -> Iterator[list[tuple[int, bytes]]]:
    after = 0
    while True:
        query = (
            sa.select(column.key, column.raw)
            .where(column.not_under(key_id), column.key > after)
            .order_by(column.key)
            .limit(BATCH)
        )
        with transaction() as session:
            rows = [(key, bytes(value)) for key, value in session.execute(query)]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _reseal_batch(column: SealedColumn, keys: Keys, rows: list[tuple[int, bytes]]) -> int:
    """Change only what nobody changed meanwhile; what somebody did is sealed by the new key already."""
    # A Core table with plain bytes, so that the column's own type does not seal the sealed.
    plain = sa.table(column.table.name, sa.column(column.key.name), sa.column(column.name, sa.LargeBinary))
    statement = (
        sa.update(plain)
        .where(plain.c[column.key.name] == sa.bindparam("row"), plain.c[column.name] == sa.bindparam("old"))
        .values({column.name: sa.bindparam("new")})
    )
    fresh = [{"row": key, "old": old, "new": _sealed_again(column, keys, key, old)} for key, old in rows]
    with transaction() as session:
        session.connection().execute(statement, fresh)
    return len(rows)


def _sealed_again(column: SealedColumn, keys: Keys, row: int, old: bytes) -> bytes:
    try:
        return keys.seal(keys.open(old, column.context), column.context)
    except (KeyError, InvalidTag):
        where = f"{column.table.name}.{column.name} of row {row}"
        raise RuntimeError(f"{where} cannot be opened with this site's keys: run `portal verify`") from None
