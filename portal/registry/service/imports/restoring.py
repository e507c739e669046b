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
    """One changed row as it is written back: the person's columns, the household it moved, the history's line."""

    decided_at: datetime | None
    columns: tuple[str, ...]
    values: dict[str, Any]
    home: tuple[int, int | None] | None
    told: bytes


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
    return Opened(
        row.decided_at,
        columns,
        {f"old_{name}": _raw(name, was[name]) for name in columns},
        (was["household_id"], was["dwelling_id"]) if row.moves else None,
        keys().seal(json.dumps(told, ensure_ascii=False, sort_keys=True), "import_row|changes"),
    )


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
    _tell(batch, [(row.person_id, one.told) for row, one in found])
    moved = {one.home[0]: (one.home[1], Address(*row[4:8])) for row, one in found if one.home}
    return len(found), keeping.homes_back(moved)


def _put(found: Sequence[tuple[Any, Opened]]) -> None:
    """One statement for all people of whom the same columns differ, in their order where somebody is there twice."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row, one in found:
        groups.setdefault(one.columns, []).append({"of": row.person_id, **one.values})
    for columns, people in _in_order(groups, found):
        if len(people) < WORTH_A_TABLE:
            put = sa.update(RAW).where(RAW.c.id == sa.bindparam("of"))
            values = {name: sa.bindparam(f"old_{name}", type_=RAW.c[name].type) for name in columns}
            db.session.connection().execute(put.values(version=RAW.c.version + 1, **values), people)
        else:
            _put_at_once(columns, people)


def _put_at_once(columns: Sequence[str], people: Sequence[dict[str, Any]]) -> None:
    """Through a table of this connection's own: one statement for all takes a third of the time of one for each."""
    names = [sa.Column(f"old_{name}", RAW.c[name].type) for name in columns]
    back = sa.Table(
        "import_back", sa.MetaData(), sa.Column("of", sa.Integer(), primary_key=True), *names, prefixes=["TEMPORARY"]
    )
    connection = db.session.connection()
    connection.execute(CreateTable(back))
    connection.execute(sa.insert(back), people)
    put = sa.update(RAW).where(RAW.c.id == back.c.of)
    connection.execute(put.values(version=RAW.c.version + 1, **{name: back.c[f"old_{name}"] for name in columns}))
    connection.execute(DropTable(back))


def _in_order(
    groups: dict[tuple[str, ...], list[dict[str, Any]]], found: Sequence[tuple[Any, Opened]]
) -> list[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    """By group; one by one for whoever a decided row changed a second time, which is put back first."""
    seen: set[int] = set()
    twice = {row.person_id for row, _one in found if row.person_id in seen or seen.add(row.person_id)}  # type: ignore[func-returns-value]
    if not twice:
        return list(groups.items())
    single = [(one.columns, [{"of": row.person_id, **one.values}]) for row, one in found if row.person_id in twice]
    others = [(columns, [one for one in people if one["of"] not in twice]) for columns, people in groups.items()]
    return [*single, *((columns, people) for columns, people in others if people)]


def _tell(batch: ImportBatch, told: list[tuple[int, bytes]]) -> None:
    """What went back, in the history of each under her new version."""
    changed = sa.select(ImportRow.person_id).where(ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED)
    query = sa.select(Person.id, Person.version).where(Person.id.in_(changed)).order_by(Person.id)
    versions = {row.id: row.version for row in db.session.execute(query)}
    actor, moment = actor_or_none(), now()
    facts = {
        "at": moment,
        "by": actor.public_id if actor else "system",
        "by_name": actor.name if actor else "",
        "source": Source.IMPORT,
        "ref": batch.public_id,
        "reason": _("撤销导入"),
    }
    rows = [{"person_id": person, "version": versions[person], "changes": said, **facts} for person, said in told]
    if rows:
        # Sealed already, as the register seals it.
        table: Any = PersonChange.__table__
        said = {"changes": sa.bindparam("changes", type_=sa.LargeBinary)}
        db.session.connection().execute(sa.insert(table).values(**said), rows)
