"""Writing sheets: what we hand out is text and nothing else, and comes back as it was."""

import csv
import io
from datetime import date

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import sheets

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@given(st.lists(st.lists(TEXT.map(str.strip).filter(bool), min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_is_written_is_read_back(rows: list[list[str]]) -> None:
    assert sheets.open_sheet(sheets.write_workbook(["甲", "乙"], rows), "a.xlsx").rows == [
        ["甲", "乙"],
        *rows,
    ]


def test_a_workbook_holds_text_only() -> None:
    nasty = ["=1+1", "{=1+1}", "http://example.org", "000123", "999901194508150028", "-5", "\t=1"]
    page = openpyxl.load_workbook(io.BytesIO(sheets.write_workbook(nasty, [nasty]))).active
    assert page is not None
    for row in page.iter_rows():
        assert [cell.value for cell in row] == nasty
        assert {cell.data_type for cell in row} == {"s"}
        assert not any(cell.hyperlink for cell in row)


def test_marks_colour_a_cell_and_say_why() -> None:
    data = sheets.write_workbook(
        ["姓名", "身份证号"],
        [["张三", None], ["李四", "1"]],
        sheet="退回/明细",
        marks={(1, 1): "不足 18 位"},
        widths=[10],
    )
    page = openpyxl.load_workbook(io.BytesIO(data))["退回 明细"]
    comment = page["B3"].comment
    assert comment is not None
    assert comment.text == "不足 18 位"
    assert page["B3"].fill.fgColor.rgb != page["A3"].fill.fgColor.rgb
    assert page["A2"].comment is None
    assert page.freeze_panes == "A2"


def test_values_of_other_kinds_become_text_and_long_ones_are_cut() -> None:
    data = sheets.write_workbook(["甲", "乙", "丙"], [[12, date(2026, 11, 22), "长" * 40_000]])
    assert sheets.open_sheet(data, "a.xlsx").rows[1] == ["12", "2026-11-22", "长" * 32_767]


@pytest.mark.parametrize("name", ["", "[]:*?/\\", "'"])
def test_a_sheet_always_has_a_name_that_excel_takes(name: str) -> None:
    assert sheets.open_sheet(sheets.write_workbook(["甲"], [], sheet=name), "a.xlsx").name == "Sheet1"


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "＝1+1",
        "＋1+1",
        "－1-1",
        "＠x",
        " =1",
        "\n=1",
    ],
)
def test_a_csv_cell_that_would_calculate_is_disarmed(formula: str) -> None:
    data = sheets.write_csv([formula], [[formula]])
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))) == [["'" + formula]] * 2


@pytest.mark.parametrize("plain", ["-5", "+8613800001234", "-12.50", "12", "张三", "", "a=b", "'", "1-2"])
def test_a_csv_cell_that_does_nothing_stays_as_it_is(plain: str) -> None:
    assert sheets.write_csv(["甲", "乙"], [[plain, "x"]]).decode("utf-8-sig").split("\r\n")[1] == f"{plain},x"


def test_a_csv_file_opens_in_excel() -> None:
    data = sheets.write_csv(["姓名", "备注"], [["张三", "甲,乙\n丙"], [None, 3]])
    assert data == b"\xef\xbb\xbf" + '姓名,备注\r\n张三,"甲,乙\n丙"\r\n,3\r\n'.encode()


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1), min_size=1))
def test_no_csv_cell_begins_a_formula(rows: list[list[str]]) -> None:
    for record in csv.reader(io.StringIO(sheets.write_csv(["甲"], rows).decode("utf-8-sig"), newline="")):
        assert all(cell.lstrip()[:1] not in tuple("=@＝＠") for cell in record)
