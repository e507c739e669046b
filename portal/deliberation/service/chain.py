"""The published file of a counted vote: a head in words, a row a ballot in the order of receipts, a chain of hashes.

    portal-vote-file 1
    {"body": ..., "options": [...], "rule": {...}, ...}          one line of JSON
    1 <TAB> receipt <TAB> choice <TAB> area in m² <TAB> hash     a line each
    end <TAB> number of rows <TAB> head

The first hash is over the first two lines, each other over the one before and its own row. `recount.py`, which imports
nothing of ours, reads the same and must be changed together with this.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

FIRST = "portal-vote-file 1"


@dataclass(frozen=True)
class Row:
    """One ballot. `choice` is the option's number, 0 an invalid paper; `area` is 0 unless owners decide."""

    receipt: str
    choice: int
    area: Decimal = Decimal(0)

    def words(self, number: int) -> str:
        return f"{number}\t{self.receipt}\t{self.choice}\t{self.area:.2f}"


def written(header: dict[str, Any], rows: Iterable[Row]) -> tuple[str, str]:
    """The file, and its head: the last hash, by which the whole of it can be told."""
    top = f"{FIRST}\n{json.dumps(header, ensure_ascii=False, sort_keys=True)}"
    lines, last, count = [top], _hash(top), 0
    for count, row in enumerate(sorted(rows, key=lambda one: one.receipt), start=1):
        words = row.words(count)
        last = _hash(f"{last}\n{words}")
        lines.append(f"{words}\t{last}")
    lines.append(f"end\t{count}\t{last}")
    return "\n".join(lines) + "\n", last


def header_of(content: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content.split("\n", 2)[1])
    return found


def row_of(content: str, receipt: str) -> tuple[int, Row] | None:
    """The row that carries a receipt, with its number."""
    for line in content.splitlines()[2:-1]:
        number, carried, choice, area, _last = line.split("\t")
        if carried == receipt:
            return int(number), Row(carried, int(choice), Decimal(area))
    return None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
