"""Importing the office's own register: exactly its figures, its pages, and the way back."""

import io
from collections import Counter

import openpyxl
import pytest
import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core.audit import AuditRow
from portal.core.db import db
from portal.registry.models import BatchState, Household, ImportBatch, ImportRow, Outcome, Person, PersonTag, Relation
from portal.registry.service import imports as service
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    REGISTER,
    check,
    choices,
    confirm,
    count,
    latest,
    register,
    row,
    staged,
    take_in,
    undo,
    upload,
)

FIGURES = {"new": 3168, "changed": 0, "unchanged": 0, "refused": 22, "waiting": 10, "flagged": 16}


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def test_the_register_gives_3168_people_22_refused_and_10_waiting(worker):
    batch = take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    assert batch.counts == FIGURES
    assert batch.state is BatchState.CONFIRMED
    assert count(Person) == 3168
    assert Counter(each.outcome for each in staged(batch)) == {
        Outcome.NEW: 3168,
        Outcome.REFUSED: 22,
        Outcome.WAITING: 10,
    }


def test_each_planted_flaw_of_the_register_is_refused_by_its_column_and_reason(worker):
    batch = check(worker, REGISTER.read_bytes(), REGISTER.name)
    refused = [each for each in staged(batch) if each.outcome is Outcome.REFUSED]
    reasons = Counter((why["field"], why["code"]) for each in refused for why in each.reasons)
    assert reasons == {
        ("id_number", "check_digit"): 8,
        ("id_number", "date"): 5,
        ("id_number", "length"): 5,
        ("name", "no_name"): 4,
    }
    assert {42, 1317, 2407, 2761} <= {each.row_number for each in refused}


def test_the_second_of_a_pair_waits_beside_the_first_which_is_stored(worker):
    batch = take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    waiting = {each.row_number: each for each in staged(batch) if each.outcome is Outcome.WAITING}
    assert (waiting[344].twin_row, waiting[735].twin_row) == (341, 730)
    assert Counter(each.reasons[0]["code"] for each in waiting.values()) == {"same_person": 6, "two_names": 4}
    firsts = sa.select(ImportRow.public_id).where(ImportRow.row_number == 341)
    assert db.session.scalar(sa.select(Person.name).where(Person.public_id == firsts.scalar_subquery())) == "顾宝"
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/waiting").text
    assert "先出现的第 730 行" in page
    assert page.index("万平刚") < page.index("莫颖")


def test_flagged_people_are_stored_with_what_is_to_be_completed(worker):
    take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    flags = Counter(flag for person in db.session.scalars(sa.select(Person)) for flag in person.flags)
    assert flags == {"phone_doubtful": 8, "sex_contradicts": 4, "no_number": 4}
    doubtful = db.session.scalars(sa.select(Person).where(Person.name == "袁龙鹏", Person.phone_index.is_(None))).one()
    assert doubtful.note == "登记表上的电话：电话不详"


def test_small_slips_are_normalised_in_silence(worker):
    take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    for name, number in (
        ("苏雪娟", "999901196502105647"),
        ("郭辉超", "99990119881015831X"),
        ("严德", "999901197312319657"),
    ):
        person = db.session.scalars(sa.select(Person).where(Person.name == name)).one()
        assert (person.id_number, person.flags) == (number, [])
    assert person.phone == "13201305685"


def test_households_homes_grids_tags_and_registration_come_with_the_people(worker, make):
    take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    assert (count(Household), count(Dwelling), count(Building), count(Estate)) == (1267, 1030, 18, 2)
    grids = sa.select(Area.code).where(Area.kind == AreaKind.GRID).order_by(Area.code)
    assert db.session.scalars(grids).all() == [f"{make.community().code}{order:03d}" for order in range(1, 7)]
    assert count(PersonTag) == 248
    person = db.session.scalars(sa.select(Person).where(Person.name == "郑仙丽")).one()
    assert person.household.dwelling.address() == "梧桐苑 15号楼 3单元 1502"
    assert (person.grid.name, person.relation) == ("第三网格", Relation.HEAD)
    assert person.household.dwelling.building.grid is person.grid
    assert person.registration_code == make.community().code[:9]
    assert person.id_number == "999901198401057286"


def test_households_whose_head_was_refused_are_shown_on_the_batch(worker):
    batch = take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    headless = service.households_without_head(batch)
    # Row 454, the head of H2100179, was refused; the others of the household were stored.
    assert "H2100179" in {one.number for one in headless}
    assert "H2100179" in worker.get(f"{ADDRESS}/{batch.public_id}").text


def test_the_same_register_again_is_all_unchanged(worker):
    take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    batch = check(worker, REGISTER.read_bytes(), REGISTER.name)
    assert batch.counts == {**FIGURES, "new": 0, "unchanged": 3168, "flagged": 0}
    page = worker.get(f"{ADDRESS}/{batch.public_id}").text
    assert "没有需要导入的内容" in page


def test_the_whole_register_can_be_undone(worker, make):
    batch = take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    assert undo(worker, batch).status_code == 303
    assert make.read(batch).state is BatchState.UNDONE
    left = [count(model) for model in (Person, PersonTag, Household, Dwelling, Building, Estate)]
    assert left == [0, 0, 0, 0, 0, 0]
    assert db.session.scalar(sa.select(sa.func.count()).where(Area.kind == AreaKind.GRID)) == 0


