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
_BY_ITSELF = sa.and_(Visit.state.in_([VisitState.MISSED, VisitState.CANCELLED]), Visit.state_why.in_(sorted(BY_ITSELF)))
_BULK = {"synchronize_session": False}


def passed_words(kind: str) -> str:
    return {
        PEOPLE: _("由其探访的人"),
        VISITS: _("约好的探访"),
        DRAFTS: _("写了一半的探访记录"),
        REFERRALS: _("待跟进的转介"),
        CHECKS: _("没结束的平安确认"),
    }.get(kind, kind)


def passed_names(kind: str, ids: Collection[int]) -> list[str]:
    """Whose they are, by the sound of the names."""
    table = TABLES[kind]
    query = sa.select(Person.name).join(table, table.person_id == Person.id).where(table.id.in_(ids))
    return list(db.session.scalars(query.order_by(Person.pinyin, table.id)))


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
    visited = sa.or_(CareSubject.assigned_to == giver, CareSubject.worker == giver)
    _move(CareSubject, _ids(found, PEOPLE), visited, assigned_to=taker, worker=taker)
    _move(Visit, _ids(found, VISITS, DRAFTS), _still(VISITS, giver), worker=taker)
    _move(Referral, _ids(found, REFERRALS), _still(REFERRALS, giver), owner=taker, owner_name=name)
    _move(SafetyCheck, _ids(found, CHECKS), _still(CHECKS, giver), taken_by=taker, taken_by_name=name)
    db.session.expire_all()
    audit.record("visits.handed_over", None, giver=giver, taker=taker, grid=area.code, count=len(found))
    return found


def _ids(found: Collection[Passed], *kinds: str) -> list[int]:
    return [one.id for one in found if one.kind in kinds]


def _still(kind: str, owner: str) -> sa.ColumnElement[bool]:
    """That something is in somebody's hands yet, and open."""
    if kind == PEOPLE:
        return CareSubject.assigned_to == owner
    if kind == REFERRALS:
        return sa.and_(Referral.owner == owner, Referral.state.in_(REFERRAL_OPEN))
    if kind == CHECKS:
        return sa.and_(SafetyCheck.taken_by == owner, SafetyCheck.state.in_(checks.OPEN_CHECKS))
    return sa.and_(Visit.worker == owner, Visit.state.in_(OPEN))


def _move(
    table: type[CareSubject | Visit | Referral | SafetyCheck],
    ids: list[int],
    still: sa.ColumnElement[bool],
    **values: Any,
) -> None:
    """Give all of some rows another owner; raise Refused where one of them went elsewhere since it was looked at."""
    moved = db.session.execute(
        sa.update(table).where(table.id.in_(ids), still).values(**values), execution_options=_BULK
    )
    if getattr(moved, "rowcount", 0) != len(ids):
        raise Refused(_("其中有的工作刚刚有变动，请刷新页面看清以后再办一次。"))


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:
    """Give everything back as it was. Raise Refused where somebody has worked on some of it since."""
    _refuse_touched(taker, passed, since)
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[int]] = defaultdict(list)
    for one in passed:
        alike[one.kind, tuple(sorted(one.was.items()))].append(one.id)
    for (kind, was), ids in alike.items():
        still = _still(kind, taker)
        _move(TABLES[kind], ids, sa.or_(still, _BY_ITSELF) if TABLES[kind] is Visit else still, **dict(was))
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
    known = {(TABLES[one.kind], one.id): one for one in passed if one.kind != PEOPLE}
    visit_ids = _ids(passed, VISITS, DRAFTS)
    now = [
        *_visits(Visit.id.in_(visit_ids), Visit.worker == taker, sa.not_(_BY_ITSELF)),
        *_referrals(Referral.id.in_(_ids(passed, REFERRALS)), Referral.owner == taker),
        *_checks(SafetyCheck.id.in_(_ids(passed, CHECKS)), SafetyCheck.taken_by == taker),
    ]
    ended = set(db.session.scalars(sa.select(Visit.id).where(Visit.id.in_(visit_ids), _BY_ITSELF).order_by(Visit.id)))
    stand = {key for one in now if _as_it_was(known[key := (TABLES[one.kind], one.id)], one, since)}
    if known.keys() - stand - {(Visit, visit_id) for visit_id in ended}:
        raise Refused(_("交接的探访、转介或平安确认已经有人接着办了，不能整体收回。请再办一次交接，把没办的转回去。"))


def _as_it_was(then: Passed, one: Passed, since: datetime) -> bool:
    """Nobody worked on it; a draft of before is here only because the visit it was of has gone by."""
    if (then.kind, one.kind) != (VISITS, DRAFTS):
        return then.mark == one.mark
    (was, _none, tries), (state, begun, tried) = then.mark, one.mark
    return state in {was, VisitState.DRAFT} and tried == tries and datetime.fromisoformat(begun) <= since


def _people_touched(taker: str, subject_ids: list[int], since: datetime) -> bool:
    """Given to somebody else, asked what they wish, excluded, or visited beyond what was promised then."""
    begun = sa.and_(Visit.state == VisitState.DRAFT, Visit.draft_at > since)
    worked = sa.or_(Visit.state.in_([VisitState.DONE, VisitState.NOT_MET]), begun)
    touches = (
        sa.select(CareSubject.id).where(CareSubject.id.in_(subject_ids), CareSubject.assigned_to != taker),
        sa.select(CareWish.id).where(CareWish.subject_id.in_(subject_ids), CareWish.noted_at >= since),
        sa.select(CareExclusion.id).where(CareExclusion.subject_id.in_(subject_ids), CareExclusion.noted_at >= since),
        sa.select(Visit.id).where(Visit.subject_id.in_(subject_ids), Visit.planned_at >= since, worked),
    )
    return any(db.session.scalar(query.limit(1)) is not None for query in touches)
