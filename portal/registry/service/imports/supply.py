"""Registers of what serves people: facilities and organisations, each known by its name in its community."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from portal.registry.service.imports import homes, things
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
Reader = Callable[[str], Any]
# What stands in a column, as the model's column of that name takes it; None for what cannot be.
TEXT: dict[Field, tuple[str, int]] = {
    Field.ADDRESS: ("address", 120),
    Field.PHONE: ("phone", 30),
    Field.NOTE: ("note", 300),
    Field.LEADER: ("leader", 60),
    Field.FILED_NUMBER: ("filed_number", 40),
}


def understand_facility(one: Thing, said: Mapping[Field, str], _rules: Rules) -> None:
    _named(one, said, 60)
    _texts(one, said, (Field.ADDRESS, Field.PHONE, Field.NOTE))
    _read(one, said, Field.SORT, "kind", lambda text: _coded(text, FACILITY_WORDS, FacilityKind.OTHER))
    _read(one, said, Field.AREA, "area_m2", homes.area)


def understand_organisation(one: Thing, said: Mapping[Field, str], _rules: Rules) -> None:
    _named(one, said, 80)
    _texts(one, said, tuple(TEXT))
    _read(one, said, Field.SORT, "kind", lambda text: _coded(text, ORGANISATION_WORDS, OrganisationKind.OTHER))
    _read(one, said, Field.STANDING, "standing", STANDING_WORDS.get)
    _read(one, said, Field.GRADE, "grade", lambda text: GRADES.get(text.upper().replace(" ", "")))
    if Field.USCC in said:
        try:
            one.values["uscc"] = ids.check_uscc(said[Field.USCC])
        except ids.InvalidNumber as fault:
            one.refuse(Field.USCC, "uscc" if fault.reason is ids.NumberFault.CHECK_DIGIT else "uscc_shape")


def _named(one: Thing, said: Mapping[Field, str], most: int) -> None:
    one.label = said.get(Field.TITLE, "")
    one.key = (one.label,)
    if not one.label:
        one.refuse(Field.TITLE, "no_title")
    elif len(one.label) > most:
        one.refuse(Field.TITLE, "too_long", count=most)


def _texts(one: Thing, said: Mapping[Field, str], fields: Sequence[Field]) -> None:
    for where in fields:
        name, most = TEXT[where]
        if len(said.get(where, "")) > most:
            one.refuse(where, "too_long", count=most)
        elif where in said:
            one.values[name] = said[where]


def _read(one: Thing, said: Mapping[Field, str], where: Field, name: str, read: Reader) -> None:
    if where not in said:
        return
    value = read(said[where])
    if value is None:
        one.refuse(where, "no_number_word" if where is Field.AREA else "unknown_word")
    else:
        one.values[name] = value


def _coded(text: str, known: Mapping[str, Any], other: Any) -> str:
    """A word inside the cell decides, the longest first; one that is none of them is an other."""
    compact = text.replace(" ", "")
    words = sorted((word for word in known if word in compact), key=len, reverse=True)
    return str(known[words[0]].value if words else other.value)


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


def _store(model: type[Any], defaults: Values) -> Callable[[ImportBatch, Collection[ImportRow]], None]:
    def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
        for row in rows:
            said = things.said(row)
            known = said.pop("id")
            made = {"community_id": batch.community_id, "name": row.name, "batch_id": batch.id, **defaults}
            thing = db.session.get_one(model, known) if known else model(**made)
            _put(thing, said)
            db.session.add(thing)
        db.session.flush()

    return store


def _put(thing: Any, said: Values) -> None:
    kinds = {"kind": type(thing).kind.type.enum_class, "standing": Standing, "area_m2": Decimal}
    for name, value in said.items():
        setattr(thing, COLUMNS.get(name, name), kinds[name](value) if name in kinds and value is not None else value)
    thing.updated_at = now()


def _undo(model: type[Any]) -> Callable[[ImportBatch, Collection[ImportRow]], None]:
    def undo(_batch: ImportBatch, rows: Collection[ImportRow]) -> None:
        for row in rows:
            if row.outcome is Outcome.CHANGED:
                _put(db.session.get_one(model, things.said(row)["id"]), things.was(row))
        db.session.flush()

    return undo


FACILITIES = Handler(
    understand_facility,
    _known(Facility, ("kind", "area_m2", "address", "phone", "note")),
    _store(Facility, {"kind": FacilityKind.OTHER}),
    _undo(Facility),
)
ORGANISATIONS = Handler(
    understand_organisation,
    _known(
        Organisation,
        ("kind", "standing", "grade", "uscc", "address", "phone", "note", "leader", "filed_number"),
    ),
    _store(Organisation, {"kind": OrganisationKind.OTHER}),
    _undo(Organisation),
)
