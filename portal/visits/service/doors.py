"""The doors of care visits, which home calls."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock, settings
from portal.core.access import Actor, scopes_of
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.visits.models import (
    OPEN,
    REFERRAL_OPEN,
    Attempt,
    CareWish,
    CheckState,
    Finding,
    Referral,
    ReferralMove,
    SafetyCheck,
    SafetyStep,
    Visit,
    VisitPhoto,
)
from portal.visits.service import checks, loads, passing, recording, referrals, visiting, wishes
from portal.visits.service.visiting import Tab
from portal.visits.service.words import care, party_words, record_lines

KEPT = "visits.kept_days"
settings.declare(
    KEPT,
    default=1826,
    label=lambda: _("探访记录保存多少天"),
    unit=lambda: _("天"),
    least=365,
    most=3660,
)


def todo_of(worker: Actor) -> list[Todo]:
    """What a worker's day holds here: safety checks first, then late visits, today's, referrals."""
    within = scopes_of(worker, Permission.VISITS_DO)
    if not within:
        return []
    day = today()
    running, pressing = checks.pressing(within)
    counts = visiting.counts(within, worker.public_id, day)
    referred, late = referrals.open_count(within, worker.public_id, day)
    unasked = wishes.says_not_needed(within)
    overdue = pressing is not None and pressing < now()
    found = [
        Todo(
            _("要马上确认平安的人"),
            "visits.worker.checks",
            count=running,
            due=pressing,
            late=overdue,
        ),
        Todo(_("逾期没有探访"), "visits.worker.index", {"tab": "late"}, counts[Tab.LATE], late=True),
        Todo(_("今天要探访"), "visits.worker.index", {"tab": "today"}, counts[Tab.TODAY], due=clock.day_bounds(day)[1]),
        Todo(_("探访转介待跟进"), "visits.worker.referrals", count=referred, late=bool(late)),
        Todo(_("居民说不需要探访，请回问"), "visits.worker.subjects", {"only": "not_needed"}, unasked),
    ]
    return [todo for todo in found if todo.count]


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """Visits done, tries without success, checks and referrals of a person and her aliases, newest first."""
    known = visiting.ids_of(person)
    lines = [
        Line(
            visit.done_at,
            _("探访：%(way)s", way=care(visit.method)),
            _("%(name)s，%(met)s", name=visit.done_by_name, met=_("见到本人") if visit.met_on else _("间接了解")),
            "visits.worker.visit",
            {"public_id": visit.public_id},
        )
        for visit in visiting.history(person, limit=limit)
        if visit.done_at
    ]
    lines += [
        Line(
            attempt.at,
            _("探访没见到人"),
            attempt.by_name,
            "visits.worker.visit",
            {"public_id": attempt.visit.public_id},
        )
        for attempt in _attempts(known, limit)
    ]
    lines += [
        Line(
            check.opened_at,
            _("确认平安：%(why)s", why=care(check.cause)),
            care(check.outcome) if check.outcome else care(check.state),
            "visits.worker.check",
            {"public_id": check.public_id},
        )
        for check in _checks(known, limit)
    ]
    lines += [
        Line(
            referral.made_at,
            _("转介：%(kind)s", kind=care(referral.kind)),
            _("%(party)s，%(state)s", party=party_words(referral), state=care(referral.state)),
            "visits.worker.referral",
            {"public_id": referral.public_id},
        )
        for referral in referrals.of_person(known)
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


def _attempts(person_ids: list[int], limit: int) -> list[Attempt]:
    query = (
        sa.select(Attempt)
        .join(Attempt.visit)
        .where(Visit.person_id.in_(person_ids))
        .options(sa.orm.contains_eager(Attempt.visit).load_only(Visit.public_id))
        .order_by(Attempt.at.desc(), Attempt.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def _checks(person_ids: list[int], limit: int) -> list[SafetyCheck]:
    query = sa.select(SafetyCheck).where(SafetyCheck.person_id.in_(person_ids))
    return list(db.session.scalars(query.order_by(SafetyCheck.opened_at.desc(), SafetyCheck.id.desc()).limit(limit)))


to_pass, hand_over, take_back = passing.to_pass, passing.hand_over, passing.take_back
passed_words, passed_names, open_of = passing.passed_words, passing.passed_names, loads.open_of


def export(person: Person) -> list[dict[str, Any]]:
    """What is held about a person here, for her own copy."""
    return [
        {
            _("时间"): f"{clock.local(visit.done_at):%Y-%m-%d %H:%M}" if visit.done_at else "",
            _("探访人"): visit.done_by_name,
            _("方式"): care(visit.method),
            _("记录"): dict(record_lines(recording.record_of(visit))),
            _("发现问题"): [f"{care(one.kind)} {one.note or ''}".strip() for one in visit.findings],
        }
        for visit in visiting.history(person, limit=1000)
    ]


def purge(before: date) -> int:
    """Forget visits ended before a day, with everything that hangs on them; what is still open stays."""
    moment = clock.day_bounds(before)[0]
    unsettled = sa.select(Finding.visit_id).join(Referral).where(Referral.state.in_(REFERRAL_OPEN))
    checked = sa.select(SafetyCheck.visit_id).where(SafetyCheck.state != CheckState.CLOSED)
    ended = sa.or_(Visit.done_at < moment, sa.and_(Visit.done_at.is_(None), Visit.due_on < before))
    old = sa.select(Visit.id).where(
        Visit.state.not_in(OPEN), ended, Visit.id.not_in(unsettled), Visit.id.not_in(checked)
    )
    ids = list(db.session.scalars(old.order_by(Visit.id).limit(5000)))
    findings = sa.select(Finding.id).where(Finding.visit_id.in_(ids))
    referred = sa.select(Referral.id).where(Referral.finding_id.in_(findings))
    held = sa.select(SafetyCheck.id).where(SafetyCheck.visit_id.in_(ids))
    for statement in (
        sa.delete(ReferralMove).where(ReferralMove.referral_id.in_(referred)),
        sa.delete(Referral).where(Referral.finding_id.in_(findings)),
        sa.delete(Finding).where(Finding.visit_id.in_(ids)),
        sa.delete(SafetyStep).where(SafetyStep.check_id.in_(held)),
        sa.delete(SafetyCheck).where(SafetyCheck.visit_id.in_(ids)),
        sa.delete(Attempt).where(Attempt.visit_id.in_(ids)),
        sa.delete(VisitPhoto).where(VisitPhoto.visit_id.in_(ids)),
        sa.delete(Visit).where(Visit.id.in_(ids)),
        sa.delete(CareWish).where(CareWish.noted_at < moment, CareWish.id.not_in(_newest_wishes())),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})
    if ids:
        audit.record("visits.purged", None, count=len(ids), before=before.isoformat())
    return len(ids)


def _newest_wishes() -> sa.Select[int]:
    return sa.select(sa.func.max(CareWish.id)).group_by(CareWish.subject_id)
