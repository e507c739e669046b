"""The month's list makes itself: each person's next visits by her level, spread over the working days."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit, jobs
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.registry.models import Person, PersonState
from portal.visits.models import (
    OPEN,
    CareExclusion,
    CareSubject,
    Exclusion,
    Frequency,
    Method,
    Visit,
    VisitKind,
    VisitState,
)
from portal.visits.service import listing, rules, spreading

# Why a visit was cancelled of who died, moved away or turned out to be somebody else's alias.
GONE = ("dead", "moved", "merged")
# Why a visit was cancelled that is planned again when the reason is gone.
RESTORED = frozenset({"level", "away", *GONE})
SIGNALS = (Method.PHONE, Method.NEIGHBOUR, Method.VIDEO, Method.MESSAGE)


@dataclass(frozen=True)
class Window:
    """A period in which one visit is promised."""

    period: str
    first: date
    last: date


@dataclass(frozen=True)
class Planned:
    """What planning a community did."""

    listed: int
    made: int
    missed: int


def windows(frequency: Frequency, day: date) -> list[Window]:
    """The windows of a frequency that touch what is left of the day's month; weeks run from Monday to Sunday."""
    end = day.replace(day=monthrange(day.year, day.month)[1])
    if frequency is Frequency.MONTHLY:
        return [Window(f"M{day:%Y-%m}", day.replace(day=1), end)]
    if frequency is Frequency.QUARTERLY:
        quarter = (day.month - 1) // 3
        first = date(day.year, quarter * 3 + 1, 1)
        last = date(day.year, quarter * 3 + 3, monthrange(day.year, quarter * 3 + 3)[1])
        return [Window(f"Q{day.year}-{quarter + 1}", first, last)]
    return list(_weeks(day, end))


def _weeks(day: date, end: date) -> Iterator[Window]:
    monday = day - timedelta(days=day.weekday())
    while monday <= end:
        year, week, _weekday = monday.isocalendar()
        yield Window(f"W{year}-{week:02d}", monday, monday + timedelta(days=6))
        monday += timedelta(days=7)


def plan(community: Area, day: date | None = None) -> Planned:
    """Bring the list and its visits up to date. Running it again changes nothing."""
    day = day or today()
    refreshed = listing.refresh(community, day)
    listed = refreshed.listed
    for subject in refreshed.raised:
        promise(subject, day + timedelta(days=1), VisitKind.SOON)
    subjects = _on_list(community)
    held = rules.frequencies(community.code, day)
    paused = excluded([subject.id for subject in subjects], day)
    standing = _standing(community)
    rows: list[dict[str, Any]] = []
    for subject in subjects:
        if subject.level is None or subject.id in paused:
            continue
        ahead = windows(held[subject.level], day)
        _drop_other_periods(standing[subject.id], {window.period for window in ahead}, day)
        rows += [_row(subject, window, day) for window in _wanted(subject, ahead, standing[subject.id], day)]
    rows = spreading.spread(rows, subjects, community, day)
    with unique_or(Refused(_("名单正在生成，请过一分钟再看。"))):
        if rows:
            db.session.execute(sa.insert(Visit), rows)
    missed = _pass_on_lateness(community, day)
    _hand_to_workers(community)
    if rows or missed:
        audit.record("visits.planned", community, count=len(rows), missed=missed, listed=listed)
    return Planned(listed, len(rows), missed)


def _on_list(community: Area) -> list[CareSubject]:
    query = (
        sa.select(CareSubject)
        .join(CareSubject.person)
        .where(Person.community_id == community.id, CareSubject.level.is_not(None))
        .options(sa.orm.contains_eager(CareSubject.person).load_only(Person.household_id, Person.community_id))
        .order_by(CareSubject.id)
    )
    return list(db.session.scalars(query))


