"""Records as they are looked up: a volunteer's own, a worker's in scope, what is still to be recorded."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.core import clock, search, working
from portal.core.access import Scope
from portal.core.clock import day_bounds, now, today
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.registry.service import people as registry
from portal.volunteers.models.activities import Activity, Shift
from portal.volunteers.models.codes import HoursState, RecordState, ServiceKind, SignupState
from portal.volunteers.models.people import Award, Training, Volunteer, VolunteerSkill
from portal.volunteers.models.records import RECORD_STEP, RecordVersion, ServiceRecord
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import people, record_words, recording

PAGE = 30
# Terms are counted in days: which hours of them are worked is not asked for.
ANY_HOURS = working.Hours((time(9), time(12)), (time(13), time(17)))
UNRECORDED = (SignupState.PRESENT, SignupState.DONE)


@dataclass(frozen=True)
class Sums:
    """What a volunteer has given: minutes in all, by year (the latest first) and by kind (the most first)."""

    minutes: int = 0
    count: int = 0
    years: list[tuple[str, int]] = field(default_factory=list)
    kinds: list[tuple[ServiceKind, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Asked:
    """What a worker looks for among records."""

    q: str = ""
    month: date | None = None
    kind: ServiceKind | None = None
    show: str = ""


@dataclass(frozen=True)
class Due:
    """An attendance that has no record yet: until when, and how many working days are left."""

    attendance: Attendance
    due_on: date
    left: int

    @property
    def ready(self) -> bool:
        return self.attendance.state is HoursState.CONFIRMED


def ids_of(volunteer: Volunteer) -> sa.Select[int]:
    """The rows that somebody is a volunteer under: two, where two persons were found to be one."""
    return sa.select(Volunteer.id).where(Volunteer.person_id.in_(registry.ids_of(volunteer.person)))


def counting(volunteer: Volunteer) -> sa.ColumnElement[bool]:
    return sa.and_(ServiceRecord.volunteer_id.in_(ids_of(volunteer)), ServiceRecord.state == RecordState.RECORDED)


def sums(volunteer: Volunteer) -> Sums:
    """A few hundred rows of three columns a person: added up here, for the year is a year of Shanghai."""
    query = sa.select(ServiceRecord.starts_at, ServiceRecord.kind, ServiceRecord.minutes).where(counting(volunteer))
    years: dict[str, int] = {}
    kinds: dict[ServiceKind, int] = {}
    rows = db.session.execute(query.order_by(ServiceRecord.starts_at, ServiceRecord.id)).all()
    for starts_at, kind, minutes in rows:
        year = f"{clock.local(starts_at).year}"
        years[year] = years.get(year, 0) + minutes
        kinds[kind] = kinds.get(kind, 0) + minutes
    return Sums(
        sum(years.values()),
        len(rows),
        sorted(years.items(), reverse=True),
        sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0])),
    )


def total(volunteer: Volunteer) -> int:
    """The minutes of all records that count."""
    return int(db.session.scalar(sa.select(sa.func.sum(ServiceRecord.minutes)).where(counting(volunteer))) or 0)


def records_of(volunteer: Volunteer, *, after: str = "", limit: int = PAGE) -> list[ServiceRecord]:
    """A volunteer's records, the latest first, one more than a page; `after` is the last one of the page before."""
    query = sa.select(ServiceRecord).where(ServiceRecord.volunteer_id.in_(ids_of(volunteer)))
    return list(db.session.scalars(_page(query, after, limit)))


def record_for(volunteer: Volunteer, public_id: str) -> ServiceRecord:
    """A record of one's own; a neighbour's is Missing."""
    return _one(_whole().where(ServiceRecord.volunteer_id.in_(ids_of(volunteer))), public_id)


def record_in(within: Collection[Scope], public_id: str) -> ServiceRecord:
    """A record of an organiser in scope: who did not organise neither sees nor changes it (谁组织谁记录)."""
    return _one(_whole().where(_inside(within)), public_id)


