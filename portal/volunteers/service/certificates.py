"""Certificates (67号令 15-17): one organiser's records of some days, issued on wish, published first where that is set,
verified by everybody, revoked with a reason. What one says is frozen when it is issued.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit, clock, ids, jobs, masking, settings
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Organisation
from portal.registry.service import words as registry
from portal.volunteers.models.codes import CERTIFICATE_MOVES, CertificateState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.records import CertificatePaper, ServiceCertificate, ServiceRecord
from portal.volunteers.service import people, record_telling, recording, records

NOTICE = "volunteers.certificate_notice_days"
settings.declare(
    NOTICE,
    default=0,
    label=lambda: _("志愿服务证明开具前公示几天（0 为不公示）"),
    unit=lambda: _("天"),
    least=0,
    most=30,
)
PAPER_JOB = "volunteers.certificate_paper"
PAGE = 30
OPEN = (CertificateState.REQUESTED, CertificateState.NOTICED)
TABS: dict[str, tuple[CertificateState, ...]] = {
    "requested": (CertificateState.REQUESTED,),
    "noticed": (CertificateState.NOTICED,),
    "issued": (CertificateState.ISSUED,),
    "ended": (CertificateState.REFUSED, CertificateState.REVOKED, CertificateState.WITHDRAWN),
}


@dataclass(frozen=True)
class Organiser:
    """Who recorded some of a volunteer's hours, and so may certify these and no others."""

    community: Area
    organisation: Organisation | None
    minutes: int
    count: int

    @property
    def key(self) -> str:
        return f"{self.community.id}-{self.organisation.id if self.organisation else 0}"

    @property
    def name(self) -> str:
        return recording.organiser_name(self.community, self.organisation)


@dataclass(frozen=True)
class Verification:
    """The least that says whether a certificate is true."""

    number: str
    name: str
    minutes: int
    organiser: str
    issued_on: date
    revoked_on: date | None
    reason: str


def organisers_of(volunteer: Volunteer) -> list[Organiser]:
    """Who recorded her hours, the most first."""
    minutes, count = sa.func.sum(ServiceRecord.minutes), sa.func.count(ServiceRecord.id)
    sums = (
        sa.select(
            ServiceRecord.community_id, ServiceRecord.organisation_id, minutes.label("minutes"), count.label("times")
        )
        .where(records.counting(volunteer))
        .group_by(ServiceRecord.community_id, ServiceRecord.organisation_id)
        .subquery()
    )
    query = (
        sa.select(Area, Organisation, sums.c.minutes, sums.c.times)
        .select_from(sums)
        .join(Area, sums.c.community_id == Area.id)
        .outerjoin(Organisation, sums.c.organisation_id == Organisation.id)
        .order_by(sums.c.minutes.desc(), Area.id, Organisation.id)
    )
    return [Organiser(area, body, int(given), times) for area, body, given, times in db.session.execute(query)]


def _span(
    volunteer: Volunteer, community_id: int, organisation_id: int | None, first: date, last: date
) -> sa.ColumnElement[bool]:
    """The records that one organiser may certify: its own, of some days."""
    start, end = clock.day_bounds(first)[0], clock.day_bounds(last)[1]
    own: sa.ColumnElement[bool] = ServiceRecord.organisation_id.is_(None)
    if organisation_id is not None:
        own = ServiceRecord.organisation_id == organisation_id
    return sa.and_(
        records.counting(volunteer),
        ServiceRecord.community_id == community_id,
        own,
        ServiceRecord.starts_at >= start,
        ServiceRecord.starts_at < end,
    )


def certified(certificate: ServiceCertificate) -> list[ServiceRecord]:
    """The records a certificate is about, the earliest first."""
    which = (certificate.community_id, certificate.organisation_id, certificate.first_day, certificate.last_day)
    query = sa.select(ServiceRecord).where(_span(certificate.volunteer, *which))
    return list(db.session.scalars(query.order_by(ServiceRecord.starts_at, ServiceRecord.id)))


