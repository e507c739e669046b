"""Registers of other kinds: some columns of known people, dwellings, households; the standards' words as codes."""

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from portal.areas.models import Dwelling, DwellingUse
from portal.core.db import db, transaction
from portal.core.sheets import write_csv, write_workbook
from portal.registry.models import (
    EmergencyContact,
    Facility,
    FacilityKind,
    Household,
    IdKind,
    Marriage,
    Organisation,
    OrganisationKind,
    Outcome,
    Person,
    PersonChange,
    Politics,
    Presence,
    Relation,
    Schooling,
    Source,
    Standing,
    TagKind,
    Tenure,
    Work,
)
from portal.registry.service import changes
from portal.registry.service.rights import looking
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    choices,
    confirm,
    count,
    latest,
    number,
    people,
    register,
    row,
    staged,
    take_in,
    undo,
    upload,
)


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _check(worker: Client, kind: str, headers: list[str], *rows: list[str], **changed: int):
    data = write_workbook(headers, rows)
    answer = upload(worker, data, kind=kind)
    assert answer.status_code == 303, answer.text
    answer = worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest(), **changed))
    assert answer.status_code == 303, answer.text
    return latest()


def _take_in(worker: Client, kind: str, headers: list[str], *rows: list[str], **changed: int):
    batch = _check(worker, kind, headers, *rows, **changed)
    answer = confirm(worker, batch)
    assert answer.status_code == 303, answer.text
    return latest()


def _one(model):
    db.session.expire_all()
    return db.session.scalars(sa.select(model)).one()


def test_only_the_chosen_columns_of_known_people_change(worker):
    take_in(worker, register(row(备注="爱听戏")))
    batch = _take_in(
        worker,
        "update",
        ["姓名", "身份证号", "联系电话", "备注"],
        ["王秀英", number(1), "13900000009", "不要这一列"],
        note=-1,
    )
    (person,) = people()
    assert (batch.counts["changed"], person.phone, person.note) == (1, "13900000009", "爱听戏")
    assert person.household.number == "H1"
    undo(worker, batch)
    assert people()[0].phone == "13800000001"


def test_an_update_finds_people_by_name_and_birth_date_in_whatever_household(worker):
    take_in(worker, register(row()))
    batch = _check(worker, "update", ["姓名", "出生日期", "手机"], ["王秀英", "1950-05-05", "13900000009"])
    assert batch.counts["changed"] == 1


def test_an_update_leaves_what_an_empty_cell_does_not_say(worker):
    take_in(worker, register(row()))
    batch = _check(worker, "update", ["身份证号", "手机", "民族"], [number(1), "", ""])
    assert batch.counts["unchanged"] == 1


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["李敏", number(2), "", "13900000009"], "unknown_person"),
        (["王秀英", "", "", "13900000009"], "no_key"),
        (["王秀英", "", "1949-01-01", "13900000009"], "unknown_person"),
    ],
)
def test_an_update_makes_nobody(worker, cells, code):
    take_in(worker, register(row()))
    batch = _check(worker, "update", ["姓名", "身份证号", "出生日期", "手机"], cells)
    assert [why["code"] for why in staged(batch)[0].reasons] == [code]
    assert count(Person) == 1


def test_two_of_one_name_and_birth_date_wait_for_a_worker(worker, make):
    make.person("王秀英"), make.person("王秀英")
    batch = _check(worker, "update", ["姓名", "出生日期", "手机"], ["王秀英", "1950-05-05", "13900000009"])
    assert batch.counts["waiting"] == 1


HOMES = ["小区", "楼栋", "单元", "房号", "楼层", "建筑面积（平方米）", "房屋用途"]


def test_dwellings_come_with_area_floor_and_use_and_go_when_undone(worker):
    rows = (["梧桐苑", "6", "2", "301", "3层", "88.5㎡", "自住"], ["梧桐苑", "6", "2", "302", "", "", "空置"])
    batch = _take_in(worker, "dwellings", HOMES, *rows)
    assert batch.counts["new"] == 2
    homes = db.session.scalars(sa.select(Dwelling).order_by(Dwelling.room)).all()
    assert [(home.address(), home.floor, home.area_m2, home.use) for home in homes] == [
        ("梧桐苑 6号楼 2单元 301", 3, Decimal("88.50"), DwellingUse.OWN),
        ("梧桐苑 6号楼 2单元 302", None, None, DwellingUse.EMPTY),
    ]
    assert _check(worker, "dwellings", HOMES, *rows).counts["unchanged"] == 2
    changed = _take_in(worker, "dwellings", HOMES, ["梧桐苑", "6", "2", "301", "", "90", "出租"])
    assert changed.counts["changed"] == 1
    assert "建筑面积" in worker.get(f"{ADDRESS}/{changed.public_id}/rows/changed").text
    undo(worker, changed)
    db.session.expire_all()
    assert [home.area_m2 for home in homes] == [Decimal("88.50"), None]
    assert undo(worker, batch).status_code == 303
    assert count(Dwelling) == 0


