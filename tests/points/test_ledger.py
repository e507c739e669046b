"""The ledger of points: whatever happens in whatever order, nothing is lost, made up or below nothing."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.points.models import Balance, EntryKind, Lot, PointEntry
from portal.points.service import ledger
from portal.registry.models import Person
from tests.acting import actor_of


def earned(person, points, key="record:a:1", *, expires_on=None):
    with transaction():
        return ledger.earn(person, points, key=key, words="老人送餐", expires_on=expires_on, by=None)


def spent(person, points, key="goods:a"):
    with transaction():
        return ledger.spend(person, points, key=key, words="大米", by=None)


def reversed_(entry, reason="测试"):
    with transaction():
        return ledger.reverse(entry, reason=reason, by=None)


def has(person):
    db.session.rollback()
    standing = ledger.balance(person)
    return standing.points, standing.debt


def check_books(*, parted=False):
    """Every balance is the sum of its entries, and of what is left of its lots.

    Nobody has points and debts, but for records that were merged and parted again.
    """
    db.session.rollback()
    for balance in db.session.scalars(
        sa.select(Balance).order_by(Balance.id).execution_options(populate_existing=True)
    ):
        mine = PointEntry.balance_id == balance.id
        sums = sa.select(sa.func.sum(PointEntry.points), sa.func.sum(PointEntry.owed)).where(mine)
        points, owed = db.session.execute(sums).one()
        left = db.session.scalar(sa.select(sa.func.sum(Lot.remaining)).where(Lot.balance_id == balance.id))
        assert balance.points == (points or 0) == (left or 0) >= 0
        assert balance.debt == (owed or 0) >= 0
        assert parted or not (balance.points and balance.debt)
    db.session.rollback()


def test_what_is_earned_can_be_spent_and_no_more(make):
    person = make.person()
    earned(person, 30)
    spent(person, 20)
    assert has(person) == (10, 0)
    with pytest.raises(Refused, match="可用 10 分"):
        spent(person, 11, "goods:b")
    assert has(person) == (10, 0)
    check_books()


def test_the_same_source_is_entered_once(make):
    person = make.person()
    first, again = earned(person, 30), earned(person, 30)
    assert first.id == again.id
    assert spent(person, 10).id == spent(person, 10).id
    assert has(person) == (20, 0)


def test_the_oldest_points_go_first(make):
    person = make.person()
    never = earned(person, 5, "record:never:1")
    late = earned(person, 5, "record:late:1", expires_on=today() + timedelta(days=60))
    soon = earned(person, 5, "record:soon:1", expires_on=today() + timedelta(days=2))
    spent(person, 8)
    left = {lot.entry_id: lot.remaining for lot in db.session.scalars(sa.select(Lot).order_by(Lot.id))}
    assert [left[entry.id] for entry in (soon, late, never)] == [0, 2, 5]
    db.session.rollback()
    assert ledger.balance(person).expiring == ((today() + timedelta(days=60), 2), (None, 5))


def test_points_may_be_spent_on_their_last_day_and_expire_the_day_after(make):
    person = make.person()
    earned(person, 5, expires_on=today())
    with transaction():
        assert ledger.expire_due(today()) == 0
    assert has(person) == (5, 0)
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        assert has(person) == (0, 0)
        with pytest.raises(Refused):
            spent(person, 1)
        with transaction():
            assert ledger.expire_due(today()) == 1
            assert ledger.expire_due(today()) == 0
    check_books()
    assert db.session.scalar(sa.select(PointEntry.points).where(PointEntry.kind == EntryKind.EXPIRED)) == -5


def test_what_was_spent_goes_back_to_the_lot_it_came_from(make):
    person = make.person()
    earned(person, 5, expires_on=today() + timedelta(days=9))
    entry = spent(person, 4)
    reversal = reversed_(entry)
    assert (reversal.points, reversal.reverses_id, reversal.reason) == (4, entry.id, "测试")
    assert reversed_(entry).id == reversal.id
    assert has(person) == (5, 0)
    assert ledger.balance(person).expiring == ((today() + timedelta(days=9), 5),)
    check_books()


def test_points_put_back_into_a_lot_that_has_expired_expire_again(make):
    person = make.person()
    earned(person, 5, expires_on=today())
    entry = spent(person, 4)
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        with transaction():
            ledger.expire_due(today())
        reversed_(entry)
        assert has(person) == (0, 0)
        check_books()


def test_an_earning_taken_back_after_it_was_spent_is_owed_and_paid_by_the_next(make):
    person = make.person()
    first = earned(person, 30)
    spent(person, 25)
    reversed_(first)
    assert has(person) == (0, 25)
    check_books()
    earned(person, 10, "record:b:1")
    assert has(person) == (0, 15)
    earned(person, 20, "record:c:1")
    assert has(person) == (5, 0)
    check_books()


def test_an_earning_taken_back_takes_its_own_lot_first_then_the_others(make):
    person = make.person()
    earned(person, 10, "record:old:1", expires_on=today() + timedelta(days=1))
    later = earned(person, 10, "record:new:1", expires_on=today() + timedelta(days=9))
    reversed_(later)
    assert ledger.balance(person).expiring == ((today() + timedelta(days=1), 10),)
    check_books()


def test_what_has_expired_is_not_taken_back_a_second_time(make):
    person = make.person()
    first = earned(person, 10, expires_on=today())
    with time_machine.travel(now() + timedelta(days=1), tick=False):
        with transaction():
            ledger.expire_due(today())
        earned(person, 7, "record:b:1")
        assert reversed_(first) is None
        assert has(person) == (7, 0)
        check_books()


def test_merged_records_are_one_purse_and_each_keeps_its_books(make):
    kept, merged = make.person("张兰"), make.person("张兰")
    earned(kept, 5, "record:a:1")
    earned(merged, 7, "record:b:1")
    with transaction() as session:
        session.get_one(Person, merged.id).merged_into_id = kept.id
    assert has(kept) == has(make.read(merged)) == (12, 0)
    entry = spent(kept, 10)
    assert has(kept) == (2, 0)
    check_books()
    reversed_(entry)
    assert has(kept) == (12, 0)
    check_books()
    earned(merged, 3, "record:c:1")
    assert db.session.scalar(sa.select(Balance.points).where(Balance.person_id == kept.id)) == 8


def test_an_adjustment_needs_a_reason_and_takes_no_more_than_there_is(make):
    person, by = make.person(), actor_of(make.worker())
    with transaction(), pytest.raises(Refused, match="原因"):
        ledger.adjust(person, 5, key="adjust:a", reason=" ", by=by)
    with transaction():
        ledger.adjust(person, 5, key="adjust:a", reason="补记", by=by)
        ledger.adjust(person, -3, key="adjust:b", reason="多记了", by=by)
    assert has(person) == (2, 0)
    with pytest.raises(Refused, match="可用 2 分"), transaction():
        ledger.adjust(person, -3, key="adjust:c", reason="多记了", by=by)
    check_books()


def test_what_the_portal_entered_by_itself_is_not_taken_back(make):
    person = make.person()
    earned(person, 5, expires_on=today() - timedelta(days=1))
    expired = db.session.scalars(sa.select(PointEntry).where(PointEntry.kind == EntryKind.EXPIRED)).one()
    with pytest.raises(Refused, match="调整"):
        reversed_(expired)


def test_no_entry_is_ever_changed_or_deleted(make):
    entry = earned(make.person(), 5)
    for statement in (
        sa.update(PointEntry).where(PointEntry.id == entry.id).values(points=50),
        sa.delete(PointEntry).where(PointEntry.id == entry.id),
    ):
        with pytest.raises(sa.exc.DatabaseError), transaction() as session:
            session.execute(statement)
    check_books()


def test_the_tables_themselves_refuse_to_fall_below_nothing(make):
    person = make.person()
    earned(person, 5)
    for model in (Balance, Lot):
        column = Balance.points if model is Balance else Lot.remaining
        with pytest.raises(sa.exc.IntegrityError), transaction() as session:
            session.execute(sa.update(model).values({column: -1}))


WHO, FEW = st.integers(0, 1), st.integers(1, 12)


class Books(RuleBasedStateMachine):
    """Two people, one of whom may be merged into the other and back; the clock goes on by days."""

    make = None

    def __init__(self):
        super().__init__()
        self.moment = now()
        self.people = [self.make.person(f"居民{number}").id for number in range(2)]
        self.by = actor_of(self.make.worker())
        self.turn = 0

    def act(self, what):
        self.turn += 1
        with time_machine.travel(self.moment, tick=False), suppress(Refused), transaction() as session:
            what(session)

    @rule(who=WHO, points=FEW, days=st.sampled_from([None, 0, 3, 9]))
    def earn(self, who, points, days):
        until: date | None = None if days is None else self.moment.date() + timedelta(days=days)

        def act(session):
            person = session.get_one(Person, self.people[who])
            ledger.earn(person, points, key=f"e{self.turn}:{self.people[0]}", words="x", expires_on=until, by=None)

        self.act(act)

    @rule(who=WHO, points=FEW)
    def spend(self, who, points):
        def act(session):
            person = session.get_one(Person, self.people[who])
            ledger.spend(person, points, key=f"s{self.turn}:{self.people[0]}", words="x", by=None)

        self.act(act)

    @rule(who=WHO, points=st.integers(-9, 9))
    def adjust(self, who, points):
        def act(session):
            person = session.get_one(Person, self.people[who])
            ledger.adjust(person, points, key=f"a{self.turn}:{self.people[0]}", reason="测试", by=self.by)

        self.act(act)

    @rule(back=st.integers(0, 12))
    def reverse(self, back):
        def act(session):
            entry = session.scalars(sa.select(PointEntry).order_by(PointEntry.id.desc()).offset(back)).first()
            if entry:
                ledger.reverse(entry, reason="测试", by=None)

        self.act(act)

    @rule(days=st.sampled_from([1, 4]))
    def time_goes_on(self, days):
        self.moment += timedelta(days=days)
        self.act(lambda _session: ledger.expire_due(today()))

    @rule()
    def merge_or_undo(self):
        def act(session):
            second = session.get_one(Person, self.people[1])
            second.merged_into_id = None if second.merged_into_id else self.people[0]

        self.act(act)

    @invariant()
    def the_books_agree(self):
        check_books(parted=True)


def test_whatever_happens_the_books_agree(make):
    Books.make = make
    shape = settings(
        max_examples=25,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Books, settings=shape)
