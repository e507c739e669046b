"""Registers of what serves people: facilities and organisations, each known by its name in its community."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.core import ids
from portal.core.clock import now
from portal.core.db import db
from portal.registry.models import (
    Facility,
    FacilityKind,
    ImportBatch,
    ImportRow,
    Organisation,
    OrganisationKind,
    Outcome,
    Standing,
)
from portal.registry.service.imports import cells, homes, things
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.codes import (
    FACILITY_WORDS,
    ORGANISATION_WORDS,
    STANDING_WORDS,
)
from portal.registry.service.imports.things import Handler, Key, Stored, Thing, Values
from portal.registry.service.imports.vocabulary import Field

# Where a field has another name in the table.
COLUMNS = {"leader": "contact_name"}
GRADES = {f"{grade}{sign}": grade for grade in range(1, 6) for sign in ("A", "A级", "")}


def understand_facility(one: Thing, said: Mapping[Field, str], _rules: Rules) -> None:
    cells.title(one, said, 60)
    cells.texts(one, said, (Field.ADDRESS, Field.PHONE, Field.NOTE))
    cells.read(one, said, Field.SORT, "kind", lambda text: cells.coded(text, FACILITY_WORDS, FacilityKind.OTHER))
    cells.read(one, said, Field.AREA, "area_m2", homes.area, "no_number_word")


def understand_organisation(one: Thing, said: Mapping[Field, str], _rules: Rules) -> None:
    cells.title(one, said, 80)
    cells.texts(one, said, (Field.ADDRESS, Field.PHONE, Field.NOTE, Field.LEADER, Field.FILED_NUMBER))
    cells.read(
        one, said, Field.SORT, "kind", lambda text: cells.coded(text, ORGANISATION_WORDS, OrganisationKind.OTHER)
    )
    cells.read(one, said, Field.STANDING, "standing", STANDING_WORDS.get)
    cells.read(one, said, Field.GRADE, "grade", lambda text: GRADES.get(text.upper().replace(" ", "")))
    if Field.USCC in said:
        try:
            one.values["uscc"] = ids.check_uscc(said[Field.USCC])
        except ids.InvalidNumber as fault:
            one.refuse(Field.USCC, "uscc" if fault.reason is ids.NumberFault.CHECK_DIGIT else "uscc_shape")


def _known(model: type[Any], names: Sequence[str]) -> Callable[[Session, Sequence[Thing], int], dict[Key, Stored]]:
    def known(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
        wanted = [one.label for one in rows]
        query = sa.select(model).where(model.community_id == community_id, model.name.in_(wanted)).order_by(model.id)
        return {(row.name,): Stored(row.id, _said(row, names)) for row in session.scalars(query)}

    return known


def _said(row: Any, names: Sequence[str]) -> Values:
    return {name: _plain(getattr(row, COLUMNS.get(name, name))) for name in names}


def _plain(value: Any) -> Any:
    return f"{value:.2f}" if isinstance(value, Decimal) else getattr(value, "value", value)


def _stands(thing: Any, values: Values) -> bool:
    """Whether what was read, or written, once still stands."""
    return thing is not None and _said(thing, tuple(values)) == values


def _store(model: type[Any], defaults: Values) -> Callable[[ImportBatch, Collection[ImportRow]], None]:
    def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
        known = things.known_things(model, rows)
        for row in rows:
            said = things.said(row)
            number = said.pop("id")
            if number and not _stands(known.get(number), things.was(row)):
                raise things.moved_on(row)
            made = {"community_id": batch.community_id, "name": row.name, "batch_id": batch.id, **defaults}
            thing = known[number] if number else model(**made)
            _put(thing, said)
            db.session.add(thing)
        db.session.flush()

    return store


def _put(thing: Any, said: Values) -> None:
    kinds = {"kind": type(thing).kind.type.enum_class, "standing": Standing, "area_m2": Decimal}
    for name, value in said.items():
        setattr(thing, COLUMNS.get(name, name), kinds[name](value) if name in kinds and value is not None else value)
    thing.updated_at = now()


def _undo(model: type[Any], defaults: Values) -> Callable[[ImportBatch, Collection[ImportRow]], None]:
    def undo(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
        known = things.known_things(model, rows)
        things.refuse_edited([*_edited(rows, known), *_edited_new(batch, rows, model, defaults)])
        for row in rows:
            if row.outcome is Outcome.CHANGED:
                _put(known[things.said(row)["id"]], things.was(row))
        db.session.flush()

    return undo


def _edited(rows: Collection[ImportRow], known: Mapping[int, Any]) -> Iterator[things.Held]:
    """Which of the changed things no longer hold what the batch wrote into them."""
    for row in rows:
        if row.outcome is Outcome.CHANGED:
            said = things.said(row)
            thing = known.get(said["id"])
            if not _stands(thing, {name: said[name] for name in things.was(row)}):
                yield _held(thing) if thing is not None else things.Held("", None, row.name)


def _edited_new(
    batch: ImportBatch, rows: Collection[ImportRow], model: type[Any], defaults: Values
) -> Iterator[things.Held]:
    """Which of the batch's new things were renamed, or hold what it did not say."""
    said = {row.name: things.said(row) for row in rows if row.outcome is Outcome.NEW}
    for thing in things.held(model, model.batch_id == batch.id):
        wrote = said.get(thing.name)
        if wrote is None or not _stands(thing, {name: wrote.get(name, blank) for name, blank in defaults.items()}):
            yield _held(thing)


def _held(thing: Any) -> things.Held:
    return things.Held(thing.__tablename__, thing.id, thing.name)


# What a new thing holds of which its row says nothing.
BLANK_FACILITY: Values = {"kind": FacilityKind.OTHER.value, "area_m2": None, "address": "", "phone": "", "note": ""}
BLANK_ORGANISATION: Values = {
    "kind": OrganisationKind.OTHER.value,
    "standing": Standing.NONE.value,
    "grade": None,
    "uscc": None,
    "address": "",
    "phone": "",
    "note": "",
    "leader": "",
    "filed_number": "",
}
FACILITIES = Handler(
    understand_facility,
    _known(Facility, tuple(BLANK_FACILITY)),
    _store(Facility, {"kind": FacilityKind.OTHER}),
    _undo(Facility, BLANK_FACILITY),
)
ORGANISATIONS = Handler(
    understand_organisation,
    _known(Organisation, tuple(BLANK_ORGANISATION)),
    _store(Organisation, {"kind": OrganisationKind.OTHER}),
    _undo(Organisation, BLANK_ORGANISATION),
)