def excluded(subject_ids: Iterable[int], day: date) -> set[int]:
    """Who is in hospital, in an institution or away on a day: nobody goes there in vain."""
    wanted = set(subject_ids)
    query = sa.select(CareExclusion.subject_id).where(
        CareExclusion.subject_id.in_(wanted),
        CareExclusion.reason != Exclusion.REFUSAL,
        CareExclusion.since <= day,
        sa.or_(CareExclusion.until.is_(None), CareExclusion.until >= day),
    )
    return set(db.session.scalars(query.order_by(CareExclusion.id)))


def _standing(community: Area) -> dict[int, dict[str, Visit]]:
    """The routine visits of a community that matter still: open ones, and those of windows not over."""
    query = (
        sa.select(Visit)
        .join(Person, Visit.person_id == Person.id)
        .where(Person.community_id == community.id, Visit.kind == VisitKind.ROUTINE)
        .where(sa.or_(Visit.state.in_(OPEN), Visit.due_on >= today() - timedelta(days=7)))
        .options(sa.orm.defer(Visit.draft), sa.orm.defer(Visit.record))
        .order_by(Visit.id)
    )
    found: dict[int, dict[str, Visit]] = defaultdict(dict)
    for visit in db.session.scalars(query):
        found[visit.subject_id][visit.period] = visit
    return found


def _drop_other_periods(standing: dict[str, Visit], ahead: set[str], day: date) -> None:
    """After a change of level or frequency, what the old one had planned from now on goes."""
    for period, visit in standing.items():
        if visit.state is VisitState.PLANNED and visit.due_on >= day and period not in ahead:
            visit.move(VisitState.CANCELLED, "level")


def _wanted(subject: CareSubject, ahead: list[Window], standing: dict[str, Visit], day: date) -> Iterator[Window]:
    for window in ahead:
        earlier = standing.get(window.period)
        if earlier is not None and earlier.state is VisitState.CANCELLED and earlier.state_why in RESTORED:
            earlier.move(VisitState.PLANNED)
            earlier.planned_on = max(earlier.planned_on, day)
        met_already = subject.last_met_on is not None and window.first <= subject.last_met_on <= window.last
        if earlier is None and not met_already:
            yield window


def way_to(subject: CareSubject) -> Method:
    """How a visit is planned: as the person prefers, and never at the door of who does not wish it."""
    if subject.may_be_visited_at_home():
        return subject.method
    return subject.method if subject.method in SIGNALS else Method.PHONE


def _row(subject: CareSubject, window: Window, day: date) -> dict[str, Any]:
    assert subject.level is not None
    return {
        "subject_id": subject.id,
        "person_id": subject.person_id,
        "kind": VisitKind.ROUTINE,
        "period": window.period,
        "level": subject.level,
        "rank": subject.level.rank,
        "from_on": window.first,
        "planned_on": max(window.first, day),
        "due_on": window.last,
        "planned_at": now(),
        "worker": subject.worker,
        "method": way_to(subject),
    }


def _pass_on_lateness(community: Area, day: date) -> int:
    """A window that passed without a visit is missed; the running one of the same person carries its lateness."""
    overdue = sa.and_(Visit.due_on < day, Visit.state.in_(OPEN))
    running = sa.and_(Visit.from_on <= day, Visit.due_on >= day, Visit.state.in_(OPEN))
    query = (
        sa.select(Visit)
        .join(Person, Visit.person_id == Person.id)
        .where(Person.community_id == community.id, Visit.kind == VisitKind.ROUTINE, sa.or_(overdue, running))
        .order_by(Visit.due_on, Visit.id)
    )
    visits = list(db.session.scalars(query))
    current = {visit.subject_id: visit for visit in visits if visit.due_on >= day}
    missed = [visit for visit in visits if visit.due_on < day and visit.subject_id in current]
    for old in missed:
        new = current[old.subject_id]
        new.late_since = new.late_since or old.late_since or old.due_on + timedelta(days=1)
        if old.draft and not new.draft:
            new.draft, new.draft_at, new.draft_by = old.draft, old.draft_at, old.draft_by
            if new.state is VisitState.PLANNED:
                new.move(VisitState.DRAFT)
        old.move(VisitState.MISSED, "late")
        old.draft = None
    spreading.bring_forward([current[old.subject_id] for old in missed], community, day)
    db.session.flush()
    return len(missed)


