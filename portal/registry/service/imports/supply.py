"""Registers of what serves people: facilities and organisations, each known by its name in its community."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.core import ids
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
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


def _held(model: type[Any], of: sa.ColumnElement[bool]) -> list[Any]:
    """Rows as they stand now, held until the end."""
    query = sa.select(model).where(of).order_by(model.id).with_for_update()
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def _known_things(model: type[Any], rows: Collection[ImportRow]) -> dict[int, Any]:
    """What the changed rows are about, by id."""
    numbers = [things.said(row)["id"] for row in rows if row.outcome is Outcome.CHANGED]
    return {thing.id: thing for thing in _held(model, model.id.in_(numbers))}


def _stands(thing: Any, values: Values) -> bool:
    """Whether what was read, or written, once still stands."""
    return thing is not None and _said(thing, tuple(values)) == values


def _store(model: type[Any], defaults: Values) -> Callable[[ImportBatch, Collection[ImportRow]], None]:
    def store(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
        known = _known_things(model, rows)
        for row in rows:
            said = things.said(row)
            number = said.pop("id")
            if number and not _stands(known.get(number), things.was(row)):
                raise Refused(_("检查之后，有人改过“%(name)s”。请重新检查这一批，再确认。", name=row.name))
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
        known = _known_things(model, rows)
        _refuse_edited([*_edited(rows, known), *_edited_new(batch, rows, model, defaults)])
        for row in rows:
            if row.outcome is Outcome.CHANGED:
                _put(known[things.said(row)["id"]], things.was(row))
        db.session.flush()

    return undo


def _edited(rows: Collection[ImportRow], known: Mapping[int, Any]) -> Iterator[str]:
    """Which of the changed things no longer hold what the batch wrote into them."""
    for row in rows:
        if row.outcome is Outcome.CHANGED:
            said = things.said(row)
            if not _stands(known.get(said["id"]), {name: said[name] for name in things.was(row)}):
                yield row.name


def _edited_new(batch: ImportBatch, rows: Collection[ImportRow], model: type[Any], defaults: Values) -> Iterator[str]:
    """Which of the batch's new things were renamed, or hold what it did not say."""
    said = {row.name: things.said(row) for row in rows if row.outcome is Outcome.NEW}
    for thing in _held(model, model.batch_id == batch.id):
        wrote = said.get(thing.name)
        if wrote is None or not _stands(thing, {name: wrote.get(name, blank) for name, blank in defaults.items()}):
            yield thing.name


def _refuse_edited(names: Sequence[str]) -> None:
    if names:
        facts = {"count": len(names), "names": _("、").join(names[:3])}
        raise Refused(_("这一批里有 %(count)d 项后来又改过（%(names)s），不能整批撤销。请逐个修改。", **facts))


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
