"""Blank sheets to fill in: the columns that a register of a kind may hold, each with what goes there."""

from portal.core.sheets import write_workbook
from portal.registry.models import ImportKind
from portal.registry.service.imports.vocabulary import COLUMN_WORDS, FIELDS, Field

# Without which no row of a kind is taken; of the others a cell may stay empty.
NEEDED: dict[ImportKind, tuple[Field, ...]] = {
    ImportKind.PERSONS: (Field.NAME,),
    ImportKind.UPDATE: (Field.ID_NUMBER,),
    ImportKind.HOUSEHOLDS: (Field.HOUSEHOLD_NUMBER,),
    ImportKind.DWELLINGS: (Field.BUILDING, Field.ROOM),
    ImportKind.OWNERS: (Field.BUILDING, Field.ROOM, Field.OWNER),
    ImportKind.STAFF: (Field.NAME,),
}


def blank(kind: ImportKind) -> bytes:
    """The header, and under it a line of hints, which an import leaves out by itself."""
    columns = columns_of(kind)
    needed = NEEDED.get(kind, (Field.TITLE,))
    said = [_hint(kind, column, needed=column in needed) for column in columns]
    return write_workbook([COLUMN_WORDS[column][0] for column in columns], [said], widths=[18.0] * len(columns))


def columns_of(kind: ImportKind) -> list[Field]:
    """Where a place is said by its four columns, the one of words is left out."""
    return [field for field in FIELDS[kind] if field is not Field.ADDRESS or Field.ROOM not in FIELDS[kind]]


# Words of the sheet itself, not of a page: an import knows them as hints in whatever language somebody works.
EXAMPLES = {
    Field.ESTATE: "梧桐苑",
    Field.BUILDING: "6号楼",
    Field.UNIT: "2单元",
    Field.ROOM: "301",
    Field.AREA: "89.50",
    Field.OWNER: "王秀英；共有的，每位共有人写一行",
    Field.ID_NUMBER: "18 位身份证号",
    Field.USCC: "单位的 18 位代码，居民不填",
    Field.SHARE: "1/2、50% 或 共同共有",
    Field.OWNED_SINCE: "2020-05-06",
}


def _hint(kind: ImportKind, column: Field, *, needed: bool) -> str:
    first = "必填" if needed else "选填"
    example = EXAMPLES.get(column, "") if kind is ImportKind.OWNERS else ""
    return f"{first}，例如 {example}" if example else first
