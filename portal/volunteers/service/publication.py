"""What is published: the hours of a month by community, certificates and stars under notice; names masked."""

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.areas.models import Area, AreaKind
from portal.core import masking
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.volunteers.models.codes import CertificateState, RecordState, StarState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import ServiceCertificate, ServiceRecord, Star
from portal.volunteers.service.records import in_month

PAGE = 60
MONTHS = 12


@dataclass(frozen=True)
class Given:
    """What one volunteer gave in a month."""

    name: str
    number: str
    count: int
    minutes: int


@dataclass(frozen=True)
class Month:
    """A community's month: how many volunteers, services and minutes in all, and a page of the lines."""

    people: int
    count: int
    minutes: int
    lines: list[Given]
    more: bool


def communities() -> list[Area]:
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code, Area.id)
    return list(db.session.scalars(query))


def community(code: str) -> Area:
    found = db.session.scalar(sa.select(Area).where(Area.kind == AreaKind.COMMUNITY, Area.code == code))
    if found is None:
        raise Missing
    return found


def shown_name(name: str, *, in_full: bool) -> str:
    """In full only where the volunteer agreed to it (志愿服务条例 20)."""
    return name if in_full else masking.mask_name(name)


def months(count: int = MONTHS) -> list[date]:
    """The first days of the latest months, this one first."""
    first = today().replace(day=1)
    found = []
    for _turn in range(count):
        found.append(first)
        first = (first - timedelta(days=1)).replace(day=1)
    return found


def month_of(place: Area, month: date, *, page: int = 1, limit: int = PAGE) -> Month:
    """What volunteers gave to activities of a community in a month, the most first."""
    where = (
        ServiceRecord.community_id == place.id,
        ServiceRecord.state == RecordState.RECORDED,
        in_month(month),
    )
    minutes, count = sa.func.sum(ServiceRecord.minutes), sa.func.count(ServiceRecord.id)
    totals = sa.select(sa.func.count(sa.distinct(ServiceRecord.volunteer_id)), count, minutes).where(*where)
    persons, services, given = db.session.execute(totals).one()
    query = (
        sa.select(Person.name, Volunteer.number, Volunteer.shows_name, count, minutes)
        .select_from(ServiceRecord)
        .join(ServiceRecord.volunteer)
        .join(Volunteer.person)
        .where(*where)
        .group_by(Volunteer.id, Person.name, Volunteer.number, Volunteer.shows_name)
        .order_by(minutes.desc(), Volunteer.id)
        .limit(limit + 1)
        .offset((page - 1) * limit)
    )
    rows = db.session.execute(query).all()
    lines = [
        Given(shown_name(name, in_full=shows), number, times, int(total))
        for name, number, shows, times, total in rows[:limit]
    ]
    return Month(persons, services, int(given or 0), lines, len(rows) > limit)


def certificates_noticed(place: Area) -> list[ServiceCertificate]:
    """Certificates under notice today, which anybody may object to."""
    query = (
        sa.select(ServiceCertificate)
        .where(
            ServiceCertificate.community_id == place.id,
            ServiceCertificate.state == CertificateState.NOTICED,
            ServiceCertificate.notice_until >= today(),
        )
        .options(
            joinedload(ServiceCertificate.volunteer).joinedload(Volunteer.person),
            joinedload(ServiceCertificate.organisation),
        )
    )
    return list(db.session.scalars(query.order_by(ServiceCertificate.notice_until, ServiceCertificate.id).limit(200)))


def stars_published(place: Area) -> list[Star]:
    """Stars under notice, and below them those awarded in the last year."""
    since = today() - timedelta(days=365)
    shown = sa.or_(
        Star.state == StarState.PUBLISHED, sa.and_(Star.state == StarState.AWARDED, Star.awarded_on >= since)
    )
    query = (
        sa.select(Star)
        .where(Star.community_id == place.id, shown)
        .options(joinedload(Star.volunteer).joinedload(Volunteer.person))
    )
    order = (sa.case((Star.state == StarState.PUBLISHED, 0), else_=1), Star.level.desc(), Star.id)
    return list(db.session.scalars(query.order_by(*order).limit(200)))
