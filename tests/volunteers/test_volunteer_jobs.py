"""One row that fails holds up no other; a paper that takes too long is a fault that is said; made again it is whole."""

import subprocess

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.volunteers import jobs, record_jobs
from portal.volunteers.models.codes import HoursState
from portal.volunteers.models.records import ServiceCertificate, ServiceRecord
from portal.volunteers.models.signups import Attendance
from portal.volunteers.service import attending, certificate_paper, certificates, earning, recording
from portal.volunteers.service.codes import Purpose
from tests.helping import Helping
from tests.volunteers.recorded import ago, attended, facts, given, worker_of
from tests.volunteers.test_certificates import asked, fresh, issued


@pytest.fixture
def slow(monkeypatch):
    """A drawing that does not come to an end."""

    def run(*_said, timeout, **_more):
        raise subprocess.TimeoutExpired("drawing", timeout)

    monkeypatch.setattr(certificate_paper.subprocess, "run", run)


def _failing_once(act):
    """The same act, that fails for the first row."""
    seen: list[object] = []

    def failing(*said, **more):
        seen.append(said)
        if len(seen) == 1:
            raise RuntimeError("the first fails")
        return act(*said, **more)

    return failing


def test_an_attendance_that_fails_does_not_hold_up_the_next(make, monkeypatch):
    attended(make)
    attended(make, starts=ago(4))
    monkeypatch.setattr(recording, "record", _failing_once(recording.record))
    record_jobs.record_confirmed()
    assert db.session.scalar(sa.select(sa.func.count(ServiceRecord.id))) == 1


def test_a_record_whose_points_fail_does_not_hold_up_the_next(make, monkeypatch):
    volunteer = Helping(make).volunteer()
    given(make, volunteer, facts(ago(3)))
    given(make, volunteer, facts(ago(4)))
    booked: list[int] = []
    monkeypatch.setattr(earning, "book", _failing_once(booked.append))
    jobs.catch_up_points()
    assert len(booked) == 1


def test_a_paper_that_takes_too_long_waits_with_its_fault_and_is_not_tried_every_minute(make, slow):
    volunteer = Helping(make).volunteer()
    given(make, volunteer)
    certificate = issued(asked(volunteer), worker_of(make))
    record_jobs.make_papers()
    assert "重新制作" in fresh(certificate).fault
    assert certificates.unmade() == []


def test_a_paper_made_again_says_what_the_register_says_now(make, slow):
    volunteer, by = Helping(make).volunteer(), worker_of(make)
    given(make, volunteer, facts(ago(3)))
    second = given(make, volunteer, facts(ago(4), hours=1))
    certificate = issued(asked(volunteer, with_number=True), by)
    before, number = certificate.id_number, make.id_number()
    assert certificate.minutes == 180
    with transaction() as session:
        recording.void(session.get_one(ServiceRecord, second.id), seen=1, reason="记重了", by="周洁")
        session.merge(volunteer).person.id_number = number
    with transaction() as session:
        certificates.remake(session.get_one(ServiceCertificate, certificate.id))
    again = fresh(certificate)
    assert (again.minutes, again.facts["count"]) == (120, 1)
    assert again.id_number == number != before


@pytest.mark.parametrize("purpose", [Purpose.IN, Purpose.OUT])
def test_hours_confirmed_while_somebody_takes_a_mark_back_stay(make, purpose):
    """What was read as waiting, and is confirmed by the time the mark is taken back, is not undone."""
    found, by = attended(make, state=HoursState.TO_CONFIRM), worker_of(make)
    with pytest.raises(Refused), transaction() as session:
        held = session.get_one(Attendance, found.id)
        confirming = sa.update(Attendance).where(Attendance.id == found.id).values(state=HoursState.CONFIRMED)
        session.connection().execute(confirming)
        attending.take_back(held.signup, purpose, by=by, reason="登记错了")
