"""Undoing many rows: values go back in one statement for all, places in one for each table, and all are as before."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core.db import db, transaction
from portal.registry.models import Household, PersonChange
from tests.client import Client
from tests.make import Make
from tests.registry.registers import count, latest, number, people, register, row, take_in, undo

MANY = 210


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


def _rows(**said: str) -> bytes:
    return register(
        *(
            row(姓名=f"王{order}", 身份证号=number(order), 户号=f"H{order}", 房号=f"{order}", **said)
            for order in range(1, MANY + 1)
        )
    )


@contextmanager
def _statements() -> Iterator[list[tuple[str, bool]]]:
    found: list[tuple[str, bool]] = []

    def note(_connection, _cursor, statement, _parameters, _context, many) -> None:
        found.append((" ".join(statement.split()), many))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def test_many_changed_people_go_back_in_one_statement(worker):
    take_in(worker, _rows())
    before = [(one.phone, one.phone_index, one.note, one.birth_date) for one in people()]
    changed = take_in(worker, _rows(联系电话="13900000009", 备注="耳背"))
    assert {one.phone for one in people()} == {"13900000009"}
    with _statements() as said:
        assert undo(worker, changed).status_code == 303
    db.session.rollback()
    assert [(one.phone, one.phone_index, one.note, one.birth_date) for one in people()] == before
    assert [many for text, many in said if text.startswith("UPDATE person SET version")] == [False]
    assert count(PersonChange) == 2 * MANY


def test_many_homes_go_in_one_statement_and_what_was_filled_in_since_stays(worker):
    batch = take_in(worker, _rows())
    with transaction() as session:
        first = session.scalars(sa.select(Dwelling).order_by(Dwelling.id).limit(1)).one()
        first.area_m2 = 60
    with _statements() as said:
        assert undo(worker, batch).status_code == 303
    assert (count(Household), count(Dwelling), count(Building), count(Estate)) == (0, 1, 1, 1)
    assert [one["table"] for one in latest().made["kept"]] == ["dwelling", "building", "estate", "area"]
    for table in ("household", "dwelling"):
        of_table = [text for text, _many in said if text.startswith(f"DELETE FROM {table} ")]
        assert "import_row" in of_table[0]
        assert len(of_table) == 1
