"""Columns: where the table stands in a sheet, which column holds what, and samples that give nobody away."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.core.files import BadFile, FileFault
from portal.core.masking import mask_id, mask_middle, mask_name, mask_phone
from portal.core.sheets import Sheet, header_row, open_sheet
from portal.registry.models import ImportKind
from portal.registry.service.imports.vocabulary import KNOWN_COLUMNS, Field, known_columns, plain

HINT = re.compile(
    r"必填|选填|必选|可不填|示例|样例|例如|例[::]|^如[::,,]?|格式|填写|请|下拉|说明|位数字|18位|yyyy|以文本",
    re.IGNORECASE,
)
LAST_LINES = re.compile(r"^(合计|总计|小计|共计|总人数|总户数|填表|填报|审核|制表|负责人|备注[::]|注[::]|说明[::])")
TOO_VAGUE = frozenset(
    {"其他", "其它", "说明", "关系", "居民", "婚姻", "民族", "成员", "队员", "志愿者", "物资", "物品", "证书", "职务"}
)
LONG_NUMBER = re.compile(r"[0-9０-９]{6,}")
SAMPLES = 3
MASKED_KINDS = {
    Field.ID_NUMBER: mask_id,
    Field.PHONE: mask_phone,
    Field.NAME: mask_name,
    Field.OWNER: mask_name,
    Field.USCC: mask_id,
    Field.PAPER_NUMBER: mask_id,
}


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
    skipped = [(number, "title") for number in sheet.numbers[:at]]
    headers, below = sheet.rows[at], at + 1
    if _is_second_line(headers, sheet.rows[below : below + 1]):
        headers = [lower or upper for upper, lower in zip(headers, sheet.rows[below], strict=True)]
        skipped.append((sheet.numbers[below], "header"))
        below += 1
    rows, numbers = sheet.rows[below:], sheet.numbers[below:]
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


def _is_second_line(headers: Sequence[str], following: Sequence[Sequence[str]]) -> bool:
    """Under a header whose cells were merged: at least two known words, none of them where a person would stand."""
    for row in following:
        filled = [plain(cell) for cell in row if cell]
        known = [word for word in filled if word in KNOWN_COLUMNS]
        return len(known) > 1 and len(known) * 2 > len(filled) and list(row) != list(headers)
    return False


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


def header_key(headers: Sequence[str], kind: ImportKind = ImportKind.PERSONS) -> str:
    """The same for two files of one office: its words in their order."""
    told = "" if kind is ImportKind.PERSONS else f"{kind.value}|"
    return hashlib.sha256((told + "|".join(plain(word) for word in headers)).encode()).hexdigest()


def guess(headers: Sequence[str], kind: ImportKind = ImportKind.PERSONS) -> dict[str, int]:
    """Which column holds each field: by the exact word first, else by a word that the header contains."""
    words, known = [plain(word) for word in headers], known_columns(kind)
    found: dict[str, int] = {}
    for column, word in enumerate(words):
        field = known.get(word)
        if field and field.value not in found:
            found[field.value] = column
    return found | _contained(words, found, known)


def _contained(words: Sequence[str], found: Mapping[str, int], known: Mapping[str, Field]) -> dict[str, int]:
    """The longest known word inside a header decides: 紧急联系人电话 is no column of telephones of its own."""
    inside: dict[str, int] = {}
    for _length, column, field in sorted(_held(words, found, known), key=lambda held: (-held[0], held[1])):
        if field not in found and field not in inside and column not in inside.values():
            inside[field] = column
    return inside


def _held(words: Sequence[str], found: Mapping[str, int], known: Mapping[str, Field]) -> Iterator[tuple[int, int, str]]:
    taken = set(found.values())
    for column, word in enumerate(words):
        if column not in taken:
            for name, field in known.items():
                # 与户主关系 says who somebody is to the head, not who the head is.
                related = "关系" in word and "关系" not in name
                if len(name) > 1 and name in word and name not in TOO_VAGUE and not related:
                    yield len(name), column, field.value


def samples(table: Table, kind: ImportKind = ImportKind.PERSONS) -> list[list[str]]:
    """For each column up to three values, numbers, telephones and names masked."""
    guessed = guess(table.headers).items(), guess(table.headers, kind).items()
    kinds = {column: Field(field) for found in guessed for field, column in found}
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