def ask(
    volunteer: Volunteer, organiser: Organiser, first: date, last: date, *, use: str, with_number: bool
) -> ServiceCertificate:
    """Ask one organiser for a certificate of some days."""
    if last < first:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    if last > today():
        raise Refused(_("结束日期不能晚于今天。"), field="last_day")
    organisation_id = organiser.organisation.id if organiser.organisation else None
    which = _span(volunteer, organiser.community.id, organisation_id, first, last)
    minutes = db.session.scalar(sa.select(sa.func.sum(ServiceRecord.minutes)).where(which))
    if not minutes:
        raise Refused(_("这段日期里没有这个单位的服务记录。请看“我的志愿时间”，换一段日期。"), field="first_day")
    if _asked_already(volunteer, organiser, first, last):
        raise Refused(_("同样的证明已经申请过，正在办理，请等结果。"))
    made = ServiceCertificate(
        volunteer=volunteer,
        community=organiser.community,
        organisation=organiser.organisation,
        first_day=first,
        last_day=last,
        use=use,
        minutes=minutes,
        with_number=with_number,
    )
    db.session.add(made)
    db.session.flush()
    audit.record("volunteers.certificate_asked", made, minutes=int(minutes))
    return made


def _asked_already(volunteer: Volunteer, organiser: Organiser, first: date, last: date) -> bool:
    query = sa.select(ServiceCertificate.id).where(
        ServiceCertificate.volunteer_id.in_(records.ids_of(volunteer)),
        ServiceCertificate.community_id == organiser.community.id,
        ServiceCertificate.organisation_id == (organiser.organisation.id if organiser.organisation else None),
        ServiceCertificate.first_day == first,
        ServiceCertificate.last_day == last,
        ServiceCertificate.state.in_(OPEN),
    )
    return db.session.scalar(query.limit(1)) is not None


def issue(certificate: ServiceCertificate, *, responsible: str, contact: str, by: Actor) -> None:
    """Issue it, or where the setting says so publish it first: the job then issues what nobody objected to."""
    if certificate.state is not CertificateState.REQUESTED:
        raise Refused(_("这份申请刚才已经办理过了，请刷新页面再看。"))
    notice = settings.get(NOTICE)
    certificate.responsible, certificate.contact = responsible, contact
    certificate.issued_by, certificate.issued_by_name = by.public_id, by.name
    if not notice:
        _issue(certificate)
        return
    _refuse_empty(certificate)
    _move(certificate, CertificateState.NOTICED)
    certificate.notice_until = today() + timedelta(days=notice)
    audit.record("volunteers.certificate_noticed", certificate, until=certificate.notice_until.isoformat())
    record_telling.tell_certificate("volunteers.certificate_noticed", certificate)


def _refuse_empty(certificate: ServiceCertificate) -> list[ServiceRecord]:
    found = certified(certificate)
    if not found:
        raise Refused(_("这段日期里已经没有有效的服务记录，不能开具。请写明原因，不予开具。"))
    return found


def _issue(certificate: ServiceCertificate) -> None:
    found = _refuse_empty(certificate)
    _move(certificate, CertificateState.ISSUED)
    moment = now()
    certificate.issued_at = moment
    certificate.minutes = sum(record.minutes for record in found)
    with unique_or(Refused(_("刚才同时开出了另一份证明，请再点一次。"))):
        certificate.number = _next_number(certificate)
        certificate.facts = _frozen(certificate, found)
        certificate.id_number = certificate.volunteer.person.id_number if certificate.with_number else None
    audit.record("volunteers.certificate_issued", certificate, number=certificate.number, minutes=certificate.minutes)
    jobs.enqueue(PAPER_JOB, certificate_id=certificate.id)


def _next_number(certificate: ServiceCertificate) -> str:
    """ZY, the community's last six figures, the year and a running number."""
    head = f"ZY{certificate.community.code[-6:]}{today().year}"
    query = sa.select(sa.func.max(ServiceCertificate.number)).where(ServiceCertificate.number.like(f"{head}%"))
    with db.session.no_autoflush:
        latest = db.session.scalar(query)
    return f"{head}{int(latest.removeprefix(head)) + 1 if latest else 1:05d}"


