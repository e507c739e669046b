"""Two taps at once on one code: one counts. Without the row of the use, all do."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.volunteers.models.codes import HoursState, Mark, SignupState
from portal.volunteers.models.signups import Attendance, CodeUse, Signup
from portal.volunteers.service import attending
from tests.acting import actor_of
from tests.concurrency.test_portions import THREADS, at_once
from tests.helping import Helping, soon

TAPS = THREADS


@pytest.fixture
def signup(make):
    helping = Helping(make)
    return helping.signup(helping.post(helping.shift(starts_at=soon(0, hours=-1))))


@pytest.fixture
def worker(make):
    return actor_of(make.worker())


def _uses() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(CodeUse)) or 0


def test_of_many_taps_for_coming_at_once_one_counts(app, make, signup, worker):
    signup_id, together = signup.id, threading.Barrier(TAPS, timeout=60)
    db.session.rollback()

    def tap(_number: int) -> bool:
        together.wait()
        try:
            with transaction() as session:
                attending.mark_in(session.get_one(Signup, signup_id), Mark.QR, now(), worker)
            return True
        except Refused:
            return False

    assert at_once(app, TAPS, tap) == 1
    assert (_uses(), make.read(signup).state) == (1, SignupState.PRESENT)


def _came(signup: Signup, worker) -> int:
    with transaction() as session:
        return attending.mark_in(session.get_one(Signup, signup.id), Mark.QR, signup.starts_at, worker).id


def test_of_many_taps_for_going_at_once_one_counts(app, make, signup, worker):
    found, signup_id, together = _came(signup, worker), signup.id, threading.Barrier(TAPS, timeout=60)
    db.session.rollback()

    def tap(_number: int) -> bool:
        together.wait()
        try:
            with transaction() as session:
                attending.mark_out(session.get_one(Signup, signup_id), Mark.QR, now(), worker)
            return True
        except Refused:
            return False

    assert at_once(app, TAPS, tap) == 1
    assert db.session.get_one(Attendance, found).state is HoursState.CONFIRMED
    assert (_uses(), make.read(signup).state) == (2, SignupState.DONE)


@pytest.fixture
def came(signup, worker):
    return _came(signup, worker)


@pytest.fixture
def nothing_else_guards(came, monkeypatch):
    """Everybody is told what stood before the first tap, and nothing but the row of the use keeps the second out."""
    known, change = attending.attendance_of, attending._change

    def stale(signup):
        found = known(signup)
        set_committed_value(found, "left_at", None)
        return found

    monkeypatch.setattr(attending, "attendance_of", stale)
    monkeypatch.setattr(attending, "_change", lambda found, _still, **values: change(found, sa.true(), **values))
    for name in ("_move", "_settle"):
        monkeypatch.setattr(attending, name, lambda *_arguments, **_more: None)


def _going(app, signup, worker) -> int:
    signup_id, together = signup.id, threading.Barrier(TAPS, timeout=60)
    db.session.rollback()

    def tap(_number: int) -> bool:
        together.wait()
        try:
            with transaction() as session:
                attending.mark_out(session.get_one(Signup, signup_id), Mark.QR, now(), worker)
            return True
        except Refused:
            return False

    return at_once(app, TAPS, tap)


def test_the_row_of_the_use_alone_lets_one_count(app, signup, worker, nothing_else_guards):
    assert _going(app, signup, worker) == 1


def test_without_the_row_of_the_use_all_count(app, signup, worker, nothing_else_guards, monkeypatch):
    """The negative control: the same taps through the same act, and only the row is missing."""
    monkeypatch.setattr(attending, "_use", lambda *_arguments: None)
    assert _going(app, signup, worker) == TAPS


def test_one_confirms_of_two_who_do_so_at_once(app, make, signup, worker):
    with transaction() as session:
        times = attending.Times(signup.starts_at, signup.starts_at + timedelta(minutes=30))
        found = attending.enter_hours(session.get_one(Signup, signup.id), times, by=worker).id
    others = [actor_of(make.worker(name=f"同事{number}")) for number in range(2)]
    together = threading.Barrier(2, timeout=60)
    db.session.rollback()

    def agree(number: int) -> bool:
        together.wait()
        try:
            with transaction() as session:
                attending.confirm(session.get_one(Attendance, found), by=others[number])
            return True
        except Refused:
            return False

    assert at_once(app, 2, agree) == 1
