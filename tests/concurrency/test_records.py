"""One volunteer, one time, many records at once: the constraint lets one through; a check in Python lets in several."""

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from portal.areas.models import Area
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import RecordedTime, ServiceRecord
from portal.volunteers.service import certificates, recording
from tests.helping import Helping
from tests.volunteers.recorded import ago, facts, given, worker_of

THREADS = 8


def at_once(app, attempt):
    """Run an attempt on each of eight threads, all starting together; how many went through."""
    ready = threading.Barrier(THREADS, timeout=60)

    def run(number: int) -> bool:
        with app.app_context():
            ready.wait()
            return attempt(number)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(contextvars.Context().run, run, number) for number in range(THREADS)]
        return sum(future.result() for future in futures)


def test_of_eight_records_of_one_time_one_is_made(app, make):
    volunteer, place, by = Helping(make).volunteer(), make.community(), worker_of(make)

    def attempt(turn: int) -> bool:
        # Each two hours long and a step later than the one before, but all across ten o'clock.
        said = facts(ago(3, 9) + timedelta(minutes=5 * turn))
        try:
            with transaction() as session:
                who, where = session.get_one(Volunteer, volunteer.id), session.get_one(Area, place.id)
                recording.record_by_hand(who, where, None, said, by=by)
            return True
        except Refused:
            return False

    assert at_once(app, attempt) == 1
    assert db.session.scalar(sa.select(sa.func.count(ServiceRecord.id))) == 1
    assert db.session.scalar(sa.select(sa.func.count(RecordedTime.id))) == 24


def test_without_the_constraint_one_time_is_recorded_many_times(app, make):
    """The negative control: read whether the time is free, then write, nothing guarding."""
    volunteer = Helping(make).volunteer()
    made = given(make, volunteer, facts(ago(9)))
    said = {
        column.key: getattr(made, column.key)
        for column in ServiceRecord.__table__.columns
        if column.key not in {"id", "public_id", "starts_at", "ends_at"}
    }
    begins, ends = ago(3, 9), ago(3, 11)
    seen = threading.Barrier(THREADS, timeout=60)
    overlaps = sa.select(ServiceRecord.id).where(ServiceRecord.starts_at < ends, ServiceRecord.ends_at > begins)

    def attempt(_turn: int) -> bool:
        free = db.session.scalar(overlaps.limit(1)) is None
        db.session.rollback()
        seen.wait()
        if free:
            with transaction() as session:
                session.add(ServiceRecord(**said, starts_at=begins, ends_at=ends))
        return free

    assert at_once(app, attempt) == THREADS
    assert len(db.session.scalars(overlaps).all()) == THREADS


def test_one_record_is_voided_once(app, make):
    made = given(make, Helping(make).volunteer())

    def attempt(_turn: int) -> bool:
        try:
            with transaction() as session:
                recording.void(session.get_one(ServiceRecord, made.id), seen=1, reason="重复", by="周洁")
            return True
        except Refused:
            return False

    assert at_once(app, attempt) == 1


def test_certificates_issued_at_once_have_numbers_of_their_own(app, make, monkeypatch):
    monkeypatch.setattr(certificates.jobs, "enqueue", lambda *_name, **_facts: None)
    by, asked = worker_of(make), []
    for _turn in range(THREADS):
        volunteer = Helping(make).volunteer()
        given(make, volunteer)
        with transaction() as session:
            who = session.merge(volunteer)
            (organiser,) = certificates.organisers_of(who)
            day = ago(3).date()
            made = certificates.ask(who, organiser, day, day + timedelta(days=1), use="", with_number=False)
        asked.append(made.id)

    def attempt(turn: int) -> bool:
        try:
            with transaction() as session:
                row = session.get_one(certificates.ServiceCertificate, asked[turn])
                certificates.issue(row, responsible="张主任", contact="0571-88880000", by=by)
            return True
        except Refused:
            return False

    won = at_once(app, attempt)
    numbers = db.session.scalars(
        sa.select(certificates.ServiceCertificate.number).where(certificates.ServiceCertificate.number.is_not(None))
    ).all()
    assert won >= 1
    assert len(set(numbers)) == len(numbers) == won
