"""A register against the people known already: what differs, what waits, and taking it all back."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.registry.models import (
    BatchState,
    Diet,
    Household,
    Outcome,
    Person,
    PersonState,
    PersonTag,
    Registration,
    TagKind,
)
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
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


def _differences(of) -> list[str]:
    return sorted(json.loads(staged(of)[0].changes or "{}"))


def test_a_changed_phone_is_a_difference_applied_and_undone(worker):
    take_in(worker, register(row()))
    before = people()[0]
    index = before.phone_index
    batch = check(worker, register(row(联系电话="13900000009")))
    assert (batch.counts["changed"], batch.counts["new"]) == (1, 0)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/changed").text
    assert "联系电话：138****0001 → 139****0009" in page
    confirm(worker, batch)
    (person,) = people()
    assert (person.phone, person.public_id) == ("13900000009", before.public_id)
    assert undo(worker, batch).status_code == 303
    assert (people()[0].phone, people()[0].phone_index) == ("13800000001", index)


def test_every_field_that_differs_is_named_and_taken_over(worker):
    take_in(worker, register(row()))
    batch = take_in(
        worker,
        register(
            row(
                与户主关系="配偶",
                户号="H2",
                户籍="外地户籍",
                人员标签="低保",
                饮食要求="软食",
                备注="爱听戏",
                网格="第二网格",
            )
        ),
    )
    assert _differences(batch) == ["diet", "grid", "household_number", "note", "registration", "relation", "tags"]
    (person,) = people()
    assert (person.household.number, person.grid.name, person.note) == ("H2", "第二网格", "爱听戏")
    assert (person.registration, person.registration_code) == (Registration.OUTSIDE, "")
    assert person.diets() == {Diet.SOFT}
    # A register names few tags: one it leaves out still holds.
    assert {tag.kind for tag in person.tags} == {TagKind.LIVING_ALONE, TagKind.LOW_INCOME}
    undo(worker, batch)
    (person,) = people()
    assert (person.household.number, person.grid.name, person.note) == ("H1", "第一网格", None)
    assert [tag.kind for tag in person.tags] == [TagKind.LIVING_ALONE]
    assert db.session.scalars(sa.select(Household.number)).all() == ["H1"]


def test_empty_cells_erase_nothing(worker):
    take_in(worker, register(row(备注="爱听戏")))
    empty = dict.fromkeys(("联系电话", "户号", "与户主关系", "小区", "楼栋", "单元", "房号", "网格", "户籍"), "")
    batch = check(worker, register(row(**empty, 人员标签="", 饮食要求="", 备注="", 出生日期="", 性别="")))
    assert batch.counts["unchanged"] == 1


def test_a_household_that_moved_lives_at_the_new_address_until_it_is_undone(worker):
    take_in(worker, register(row(), row(姓名="李敏", 身份证号=number(2))))
    batch = take_in(worker, register(row(房号="502"), row(姓名="李敏", 身份证号=number(2), 房号="502")))
    assert batch.counts["changed"] == 2
    assert {person.household.dwelling.room for person in people()} == {"502"}
    undo(worker, batch)
    assert {person.household.dwelling.room for person in people()} == {"301"}


def test_a_number_completed_later_finds_the_same_person(worker):
    take_in(worker, register(row(身份证号="")))
    batch = take_in(worker, register(row()))
    assert (batch.counts["changed"], batch.counts["new"]) == (1, 0)
    (person,) = people()
    assert (person.id_number, person.flags) == (number(1), [])


def test_what_a_worker_mended_is_not_flagged_again_by_the_old_register(worker):
    old = register(row(联系电话="电话不详"))
    take_in(worker, old)
    take_in(worker, register(row(联系电话="13900000009")))
    assert people()[0].flags == []
    assert check(worker, old).counts["unchanged"] == 1


def test_a_person_of_another_community_waits_and_is_neither_shown_nor_touched(worker, make):
    elsewhere = make.person("赵玉兰", community=make.community("秋水社区"), id_number=number(1), phone="13700000007")
    batch = take_in(worker, register(row(姓名="王秀英"), row(姓名="李敏", 身份证号=number(2))))
    assert (batch.counts["waiting"], batch.counts["new"]) == (1, 1)
    page = worker.get(f"{ADDRESS}/{batch.public_id}/rows/waiting").text
    assert "已登记在别的社区" in page
    assert "赵玉兰" not in page
    assert (make.read(elsewhere).name, elsewhere.phone) == ("赵玉兰", "13700000007")


@pytest.mark.parametrize(
    ("name", "state", "code"),
    [("李敏", PersonState.PRESENT, "name_differs"), ("王秀英", PersonState.DEAD, "gone")],
)
def test_a_known_number_with_another_name_and_a_dead_person_wait(worker, make, name, state, code):
    make.person(name, id_number=number(1), state=state)
    batch = check(worker, register(row()))
    assert [why["code"] for why in staged(batch)[0].reasons] == [code]
    assert "登记库里" in worker.get(f"{ADDRESS}/{batch.public_id}/rows/waiting").text


def test_a_merged_person_waits(worker, make):
    make.person("王秀英", id_number=number(1), merged_into_id=make.person("王秀瑛").id)
    batch = check(worker, register(row()))
    assert staged(batch)[0].reasons == [{"code": "merged"}]


def test_what_changed_between_check_and_confirm_must_be_checked_again(worker, make):
    take_in(worker, register(row()))
    batch = check(worker, register(row(联系电话="13900000009")))
    with transaction() as session:
        session.execute(sa.update(Person).values(phone="13600000006", updated_at=now()))
    answer = confirm(worker, batch)
    assert answer.status_code == 422
    assert "请重新检查" in answer.text
    assert people()[0].phone == "13600000006"
    assert make.read(batch).state is BatchState.CHECKED


def test_two_batches_of_one_file_cannot_both_be_confirmed(worker):
    data = register(row(身份证号=""))
    first, second = check(worker, data), check(worker, data)
    assert confirm(worker, first).status_code == 303
    assert confirm(worker, second).status_code == 422
    assert count(Person) == 1


def test_a_confirm_that_breaks_stores_nobody(worker, make):
    batch = check(worker, register(row(), row(姓名="李敏", 身份证号=number(2))))
    # Somebody is registered under the second number behind the import's back.
    make.person("李敏", id_number=number(2))
    assert confirm(worker, batch).status_code == 422
    assert [person.name for person in people()] == ["李敏"]
    assert count(Household) == 0
    assert latest().state is BatchState.CHECKED


def test_a_batch_whose_people_are_used_cannot_be_undone(worker, make):
    batch = take_in(worker, register(row(), row(姓名="李敏", 身份证号=number(2))))
    make.resident(people()[0])
    answer = undo(worker, batch)
    assert answer.status_code == 422
    assert "这一批里有 1 人已经被使用或修改过" in answer.text
    assert count(Person) == 2


@pytest.mark.parametrize("how", ["edited", "tagged"])
def test_a_batch_whose_people_were_changed_since_cannot_be_undone(worker, make, how):
    batch = take_in(worker, register(row()))
    (person,) = people()
    with transaction() as session:
        if how == "edited":
            session.execute(sa.update(Person).values(updated_at=now() + timedelta(seconds=1)))
        else:
            session.add(PersonTag(person_id=person.id, kind=TagKind.BEREAVED, since=now().date(), source="走访"))
    assert undo(worker, batch).status_code == 422
    assert make.read(batch).state is BatchState.CONFIRMED


def test_undoing_keeps_homes_in_which_others_live(worker, make):
    batch = take_in(worker, register(row()))
    (person,) = people()
    other = make.person("邻居")
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == other.id).values(household_id=person.household_id))
    assert undo(worker, batch).status_code == 303
    assert count(Household) == 1
    assert make.read(other).household.dwelling.room == "301"


def test_undoing_asks_for_a_reason_and_only_once(worker):
    batch = take_in(worker, register(row()))
    assert undo(worker, batch, reason="").status_code == 422
    assert undo(worker, batch).status_code == 303
    assert undo(worker, batch).status_code == 422
    assert count(Person) == 0


def test_undoing_asks_for_the_password_again(worker, make):
    batch = take_in(worker, register(row()))
    with transaction() as session:
        session.execute(sa.text("update signed_session set authenticated_at = '2020-01-01 00:00:00+00'"))
    answer = undo(worker, batch)
    assert "confirm" in answer.headers["Location"]
    assert count(Person) == 1


def test_new_people_join_a_household_that_is_there(worker):
    take_in(worker, register(row()))
    take_in(worker, register(row(姓名="李敏", 身份证号=number(2), 与户主关系="子女")))
    assert len({person.household_id for person in people()}) == 1
    assert [each.outcome for each in staged(latest())] == [Outcome.NEW]
