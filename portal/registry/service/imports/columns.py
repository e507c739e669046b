"""Columns: where the table stands in a sheet, which column holds what, and samples that give nobody away."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core.files import BadFile, FileFault
from portal.core.masking import mask_id, mask_middle, mask_name, mask_phone
from portal.core.sheets import Sheet, header_row, open_sheet
from portal.registry.service.imports.vocabulary import COLUMN_WORDS, KNOWN_COLUMNS, Field, plain

HINT = re.compile(
    r"必填|选填|必选|可不填|示例|样例|例如|例[::]|^如[::,,]?|格式|填写|请|下拉|说明|位数字|18位|yyyy|以文本",
    re.IGNORECASE,
)
LAST_LINES = re.compile(r"^(合计|总计|小计|共计|总人数|总户数|填表|填报|审核|制表|负责人|备注[::]|注[::]|说明[::])")
LONG_NUMBER = re.compile(r"[0-9０-９]{6,}")
SAMPLES = 3
MASKED_KINDS = {Field.ID_NUMBER: mask_id, Field.PHONE: mask_phone, Field.NAME: mask_name}


@dataclass(frozen=True)
class Table:
    """A register inside a sheet: its headers, the rows that may hold people, their numbers in the file, and the
    rows that hold none, each with why: title, hint, header or end.
    """

    headers: list[str]
    header_number: int
    rows: list[list[str]]
    numbers: list[int]
    skipped: list[tuple[int, str]]


def read_table(data: bytes, filename: str) -> Table:
    """Raise BadFile for what is no register; its sentence says why."""
    return locate(open_sheet(data, filename))


def locate(sheet: Sheet) -> Table:
    at = header_row(sheet.rows, [*KNOWN_COLUMNS, *(f"*{word}" for word in KNOWN_COLUMNS)])
    headers = sheet.rows[at]
    skipped = [(number, "title") for number in sheet.numbers[:at]]
    rows, numbers = sheet.rows[at + 1 :], sheet.numbers[at + 1 :]
    first = 0
    while first < min(2, len(rows)) and _is_hint(rows[first]):
        skipped.append((numbers[first], "hint"))
        first += 1
    last = len(rows)
    while last > first and _is_end(rows[last - 1]):
        last -= 1
        skipped.append((numbers[last], "end"))
    again = [place for place in range(first, last) if rows[place] == headers]
    skipped += [(numbers[place], "header") for place in again]
    kept = [place for place in range(first, last) if place not in again] if again else range(first, last)
    if not kept:
        raise BadFile(FileFault.EMPTY, _("表头下面没有人员，没有可以导入的内容。"))
    return Table(
        headers, sheet.numbers[at], [rows[place] for place in kept], [numbers[place] for place in kept], sorted(skipped)
    )


def _is_hint(row: Sequence[str]) -> bool:
    """Words on how to fill in, or an example marked as one: never a row with somebody's number in it."""
    filled = [cell for cell in row if cell]
    if any(cell.startswith(("示例", "样例", "例:", "例：")) for cell in filled[:2]):
        return True
    hints = sum(1 for cell in filled if HINT.search(cell))
    return hints >= 2 and hints * 2 >= len(filled)


def _is_end(row: Sequence[str]) -> bool:
    """A total or a line for signatures under the table."""
    first = next((cell for cell in row if cell), "")
    return bool(LAST_LINES.match(re.sub(r"\s", "", first))) and not any(_long(cell) for cell in row)


def _long(cell: str) -> bool:
    return len(re.sub(r"\D", "", cell)) >= 15


def header_key(headers: Sequence[str]) -> str:
    """The same for two files of one office: its words in their order."""
    return hashlib.sha256("|".join(plain(word) for word in headers).encode()).hexdigest()


def guess(headers: Sequence[str]) -> dict[str, int]:
    """Which column holds each field: by the exact word first, else by a word that the header contains."""
    words = [plain(word) for word in headers]
    found: dict[str, int] = {}
    for column, word in enumerate(words):
        field = KNOWN_COLUMNS.get(word)
        if field and field.value not in found:
            found[field.value] = column
    return found | _contained(words, found)


def _contained(words: Sequence[str], found: Mapping[str, int]) -> dict[str, int]:
    taken = set(found.values())
    inside: dict[str, int] = {}
    for field, names in COLUMN_WORDS.items():
        if field.value in found:
            continue
        long_names = [name for name in names if len(name) > 1 and name not in {"其他", "其它", "说明", "关系", "居民"}]
        for column, word in enumerate(words):
            if column not in taken and any(name in word for name in long_names):
                inside[field.value] = column
                taken.add(column)
                break
    return inside


def samples(table: Table) -> list[list[str]]:
    """For each column up to three values, numbers, telephones and names masked."""
    kinds = {column: Field(field) for field, column in guess(table.headers).items()}
    return [_column_samples(table, column, kinds.get(column)) for column in range(len(table.headers))]


def _column_samples(table: Table, column: int, kind: Field | None) -> list[str]:
    values = []
    for row in table.rows:
        if row[column]:
            values.append(_masked(row[column], kind))
        if len(values) == SAMPLES:
            break
    return values


def _masked(value: str, kind: Field | None) -> str:
    mask = MASKED_KINDS.get(kind) if kind else None
    if mask:
        return mask(value)[:40]
    if kind is Field.HOUSEHOLD_NUMBER or kind is Field.BIRTH_DATE:
        return value[:40]
    return LONG_NUMBER.sub(lambda found: mask_middle(found[0], 3, 2), value)[:40]
