"""Reading sheets: registers of every office are taken, hostile files are refused before they unfold."""

import csv
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, time

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from portal.core import sheets
from portal.core.files import BadFile, FileFault
from portal.core.sheets.limits import Limits

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
REGISTER = [["姓名", "身份证号"], ["张三", "999901194508150028"]]


def parts_of(rows_xml: str) -> dict[str, bytes]:
    """The least that makes a workbook, with one sheet of the given rows."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {NAMESPACE} xmlns:r="{RELATIONS}"><sheets>'
        '<sheet name="登记" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        SHEET: f"<worksheet {NAMESPACE}><sheetData>{rows_xml}</sheetData></worksheet>",
    }
    return {name: text.encode() for name, text in parts.items()}


def zipped(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def workbook(rows_xml: str, **extra: bytes) -> bytes:
    return zipped(parts_of(rows_xml) | extra)


def inline(reference: str, text: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{text}</t></is></c>'


def directory_patched(data: bytes, name: str, offset: int, value: bytes) -> bytes:
    """The archive with bytes of one entry of its central directory replaced."""
    position = data.index(b"PK\x01\x02")
    while data[position + 46 : position + 46 + len(name)] != name.encode():
        position = data.index(b"PK\x01\x02", position + 1)
    return data[: position + offset] + value + data[position + offset + len(value) :]


def fault_of(data: bytes, filename: str = "登记表.xlsx", limits: Limits = sheets.DEFAULT) -> FileFault:
    with pytest.raises(BadFile) as refusal:
        sheets.open_sheet(data, filename, limits)
    assert refusal.value.sentence.endswith("。")
    return refusal.value.reason


class TestReading:
    def test_every_cell_arrives_as_the_text_a_person_would_type(self) -> None:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            page = book.add_worksheet("登记")
            day, moment = (
                book.add_format({"num_format": "yyyy/m/d"}),
                book.add_format({"num_format": "yyyy/m/d hh:mm"}),
            )
            page.write_row(0, 0, [1502, 1.5, 0.1, -3, 13800001234, 999901198401057000, 1e-7, True, False])
            page.write_datetime(1, 0, datetime(1984, 1, 5), day)  # noqa: DTZ001
            page.write_datetime(1, 1, datetime(1984, 1, 5, 8, 30), moment)  # noqa: DTZ001
            page.write_datetime(1, 2, time(8, 30), book.add_format({"num_format": "hh:mm"}))
            page.write_string(1, 3, " 13800001234 ")
            page.write_formula(1, 4, '="张"&"三"', None, "张三")
            page.write_formula(1, 5, "=1/0", None, "#DIV/0!")
        rows = sheets.open_sheet(out.getvalue(), "a.xlsx").rows
        numbers = [
            "1502",
            "1.5",
            "0.1",
            "-3",
            "13800001234",
            "999901198401057000",
            "0.0000001",
            "TRUE",
            "FALSE",
        ]
        assert rows[0] == numbers
        assert rows[1] == [
            "1984-01-05",
            "1984-01-05 08:30:00",
            "08:30:00",
            "13800001234",
            "张三",
            "",
            "",
            "",
            "",
        ]

    def test_rows_keep_their_numbers_and_columns_their_places(self) -> None:
        cells = inline("C4", "姓名"), inline("D4", "年龄"), inline("C7", "张三")
        rows = f'<row r="4">{cells[0]}{cells[1]}</row><row r="5"/><row r="7">{cells[2]}</row>'
        sheet = sheets.open_sheet(workbook(rows), "a.xlsx")
        assert (sheet.rows, sheet.numbers) == ([["", "", "姓名", "年龄"], ["", "", "张三", ""]], [4, 7])

    def test_a_sheet_with_a_table_is_chosen_before_instructions_and_hidden_lists(self) -> None:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            book.add_worksheet("填表说明").write_column(0, 0, ["请逐行填写", "一户多人"])
            hidden = book.add_worksheet("字典")
            hidden.hide()
            for page in (hidden, book.add_worksheet("居民信息")):
                page.write_row(0, 0, [page.name, "性别"])
                page.write_row(1, 0, ["张三", "男"])
        sheet = sheets.open_sheet(out.getvalue(), "a.xlsx")
        assert (sheet.name, sheet.sheet_names) == ("居民信息", ["填表说明", "居民信息", "字典"])
        assert sheets.open_sheet(out.getvalue(), "a.xlsx", sheet="字典").rows[0] == ["字典", "性别"]
        with pytest.raises(BadFile, match="没有名为“党员”的工作表") as refusal:
            sheets.open_sheet(out.getvalue(), "a.xlsx", sheet="党员")
        assert refusal.value.reason is FileFault.NO_SUCH_SHEET

    def test_a_sheet_of_one_column_is_read_when_there_is_no_other(self) -> None:
        data = sheets.write_workbook(["电话"], [["13800001234"]])
        assert sheets.open_sheet(data, "a.xlsx").rows == [["电话"], ["13800001234"]]

    def test_coloured_blanks_and_a_boundless_declaration_do_not_make_a_sheet_large(self) -> None:
        parts = parts_of(
            f'<row r="1">{inline("A1", "张三")}<c r="XFD1" s="0"/></row><row r="1048576"><c r="A1048576"/></row>'
        )
        parts[SHEET] = parts[SHEET].replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
        assert sheets.open_sheet(zipped(parts), "a.xlsx").rows == [["张三"]]

    def test_cells_without_references_and_with_prefixes_are_read(self) -> None:
        rows = "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"
        assert sheets.open_sheet(workbook(rows), "a.xlsx").rows == [["1", "2"], ["3", ""]]

    def test_macros_and_pictures_do_not_reach_the_reader(self) -> None:
        parts = parts_of(f'<row r="1">{inline("A1", "张三")}</row>') | {"xl/vbaProject.bin": b"\0" * 100}
        assert sheets.open_sheet(zipped(parts), "a.xlsm").rows == [["张三"]]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_a_csv_file_is_read_in_the_encodings_of_offices(self, encoding: str, delimiter: str) -> None:
        lines = [["姓名", "标签", "住址"], ["张三", "独居,空巢;低保", "春风里\n4号楼"], [], ["𬘡", "", ""]]
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter).writerows(lines)
        sheet = sheets.open_sheet(out.getvalue().encode(encoding), "登记.CSV")
        assert sheet.rows == [lines[0], lines[1], lines[3]]
        assert (sheet.numbers, sheet.sheet_names) == ([1, 2, 4], ["登记.CSV"])

    def test_formulas_in_a_csv_file_stay_words(self) -> None:
        data = '姓名,备注\r\n=1+1,"=HYPERLINK(""http://x"")"\r\n'.encode()
        assert sheets.open_sheet(data, "a.csv").rows[1] == ["=1+1", '=HYPERLINK("http://x")']

    def test_a_csv_file_of_one_column_needs_no_delimiter(self) -> None:
        assert sheets.open_sheet("电话\n13800001234\n".encode(), "a.txt").rows == [["电话"], ["13800001234"]]

    def test_a_full_register_of_16_columns_is_within_the_limits(self) -> None:
        rows = ([f"第{row}行第{column}列的说明文字" for column in range(16)] for row in range(4_000))
        data = sheets.write_workbook([str(column) for column in range(16)], rows)
        share = Limits(unpacked_bytes=sheets.DEFAULT.unpacked_bytes // 12, cells=sheets.DEFAULT.cells // 12)
        assert len(sheets.open_sheet(data, "a.xlsx", share).rows) == 4_001


class TestHeaders:
    def test_a_header_is_found_under_titles_and_above_hints(self) -> None:
        rows = [
            ["春风里社区居民登记表", ""],
            ["填表人:", "日期"],
            ["*姓 名", "身份证号（必填）"],
            ["必填", "18位"],
            ["张三", ""],
        ]
        assert sheets.header_row(rows, {"姓名", "性别"}) == 2

    def test_the_row_with_the_most_known_words_wins_and_the_first_of_equals(self) -> None:
        assert sheets.header_row([["姓名"], ["姓名", "性别"], ["性别", "姓名"]], ["姓名", "性别"]) == 1

    def test_a_sheet_without_a_header_is_refused(self) -> None:
        with pytest.raises(BadFile) as refusal:
            sheets.header_row([["张三"]] * 10 + [["姓名"]], {"姓名"})
        assert refusal.value.reason is FileFault.NO_HEADER


class TestDates:
    @pytest.mark.parametrize(
        ("text", "day"),
        [
            ("1984-01-05", date(1984, 1, 5)),
            ("1985/3/30", date(1985, 3, 30)),
            ("1979年12月8日", date(1979, 12, 8)),
            ("1979 年 12 月 8 号", date(1979, 12, 8)),
            ("19551231", date(1955, 12, 31)),
            ("1984.1.5", date(1984, 1, 5)),
            ("１９８４－０１－０５", date(1984, 1, 5)),
            ("1984-01-05 00:00:00", date(1984, 1, 5)),
            (" 2000/2/29 ", date(2000, 2, 29)),
        ],
    )
    def test_a_date_is_read_as_offices_write_it(self, text: str, day: date) -> None:
        assert sheets.parse_date(text) == day

    @pytest.mark.parametrize("text", ["19550231", "1900-02-29", "1984/13/1", "0000-01-01", "1984年0月5日"])
    def test_a_day_that_does_not_exist_is_an_error(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"month|day|year"):
            sheets.parse_date(text)

    @pytest.mark.parametrize(
        "text", ["", "不详", "1984", "84-1-5", "1984-01/05", "30686", "1984年1月", "1984-01-05 08:30"]
    )
    def test_what_is_no_date_is_none(self, text: str) -> None:
        assert sheets.parse_date(text) is None

    @given(st.dates())
    def test_a_date_survives_its_own_form(self, day: date) -> None:
        assert sheets.parse_date(day.isoformat()) == day


class TestHostileFiles:
    @pytest.mark.parametrize(
        ("data", "filename", "fault"),
        [
            (b"", "a.xlsx", FileFault.EMPTY),
            (b"\n , ,\n", "a.csv", FileFault.EMPTY),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "photo.xlsx", FileFault.NOT_A_WORKBOOK),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "photo.csv", FileFault.NOT_A_WORKBOOK),
            (b"a\0b,c", "a.csv", FileFault.NOT_A_WORKBOOK),
            (b"\xff\xff\xff\xff", "a.csv", FileFault.NOT_A_WORKBOOK),
            (b"<html><table></table></html>", "a.xls", FileFault.NOT_A_WORKBOOK),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", FileFault.OLD_FORMAT),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le"),
                "a.xlsx",
                FileFault.ENCRYPTED,
            ),
            (b"PK\x03\x04" + b"\0" * 9, "a.xlsx", FileFault.DAMAGED),
            (b"PK\x03\x04" + b"\0" * 900, "a.xlsx", FileFault.DAMAGED),
            (zipped({"readme.txt": b"hello"}), "a.xlsx", FileFault.NOT_A_WORKBOOK),
            (workbook("")[:-200], "a.xlsx", FileFault.DAMAGED),
            (workbook(""), "a.xlsx", FileFault.EMPTY),
            (workbook("<row>"), "a.xlsx", FileFault.DAMAGED),
            (workbook('<row r="x"/>'), "a.xlsx", FileFault.DAMAGED),
            (workbook('<row><c r="1A"><v>1</v></c></row>'), "a.xlsx", FileFault.DAMAGED),
        ],
        ids=lambda value: value if isinstance(value, str) else "file",
    )
    def test_what_is_no_workbook_is_refused_with_its_reason(self, data: bytes, filename: str, fault: FileFault) -> None:
        assert fault_of(data, filename) is fault

    def test_a_file_beyond_20_megabytes_is_refused(self) -> None:
        assert fault_of(b"PK\x03\x04" + b"\0" * 20 * 1024 * 1024) is FileFault.TOO_LARGE

    def test_a_zip_bomb_is_refused(self) -> None:
        assert fault_of(workbook(" " * (81 * 1024 * 1024))) is FileFault.TOO_LARGE

    def test_a_zip_bomb_that_lies_about_its_size_is_refused(self) -> None:
        honest = workbook(" " * (2 * 1024 * 1024))
        lying = directory_patched(honest, SHEET, 24, struct.pack("<L", 100))
        prefix = parts_of(" " * 1000)[SHEET][:100]
        lying = directory_patched(lying, SHEET, 16, struct.pack("<L", zlib.crc32(prefix)))
        with zipfile.ZipFile(io.BytesIO(lying)) as archive:
            assert len(archive.read(SHEET)) == 100
        assert fault_of(lying) is FileFault.DAMAGED
        assert fault_of(lying, limits=Limits(unpacked_bytes=1024 * 1024)) is FileFault.TOO_LARGE

    def test_a_document_type_is_refused_in_any_part_and_encoding(self) -> None:
        laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
        good = parts_of(f'<row r="1">{inline("A1", "张三")}</row>')
        for name in good:
            assert fault_of(zipped(good | {name: laughs.encode() + good[name]})) is FileFault.DECLARES_A_TYPE
        wide = ('<?xml version="1.0" encoding="utf-16"?>' + laughs + "<x>&b;</x>").encode("utf-16")
        assert fault_of(zipped(good | {"docProps/app.xml": wide})) is FileFault.DECLARES_A_TYPE

    @pytest.mark.parametrize(
        "written", ["<f>1+1</f>", "<f>1+1</f><v></v>", "<f>1+1</f><v/>", '<f t="shared" si="0"/><v/>']
    )
    def test_a_formula_that_nobody_has_computed_is_named_and_not_read_as_nothing(self, written: str) -> None:
        cells = f'<row r="1">{inline("A1", "姓名")}</row><row r="2"><c r="AB2">{written}</c></row>'
        with pytest.raises(BadFile, match="第 2 行 AB 列是公式") as refusal:
            sheets.open_sheet(workbook(cells), "登记表.xlsx")
        assert refusal.value.reason is FileFault.NOT_COMPUTED

    @pytest.mark.parametrize(
        ("written", "text"),
        [('<c r="B1"><f>1+1</f><v>2</v></c>', "2"), ('<c r="B1" t="str"><f>IF(1,"","")</f><v></v></c>', "")],
    )
    def test_a_formula_with_its_result_is_read_as_the_result(self, written: str, text: str) -> None:
        found = sheets.open_sheet(
            workbook(f'<row r="1">{inline("A1", "张三")}{written}{inline("C1", "女")}</row>'), "a.xlsx"
        )
        assert found.rows == [["张三", text, "女"]]

    @pytest.mark.parametrize("name", ["../../etc/cron.d/x.xml", "/etc/x.xml", "xl\\..\\..\\x.xml", "c:/x.xml"])
    def test_a_member_that_climbs_out_is_refused(self, name: str) -> None:
        assert fault_of(workbook("", **{name: b"<x/>"})) is FileFault.UNSAFE

    def test_two_members_of_one_name_are_refused(self) -> None:
        assert fault_of(workbook("", **{"XL/worksheets\\SHEET1.xml": b"<x/>"})) is FileFault.DAMAGED

    def test_an_archive_with_a_password_is_refused(self) -> None:
        assert fault_of(directory_patched(workbook(""), SHEET, 8, b"\x01\0")) is FileFault.ENCRYPTED

    @pytest.mark.parametrize("count", [500, 60_000])
    def test_an_archive_of_too_many_members_is_refused(self, count: int) -> None:
        parts = parts_of("") | {f"xl/media/{number}.bin": b"" for number in range(count)}
        assert fault_of(zipped(parts)) is FileFault.TOO_MANY_PARTS

    def test_a_compression_that_cannot_be_bounded_is_refused(self) -> None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
            for name, body in parts_of("").items():
                archive.writestr(name, body)
        assert fault_of(out.getvalue()) is FileFault.DAMAGED

    def test_2000_columns_are_refused_whoever_wrote_them(self) -> None:
        wide = [f"列{number}" for number in range(2_000)]
        assert fault_of(sheets.write_workbook(wide, [])) is FileFault.TOO_MANY_COLUMNS
        assert fault_of(sheets.write_csv(wide, []), "a.csv") is FileFault.TOO_MANY_COLUMNS
        assert fault_of(workbook("<row>" + "<c><v>1</v></c>" * 51 + "</row>")) is FileFault.TOO_MANY_COLUMNS

    def test_one_cell_far_out_is_refused(self) -> None:
        assert fault_of(workbook('<row><c r="XFD1"><v>1</v></c></row>')) is FileFault.TOO_MANY_COLUMNS
        assert fault_of(workbook('<row><c r="A1048576"><v>1</v></c></row>')) is FileFault.TOO_MANY_ROWS
        assert fault_of(workbook('<row r="60001"><c><v>1</v></c></row>')) is FileFault.TOO_MANY_ROWS
        assert sheets.open_sheet(workbook('<row r="60000"><c><v>1</v></c></row>'), "a.xlsx").numbers == [60_000]

    def test_cells_of_which_only_some_say_where_they_are_are_refused(self) -> None:
        assert fault_of(workbook('<row><c r="XFC1"/><c><v>1</v></c></row>')) is FileFault.DAMAGED

    def test_too_many_rows_and_cells_are_refused(self) -> None:
        tight = Limits(rows=3, cells=4)
        assert fault_of(sheets.write_csv(["姓名"], [["张三"]] * 3), "a.csv", tight) is FileFault.TOO_MANY_ROWS
        assert fault_of(sheets.write_workbook(["姓名"], [["张三"]] * 3), limits=tight) is FileFault.TOO_MANY_ROWS
        assert fault_of(sheets.write_csv("甲乙丙", ["123"]), "a.csv", tight) is FileFault.TOO_MANY_CELLS
        assert fault_of(sheets.write_workbook("甲乙丙", ["123"]), limits=tight) is FileFault.TOO_MANY_CELLS

    def test_a_long_string_shared_by_many_cells_is_refused(self) -> None:
        cells = '<row><c t="s"><v>0</v></c></row>' * 1000
        strings = f"<sst {NAMESPACE}><si><t>{'长' * 1000}</t></si></sst>".encode()
        data = workbook(cells, **{STRINGS: strings})
        assert fault_of(data, limits=Limits(unpacked_bytes=1024 * 1024)) is FileFault.TOO_LARGE

    def test_shared_strings_in_another_part_are_refused(self) -> None:
        assert fault_of(workbook("", **{"xl/other.xml": b"<sst><si/></sst>"})) is FileFault.DAMAGED

    def test_too_many_shared_strings_are_refused(self) -> None:
        data = workbook("", **{STRINGS: b"<sst>" + b"<si/>" * 5 + b"</sst>"})
        assert fault_of(data, limits=Limits(cells=4)) is FileFault.TOO_MANY_CELLS

    @pytest.mark.parametrize(
        "rows",
        [
            "<a>" * 200 + "</a>" * 200,
            f"<!--{'x' * (2 * 1024 * 1024)}-->",
            f'<a b="{"x" * (2 * 1024 * 1024)}"/>',
        ],
        ids=["deep", "long comment", "long attribute"],
    )
    def test_xml_made_to_tire_the_parser_is_refused(self, rows: str) -> None:
        assert fault_of(workbook(rows)) is FileFault.UNSAFE

    def test_a_cell_longer_than_a_spreadsheet_allows_is_refused(self) -> None:
        assert fault_of(workbook(f"<row>{inline('A1', 'x' * 600_000)}</row>")) is FileFault.TOO_LARGE

    def test_a_csv_file_of_nothing_but_commas_or_line_ends_is_refused(self) -> None:
        assert fault_of(b"," * 4_000_000, "a.csv") is FileFault.TOO_MANY_CELLS
        assert fault_of(b"\n" * 70_000, "a.csv") is FileFault.TOO_MANY_ROWS

    def test_a_field_without_end_is_refused(self) -> None:
        assert fault_of(b'"' + b"x" * 200_000, "a.csv") is FileFault.DAMAGED

    def test_a_workbook_with_any_byte_changed_is_read_or_refused(self) -> None:
        data = sheets.write_workbook(REGISTER[0], REGISTER[1:])
        dice = random.Random(20)
        for _time in range(300):
            broken = bytearray(data)
            broken[dice.randrange(len(data))] = dice.randrange(256)
            with suppress(BadFile):
                assert sheets.open_sheet(bytes(broken), "a.xlsx").rows
