"""The list of households as a file: masked or let go, watermarked, on the record of every head who stands in it."""

import io
import re
from collections.abc import Callable

import openpyxl
import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from portal.core.db import db, transaction
from portal.core.masking import mask_middle
from portal.identity.permissions import Role
from portal.registry.models import Export, ExportState, Household, Person, Relation
from portal.registry.service import exports
from tests.client import Client
from tests.make import Make

PAGE = "/desk/people/households/export"
Ask = Callable[..., TestResponse]


@pytest.fixture
def head(make: Make) -> Person:
    home = make.household()
    make.household()
    person = make.person("王秀英", household_id=home.id, relation=Relation.HEAD)
    make.person("李建国", household_id=home.id, relation=Relation.SPOUSE)
    return person


@pytest.fixture
def ask(make: Make, client: Client) -> Ask:
    client.sign_in(make.worker())

    def asking(query: str = "", **more: str) -> TestResponse:
        return client.post(f"{PAGE}?{query}", data={"way": "masked", "reason": "入户核对", "idem": "k1", **more})

    return asking


def latest() -> Export:
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(sa.select(Export).order_by(Export.id.desc()).limit(1)).one()


def rows(client: Client) -> list[list[str]]:
    answer = client.post(f"/desk/people/exports/{latest().public_id}/file")
    assert answer.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(answer.data))
    return [[str(cell or "") for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]


def test_a_masked_export_is_written_at_once_with_a_watermark(client: Client, head: Person, ask: Ask) -> None:
    assert "户号、住址和户主遮挡" in client.get(PAGE).text
    assert ask().status_code == 303
    assert (latest().state, latest().total) == (ExportState.READY, 2)
    titles, first, second = rows(client)
    number = db.session.get_one(Household, head.household_id).number
    assert titles == ["户号", "住址", "户主", "人数", "网格", "情况", "水印"]
    assert first[0] == mask_middle(number, 1, 2) != number
    assert first[2].startswith("王")
    assert "秀英" not in "".join(first)
    assert "301" not in first[1]
    assert first[3] == "2"
    assert second[5] == "没有人"
    assert latest().number in first[-1]


def test_the_heads_read_that_their_data_went_out_and_nobody_else(make: Make, head: Person, ask: Ask) -> None:
    ask()
    (look,) = exports.looks_of(make.read(head))
    assert "户册" in look.what
    assert look.reason == "入户核对"
    spouse = db.session.scalars(sa.select(Person).where(Person.name == "李建国")).one()
    assert exports.looks_of(spouse) == []


def test_in_the_clear_it_waits_for_a_second_person(make: Make, client: Client, head: Person, ask: Ask) -> None:
    assert ask(way="plain").status_code == 303
    assert latest().state is ExportState.WAITING
    page = f"/desk/people/exports/{latest().public_id}"
    assert "户号、住址、户主" in client.get(page).text
    owner = latest().owner
    client.sign_in(make.worker(name="许文静"))
    assert client.post(f"{page}/decide", data={"decision": "approve"}).status_code == 303
    assert latest().owner == owner
    assert latest().state is ExportState.READY


def test_an_export_takes_the_filters_of_the_list_and_refuses_an_empty_one(head: Person, ask: Ask) -> None:
    assert ask("state=empty").status_code == 303
    assert latest().total == 1
    answer = ask("state=two_heads", idem="k2")
    assert answer.status_code == 422
    assert "没有符合条件的户" in answer.text
    assert ask(reason="", idem="k3").status_code == 422


def test_a_household_that_left_the_askers_area_is_not_in_the_file(make: Make, client: Client, ask: Ask) -> None:
    grid, other, asker = make.grid(), make.grid(name="第二网格"), make.worker(name="陈晨")
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    gone, stays = (
        make.person(name, grid=grid, household_id=make.household().id, relation=Relation.HEAD)
        for name in ("王秀英", "李桂兰")
    )
    assert ask(way="plain").status_code == 303
    assert latest().total == 2
    with transaction() as session:
        session.get_one(Person, gone.id).grid_id = other.id
    client.sign_in(asker)
    assert (
        client.post(f"/desk/people/exports/{latest().public_id}/decide", data={"decision": "approve"}).status_code
        == 303
    )
    assert (latest().state, latest().total) == (ExportState.READY, 1)
    assert exports.looks_of(make.read(gone)) == []
    assert len(exports.looks_of(make.read(stays))) == 1


@pytest.mark.parametrize("page", [PAGE, "/desk/people/households"])
def test_words_in_an_address_find_nobody(make: Make, client: Client, head: Person, page: str) -> None:
    client.sign_in(make.worker())
    answers = [client.get(f"{page}?words={words}") for words in ("", "王秀英", "没有这个人")]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert {said for answer in answers for said in re.findall(r"\d+ 户", answer.get_data(as_text=True))} == {"2 户"}
