"""The demonstration's records: what attendance left behind, long service, a wish, certificates, stars."""

from dataclasses import asdict, replace
from datetime import date, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area
from portal.core import clock
from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import insert
from portal.core.working import WorkingTime
from portal.identity.models import Account
from portal.registry.models import Person
from portal.volunteers.models.codes import HoursState, ServiceKind, VolunteerState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import RecordedTime, ServiceCertificate, ServiceRecord, Star
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import certificates, corrections, recording, stars
from portal.volunteers.service.recording import RecordFacts

ALWAYS, RESPONSIBLE, CONTACT = "李小红", "陈建华", "0571-88880000"
# weeks of an evening's round: enough for a first star
WEEKS = 38


def build_records(session: Session, community: Area) -> None:
    """Records of what was confirmed; the rest by hand, by the worker of the community."""
    by = _worker(session)
    stars.seed(by="街道管理员")
    _from_attendance(session)
    mine, other, third = _three(session, community)
    for volunteer in (mine, other):
        _rounds(volunteer, community, by)
    session.flush()
    _star(mine, by, days_ago=40)
    stars.publish(stars.apply(other, 1), by=by)
    _wish(session, mine)
    _certificates(mine, other, third, by)
    # Its papers are drawn by the sweep; nobody waits for them while the street is loaded.
    session.info.pop("after_commit", None)


def _worker(session: Session) -> Actor:
    account = session.scalars(sa.select(Account).where(Account.username == "worker")).one()
    return Actor(account.id, account.public_id, account.name, account.platform, (), 0, now())


def _from_attendance(session: Session) -> None:
    """As if each had been recorded on the day after, a third rated: hundreds, so written at once and not told."""
    query = (
        sa.select(Attendance)
        .join(Attendance.signup)
        .where(Attendance.state == HoursState.CONFIRMED, Attendance.minutes >= 6, Signup.ends_at < now())
        .options(*recording.loaded())
        .order_by(Signup.starts_at, Attendance.id)
    )
    made = []
    for number, attendance in enumerate(session.scalars(query)):
        # The latest few wait on the worker's page.
        if attendance.signup.ends_at < now() - timedelta(hours=30) or number % 3:
            made.append(_recorded(attendance, number))
    times = WorkingTime(min(clock.local(record.starts_at).date() for record in made))
    for record in made:
        record.due_on = times.last_day(clock.local(record.starts_at).date(), 10)
    session.add_all(made)
    session.flush()
    insert(RecordedTime, *(row for record in made for row in recording.steps(record)))


def _recorded(attendance: Attendance, number: int) -> ServiceRecord:
    signup, activity = attendance.signup, attendance.signup.shift.activity
    facts = recording.facts_of(attendance)
    made = ServiceRecord(
        **asdict(facts),
        volunteer_id=signup.volunteer_id,
        signup_id=signup.id,
        community_id=activity.community_id,
        organisation_id=activity.organisation_id,
        organiser=recording.organiser_name(activity.community, activity.organisation),
        recorded_by=recording.SYSTEM,
        recorded_by_name=attendance.confirmed_by_name or recording.BY_MARKS,
        recorded_at=min(facts.ends_at + timedelta(hours=20 + number % 5), now()),
    )
    if number % 3 == 0:
        made.quality, made.rated_on = 5 - number % 2, min(clock.local(made.recorded_at).date(), today())
    return made


def _three(session: Session, community: Area) -> tuple[Volunteer, Volunteer, Volunteer]:
    """李小红 first, then those who gave most."""
    minutes = sa.select(sa.func.sum(ServiceRecord.minutes)).where(ServiceRecord.volunteer_id == Volunteer.id)
    query = (
        sa.select(Volunteer)
        .join(Volunteer.person)
        .where(Volunteer.community_id == community.id, Volunteer.state == VolunteerState.ACTIVE)
        .order_by(
            sa.case((Person.name == ALWAYS, 0), else_=1), minutes.scalar_subquery().desc().nulls_last(), Volunteer.id
        )
        .limit(3)
    )
    first, second, third = session.scalars(query).all()
    return first, second, third


def _rounds(volunteer: Volunteer, community: Area, by: Actor) -> None:
    """An evening's round each week, three hours, since the spring."""
    for week in range(WEEKS):
        day = _day(week)
        facts = RecordFacts(
            activity="平安夜巡",
            kind=ServiceKind.ORDER,
            content="在小区夜间巡查，提醒消防通道和用电安全",
            place=f"{community.name}各小区",
            leader_name=by.name,
            starts_at=clock.at(day, time(19, 30)),
            ends_at=clock.at(day, time(22, 30)),
            minutes=180,
        )
        made = recording.record_by_hand(volunteer, community, None, facts, by=by)
        made.recorded_at = made.ends_at + timedelta(hours=11)


def _day(week: int) -> date:
    """A Wednesday so many weeks ago, never today."""
    return today() - timedelta(days=today().weekday() + 5 + 7 * week)


def _star(volunteer: Volunteer, by: Actor, *, days_ago: int) -> None:
    """One that was published some weeks ago, and so is awarded."""
    star: Star = stars.apply(volunteer, 1)
    stars.publish(star, by=by)
    star.applied_at = now() - timedelta(days=days_ago)
    star.reviewed_at = now() - timedelta(days=days_ago - 2)
    star.published_until = today() - timedelta(days=days_ago - 10)
    stars.award(star.id)
    star.awarded_on = today() - timedelta(days=days_ago - 11)


def _wish(session: Session, volunteer: Volunteer) -> None:
    query = sa.select(ServiceRecord).where(ServiceRecord.volunteer_id == volunteer.id)
    record = session.scalars(query.order_by(ServiceRecord.starts_at.desc(), ServiceRecord.id).limit(1)).one()
    facts = recording.current_facts(record)
    longer = replace(facts, ends_at=facts.ends_at + timedelta(minutes=30), minutes=facts.minutes + 30)
    if longer.ends_at < now():
        corrections.ask(volunteer, record, longer, reason="那天多做了半个小时，负责人可以作证")


def _certificates(mine: Volunteer, other: Volunteer, third: Volunteer, by: Actor) -> None:
    """One that stands, one that was revoked, one that waits."""
    issued = _ask(mine, "社区表彰")
    certificates.issue(issued, responsible=RESPONSIBLE, contact=CONTACT, by=by)
    gone = _ask(other, "求职")
    certificates.issue(gone, responsible=RESPONSIBLE, contact=CONTACT, by=by)
    certificates.revoke(gone, reason="有一次服务时间记错，更正后另开", by=by)
    _ask(third, "评优")


def _ask(volunteer: Volunteer, use: str) -> ServiceCertificate:
    organiser = certificates.organisers_of(volunteer)[0]
    first = today() - timedelta(days=300)
    return certificates.ask(volunteer, organiser, first, today(), use=use, with_number=False)
