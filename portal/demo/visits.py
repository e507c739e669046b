"""The demonstration's care visits: the tables, the month's list, some visits done, some late, one alert."""

import random
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area, AreaKind
from portal.core import clock
from portal.core.access import Actor, Grant, Platform, Scope
from portal.core.clock import now
from portal.identity.models import Account
from portal.identity.permissions import Role
from portal.registry.models import EmergencyContact, Person
from portal.visits.models import (
    OPEN,
    CareSubject,
    CheckCause,
    Condition,
    Family,
    FindingKind,
    Level,
    Method,
    Money,
    Urgency,
    Visit,
    VisitKind,
    VisitState,
)
from portal.visits.service import checks, listing, planning, recording, tables
from portal.visits.service.recording import Said

SEED = 2026
DONE = 40
LATE = 6
VISITED = 0.94


def build_visits(session: Session, street: str, day: date) -> None:
    """Everybody's level since the month before, and this month's work of the grid worker and her colleagues."""
    began = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
    tables.seed(street, by="何立新", since=began)
    communities = list(session.scalars(sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)))
    for community in communities:
        listing.refresh(community, began)
        planning.plan(community, day)
    source = random.Random(SEED)
    grid_worker, colleague = _actor(session, "grid"), _actor(session, "worker")
    mine = _open(session, Visit.worker == grid_worker.public_id)
    theirs = _open(session, Visit.worker == "", Person.community_id == communities[0].id)
    for by, visits in ((grid_worker, mine), (colleague, theirs)):
        for turn, visit in enumerate(source.sample(visits, min(DONE, len(visits) // 2))):
            recording.record(visit, _said(source, turn), by=by)
    for visit in _open(session, Visit.worker == grid_worker.public_id, Visit.kind == VisitKind.ROUTINE)[:LATE]:
        visit.late_since = day - timedelta(days=source.randint(2, 9))
        visit.planned_on = day
    _alert(session, grid_worker)
    _last_month(session, source, began)
    session.flush()


def _last_month(session: Session, source: random.Random, began: date) -> None:
    """The month before, of which nearly everybody was visited."""
    rows: list[dict[str, Any]] = []
    visited = []
    on_list = sa.select(CareSubject).where(CareSubject.level.is_not(None)).order_by(CareSubject.id)
    for subject in session.scalars(on_list):
        if source.random() > VISITED:
            continue
        day = began + timedelta(days=source.randint(0, 27))
        rows.append(
            {
                "subject_id": subject.id,
                "person_id": subject.person_id,
                "kind": VisitKind.ROUTINE,
                "period": f"M{began:%Y-%m}",
                "level": subject.level,
                "rank": 0,
                "from_on": began,
                "planned_on": day,
                "due_on": began + timedelta(days=27),
                "planned_at": clock.at(began, time(1)),
                "state": VisitState.DONE,
                "method": Method.HOME,
                "done_at": clock.at(day, time(source.randint(9, 16), 10)),
                "done_by_name": "王建国",
                "done_as": Role.GRID_WORKER.value,
                "met_on": day,
            }
        )
        if subject.last_met_on is None:
            visited.append({"id": subject.id, "last_met_on": day, "last_met_by": "王建国"})
    session.execute(sa.insert(Visit), rows)
    session.execute(sa.update(CareSubject), visited)


def _actor(session: Session, username: str) -> Actor:
    account = session.scalars(sa.select(Account).where(Account.username == username)).one()
    grants = tuple(Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref)) for grant in account.grants)
    return Actor(account.id, account.public_id, account.name, Platform.DESK, grants, 0, now())


def _open(session: Session, *where: sa.ColumnElement[bool]) -> list[Visit]:
    query = (
        sa.select(Visit)
        .join(Visit.person)
        .where(Visit.state.in_(OPEN), Visit.from_on <= clock.today(), *where)
        .order_by(Visit.id)
    )
    return list(session.scalars(query))


def _said(source: random.Random, turn: int) -> Said:
    """Mostly well; every eighth time something is found."""
    found = turn % 8 == 3
    kind = source.choice((FindingKind.HEALTH, FindingKind.HOME_SAFETY, FindingKind.CARE))
    return Said(
        method=source.choice((Method.HOME, Method.HOME, Method.PHONE)),
        met=True,
        at=clock.at(clock.today() - timedelta(days=source.randint(1, 3)), time(source.randint(9, 16), 30)),
        urgency=Urgency.NORMAL if found else Urgency.NONE,
        findings=(kind,) if found else (),
        finding_note="燃气软管老化，要换" if found and kind is FindingKind.HOME_SAFETY else "",
        body=source.choice((Condition.GOOD, Condition.FAIR)).value,
        mind=Condition.GOOD.value,
        daily=source.choice((Condition.GOOD, Condition.FAIR)).value,
        money=Money.ENOUGH.value,
        family=source.choice((Family.OFTEN, Family.SELDOM)).value,
    )


def _alert(session: Session, by: Actor) -> None:
    """Somebody of the grid who lives alone did not fetch today's meal; her daughter can be called."""
    query = (
        sa.select(CareSubject)
        .where(CareSubject.worker == by.public_id, CareSubject.level == Level.HIGH)
        .order_by(CareSubject.id.desc())
        .limit(1)
    )
    subject = session.scalar(query)
    if subject is None:
        return
    subject.hint = "耳背，敲门要重"
    session.add(
        EmergencyContact(person_id=subject.person_id, name="王丽", relation="女儿", phone="13800000099", rank=1)
    )
    visit = planning.promise(subject, clock.today(), VisitKind.SAFETY)
    checks.open_check(visit, CheckCause.MEAL, now() - timedelta(minutes=40))
