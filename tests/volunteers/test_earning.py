"""What records of service earn, when they are made, changed and made void, and what the night catches up."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.points.models import EntryKind, PointEntry, PointRule
from portal.points.service import ledger
from portal.volunteers import jobs
from portal.volunteers.models.codes import RecordState, ServiceKind
from portal.volunteers.models.records import ServiceRecord
from portal.volunteers.service import earning, recording
from portal.volunteers.service.recording import RecordFacts
from tests.acting import actor_of
from tests.helping import Helping


@pytest.fixture
def helping(make):
    return Helping(make)


def facts(minutes=120, *, days=1, kind=ServiceKind.MEALS, factor=100):
    ends = (now() - timedelta(days=days)).replace(hour=4, minute=0, second=0, microsecond=0)
    return RecordFacts(
        activity="老人送餐",
        kind=kind,
        content="把午餐送到家里",
        place="春风里",
        leader_name="周洁",
        starts_at=ends - timedelta(minutes=-(-minutes // 5) * 5),
        ends_at=ends,
        minutes=minutes,
        factor=factor,
    )


def recorded(make, volunteer, said=None):
    with transaction():
        by = actor_of(make.worker())
        return recording.record_by_hand(volunteer, make.community(), None, said or facts(), by=by)


def points_of(volunteer):
    db.session.rollback()
    standing = ledger.balance(volunteer.person)
    return standing.points, standing.debt


def kinds():
    db.session.rollback()
    return list(db.session.scalars(sa.select(PointEntry.kind).order_by(PointEntry.id)))


def test_a_record_earns_by_the_rule_of_its_kind_and_day(make, helping):
    volunteer = helping.volunteer()
    make.add(PointRule(kind="escort", per_hour=15, expires_months=12, valid_from=date(2020, 1, 1)))
    recorded(make, volunteer, facts(150))
    assert points_of(volunteer) == (25, 0)
    recorded(make, volunteer, facts(60, days=3, kind=ServiceKind.ESCORT, factor=150))
    assert points_of(volunteer) == (47, 0)


def test_a_record_of_a_few_minutes_that_earns_nothing_enters_nothing(make, helping):
    volunteer = helping.volunteer()
    make.add(PointRule(kind="", per_hour=5, expires_months=12, valid_from=date(2020, 1, 1)))
    recorded(make, volunteer, facts(6))
    assert kinds() == []


def test_a_changed_record_is_booked_anew(make, helping):
    volunteer = helping.volunteer()
    record = recorded(make, volunteer)
    with transaction() as session:
        standing = session.get_one(ServiceRecord, record.id)
        recording.change(standing, facts(60), seen=standing.version, reason="多记了", by="周洁")
    assert points_of(volunteer) == (10, 0)
    assert kinds() == [EntryKind.EARNED, EntryKind.REVERSED, EntryKind.EARNED]
    assert all(entry.words.endswith("老人送餐") for entry in ledger.entries(volunteer.person))


def test_a_change_that_leaves_the_worth_as_it_was_enters_nothing(make, helping):
    volunteer = helping.volunteer()
    record = recorded(make, volunteer)
    with transaction() as session:
        standing = session.get_one(ServiceRecord, record.id)
        recording.change(standing, facts(120, days=2), seen=standing.version, reason="日期错了", by="周洁")
    assert kinds() == [EntryKind.EARNED]


def test_a_record_made_void_after_its_points_were_spent_is_owed(make, helping):
    volunteer = helping.volunteer()
    record = recorded(make, volunteer)
    with transaction():
        ledger.spend(volunteer.person, 15, key="goods:a", words="大米", by=None)
    with transaction() as session:
        standing = session.get_one(ServiceRecord, record.id)
        recording.void(standing, seen=standing.version, reason="记错了人", by="周洁")
    assert points_of(volunteer) == (0, 15)
    recorded(make, volunteer, facts(120, days=5))
    assert points_of(volunteer) == (5, 0)


def test_spending_points_takes_nothing_from_the_hours(make, helping):
    volunteer = helping.volunteer()
    record = recorded(make, volunteer)
    with transaction():
        ledger.spend(volunteer.person, 20, key="goods:a", words="大米", by=None)
    assert make.read(record).minutes == 120
    assert make.read(record).state is RecordState.RECORDED


def test_a_rule_changed_later_does_not_change_what_was_earned(make, helping):
    volunteer = helping.volunteer()
    record = recorded(make, volunteer)
    make.add(PointRule(kind="", per_hour=50, expires_months=12, valid_from=date(2020, 1, 1)))
    jobs.catch_up_points()
    assert points_of(volunteer) == (20, 0)
    assert record.minutes == 120


def test_the_night_books_what_an_event_missed_and_only_once(make, helping, monkeypatch):
    volunteer = helping.volunteer()
    with monkeypatch.context() as deaf:
        deaf.setattr(recording.events, "publish", lambda _name, **_facts: None)
        record = recorded(make, volunteer)
    assert points_of(volunteer) == (0, 0)
    jobs.catch_up_points()
    jobs.catch_up_points()
    assert points_of(volunteer) == (20, 0)
    with monkeypatch.context() as deaf, transaction() as session:
        deaf.setattr(recording.events, "publish", lambda _name, **_facts: None)
        standing = session.get_one(ServiceRecord, record.id)
        recording.void(standing, seen=standing.version, reason="记错了人", by="周洁")
    jobs.catch_up_points()
    jobs.catch_up_points()
    assert points_of(volunteer) == (0, 0)


def test_the_night_takes_points_whose_last_day_has_passed(make, helping):
    volunteer = helping.volunteer()
    with transaction():
        day = clock.today() - timedelta(days=1)
        ledger.earn(volunteer.person, 9, key="record:x:1", words="x", expires_on=day, by=None)
    jobs.expire_points()
    jobs.expire_points()
    assert kinds() == [EntryKind.EARNED, EntryKind.EXPIRED]
    assert earning.lately() == []
