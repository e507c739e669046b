"""Whether a file fits the kind of register it was uploaded as, and what of it goes nowhere."""

import json
from collections.abc import Sequence

from portal.registry.models import ImportBatch, ImportKind
from portal.registry.service.imports import columns as guessing
from portal.registry.service.imports.codes import CHILD_WORDS, RELATION_WORDS
from portal.registry.service.imports.columns import MASKED_KINDS, Table
from portal.registry.service.imports.vocabulary import FIELDS, Field, known_columns, plain

# How many columns more another kind must know before anybody is told.
CLEARLY = 3
# How many values say what a column holds.
LOOKED_AT = 20
NAMES = (Field.HEAD_NAME, Field.NAME)


def better(headers: Sequence[str], kind: ImportKind) -> ImportKind | None:
    """The kind that most columns belong to, where that is clearly another one."""
    words = [plain(word) for word in headers if word.strip()]
    known = {other: _known(words, other) for other in FIELDS if other is not ImportKind.UPDATE}
    best = max(known, key=lambda other: known[other])
    mine = known[ImportKind.PERSONS if kind is ImportKind.UPDATE else kind]
    return best if known[best] - mine >= CLEARLY and known[best] * 2 > len(words) else None


def _known(words: Sequence[str], kind: ImportKind) -> int:
    fields = known_columns(kind)
    return len({fields[word] for word in words if word in fields})


def guess(table: Table, kind: ImportKind) -> dict[str, int]:
    """Which column holds what, by the headers; where these promise names, 户主 and 配偶 below are none."""
    found = guessing.guess(table.headers, kind)
    return {field: column for field, column in found.items() if field not in NAMES or not _relations(table, column)}


def _relations(table: Table, column: int) -> bool:
    said = [row[column].strip() for row in table.rows if row[column].strip()][:LOOKED_AT]
    return bool(said) and all(word in RELATION_WORDS or word in CHILD_WORDS for word in said)


def masked_as(batch: ImportBatch, kind: ImportKind) -> str:
    """A batch's samples, masked as a register of another kind has them too."""
    found: list[list[str]] = json.loads(batch.samples or "[]")
    for field, column in guessing.guess(batch.headers, kind).items():
        mask = MASKED_KINDS.get(Field(field))
        if mask and column < len(found):
            found[column] = [mask(value)[:40] for value in found[column]]
    return json.dumps(found, ensure_ascii=False)


def left_out(batch: ImportBatch) -> list[str]:
    """The headers of the columns that no field takes, in their order."""
    taken = set(batch.columns.values())
    return [word for place, word in enumerate(batch.headers) if word.strip() and place not in taken]
