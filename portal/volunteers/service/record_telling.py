"""Notices about records, certificates and stars, written in the transaction that made them true."""

from datetime import date

from portal.core import clock, outbox
from portal.core.outbox import Recipient
from portal.volunteers.models.records import Correction, ServiceCertificate, ServiceRecord, Star
from portal.volunteers.service.signup_words import long_day


def when(record: ServiceRecord) -> str:
    """The day and the times of a record: 2026年11月20日 09:00–11:30."""
    starts, ends = clock.local(record.starts_at), clock.local(record.ends_at)
    return f"{long_day(starts.date())} {starts:%H:%M}–{ends:%H:%M}"


def _plain(record: ServiceRecord) -> str:
    """The same in figures alone, for `when_said`: a notice is read in another language than that of who caused it."""
    starts, ends = clock.local(record.starts_at), clock.local(record.ends_at)
    return f"{starts:%Y-%m-%d %H:%M}–{ends:%H:%M}"


def when_said(plain: str) -> str:
    """The same in words, of what a notice's facts hold in figures."""
    day, _space, hours = plain.partition(" ")
    return f"{long_day(date.fromisoformat(day))} {hours}"


def tell(event: str, record: ServiceRecord, *, reason: str = "") -> None:
    outbox.enqueue(
        event,
        to=record.volunteer.person.ref,
        person=record.volunteer.person.name,
        activity=record.activity,
        when=_plain(record),
        hours=f"{record.minutes / 60:.1f}",
        organiser=record.organiser,
        reason=reason,
    )


def tell_correction(correction: Correction, *, accepted: int, refused: int) -> None:
    """What became of a wish: how many of its fields were taken over, and the answer."""
    outbox.enqueue(
        "volunteers.correction_answered",
        to=correction.volunteer.person.ref,
        person=correction.volunteer.person.name,
        activity=correction.record.activity if correction.record else "",
        accepted=accepted,
        refused=refused,
        answer=correction.answer,
    )


def tell_certificate(event: str, certificate: ServiceCertificate, *, reason: str = "") -> None:
    until = certificate.notice_until.isoformat() if certificate.notice_until else ""
    outbox.enqueue(
        event,
        to=certificate.volunteer.person.ref,
        person=certificate.volunteer.person.name,
        number=certificate.number or "",
        until=until,
        reason=reason,
    )


def tell_maker(certificate: ServiceCertificate, fault: str) -> None:
    """Tell who issued it that the paper could not be made, and why."""
    if certificate.issued_by:
        outbox.enqueue(
            "volunteers.certificate_stuck",
            to=Recipient("account", certificate.issued_by),
            person=certificate.volunteer.person.name,
            number=certificate.number or "",
            fault=fault,
        )


def tell_star(event: str, star: Star, *, reason: str = "") -> None:
    outbox.enqueue(
        event,
        to=star.volunteer.person.ref,
        person=star.volunteer.person.name,
        level=star.level,
        until=star.published_until.isoformat() if star.published_until else "",
        reason=reason,
    )