def _inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return ServiceRecord.community_id.in_(people.community_ids(within))


def _whole() -> sa.Select[ServiceRecord]:
    volunteer = joinedload(ServiceRecord.volunteer)
    return sa.select(ServiceRecord).options(
        volunteer.joinedload(Volunteer.person),
        volunteer.joinedload(Volunteer.community),
        volunteer.selectinload(Volunteer.skills).joinedload(VolunteerSkill.skill),
        joinedload(ServiceRecord.community),
        joinedload(ServiceRecord.organisation),
    )


def _one(query: sa.Select[ServiceRecord], public_id: str) -> ServiceRecord:
    found = db.session.scalar(query.where(ServiceRecord.public_id == public_id))
    if found is None:
        raise Missing
    return found


def _page(query: sa.Select[Any], after: str, limit: int) -> sa.Select[Any]:
    """The next rows of a list that begins with the latest: where it goes on is read from the row it ended with."""
    if after:
        last = sa.select(ServiceRecord.starts_at, ServiceRecord.id).where(ServiceRecord.public_id == after[:32])
        found = db.session.execute(last).one_or_none()
        if found is not None:
            earlier = sa.and_(ServiceRecord.starts_at == found[0], ServiceRecord.id < found[1])
            query = query.where(sa.or_(ServiceRecord.starts_at < found[0], earlier))
    return query.order_by(ServiceRecord.starts_at.desc(), ServiceRecord.id.desc()).limit(limit + 1)


def versions(record: ServiceRecord) -> list[RecordVersion]:
    """How a record stood before each change, the latest first."""
    query = sa.select(RecordVersion).where(RecordVersion.record_id == record.id)
    return list(db.session.scalars(query.order_by(RecordVersion.version.desc(), RecordVersion.id.desc())))


def history(record: ServiceRecord) -> list[tuple[RecordVersion, list[tuple[str, str, str]]]]:
    """Each change with what it changed, the latest first."""
    after, found = recording.snapshot(record), []
    for version in versions(record):
        found.append((version, record_words.differences(version.facts, after)))
        after = version.facts
    return found


def records_in(within: Collection[Scope], asked: Asked, *, after: str = "", limit: int = PAGE) -> list[ServiceRecord]:
    """A page of the records of organisers in scope, the latest first, one more than fits."""
    query = sa.select(ServiceRecord).where(_inside(within)).join(ServiceRecord.volunteer).join(Volunteer.person)
    query = query.options(sa.orm.contains_eager(ServiceRecord.volunteer).contains_eager(Volunteer.person))
    for condition in _conditions(asked):
        query = query.where(condition)
    return list(db.session.scalars(_page(query, after, limit)))


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [_shown(asked.show)]
    if asked.q:
        found.append(
            sa.or_(
                Person.name == asked.q,
                Person.initials == search.initials(asked.q),
                Volunteer.number == asked.q.upper(),
                ServiceRecord.activity == asked.q,
            )
        )
    if asked.month:
        found.append(in_month(asked.month))
    if asked.kind:
        found.append(ServiceRecord.kind == asked.kind)
    return found


def _shown(show: str) -> sa.ColumnElement[bool]:
    counts = ServiceRecord.state == RecordState.RECORDED
    if show == "void":
        return ServiceRecord.state == RecordState.VOID
    if show == "unrated":
        return sa.and_(counts, ServiceRecord.quality.is_(None))
    return counts


def in_month(month: date) -> sa.ColumnElement[bool]:
    """That a service began in the month of a day."""
    first = month.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    start, end = day_bounds(first)[0], day_bounds(following)[0]
    return sa.and_(ServiceRecord.starts_at >= start, ServiceRecord.starts_at < end)


