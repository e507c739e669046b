"""What of a worker's care visits passes to another in a grid, and how it returns while nobody has touched it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit
from portal.core.db import db
from portal.core.doors import Passed
from portal.core.errors import Refused
from portal.registry.models import Person
from portal.visits.models import (
    OPEN,
    REFERRAL_OPEN,
    Attempt,
    CareExclusion,
    CareSubject,
    CareWish,
    Referral,
    ReferralMove,
    SafetyCheck,
    SafetyStep,
    Visit,
    VisitState,
)
from portal.visits.service import checks, workers

PEOPLE, VISITS, DRAFTS, REFERRALS, CHECKS = "people", "visits", "drafts", "referrals", "checks"
TABLES: dict[str, type[CareSubject | Visit | Referral | SafetyCheck]] = {
    PEOPLE: CareSubject,
    VISITS: Visit,
    DRAFTS: Visit,
    REFERRALS: Referral,
    CHECKS: SafetyCheck,
}
# Why the plan itself ends a visit: time went by, a level changed, the person is gone.
BY_ITSELF = frozenset({"late", "level", "dead", "moved", "merged"})
_BULK = {"synchronize_session": False}


def passed_words(kind: str) -> str:
    return {
        PEOPLE: _("由其探访的人"),
        VISITS: _("约好的探访"),
        DRAFTS: _("写了一半的探访记录"),
        REFERRALS: _("待跟进的转介"),
        CHECKS: _("没结束的平安确认"),
    }.get(kind, kind)


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:  # noqa: ARG001 a door has its shape
    """Subjects, promised visits, open referrals and checks of a grid's people."""
    here = sa.select(Person.id).where(Person.grid_id == area.id)
    subjects = _rows(
        sa.select(CareSubject.id, CareSubject.assigned_to, CareSubject.worker)
        .where(sa.or_(CareSubject.assigned_to == giver, CareSubject.worker == giver), CareSubject.person_id.in_(here))
        .order_by(CareSubject.id)
    )
    found = [Passed(PEOPLE, row.id, {"assigned_to": row.assigned_to, "worker": row.worker}) for row in subjects]
    found += _visits(Visit.worker == giver, Visit.state.in_(OPEN), Visit.person_id.in_(here))
    found += _referrals(Referral.owner == giver, Referral.state.in_(REFERRAL_OPEN), Referral.person_id.in_(here))
    running = SafetyCheck.state.in_(checks.OPEN_CHECKS)
    return found + _checks(SafetyCheck.taken_by == giver, running, SafetyCheck.person_id.in_(here))


def _rows(query: Any) -> Sequence[Any]:
    return db.session.execute(query).all()


def _visits(*where: sa.ColumnElement[bool]) -> list[Passed]:
    tries = sa.select(sa.func.count(Attempt.id)).where(Attempt.visit_id == Visit.id).scalar_subquery()
    query = sa.select(Visit.id, Visit.worker, Visit.state, Visit.draft_at, tries.label("tries")).where(*where)
    return [
        Passed(
            DRAFTS if row.draft_at else VISITS,
            row.id,
            {"worker": row.worker},
            [row.state.value, row.draft_at.isoformat() if row.draft_at else "", row.tries],
        )
        for row in _rows(query.order_by(Visit.id))
    ]


def _referrals(*where: sa.ColumnElement[bool]) -> list[Passed]:
    moves = sa.select(sa.func.count(ReferralMove.id)).where(ReferralMove.referral_id == Referral.id).scalar_subquery()
    query = sa.select(Referral.id, Referral.owner, Referral.owner_name, Referral.state, moves.label("moves"))
    return [
        Passed(REFERRALS, row.id, {"owner": row.owner, "owner_name": row.owner_name}, [row.state.value, row.moves])
        for row in _rows(query.where(*where).order_by(Referral.id))
    ]


