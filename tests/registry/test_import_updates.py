"""An update of some columns: a cell that nobody can read comes back, and nothing else is written in its place."""

import pytest

from portal.core.sheets import write_workbook
from portal.registry.models import ImportBatch
from tests.client import Client
from tests.make import Make
from tests.registry.registers import (
    ADDRESS,
    choices,
    confirm,
    latest,
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


def _check(worker: Client, headers: list[str], cells: list[str]) -> ImportBatch:
    assert upload(worker, write_workbook(headers, [cells]), kind="update").status_code == 303
    assert worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=choices(latest())).status_code == 303
    return latest()


@pytest.mark.parametrize(
    ("header", "said", "code"),
    [
        ("手机", "12", "phone"),
        ("户籍", "火星", "unread"),
        ("人员标签", "爱唱歌", "unread"),
        ("文化程度", "私塾", "unread"),
    ],
)
def test_an_update_refuses_a_cell_it_cannot_read_and_leaves_the_note_alone(worker, header, said, code):
    take_in(worker, register(row(备注="爱听戏")))
    batch = _check(worker, ["身份证号", header], [number(1), said])
    confirm(worker, batch)
    assert [why["code"] for why in staged(batch)[0].reasons] == [code]
    assert people()[0].note == "爱听戏"


def test_an_update_by_a_wrong_number_has_that_one_reason(worker):
    take_in(worker, register(row()))
    batch = _check(worker, ["身份证号", "手机"], [number(1)[:-1], "13900000009"])
    assert [why["code"] for why in staged(batch)[0].reasons] == ["length"]


def test_an_update_offers_no_column_for_a_guardian_says_where_and_leaves_the_note_alone(worker):
    """A name alone cannot be held to who may be a guardian: it would only be written into the note."""
    take_in(worker, register(row(备注="爱听戏")))
    headers, cells = ["身份证号", "监护人", "手机"], [number(1), "李敏", "13900000009"]
    assert upload(worker, write_workbook(headers, [cells]), kind="update").status_code == 303
    page = worker.get(f"{ADDRESS}/{latest().public_id}/columns").text
    assert 'name="guardian"' not in page
    assert "监护人不能用表更新" in page
    chosen = {**choices(latest()), "guardian": "1"}
    assert worker.post(f"{ADDRESS}/{latest().public_id}/columns", data=chosen).status_code == 303
    confirm(worker, latest())
    assert (people()[0].phone, people()[0].note) == ("13900000009", "爱听戏")
