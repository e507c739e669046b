"""Reading: a workbook or a CSV file becomes rows of text, each with the number it has in the file."""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from portal.core.files import BadFile, FileFault
from portal.core.sheets.archive import checked_copy
from portal.core.sheets.cells import cell_text
from portal.core.sheets.limits import (
    DEFAULT,
    Limits,
    damaged,
    encrypted,
    not_a_workbook,
    too_many_cells,
    too_many_columns,
    too_many_rows,
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
DELIMITERS = ",;\t"
SAMPLE_CHARACTERS = 16 * 1024
HEADER_REACH = 10
SHORT_WORD = 6


@dataclass(frozen=True)
class Sheet:
    """The rows that hold anything, all equally long, column A first; `numbers` are their rows in the file."""

    name: str
    rows: list[list[str]]
    numbers: list[int]
    sheet_names: list[str]


def open_sheet(data: bytes, filename: str, limits: Limits = DEFAULT, *, sheet: str | None = None) -> Sheet:
    """The named sheet, or the first visible one with a table; of a CSV file the only one. Raises BadFile."""
    if not data:
        raise _empty()
    if len(data) > limits.file_bytes:
        raise BadFile(FileFault.TOO_LARGE, _("文件太大，最多 %(count)d MB。", count=limits.file_bytes // 2**20))
    if data.startswith(ZIP):
        return _read_workbook(data, limits, sheet)
    if data.startswith(OLE):
        if ENCRYPTED_STREAM in data:
            raise encrypted()
        raise BadFile(FileFault.OLD_FORMAT, _("这是旧格式的 .xls 文件。请用表格软件另存为 .xlsx 再上传。"))
    if filename.casefold().endswith(TEXT_SUFFIXES):
        return _read_csv(data, filename, limits)
    raise not_a_workbook()


def header_row(rows: Sequence[Sequence[str]], known: Collection[str]) -> int:
    """Which of the first ten rows holds the most known words; raises BadFile when none holds any."""
    words = {_plain(word) for word in known}
    counts = [len({_plain(cell) for cell in row} & words) for row in rows[:HEADER_REACH]]
    if not any(counts):
        raise BadFile(FileFault.NO_HEADER, _("前 %(count)d 行里找不到表头。", count=HEADER_REACH))
    return counts.index(max(counts))


def _plain(word: str) -> str:
    """A column's word without the stars, colons and spaces that offices put around it."""
    return re.sub(r"[\s*:]+", "", unicodedata.normalize("NFKC", word)).casefold()


def _read_workbook(data: bytes, limits: Limits, wanted: str | None) -> Sheet:
    try:
        source, names = _opened(checked_copy(data, limits), wanted)
        rows, numbers = _kept(_workbook_rows(source), limits)
    except (CalamineError, OSError):
        raise damaged() from None
    return Sheet(source.name, rows, numbers, names)


def _opened(copy: io.BytesIO, wanted: str | None) -> tuple[CalamineSheet, list[str]]:
    """The sheet and the names of all; the book with its bytes and its strings is let go before the rows are made."""
    book = CalamineWorkbook.from_filelike(copy)
    copy.close()
    names = _sheet_names(book)
    if wanted is not None and wanted not in names:
        raise BadFile(FileFault.NO_SUCH_SHEET, _("文件里没有名为“%(name)s”的工作表。", name=wanted))
    return book.get_sheet_by_name(wanted) if wanted is not None else _first_table(book, names), names


def _sheet_names(book: CalamineWorkbook) -> list[str]:
    """Worksheets, the visible before the hidden: templates hide their lists of choices."""
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    sheets.sort(key=lambda sheet: sheet.visible != SheetVisibleEnum.Visible)
    return [sheet.name for sheet in sheets]


def _first_table(book: CalamineWorkbook, names: list[str]) -> CalamineSheet:
    """The first sheet of two rows and two columns at least, else the first that holds anything."""
    single: str | None = None
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height > 1 and sheet.width > 1:
            return sheet
        if single is None and sheet.height:
            single = name
    if single is None:
        raise _empty()
    return book.get_sheet_by_name(single)


def _workbook_rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    blank = [""] * (sheet.start[1] if sheet.start else 0)
    # A register says the same short words in every row: one object for each saves 40 MB over 50,000 rows.
    known: dict[str, str] = {}
    return (blank + [_one_of(known, cell_text(value)) for value in row] for row in sheet.iter_rows())


def _one_of(known: dict[str, str], text: str) -> str:
    return known.setdefault(text, text) if len(text) <= SHORT_WORD else text


def _read_csv(data: bytes, filename: str, limits: Limits) -> Sheet:
    encoding = _encoding(data)
    sample = data[:SAMPLE_CHARACTERS].decode(encoding, errors="ignore")
    delimiter = _delimiter(sample)
    if data.count(delimiter.encode()) > limits.rows * limits.columns:
        raise too_many_cells(limits)
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    records = csv.reader(text, delimiter=delimiter)
    try:
        rows, numbers = _kept(([cell.strip() for cell in record] for record in records), limits)
    except csv.Error:
        raise damaged() from None
    return Sheet(filename, rows, numbers, [filename])


def _encoding(data: bytes) -> str:
    candidates = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return encoding
    raise not_a_workbook()


def _delimiter(sample: str) -> str:
    """The sign that cuts the first lines into the most cells; a comma when none does."""
    lines = [line for line in sample.splitlines() if line.strip()][:HEADER_REACH]
    return max(DELIMITERS, key=lambda sign: sum(len(record) for record in csv.reader(lines, delimiter=sign)))


def _kept(records: Iterable[list[str]], limits: Limits) -> tuple[list[list[str]], list[int]]:
    """The rows that hold anything, padded to one width, with their numbers counted from one."""
    rows: list[list[str]] = []
    numbers: list[int] = []
    cells = 0
    for number, record in enumerate(records, start=1):
        if number > limits.rows:
            raise too_many_rows(limits)
        row = _without_blank_end(record)
        if not row:
            continue
        if len(row) > limits.columns:
            raise too_many_columns(limits)
        cells += len(row) - row.count("")
        if cells > limits.cells:
            raise too_many_cells(limits)
        rows.append(row)
        numbers.append(number)
    if not rows:
        raise _empty()
    width = max(len(row) for row in rows)
    for row in rows:
        row.extend([""] * (width - len(row)))
    return rows, numbers


def _without_blank_end(row: list[str]) -> list[str]:
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def _empty() -> BadFile:
    return BadFile(FileFault.EMPTY, _("文件里没有内容。"))