def _checks(*where: sa.ColumnElement[bool]) -> list[Passed]:
    done = sa.select(sa.func.count(SafetyStep.id)).where(
        SafetyStep.check_id == SafetyCheck.id, SafetyStep.done_at.is_not(None)
    )
    query = sa.select(
        SafetyCheck.id,
        SafetyCheck.taken_by,
        SafetyCheck.taken_by_name,
        SafetyCheck.state,
        done.scalar_subquery().label("done"),
    )
    return [
        Passed(
            CHECKS,
            row.id,
            {"taken_by": row.taken_by, "taken_by_name": row.taken_by_name},
            [row.state.value, row.done],
        )
        for row in _rows(query.where(*where).order_by(SafetyCheck.id))
    ]


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    """What one worker has of a grid's people passes to another: subjects, visits, open referrals and checks."""
    found = to_pass(giver, taker, area)
    name = workers.names([taker]).get(taker, "")
    for statement in (
        sa.update(CareSubject).where(CareSubject.id.in_(_ids(found, PEOPLE))).values(assigned_to=taker, worker=taker),
        sa.update(Visit).where(Visit.id.in_(_ids(found, VISITS, DRAFTS))).values(worker=taker),
        sa.update(Referral).where(Referral.id.in_(_ids(found, REFERRALS))).values(owner=taker, owner_name=name),
        sa.update(SafetyCheck)
        .where(SafetyCheck.id.in_(_ids(found, CHECKS)))
        .values(taken_by=taker, taken_by_name=name),
    ):
        db.session.execute(statement, execution_options=_BULK)
    db.session.expire_all()
    audit.record("visits.handed_over", None, giver=giver, taker=taker, grid=area.code, count=len(found))
    return found


def _ids(found: Collection[Passed], *kinds: str) -> list[int]:
    return [one.id for one in found if one.kind in kinds]


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:
    """Give everything back as it was. Raise Refused where somebody has worked on some of it since."""
    _refuse_touched(taker, passed, since)
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = defaultdict(list)
    for one in passed:
        alike[one.kind, tuple(sorted(one.was.items()))].append(one.id)
    for (kind, was), ids in alike.items():
        table = TABLES[kind]
        db.session.execute(sa.update(table).where(table.id.in_(ids)).values(**dict(was)), execution_options=_BULK)
    # What the plan has promised meanwhile follows who visits the person.
    whose = sa.select(CareSubject.worker).where(CareSubject.id == Visit.subject_id).scalar_subquery()
    later = (Visit.subject_id.in_(_ids(passed, PEOPLE)), Visit.state.in_(OPEN), Visit.worker == taker)
    db.session.execute(
        sa.update(Visit).where(*later, Visit.planned_at >= since).values(worker=whose), execution_options=_BULK
    )
    db.session.expire_all()
    audit.record("visits.taken_back", None, giver=giver, taker=taker, count=len(passed))


def _refuse_touched(taker: str, passed: Collection[Passed], since: datetime) -> None:
    if _people_touched(taker, _ids(passed, PEOPLE), since):
        raise Refused(_("接手的人已经为其中的居民办过探访的事，不能整体收回。请再办一次交接，把没办的转回去。"))
    known = {(one.kind, one.id): one for one in passed if one.kind != PEOPLE}
    visit_ids = _ids(passed, VISITS, DRAFTS)
    by_itself = sa.and_(
        Visit.state.in_([VisitState.MISSED, VisitState.CANCELLED]), Visit.state_why.in_(sorted(BY_ITSELF))
    )
    now = [
        *_visits(Visit.id.in_(visit_ids), Visit.worker == taker, sa.not_(by_itself)),
        *_referrals(Referral.id.in_(_ids(passed, REFERRALS)), Referral.owner == taker),
        *_checks(SafetyCheck.id.in_(_ids(passed, CHECKS)), SafetyCheck.taken_by == taker),
    ]
    ended = set(db.session.scalars(sa.select(Visit.id).where(Visit.id.in_(visit_ids), by_itself).order_by(Visit.id)))
    same = {(one.kind, one.id) for one in now if (mine := known.get((one.kind, one.id))) and mine.mark == one.mark}
    if any(key not in same and not (key[0] in {VISITS, DRAFTS} and key[1] in ended) for key in known):
        raise Refused(_("交接的探访、转介或平安确认已经有人接着办了，不能整体收回。请再办一次交接，把没办的转回去。"))


def _people_touched(taker: str, subject_ids: list[int], since: datetime) -> bool:
    """Given to somebody else, asked what they wish, excluded, or visited beyond what was promised then."""
    worked = [VisitState.DONE, VisitState.NOT_MET, VisitState.DRAFT]
    touches = (
        sa.select(CareSubject.id).where(CareSubject.id.in_(subject_ids), CareSubject.assigned_to != taker),
        sa.select(CareWish.id).where(CareWish.subject_id.in_(subject_ids), CareWish.noted_at >= since),
        sa.select(CareExclusion.id).where(CareExclusion.subject_id.in_(subject_ids), CareExclusion.noted_at >= since),
        sa.select(Visit.id).where(
            Visit.subject_id.in_(subject_ids), Visit.planned_at >= since, Visit.state.in_(worked)
        ),
    )
    return any(db.session.scalar(query.limit(1)) is not None for query in touches)
