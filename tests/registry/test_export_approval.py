"""Who lets exports go: from the desk to what waits, and what to do when nothing does."""

import sqlalchemy as sa

from portal.core.db import db
from portal.identity.permissions import Role
from portal.registry.models import Export
from tests.client import Client
from tests.make import Make


def test_who_approves_comes_from_the_desk_to_what_waits_and_reads_what_to_do_when_nothing_does(
    make: Make, client: Client
) -> None:
    make.person()
    approver = make.worker(Role.STREET_ADMINISTRATOR, make.street(), name="何立新")
    client.sign_in(approver)
    assert "导出申请等待审批" not in client.get("/desk/").text
    empty = client.get("/desk/people/exports").text
    assert "没有等待审批的导出" in empty
    assert "看清范围、人数和用途" in empty
    client.sign_in(make.worker())
    said = {"columns": ["name", "phone"], "way": "plain", "reason": "核对高龄津贴"}
    assert client.post("/desk/people/exports/new", data=said).status_code == 303
    client.sign_in(approver)
    desk = client.get("/desk/").text
    assert "导出申请等待审批" in desk
    assert 'href="/desk/people/exports"' in desk
    asked = db.session.scalars(sa.select(Export)).one()
    assert f"/desk/people/exports/{asked.public_id}/decide" in client.get("/desk/people/exports").text
