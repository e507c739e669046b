"""Visits as a worker meets them: her lists for today, the week, what is late, and one visit in her scope."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.core import clock
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import EmergencyContact, Person
from portal.registry.service import people
from portal.visits.models import OPEN, CareExclusion, CareSubject, Finding, Level, Visit, VisitKind, VisitState
from portal.visits.service import loading

A_PAGE = 40


class Tab(StrEnum):
    TODAY = "today"
    WEEK = "week"
    LATE = "late"
    ALL = "all"


@dataclass(frozen=True)
class Listed:
    """A page of a list with how many there are in each tab."""

    visits: list[Visit]
    counts: dict[Tab, int] = field(default_factory=dict)
    more: bool = False


def in_tab(tab: Tab, day: date) -> sa.ColumnElement[bool]:
    """What a tab holds. Today: what is planned for today or before, what was not met, what must be made sure of."""
    late = sa.or_(Visit.due_on < day, Visit.late_since.is_not(None))
    sunday = day + timedelta(days=6 - day.weekday())
    match tab:
        case Tab.TODAY:
            return sa.or_(Visit.planned_on <= day, Visit.due_on <= day, Visit.state == VisitState.NOT_MET)
        case Tab.WEEK:
            return sa.and_(Visit.planned_on <= sunday, sa.or_(Visit.due_on >= day, Visit.state == VisitState.NOT_MET))
        case Tab.LATE:
            return late
        case Tab.ALL:
            return sa.true()


def _whose(within: Collection[Scope], worker: str | None) -> list[sa.ColumnElement[bool]]:
    """Open visits in scope; of one worker also those that are nobody's in particular."""
    conditions = [people.within(within), Visit.state.in_(OPEN)]
    return conditions if worker is None else [*conditions, Visit.worker.in_([worker, ""])]


def visits(
    within: Collection[Scope], *, worker: str | None, tab: Tab, day: date, page: int = 1, grid_id: int | None = None
) -> Listed:
    """Open visits in scope by risk and lateness; `worker` None for everybody's."""
    where = _whose(within, worker)
    if grid_id is not None:
        where.append(Person.grid_id == grid_id)
    query = (
        sa.select(Visit)
        .join(Visit.person)
        .where(*where, in_tab(tab, day))
        .options(
            *loading.eager(Visit.person),
            sa.orm.joinedload(Visit.subject).joinedload(CareSubject.rule),
            sa.orm.joinedload(Visit.round),
            sa.orm.defer(Visit.record),
            sa.orm.defer(Visit.draft),
        )
        .order_by(*_by_risk(), Person.household_id, Visit.id)
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    found = list(db.session.scalars(query))
    return Listed(found[:A_PAGE], _counts(where, day), len(found) > A_PAGE)


def _by_risk() -> tuple[sa.SQLColumnExpression[Any], ...]:
    """Who must be made sure of first, then by level, then who waits longest."""
    at_once = sa.case((sa.or_(Visit.kind == VisitKind.SAFETY, Visit.state == VisitState.NOT_MET), 0), else_=1)
    return at_once, Visit.rank, sa.func.coalesce(Visit.late_since, Visit.due_on), Visit.planned_on


def _counts(where: list[sa.ColumnElement[bool]], day: date) -> dict[Tab, int]:
    numbers = [sa.func.count(Visit.id).filter(in_tab(tab, day)) for tab in Tab]
    row = db.session.execute(sa.select(*numbers).join(Visit.person).where(*where)).one()
    return dict(zip(Tab, row, strict=True))


def counts(within: Collection[Scope], worker: str | None, day: date) -> dict[Tab, int]:
    """How many open visits each tab holds."""
    return _counts(_whose(within, worker), day)


def visit_in(within: Collection[Scope], public_id: str) -> Visit:
    """A visit of somebody in scope; an alias's visit is seen by who sees the person it stands for."""
    visit = db.session.scalar(sa.select(Visit).where(Visit.public_id == public_id))
    if visit is None:
        raise Missing
    people.person_in(within, db.session.get_one(Person, visit.person_id).public_id)
    query = (
        sa.select(Visit)
        .where(Visit.id == visit.id)
        .options(
            *loading.joined(Visit.person, contacts=True),
            sa.orm.joinedload(Visit.subject).joinedload(CareSubject.rule),
            sa.orm.joinedload(Visit.round),
            sa.orm.selectinload(Visit.attempts),
            sa.orm.selectinload(Visit.findings).joinedload(Finding.referral),
        )
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).one()


def ids_of(person: Person) -> list[int]:
    """The person and the aliases merged into her."""
    return [person.id, *sorted(set(db.session.scalars(people.ids_of(person))) - {person.id})]


def history(person: Person, *, limit: int = 20) -> list[Visit]:
    """Visits done, newest first, with those of merged aliases."""
    query = (
        sa.select(Visit)
        .where(Visit.person_id.in_(ids_of(person)), Visit.state == VisitState.DONE)
        .options(sa.orm.selectinload(Visit.findings).joinedload(Finding.referral))
        .order_by(Visit.done_at.desc(), Visit.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def coming(person: Person) -> list[Visit]:
    """Open visits of a person, the next first."""
    query = (
        sa.select(Visit)
        .where(Visit.person_id.in_(ids_of(person)), Visit.state.in_(OPEN))
        .options(sa.orm.defer(Visit.record), sa.orm.joinedload(Visit.round))
        .order_by(Visit.planned_on, Visit.id)
    )
    return list(db.session.scalars(query))


def subjects(
    within: Collection[Scope], *, level: Level | None, grid_id: int | None, only: str = "", page: int = 1
) -> list[CareSubject]:
    """Who is on the list, by risk, then who was not met for longest; one more than a page. `only` "not_needed": those
    who said that visits are not necessary; "paused": those who are not to be visited now.
    """
    where = [people.within(within), Person.merged_into_id.is_(None)]
    if only == "not_needed":
        where.append(CareSubject.not_needed_at.is_not(None))
    else:
        where.append(CareSubject.level.is_not(None) if level is None else CareSubject.level == level)
    if only == "paused":
        where.append(CareSubject.id.in_(_paused()))
    if grid_id is not None:
        where.append(Person.grid_id == grid_id)
    order = sa.case({kind: kind.rank for kind in Level}, value=CareSubject.level, else_=9)
    never = sa.case((CareSubject.last_met_on.is_(None), 0), else_=1)
    query = (
        sa.select(CareSubject)
        .join(CareSubject.person)
        .where(*where)
        .options(*loading.eager(CareSubject.person), sa.orm.joinedload(CareSubject.rule))
        .order_by(order, never, CareSubject.last_met_on, CareSubject.id)
        .limit(A_PAGE + 1)
        .offset((page - 1) * A_PAGE)
    )
    return list(db.session.scalars(query))


def _paused() -> sa.Select[int]:
    day = clock.today()
    return sa.select(CareExclusion.subject_id).where(
        CareExclusion.since <= day, sa.or_(CareExclusion.until.is_(None), CareExclusion.until >= day)
    )


def contact_in(person: Person, contact_id: int) -> EmergencyContact:
    """One of a person's emergency contacts."""
    query = sa.select(EmergencyContact).where(
        EmergencyContact.id == contact_id, EmergencyContact.person_id.in_(ids_of(person))
    )
    contact = db.session.scalar(query)
    if contact is None:
        raise Missing
    return contact