def _hand_to_workers(community: Area) -> None:
    """Open visits follow who visits the person now."""
    whose = sa.select(CareSubject.worker).where(CareSubject.id == Visit.subject_id).scalar_subquery()
    here = sa.select(Person.id).where(Person.community_id == community.id)
    db.session.execute(
        sa.update(Visit)
        .where(Visit.person_id.in_(here), Visit.state.in_(OPEN), Visit.worker != whose)
        .values(worker=whose),
        execution_options={"synchronize_session": False},
    )


def plan_later(communities: Iterable[Area]) -> None:
    """Bring several lists up to date after this request, each in a transaction of its own."""
    for community in communities:
        jobs.enqueue("visits.plan_one", community_id=community.id)


def plan_of(community_id: int) -> Planned:
    """The same for a community by id, as a job knows it."""
    return plan(db.session.get_one(Area, community_id))


def hand_to_worker(subject: CareSubject) -> None:
    """The open visits of one person follow who visits her now."""
    db.session.execute(
        sa.update(Visit).where(Visit.subject_id == subject.id, Visit.state.in_(OPEN)).values(worker=subject.worker),
        execution_options={"synchronize_session": False},
    )


def cancel_open(subject: CareSubject, why: str, *kinds: VisitKind) -> int:
    """Take back what is planned for somebody; `why` is a code of `state_why`."""
    query = sa.select(Visit).where(Visit.subject_id == subject.id, Visit.state.in_(OPEN)).order_by(Visit.id)
    visits = [visit for visit in db.session.scalars(query) if not kinds or visit.kind in kinds]
    for visit in visits:
        visit.move(VisitState.CANCELLED, why)
    db.session.flush()
    return len(visits)


def restore(subject: CareSubject, *why: str) -> int:
    """Plan again what was cancelled for these reasons and is not over: she is back, or was never gone."""
    if subject.person.state is not PersonState.PRESENT or subject.person.merged_into_id is not None:
        return 0
    query = sa.select(Visit).where(
        Visit.subject_id == subject.id,
        Visit.state == VisitState.CANCELLED,
        Visit.state_why.in_(why),
        Visit.due_on >= today(),
    )
    visits = list(db.session.scalars(query.order_by(Visit.id)))
    for visit in visits:
        visit.move(VisitState.PLANNED)
        visit.planned_on = max(visit.planned_on, today())
    db.session.flush()
    return len(visits)


def promise(subject: CareSubject, day: date, kind: VisitKind, period: str = "", due: date | None = None) -> Visit:
    """One visit more, outside the routine; asked for twice it is the one that stands."""
    period = period or f"{kind.value[:1].upper()}{day:%Y-%m-%d}"
    standing = db.session.scalar(sa.select(Visit).where(Visit.subject_id == subject.id, Visit.period == period))
    if standing is not None:
        return standing
    rank = -1 if kind in {VisitKind.SAFETY, VisitKind.SOON} else subject.level.rank if subject.level else 3
    visit = Visit(
        subject=subject,
        person_id=subject.person_id,
        kind=kind,
        period=period,
        level=subject.level,
        rank=rank,
        from_on=today(),
        planned_on=day,
        due_on=due or day,
        planned_at=now(),
        worker=subject.worker,
        method=way_to(subject),
        state=VisitState.PLANNED,
    )
    db.session.add(visit)
    db.session.flush()
    return visit


def unplanned(subject: CareSubject) -> Visit:
    """A visit nobody had planned: today's open one of the person if there is any, else an extra one."""
    query = (
        sa.select(Visit)
        .where(Visit.subject_id == subject.id, Visit.state.in_(OPEN), Visit.from_on <= today())
        .order_by(Visit.rank, Visit.due_on, Visit.id)
        .limit(1)
    )
    standing = db.session.scalar(query)
    if standing is not None:
        return standing
    return promise(subject, today(), VisitKind.EXTRA, f"E{now():%Y%m%d%H%M%S}")