def due_in(within: Collection[Scope], *, limit: int = 100) -> list[Due]:
    """Attendances of shifts that are over and have no record, the oldest first, each with its term."""
    query = _unrecorded(within).options(*recording.loaded()).order_by(Signup.starts_at, Attendance.id).limit(limit)
    found = list(db.session.scalars(query))
    if not found:
        return []
    day, term = today(), recording.term()
    times = working.WorkingTime(min(_day(one.signup.starts_at) for one in found), ANY_HOURS)
    listed = []
    for one in found:
        served = _day(one.signup.starts_at)
        due_on = times.last_day(served, term)
        listed.append(Due(one, due_on, _days_left(times, day, due_on)))
    return listed


def _day(moment: datetime) -> date:
    return clock.local(moment).date()


def _days_left(times: working.WorkingTime, day: date, due_on: date) -> int:
    """Working days from a day to the last of a term; below nothing once it is over."""
    first, last, sign = (day, due_on, 1) if day <= due_on else (due_on, day, -1)
    count = sum(times.works(first + timedelta(days=turn)) for turn in range(1, (last - first).days + 1))
    return sign * max(count, 1 if sign < 0 else 0)


def days_left(due_on: date) -> int:
    """The same of one term, for a page about one record."""
    day = today()
    return _days_left(working.WorkingTime(min(day, due_on), ANY_HOURS), day, due_on)


def _over(within: Collection[Scope]) -> sa.Select[Attendance]:
    """Attendances of shifts that are over, of organisers in scope."""
    return (
        sa.select(Attendance)
        .join(Attendance.signup)
        .join(Signup.shift)
        .join(Shift.activity)
        .where(Activity.community_id.in_(people.community_ids(within)), Signup.ends_at <= now())
    )


def _unrecorded(within: Collection[Scope]) -> sa.Select[Attendance]:
    """Those that ought to have a record and have none; confirmed as less than a step of a record they need none."""
    counts = sa.or_(
        Attendance.minutes.is_(None), Attendance.minutes >= RECORD_STEP, Attendance.state != HoursState.CONFIRMED
    )
    return _over(within).where(Signup.state.in_(UNRECORDED), counts, _lacks_record())


def _lacks_record() -> sa.ColumnElement[bool]:
    """That no record stands for an attendance, or one that waits for its hours to be confirmed anew."""
    settled = sa.select(ServiceRecord.id).where(
        ServiceRecord.signup_id == Attendance.signup_id, sa.not_(recording.waits())
    )
    return sa.not_(settled.exists())


def count_due(within: Collection[Scope]) -> int:
    return int(db.session.scalar(sa.select(sa.func.count()).select_from(_unrecorded(within).subquery())) or 0)


def count_late(within: Collection[Scope]) -> int:
    """How many of these are past their term. Only the oldest can be: no term is shorter than its working days."""
    oldest = due_in(within, limit=50)
    return sum(one.left < 0 for one in oldest)


def attendance_in(within: Collection[Scope], attendance_id: int) -> Attendance:
    query = _over(within).where(Attendance.id == attendance_id).options(*recording.loaded())
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def confirmed_unrecorded(limit: int = 200) -> list[int]:
    """Confirmed attendances of shifts that are over without a record, for the job that records what an event missed."""
    query = (
        sa.select(Attendance.id)
        .where(Attendance.state == HoursState.CONFIRMED, Attendance.minutes >= RECORD_STEP, _lacks_record())
        .order_by(Attendance.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def evidence(record: ServiceRecord) -> Attendance | None:
    """The attendance that a record stands on; None where it was recorded by hand."""
    if record.signup_id is None:
        return None
    return db.session.scalar(sa.select(Attendance).where(Attendance.signup_id == record.signup_id))


def trainings_of(volunteer: Volunteer) -> list[Training]:
    query = sa.select(Training).where(Training.volunteer_id.in_(ids_of(volunteer)))
    return list(db.session.scalars(query.order_by(Training.held_on.desc(), Training.id.desc())))


def awards_of(volunteer: Volunteer) -> list[Award]:
    query = sa.select(Award).where(Award.volunteer_id.in_(ids_of(volunteer)))
    return list(db.session.scalars(query.order_by(Award.given_on.desc(), Award.id.desc())))
