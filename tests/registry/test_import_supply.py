"""Registers of staff, volunteer teams and stock: sheets of any shape by guessing alone, every difference, and back."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.sheets import write_workbook
from portal.registry.models import (
    Certificate,
    ImportKind,
    ImportRow,
    Organisation,
    OrganisationKind,
    Outcome,
    Person,
    Staff,
    StaffKind,
    StockEntry,
    StockItem,
    StockReason,
    TeamMember,
    VolunteerTeam,
)
from portal.registry.service import imports
from portal.registry.service.imports import guiding
from portal.registry.service.imports.vocabulary import Field
from portal.registry.service.resources import stock
from tests.client import Client
from tests.make import Make
from tests.registry.registers import ADDRESS, choices, confirm, count, latest, staged, undo, upload


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _sheet(*lines: list[str]) -> bytes:
    """All lines as wide as the widest; the first stands where a header usually does."""
    width = max(len(line) for line in lines)
    first, *others = [[*line, *[""] * (width - len(line))] for line in lines]
    return write_workbook(first, others)


def _check(worker: Client, kind: str, *lines: list[str]):
    answer = upload(worker, _sheet(*lines), kind=kind)
    assert answer.status_code == 303, answer.text
    answer = worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert answer.status_code == 303, answer.text
    return latest()


def _take_in(worker: Client, kind: str, *lines: list[str]):
    batch = _check(worker, kind, *lines)
    answer = confirm(worker, batch)
    assert answer.status_code == 303, answer.text
    return latest()


def _all(model):
    db.session.expire_all()
    return db.session.scalars(sa.select(model).order_by(model.id)).all()


def _codes(batch) -> list[tuple[str, str]]:
    return [(why["field"], why["code"]) for row in staged(batch) for why in row.reasons]


STAFF = (
    ["春风里社区服务队伍花名册（2026 年 11 月）"],
    ["序号", "*姓名", "人员类别", "所在单位", "手机号码", "持证情况", "证书编号", "发证日期", "有效期至"],
    ["填写说明", "必填", "请下拉选择", "", "11位数字", "示例：社会工作者证", "", "格式 yyyy-mm-dd", "格式 yyyy-mm-dd"],
    ["1", "李 敏", "社工（助理社会工作师）", "春风社工中心", "13800000001", "社会工作师", "31999901SW001",
     "2023年5月1日", "2023.05.01至2027.04.30"],
    ["2", "李敏", "社会工作者", "", "13800000001", "心理咨询师", "PSY20240001", "2024-01-01", "长期"],
    ["3", "王强", "网格员", "不认识的单位", "0512-65123456", "", "", "", ""],
    ["合计", "3"],
)  # fmt: skip


def test_staff_come_with_their_certificates_from_a_sheet_of_its_own_shape(worker, make):
    make_organisation(make)
    batch = _take_in(worker, "staff", *STAFF)
    assert [why for _number, why in batch.skipped] == ["title", "hint", "end"]
    assert (batch.counts["new"], batch.counts["refused"], batch.counts["flagged"]) == (3, 0, 1)
    li, wang = _all(Staff)
    assert (li.name, li.kind, li.phone, li.organisation.name) == (
        "李敏",
        StaffKind.SOCIAL_WORKER,
        "13800000001",
        "春风社工中心",
    )
    assert [(paper.name, paper.number, paper.issued_on, paper.expires_on) for paper in _all(Certificate)] == [
        ("社会工作师", "31999901SW001", date(2023, 5, 1), date(2027, 4, 30)),
        ("心理咨询师", "PSY20240001", date(2024, 1, 1), None),
    ]
    assert (wang.kind, wang.phone, wang.organisation_id) == (StaffKind.GRID_WORKER, "0512-65123456", None)
    assert "所在组织没有填" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/flagged").text
    assert _check(worker, "staff", *STAFF).counts["unchanged"] == 3
    assert undo(worker, batch).status_code == 303
    assert (count(Staff), count(Certificate)) == (0, 0)


def make_organisation(make: Make, name: str = "春风社工中心") -> None:
    with transaction() as session:
        session.add(Organisation(community_id=make.community().id, name=name, kind=OrganisationKind.SOCIAL))


RENEWED = (
    ["姓名", "联系电话", "证书名称", "证书编号", "到期日期", "备注"],
    ["李敏", "13900000009", "社会工作师", "31999901SW777", "2030-04-30", "兼职"],
)


def test_what_an_import_changes_of_staff_is_shown_masked_and_goes_back(worker, make):
    make_organisation(make)
    _take_in(worker, "staff", *STAFF)
    batch = _take_in(worker, "staff", *RENEWED)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/changed").text
    for words in (
        "138****0001 → 139****0009",
        "备注：（空） → 兼职",
        "到期日期：2027-04-30 → 2030-04-30",
        "证书编号：3",
    ):
        assert words in page
    for secret in ("13900000009", "13800000001", "31999901SW777", "31999901SW001"):
        assert secret not in page
    assert _all(Staff)[0].phone == "13900000009"
    assert len(_all(Certificate)) == 2
    assert undo(worker, batch).status_code == 303
    assert (_all(Staff)[0].phone, _all(Staff)[0].note) == ("13800000001", "")
    assert (_all(Certificate)[0].number, _all(Certificate)[0].expires_on) == ("31999901SW001", date(2027, 4, 30))


def test_the_samples_of_a_staff_register_give_nobody_away(worker):
    upload(worker, _sheet(*STAFF), kind="staff")
    page = worker.get(f"{ADDRESS}/{latest().public_id}/columns").text
    for secret in ("13800000001", "李敏", "王强", "31999901SW001", "PSY20240001"):
        assert secret not in page


def test_what_is_staged_of_staff_is_sealed(worker):
    batch = _check(worker, "staff", *STAFF)
    raw = db.session.execute(sa.text('SELECT "values" FROM import_row')).scalars().all()
    assert len(raw) == len(staged(batch)) == 3
    assert not any(secret in bytes(value) for value in raw for secret in (b"13800000001", b"31999901SW001"))


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["", "13800000001", "", "", "", ""], ("name", "no_name")),
        (["李敏", "1380", "", "", "", ""], ("phone", "phone")),
        (["李敏", "", "", "SW001", "", ""], ("paper", "no_paper")),
        (["李敏", "", "社会工作师", "", "2030-02-31", ""], ("expires_on", "no_such_date")),
        (["李敏", "", "社会工作师", "", "后年", ""], ("expires_on", "no_date")),
    ],
)
def test_a_row_of_staff_that_cannot_be_read_is_refused_by_its_column(worker, cells, why):
    batch = _check(worker, "staff", RENEWED[0], cells, ["赵玉兰", "", "", "", "", ""])
    assert _codes(batch) == [why]
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/refused").text
    assert "1380；" not in page
    assert batch.counts["new"] == 1


def test_people_of_one_name_are_told_apart_by_telephone_or_refused(worker):
    two = (["姓名", "联系电话"], ["李敏", "13800000001"], ["李敏", "13800000002"])
    _take_in(worker, "staff", *two)
    assert [member.phone for member in _all(Staff)] == ["13800000001", "13800000002"]
    batch = _check(worker, "staff", ["姓名", "联系电话", "备注"], ["李敏", "13800000002", "夜班"], ["李敏", "", "白班"])
    assert [row.outcome for row in staged(batch)] == [Outcome.CHANGED, Outcome.REFUSED]
    assert _codes(batch) == [("name", "several_staff")]


@pytest.mark.parametrize("edited", ["phone", "paper", "another paper"])
def test_staff_edited_since_keep_the_batch_from_being_undone(worker, edited):
    batch = _take_in(worker, "staff", *RENEWED)
    with transaction():
        member = _all(Staff)[0]
        if edited == "phone":
            member.phone = "13600000006"
        elif edited == "paper":
            member.certificates[0].expires_on = date(2031, 1, 1)
        else:
            member.certificates.append(Certificate(name="健康证"))
    answer = undo(worker, batch)
    assert (answer.status_code, "李敏" in answer.text) == (422, True)
    assert (count(Staff), _all(Certificate)[0].name) == (1, "社会工作师")


TEAMS = (
    ["志愿服务队登记表", "", "", "", "", ""],
    ["队伍名称（全称）", "成立时间", "队长", "队长联系电话", "主要服务内容", "队员名单"],
    ["示例：爱心队", "格式 2020-01-01", "填写姓名", "", "", "请用顿号隔开"],
    ["银龄互助队", "2021年3月5日", "王秀英", "13800000001", "陪伴独居长辈", "李敏、赵玉兰、外人"],
    ["合计：1 支", "", "", "", "", ""],
)


def test_teams_find_their_leader_and_members_in_the_register(worker, make):
    leader, member = make.person("王秀英"), make.person("李敏")
    batch = _take_in(worker, "teams", *TEAMS)
    assert (batch.counts["new"], batch.counts["flagged"]) == (1, 1)
    (team,) = _all(VolunteerTeam)
    assert (team.name, team.founded_on, team.purpose) == ("银龄互助队", date(2021, 3, 5), "陪伴独居长辈")
    assert team.leader_id == leader.id
    assert {one.person_id for one in team.members} == {leader.id, member.id}
    assert "没有加入" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/flagged").text
    assert _check(worker, "teams", *TEAMS).counts["unchanged"] == 1
    changed = _take_in(worker, "teams", ["名称", "队长", "宗旨"], ["银龄互助队", "李敏", "陪诊"])
    page = worker.get(f"{ADDRESS}/{changed.public_id}/rows/changed").text
    assert "王秀英 → 李敏" in page
    assert "陪伴独居长辈 → 陪诊" in page
    assert undo(worker, changed).status_code == 303
    assert (_all(VolunteerTeam)[0].leader_id, _all(VolunteerTeam)[0].purpose) == (leader.id, "陪伴独居长辈")
    assert undo(worker, batch).status_code == 303
    assert (count(VolunteerTeam), count(TeamMember), count(Person)) == (0, 0, 2)


def test_a_team_somebody_joined_since_is_not_undone(worker, make):
    make.person("王秀英")
    batch = _take_in(worker, "teams", *TEAMS)
    late = make.person("赵玉兰")
    with transaction() as session:
        team = _all(VolunteerTeam)[0]
        session.add(TeamMember(team_id=team.id, person_id=late.id, since=date(2026, 1, 1)))
    assert undo(worker, batch).status_code == 422
    assert count(VolunteerTeam) == 1


def test_of_two_people_of_one_name_the_telephone_says_who_leads(worker, make):
    make.person("王秀英", phone="13800000008")
    leader = make.person("王秀英", phone="13800000001")
    _take_in(worker, "teams", *TEAMS)
    assert _all(VolunteerTeam)[0].leader_id == leader.id


def test_nobody_of_another_community_leads_a_team(worker, make):
    make.person("王秀英", community=make.community("秋水社区"))
    data = _sheet(*TEAMS)
    upload(worker, data, kind="teams", community=make.community().code)
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    confirm(worker, latest())
    assert (_all(VolunteerTeam)[0].leader_id, count(TeamMember)) == (None, 0)


STOCK = (
    ["防汛物资盘点表"],
    ["填报单位：春风里社区居委会"],
    ["品名", "规格", "盘点数量", "存放地点", "安全库存"],
    ["必填", "", "填写整数带单位，如：20件", "", "可不填"],
    ["编织袋", "大号", "1,200条", "地下室", "200"],
    ["雨衣", "", "30 件", "值班室", ""],
    ["总计", "", "1230"],
    ["制表：李敏", "", "审核：王强"],
)


def test_stock_is_counted_in_with_its_unit_and_counted_back(worker):
    batch = _take_in(worker, "stock", *STOCK)
    assert (batch.counts["new"], batch.counts["refused"]) == (2, 0)
    sacks, coats = _all(StockItem)
    assert (sacks.name, sacks.unit, sacks.quantity, sacks.place, sacks.low_below) == (
        "编织袋",
        "条",
        1200,
        "地下室",
        200,
    )
    assert (coats.unit, coats.quantity) == ("件", 30)
    assert [(one.delta, one.reason, one.note) for one in _all(StockEntry)] == [
        (1200, StockReason.FOUND, "登记表导入"),
        (30, StockReason.FOUND, "登记表导入"),
    ]
    assert _check(worker, "stock", *STOCK).counts["unchanged"] == 2
    recount = _take_in(worker, "stock", ["物品名称", "单位", "实有数"], ["编织袋", "条", "1150"])
    assert "数量：1200 → 1150" in worker.get(f"{ADDRESS}/{recount.public_id}/rows/changed").text
    assert (_all(StockItem)[0].quantity, _all(StockEntry)[-1].delta) == (1150, -50)
    assert undo(worker, recount).status_code == 303
    assert (_all(StockItem)[0].quantity, _all(StockEntry)[-1].note) == (1200, "撤销登记表导入")


def test_new_stock_that_was_counted_is_given_up_empty_and_the_rest_goes(worker):
    batch = _take_in(worker, "stock", ["物资名称", "计量单位", "数量"], ["编织袋", "条", "1200"], ["雨衣", "件", ""])
    assert undo(worker, batch).status_code == 303
    (sacks,) = _all(StockItem)
    assert (sacks.name, sacks.quantity, sacks.closed_on is not None) == ("编织袋", 0, True)
    assert "物资：编织袋" in worker.get(f"{ADDRESS}/{batch.public_id}").text
    again = _take_in(worker, "stock", ["物资名称", "计量单位", "数量"], ["编织袋", "条", "5"])
    assert again.counts["changed"] == 1
    assert (_all(StockItem)[0].quantity, _all(StockItem)[0].closed_on) == (5, None)


def test_stock_moved_since_is_not_counted_back(worker):
    batch = _take_in(worker, "stock", *STOCK)
    item = _all(StockItem)[0]
    with transaction() as session:
        stock.count(session.get_one(StockItem, item.id), 1190, note="发放")
    answer = undo(worker, batch)
    assert (answer.status_code, "编织袋（条）" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["", "条", "3"], ("title", "no_title")),
        (["编织袋", "", "3"], ("measure", "no_unit")),
        (["编织袋", "条", "3.5"], ("quantity", "whole_number")),
        (["编织袋", "条", "很多"], ("quantity", "whole_number")),
        (["编织袋", "条", "9999999"], ("quantity", "whole_number")),
    ],
)
def test_a_row_of_stock_that_cannot_be_read_is_refused_by_its_column(worker, cells, why):
    batch = _check(worker, "stock", ["物资名称", "单位", "数量"], cells, ["雨衣", "件", "1"])
    assert (_codes(batch), batch.counts["new"]) == ([why], 1)


@pytest.mark.parametrize(
    ("kind", "lines", "model", "edit"),
    [
        ("staff", RENEWED, Staff, {"phone": "13600000006"}),
        ("teams", (["名称", "服务内容"], ["银龄互助队", "陪诊"]), VolunteerTeam, {"purpose": "巡逻"}),
        ("stock", (["名称", "单位", "存放地点"], ["编织袋", "条", "地下室"]), StockItem, {"place": "车棚"}),
    ],
)
def test_what_was_edited_since_the_check_is_not_overwritten(worker, kind, lines, model, edit):
    _take_in(worker, kind, *lines)
    with transaction():
        for name in edit:
            setattr(_all(model)[0], name, "13500000005" if name == "phone" else "原来的")
    batch = _check(worker, kind, *lines)
    assert batch.counts["changed"] == 1
    with transaction():
        for name, value in edit.items():
            setattr(_all(model)[0], name, value)
    answer = confirm(worker, batch)
    assert (answer.status_code, "请重新检查这一批" in answer.text) == (422, True)
    assert {name: getattr(_all(model)[0], name) for name in edit} == edit


@pytest.mark.parametrize(("kind", "field"), [("staff", "姓名"), ("teams", "名称"), ("stock", "名称")])
def test_a_register_without_its_key_column_is_not_checked(worker, kind, field):
    headers = {"staff": "岗位", "teams": "成立时间", "stock": "数量"}[kind]
    upload(worker, write_workbook([headers, "备注"], [["1", "2"]]), kind=kind)
    answer = worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert (answer.status_code, f"请选择哪一列是{field}" in answer.text) == (422, True)


def test_the_start_page_offers_every_kind(worker):
    page = worker.get(ADDRESS).text
    for words in ("服务队伍（含证书）", "志愿队", "物资库存"):
        assert words in page


def test_each_kind_of_register_has_words_and_columns(worker):
    assert all(imports.fields_of(kind) for kind in imports.KINDS)
    assert Field.EXPIRES_ON in imports.fields_of(ImportKind.STAFF)
    assert count(ImportRow) == 0


def test_stock_is_spoken_of_as_stock(worker):
    batch = _check(worker, "stock", ["物资名称", "单位", "数量", "供应商"], ["轮椅", "辆", "3", "某厂"])
    page = worker.get(f"{ADDRESS}/{batch.public_id}").text
    assert "这些列没有导入：供应商。" in page
    answer = confirm(worker, batch)
    page = worker.get(answer.location).text
    assert "已导入，现在可以在物资库存里找到。" in page
    assert "去物资库存" in page
    assert "去居民查询" not in page


@pytest.mark.parametrize("said", ["-5", "－5", "负5", "− 5"])
def test_a_quantity_below_nothing_is_told_so(worker, said):
    batch = _check(worker, "stock", ["物资名称", "单位", "数量"], ["轮椅", "辆", said])
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/refused").text
    assert "数量：不能是负数，应填 0 或更大的整数。" in page


def test_checking_staff_says_what_is_checked_of_staff(worker):
    assert "证书" in guiding.checks(ImportKind.STAFF)
    assert "身份证" not in guiding.checks(ImportKind.STAFF)
    assert "服务人员" in guiding.taken_in(ImportKind.STAFF)
