"""Putting changed people back: what stood is opened before anything is locked, and only what differs is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.schema import CreateTable, DropTable

from portal.core.access import actor_or_none
from portal.core.clock import now
from portal.core.db import db
from portal.core.sealing import keys
from portal.registry.models import ImportBatch, ImportRow, Outcome, Person, PersonChange, Source
from portal.registry.service.imports import keeping, turning
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.comparing import RESTORED, unpacked
from portal.registry.service.imports.keeping import Kept
from portal.registry.service.imports.things import PEOPLE

CHUNK = 500
# From how many people on their values go through a table of their own.
WORTH_A_TABLE = 200
_KINDS: dict[str, Any] = {
    "id": sa.Integer(),
    "version": sa.Integer(),
    "birth_date": sa.Date(),
    "living_since": sa.Date(),
    "guardian_id": sa.Integer(),
    "updated_at": Person.updated_at.type,
    "household_id": sa.Integer(),
    "grid_id": sa.Integer(),
}
_SEALED = {"id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registered_address", "diet", "note"}
# The same table without the model's types: what is sealed already must not be sealed again.
RAW = sa.table(
    "person",
    *(sa.column(name, _KINDS.get(name) or (sa.LargeBinary() if name in _SEALED else sa.String()))
      for name in ("id", "version", *RESTORED)),
)  # fmt: skip
_BINDERS: dict[str, dict[str, Any]] = {}
# Which columns a difference of that name may have changed; what is not named here may have changed all.
COLUMNS: dict[str, tuple[str, ...]] = {
    **turning.GROUPS,
    "id_kind": ("id_kind",),
    "note": ("note",),
    "household_number": ("household_id",),
    "grid": ("grid_id",),
    "address": (),
    "tags": (),
    "contacts": (),
}
ALWAYS = ("flags", "updated_at", "guardian_id")


@dataclass(frozen=True)
class Opened:
    """One changed row as it is written back: the person's columns, the household it moved, the history's line.

    `bound` are the values once more, as the driver takes them: bound under the lock, 50,000 rows hold it for seconds.
    """

    decided_at: datetime | None
    columns: tuple[str, ...]
    values: dict[str, Any]
    bound: tuple[Any, ...]
    home: tuple[int, int | None] | None
    told: bytes


# A person's id with what is put back of her.
Each = tuple[int, Opened]


@dataclass(frozen=True)
class Ready:
    """The changed rows of a batch, opened while nothing was locked, under the keys of that moment."""

    rows: Mapping[int, Opened] = field(default_factory=dict)
    held: frozenset[int] = frozenset()


def ready(batch: ImportBatch) -> Ready:
    """Opening and sealing 50,000 rows takes seconds; nobody waits for them."""
    if batch.kind not in PEOPLE:
        return Ready()
    query = _changed(batch, ImportRow.before, ImportRow.changes)
    held = frozenset(keys().sealing)
    return Ready({row.id: _opened(row, *sealed) for row, *sealed in _with_sealed(query)}, held)


def _changed(batch: ImportBatch, *sealed: Any) -> Any:
    """The changed rows, the one to put back first: decided ones, then from the end of the file."""
    raw = [sa.type_coerce(column, sa.LargeBinary) for column in sealed]
    where = (ImportRow.estate, ImportRow.building, ImportRow.unit, ImportRow.room)
    return (
        sa.select(ImportRow.id, ImportRow.person_id, ImportRow.moves, ImportRow.decided_at, *where, *raw)
        .where(ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED)
        .order_by(sa.case((ImportRow.verdict.is_(None), 1), else_=0), ImportRow.row_number.desc())
    )


def _with_sealed(query: Any) -> list[tuple[Any, bytes, bytes]]:
    return [(row, bytes(row[-2]), bytes(row[-1])) for row in db.session.execute(query)]


def _opened(row: Any, before: bytes, changes: bytes) -> Opened:
    was = json.loads(keys().open(before, "import_row|before"))
    differing = json.loads(keys().open(changes, "import_row|changes"))
    names = {name for one in differing for name in COLUMNS.get(one, RESTORED)} | {*ALWAYS}
    columns = tuple(name for name in RESTORED if name in names)
    told = {name: [new, old] for name, (old, new) in differing.items()}
    values = {name: _raw(name, was[name]) for name in columns}
    return Opened(
        row.decided_at,
        columns,
        {f"old_{name}": value for name, value in values.items()},
        tuple(_binders()[name](value) for name, value in values.items()),
        (was["household_id"], was["dwelling_id"]) if row.moves else None,
        keys().seal(json.dumps(told, ensure_ascii=False, sort_keys=True), "import_row|changes"),
    )


def _binders() -> dict[str, Any]:
    """How a value of each column is handed to the driver of this database."""
    dialect = db.engine.dialect
    if dialect.name not in _BINDERS:
        kinds = {name: RAW.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in RESTORED}
        _BINDERS[dialect.name] = {name: binder or _as_is for name, binder in kinds.items()}
    return _BINDERS[dialect.name]


def _as_is(value: Any) -> Any:
    return value


def _raw(name: str, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if name == "flags" else unpacked(name, value)


def restore(batch: ImportBatch, opened: Ready) -> tuple[int, list[Kept]]:
    """Put back what the changed people were before and say so in their histories. A household that the batch moved
    goes back unless it moved again since. What was decided since `opened` was made is opened here.
    """
    known = opened.rows if opened.held <= set(keys().sealing) else {}
    rows = list(db.session.execute(_changed(batch)))
    late = [row.id for row in rows if row.id not in known or known[row.id].decided_at != row.decided_at]
    query = _changed(batch, ImportRow.before, ImportRow.changes)
    again = {}
    for start in range(0, len(late), CHUNK):
        part = query.where(ImportRow.id.in_(late[start : start + CHUNK]))
        again.update({row.id: _opened(row, *sealed) for row, *sealed in _with_sealed(part)})
    found = [(row, again.get(row.id) or known[row.id]) for row in rows]
    _put(found)
    if found:
        _tell(batch, [(turn, row.person_id, one.told) for turn, (row, one) in enumerate(found)])
    moved = {one.home[0]: (one.home[1], Address(*row[4:8])) for row, one in found if one.home}
    return len(found), keeping.homes_back(moved)


def _put(found: Sequence[tuple[Any, Opened]]) -> None:
    """One statement for all people of whom the same columns differ, in their order where somebody is there twice."""
    groups: dict[tuple[str, ...], list[Each]] = {}
    for row, one in found:
        groups.setdefault(one.columns, []).append((row.person_id, one))
    for columns, people in _in_order(groups, found):
        if len(people) < WORTH_A_TABLE:
            put = sa.update(RAW).where(RAW.c.id == sa.bindparam("of"))
            values = {name: sa.bindparam(f"old_{name}", type_=RAW.c[name].type) for name in columns}
            said = [{"of": person, **one.values} for person, one in people]
            db.session.connection().execute(put.values(version=RAW.c.version + 1, **values), said)
        else:
            _put_at_once(columns, people)


def _put_at_once(columns: Sequence[str], people: Sequence[Each]) -> None:
    """Through a table of this connection's own: one statement for all takes a third of the time of one for each."""
    names = [sa.Column(f"old_{name}", RAW.c[name].type) for name in columns]
    back = sa.Table(
        "import_back", sa.MetaData(), sa.Column("of", sa.Integer(), primary_key=True), *names, prefixes=["TEMPORARY"]
    )
    connection = db.session.connection()
    connection.execute(CreateTable(back))
    _fill(back, [(person, *one.bound) for person, one in people])
    put = sa.update(RAW).where(RAW.c.id == back.c.of)
    connection.execute(put.values(version=RAW.c.version + 1, **{name: back.c[f"old_{name}"] for name in columns}))
    connection.execute(DropTable(back))