def test_a_dwelling_somebody_lives_in_stays_when_the_register_is_undone(worker):
    batch = _take_in(worker, "dwellings", HOMES, ["梧桐苑", "6号楼", "2单元", "301", "3", "88.5", "自住"])
    take_in(worker, register(row()))
    assert undo(worker, batch).status_code == 303
    assert _one(Dwelling).room == "301"


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        (["", "", "", "", "3", "88", "自住"], "room", "no_home"),
        (["梧桐苑", "6", "2", "301", "顶", "88", "自住"], "floor", "no_number_word"),
        (["梧桐苑", "6", "2", "301", "3", "很大", "自住"], "area_m2", "no_number_word"),
        (["梧桐苑", "6", "2", "301", "3", "88", "养鱼"], "use", "unknown_word"),
    ],
)
def test_a_dwelling_that_cannot_be_read_is_refused_by_its_column(worker, cells, field, code):
    batch = _check(worker, "dwellings", HOMES, cells, ["梧桐苑", "6", "2", "999", "9", "88", "自住"])
    assert [(why.get("field"), why["code"]) for why in staged(batch)[0].reasons] == [(field, code)]
    assert batch.counts["new"] == 1


def test_a_dwelling_named_twice_is_taken_once(worker):
    home = ["梧桐苑", "6", "2", "301", "3", "88", "自住"]
    batch = _check(worker, "dwellings", HOMES, home, home)
    assert [each.outcome for each in staged(batch)] == [Outcome.NEW, Outcome.REFUSED]


def test_households_come_with_their_address_and_find_their_head(worker):
    batch = _take_in(worker, "households", ["户号", "住址", "户主姓名"], ["H7", "梧桐苑6号楼2单元301", "王秀英"])
    home = _one(Household)
    assert (home.number, home.dwelling.room, batch.counts["flagged"]) == ("H7", "301", 1)
    take_in(worker, register(row(户号="H7", 与户主关系="其他"), row(姓名="李建国", 身份证号=number(2), 户号="H7")))
    assert [person.relation for person in people()] == [Relation.OTHER, Relation.HEAD]
    changed = _take_in(worker, "households", ["户号", "住址", "户主"], ["H7", "梧桐苑6号楼2单元502", "王秀英"])
    assert [person.relation for person in people()] == [Relation.HEAD, Relation.OTHER]
    assert _one(Household).dwelling.room == "502"
    assert {change.field for change in changes.history(people()[0])} == {"relation"}
    assert undo(worker, changed).status_code == 303
    assert [person.relation for person in people()] == [Relation.OTHER, Relation.HEAD]
    assert _one(Household).dwelling.room == "301"


def test_the_words_of_the_standards_become_codes(worker):
    headers = [
        "姓名", "证件类型", "身份证号", "民族", "婚姻状况", "文化程度", "政治面貌", "就业状况", "人户状态", "居住类型",
        "入住日期", "紧急联系人", "紧急联系人关系", "紧急联系人电话", "残疾类别", "残疾等级", "户号", "监护人",
    ]  # fmt: skip
    cells = [
        "王秀英", "居民身份证", number(1), "回", "丧偶", "初中", "党员", "退休", "人在户不在", "租房", "2019年3月1日",
        "李敏", "女儿", "13700000001", "肢体", "二级", "H1", "",
    ]  # fmt: skip
    child = [
        "王小宝",
        "",
        number(2, "20200101"),
        "汉族",
        "10",
        "学龄前",
        "群众",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "H1",
        "王秀英",
    ]
    data = write_workbook(headers, [cells, child])
    batch = take_in(worker, data)
    elder, young = people()
    assert (elder.ethnicity, elder.marriage, elder.schooling) == ("03", Marriage.WIDOWED, Schooling.JUNIOR_HIGH)
    assert (elder.politics, elder.work) == (Politics.PARTY_MEMBER, Work.RETIRED)
    assert (elder.presence, elder.tenure, elder.living_since) == (Presence.ONLY_LIVING, Tenure.TENANT, date(2019, 3, 1))
    assert [(tag.kind, tag.detail) for tag in elder.tags] == [(TagKind.DISABLED, "4-2")]
    contact = _one(EmergencyContact)
    assert (contact.person_id, contact.name, contact.relation, contact.phone) == (
        elder.id, "李敏", "女儿", "13700000001",
    )  # fmt: skip
    assert (young.ethnicity, young.guardian_id, "王秀英" in (young.note or "")) == ("01", elder.id, True)
    assert undo(worker, batch).status_code == 303
    assert (count(Person), count(EmergencyContact)) == (0, 0)


