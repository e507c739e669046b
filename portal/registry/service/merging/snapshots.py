"""Rows as JSON and back: what a merge touched is kept as it was and as it became."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa

from portal.core.db import UtcDateTime, db
from portal.core.sealing import Blind, Sealed, keys
from portal.registry.models import Claim, EmergencyContact, FamilyAgent, Household, Person, PersonTag, RestrictedTag

MODELS: dict[str, type[Any]] = {
    model.__tablename__: model
    for model in (Person, Household, Claim, FamilyAgent, PersonTag, RestrictedTag, EmergencyContact)
}
# What every change of a record moves and no undoing brings back, and what the database itself follows with.
MOVING = frozenset({"version", "updated_at", "door"})
# What hangs on a person and is copied by a merge, never changed.
COPIED = frozenset({"person_tag", "restricted_tag", "emergency_contact"})
Values = dict[str, Any]
Rows = dict[str, dict[str, Values]]


def values_of(row: Any) -> Values:
    """A row's columns as JSON holds them, but for those that every change moves, and blind indexes: they follow."""
    kinds = _columns(type(row)).items()
    return {
        name: _packed(getattr(row, name))
        for name, column in kinds
        if name not in MOVING and not isinstance(column.type, Blind)
    }


def rows_of(rows: Iterable[Any]) -> Rows:
    found: Rows = {}
    for row in rows:
        found.setdefault(row.__tablename__, {})[str(row.id)] = values_of(row)
    return found


def differing(before: Rows, after: Rows) -> tuple[Rows, Rows]:
    """Both, left with the columns that differ."""
    names = {
        (table, key): [name for name in values if values[name] != after[table][key][name]]
        for table, rows in before.items()
        for key, values in rows.items()
    }
    return _picked(before, names), _picked(after, names)


def _picked(rows: Rows, names: dict[tuple[str, str], list[str]]) -> Rows:
    kept: Rows = {}
    for (table, key), columns in names.items():
        if columns:
            kept.setdefault(table, {})[key] = {name: rows[table][key][name] for name in columns}
    return kept


def apart(rows: Rows) -> tuple[Rows, Rows]:
    """What became of rows that stood before, and the rows that a merge copied."""
    touched = {table: by_id for table, by_id in rows.items() if table not in COPIED}
    return touched, {table: by_id for table, by_id in rows.items() if table in COPIED}


def read(text: str) -> Rows:
    found: Rows = json.loads(text)
    return found


def written(rows: Rows) -> str:
    return json.dumps(rows, ensure_ascii=False, sort_keys=True)


def stands(rows: Rows) -> list[Any] | None:
    """The rows, when each still is as it was written; None once one is gone or otherwise."""
    found = []
    for table, by_id in rows.items():
        for key, values in by_id.items():
            row = db.session.get(MODELS[table], int(key), populate_existing=True)
            if row is None or any(_packed(getattr(row, name)) != value for name, value in values.items()):
                return None
            found.append(row)
    return found


def restore(rows: Rows) -> None:
    """Put values back; what must be unique is let go of everywhere first."""
    touched = [(db.session.get_one(MODELS[table], int(key)), rows[table][key]) for table in rows for key in rows[table]]
    for row, values in touched:
        if "id_number" in values:
            row.id_index = None
        if "temporary_number" in values:
            row.temporary_number = None
    db.session.flush()
    for row, values in touched:
        put_back(row, values)
    db.session.flush()


def put_back(row: Any, values: Values) -> None:
    """What values_of() kept, on the row again; blind indexes follow."""
    columns = _columns(type(row))
    for name, value in values.items():
        setattr(row, name, _unpacked(columns[name].type, value))
    for name, column in columns.items():
        if isinstance(column.type, Blind) and column.type.of in values:
            plain = values[column.type.of]
            setattr(row, name, column.type.index(keys(), plain) if plain else None)


def _columns(model: type[Any]) -> dict[str, sa.Column[Any]]:
    return {column.key: column for column in model.__table__.columns}


def _packed(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime | date) else value


def _unpacked(kind: Any, value: Any) -> Any:
    if value is None or isinstance(kind, Sealed):
        return value
    if isinstance(kind, sa.Enum):
        return kind.enum_class(value) if kind.enum_class else value
    if isinstance(kind, UtcDateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, sa.Date) else value