def test_refused_rows_come_back_as_a_workbook_with_their_reasons(worker):
    batch = check(worker, register(row(), row(姓名="", 身份证号="", 备注="=1+1"), row(姓名="李敏", 身份证号="1234")))
    answer = worker.post(f"{ADDRESS}/{batch.public_id}/refused")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    rows = list(sheet.iter_rows(min_row=2))
    assert [cell.value for cell in sheet[1]][-2:] == ["原因", "原表行号"]
    assert [(cells[-2].value, cells[-1].value) for cells in rows] == [
        ("姓名：没有填姓名。", "3"),
        ("身份证号（1*34）：应为 18 位，现在是 4 位。", "4"),
    ]
    assert (rows[0][15].value, rows[0][15].data_type) == ("=1+1", "s")
    assert rows[1][2].comment.text == "应为 18 位，现在是 4 位。"
    acts = db.session.scalars(sa.select(AuditRow.action).order_by(AuditRow.id)).all()
    assert acts[-1] == "registry.import_refusals_downloaded"


def test_the_pages_of_an_import_show_no_number_in_full(worker):
    # The test client refuses every answer with an unmasked number.
    answer = upload(worker, REGISTER.read_bytes(), REGISTER.name)
    assert "999901********7286" in worker.get(answer.headers["Location"]).text
    batch = check(worker, REGISTER.read_bytes(), REGISTER.name)
    for kind in FIGURES:
        assert worker.get(f"{ADDRESS}/{batch.public_id}/rows/{kind}").status_code == 200
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/new?after=3160").text
    assert "韦龘" in page
    assert "郑仙丽" not in page


def test_what_was_confirmed_is_audited_once_with_its_counts(worker):
    batch = take_in(worker, register(row(), row(姓名="")))
    confirm(worker, batch)
    rows = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.import_confirmed")).all()
    assert [(each.facts["new"], each.facts["refused"]) for each in rows] == [(1, 1)]


def test_a_confirmed_batch_pressed_again_without_its_key_is_refused_in_words(worker):
    batch = take_in(worker, register(row()))
    answer = worker.post(f"{ADDRESS}/{batch.public_id}/confirm", data={"idem": "another"})
    assert answer.status_code == 422
    assert "不在等待确认" in answer.text
    assert count(Person) == 1


def test_a_batch_of_another_community_is_not_there(worker, make, app):
    batch = check(worker, register(row()))
    elsewhere = make.community("秋水社区")
    stranger = app.test_client().sign_in(make.worker(scope=elsewhere))
    for path in ("", "/columns", "/progress", "/rows/new", "/undo"):
        assert stranger.get(f"{ADDRESS}/{batch.public_id}{path}").status_code == 404
    for path in ("/confirm", "/cancel", "/refused", "/columns", "/undo"):
        assert stranger.post(f"{ADDRESS}/{batch.public_id}{path}", data={"idem": "x"}).status_code == 404
    assert batch.filename not in stranger.get(ADDRESS).text
    assert make.read(batch).state is BatchState.CHECKED


def test_a_register_cannot_be_put_into_a_community_out_of_scope(worker, make):
    elsewhere = make.community("秋水社区")
    assert upload(worker, register(row()), community=elsewhere.code).status_code == 422
    assert count(ImportBatch) == 0


def test_the_columns_say_where_consents_are_recorded(worker):
    upload(worker, REGISTER.read_bytes(), REGISTER.name)
    assert "登记表不用带“同意”一栏" in worker.get(f"{ADDRESS}/{latest().public_id}/columns").text


def test_the_columns_chosen_are_remembered_for_the_next_file_with_these_headers(worker):
    data = register(row(备注="爱听戏"))
    upload(worker, data)
    worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest(), note=-1, diet=15))
    assert latest().state is BatchState.CHECKED
    upload(worker, data)
    assert latest().columns["diet"] == 15
    assert "note" not in latest().columns


def test_a_column_used_twice_and_a_missing_name_are_refused_beside_the_field(worker):
    upload(worker, register(row()))
    batch = latest()
    answer = worker.post(f"{ADDRESS}/{batch.public_id}/columns", data=choices(batch, name=-1))
    assert answer.status_code == 422
    assert "没有姓名不能导入" in answer.text
    answer = worker.post(f"{ADDRESS}/{batch.public_id}/columns", data=choices(batch, note=0))
    assert answer.status_code == 422
    assert "这一列已经用在别的项目上" in answer.text
    assert latest().state is BatchState.UPLOADED


def test_the_eleventh_upload_within_an_hour_is_asked_to_wait(worker):
    answers = [upload(worker, b"nothing") for _time in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]


def _queries(client: Client, path: str) -> int:
    said: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        said.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get(path).status_code == 200
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len([statement for statement in said if statement.lstrip().startswith("SELECT")])


def test_the_lists_ask_as_often_for_fifty_rows_as_for_one(worker):
    small = take_in(worker, register(row(), row(), row(姓名="")))
    few = {kind: _queries(worker, f"{ADDRESS}/{small.public_id}/rows/{kind}") for kind in FIGURES}
    large = check(worker, REGISTER.read_bytes(), REGISTER.name)
    many = {kind: _queries(worker, f"{ADDRESS}/{large.public_id}/rows/{kind}") for kind in FIGURES}
    assert many == few
    assert max(many.values()) <= 8
    assert _queries(worker, ADDRESS) <= 8
