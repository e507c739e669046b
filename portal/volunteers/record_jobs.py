"""Background work of records: what was confirmed is recorded, papers are drawn, notices end, stars are awarded."""

from flask import Flask, current_app

from portal.config import Config
from portal.core import events, web
from portal.core.each import each
from portal.core.jobs import EVERY_MINUTE, Jobs, Scheduled
from portal.volunteers.service import attending, certificate_paper, certificates, following, records, stars


def record_confirmed() -> None:
    """Confirmed hours that an event missed."""
    each(records.confirmed_unrecorded(), lambda number: following.on_hours_confirmed(attendance_id=number))


def end_notices() -> None:
    """Certificates and stars whose publication is over."""
    each(certificates.notices_over(), certificates.finish_notice)
    each(stars.to_award(), stars.award)


def make_paper(certificate_id: int) -> None:
    config: Config = current_app.extensions["portal.config"]
    certificate_paper.make(certificate_id, font=config.static / certificate_paper.FONT, address=_verifying)


def _verifying(number: str, code: str) -> str:
    """The address of the page that verifies a paper; without a number, of the one that asks for it."""
    path = f"/volunteers/verify/{number}?code={code}" if number else "/volunteers/verify"
    return web.address(path)


def make_papers() -> None:
    """Papers that a queue lost."""
    each(certificates.unmade(), make_paper, own=False)


def register(jobs: Jobs) -> None:
    jobs.add("volunteers.record_confirmed", record_confirmed, Scheduled(minute="*/10", hour="*"))
    jobs.add("volunteers.end_notices", end_notices, Scheduled(minute="15", hour="0"))
    jobs.add(certificates.PAPER_JOB, make_paper)
    jobs.add("volunteers.certificate_papers", make_papers, EVERY_MINUTE)


def listen(app: Flask) -> None:
    events.subscribe(app, attending.CONFIRMED, following.on_hours_confirmed)
    events.subscribe(app, attending.CHANGED, following.on_hours_changed)
