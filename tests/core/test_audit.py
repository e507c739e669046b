"""The audit: append-only by the database, sealed into a chain that shows any change."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.core import audit
from portal.core.audit import AuditBatch, AuditRow
from portal.core.clock import now
from portal.core.db import db, transaction

LATER = timedelta(minutes=5)


def write(count=1, action="test.done"):
    with transaction():
        for _number in range(count):
            audit.record(action, None, count=1)


def seal(until=None):
    with transaction():
        return audit.seal(until=until or now() + LATER)


def batches():
    return list(db.session.scalars(sa.select(AuditBatch).order_by(AuditBatch.id)))


@pytest.fixture
def without_triggers(make, database):
    """Run a statement as a thief with the database's own keys would: the guard is off, then on again."""

    def run(statement):
        with transaction() as session:
            if database == "sqlite":
                drops = ("DROP TRIGGER audit_row_no_update", "DROP TRIGGER audit_row_no_delete")
                for drop in drops:
                    session.execute(sa.text(drop))
                session.execute(statement)
                for made in audit.append_only_statements("audit_row", "sqlite"):
                    session.execute(sa.text(made))
            else:
                session.execute(sa.text("ALTER TABLE audit_row DISABLE TRIGGER USER"))
                session.execute(statement)
                session.execute(sa.text("ALTER TABLE audit_row ENABLE TRIGGER USER"))
        db.session.expire_all()

    return run


@pytest.mark.parametrize("table", [AuditRow, AuditBatch])
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_or_remove_what_was_recorded(make, table, verb):
    write()
    seal()
    statement = sa.delete(table) if verb == "delete" else sa.update(table).values(at=now())
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), transaction() as session:
        session.execute(statement)
    assert audit.verify().flaws == ()
    assert len(batches()) == 1


def test_emptying_the_table_is_refused_too(make, database):
    write()
    statement = sa.delete(AuditRow) if database == "sqlite" else sa.text("TRUNCATE audit_row")
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), transaction() as session:
        session.execute(statement)


def test_young_rows_wait_because_an_older_transaction_may_still_be_open(make):
    write(3)
    with transaction():
        assert audit.seal() == 0
    assert batches() == []
    assert audit.verify().unsealed == 3


def test_sealing_stops_at_the_first_young_row(make):
    write(2)
    edge = now()
    write(1)
    assert seal(until=edge) == 2
    assert audit.verify().unsealed == 1


def test_sealing_nothing_makes_no_batch(make):
    assert seal() == 0
    assert audit.verify() == audit.Verdict(0, 0, 0, audit.GENESIS, ())


def test_each_batch_follows_the_one_before(make):
    write(2)
    seal()
    write(3)
    seal()
    first, second = batches()
    assert (first.previous, second.previous) == (audit.GENESIS, first.hash)
    assert (first.rows, second.rows) == (2, 3)
    assert second.first_row > first.last_row
    verdict = audit.verify()
    assert (verdict.batches, verdict.rows, verdict.unsealed, verdict.head) == (2, 5, 0, second.hash)
    assert verdict.flaws == ()


def test_one_sealing_takes_the_whole_tail_batch_after_batch(make, monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 4)
    write(10)
    assert seal() == 10
    assert [batch.rows for batch in batches()] == [4, 4, 2]
    assert audit.verify().flaws == ()


def test_a_tail_of_exactly_one_batch_is_sealed_once(make, monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 4)
    write(4)
    assert seal() == 4
    assert [batch.rows for batch in batches()] == [4]


def test_a_changed_row_is_found_and_putting_it_back_heals_the_chain(make, without_triggers):
    write(3)
    seal()
    write(3)
    seal()
    changed = batches()[1].first_row
    without_triggers(sa.update(AuditRow).where(AuditRow.id == changed).values(actor_name="别人"))
    flaws = audit.verify().flaws
    assert len(flaws) == 1
    assert "第 2 批" in flaws[0]
    assert "改动" in flaws[0]
    without_triggers(sa.update(AuditRow).where(AuditRow.id == changed).values(actor_name="system"))
    assert audit.verify().flaws == ()


@pytest.mark.parametrize(
    "change",
    [
        {"at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"action": "test.other"},
        {"facts": {"count": 2}},
        {"reason": "补"},
        {"actor": "x"},
        {"object_id": "7"},
        {"address": "10.0.0.0"},
        {"on_behalf_of": "x"},
        {"roles": "auditor"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_no_column_can_change_unseen(make, without_triggers, change):
    write()
    seal()
    without_triggers(sa.update(AuditRow).values(**change))
    assert "改动" in audit.verify().flaws[0]


def test_a_removed_row_is_found_and_its_batch_named(make, without_triggers):
    write(3)
    seal()
    gone = batches()[0].first_row + 1
    without_triggers(sa.delete(AuditRow).where(AuditRow.id == gone))
    (flaw,) = audit.verify().flaws
    assert "第 1 批" in flaw
    assert "应有 3 条，现在是 2 条" in flaw


def test_a_removed_first_row_is_found_too(make, without_triggers):
    write(3)
    seal()
    without_triggers(sa.delete(AuditRow).where(AuditRow.id == batches()[0].first_row))
    assert "第 1 批" in audit.verify().flaws[0]


def test_a_batch_that_does_not_follow_is_found(make):
    write(2)
    seal()
    write(2)
    with transaction() as session:
        last = session.scalar(sa.select(sa.func.max(AuditRow.id)))
        stranger = {"first_row": last - 1, "last_row": last, "rows": 2, "previous": "1" * 64, "hash": "2" * 64}
        session.add(AuditBatch(**stranger, at=now()))
    flaws = audit.verify().flaws
    assert any("接不上" in flaw and "第 2 批" in flaw for flaw in flaws)


def test_the_chain_cannot_fork(make):
    write(2)
    seal()
    twin = {"first_row": 1, "last_row": 2, "rows": 2, "previous": audit.GENESIS, "hash": "3" * 64}
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add(AuditBatch(**twin, at=now()))


def test_a_refused_act_leaves_no_row(make):
    with pytest.raises(ZeroDivisionError), transaction():
        audit.record("test.refused")
        raise ZeroDivisionError
    assert audit.verify().unsealed == 0


def test_rows_written_at_the_same_time_are_all_sealed(make, app):
    def work():
        with app.app_context():
            write(5)

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seal() == 20
    assert audit.verify().flaws == ()


@pytest.mark.parametrize(
    ("address", "kept"),
    [("192.168.3.77", "192.168.3.0"), ("2408:8207:1234:5678::9", "2408:8207:1234::"), ("", ""), ("nonsense", "")],
)
def test_only_the_network_of_an_address_is_kept(address, kept):
    assert audit._prefix(address) == kept


def test_a_long_reason_is_cut_to_what_the_column_holds(make):
    with transaction():
        audit.record("test.done", reason="长" * 300)
    assert len(db.session.scalars(sa.select(AuditRow)).one().reason) == 200
