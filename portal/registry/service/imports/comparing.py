"""Comparing a row with the person it is: what differs, field by field, and how the person will be."""

import base64
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _

from portal.core.masking import mask_phone
from portal.core.sealing import Blind, keys
from portal.registry.models import Person, Registration, TagKind
from portal.registry.service import words
from portal.registry.service.imports.checked import Checked
from portal.registry.service.imports.matching import SEALED, Known, Match, Seen
from portal.registry.service.imports.vocabulary import Field

RESTORED = (
    "sex", "birth_date", "id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registration",
    "registration_code", "registered_address", "relation", "diet", "note", "flags", "household_id", "grid_id",
    "updated_at", "name", "initials", "pinyin", "id_kind", "ethnicity", "marriage", "schooling", "politics", "work",
    "presence", "tenure", "living_since", "guardian_id",
)  # fmt: skip
# Codes by the standards: what a row does not say is "unknown" or empty, and never differs.
CODED = ("ethnicity", "marriage", "schooling", "politics", "work", "presence", "tenure")
# What a worker mended stays mended: these flags go once the row or the register has the thing.
SETTLED_BY = {"no_number": "id_number", "phone_doubtful": "phone"}
Changes = dict[str, list[Any]]


def compare(one: Match, known: Known, seen: Seen) -> Changes:
    """The differences as {field: [old, new]}, as a person's history keeps them: columns in plain values, tags and
    contacts in words. Empty cells never differ.
    """
    row, stored = one.row, known.stored
    changes: Changes = {}
    if one.index and stored["id_index"] is None:
        changes["id_number"] = ["", row.id_number]
    for name in ("sex", "birth_date"):
        value = getattr(row, name)
        if value and value != "unknown" and value != stored[name]:
            changes[name] = [_text(stored[name]), _text(value)]
    if row.phone and row.phone != _opened(known, "phone"):
        changes["phone"] = [_opened(known, "phone"), row.phone]
    if row.registration is not Registration.UNKNOWN and row.registration is not stored["registration"]:
        changes["registration"] = [stored["registration"].value, row.registration.value]
    if row.registered_address and row.registered_address != _opened(known, "registered_address"):
        changes["registered_address"] = [_opened(known, "registered_address"), row.registered_address]
    if Field.RELATION in row.given and row.relation is not stored["relation"]:
        changes["relation"] = [stored["relation"].value, row.relation.value]
    changes.update(_particulars(one, known))
    changes.update(_home(row, known, seen))
    changes.update(_care(row, known))
    return changes


def _particulars(one: Match, known: Known) -> Changes:
    row, changes = one.row, Changes()
    if Field.ID_KIND in row.given and one.index and row.id_kind is not known.stored["id_kind"]:
        changes["id_kind"] = [known.stored["id_kind"].value, row.id_kind.value]
    for name in CODED:
        value = getattr(row, name)
        if value and value != "unknown" and value != known.stored[name]:
            changes[name] = [str(known.stored[name]), str(value)]
    if row.living_since and row.living_since != known.stored["living_since"]:
        changes["living_since"] = [_text(known.stored["living_since"]), _text(row.living_since)]
    if row.contact_phone and row.contact_phone not in known.contacts:
        changes["contacts"] = ["", " ".join((row.contact_name, row.contact_relation, mask_phone(row.contact_phone)))]
    return changes


def _home(row: Checked, known: Known, seen: Seen) -> Changes:
    changes: Changes = {}
    named = Field.HOUSEHOLD_NUMBER in row.given or not known.household_number
    if named and row.household_number != known.household_number:
        changes["household_number"] = [known.household_number, row.household_number]
    elif row.address and row.address != known.address:
        first = seen.moved.setdefault(known.household_number, row.address)
        if first == row.address:
            changes["address"] = [known.address.words(), row.address.words()]
            seen.homes[known.household_number] = row.address
    if row.grid and row.grid != known.grid:
        changes["grid"] = [known.grid, row.grid]
    return changes


def _care(row: Checked, known: Known) -> Changes:
    changes: Changes = {}
    tags = new_tags(row.tags, known)
    if tags:
        changes["tags"] = ["", _("、").join(words.tag(kind) for kind in tags)]
    old = _opened(known, "diet")
    if row.diets and {kind.value for kind in row.diets} != set(old.split(",")):
        changes["diet"] = [old, ",".join(kind.value for kind in row.diets)]
    note = _opened(known, "note")
    lines = [line for line in row.notes if line not in note.splitlines()]
    if lines:
        changes["note"] = [note, "\n".join([note, *lines] if note else lines)]
    return changes


def new_tags(tags: Iterable[TagKind], known: Known) -> list[TagKind]:
    return [kind for kind in tags if kind not in known.tags]


def flags_after(row: Checked, known: Known) -> list[str]:
    """The person's flags with the row's; what the row or the register settles is settled."""
    settled = {flag for flag, what in SETTLED_BY.items() if known.stored[what] or getattr(row, what)}
    return [flag for flag in dict.fromkeys([*known.stored["flags"], *row.flags]) if flag not in settled]


def before(known: Known) -> dict[str, Any]:
    """What undoing restores: every column that an import may touch. Opened, because keys are rotated: the whole is
    sealed once, as import_row|before.
    """
    opened = {name: _opened(known, name) if known.stored[name] else None for name in SEALED}
    kept = {name: _packed({**known.stored, **opened}[name]) for name in RESTORED}
    return kept | {"dwelling_id": known.dwelling_id}


def indexes(was: dict[str, Any]) -> dict[str, Any]:
    """The blind indexes of what before() kept, under the key of today: it may have been rotated since."""
    kinds = ((name, Person.__table__.columns[name].type) for name in RESTORED)
    return {
        name: kind.index(keys(), was[kind.of]) if was[kind.of] else None
        for name, kind in kinds
        if isinstance(kind, Blind)
    }


def unpacked(name: str, value: Any) -> Any:
    """A value of before() as the database stores it."""
    if value is None:
        return None
    if name in SEALED:
        return keys().seal(value, f"person|{name}")
    if name.endswith("_index"):
        return base64.b64decode(value)
    if name in {"birth_date", "living_since"}:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if name == "updated_at" else value


def _packed(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value.isoformat() if isinstance(value, date) else value


def _opened(known: Known, name: str) -> str:
    sealed = known.stored[name]
    return keys().open(bytes(sealed), f"person|{name}") if sealed else ""


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "")
