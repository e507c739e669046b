"""The paper of a certificate: its words, drawn by a process of its own, kept sealed; or why it could not be made."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

import portal
from portal.core import audit, clock
from portal.core.db import db, transaction
from portal.core.errors import Missing
from portal.volunteers.models.codes import CertificateState
from portal.volunteers.models.records import CertificatePaper, ServiceCertificate
from portal.volunteers.service import certificates, record_telling, record_words
from portal.volunteers.service.signup_words import long_day

DRAWING = "portal.volunteers.service.certificate_drawing"
# What the drawing ends with when the font lacks a sign.
LACKS_A_SIGN = 3
LONGEST_SECONDS = 60
FONT = Path("vendor") / "fonts" / "portal-sans-sc.otf"
ROOT = Path(portal.__file__).resolve().parents[1]


class NotDrawn(Exception):
    """The paper could not be drawn; `str()` is the sentence a worker reads."""


def make(certificate_id: int, *, font: Path, address: Callable[[str, str], str]) -> None:
    """Draw and keep the paper of an issued certificate. `address` gives the page that verifies a number and a code.

    Commits by itself: reading, drawing (seconds, with no transaction open) and keeping. What began twice is kept once.
    """
    found = _waiting(certificate_id)
    if found is None:
        return
    said = content(found, font=font, address=address)
    db.session.rollback()
    try:
        body = drawn(said)
    except NotDrawn as fault:
        _stuck(certificate_id, str(fault))
        return
    _keep(certificate_id, body)


def _waiting(certificate_id: int) -> ServiceCertificate | None:
    query = sa.select(ServiceCertificate).where(
        ServiceCertificate.id == certificate_id, ServiceCertificate.made_at.is_(None)
    )
    return db.session.scalar(query.where(ServiceCertificate.state == CertificateState.ISSUED))


def drawn(said: dict[str, Any]) -> bytes:
    """The PDF. The drawing takes much memory: it has a process of its own, which gives it back."""
    try:
        done = subprocess.run(  # noqa: S603 our own module
            [sys.executable, "-m", DRAWING],
            input=json.dumps(said, ensure_ascii=False).encode(),
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    except subprocess.TimeoutExpired:
        raise _not_drawn() from None
    if done.returncode == LACKS_A_SIGN:
        sign = done.stdout.decode()
        code = f"U+{ord(sign):04X}"
        raise NotDrawn(
            _("字体里没有“%(sign)s”（%(code)s）这个字，证明做不出来。请联系维护人员补字。", sign=sign, code=code)
        )
    if done.returncode:
        raise _not_drawn()
    return done.stdout


def _not_drawn() -> NotDrawn:
    return NotDrawn(_("证明没有做出来，请点“重新制作”；还是不行的话，请联系维护人员。"))


def _stuck(certificate_id: int, fault: str) -> None:
    """Nothing is left blank: the certificate waits, and who issued it is told."""
    with transaction() as session:
        certificate = session.get_one(ServiceCertificate, certificate_id, populate_existing=True)
        certificate.fault = fault[:200]
        audit.record("volunteers.certificate_stuck", certificate)
        record_telling.tell_maker(certificate, fault)


def _keep(certificate_id: int, body: bytes) -> None:
    with transaction() as session:
        certificate = session.get_one(ServiceCertificate, certificate_id, populate_existing=True)
        if certificate.made_at is not None or certificate.state is not CertificateState.ISSUED:
            return
        session.add(CertificatePaper(certificate_id=certificate_id, body=base64.b64encode(body).decode()))
        certificate.made_at, certificate.fault = clock.now(), ""
        audit.record("volunteers.certificate_made", certificate, number=certificate.number)
        record_telling.tell_certificate("volunteers.certificate_issued", certificate)


def body_of(certificate: ServiceCertificate) -> bytes:
    """The PDF of a certificate that stands; one that was revoked is handed out no more."""
    paper = certificates.paper_of(certificate)
    if paper is None or certificate.state is not CertificateState.ISSUED:
        raise Missing
    return base64.b64decode(paper.body)


def content(certificate: ServiceCertificate, *, font: Path, address: Callable[[str, str], str]) -> dict[str, Any]:
    """The words of the paper, as the drawing takes them: the four parts of the layout of 2015."""
    facts, number = certificate.facts, certificate.number or ""
    issued = clock.local(certificate.issued_at or clock.now())
    first, last = long_day(certificate.first_day), long_day(certificate.last_day)
    hours = record_words.hours(certificate.minutes)
    statement = _(
        "兹证明%(name)s（志愿者编号 %(volunteer)s）于 %(first)s至%(last)s参加本单位组织的志愿服务 %(count)s 次，"
        "累计服务时间 %(hours)s 小时。",
        name=facts["name"],
        volunteer=facts["volunteer"],
        first=first,
        last=last,
        count=facts["count"],
        hours=hours,
    )
    return {
        "font": str(font),
        "title": _("志愿服务记录证明"),
        "statement": statement,
        "parts": _parts(certificate, first, last, hours),
        "table_after": 1,
        "head": [_("活动名称"), _("服务内容"), _("服务日期"), _("次数"), _("小时")],
        "rows": [_row(line) for line in facts["activities"]],
        "signed": [_("%(name)s（盖章）", name=facts["organiser"]), long_day(issued.date())],
        "verify": address(number, certificate.code),
        "verify_words": [
            _("扫码查验本证明，或打开"),
            address("", "").split("://")[-1],
            _("编号 %(number)s", number=number),
            _("查验码 %(code)s", code=certificate.code),
        ],
        "note": _("依据《志愿服务记录与证明出具办法（试行）》出具，不得用于以营利为目的的活动。"),
        "subject": number,
        "made_at": issued.isoformat(),
    }


def _parts(
    certificate: ServiceCertificate, first: str, last: str, hours: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    facts = certificate.facts
    issued = clock.local(certificate.issued_at or clock.now()).date()
    ends = [(_("证明编号"), certificate.number or ""), (_("出具日期"), long_day(issued))]
    if certificate.use:
        ends.append((_("用途"), certificate.use))
    return [
        (
            _("一、志愿者"),
            [
                (_("姓名"), facts["name"]),
                (facts["id_kind"], certificate.id_number or facts["id_masked"]),
                (_("志愿者编号"), facts["volunteer"]),
            ],
        ),
        (
            _("二、服务时间和内容"),
            [
                (_("服务起止"), _("%(first)s至%(last)s", first=first, last=last)),
                (_("服务时间"), _("%(hours)s 小时（%(count)s 次）", hours=hours, count=facts["count"])),
            ],
        ),
        (
            _("三、出具单位"),
            [
                (_("名称"), facts["organiser"]),
                (_("负责人"), certificate.responsible),
                (_("经办人"), certificate.issued_by_name),
                (_("联系方式"), certificate.contact),
            ],
        ),
        (_("四、证明"), ends),
    ]


def _row(line: dict[str, Any]) -> list[str]:
    days = first = long_day(date.fromisoformat(line["first"]))
    if line["last"] != line["first"]:
        days = "\n".join((_("%(first)s 至", first=first), long_day(date.fromisoformat(line["last"]))))
    # What was written in several lines stands in one: the font has no shape for the end of a line.
    content = " ".join(line["content"].split())[:120]
    return [line["activity"], content, days, str(line["count"]), record_words.hours(line["minutes"])]


def handed_out(certificate: ServiceCertificate) -> bytes:
    """The PDF for a worker, whom the audit names."""
    body = body_of(certificate)
    audit.record(
        "volunteers.certificate_taken",
        certificate,
        on_behalf_of=certificate.volunteer.person.public_id,
        number=certificate.number,
        whole=certificate.with_number,
    )
    return body
