"""Writing: tables that we hand out hold text only, so that nothing a resident typed runs at the office."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_CELL = 32_767
LONGEST_SHEET_NAME = 31
LONGEST_STAMP = 200
A4 = 9
DEFAULT_WIDTH = 14.0
MARK_COLOUR = "#FFE08A"
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def write_workbook(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    sheet: str = "Sheet1",
    marks: Mapping[tuple[int, int], str] | None = None,
    widths: Sequence[float] = (),
    stamp: str = "",
    numbers: bool = False,
) -> bytes:
    """An .xlsx of text cells under a fixed header. `marks` colours a cell and notes why: (0, 0) is the first
    cell of the first row under the header. `widths` are in characters. `stamp` stands above each printed page.
    With `numbers` an int or a float is written as a number, which can be added up.
    """
    out = io.BytesIO()
    # Row by row through a temporary file: 50,000 rows take 24 MB of memory instead of 370.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(out, options) as book:
        page = book.add_worksheet(_sheet_name(sheet))
        bold = book.add_format({"bold": True})
        text, plain = book.add_format({"num_format": "@"}), book.add_format({"num_format": "General"})
        marked = book.add_format({"num_format": "@", "bg_color": MARK_COLOUR})
        page.freeze_panes(1, 0)
        if stamp:
            _print_with(page, stamp)
        for column, header in enumerate(headers):
            page.set_column(column, column, widths[column] if column < len(widths) else DEFAULT_WIDTH, text)
            page.write_string(0, column, header, bold)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                note = (marks or {}).get((row, column))
                if numbers and isinstance(cell, int | float) and not note:
                    page.write_number(row + 1, column, cell, plain)
                    continue
                page.write_string(row + 1, column, _text(cell), marked if note else text)
                if note:
                    page.write_comment(row + 1, column, note)
    return out.getvalue()


def _print_with(page: Worksheet, stamp: str) -> None:
    """Lying A4, the header row on each page, the stamp above it and the page's number below."""
    page.set_landscape()
    page.set_paper(A4)
    page.repeat_rows(0)
    page.fit_to_pages(1, 0)
    page.set_header("&L" + stamp.replace("&", "&&")[:LONGEST_STAMP])
    page.set_footer("&R&P / &N")


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """UTF-8 with the mark that Excel needs, lines ended by CRLF; a cell that would calculate gets a '."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_inert(header) for header in headers])
    writer.writerows([_inert(_text(cell)) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)[:LONGEST_CELL]


def _inert(text: str) -> str:
    """OWASP's rule for CSV injection, with the full-width forms that Chinese Excel takes for formulas too."""
    if PLAIN_NUMBER.fullmatch(text):
        return text
    first = unicodedata.normalize("NFKC", text.lstrip()[:1])
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) or (first and first in "=+-@") else text


def _sheet_name(name: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", name).strip(" '")[:LONGEST_SHEET_NAME] or "Sheet1"
