"""Staged rows as the bulk insert takes them: values sealed and indexed already, so that confirming copies bytes."""

import json
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from portal.core import search
from portal.core.ids import new_public_id
from portal.core.sealing import blind, keys
from portal.registry.models import Outcome
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checking import Checked
from portal.registry.service.imports.comparing import before, compare, flags_after
from portal.registry.service.imports.matching import Known, Match, Seen

_WITHOUT = (
    "batch_id", "person_id", "twin_row", "birth_date", "source", "before", "changes", "id_number", "id_index", "phone",
    "phone_index", "phone_tail_index", "registered_address", "diet", "note",
)  # fmt: skip
_WORDS = (
    "outcome", "reasons", "public_id", "name", "initials", "pinyin", "sex", "registration", "registration_code",
    "relation", "household_number", "estate", "building", "unit", "room", "grid_name", "tags", "flags",
)  # fmt: skip
# The same table without the model's types: what is sealed already must not be sealed again, and bulk is faster.
RAW = sa.table(
    "import_row",
    *(sa.column(name, sa.Date() if name == "birth_date" else None) for name in (*_WITHOUT, *_WORDS)),
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
KEPT = (
    "sex", "birth_date", "id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registration",
    "registration_code", "registered_address", "relation", "diet", "note",
)  # fmt: skip


def refused(row: Checked) -> dict[str, Any]:
    return {
        **BLANK,
        "row_number": row.number,
        "outcome": Outcome.REFUSED.value,
        "reasons": _json(row.reasons),
        "source": _seal(_json(list(row.cells)), "import_row|source"),
        "name": row.name[:60],
    }


def staged(one: Match, seen: Seen) -> dict[str, Any]:
    """A waiting, new, changed or unchanged row."""
    if one.waits:
        return {
            **_new(one),
            "outcome": Outcome.WAITING.value,
            "reasons": _json([{"code": one.waits}]),
            "twin_row": one.twin,
            "person_id": one.known.id if one.known else None,
            "source": _seal(_json(list(one.row.cells)), "import_row|source"),
        }
    if one.known is None:
        _settle_home(one.row, seen)
        return _new(one)
    changes = compare(one, one.known, seen)
    if changes:
        return _changed(one, one.known, changes)
    return {
        **BLANK,
        "row_number": one.row.number,
        "outcome": Outcome.UNCHANGED.value,
        "person_id": one.known.id,
        "name": one.row.name,
        "household_number": one.row.household_number,
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
        **_home(row.address),
        "row_number": row.number,
        "outcome": Outcome.NEW.value,
        "public_id": new_public_id(),
        "name": row.name,
        "pinyin": pinyin[:160],
        "initials": "".join(syllable[0] for syllable in pinyin.split())[:40],
        "household_number": row.household_number,
        "grid_name": row.grid,
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
        "id_number": _seal(row.id_number, "person|id_number"),
        "id_index": one.index,
        **_phone(row.phone),
        "registration": row.registration.value,
        "registration_code": row.registration_code,
        "registered_address": _seal(row.registered_address, "person|registered_address"),
        "relation": row.relation.value,
        "diet": _seal(",".join(kind.value for kind in row.diets), "person|diet"),
        "note": _seal("\n".join(row.notes), "person|note"),
    }


def _changed(one: Match, known: Known, changes: dict[str, list[Any]]) -> dict[str, Any]:
    row = one.row
    kept = {name: known.stored[name] for name in KEPT}
    kept.update({name: str(kept[name]) for name in ("sex", "registration", "relation")})
    record = {**BLANK, **kept, **_overwritten(one, changes)}
    return {
        **record,
        **_home(row.address),
        "row_number": row.number,
        "outcome": Outcome.CHANGED.value,
        "person_id": known.id,
        "public_id": known.stored["public_id"],
        "name": known.stored["name"],
        "household_number": row.household_number if "household_number" in changes else "",
        "moves": "address" in changes,
        "grid_name": row.grid if "grid" in changes else "",
        "tags": _json(changes["tags"][1]) if "tags" in changes else "[]",
        "flags": _json(flags_after(row, known)),
        "changes": _seal(_json(changes), "import_row|changes"),
        "before": _seal(_json(before(known)), "import_row|before"),
    }


def _overwritten(one: Match, changes: dict[str, list[Any]]) -> dict[str, Any]:
    """The person's columns with a new value, as the register stores them."""
    mine = _own(one)
    values: dict[str, Any] = {name: mine[name] for name in mine if name in changes}
    if "id_number" in changes:
        values["id_index"] = one.index
    if "phone" in changes:
        values.update(_phone(one.row.phone))
    if "registration" in changes:
        values["registration_code"] = one.row.registration_code
    if "note" in changes:
        values["note"] = _seal(changes["note"][1], "person|note")
    return values


def _phone(phone: str) -> dict[str, Any]:
    if not phone:
        return {"phone": None, "phone_index": None, "phone_tail_index": None}
    return {
        "phone": _seal(phone, "person|phone"),
        "phone_index": blind("person.phone", phone),
        "phone_tail_index": blind("person.phone_tail", phone[-4:]),
    }


def _home(address: Address) -> dict[str, Any]:
    return {"estate": address.estate, "building": address.building, "unit": address.unit, "room": address.room}


def _seal(text: str, context: str) -> bytes | None:
    return keys().seal(text, context) if text else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
