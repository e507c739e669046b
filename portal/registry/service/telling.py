"""The history of a record as it is read: who, when, from where, and each value in words or masked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import reasons
from portal.core.db import db
from portal.core.ids import Sex
from portal.core.masking import mask_id, mask_phone
from portal.registry.models import (
    Diet,
    Household,
    IdKind,
    Marriage,
    Person,
    PersonState,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    Source,
    Tenure,
    Work,
)
from portal.registry.service import changes, ethnicities, words
from portal.registry.service.changes import Change

CODES: dict[str, type[StrEnum]] = {
    "sex": Sex,
    "id_kind": IdKind,
    "marriage": Marriage,
    "schooling": Schooling,
    "politics": Politics,
    "work": Work,
    "registration": Registration,
    "presence": Presence,
    "tenure": Tenure,
    "relation": Relation,
    "state": PersonState,
}
SEALED_TEXTS = {"registered_address", "health", "note"}
MASKED = {"id_number", "phone"}
# Columns that hold the number of another row: where its name stands.
NAMED: dict[str, Any] = {
    "guardian_id": (Person.id, Person.name),
    "merged_into_id": (Person.id, Person.name),
    "household_id": (Household.id, Household.number),
    "grid_id": (Area.id, Area.name),
    "community_id": (Area.id, Area.name),
}
Names = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Line:
    """One change of one field, ready to be read."""

    at: datetime
    by: str
    source: Source
    reason: str
    field: str
    what: str
    before: str
    after: str


def history(person: Person, *, field: str = "", limit: int = 100) -> list[Line]:
    """A person's changes, or one field's, the newest first; no sealed value is ever plain here."""
    found = changes.history(person, field=field, limit=limit)
    names = _names(found)
    return [
        Line(
            change.row.at,
            change.row.by_name or _("系统"),
            change.row.source,
            reasons.said(change.row.reason),
            change.field,
            changes.field_words(change.field),
            said(change.field, change.before, names),
            said(change.field, change.after, names),
        )
        for change in found
    ]


def now_said(found: list[Change]) -> list[str]:
    """Each field that changed, once, with the value that it has now; of what is sealed the name only."""
    latest: dict[str, Change] = {}
    for change in found:
        latest.setdefault(change.field, change)
    names = _names(latest.values())
    return [
        _("%(field)s：%(value)s", field=changes.field_words(field), value=said(field, change.after, names))
        if field in changes.FIELDS and field not in {*SEALED_TEXTS, *MASKED}
        else changes.field_words(field)
        for field, change in latest.items()
    ]


def said(field: str, value: str | None, names: Names) -> str:
    """A value as a reader may see it; an empty one is a dash."""
    if not value:
        return _("空")
    if field in MASKED:
        return mask_id(value) if field == "id_number" else mask_phone(value)
    if field in SEALED_TEXTS:
        return _("已登记，未显示")
    if field in NAMED:
        return names.get((field, value), _("已不在登记里"))
    return _of_code(field, value)


def _of_code(field: str, value: str) -> str:
    if field in CODES:
        return words.in_words(CODES[field](value)) if value in set(CODES[field]) else value
    if field == "diet":
        return _("、").join(words.diet(Diet(code)) for code in value.split(",") if code in set(Diet))
    if field == "flags":
        codes = [code.strip(' "') for code in value.strip("[]").split(",")]
        return _("、").join(words.flag(code) for code in codes if code) or _("空")
    return ethnicities.in_words(value) if field == "ethnicity" else value


def _names(found: Iterable[Change]) -> Names:
    """The names behind the numbers of rows, one question for each kind."""
    wanted: dict[str, set[int]] = {}
    for change in found:
        if change.field in NAMED:
            numbers = {int(value) for value in (change.before, change.after) if value}
            wanted.setdefault(change.field, set()).update(numbers)
    names: Names = {}
    for field, numbers in wanted.items():
        key, name = NAMED[field]
        rows = db.session.execute(sa.select(key, name).where(key.in_(numbers)).order_by(key))
        names.update({(field, str(number)): text for number, text in rows})
    return names
