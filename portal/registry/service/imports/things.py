"""Registers that hold no persons: a row understood, compared with what the register knows, staged, stored, undone."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, load_only

from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import ImportBatch, ImportKind, ImportRow, Outcome
from portal.registry.service.imports import records
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.keeping import LISTED, Kept
from portal.registry.service.imports.vocabulary import Field, tidy

Key = tuple[str, ...]
Values = dict[str, Any]
# What an undo leaves as it is: places with the reason, and the ids of dwellings that hold other values by now.
Left = tuple[Sequence[Kept], Collection[int]]


@dataclass
class Thing:
    """A row as it was understood: what it is about (`key`, `label`), and the fields it says something of.

    `before`: what a new thing will change of something that stands (the area of a home whose owner is entered).
    `alone`: what else no second row of the file may be about, known once it was looked up, with the reason it is told.
    """

    number: int
    cells: Sequence[str]
    label: str = ""
    key: Key = ()
    address: Address = field(default_factory=Address)
    household_number: str = ""
    values: Values = field(default_factory=dict)
    before: Values = field(default_factory=dict)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    alone: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def refuse(self, where: Field, code: str, **facts: int) -> None:
        self.reasons.append({"field": where.value, "code": code, **facts})


@dataclass(frozen=True)
class Stored:
    """What the register holds under a key: its id, and the same fields in plain values."""

    id: int
    values: Values


@dataclass(frozen=True)
class Held:
    """A thing that somebody edited since: its table, its key in addresses (None once it is gone), and its name."""

    table: str
    key: int | str | None
    name: str


class Edited(Refused):
    """A batch that is too late to undo as a whole, with what holds it."""

    def __init__(self, message: str, held: Sequence[Held]) -> None:
        super().__init__(message)
        self.held = held


@dataclass(frozen=True)
class Handler:
    """How one kind of register is read, looked up, stored and taken back."""

    understand: Callable[[Thing, Mapping[Field, str], Rules], None]
    known: Callable[[Session, Sequence[Thing], int], dict[Key, Stored]]
    store: Callable[[ImportBatch, Collection[ImportRow]], None]
    undo: Callable[[ImportBatch, Collection[ImportRow]], Left | None]
    # Which rows storing and undoing look at one by one, and whether they write nothing on them.
    asks: tuple[Outcome, ...] = (Outcome.NEW, Outcome.CHANGED)
    only_reads: bool = False


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
        _refuse_second(one, seen)
        yield _refused(one) if one.reasons else _compared(one, known.get(one.key))


def _understood(handler: Handler, number: int, cells: Sequence[str], rules: Rules, seen: dict[Key, int]) -> Thing:
    one = Thing(number, cells)
    handler.understand(one, {name: text for name, column in rules.placed if (text := tidy(cells[column]))}, rules)
    if not one.reasons and seen.setdefault(one.key, number) != number:
        one.reasons.append({"code": "twice"})
    return one


def _refuse_second(one: Thing, seen: dict[Key, int]) -> None:
    for key, reason in one.alone.items():
        if not one.reasons and seen.setdefault(key, one.number) != one.number:
            one.reasons.append(reason)


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
    before = known.values if known else one.before
    changes = {
        name: [before.get(name, ""), value]
        for name, value in one.values.items()
        if not name.startswith("_") and before.get(name) != value
    }
    outcome = Outcome.CHANGED if changes else Outcome.UNCHANGED
    values = {"id": known.id if known else None, **one.values}
    restored = {name: before.get(name) for name in changes if known or name in before}
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


ASKED = ("outcome", "name", "household_number", "estate", "building", "unit", "room", "values", "before")


def rows_of(batch: ImportBatch, handler: Handler) -> list[Any]:
    """The rows a handler asks for. A register of homes has as many as one of people: what nobody asks about is not
    opened, and what is only read is no object.
    """
    columns = [getattr(ImportRow, name) for name in ASKED]
    where = ImportRow.batch_id == batch.id, ImportRow.outcome.in_(handler.asks)
    if handler.only_reads:
        return list(db.session.execute(sa.select(*columns).where(*where).order_by(ImportRow.row_number)))
    query = sa.select(ImportRow).where(*where).options(load_only(*columns))
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


def held(model: type[Any], of: sa.ColumnElement[bool]) -> list[Any]:
    """Rows as they stand now, held until the end."""
    query = sa.select(model).where(of).order_by(model.id).with_for_update()
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def known_things(model: type[Any], rows: Collection[ImportRow]) -> dict[int, Any]:
    """What the changed rows are about, by id."""
    numbers = {said(row)["id"] for row in rows if row.outcome is Outcome.CHANGED}
    return {thing.id: thing for thing in held(model, model.id.in_(numbers))}


def moved_on(row: ImportRow) -> Refused:
    return Refused(_("检查之后，有人改过“%(name)s”。请重新检查这一批，再确认。", name=row.name))


def refuse_edited(found: Iterable[Held | None]) -> None:
    """With a way to each of them: what holds a batch is settled on its own page."""
    if held := list(dict.fromkeys(one for one in found if one is not None)):
        names = _("、").join(one.name for one in held[:3])
        words = _("这一批里有 %(count)d 项后来又改过（%(names)s），不能整批撤销。", count=len(held), names=names)
        raise Edited(words + _("请打开下面列出的每一项，在它的页面上改。"), held[:LISTED])


PEOPLE = frozenset({ImportKind.PERSONS, ImportKind.UPDATE})
