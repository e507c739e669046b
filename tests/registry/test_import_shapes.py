"""Registers as three more offices keep them, taken in by guessing alone; uploads cut off, or meeting another."""

import io
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa

from portal.core import engines, jobs
from portal.core.db import db
from portal.core.ids import Sex
from portal.registry.models import (
    BatchState,
    EmergencyContact,
    ImportBatch,
    Marriage,
    Registration,
    Relation,
    TagKind,
)
from portal.registry.service.imports import store
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    check,
    choices,
    count,
    files,
    latest,
    number,
    people,
    register,
    row,
    take_in,
    upload,
)


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _village() -> bytes:
    """A CSV in gb18030, one address column, a semicolon between cells, 是/否 for the registration."""
    lines = [
        "户编号;家庭成员;与户主的关系;公民身份号码;移动电话;详细地址;是否本地户籍;民族;特殊人群",
        f"001;王秀英;本人;{number(1)};13800000001;李家村12号;是;汉族;独居老人、退役军人",
        f"001;李建国;老伴;{number(2, man=True)};无;李家村12号;是;回;—",
        f"002;赵玉兰;户主;{number(3)};0512-65123456;李家村13号;否;土家族;",
    ]
    return "\r\n".join(lines).encode("gb18030")


def _street() -> bytes:
    """Two title rows, merged header cells, a hint row, totals and signatures at the end."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(["秋水街道常住人口登记表"])
    page.append(["填报单位：春风里社区", None, None, None, None, "2026年11月"])
    page.append(
        [
            "序号",
            "姓名*",
            "身份证号码",
            None,
            "联系方式",
            "住址",
            None,
            None,
            None,
            "人员类别",
            "紧急联系人",
            "紧急联系电话",
        ]
    )
    page.append([None, None, None, None, None, "小区", "楼号", "单元", "室号", None, None, None])
    page.append(
        ["", "必填", "必填，18位", "", "选填", "下拉选择", "填写数字", "填写数字", "填写数字", "用、隔开", "", ""]
    )
    page.append([1, "王秀英", number(1), None, "138-0000-0001", "梧桐苑", 6, 2, 301, "空巢", "李敏", "13700000001"])
    page.append([2, "李建国", number(2, man=True), None, None, "梧桐苑", 6, 2, 301, None, None, None])
    page.append(["合计", "2人"])
    page.append(["填表人：周洁", None, "负责人："])
    for area in ("A1:L1", "C3:D3", "F3:I3", "A3:A4", "B3:B4", "E3:E4", "J3:J4", "K3:K4", "L3:L4"):
        page.merge_cells(area)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _estate() -> bytes:
    """Synonyms everywhere, old numbers of 15 figures, days as a workbook counts them."""
    book = openpyxl.Workbook()
    page = book.active
    page.append(
        ["人员姓名", "男女", "证件号", "生日", "手机号码", "家庭户号", "家庭关系", "家庭住址", "所在网格", "户籍性质",
         "婚否", "入住时间", "忌口", "备注说明"]
    )  # fmt: skip
    old = "999901500505002"
    page.append(
        ["王秀英", "女", old, 18388, 13800000001, "A-1", "户主", "4-2-402", "第一网格", "本市户籍", "已婚", 43525,
         "少盐", "爱听戏"]
    )  # fmt: skip
    page.append(
        ["李建国", "男", number(2, "19480101", man=True), 17533, None, "A-1", "丈夫", "4-2-402", "第一网格", "外地",
         "已婚", None, "", ""]
    )  # fmt: skip
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_village_register_of_one_address_column_goes_in_by_guessing(worker):
    batch = take_in(worker, _village(), "实有人口.csv")
    assert (batch.counts["new"], batch.counts["refused"], batch.counts["flagged"]) == (3, 0, 0)
    first, second, third = people()
    assert [person.name for person in (first, second, third)] == ["王秀英", "李建国", "赵玉兰"]
    assert (first.relation, second.relation) == (Relation.HEAD, Relation.SPOUSE)
    assert first.household.dwelling.address() == "李家村 12"
    assert first.household_id == second.household_id != third.household_id
    assert [person.ethnicity for person in (first, second, third)] == ["01", "03", "15"]
    assert [person.registration for person in (first, third)] == [Registration.LOCAL, Registration.OUTSIDE]
    assert first.tag_kinds(date.max) == {TagKind.LIVING_ALONE, TagKind.VETERAN}
    assert (second.phone, third.phone) == (None, "0512-65123456")


def test_a_street_register_with_titles_merged_headers_hints_and_totals_goes_in_by_guessing(worker):
    batch = take_in(worker, _street())
    assert (batch.counts["new"], batch.counts["refused"], batch.counts["waiting"]) == (2, 0, 0)
    first, second = people()
    assert (first.name, first.phone) == ("王秀英", "13800000001")
    assert first.household.dwelling.address() == "梧桐苑 6号楼 2单元 301"
    assert first.household_id == second.household_id
    assert first.tag_kinds(date.max) == {TagKind.EMPTY_NEST}
    assert [contact.phone for contact in db.session.scalars(sa.select(EmergencyContact))] == ["13700000001"]


def test_an_estate_register_of_other_words_old_numbers_and_day_counts_goes_in_by_guessing(worker):
    batch = take_in(worker, _estate())
    assert (batch.counts["new"], batch.counts["refused"]) == (2, 0)
    first, second = people()
    assert (first.birth_date, first.sex, first.id_number[:17]) == (date(1950, 5, 5), Sex.FEMALE, "99990119500505002")
    assert first.flags == ["old_number"]
    assert (second.birth_date, second.flags) == (date(1948, 1, 1), [])
    assert (first.living_since, first.marriage) == (date(2019, 3, 1), Marriage.MARRIED)
    assert (first.household.number, first.note) == ("A-1", "爱听戏")
    assert first.household.dwelling.address() == "春风里社区 4号楼 2单元 402"
    assert first.registration is Registration.LOCAL


def test_while_a_register_of_the_community_is_checked_another_waits(worker, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda *_name, **_arguments: None)
    upload(worker, register(row()), "第一份.xlsx")
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    upload(worker, register(row(姓名="李敏", 身份证号=number(2))), "第二份.xlsx")
    answer = worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert answer.status_code == 422
    assert "“第一份.xlsx”正在检查" in answer.text
    assert latest().state is BatchState.UPLOADED


def test_another_community_does_not_wait(worker, make, client, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda *_name, **_arguments: None)
    upload(worker, register(row()))
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    other = make.community("秋水社区")
    stranger = client.sign_in(make.worker(scope=other))
    upload(stranger, register(row(姓名="李敏", 身份证号=number(2))), community=other.code)
    answer = stranger.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest()))
    assert answer.status_code == 303


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_an_upload_cut_off_half_way_is_a_sentence_and_leaves_nothing(worker, app, share):
    before = files(app)
    data = register(*(row(姓名="王秀英" * 5, 身份证号=number(order)) for order in range(1, 300)))
    answer = upload(worker, data[: int(len(data) * share)])
    assert answer.status_code == 422
    assert "损坏" in answer.text
    assert (count(ImportBatch), files(app)) == (0, before)


def test_a_disk_that_is_full_is_a_sentence_and_leaves_nothing(worker, app, monkeypatch):
    before = files(app)
    real = store._write

    def full(path, parts):
        if path.suffix == ".rows":
            path.write_bytes(b"half")
            raise OSError(28, "no space left")
        real(path, parts)

    monkeypatch.setattr(store, "_write", full)
    answer = upload(worker, register(row()))
    assert answer.status_code == 422
    assert "没有保存成功" in answer.text
    assert (count(ImportBatch), files(app)) == (0, before)


def test_the_file_is_sealed_before_the_write_lock_is_taken(worker, monkeypatch):
    real, writing = store.keep, []

    def watched(*arguments):
        writing.append(engines.writing.get())
        real(*arguments)

    monkeypatch.setattr(store, "keep", watched)
    assert upload(worker, register(row())).status_code == 303
    assert writing == [False]


def test_the_refused_rows_come_back_as_the_same_workbook_with_the_cell_marked(worker):
    batch = check(worker, register(row(身份证号=number(1)[:17]), row(姓名="李敏", 身份证号=number(2))))
    body = worker.post(f"{ADDRESS}/{batch.public_id}/refused").data
    page = openpyxl.load_workbook(io.BytesIO(body)).active
    assert [cell.value for cell in page[1]][-2:] == ["原因", "原表行号"]
    marked = page.cell(2, 3)
    assert marked.fill.fgColor.rgb.endswith("FFE08A")
    assert "18 位" in marked.comment.text
    assert page.cell(2, 18).value == "2"
