"""Draw a certificate as a PDF: run as a process of its own, `python -m`, with words as JSON on its standard input.

fpdf2 and the font take some 90 MB, which this process gives back when it ends; neither the web nor the jobs import it.
A sign that the font lacks ends it with MISSING and that sign on the standard output: nothing is left blank on a paper.
"""

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno
from fpdf import FPDF
from fpdf.enums import TextMode, WrapMode, XPos, YPos

MISSING = 3
FAMILY = "paper"
INK, GREY, RED, RULE = (30, 30, 30), (105, 105, 105), (165, 42, 42), (196, 178, 150)
LEFT, WIDTH = 24, 162
LABEL = 34
LINE = 6.3
# Where the closing begins at the latest, to end above the foot.
HIGHEST = 222
# Two parts side by side: how wide each is, the space between, its labels, and where they begin at the latest.
COLUMN, GAP, NARROW, LOWEST_PARTS = 77, 8, 22, 232
# The table's columns add up to WIDTH.
COLUMNS, PADDING = (40, 51, 45, 11, 15), 0.8


# Signs that begin no line, and that end none.
NOT_FIRST, NOT_LAST = frozenset("，。、；：？！）》」』】〉”’…—·,.;:?!)%"), frozenset("（《「『【〈“‘(")


class MissingSign(Exception):
    """The font has no shape for a sign."""

    def __init__(self, sign: str) -> None:
        super().__init__(sign)
        self.sign = sign


@dataclass(frozen=True)
class Paper:
    """What stands on a certificate: `parts` of (title, lines of (label, words)), a table, who signs, and the code."""

    font: str
    title: str
    statement: str
    parts: list[tuple[str, list[tuple[str, str]]]]
    table_after: int
    head: list[str]
    rows: list[list[str]]
    signed: list[str]
    verify: str
    verify_words: list[str]
    note: str
    subject: str
    made_at: str


class Sheet(FPDF):
    """An A4 page with a double frame and, at its foot, what is said of the whole and the number of the page."""

    def __init__(self, note: str) -> None:
        super().__init__(format="A4")
        self.note = note

    def header(self) -> None:
        self.set_draw_color(*RED)
        self.set_line_width(0.9)
        self.rect(10, 10, 190, 277)
        self.set_line_width(0.25)
        self.rect(12, 12, 186, 273)
        self.set_draw_color(*RULE)

    def footer(self) -> None:
        self.set_y(-19)
        self.set_font(FAMILY, size=8.5)
        self.set_text_color(*GREY)
        self.cell(0, 4, f"{self.note}　{self.page_no()} / {{nb}}", align="C")
        self.set_text_color(*INK)


def draw(paper: Paper) -> bytes:
    sheet = Sheet(paper.note)
    sheet.add_font(FAMILY, fname=paper.font)
    _check(sheet, paper)
    sheet.set_title(paper.title)
    sheet.set_subject(paper.subject)
    sheet.set_lang("zh-CN")
    sheet.set_creation_date(datetime.fromisoformat(paper.made_at))
    sheet.set_margins(LEFT, 22, 210 - LEFT - WIDTH)
    sheet.set_auto_page_break(auto=True, margin=24)
    sheet.add_page()
    _title(sheet, paper)
    for title, lines in paper.parts[: paper.table_after + 1]:
        _part(sheet, title, lines)
    _table(sheet, paper)
    _beside(sheet, paper.parts[paper.table_after + 1 :])
    _closing(sheet, paper)
    return bytes(sheet.output())


def _check(sheet: FPDF, paper: Paper) -> None:
    """Every sign of every word has a shape in the font."""
    known = set(sheet.fonts[FAMILY].cmap)
    for text in _texts(paper):
        for sign in text:
            if ord(sign) not in known:
                raise MissingSign(sign)


def _texts(paper: Paper) -> list[str]:
    found = [paper.title, paper.statement, paper.note, *paper.head, *paper.signed, *paper.verify_words]
    found += [part for row in paper.rows for word in row for part in word.split("\n")]
    for title, lines in paper.parts:
        found += [title, *(word for line in lines for word in line)]
    return found


def _bold(sheet: FPDF, *, on: bool) -> None:
    """The one weight of the font, its edge drawn over."""
    sheet.text_mode = TextMode.FILL_STROKE if on else TextMode.FILL
    sheet.set_line_width(0.18 if on else 0.2)


