"""Registers that hold no persons: a row understood, compared with what the register knows, staged, stored, undone."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.core.db import db
from portal.registry.models import ImportBatch, ImportKind, ImportRow, Outcome
from portal.registry.service.imports import records
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.vocabulary import Field, tidy

Key = tuple[str, ...]
Values = dict[str, Any]


@dataclass
class Thing:
    """A row as it was understood: what it is about (`key`, `label`), and the fields it says something of."""

    number: int
    cells: Sequence[str]
    label: str = ""
    key: Key = ()
    address: Address = field(default_factory=Address)
    household_number: str = ""
    values: Values = field(default_factory=dict)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    def refuse(self, where: Field, code: str, **facts: int) -> None:
        self.reasons.append({"field": where.value, "code": code, **facts})


@dataclass(frozen=True)
class Stored:
    """What the register holds under a key: its id, and the same fields in plain values."""

    id: int
    values: Values


@dataclass(frozen=True)
class Handler:
    """How one kind of register is read, looked up, stored and taken back."""

    understand: Callable[[Thing, Mapping[Field, str], Rules], None]
    known: Callable[[Session, Sequence[Thing], int], dict[Key, Stored]]
    store: Callable[[ImportBatch, Collection[ImportRow]], None]
    undo: Callable[[ImportBatch, Collection[ImportRow]], None]


def staged(
    handler: Handler,
    session: Session,
    numbered: Sequence[tuple[int, Sequence[str]]],
    rules: Rules,
    seen: dict[Key, int],
    community_id: int,
) -> Iterator[dict[str, Any]]:
    """The rows of a chunk as the bulk insert takes them; what the file says twice is refused the second time."""
    things = [_understood(handler, number, cells, rules, seen) for number, cells in numbered]
    known = handler.known(session, [one for one in things if not one.reasons], community_id)
    for one in things:
        yield _refused(one) if one.reasons else _compared(one, known.get(one.key))


def _understood(handler: Handler, number: int, cells: Sequence[str], rules: Rules, seen: dict[Key, int]) -> Thing:
    one = Thing(number, cells)
    handler.understand(one, {name: text for name, column in rules.placed if (text := tidy(cells[column]))}, rules)
    if not one.reasons and seen.setdefault(one.key, number) != number:
        one.reasons.append({"code": "twice"})
    return one


def _refused(one: Thing) -> dict[str, Any]:
    return {
        **records.BLANK,
        "row_number": one.number,
        "outcome": Outcome.REFUSED.value,
        "reasons": json.dumps(one.reasons, ensure_ascii=False),
        "source": records.seal(json.dumps(list(one.cells), ensure_ascii=False), "import_row|source"),
        "name": one.label[:60],
    }


def _compared(one: Thing, known: Stored | None) -> dict[str, Any]:
    before = known.values if known else {}
    changes = {name: [before.get(name, ""), value] for name, value in one.values.items() if before.get(name) != value}
    outcome = Outcome.CHANGED if changes else Outcome.UNCHANGED
    values = {"id": known.id if known else None, **one.values}
    restored = {name: before.get(name) for name in changes} if known else {}
    return {
        **records.BLANK,
        "row_number": one.number,
        "outcome": (outcome if known else Outcome.NEW).value,
        "name": one.label[:60],
        "household_number": one.household_number,
        **records.home(one.address),
        "flags": json.dumps(one.flags),
        "values": records.seal(json.dumps(values, ensure_ascii=False), "import_row|values"),
        "changes": records.seal(json.dumps(changes, ensure_ascii=False), "import_row|changes") if changes else None,
        "before": records.seal(json.dumps(restored, ensure_ascii=False), "import_row|before") if restored else None,
    }


def rows_of(batch: ImportBatch, *outcomes: Outcome) -> list[ImportRow]:
    query = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.outcome.in_(outcomes))
    return list(db.session.scalars(query.order_by(ImportRow.row_number)))


def said(row: ImportRow) -> Values:
    """What a staged row says, with the id of what it is about."""
    found: Values = json.loads(row.values or "{}")
    return found


def text(values: Values) -> str:
    return json.dumps(values, ensure_ascii=False)


def was(row: ImportRow) -> Values:
    """What its changed fields were before."""
    found: Values = json.loads(row.before or "{}")
    return found


PEOPLE = frozenset({ImportKind.PERSONS, ImportKind.UPDATE})
