"""Undoing an import after somebody only looked at its people: a list of who was in an export holds nobody."""

import pytest
import sqlalchemy as sa

from portal.core.db import transaction
from portal.registry.models import Export, ExportPerson, Household, Person
from portal.visits.models import CareSubject, Consent, Method
from tests.client import Client
from tests.make import Make
from tests.registry.registers import ADDRESS, count, number, people, register, row, take_in, undo
from tests.visits import stand

TWO = register(row(出生日期="1940-05-05", 身份证号=number(1, "19400505")), row(姓名="赵玉兰", 身份证号=number(2)))


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def test_a_masked_export_of_people_does_not_hold_the_batch(worker):
    batch = take_in(worker, TWO)
    said = {"columns": ["name", "phone"], "way": "masked", "reason": "核对高龄津贴"}
    assert worker.post("/desk/people/exports/new", data=said).status_code == 303
    assert count(ExportPerson) == 2
    answer = undo(worker, batch)
    assert answer.status_code == 303, answer.text
    assert (count(Person), count(ExportPerson), count(Export)) == (0, 0, 1)


def test_a_masked_export_of_households_does_not_hold_the_batch(worker):
    batch = take_in(worker, TWO)
    said = {"way": "masked", "reason": "入户核对", "idem": "k1"}
    assert worker.post("/desk/people/households/export?", data=said).status_code == 303
    assert count(ExportPerson) == 1
    answer = undo(worker, batch)
    assert answer.status_code == 303, answer.text
    assert (count(Person), count(Household), count(ExportPerson)) == (0, 0, 0)


def test_one_decision_is_taken_back_though_its_person_was_exported(worker):
    batch = take_in(worker, register(row(), row(联系电话="13900000009")))
    assert worker.post(f"{ADDRESS}/{batch.public_id}/waiting/3", data={"verdict": "different"}).status_code == 303
    said = {"columns": ["name"], "way": "masked", "reason": "核对高龄津贴"}
    assert worker.post("/desk/people/exports/new", data=said).status_code == 303
    answer = worker.post(f"{ADDRESS}/{batch.public_id}/waiting/3/back", data={"reason": "看错了"})
    assert answer.status_code == 303, answer.text
    assert (count(Person), count(ExportPerson)) == (1, 1)


def test_a_refusal_says_what_holds_the_batch_and_links_each_person(worker, make):
    batch = take_in(worker, TWO)
    stand.tables_set(make)
    assert stand.planned(make.community())
    first, second = people()
    with transaction() as session:
        wish = sa.update(CareSubject).where(CareSubject.person_id == second.id)
        session.execute(wish.values(consent=Consent.AGREED, method=Method.PHONE))
    contact = {"name": "李强", "phone": "13900000005", "relation": "儿子"}
    assert worker.post(f"/desk/people/{first.public_id}/contacts", data=contact).status_code == 303
    answer = undo(worker, batch)
    assert answer.status_code == 422
    assert "这一批里有 2 人已经被使用或修改过（改资料、探访），不能整批撤销：王秀英、赵玉兰。" in answer.text
    assert f"/desk/people/{second.public_id}" in answer.text