def _frozen(certificate: ServiceCertificate, found: list[ServiceRecord]) -> dict[str, Any]:
    """What the paper says for ever, whatever becomes of the records. The whole number of a document stays sealed."""
    person = certificate.volunteer.person
    activities: dict[str, dict[str, Any]] = {}
    for record in found:
        day = clock.local(record.starts_at).date().isoformat()
        line = activities.setdefault(
            record.activity, {"content": record.content, "count": 0, "minutes": 0, "first": day, "last": day}
        )
        line["count"] += 1
        line["minutes"] += record.minutes
        line["last"] = max(line["last"], day)
    return {
        "name": person.name,
        "id_kind": registry.id_kind(person.id_kind),
        "id_masked": masking.mask_id(person.id_number or person.temporary_number or ""),
        "volunteer": certificate.volunteer.number,
        "organiser": recording.organiser_name(certificate.community, certificate.organisation),
        "count": len(found),
        "activities": [{"activity": name, **line} for name, line in activities.items()],
    }


def finish_notice(certificate_id: int) -> None:
    """Issue one whose notice is over; where its records are gone meanwhile, refuse it with that reason."""
    found = db.session.scalar(_whole().where(ServiceCertificate.id == certificate_id))
    if found is None or found.state is not CertificateState.NOTICED or not _is_over(found):
        return
    if certified(found):
        _issue(found)
    else:
        refuse(found, reason=_("公示期间服务记录已经作废，没有可以证明的服务时间。"))


def _is_over(certificate: ServiceCertificate) -> bool:
    return certificate.notice_until is not None and certificate.notice_until < today()


def notices_over() -> list[int]:
    query = sa.select(ServiceCertificate.id).where(
        ServiceCertificate.state == CertificateState.NOTICED, ServiceCertificate.notice_until < today()
    )
    return list(db.session.scalars(query.order_by(ServiceCertificate.notice_until, ServiceCertificate.id)))


def refuse(certificate: ServiceCertificate, *, reason: str) -> None:
    if certificate.state not in OPEN:
        raise Refused(_("这份申请刚才已经办理过了，请刷新页面再看。"))
    _move(certificate, CertificateState.REFUSED)
    certificate.state_reason = reason
    audit.record("volunteers.certificate_refused", certificate, reason=reason)
    record_telling.tell_certificate("volunteers.certificate_refused", certificate, reason=reason)


def withdraw(certificate: ServiceCertificate) -> None:
    """The volunteer needs it no more, or asked for other days."""
    if certificate.state not in OPEN:
        raise Refused(_("这份申请已经办理过了，不能再撤回。请刷新页面再看。"))
    _move(certificate, CertificateState.WITHDRAWN)
    audit.record("volunteers.certificate_withdrawn", certificate)


def revoke(certificate: ServiceCertificate, *, reason: str, by: Actor) -> None:
    """Take it back: the page of verification says so at once, with the day and the reason."""
    if certificate.state is not CertificateState.ISSUED:
        raise Refused(_("只有已开具的证明可以撤销，请刷新页面再看。"))
    _move(certificate, CertificateState.REVOKED)
    certificate.state_reason, certificate.revoked_at, certificate.revoked_by_name = reason, now(), by.name
    audit.record("volunteers.certificate_revoked", certificate, number=certificate.number, reason=reason)
    record_telling.tell_certificate("volunteers.certificate_revoked", certificate, reason=reason)


def remake(certificate: ServiceCertificate) -> None:
    """Try the paper again that could not be made, with what the register says now: nobody has it yet."""
    if certificate.state is not CertificateState.ISSUED or certificate.made_at is not None:
        raise Refused(_("这份证明已经做好，不用重做。"))
    found = _refuse_empty(certificate)
    certificate.minutes = sum(record.minutes for record in found)
    certificate.facts = _frozen(certificate, found)
    certificate.id_number = certificate.volunteer.person.id_number if certificate.with_number else None
    certificate.fault = ""
    audit.record("volunteers.certificate_remade", certificate)
    jobs.enqueue(PAPER_JOB, certificate_id=certificate.id)


def _move(certificate: ServiceCertificate, state: CertificateState) -> None:
    """From the state it was read in: who comes second is refused."""
    where = (ServiceCertificate.id == certificate.id, ServiceCertificate.state == certificate.state)
    may = state in CERTIFICATE_MOVES[certificate.state]
    if not may or not guarded(sa.update(ServiceCertificate).where(*where).values(state=state)):
        raise Refused(_("这份证明刚才被别人办理过了，请刷新页面再看。"))
    db.session.refresh(certificate, ["state"])


