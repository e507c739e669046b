"""Two workers at one batch: an act holds the batch first and sees what the other did; undoing holds its people."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from werkzeug.test import TestResponse

from portal.core.access import Actor, Platform, Scope
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import ImportRow, Outcome, Person, Verdict
from portal.registry.service import imports
from tests.client import Client
from tests.make import Make
from tests.registry.registers import ADDRESS, count, latest, people, register, row, take_in, undo

THREE = register(
    row(),
    row(联系电话="13900000009", 户号="H8", 小区="槐荫里", 房号="888"),
    row(联系电话="13900000008", 户号="H9", 小区="柳荫里", 房号="999", 备注="耳背"),
)
TAKEN = {"phone": "row", "household_number": "row"}
ME = Actor(0, "a-worker", "周洁", Platform.DESK, (), 0, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def worker(client: Client, make: Make) -> Client:
    make.community()
    return client.sign_in(make.worker())


@pytest.fixture
def batch(worker: Client):
    return take_in(worker, THREE)


def _say(worker: Client, of, order: int, verdict: str = "same"):
    return worker.post(f"{ADDRESS}/{of.public_id}/waiting/{order}", data={"verdict": verdict, **TAKEN})


def _back(worker: Client, of, order: int):
    data = {"reason": "看错了", "idem": f"back-{order}"}
    return worker.post(f"{ADDRESS}/{of.public_id}/waiting/{order}/back", data=data)


@contextmanager
def _having_read() -> Iterator[None]:
    """What is read here stays known, as with a worker whose request began before another's ended."""
    db.session.rollback()
    db.session.expire_on_commit = False
    yield
    db.session.commit()


def _meanwhile(act: Callable[..., TestResponse], *said: object) -> int:
    """Somebody else's request, from beginning to end, in a session of its own."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(lambda: act(*said).status_code).result()


def _row(make: Make, of, order: int) -> ImportRow:
    return imports.waiting_row([Scope("community", make.community().code)], of.public_id, order)


def test_two_decisions_at_once_are_both_counted(worker, make, batch):
    with _having_read():
        pair = imports.beside(_row(make, batch, 4))
    assert _meanwhile(_say, worker, batch, 3) == 303
    with transaction():
        imports.decide(pair, Verdict.SAME, TAKEN, by=ME)
    found = latest()
    assert (found.counts["waiting"], found.counts["changed"]) == (0, 2)
    assert {name: len(made) for name, made in found.made["decided"].items()} == {
        "estate": 2,
        "building": 2,
        "dwelling": 2,
        "household": 2,
    }
    db.session.expire_all()
    (person,) = people()
    assert (person.phone, person.note, person.household.number) == ("13900000008", "耳背", "H9")


def test_a_row_that_another_worker_decided_just_now_is_not_decided_again(worker, make, batch):
    with _having_read():
        pair = imports.beside(_row(make, batch, 3))
    assert _meanwhile(_say, worker, batch, 3, "different") == 303
    with pytest.raises(Refused, match="刚才有人处理过"), transaction():
        imports.decide(pair, Verdict.SAME, TAKEN, by=ME)
    assert (count(Person), latest().counts["waiting"]) == (2, 1)


def test_a_decision_taken_back_beside_another_leaves_the_count_right(worker, make, batch):
    _say(worker, batch, 3)
    with _having_read():
        mine = _row(make, batch, 3)
    assert _meanwhile(_say, worker, batch, 4, "different") == 303
    with transaction():
        imports.take_back(mine, reason="看错了")
    assert (latest().counts["waiting"], latest().counts["changed"], latest().counts["new"]) == (1, 0, 2)


@pytest.mark.parametrize("act", ["decide", "take back"])
def test_a_batch_that_was_undone_just_now_is_left_alone(worker, make, batch, act):
    _say(worker, batch, 3)
    with _having_read():
        decided, waiting = _row(make, batch, 3), imports.beside(_row(make, batch, 4))
    assert _meanwhile(undo, worker, batch) == 303
    with pytest.raises(Refused), transaction():
        if act == "decide":
            imports.decide(waiting, Verdict.DIFFERENT, {}, by=ME)
        else:
            imports.take_back(decided, reason="看错了")
    assert (count(Person), latest().counts["waiting"]) == (0, 1)


def test_a_batch_that_was_undone_just_now_is_not_undone_again(worker, batch):
    with _having_read():
        mine = latest()
        db.session.refresh(mine)
    assert _meanwhile(undo, worker, batch) == 303
    with pytest.raises(Refused, match="没有可以撤销的内容"), transaction():
        imports.undo(mine, reason="看错了")


@contextmanager
def _statements() -> Iterator[list[str]]:
    """What is run meanwhile, as PostgreSQL would be asked it."""
    found: list[str] = []

    def note(_connection, statement, *_others) -> None:
        if isinstance(statement, sa.Select):
            found.append(str(statement.compile(dialect=postgresql.dialect())))

    sa.event.listen(db.engine, "before_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(db.engine, "before_execute", note)


def _holding(statements: list[str], table: str) -> list[int]:
    return [
        order
        for order, said in enumerate(statements)
        if said.endswith(("FOR UPDATE", "FOR NO KEY UPDATE")) and f"FROM {table} " in " ".join(said.split())
    ]


@pytest.mark.parametrize(
    "act", [_say, _back, lambda worker, of, _order: undo(worker, of)], ids=["decide", "take back", "undo"]
)
def test_deciding_taking_back_and_undoing_hold_the_batch_before_anything_else(worker, batch, act):
    if act is _back:
        _say(worker, batch, 3)
    with _statements() as asked:
        assert act(worker, batch, 3).status_code == 303
    first, *_others = [order for table in ("import_batch", "import_row", "person") for order in _holding(asked, table)]
    assert [first] == _holding(asked, "import_batch")[:1]
    assert all(first < order for order in _holding(asked, "person"))


def test_undoing_holds_its_people_before_it_asks_who_was_edited_since(worker):
    take_in(worker, register(row()))
    changed = take_in(worker, register(row(联系电话="13900000009")))
    with _statements() as asked:
        assert undo(worker, changed).status_code == 303
    new, held = _holding(asked, "person")
    assert asked[new].endswith("FOR UPDATE"), "who goes"
    said = [" ".join(text.split()) for text in asked]
    edited = [
        order
        for order, text in enumerate(said)
        if text.startswith("SELECT person.id FROM person") and "person_change" in text
    ]
    assert held < min(edited)
    assert [
        each.outcome for each in db.session.scalars(sa.select(ImportRow).where(ImportRow.batch_id == changed.id))
    ] == [Outcome.CHANGED]