def test_a_passport_is_no_id_number_and_its_columns_say_the_rest(worker):
    headers = ["姓名", "证件类型", "证件号码", "性别", "出生日期"]
    take_in(worker, write_workbook(headers, [["John Smith", "护照", "E 1234 5678", "男", "1980-02-03"]]))
    (person,) = people()
    assert (person.id_kind, person.id_number, person.birth_date) == (IdKind.PASSPORT, "E12345678", date(1980, 2, 3))
    assert person.flags == []


def test_words_nobody_knows_are_kept_in_the_note(worker):
    take_in(worker, write_workbook(["姓名", "身份证号", "文化程度", "民族"], [["王秀英", number(1), "私塾", "汉藏"]]))
    (person,) = people()
    assert (person.schooling, person.ethnicity) == (Schooling.UNKNOWN, "")
    assert person.note == "登记表上的学历：私塾\n登记表上的民族：汉藏"


def test_one_column_may_hold_the_whole_contact(worker):
    take_in(
        worker,
        write_csv(["姓名", "身份证号", "紧急联系人"], [["王秀英", number(1), "李敏（女儿）13700000001"]]),
        "a.csv",
    )
    contact = _one(EmergencyContact)
    assert (contact.name, contact.relation, contact.phone) == ("李敏", "女儿", "13700000001")


def test_imported_changes_stand_in_the_history_and_so_does_undoing(worker):
    take_in(worker, register(row()))
    batch = take_in(worker, register(row(联系电话="13900000009", 人员标签="低保")))
    (person,) = people()
    assert person.version == 2
    told = changes.history(person)
    assert {(change.field, change.row.source, change.row.ref) for change in told} == {
        ("phone", Source.IMPORT, batch.public_id),
        ("tags", Source.IMPORT, batch.public_id),
    }
    assert {change.row.by_name for change in told} == {"周洁"}
    undo(worker, batch)
    (person,) = people()
    assert person.version == 3
    back = next(change for change in changes.history(person) if change.field == "phone")
    assert (back.before, back.after, back.row.reason) == ("13900000009", "13800000001", "撤销导入")
    assert count(PersonChange) == 2
    looks = [(look.what, look.name, look.role, look.reason) for look in looking.looks(person).looks]
    said = ("用登记表更新了您的登记", "周洁", "社区工作者")
    assert looks == [(*said, "撤销导入"), (*said, "")]


def test_the_history_page_shows_what_an_import_changed_and_no_number(worker):
    take_in(worker, register(row()))
    headers = ["姓名", "身份证号", "手机", "人员标签", "紧急联系人", "紧急联系人电话", "民族", "小区", "楼栋", "房号"]
    told = ["王秀英", number(1), "13900000009", "低保", "李敏", "13700000001", "回", "梧桐苑", "8", "101"]
    take_in(worker, write_workbook(headers, [told]))
    page = worker.get(f"/desk/people/{people()[0].public_id}/history").text
    for words in ("139****0009", "低保", "李敏", "137****0001", "回族", "梧桐苑 8号楼 101", "登记表导入"):
        assert words in page
    assert "13900000009" not in page
    assert "13700000001" not in page


def test_the_columns_of_each_kind_are_remembered_apart(worker):
    headers = ["户号", "住址", "户主姓名"]
    _check(worker, "households", headers, ["H7", "梧桐苑6号楼2单元301", ""], head_name=-1)
    upload(worker, write_workbook(headers, [["H8", "梧桐苑6号楼2单元302", ""]]), kind="households")
    assert "head_name" not in latest().columns
    upload(worker, write_workbook(headers, [["H8", "梧桐苑6号楼2单元302", ""]]), kind="dwellings")
    assert set(latest().columns) == {"address"}


