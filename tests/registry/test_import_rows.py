"""What a row may say: every fault by its reason, every doubt by its flag, and registers laid out otherwise."""

from datetime import date

import pytest

from portal.core.files import BadFile, FileFault
from portal.core.ids import Sex
from portal.core.sheets import write_csv, write_workbook
from portal.registry.models import Diet, ImportBatch, Outcome, Registration, Relation, TagKind
from portal.registry.service import imports
from portal.registry.service.imports.addresses import parse
from portal.registry.service.imports.columns import guess
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    HEADERS,
    check,
    count,
    files,
    number,
    people,
    register,
    row,
    staged,
    take_in,
    upload,
)


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"姓名": ""}, "name", "no_name"),
        ({"姓名": "甲" * 61}, "name", "too_long"),
        ({"身份证号": "99990119550231353X"}, "id_number", "date"),
        ({"身份证号": number(1)[:17]}, "id_number", "length"),
        ({"身份证号": number(1)[:17] + ("1" if number(1)[17] != "1" else "2")}, "id_number", "check_digit"),
        ({"身份证号": "九九九九" + number(1)[4:]}, "id_number", "characters"),
        ({"身份证号": number(1, "29990101")}, "id_number", "future"),
        ({"身份证号": "", "出生日期": "19550231"}, "birth_date", "no_such_date"),
        ({"身份证号": "无", "出生日期": "2999-01-01"}, "birth_date", "future"),
        ({"小区": "远" * 61}, "estate", "too_long"),
    ],
)
def test_a_row_that_cannot_be_is_refused_by_its_column(worker, said, field, code):
    batch = check(worker, register(row(**said), row(姓名="李敏", 身份证号=number(2))))
    assert [(why["field"], why["code"]) for why in staged(batch)[0].reasons] == [(field, code)]
    assert batch.counts["refused"] == batch.counts["new"] == 1


@pytest.mark.parametrize(
    ("said", "flag", "note"),
    [
        ({"联系电话": "1380013"}, "phone_doubtful", "登记表上的电话：1380013"),
        ({"联系电话": "电话不详"}, "phone_doubtful", "登记表上的电话：电话不详"),
        ({"性别": "男"}, "sex_contradicts", None),
        ({"出生日期": "1951-05-05"}, "birth_contradicts", None),
        ({"出生日期": "19550231"}, "birth_contradicts", None),
        ({"身份证号": ""}, "no_number", None),
        ({"人员标签": "独居、爱下棋"}, "unknown_tag", "登记表上的标签：爱下棋"),
        ({"饮食要求": "低糖 不吃香菜"}, "unknown_diet", "登记表上的饮食要求：不吃香菜"),
        ({"与户主关系": "战友"}, "unknown_relation", "登记表上与户主的关系：战友"),
        ({"户籍": "待查"}, "unknown_registration", "登记表上的户籍：待查"),
        ({"小区": "梧桐苑", "楼栋": "", "单元": "", "房号": ""}, "address_doubtful", "登记表上的住址：梧桐苑"),
    ],
)
def test_a_doubtful_row_is_stored_and_flagged_and_keeps_what_was_said(worker, said, flag, note):
    take_in(worker, register(row(**said)))
    (person,) = people()
    assert person.flags == [flag]
    assert person.note == note


def test_the_number_decides_sex_and_birth_date(worker):
    take_in(worker, register(row(性别="男", 出生日期="1999-09-09")))
    (person,) = people()
    assert (person.sex, person.birth_date) == (Sex.FEMALE, date(1950, 5, 5))


def test_words_of_tags_and_diets_are_parted_by_any_sign(worker):
    take_in(worker, register(row(人员标签="独居、失能,低保 重残", 饮食要求="低糖，软食 清真")))
    (person,) = people()
    assert {tag.kind for tag in person.tags} == {
        TagKind.LIVING_ALONE,
        TagKind.DISABLED_ELDER,
        TagKind.LOW_INCOME,
        TagKind.SEVERELY_DISABLED,
    }
    assert person.diets() == {Diet.LOW_SUGAR, Diet.SOFT, Diet.HALAL}


@pytest.mark.parametrize(
    ("word", "man", "relation"),
    [
        ("子女", True, Relation.SON),
        ("子女", False, Relation.DAUGHTER),
        ("孙子", True, Relation.GRANDCHILD),
        ("本人", False, Relation.HEAD),
    ],
)
def test_relations_are_understood_with_the_sex(worker, word, man, relation):
    take_in(worker, register(row(身份证号=number(1, man=man), 性别="男" if man else "女", 与户主关系=word)))
    assert people()[0].relation is relation


def test_outside_registration_has_no_code(worker):
    take_in(worker, register(row(户籍="外地户籍")))
    (person,) = people()
    assert (person.registration, person.registration_code) == (Registration.OUTSIDE, "")


def test_a_formula_stays_text(worker):
    take_in(worker, register(row(备注='=HYPERLINK("http://example.test","点我")', 姓名="=王秀英")))
    (person,) = people()
    assert (person.name, person.note) == ("=王秀英", '=HYPERLINK("http://example.test","点我")')


def test_the_second_of_two_rows_without_number_waits(worker):
    batch = check(worker, register(row(身份证号=""), row(身份证号=""), row()))
    assert [each.outcome for each in staged(batch)] == [Outcome.NEW, Outcome.WAITING, Outcome.WAITING]


def test_two_addresses_for_one_household_are_flagged_and_the_first_stands(worker):
    take_in(worker, register(row(), row(姓名="李敏", 身份证号=number(2), 房号="999")))
    assert [person.flags for person in people()] == [[], ["address_differs"]]
    assert {person.household.dwelling.room for person in people()} == {"301"}


