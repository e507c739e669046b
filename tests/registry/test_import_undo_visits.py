"""Undoing an import after the visits list was made: what made itself goes too, what somebody did holds the batch."""

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.registry.models import Person
from portal.visits.models import CareSpell, CareSubject, Consent, Method, Visit, VisitState
from tests.client import Client
from tests.make import Make
from tests.registry.registers import count, number, people, register, row, take_in, undo
from tests.visits import stand

TWO = register(row(出生日期="1940-05-05", 身份证号=number(1, "19400505")), row(姓名="赵玉兰", 身份证号=number(2)))


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _listed(worker: Client, make: Make):
    stand.tables_set(make)
    batch = take_in(worker, TWO)
    assert stand.planned(make.community())
    return batch


def test_an_import_whose_people_are_only_planned_for_visits_is_undone(worker, make):
    batch = _listed(worker, make)
    answer = undo(worker, batch)
    assert answer.status_code == 303, answer.text
    assert [count(model) for model in (Person, CareSubject, CareSpell, Visit)] == [0, 0, 0, 0]


def test_a_begun_visit_holds_the_batch_and_its_person_is_named(worker, make):
    batch = _listed(worker, make)
    before = count(Visit)
    with transaction() as session:
        first = people()[0].id
        session.execute(sa.update(Visit).where(Visit.person_id == first).values(state=VisitState.DRAFT))
    answer = undo(worker, batch)
    assert answer.status_code == 422
    assert "这一批里有 1 人" in answer.text
    assert "不能整批撤销：王秀英。" in answer.text
    db.session.rollback()
    assert (count(Person), count(Visit)) == (2, before)


def test_a_wish_holds_the_batch(worker, make):
    batch = _listed(worker, make)
    with transaction() as session:
        session.execute(sa.update(CareSubject).values(consent=Consent.AGREED, method=Method.PHONE))
    assert undo(worker, batch).status_code == 422
    assert count(CareSubject) == 2
