"""Writers of one process take turns, and a turn is never lost."""

import threading

import pytest
import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import aside, db, transaction
from portal.core.tokens import ThrottleCount
from portal.core.turns import Turns

AT_ONCE, LONG = 0.0, 20.0


def _row(key: str) -> ThrottleCount:
    return ThrottleCount(key=key, window=now(), count=1)


def test_who_waits_gets_the_turn_in_the_order_of_coming():
    turns, came = Turns(), list[int]()
    assert turns.take(LONG)

    def wait(number: int) -> None:
        if turns.take(LONG):
            came.append(number)
            turns.leave()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(turns._waiting) <= number:
            threading.Event().wait(0.001)
    turns.leave()
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2, 3, 4]


def test_who_waits_in_vain_is_forgotten():
    turns = Turns()
    assert turns.take(LONG)
    assert not turns.take(AT_ONCE)
    turns.leave()
    assert turns.take(AT_ONCE)


def test_a_transaction_that_fails_leaves_its_turn(make):
    for _time in range(3):
        with pytest.raises(ValueError, match="no"), transaction() as session:
            session.add(_row("lost"))
            session.flush()
            raise ValueError("no")
    with transaction() as session:
        session.add(_row("kept"))


def test_a_statement_that_fails_leaves_its_turn(make):
    with pytest.raises(sa.exc.SQLAlchemyError), transaction() as session:
        session.execute(sa.text("INSERT INTO nowhere VALUES (1)"))
    with transaction() as session:
        session.add(_row("kept"))


def test_an_aside_within_a_transaction_waits_for_nobody(make):
    with transaction() as session:
        session.add(_row("given up"))
        session.flush()
        with aside() as beside:
            beside.add(_row("kept"))
    assert list(db.session.scalars(sa.select(ThrottleCount.key))) == ["kept"]