def test_a_register_without_its_key_column_is_not_checked(worker):
    upload(worker, write_workbook(["小区", "房屋用途"], [["梧桐苑", "自住"]]), kind="dwellings")
    answer = worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert answer.status_code == 422
    assert "住址" in answer.text


def test_facilities_come_with_their_kind_and_area(worker):
    headers = ["设施名称", "设施类型", "建筑面积", "地址", "联系电话"]
    rows = (["老年活动室", "文体活动室", "120㎡", "梧桐苑6号楼一层", "0512-65123456"], ["", "其他", "1", "", ""])
    batch = _take_in(worker, "facilities", headers, *rows)
    assert (batch.counts["new"], batch.counts["refused"]) == (1, 1)
    facility = _one(Facility)
    assert (facility.name, facility.kind, facility.area_m2) == ("老年活动室", FacilityKind.ACTIVITY, Decimal("120.00"))
    changed = _take_in(worker, "facilities", headers, ["老年活动室", "文体活动室", "150", "梧桐苑6号楼一层", ""])
    assert (changed.counts["changed"], _one(Facility).area_m2) == (1, Decimal("150.00"))
    assert "120.00" in worker.get(f"{ADDRESS}/{changed.public_id}/rows/changed").text
    undo(worker, changed)
    assert (_one(Facility).area_m2, _one(Facility).phone) == (Decimal("120.00"), "0512-65123456")
    assert undo(worker, batch).status_code == 303
    assert count(Facility) == 0


def test_organisations_come_with_code_standing_and_grade(worker):
    headers = ["单位名称", "单位类型", "统一社会信用代码", "登记或备案", "评估等级", "负责人", "备注"]
    good = ["春风社工服务中心", "社会组织", "52999901MJ00000180", "已登记", "3A", "李敏", ""]
    bad = ["秋水社工服务中心", "社会组织", "52999901MJ00000181", "已登记", "", "", ""]
    batch = _take_in(worker, "organisations", headers, good, bad)
    assert [(why["field"], why["code"]) for why in staged(batch)[1].reasons] == [("uscc", "uscc")]
    found = _one(Organisation)
    assert (found.kind, found.standing, found.grade) == (OrganisationKind.SOCIAL, Standing.REGISTERED, 3)
    assert (found.uscc, found.contact_name) == ("52999901MJ00000180", "李敏")
    assert _check(worker, "organisations", headers, good).counts["unchanged"] == 1
    undo(worker, batch)
    assert count(Organisation) == 0


PHONES = ("0512-68001111", "0512-68002222")
SUPPLIES = [
    ("facilities", Facility, ["设施名称", "联系电话"], *(["老年活动室", phone] for phone in PHONES)),
    ("organisations", Organisation, ["单位名称", "电话"], *(["春风中心", phone] for phone in PHONES)),
]


def _edited(model, **values) -> None:
    one = _one(model)
    with transaction():
        for name, value in values.items():
            setattr(one, name, value)


@pytest.mark.parametrize(("kind", "model", "headers", "first", "second"), SUPPLIES)
def test_undoing_does_not_overwrite_what_was_edited_since(worker, kind, model, headers, first, second):
    made = _take_in(worker, kind, headers, first)
    changed = _take_in(worker, kind, headers, second)
    _edited(model, phone="0512-68003333")
    for batch in (changed, made):
        answer = undo(worker, batch)
        assert answer.status_code == 422
        assert "后来又改过" in answer.text
    assert _one(model).phone == "0512-68003333"
    _edited(model, phone="0512-68002222")
    assert undo(worker, changed).status_code == 303
    assert _one(model).phone == "0512-68001111"
    _edited(model, note="周末开门")
    assert undo(worker, made).status_code == 422, "what the batch said nothing of was filled in since"
    _edited(model, note="")
    assert undo(worker, made).status_code == 303
    assert count(model) == 0


@pytest.mark.parametrize(("kind", "model", "headers", "first", "second"), SUPPLIES)
def test_confirming_does_not_overwrite_what_was_edited_since_the_check(worker, kind, model, headers, first, second):
    _take_in(worker, kind, headers, first)
    batch = _check(worker, kind, headers, second)
    _edited(model, phone="0512-68003333")
    answer = confirm(worker, batch)
    assert answer.status_code == 422
    assert "请重新检查这一批" in answer.text
    assert _one(model).phone == "0512-68003333"
