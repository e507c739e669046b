"""Staged rows as the bulk insert takes them: values sealed and indexed already, so that confirming copies bytes."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from portal.core import search
from portal.core.ids import new_public_id
from portal.core.sealing import blind, keys
from portal.registry.models import Outcome
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checked import Checked
from portal.registry.service.imports.comparing import before, compare, flags_after, new_tags
from portal.registry.service.imports.matching import Known, Match, Seen

_WITHOUT = (
    "batch_id", "person_id", "twin_row", "birth_date", "source", "before", "changes", "id_number", "id_index", "phone",
    "phone_index", "phone_tail_index", "registered_address", "diet", "note",
)  # fmt: skip
_WORDS = (
    "outcome", "reasons", "public_id", "name", "initials", "pinyin", "sex", "registration", "registration_code",
    "relation", "household_number", "estate", "building", "unit", "room", "grid_name", "tags", "flags",
)  # fmt: skip
# What few registers hold. Where no row of a chunk does, the columns are left to the database's defaults: each column
# of the bulk insert costs a fortieth of its time.
FURTHER: dict[str, Any] = {
    "id_kind": "id_card",
    "ethnicity": "",
    "marriage": "unknown",
    "schooling": "unknown",
    "politics": "unknown",
    "work": "unknown",
    "presence": "unknown",
    "tenure": "unknown",
    "living_since": None,
    "guardian_name": "",
    "disability": "",
    "contact_name": "",
    "contact_relation": "",
    "contact_phone": None,
    "values": None,
}
DAYS = frozenset({"birth_date", "living_since"})
# The same table without the model's types: what is sealed already must not be sealed again, and bulk is faster.
RAW = sa.table(
    "import_row",
    *(sa.column(name, sa.Date() if name in DAYS else None) for name in (*_WITHOUT, *_WORDS, *FURTHER)),
    sa.column("id"),
    sa.column("row_number"),
    sa.column("moves"),
)
BLANK: dict[str, Any] = {
    **dict.fromkeys(_WITHOUT),
    **dict.fromkeys(_WORDS, ""),
    "moves": False,
    "reasons": "[]",
    "tags": "[]",
    "flags": "[]",
    "sex": "unknown",
    "registration": "unknown",
    "relation": "other",
}
PLAIN_WIDTH = len(BLANK) + 1  # and the row's number
CODES = ("id_kind", "marriage", "schooling", "politics", "work", "presence", "tenure")
KEPT = (
    "sex", "birth_date", "id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registration",
    "registration_code", "registered_address", "relation", "diet", "note", "initials", "pinyin", "ethnicity",
    "living_since", *CODES,
)  # fmt: skip


def level(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """All rows of a chunk with the same columns, as one statement needs them."""
    names = set[str]()
    for row in rows:
        if len(row) > PLAIN_WIDTH:
            names.update(row.keys() & FURTHER.keys())
    for name in names:
        for row in rows:
            row.setdefault(name, FURTHER[name])
    return rows


def refused(row: Checked) -> dict[str, Any]:
    return {
        **BLANK,
        "row_number": row.number,
        "outcome": Outcome.REFUSED.value,
        "reasons": _json(row.reasons),
        "source": seal(_json(list(row.cells)), "import_row|source"),
        "name": row.name[:60],
    }


def staged(one: Match, seen: Seen) -> dict[str, Any]:
    """A waiting, new, changed or unchanged row."""
    if one.settled:
        return _unchanged(one.row, one.settled.person_id)
    if one.waits:
        return {
            **_new(one),
            "outcome": Outcome.WAITING.value,
            "reasons": _json([{"code": one.waits}]),
            "twin_row": one.twin,
            "person_id": one.known.id if one.known else None,
            "source": seal(_json(list(one.row.cells)), "import_row|source"),
        }
    if one.known is None:
        _settle_home(one.row, seen)
        return _new(one)
    changes = compare(one, one.known, seen)
    if changes:
        return _changed(one, one.known, changes)
    return _unchanged(one.row, one.known.id)


def _unchanged(row: Checked, person_id: int | None) -> dict[str, Any]:
    return {
        **BLANK,
        "row_number": row.number,
        "outcome": Outcome.UNCHANGED.value,
        "person_id": person_id,
        "name": row.name,
        "household_number": row.household_number,
    }


def _settle_home(row: Checked, seen: Seen) -> None:
    """A household has one address, the first it came with; who brings another is flagged."""
    if not row.household_number or not row.address:
        return
    home = seen.homes.setdefault(row.household_number, row.address)
    if home != row.address:
        row.flags.append("address_differs")
        row.address = home


def _new(one: Match) -> dict[str, Any]:
    row = one.row
    pinyin = _reading(row.name)
    return {
        **BLANK,
        **_own(one),
        **home(row.address),
        "row_number": row.number,
        "outcome": Outcome.NEW.value,
        "public_id": new_public_id(),
        "name": row.name,
        "pinyin": pinyin[:160],
        "initials": "".join(syllable[0] for syllable in pinyin.split())[:40],
        "household_number": row.household_number,
        "grid_name": row.grid,
        **(_further(row) if row.further else {}),
        "tags": _json([kind.value for kind in row.tags]) if row.tags else "[]",
        "flags": _json(row.flags) if row.flags else "[]",
    }


@lru_cache(maxsize=20_000)
def _reading(name: str) -> str:
    """Names repeat, and reading one is a seventh of the work on a row."""
    return search.pinyin(name)


def _own(one: Match) -> dict[str, Any]:
    row = one.row
    return {
        "sex": row.sex.value,
        "birth_date": row.birth_date,
        "id_number": seal(row.id_number, "person|id_number"),
        "id_index": one.index,
        **_phone(row.phone),
        "registration": row.registration.value,
        "registration_code": row.registration_code,
        "registered_address": seal(row.registered_address, "person|registered_address"),
        "relation": row.relation.value,
        "diet": seal(",".join(kind.value for kind in row.diets), "person|diet") if row.diets else None,
        "note": seal("\n".join(row.notes), "person|note"),
    }


def _changed(one: Match, known: Known, changes: dict[str, list[Any]]) -> dict[str, Any]:
    row = one.row
    kept = {name: known.stored[name] for name in KEPT}
    kept.update({name: str(kept[name]) for name in ("sex", "registration", "relation", *CODES)})
    record = {**BLANK, **kept, **_overwritten(one, changes)}
    return {
        **record,
        **home(row.address),
        "row_number": row.number,
        "outcome": Outcome.CHANGED.value,
        "person_id": known.id,
        "public_id": known.stored["public_id"],
        "name": known.stored["name"],
        "household_number": row.household_number if "household_number" in changes else "",
        "moves": "address" in changes,
        "grid_name": row.grid if "grid" in changes else "",
        "guardian_name": row.guardian,
        **(_contact(row) if "contacts" in changes else {}),
        "disability": row.disability,
        "tags": _json([kind.value for kind in new_tags(row.tags, known)]) if row.tags else "[]",
        "flags": _json(flags_after(row, known)),
        "changes": seal(_json(changes), "import_row|changes"),
        "before": seal(_json(before(known)), "import_row|before"),
    }


def _overwritten(one: Match, changes: dict[str, list[Any]]) -> dict[str, Any]:
    """The person's columns with a new value, as the register stores them."""
    mine = {**_own(one), **_further(one.row)}
    values: dict[str, Any] = {name: mine[name] for name in mine if name in changes}
    if "id_number" in changes:
        values["id_index"] = one.index
    if "phone" in changes:
        values.update(_phone(one.row.phone))
    if "registration" in changes:
        values["registration_code"] = one.row.registration_code
    if "note" in changes:
        values["note"] = seal(changes["note"][1], "person|note")
    return values


def _phone(phone: str) -> dict[str, Any]:
    if not phone:
        return {"phone": None, "phone_index": None, "phone_tail_index": None}
    return {
        "phone": seal(phone, "person|phone"),
        "phone_index": blind("person.phone", phone),
        "phone_tail_index": blind("person.phone_tail", phone[-4:]),
    }


def _further(row: Checked) -> dict[str, Any]:
    return {
        "ethnicity": row.ethnicity,
        "living_since": row.living_since,
        **{name: getattr(row, name).value for name in CODES},
        "guardian_name": row.guardian,
        "disability": row.disability,
        **_contact(row),
    }


def _contact(row: Checked) -> dict[str, Any]:
    if not row.contact_phone:
        return {}
    return {
        "contact_name": row.contact_name,
        "contact_relation": row.contact_relation,
        "contact_phone": seal(row.contact_phone, "emergency_contact|phone"),
    }


def home(address: Address) -> dict[str, Any]:
    return {"estate": address.estate, "building": address.building, "unit": address.unit, "room": address.room}


def seal(text: str, context: str) -> bytes | None:
    return keys().seal(text, context) if text else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
