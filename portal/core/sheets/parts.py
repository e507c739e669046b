"""One XML part of a workbook, read in passing: no DOCTYPE, nothing deep, no cell beyond the limits.

It asks of the text what the reader will make of it. The reader holds a table as a full rectangle, so one cell
far out costs gigabytes; and it copies a shared string into every cell that points to it, so a long string
does too. The size a sheet declares is not believed: colouring a column is enough to declare a million rows.
"""

import re
from functools import lru_cache
from xml.parsers import expat

from portal.core.sheets.limits import (
    Limits,
    damaged,
    declares_a_type,
    not_computed,
    points_elsewhere,
    too_large,
    too_many_cells,
    too_many_columns,
    too_many_rows,
    unsafe,
)

MAX_DEPTH = 100
MAX_ELEMENTS = 6_000_000
# No tag or comment of a workbook comes near this; expat before 2.6 takes quadratic time over longer ones.
MAX_TOKEN_BYTES = 1024 * 1024
# Excel's longest cell has 32,767 characters; this leaves room for its letters being entities or in many fonts.
MAX_TEXT_BYTES = 512 * 1024
TEXT_ELEMENTS = frozenset({"v", "is", "si"})
REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


class PartCheck:
    """Feed it the part in chunks, then close it; raises BadFile, or ExpatError for what is no XML.

    `strings` holds the sizes of the shared strings: the part that defines them (`defines_strings`) fills it,
    the sheets look them up. A part without cells, of a text document, is not `tabular`.
    """

    def __init__(
        self, limits: Limits, strings: list[int], *, defines_strings: bool = False, tabular: bool = True
    ) -> None:
        self._limits = limits
        self._strings = strings
        self._defines_strings = defines_strings
        self._fed = self._depth = self._elements = self._cells = self._cell_bytes = 0
        self._row = self._column = self._text_start = 0
        self._reference: str | None = None
        self._is_shared = self._may_be_blank = self._computes = False
        self._pointer: list[str] | None = None
        self._parser = parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start if tabular else self._point
        parser.EndElementHandler = self._end if tabular else self._ascend
        parser.CharacterDataHandler = self._characters

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise unsafe()

    def close(self) -> None:
        self._parser.Parse(b"", True)  # noqa: FBT003 - expat takes no keyword

    def _doctype(self, *_declaration: object) -> None:
        raise declares_a_type()

    def _descend(self, _name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise unsafe()

    def _ascend(self, _name: str) -> None:
        self._depth -= 1

    def _point(self, name: str, attributes: dict[str, str]) -> None:
        """Whoever opens the document fetches what it points to elsewhere, but for links that somebody clicks."""
        self._descend(name, attributes)
        if name.rpartition(":")[2] != "Relationship" or attributes.get("TargetMode", "").strip() != "External":
            return
        if attributes.get("Type", "").strip().rpartition("/")[2] != "hyperlink":
            raise points_elsewhere()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._descend(name, attributes)
        match name.rpartition(":")[2]:
            case "c":
                self._begin_cell(attributes.get("r"))
                self._is_shared = attributes.get("t") == "s"
                # A formula whose result is no words at all says that it is words.
                self._may_be_blank = attributes.get("t") == "str"
            case "v" | "is":
                self._fill_cell()
            case "row":
                self._begin_row(attributes.get("r"))
            case "si" if not self._defines_strings:
                raise damaged()
            case "si":
                self._text_start = self._parser.CurrentByteIndex

    def _end(self, name: str) -> None:
        self._ascend(name)
        if name.rpartition(":")[2] in TEXT_ELEMENTS:
            size = self._parser.CurrentByteIndex - self._text_start
            if size > MAX_TEXT_BYTES:
                raise too_large()
            self._count_text(size)
        elif name.rpartition(":")[2] == "f":
            self._computes = not self._may_be_blank
        elif self._computes and name.rpartition(":")[2] == "c":
            row, column = self._place()
            raise not_computed(row, _letters(column))

    def _characters(self, text: str) -> None:
        if self._computes and text.strip():
            self._computes = False
        if self._pointer is not None:
            self._pointer.append(text)

    def _begin_cell(self, reference: str | None) -> None:
        # No program names some cells and leaves others unnamed; whoever does, wants two readers to differ.
        if reference is None and self._reference is not None:
            raise damaged()
        self._reference = reference
        self._column += 1

    def _begin_row(self, number: str | None) -> None:
        self._column = 0
        if number is None:
            self._row += 1
        elif number.isdecimal():
            self._row = int(number[:8])
        else:
            raise damaged()

    def _fill_cell(self) -> None:
        """Only a cell with something in it counts; the reader skips coloured blanks."""
        row, column = self._place()
        if row > self._limits.rows:
            raise too_many_rows(self._limits)
        if column > self._limits.columns:
            raise too_many_columns(self._limits)
        self._text_start = self._parser.CurrentByteIndex
        self._cells += 1
        if self._cells > self._limits.cells:
            raise too_many_cells(self._limits)
        if self._is_shared:
            self._pointer = []

    def _place(self) -> tuple[int, int]:
        """The row and the column of the cell, counted from one."""
        return (self._row, self._column) if self._reference is None else _position(self._reference)

    def _count_text(self, size: int) -> None:
        if self._pointer is not None:
            self._cell_bytes += self._pointed_size("".join(self._pointer).strip())
            self._pointer = None
            if self._cell_bytes > self._limits.unpacked_bytes:
                raise too_large()
        elif self._defines_strings:
            self._strings.append(size)
            if len(self._strings) > self._limits.cells:
                raise too_many_cells(self._limits)

    def _pointed_size(self, index: str) -> int:
        known = index.isdecimal() and len(index) < 9 and int(index) < len(self._strings)
        return self._strings[int(index)] if known else 0


def _position(reference: str) -> tuple[int, int]:
    found = REFERENCE.fullmatch(reference)
    if found is None:
        raise damaged()
    return int(found[2]), _column_number(found[1])


@lru_cache(maxsize=1024)
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _letters(number: int) -> str:
    found = ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(ord("A") + rest) + found
    return found
