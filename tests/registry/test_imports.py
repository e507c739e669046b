"""Importing a register: the whole workbook with exactly its figures, each planted flaw, and what comes after."""

import io
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask

from portal.areas.models import Area, AreaKind, Dwelling
from portal.core.audit import AuditRow
from portal.core.db import db
from portal.registry.models import BatchState, Household, ImportBatch, ImportRow, Outcome, Person, PersonTag
from portal.registry.service import imports as service
from tests.client import Client
from tests.make import Make

REGISTER = Path(__file__).parent.parent / "data" / "居民登记表-春风里社区.xlsx"


def _upload(client: Client, data: bytes, name: str = REGISTER.name, **fields: str):
    return client.post("/desk/people/imports", data={"file": (io.BytesIO(data), name), **fields})


def _batch() -> ImportBatch:
    return db.session.scalars(sa.select(ImportBatch).order_by(ImportBatch.id.desc())).first()


def _choices(batch: ImportBatch, **changed: int) -> dict[str, int]:
    return {field.value: {**batch.columns, **changed}.get(field.value, -1) for field in service.Field}


def _count(what: object) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(what))


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def test_the_whole_register_gives_exactly_its_figures(worker, make):
    answer = _upload(worker, REGISTER.read_bytes(), community=make.community().code)
    batch = _batch()
    assert answer.headers["Location"].endswith(f"/imports/{batch.public_id}/columns")
    worker.get(answer.headers["Location"])
    answer = worker.post(f"/desk/people/imports/{batch.public_id}/columns", data=_choices(batch))
    assert answer.status_code == 303, answer.text
    make.read(batch)
    assert batch.error == ""
    print(batch.counts)
    answer = worker.get(f"/desk/people/imports/{batch.public_id}")
    for kind in ("new", "changed", "unchanged", "refused", "waiting", "flagged"):
        assert worker.get(f"/desk/people/imports/{batch.public_id}/rows/{kind}").status_code == 200
    answer = worker.post(f"/desk/people/imports/{batch.public_id}/confirm", data={"idem": "k1"})
    assert answer.status_code == 303, answer.text
    make.read(batch)
    print(_count(Person), _count(Household), _count(Dwelling), _count(PersonTag), batch.made)
    answer = worker.get(f"/desk/people/imports/{batch.public_id}")
    answer = worker.post(f"/desk/people/imports/{batch.public_id}/undo", data={"reason": "传错了文件"})
    assert answer.status_code == 303, answer.text
    print(_count(Person), _count(Household), _count(Dwelling), _count(PersonTag), _count(Area))
    assert 0
