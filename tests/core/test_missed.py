"""What a worker asked for outside her scope is on record; what does not exist as an address is not."""

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import failures
from portal.core.audit import AuditRow
from portal.core.clock import now
from portal.core.db import db
from portal.identity.permissions import Role
from tests.client import Client


def rows():
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "access.missed")))


@pytest.fixture
def grid_worker(make):
    return make.worker(Role.GRID_WORKER, make.grid())


def test_a_person_of_another_grid_asked_for_leaves_a_row_without_values(client: Client, make, grid_worker):
    stranger = make.person(grid=make.grid(name="第二网格"))
    address = f"/desk/person/{stranger.public_id}"
    assert client.sign_in(grid_worker).get(address).status_code == 404
    (row,) = rows()
    assert (row.actor, row.actor_name) == (grid_worker.public_id, grid_worker.name)
    assert row.facts == {"endpoint": "home.worker.person"}
    assert (row.object_type, row.object_id, row.reason) == ("", "", "")
    assert stranger.public_id not in row.canonical()


def test_what_is_posted_outside_ones_scope_leaves_a_row_though_nothing_else_is_kept(client: Client, make):
    chief = make.worker(Role.SECURITY_ADMINISTRATOR)
    assert client.sign_in(chief).post("/desk/administration/accounts/no-such/disable").status_code == 404
    assert [row.facts["endpoint"] for row in rows()] == ["administration.worker.disable_account"]


def test_an_address_that_is_no_page_leaves_none(client: Client, grid_worker):
    client.sign_in(grid_worker)
    for address in ("/desk/no-such-page", "/favicon.png", "/desk/people"):
        client.get(address)
    assert client.get("/desk/no-such-page").status_code == 404
    assert rows() == []


def test_residents_and_strangers_leave_none(client: Client, make):
    assert client.get("/people/agents").status_code == 303
    assert client.sign_in(make.resident(make.person())).post("/people/agents/no-such/end").status_code == 404
    assert rows() == []


def test_one_account_does_not_flood_the_audit(app, make, grid_worker):
    colleague = make.worker(Role.GRID_WORKER, make.grid(name="第三网格"))
    with time_machine.travel(now().replace(second=0, microsecond=0), tick=False):
        client = app.test_client().sign_in(grid_worker)
        statuses = {client.get("/desk/person/no-such").status_code for _time in range(failures.MISSED_A_MINUTE + 5)}
        assert app.test_client().sign_in(colleague).get("/desk/person/no-such").status_code == 404
    assert statuses == {404}
    assert len(rows()) == failures.MISSED_A_MINUTE + 1


def test_a_busy_database_does_not_change_the_answer(client: Client, grid_worker, monkeypatch):
    def busy(*_told, **_more):
        raise sa.exc.OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(failures.tokens, "throttle", busy)
    assert client.sign_in(grid_worker).get("/desk/person/no-such").status_code == 404
