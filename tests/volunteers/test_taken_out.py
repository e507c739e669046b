"""What leaves the portal with names in it: a fresh password, a trace, and so many a day."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db
from portal.volunteers.service import certificate_paper
from tests.helping import Helping
from tests.volunteers.recorded import given, worker_of
from tests.volunteers.test_certificates import asked, issued

# Past the five minutes of a password, within the quarter of an hour of a session.
LATER = timedelta(minutes=7)


@pytest.fixture
def worker(make, client):
    return client.sign_in(make.worker())


def _done(action: str) -> list[AuditRow]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.id)))


def test_a_worker_takes_a_certificate_with_a_fresh_password_and_a_trace(make, worker, monkeypatch):
    monkeypatch.setattr(certificate_paper, "drawn", lambda _said: b"%PDF-1.7 a paper")
    volunteer = Helping(make).volunteer()
    given(make, volunteer)
    certificate = issued(asked(volunteer, with_number=True), worker_of(make))
    page = f"/desk/volunteers/certificates/{certificate.public_id}"
    assert f'action="{page}/file"' in worker.get(page).text
    assert worker.get(f"{page}/file").status_code == 405
    assert worker.post(f"{page}/file").data.startswith(b"%PDF")
    with time_machine.travel(now() + LATER):
        assert worker.post(f"{page}/file").status_code == 303
    (row,) = _done("volunteers.certificate_taken")
    assert row.facts == {"number": certificate.number, "whole": True}


def test_the_workbook_of_the_roster_asks_for_the_password(make, worker):
    assert worker.get("/desk/volunteers/roster/files").status_code == 200
    with time_machine.travel(now() + LATER):
        assert worker.get("/desk/volunteers/roster/files").status_code == 303
        assert worker.post("/desk/volunteers/roster/files", data={"reason": "贴在活动室"}).status_code == 303
    assert _done("volunteers.roster_exported") == []


def test_the_list_of_volunteers_is_exported_five_times_a_day(make, worker):
    Helping(make).volunteer()
    answers = [
        worker.post("/desk/volunteers/people/export", data={"reason": "年终总结"}).status_code for _turn in range(6)
    ]
    assert answers == [200] * 5 + [429]
    assert len(_done("volunteers.exported")) == 5


def test_records_are_sampled_five_times_a_day(make, worker):
    given(make, Helping(make).volunteer())
    said = {"first_day": str(today() - timedelta(days=9)), "last_day": str(today()), "count": "5", "reason": "抽查"}
    answers = [worker.post("/desk/volunteers/records/sample", data=said).status_code for _turn in range(6)]
    assert answers == [200] * 5 + [429]
    assert len(_done("volunteers.records_sampled")) == 5
