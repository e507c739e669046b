"""Thirty people spend one purse at once: exactly what is in it goes. Without the guard more than that is spent."""

import threading

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.points.models import Balance, Lot, PointEntry
from portal.points.service import ledger
from portal.registry.models import Person
from tests.concurrency.test_portions import THREADS, at_once

PRICE, PURSE, ATTEMPTS = 10, 75, 30


@pytest.fixture
def person(make):
    person = make.person()
    with transaction():
        for number in range(PURSE // 5):
            ledger.earn(person, 5, key=f"record:{number}:1", words="送餐", expires_on=None, by=None)
    return person


def spend(person_id: int, number: int) -> bool:
    try:
        with transaction() as session:
            who = session.get_one(Person, person_id)
            ledger.spend(who, PRICE, key=f"goods:{number}", words="大米", by=None)
        return True
    except Refused:
        return False


def unguarded(person_id: int, seen: threading.Barrier) -> bool:
    """Read in one transaction, write in the next: what a check in Python amounts to."""
    had = db.session.execute(sa.select(Balance.points).where(Balance.person_id == person_id)).scalar_one()
    db.session.rollback()
    seen.wait()
    if had < PRICE:
        return False
    with transaction() as session:
        session.execute(sa.update(Balance).where(Balance.person_id == person_id).values(points=had - PRICE))
    return True


def test_many_spending_at_once_spend_no_more_than_there_is(app, make, person):
    spent = at_once(app, ATTEMPTS, lambda number: spend(person.id, number))
    assert spent == PURSE // PRICE
    db.session.rollback()
    balance = db.session.scalars(sa.select(Balance)).one()
    entries = db.session.scalar(sa.select(sa.func.sum(PointEntry.points)))
    left = db.session.scalar(sa.select(sa.func.sum(Lot.remaining)))
    assert balance.points == entries == left == PURSE - PRICE * spent


def test_without_the_guard_more_is_spent_than_there_is(app, person):
    """The negative control: every thread has read before any writes, and each finds the purse full enough."""
    rounds = threading.Barrier(THREADS, timeout=60)
    spent = at_once(app, THREADS, lambda _number: unguarded(person.id, rounds))
    assert spent * PRICE > PURSE


def test_the_table_itself_refuses_a_purse_below_nothing(person):
    """Two takers of what one could have, with no guard but the table's own check."""
    taking = sa.update(Balance).where(Balance.person_id == person.id).values(points=Balance.points - PURSE)
    with transaction() as session:
        session.execute(taking)
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(taking)


def test_one_source_entered_by_many_at_once_is_entered_once(app, make):
    person = make.person()

    def earn(_number: int) -> bool:
        with transaction() as session:
            who = session.get_one(Person, person.id)
            ledger.earn(who, 7, key="record:one:1", words="送餐", expires_on=None, by=None)
        return True

    assert at_once(app, ATTEMPTS, earn) == ATTEMPTS
    db.session.rollback()
    assert db.session.scalars(sa.select(Balance.points)).one() == 7
    assert db.session.scalar(sa.select(sa.func.count(PointEntry.id))) == 1


def test_one_spending_taken_back_by_many_at_once_comes_back_once(app, person):
    with transaction():
        entry = ledger.spend(person, 40, key="goods:x", words="大米", by=None)

    def back(_number: int) -> bool:
        with transaction() as session:
            ledger.reverse(session.get_one(PointEntry, entry.id), reason="退货", by=None)
        return True

    assert at_once(app, THREADS, back) == THREADS
    db.session.rollback()
    assert ledger.balance(person).points == PURSE
