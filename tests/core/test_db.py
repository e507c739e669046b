"""The database: what a request commits, what outlives a refusal, what the columns refuse."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask, abort
from sqlalchemy.exc import StatementError

from portal.core import access, audit
from portal.core.clock import now
from portal.core.db import after_commit, aside, db, transaction, unique_or
from portal.core.errors import Refused
from portal.core.tokens import ThrottleCount
from portal.places import service as places
from portal.places.models import Capacity


def _count() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(ThrottleCount)) or 0


def _row(key: str = "a") -> ThrottleCount:
    return ThrottleCount(key=key, window=now(), count=1)


@pytest.fixture
def posting(app: Flask, monkeypatch):
    """Stand a view in for the preferences endpoint, which takes a POST from anybody."""

    def stand_in(view):
        view.guard = access.Guard(public=True)
        monkeypatch.setitem(app.view_functions, "home.resident.preferences", view)
        return app.url_map.bind("").build("home.resident.preferences")

    return stand_in


def test_an_unsafe_request_that_succeeds_commits_once(make, client, posting):
    def view():
        db.session.add(_row())
        return "done"

    assert client.post(posting(view)).status_code == 200
    assert _count() == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_an_unsafe_request_that_is_refused_writes_nothing(make, client, posting, status):
    def view():
        db.session.add(_row())
        db.session.flush()
        return "refused", status

    client.post(posting(view))
    assert _count() == 0


def test_an_aside_outlives_the_refusal(make, client, posting):
    def view():
        db.session.add(_row("lost"))
        db.session.flush()
        with aside() as session:
            session.add(_row("kept"))
        abort(404)

    client.post(posting(view))
    assert list(db.session.scalars(sa.select(ThrottleCount.key))) == ["kept"]


def test_what_waits_for_the_commit_is_forgotten_with_the_transaction(make):
    done = []
    with pytest.raises(ValueError, match="no"), transaction():
        after_commit(lambda: done.append("early"))
        raise ValueError("no")
    with transaction():
        after_commit(lambda: done.append("kept"))
    assert done == ["kept"]


def test_a_naive_moment_cannot_be_stored(make):
    with pytest.raises(StatementError, match="naive"), transaction() as session:
        session.add(ThrottleCount(key="a", window=datetime(2026, 1, 1), count=1))  # noqa: DTZ001


def test_a_moment_comes_back_aware_and_in_utc(make):
    moment = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    make.add(ThrottleCount(key="a", window=moment, count=1))
    assert db.session.scalar(sa.select(ThrottleCount.window)) == moment


def test_a_broken_constraint_becomes_a_refusal_and_leaves_the_transaction_usable(make):
    moment = now()
    make.add(ThrottleCount(key="a", window=moment, count=1))
    with transaction() as session:
        with pytest.raises(Refused, match="twice"), unique_or(Refused("twice")):
            session.add(ThrottleCount(key="a", window=moment, count=1))
        session.add(ThrottleCount(key="b", window=moment, count=1))
    assert _count() == 2


def test_a_capacity_gives_no_more_than_it_has(make):
    capacity = make.add(Capacity(total=2, taken=0))
    with transaction():
        places.take(capacity.id, 2, refusal=Refused("gone"))
    with pytest.raises(Refused, match="gone"), transaction():
        places.take(capacity.id, 1, refusal=Refused("gone"))
    assert make.read(capacity).left == 0


def test_the_database_itself_refuses_an_oversold_capacity(make):
    capacity = make.add(Capacity(total=1, taken=1))
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.update(Capacity).where(Capacity.id == capacity.id).values(taken=2))


def test_a_capacity_cannot_shrink_below_what_is_taken(make):
    capacity = make.add(Capacity(total=5, taken=3))
    with pytest.raises(Refused, match="不能再减少"), transaction():
        places.resize(capacity.id, 2)
    with transaction():
        places.resize(capacity.id, 3)
    assert make.read(capacity).left == 0


def test_what_was_never_taken_cannot_be_given_back(make):
    capacity = make.add(Capacity(total=5, taken=1))
    with pytest.raises(RuntimeError), transaction():
        places.give_back(capacity.id, 2)


def test_the_databases_settings_are_the_durable_ones(make, database):
    if database == "sqlite":
        asked = {name: db.session.scalar(sa.text(f"PRAGMA {name}")) for name in ("synchronous", "foreign_keys")}
        assert asked == {"synchronous": 2, "foreign_keys": 1}
        assert db.session.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    else:
        assert db.session.scalar(sa.text("show statement_timeout")) == "10s"
        assert db.session.scalar(sa.text("show synchronous_commit")) == "on"


def test_an_audit_row_goes_with_its_transaction(make):
    with pytest.raises(ValueError, match="undone"), transaction():
        audit.record("test.act")
        raise ValueError("undone")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(audit.AuditRow)) == 0


def test_an_error_of_the_database_does_not_name_the_values(make):
    with pytest.raises(StatementError) as broken:
        db.session.execute(sa.text("SELECT nothing_of_this_name WHERE :name = 'x'"), {"name": "王秀英"})
    assert "王秀英" not in str(broken.value)


def test_a_transaction_after_a_read_sees_what_others_wrote_meanwhile(make, app):
    assert _count() == 0
    with db.sessionmaker() as other, other.begin():
        other.add(_row("theirs"))
    with transaction() as session:
        session.add(_row("ours"))
    assert _count() == 2