def _title(sheet: FPDF, paper: Paper) -> None:
    sheet.set_y(27)
    sheet.set_text_color(*RED)
    sheet.set_draw_color(*RED)
    sheet.set_font(FAMILY, size=26)
    sheet.set_char_spacing(5)
    _bold(sheet, on=True)
    sheet.cell(0, 14, paper.title, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    _bold(sheet, on=False)
    sheet.set_char_spacing(0)
    sheet.set_text_color(*INK)
    sheet.set_draw_color(*RULE)
    sheet.ln(5)
    sheet.set_font(FAMILY, size=12)
    _words(sheet, WIDTH, 7.6, "　　" + paper.statement)


def _words(sheet: FPDF, width: float, height: float, text: str) -> None:
    """Lines that break between any two signs, as Chinese does, but where a sign may begin or end no line."""
    broken = "\n".join(_broken(sheet, width - 2 * sheet.c_margin, text))
    sheet.multi_cell(width, height, broken, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=WrapMode.CHAR)


def _broken(sheet: FPDF, width: float, text: str) -> list[str]:
    """A text in lines of at most a width: a comma takes the sign before it along to the next line."""
    lines, line = [], ""
    for sign in text:
        if not line or sheet.get_string_width(line + sign) <= width:
            line += sign
            continue
        kept, moved = line, ""
        while len(kept) > 1 and ((moved or sign)[0] in NOT_FIRST or kept[-1] in NOT_LAST):
            kept, moved = kept[:-1], kept[-1] + moved
        lines.append(kept)
        line = moved + sign
    return [*lines, line]


def _part(
    sheet: FPDF,
    title: str,
    lines: list[tuple[str, str]],
    left: float = LEFT,
    width: float = WIDTH,
    label: float = LABEL,
) -> None:
    """A heading over a rule, and its lines of label and words."""
    sheet.set_xy(left, sheet.get_y() + 3)
    sheet.set_font(FAMILY, size=12)
    sheet.set_draw_color(*INK)
    _bold(sheet, on=True)
    sheet.cell(width, 8, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    _bold(sheet, on=False)
    sheet.set_draw_color(*RULE)
    sheet.line(left, sheet.get_y(), left + width, sheet.get_y())
    sheet.ln(1.2)
    sheet.set_font(FAMILY, size=10.5)
    for name, words in lines:
        sheet.set_x(left)
        sheet.set_text_color(*GREY)
        sheet.cell(label, LINE, name)
        sheet.set_text_color(*INK)
        _words(sheet, width - label, LINE, words)


def _beside(sheet: FPDF, parts: list[tuple[str, list[tuple[str, str]]]]) -> None:
    """The last parts side by side, which leaves room on the page for who signs it."""
    if sheet.get_y() > LOWEST_PARTS:
        sheet.add_page()
    top, ends = sheet.get_y(), []
    for number, (title, lines) in enumerate(parts):
        sheet.set_y(top)
        _part(sheet, title, lines, LEFT + number * (COLUMN + GAP), COLUMN, NARROW)
        ends.append(sheet.get_y())
    sheet.set_y(max(ends))


def _table(sheet: FPDF, paper: Paper) -> None:
    sheet.ln(1.5)
    sheet.set_font(FAMILY, size=9.5)
    with sheet.table(
        col_widths=COLUMNS,
        width=WIDTH,
        line_height=6.2,
        padding=PADDING,
        wrapmode=WrapMode.CHAR,
        text_align=("LEFT", "LEFT", "LEFT", "RIGHT", "RIGHT"),
        first_row_as_headings=False,
        num_heading_rows=0,
    ) as table:
        for row in [paper.head, *paper.rows]:
            line = table.row()
            for word, width in zip(row, COLUMNS, strict=True):
                room = width - 2 * PADDING - 2 * sheet.c_margin
                line.cell("\n".join(part for given in word.split("\n") for part in _broken(sheet, room, given)))


def _closing(sheet: FPDF, paper: Paper) -> None:
    """Who issues it, with room for a seal, beside the code that leads to the page of verification."""
    if sheet.get_y() > HIGHEST:
        sheet.add_page()
    top = max(sheet.get_y() + 4, HIGHEST)
    sheet.set_auto_page_break(auto=False)
    _code(sheet, paper.verify, LEFT, top, 32)
    sheet.set_font(FAMILY, size=8.5)
    sheet.set_text_color(*GREY)
    for turn, words in enumerate(paper.verify_words):
        sheet.set_xy(LEFT + 35, top + 6 + turn * 5)
        sheet.cell(70, 5, words)
    sheet.set_text_color(*INK)
    sheet.set_font(FAMILY, size=11.5)
    for turn, words in enumerate(paper.signed):
        sheet.set_xy(LEFT, top + 26 + turn * 7.5)
        sheet.cell(WIDTH, 7, words, align="R")


def _code(sheet: FPDF, text: str, left: float, top: float, side: float) -> None:
    """A QR code of plain squares: sharp at any size."""
    matrix = segno.make_qr(text, error="m").matrix
    step = side / len(matrix)
    sheet.set_fill_color(0, 0, 0)
    for y, line in enumerate(matrix):
        for x, dark in enumerate(line):
            if dark:
                sheet.rect(left + x * step, top + y * step, step * 1.01, step * 1.01, style="F")


def paper_of(said: dict[str, Any]) -> Paper:
    parts = [(title, [(label, words) for label, words in lines]) for title, lines in said.pop("parts")]
    return Paper(parts=parts, **said)


def main() -> int:
    paper = paper_of(json.load(sys.stdin.buffer))
    try:
        body = draw(paper)
    except MissingSign as missing:
        sys.stdout.buffer.write(missing.sign.encode())
        return MISSING
    sys.stdout.buffer.write(body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
