"""What is refused and answered by a redirect leaves nothing written behind."""

import pytest
import sqlalchemy as sa

from portal.core import audit
from portal.core.audit import AuditRow
from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.service import consents
from portal.registry.service.rights import requests
from portal.visits.service import planning
from tests.client import Client
from tests.make import Make


def half_done(*_told: object, **_more: object) -> None:
    """An act that writes and then refuses."""
    audit.record("test.half_done")
    db.session.flush()
    raise Refused("做到一半，办不成。")


def written() -> list[AuditRow]:
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "test.half_done")))


def test_a_refused_consent_leaves_nothing_half_written(make: Make, client: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(consents, "give", half_done)
    client.sign_in(make.resident(make.person()))
    assert client.post("/people/consents/photo/give").status_code == 303
    assert "办不成" in client.get("/people/consents").get_data(as_text=True)
    assert written() == []


def test_a_refused_plan_leaves_nothing_half_written(make: Make, client: Client, monkeypatch: pytest.MonkeyPatch):
    make.community()
    monkeypatch.setattr(planning, "plan", half_done)
    client.sign_in(make.worker())
    assert client.post("/desk/visits/plan").status_code == 303
    assert "办不成" in client.get("/desk/visits/rates").get_data(as_text=True)
    assert written() == []


def test_a_refused_request_at_the_counter_is_not_called_done(
    make: Make, client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(requests, "ask", half_done)
    client.sign_in(make.worker())
    address = f"/desk/people/rights/of/{make.person().public_id}"
    refused = client.post(address, data={"kind": "copy", "identity": "id_card"})
    assert refused.status_code == 422
    assert "已登记，到期日已经算好" not in refused.get_data(as_text=True)
