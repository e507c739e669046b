"""What an act writes for nobody to read again goes in one statement; a safe request reads without a transaction."""

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core import access, audit, outbox
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db, insert, together, transaction, unique_or
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow, Recipient
from portal.core.tokens import ThrottleCount


def _tell() -> None:
    audit.record("meals.order_placed", None, portions=2)
    outbox.enqueue("meals.order_placed", to=Recipient("person", "x"), dish="清蒸鲈鱼")


def _rows() -> tuple[int, int]:
    counts = (sa.select(sa.func.count()).select_from(model) for model in (AuditRow, OutboxRow))
    return tuple(db.session.scalar(count) for count in counts)


def test_rows_written_together_are_all_there_with_their_defaults(make, database):
    writes: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", note := lambda *facts: writes.append(str(facts[2])))
    with transaction(), together():
        _tell()
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert _rows() == (1, 1)
    row = db.session.scalars(sa.select(OutboxRow)).one()
    assert (row.error, row.facts) == ("", {"dish": "清蒸鲈鱼"})
    assert len([words for words in writes if "INSERT" in words]) == (1 if database == "postgresql" else 2)


def test_nothing_of_it_is_written_when_the_act_is_refused(make):
    with pytest.raises(Refused), transaction(), together():
        _tell()
        raise Refused("不行")
    assert _rows() == (0, 0)


def test_one_row_alone_is_written_as_it_is(make):
    with transaction(), together():
        audit.record("meals.order_placed")
    assert _rows() == (1, 0)


def test_several_rows_go_in_one_statement_and_no_word_is_left_in_the_log_when_they_are_refused(make, caplog):
    writes: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", note := lambda *facts: writes.append(facts[2]))
    moment = now()
    rows = [{"key": key, "window": moment, "count": 1} for key in ("a", "b", "a")]
    with pytest.raises(Refused), transaction(), unique_or(Refused("不行")):
        insert(ThrottleCount, *rows)
    with transaction():
        insert(ThrottleCount, *rows[:2])
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert [words.count("), (") + 1 for words in writes if "INSERT" in words] == [3, 2]
    assert sorted(db.session.scalars(sa.select(ThrottleCount.key))) == ["a", "b"]
    assert caplog.text == ""


def test_a_safe_request_reads_without_a_transaction_where_that_saves_something(
    make, app: Flask, client, monkeypatch, database
):
    def view() -> str:
        driver = db.session.connection().connection.driver_connection
        return str(getattr(driver, "autocommit", False))

    view.guard = access.Guard(public=True)
    monkeypatch.setitem(app.view_functions, "identity.resident.sign_in", view)
    db.session.rollback()
    path = app.url_map.bind("").build("identity.resident.sign_in")
    assert client.get(path).text == str(database == "postgresql")
