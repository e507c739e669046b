"""Waiting rows: two records side by side, decided before or after the batch is confirmed, and never asked again."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import jobs
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.ids import Sex
from portal.registry.models import (
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    PersonChange,
    PersonState,
    RowVerdict,
    Source,
    TwinPair,
    TwinState,
    Verdict,
)
from portal.registry.service import changes, imports, twins
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    REGISTER,
    check,
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
)


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


TWICE = register(row(), row(联系电话="13900000009", 备注="耳背"))


def _page(of, order: int = 3) -> str:
    return f"{ADDRESS}/{of.public_id}/waiting/{order}"


def _say(worker: Client, of, verdict: str, order: int = 3, **chosen: str):
    return worker.post(_page(of, order), data={"verdict": verdict, **chosen})


def _scope(make: Make) -> list[Scope]:
    return [Scope("community", make.community().code)]


def test_two_rows_stand_side_by_side_field_by_field(worker):
    batch = check(worker, TWICE)
    page = worker.get(_page(batch)).text
    assert "先出现的第 2 行" in page
    assert "138****0001" in page
    assert "139****0009" in page
    assert 'name="phone"' in page
    assert 'name="sex"' not in page


@pytest.mark.parametrize("confirmed_first", [True, False])
def test_the_same_person_takes_the_chosen_values(worker, make, confirmed_first):
    batch = check(worker, TWICE)
    if confirmed_first:
        confirm(worker, batch)
    assert _say(worker, batch, "same", phone="row").status_code == 303
    if not confirmed_first:
        assert people() == []
        confirm(worker, batch)
    (person,) = people()
    assert (person.phone, person.note) == ("13900000009", "耳背")
    assert (latest().counts["waiting"], latest().counts["changed"]) == (0, 1)
    assert {change.field for change in changes.history(person)} == {"phone", "note"}
    assert twins.waiting(_scope(make)) == 0


def test_the_same_person_may_keep_everything(worker):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "same", phone="stays")
    assert people()[0].phone == "13800000001"


@pytest.mark.parametrize("confirmed_first", [True, False])
def test_a_different_person_is_new_and_does_not_take_the_number(worker, confirmed_first):
    batch = check(worker, register(row(), row(姓名="赵玉兰")))
    if confirmed_first:
        confirm(worker, batch)
    _say(worker, batch, "different")
    if not confirmed_first:
        confirm(worker, batch)
    first, second = people()
    assert (first.name, first.id_number) == ("王秀英", number(1))
    assert (second.name, second.id_number, second.flags) == ("赵玉兰", None, ["no_number"])
    assert "与别人相同" in (second.note or "")
    assert number(1) not in (second.note or "")


@pytest.mark.parametrize("confirmed_first", [True, False])
def test_another_person_is_not_asked_about_again_as_a_double(worker, make, confirmed_first):
    batch = check(worker, TWICE)
    if confirmed_first:
        confirm(worker, batch)
    _say(worker, batch, "different")
    if not confirmed_first:
        confirm(worker, batch)
    assert imports.counts(latest())["alike"] == 0
    assert imports.rows(latest(), "alike") == []
    twins.seek(make.community().id)
    assert twins.waiting(_scope(make)) == 0
    assert undo(worker, latest()).status_code == 303
    assert (count(Person), count(TwinPair)) == (0, 0)


def test_another_person_than_somebody_known_is_told_apart(worker, make):
    make.person("赵玉兰", id_number=number(1), phone="13800000001")
    batch = take_in(worker, register(row(姓名="赵玉蓝")))
    _say(worker, batch, "different", 2)
    twins.seek(make.community().id)
    assert twins.waiting(_scope(make)) == 0
    assert [pair.state for pair in db.session.scalars(sa.select(TwinPair))] == [TwinState.APART]


def test_a_row_that_nobody_wants_stores_nobody(worker, make):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "dropped")
    assert count(Person) == 1
    assert twins.waiting(_scope(make)) == 0


def test_later_leaves_the_row_in_the_queue(worker, make):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "later")
    assert twins.waiting(_scope(make)) == 1
    assert "以后再说" in worker.get("/desk/people/twins").text


@pytest.mark.parametrize("verdict", ["same", "different", "dropped"])
def test_the_same_row_of_a_later_file_is_not_asked_about_again(worker, verdict):
    batch = take_in(worker, TWICE)
    _say(worker, batch, verdict)
    again = check(worker, TWICE)
    assert again.counts["waiting"] == 0
    assert [each.outcome for each in staged(again)][1] is Outcome.UNCHANGED


def test_a_known_number_under_another_name_is_decided_against_the_register(worker, make):
    known = make.person("赵玉兰", id_number=number(1), phone="")
    batch = check(worker, register(row()))
    page = worker.get(_page(batch, 2)).text
    assert "登记库里" in page
    assert "赵玉兰" in page
    assert _say(worker, batch, "same", 2, name="row").status_code == 303
    confirm(worker, batch)
    known = make.read(known)
    assert (known.name, known.pinyin, known.phone) == ("王秀英", "wang xiu ying", "13800000001")
    row_of = db.session.scalars(sa.select(PersonChange)).one()
    assert (row_of.source, row_of.ref, row_of.version) == (Source.IMPORT, batch.public_id, known.version)


def test_somebody_of_another_community_is_never_changed(worker, make):
    elsewhere = make.person("赵玉兰", community=make.community("秋水社区"), id_number=number(1))
    batch = check(worker, register(row()))
    page = worker.get(_page(batch, 2)).text
    assert "赵玉兰" not in page
    assert 'value="same"' not in page
    assert _say(worker, batch, "same", 2).status_code == 422
    assert make.read(elsewhere).name == "赵玉兰"


def test_the_dead_are_not_changed_by_a_register(worker, make):
    make.person("王秀英", id_number=number(1), state=PersonState.DEAD)
    batch = check(worker, register(row()))
    answer = _say(worker, batch, "same", 2)
    assert (answer.status_code, "已去世" in answer.text) == (422, True)


def test_one_of_several_may_be_chosen(worker, make):
    for _order in (1, 2):
        person = make.person("王秀英", phone="")
        with transaction() as session:
            session.execute(sa.update(Person).where(Person.id == person.id).values(id_number=None, id_index=None))
    first, second = people()
    batch = check(worker, register(row(身份证号="", 户号="", 小区="", 楼栋="", 单元="", 房号="")))
    assert batch.counts["waiting"] == 1
    page = _page(batch, 2)
    assert second.public_id in worker.get(page).text
    worker.post(f"{page}?with={second.public_id}", data={"verdict": "same"})
    confirm(worker, batch)
    assert [make.read(each).phone for each in (first, second)] == [None, "13800000001"]


def test_an_unknown_answer_is_refused(worker):
    batch = check(worker, TWICE)
    assert _say(worker, batch, "whatever").status_code == 422
    assert _say(worker, batch, "").status_code == 422


@pytest.mark.parametrize("verdict", ["same", "different"])
@pytest.mark.parametrize("confirmed_first", [True, False])
def test_a_batch_with_decided_rows_is_undone_as_a_whole(worker, verdict, confirmed_first):
    take_in(worker, register(row(姓名="李敏", 身份证号=number(2), 联系电话="13600000006")))
    batch = check(worker, register(row(姓名="李敏儿", 身份证号=number(2))))
    if confirmed_first:
        confirm(worker, batch)
    _say(worker, batch, verdict, 2, name="row", phone="row")
    if not confirmed_first:
        confirm(worker, batch)
    assert len(people()) == (1 if verdict == "same" else 2)
    assert undo(worker, batch).status_code == 303, undo(worker, batch).text
    (person,) = people()
    assert (person.name, person.phone) == ("李敏", "13600000006")
    assert count(RowVerdict) == 0
    told = [change for change in changes.history(person) if change.row.ref == batch.public_id]
    assert len(told) == (4 if verdict == "same" else 0)


def test_whoever_changed_the_person_afterwards_keeps_the_batch_from_being_undone(worker):
    batch = take_in(worker, TWICE)
    (person,) = people()
    with transaction(), changes.changing(db.session.get_one(Person, person.id), Source.WORKER):
        db.session.get_one(Person, person.id).phone = "13600000006"
    _say(worker, batch, "same", phone="row")
    assert undo(worker, batch).status_code == 422


def test_waiting_rows_outlive_the_week_after_which_the_others_go(worker, app, make):
    batch = take_in(worker, TWICE)
    for days, left in ((8, 1), (91, 0)):
        with transaction() as session:
            session.execute(sa.update(ImportBatch).values(ended_at=now() - timedelta(days=days)))
        jobs.of(app).works["registry.purge_imports"]()
        assert count(ImportRow) == left
        if left:
            assert worker.get(_page(batch)).status_code == 200


def test_a_worker_of_another_community_opens_no_row(client, make):
    make.community()
    batch = check(client.sign_in(make.worker()), TWICE)
    stranger = client.sign_in(make.worker(scope=make.community("秋水社区")))
    assert stranger.get(_page(batch)).status_code == 404
    assert _say(stranger, batch, "dropped").status_code == 404


def test_the_ten_waiting_rows_of_the_register_are_all_decided(worker, make):
    batch = take_in(worker, REGISTER.read_bytes(), REGISTER.name)
    waiting = [each.row_number for each in staged(batch) if each.outcome is Outcome.WAITING]
    assert len(waiting) == twins.waiting(_scope(make)) - twins.waiting_pairs(_scope(make)) == 10
    for order in waiting:
        assert worker.get(_page(batch, order)).status_code == 200
        assert _say(worker, batch, "same", order).status_code == 303
    assert latest().counts["waiting"] == 0
    assert count(Person) == 3168
    rows = db.session.scalars(sa.select(PersonChange)).all()
    assert {row.source for row in rows} <= {Source.IMPORT}
    assert all(json.loads(row.changes) is not None for row in rows)
    assert {each.verdict for each in staged(batch) if each.row_number in waiting} == {Verdict.SAME}


def test_new_rows_alike_somebody_are_listed_with_their_score_and_go_in_all_the_same(worker, make):
    make.person("王秀英", phone="13800000001")
    batch = check(
        worker,
        register(
            row(姓名="王秀瑛", 身份证号="", 户号="H8"),
            row(姓名="李建国", 身份证号=number(5), 户号="H9", 联系电话=""),
            row(姓名="李建国", 身份证号="", 户号="H10", 联系电话=""),
        ),
    )
    assert (batch.counts["new"], batch.counts["waiting"]) == (3, 0)
    preview = worker.get(f"{ADDRESS}/{batch.public_id}").text
    assert "疑似重复" in preview
    listed = worker.get(f"{ADDRESS}/{batch.public_id}/rows/alike").text
    assert "与登记库里的王秀英相像 80 分（姓名同音、出生日期相同、电话相同）" in listed
    assert "与第 3 行相像" in listed
    confirm(worker, batch)
    assert count(Person) == 4
    assert twins.waiting_pairs(_scope(make)) == 2


def test_a_register_in_which_everybody_has_a_number_is_alike_nobody(worker):
    batch = check(worker, register(row(), row(姓名="王秀瑛", 身份证号=number(2))))
    assert not any(each.reasons for each in staged(batch))


@pytest.mark.parametrize("confirmed_first", [True, False])
def test_another_person_under_a_number_keeps_the_sex_and_birth_date_of_the_row(worker, confirmed_first):
    wan = row(姓名="万平刚", 性别="男", 出生日期="2006-03-10")
    batch = check(worker, register(row(), wan))
    page = worker.get(_page(batch)).text
    assert 'name="sex"' in page
    assert "2006-03-10" in page
    if confirmed_first:
        confirm(worker, batch)
    _say(worker, batch, "different")
    if not confirmed_first:
        confirm(worker, batch)
    second = people()[1]
    assert (second.name, second.sex, str(second.birth_date)) == ("万平刚", Sex.MALE, "2006-03-10")
    assert (second.id_number, second.flags) == (None, ["no_number"])


def test_a_row_under_a_known_persons_number_keeps_its_own_sex(worker, make):
    make.person("赵玉兰", id_number=number(1), phone="")
    batch = take_in(worker, register(row(姓名="万平刚", 性别="男", 出生日期="2006-03-10")))
    _say(worker, batch, "different", 2)
    assert [(each.sex, str(each.birth_date)) for each in people()[1:]] == [(Sex.MALE, "2006-03-10")]


def test_the_rows_of_an_unconfirmed_batch_are_decided_from_its_own_page(worker, make):
    take_in(worker, TWICE)
    again = check(worker, TWICE)
    assert twins.waiting(_scope(make)) == 1
    assert again.public_id not in worker.get("/desk/people/twins").text
    assert f"{again.public_id}/waiting/3" in worker.get(f"{ADDRESS}/{again.public_id}/rows/waiting").text
    assert _say(worker, again, "later").location.endswith(f"{again.public_id}/rows/waiting")


def test_a_decided_row_waits_no_more_and_is_listed_with_what_was_decided(worker):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "dropped")
    counted = imports.counts(latest())
    assert (counted["waiting"], counted["decided"]) == (0, 1)
    assert "不导入" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/decided").text
    assert "这里没有内容" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/waiting").text


def test_a_row_put_off_after_all_waits_again(worker, make):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "dropped")
    _say(worker, batch, "later")
    assert (imports.counts(latest())["waiting"], twins.waiting(_scope(make))) == (1, 1)
    assert check(worker, TWICE).counts["waiting"] == 1


def test_a_merged_row_says_afterwards_what_became_of_it(worker):
    batch = take_in(worker, TWICE)
    _say(worker, batch, "same", phone="row")
    page = worker.get(_page(batch))
    assert page.status_code == 200
    assert "同一个人" in page.text
    assert "139****0009" in page.text
    assert people()[0].public_id in page.text
    assert f"{batch.public_id}/waiting/3" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/decided").text


def test_a_row_decided_in_another_file_meanwhile_is_not_asked_about_again(worker, make):
    batch = take_in(worker, TWICE)
    again = check(worker, register(row(备注="新"), row(联系电话="13900000009", 备注="耳背")))
    _say(worker, batch, "dropped")
    assert again.counts["waiting"] == 1
    confirm(worker, again)
    assert (imports.counts(latest())["waiting"], twins.waiting(_scope(make))) == (0, 0)


def test_beside_an_unchanged_row_stands_the_person_of_the_register(worker):
    take_in(worker, register(row()))
    batch = check(worker, TWICE)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/waiting").text
    assert "登记库里" in page
    assert "138****0001" in page
    assert "先出现的第 2 行" not in page


def test_both_addresses_are_shown(worker):
    take_in(worker, register(row()))
    batch = check(worker, register(row(), row(房号="302", 户号="H2")))
    page = worker.get(_page(batch)).text
    assert "梧桐苑 6号楼 2单元 301" in page
    assert "梧桐苑 6号楼 2单元 302" in page