def _fill(table: sa.Table, rows: list[tuple[Any, ...]]) -> None:
    """Rows that are bound already, past everything that would look at each of their values again."""
    connection = db.session.connection()
    sign = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    names = ", ".join(connection.dialect.identifier_preparer.quote(column.name) for column in table.columns)
    signs = ", ".join(sign for _column in table.columns)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({signs})", rows)  # noqa: S608 - names of this module's own tables


def _in_order(
    groups: dict[tuple[str, ...], list[Each]], found: Sequence[tuple[Any, Opened]]
) -> list[tuple[tuple[str, ...], list[Each]]]:
    """By group; one by one for whoever a decided row changed a second time, which is put back first."""
    seen: set[int] = set()
    twice = {row.person_id for row, _one in found if row.person_id in seen or seen.add(row.person_id)}  # type: ignore[func-returns-value]
    if not twice:
        return list(groups.items())
    single = [(one.columns, [(row.person_id, one)]) for row, one in found if row.person_id in twice]
    others = [(columns, [one for one in people if one[0] not in twice]) for columns, people in groups.items()]
    return [*single, *((columns, people) for columns, people in others if people)]


def _tell(batch: ImportBatch, told: list[tuple[int, int, bytes]]) -> None:
    """What went back, in the history of each under her new version: sealed already, as the register seals it."""
    lines = sa.Table(
        "import_told",
        sa.MetaData(),
        *(sa.Column("turn", sa.Integer(), primary_key=True), sa.Column("of", sa.Integer())),
        sa.Column("said", sa.LargeBinary()),
        prefixes=["TEMPORARY"],
    )
    actor, connection = actor_or_none(), db.session.connection()
    connection.execute(CreateTable(lines))
    _fill(lines, told)
    table: Any = PersonChange.__table__
    facts = {
        "at": now(),
        "by": actor.public_id if actor else "system",
        "by_name": actor.name if actor else "",
        "source": Source.IMPORT,
        "ref": batch.public_id,
        "reason": _("撤销导入"),
    }
    written = [sa.literal(value, table.c[name].type) for name, value in facts.items()]
    rows = sa.select(lines.c.of, RAW.c.version, lines.c.said, *written).join(RAW, RAW.c.id == lines.c.of)
    names = ["person_id", "version", "changes", *facts]
    connection.execute(sa.insert(table).from_select(names, rows.order_by(lines.c.turn), include_defaults=False))
    connection.execute(DropTable(lines))
