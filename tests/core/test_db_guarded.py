"""What the session does not let through: a write on GET; and a database that went away and came back."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import access, engines
from portal.core.clock import now
from portal.core.db import aside, db, insert, insert_new, insert_once
from portal.core.tokens import ThrottleCount
from tests.servers import server


@pytest.fixture
def getting(app: Flask, monkeypatch):
    """Stand a view in for the sign-in page, which anybody may get."""

    def stand_in(view):
        view.guard = access.Guard(public=True)
        monkeypatch.setitem(app.view_functions, "identity.resident.sign_in", view)
        return app.url_map.bind("").build("identity.resident.sign_in")

    return stand_in


def _row(key: str = "a") -> dict[str, object]:
    return {"key": key, "window": now(), "count": 1}


@pytest.mark.parametrize("writing", [insert, insert_once, insert_new])
def test_a_get_that_inserts_past_the_session_fails(make, client, getting, writing):
    def view():
        writing(ThrottleCount, _row())
        return "done"

    with pytest.raises(RuntimeError, match="safe request"):
        client.get(getting(view))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ThrottleCount)) == 0


def test_an_aside_of_a_get_may_insert(make, client, getting):
    def view():
        with aside() as session:
            insert(ThrottleCount, _row(), session=session)
        return "done"

    assert client.get(getting(view)).status_code == 200
    assert list(db.session.scalars(sa.select(ThrottleCount.key))) == ["a"]


@pytest.fixture
def cut_off(app: Flask, database: str):
    """End every connection of the pool at the other end, as a restart of the server does. SQLite has no other end."""

    def act() -> None:
        db.session.rollback()
        if database == "postgresql":
            name = db.engine.url.database
            engine = sa.create_engine(server(), isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
            with engine.connect() as connection:
                ended = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
                assert connection.execute(ended, {"name": name}).all()

    yield act
    # The dead ones that no request met are not left to the next test.
    with app.app_context():
        db.engine.dispose()


def test_after_a_rest_a_restarted_database_costs_no_request(make, client, getting, monkeypatch, cut_off):
    path = getting(lambda: str(db.session.scalar(sa.select(sa.literal(7)))))
    assert client.get(path).text == "7"
    monkeypatch.setattr(engines, "RESTED_SECONDS", -1.0)
    cut_off()
    assert [client.get(path).text for _time in range(3)] == ["7"] * 3


def test_without_a_rest_a_restarted_database_costs_one_request_at_most(make, client, getting, cut_off):
    path = getting(lambda: str(db.session.scalar(sa.select(sa.literal(7)))))
    assert client.get(path).text == "7"
    cut_off()
    assert client.get(path).status_code in {200, 503}
    assert [client.get(path).status_code for _time in range(3)] == [200] * 3