OTHER = [
    "序号",
    "*居民姓名",
    "公民身份号码（必填）",
    "手机",
    "家庭编号",
    "家庭成员关系",
    "现住址",
    "所属网格",
    "重点人群类别",
]


def _other_office(*, numbers: tuple[str, str]) -> list[list[str]]:
    """A register as another office keeps it: titles above, hints below, a total and signatures at the end."""
    home = "春风里小区4号楼2单元402"
    hints = ["必填，与身份证一致", "必填，18位数字", "选填", "请按户填写", "下拉选择", f"例：{home}", "", "用、隔开"]
    return [
        ["秋水街道居民基本信息登记表"],
        ["填报单位：春风里社区", "", "", "填报日期：2026年11月"],
        OTHER,
        ["", *hints],
        ["1", "王秀英", numbers[0], "13800000001", "JT-01", "户主", home, "第一网格", "独居、低保"],
        ["2", "李建国", numbers[1], "", "JT-01", "配偶", home, "第一网格", ""],
        ["合计", "2人"],
        ["填表人：周洁", "", "审核人："],
    ]


@pytest.mark.parametrize("form", ["xlsx", "csv", "gb18030"])
def test_a_register_of_another_office_goes_in_too(worker, form):
    rows = _other_office(numbers=(number(1), number(2, man=True)))
    width = max(len(each) for each in rows)
    padded = [each + [""] * (width - len(each)) for each in rows]
    data = write_workbook(padded[0], padded[1:]) if form == "xlsx" else write_csv(padded[0], padded[1:])
    if form == "gb18030":
        data = data.decode("utf-8-sig").encode("gb18030")
    batch = take_in(worker, data, "登记.xlsx" if form == "xlsx" else "登记.csv")
    assert batch.skipped == [[1, "title"], [2, "title"], [4, "hint"], [7, "end"], [8, "end"]]
    assert [person.name for person in people()] == ["王秀英", "李建国"]
    first = people()[0]
    assert first.household.number == "JT-01"
    assert first.household.dwelling.address() == "春风里小区 4号楼 2单元 402"
    assert (first.grid.name, len(first.tags), first.phone) == ("第一网格", 2, "13800000001")


def test_a_register_without_household_numbers_makes_one_household_of_an_address(worker):
    take_in(worker, register(row(户号=""), row(姓名="李敏", 身份证号=number(2), 户号="", 与户主关系="子女")))
    assert len({person.household_id for person in people()}) == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("春风里小区4号楼2单元402", ("春风里小区", "4号楼", "2单元", "402")),
        ("4-2-402", ("缺省", "4号楼", "2单元", "402")),
        ("春晖街道春风里社区梧桐苑3幢2-301室", ("梧桐苑", "3幢", "2单元", "301")),
        ("李家村12号", ("李家村", "", "", "12")),
        ("北区12-301", ("北区", "12号楼", "", "301")),
    ],
)
def test_one_column_of_address_is_taken_apart(text, parts):
    found = parse(text, default_estate="缺省")
    assert (found.estate, found.building, found.unit, found.room) == parts


def test_words_that_name_no_door_are_no_address():
    assert parse("春风里小区", default_estate="缺省") is None


def test_columns_are_guessed_by_any_usual_word():
    found = guess(
        ["居民姓名", "公民身份号码", "手机", "家庭编号", "所属网格", "重点人群类别", "户籍地址", "联系电话（子女）"]
    )
    assert found == {
        "name": 0,
        "id_number": 1,
        "phone": 2,
        "household_number": 3,
        "grid": 4,
        "tags": 5,
        "registered_address": 6,
    }


def test_a_row_of_a_person_is_never_taken_for_a_hint(worker):
    batch = check(
        worker, register(row(备注="请电话联系，必填", 与户主关系="请核"), row(姓名="李敏", 身份证号=number(2)))
    )
    assert batch.total == 2


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "空.xlsx", "文件里没有内容"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "照片.xlsx", "这不是表格文件"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "旧.xls", "旧格式"),
        (b"PK\x03\x04" + b"0" * 100, "坏.xlsx", "文件已损坏"),
        ("甲,乙\r\n1,2\r\n".encode(), "无表头.csv", "找不到表头"),
        ("姓名,性别\r\n".encode(), "没有人.csv", "表头下面没有人员"),
        ((",".join(HEADERS * 4) + "\r\n").encode(), "太宽.csv", "最多 50 列"),
    ],
)
def test_a_file_that_is_no_register_is_refused_beside_its_field_and_leaves_nothing(worker, app, data, name, reason):
    before = files(app)
    answer = upload(worker, data, name)
    assert answer.status_code == 422
    assert reason in answer.text
    assert 'id="file-error"' in answer.text
    assert count(ImportBatch) == 0
    assert files(app) == before


def test_no_file_at_all_is_asked_for(worker, make):
    answer = worker.post("/desk/people/imports", data={"community": make.community().code})
    assert answer.status_code == 422
    assert "请选择要导入的文件" in answer.text


def test_a_sheet_of_titles_only_has_no_people():
    with pytest.raises(BadFile) as fault:
        imports.read_table("姓名,身份证号\r\n合计,0\r\n".encode(), "表.csv")
    assert fault.value.reason is FileFault.EMPTY


def test_a_landline_is_a_telephone_too(worker):
    take_in(worker, register(row(联系电话="0512-65123456")))
    assert (people()[0].phone, people()[0].flags) == ("0512-65123456", [])
