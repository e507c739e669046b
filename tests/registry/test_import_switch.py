"""A register uploaded as another kind says so and is switched; relations are nobody's name; households are links."""

import pytest

from portal.core.sheets import write_workbook
from tests.client import Client
from tests.make import Make
from tests.registry.registers import ADDRESS, choices, latest, number, people, register, row, take_in, upload


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def test_a_register_of_residents_uploaded_as_households_says_so_and_is_switched(worker):
    upload(worker, register(row(), row(姓名="赵玉兰", 身份证号=number(2), 与户主关系="配偶")), kind="households")
    batch = latest()
    assert "head_name" not in batch.columns
    page = worker.get(f"{ADDRESS}/{batch.public_id}/columns").text
    assert "这份表的多数列像是“居民”的登记表，上传时选的是“户”。" in page
    assert worker.post(f"{ADDRESS}/{batch.public_id}/kind", data={"kind": "persons"}).status_code == 303
    page = worker.get(f"{ADDRESS}/{batch.public_id}/columns").text
    assert "这份表的多数列像是" not in page
    assert latest().kind.value == "persons"
    answer = worker.post(f"{ADDRESS}/{batch.public_id}/columns", data=choices(latest()))
    assert answer.status_code == 303, answer.text
    assert latest().counts["new"] == 2


def test_a_column_of_relations_is_nobodys_name_whatever_its_header_says(worker):
    headers = ["户号", "户主", "住址"]
    table = write_workbook(headers, [["H1", "户主", "梧桐苑6号楼301"], ["H2", "配偶", "梧桐苑6号楼302"]])
    upload(worker, table, kind="households")
    assert "head_name" not in latest().columns
    table = write_workbook(headers, [["H1", "王秀英", "梧桐苑6号楼301"]])
    upload(worker, table, kind="households")
    assert latest().columns["head_name"] == 1
    assert "这份表的多数列像是" not in worker.get(f"{ADDRESS}/{latest().public_id}/columns").text


def test_a_confirmed_batch_is_not_switched(worker):
    batch = take_in(worker, register(row()))
    worker.post(f"{ADDRESS}/{batch.public_id}/kind", data={"kind": "staff"})
    assert (latest().kind.value, latest().state.value) == ("persons", "confirmed")


def test_households_without_a_head_are_links(worker):
    batch = take_in(worker, register(row(与户主关系="配偶")))
    page = worker.get(f"{ADDRESS}/{batch.public_id}").text
    assert f"/desk/people/households/{people()[0].household_id}" in page