def verify(number: str, code: str) -> Verification | None:
    """What everybody may know who holds the paper: both number and code must be right."""
    cleaned = ids.check_short_code(code, 10)
    if cleaned is None:
        return None
    where = (ServiceCertificate.number == number.strip().upper()[:32], ServiceCertificate.code == cleaned)
    found = db.session.scalar(sa.select(ServiceCertificate).where(*where))
    if found is None or found.issued_at is None:
        return None
    return Verification(
        number=found.number or "",
        name=masking.mask_name(found.facts["name"]),
        minutes=found.minutes,
        organiser=found.facts["organiser"],
        issued_on=clock.local(found.issued_at).date(),
        revoked_on=clock.local(found.revoked_at).date() if found.revoked_at else None,
        reason=found.state_reason if found.revoked_at else "",
    )


def _whole() -> sa.Select[ServiceCertificate]:
    volunteer = joinedload(ServiceCertificate.volunteer)
    return sa.select(ServiceCertificate).options(
        volunteer.joinedload(Volunteer.person),
        joinedload(ServiceCertificate.community),
        joinedload(ServiceCertificate.organisation),
    )


def certificates_of(volunteer: Volunteer) -> list[ServiceCertificate]:
    query = _whole().where(ServiceCertificate.volunteer_id.in_(records.ids_of(volunteer)))
    return list(db.session.scalars(query.order_by(ServiceCertificate.asked_at.desc(), ServiceCertificate.id.desc())))


def certificate_for(volunteer: Volunteer, public_id: str) -> ServiceCertificate:
    return _one(_whole().where(ServiceCertificate.volunteer_id.in_(records.ids_of(volunteer))), public_id)


def _in(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    return ServiceCertificate.community_id.in_(people.community_ids(within))


def certificate_in(within: Collection[Scope], public_id: str) -> ServiceCertificate:
    return _one(_whole().where(_in(within)), public_id)


def certificates_in(within: Collection[Scope], tab: str, *, page: int = 1) -> list[ServiceCertificate]:
    """A page of a tab: what waits the longest first, what is done the latest first; one more than fits."""
    query = _whole().where(_in(within), ServiceCertificate.state.in_(TABS[tab]))
    order = (ServiceCertificate.asked_at, ServiceCertificate.id)
    if tab not in {"requested", "noticed"}:
        order = (ServiceCertificate.asked_at.desc(), ServiceCertificate.id.desc())  # type: ignore[assignment]
    return list(db.session.scalars(query.order_by(*order).limit(PAGE + 1).offset((page - 1) * PAGE)))


def counts(within: Collection[Scope]) -> dict[str, int]:
    """How many of each tab, and how many papers could not be made ("stuck"), in one question."""
    tabs = [
        sa.func.count(ServiceCertificate.id).filter(ServiceCertificate.state.in_(states)) for states in TABS.values()
    ]
    stuck = sa.func.count(ServiceCertificate.id).filter(
        ServiceCertificate.state == CertificateState.ISSUED, ServiceCertificate.fault != ""
    )
    row = db.session.execute(sa.select(*tabs, stuck).where(_in(within))).one()
    return dict(zip((*TABS, "stuck"), row, strict=True))


def has_void(certificate: ServiceCertificate) -> bool:
    """Whether what was certified is more than what counts now: a record was voided or shortened since."""
    return sum(record.minutes for record in certified(certificate)) < certificate.minutes


def paper_of(certificate: ServiceCertificate) -> CertificatePaper | None:
    return db.session.scalar(sa.select(CertificatePaper).where(CertificatePaper.certificate_id == certificate.id))


def unmade() -> list[int]:
    """Issued, without a paper and without a reason why: what a queue lost."""
    query = sa.select(ServiceCertificate.id).where(
        ServiceCertificate.state == CertificateState.ISSUED,
        ServiceCertificate.made_at.is_(None),
        ServiceCertificate.fault == "",
    )
    return list(db.session.scalars(query.order_by(ServiceCertificate.id).limit(50)))


def _one(query: sa.Select[ServiceCertificate], public_id: str) -> ServiceCertificate:
    found = db.session.scalar(query.where(ServiceCertificate.public_id == public_id))
    if found is None:
        raise Missing
    return found
