"""Records follow the hours they stand on, through the events, with their points and what is still to be recorded."""

from datetime import datetime, time, timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.db import db, transaction
from portal.core.reasons import said
from portal.points.service import ledger
from portal.volunteers.models.codes import RecordState
from portal.volunteers.models.records import RecordedTime, RecordVersion, ServiceRecord
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.record_jobs import record_confirmed
from portal.volunteers.service import attending, recording, records
from portal.volunteers.service.attending import Times
from portal.volunteers.service.codes import Purpose
from tests.acting import actor_of
from tests.helping import Helping
from tests.volunteers.recorded import facts, given, told, worker_of


@pytest.fixture
def helping(make):
    return Helping(make)


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


@pytest.fixture
def second(make):
    return actor_of(make.worker(name="吴敏"))


@pytest.fixture
def signup(helping):
    """Somebody on a shift of yesterday from nine to eleven."""
    day = clock.today() - timedelta(days=1)
    return helping.signup(helping.post(helping.shift(starts_at=clock.at(day, time(9)), hours=2)))


def _at(hour: int) -> datetime:
    return clock.at(clock.today() - timedelta(days=1), time(hour))


def _entered(signup: Signup, first: int, last: int, by, **more) -> Attendance:
    with transaction() as session:
        row = session.get_one(Signup, signup.id)
        return attending.enter_hours(row, Times(_at(first), _at(last), **more), by=by)


def _confirmed(found: Attendance, by) -> None:
    with transaction() as session:
        attending.confirm(session.get_one(Attendance, found.id), by=by)


def _disputed(found: Attendance, by) -> None:
    with transaction() as session:
        attending.dispute(session.get_one(Attendance, found.id), by=by, reason="有人说她中午才来")


def _record() -> ServiceRecord:
    db.session.rollback()
    return db.session.scalars(sa.select(ServiceRecord).where(ServiceRecord.signup_id.is_not(None))).one()


def _stands() -> tuple[RecordState, int, int]:
    """How the record stands: its state, its minutes, its points."""
    made = _record()
    return made.state, made.minutes, ledger.balance(made.volunteer.person).points


def _due(make) -> list[bool]:
    db.session.rollback()
    return [one.ready for one in records.due_in([worker_of(make).grants[0].scope])]


def test_disputed_hours_take_the_record_out_of_the_count_with_its_points(make, signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    assert _stands() == (RecordState.RECORDED, 120, 20)
    _disputed(found, worker)
    assert _stands() == (RecordState.VOID, 120, 0)
    assert db.session.scalar(sa.select(sa.func.count(RecordedTime.id))) == 0
    assert told("record_voided")[0]["reason"] == said(recording.WITHDRAWN)
    assert _due(make) == [False]


def test_hours_confirmed_anew_bring_the_record_back_with_a_new_version(make, signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    _disputed(found, worker)
    _entered(signup, 10, 11, worker)
    assert _stands() == (RecordState.VOID, 120, 0)
    _confirmed(found, second)
    assert _stands() == (RecordState.RECORDED, 60, 10)
    assert _record().version == 3
    reasons = list(db.session.scalars(sa.select(RecordVersion.reason).order_by(RecordVersion.version)))
    assert reasons == [recording.WITHDRAWN, recording.ANEW]
    assert _due(make) == []


def test_confirmed_hours_that_are_entered_otherwise_do_not_count_until_they_are_confirmed(signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    _entered(signup, 9, 10, worker, words="记错了")
    assert _stands() == (RecordState.VOID, 120, 0)
    _confirmed(found, second)
    assert _stands() == (RecordState.RECORDED, 60, 10)


def test_hours_disputed_and_taken_back_for_a_no_show_leave_nothing_that_counts(make, signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    _disputed(found, worker)
    with transaction() as session:
        attending.take_back(session.get_one(Signup, signup.id), Purpose.IN, by=worker, reason="登记错了人")
    with transaction() as session:
        attending.no_show(session.get_one(Signup, signup.id), "没有来", by=worker)
    assert _stands() == (RecordState.VOID, 120, 0)
    assert _due(make) == []


def test_an_attendance_entered_after_it_was_taken_back_brings_its_record_back(signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    _disputed(found, worker)
    with transaction() as session:
        attending.take_back(session.get_one(Signup, signup.id), Purpose.IN, by=worker, reason="登记错了")
    _confirmed(_entered(signup, 9, 10, worker), second)
    assert _stands() == (RecordState.RECORDED, 60, 10)


def test_a_record_that_somebody_made_void_stays_so_whatever_is_confirmed(signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    with transaction() as session:
        recording.void(session.merge(_record()), seen=1, reason="不是志愿服务", by="周洁")
    _disputed(found, worker)
    _entered(signup, 9, 10, worker)
    _confirmed(found, second)
    assert _stands() == (RecordState.VOID, 120, 0)


def test_hours_that_overlap_another_record_meanwhile_wait_where_what_is_due_is_listed(make, signup, worker, second):
    found = _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    _disputed(found, worker)
    other = given(make, _record().volunteer, facts(_at(10), hours=1))
    _entered(signup, 9, 11, worker)
    _confirmed(found, second)
    assert _stands() == (RecordState.VOID, 120, 10)
    assert _due(make) == [True]
    with transaction() as session:
        recording.void(session.merge(other), seen=1, reason="记重了", by="周洁")
    record_confirmed()
    assert _stands() == (RecordState.RECORDED, 120, 20)
    assert _due(make) == []


def test_hours_below_a_step_of_a_record_are_not_due(make, signup, worker, second):
    found = _entered(signup, 9, 11, worker, pause=116)
    make.read(found)
    with transaction() as session:
        session.get_one(Attendance, found.id).minutes = 5
    _confirmed(found, second)
    assert _due(make) == []
