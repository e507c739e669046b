"""The desk's lists of requests: who sees which, the tabs with their counts, and one page after another by key."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind, Building
from portal.casework.models.cases import Case, CaseHelp, CaseStep
from portal.casework.models.categories import Category
from portal.casework.models.codes import HELD, OPEN, RUNNING, CaseState, Colour, Deed, Extension
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing

S = CaseState
A_PAGE = 40
# After every due moment: what waits for nothing stands last.
FAR = datetime(9000, 1, 1, tzinfo=UTC)
AFTER_ANSWER = (S.ANSWERED, S.CALLED_BACK)


class Tab(StrEnum):
    MINE = "mine"
    OPEN = "open"
    UNASSIGNED = "unassigned"
    LATE = "late"
    EXTENSION = "extension"
    REOPEN = "reopen"
    CALL_BACK = "call_back"
    SUPERVISED = "supervised"
    DONE = "done"


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; 0 and "" mean everything."""

    category_id: int = 0
    area_id: int = 0
    number: str = ""


@dataclass(frozen=True)
class Page:
    cases: list[Case]
    following: str


def inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """The condition that a request lies in area scopes, as subqueries: it asks nothing by itself."""
    if any(scope.kind == "all" for scope in within):
        return sa.true()
    codes = {kind: [scope.ref for scope in within if scope.kind == kind.value] for kind in AreaKind}
    found: list[sa.ColumnElement[bool]] = []
    if codes[AreaKind.COMMUNITY] or codes[AreaKind.STREET]:
        streets = sa.select(Area.id).where(Area.kind == AreaKind.STREET, Area.code.in_(codes[AreaKind.STREET]))
        here = sa.or_(Area.code.in_(codes[AreaKind.COMMUNITY]), Area.parent_id.in_(streets))
        found.append(Case.community_id.in_(sa.select(Area.id).where(Area.kind == AreaKind.COMMUNITY, here)))
    if codes[AreaKind.GRID]:
        grids = sa.select(Area.id).where(Area.kind == AreaKind.GRID, Area.code.in_(codes[AreaKind.GRID]))
        found.append(Case.grid_id.in_(grids))
    return sa.or_(sa.false(), *found)


def visible(within: Collection[Scope], by: Actor) -> sa.ColumnElement[bool]:
    """What a worker sees: her scope, what she holds, what her help is asked of; never what is said against herself."""
    helping = sa.exists().where(CaseHelp.case_id == Case.id, CaseHelp.asked_of == by.public_id)
    mine = sa.or_(inside(within), Case.holder == by.public_id, Case.first_holder == by.public_id, helping)
    return sa.and_(mine, Case.state != S.DRAFT, Case.against_worker != by.public_id)


def due_moment() -> sa.ColumnElement[Any]:
    """The same as Case.due(), for the database; FAR where nothing is waited for."""
    signing = sa.case(
        (sa.or_(Case.sign_due.is_(None), Case.finish_due < Case.sign_due), Case.finish_due), else_=Case.sign_due
    )
    moment = sa.case(
        (Case.state == S.SUBMITTED, Case.accept_due),
        (Case.state == S.ASSIGNED, signing),
        (Case.state.in_(AFTER_ANSWER), Case.callback_due),
        (Case.state.in_(OPEN - {S.PAUSED}), Case.finish_due),
        else_=None,
    )
    return sa.func.coalesce(moment, sa.literal(FAR, Case.finish_due.type), type_=Case.finish_due.type)


# What a tab holds, as far as its states say.
STATES: dict[Tab, frozenset[CaseState]] = {
    Tab.MINE: HELD,
    Tab.OPEN: OPEN,
    Tab.UNASSIGNED: frozenset({S.SUBMITTED, S.ACCEPTED, S.RETURNED, S.DISSATISFIED}),
    Tab.LATE: RUNNING,
    Tab.EXTENSION: OPEN,
    Tab.REOPEN: frozenset({S.CLOSED}),
    Tab.CALL_BACK: frozenset(AFTER_ANSWER),
    Tab.SUPERVISED: OPEN,
    Tab.DONE: frozenset({S.CLOSED, S.ARCHIVED, S.DECLINED, S.MERGED, S.WITHDRAWN}),
}


def asked_to_reopen() -> sa.ColumnElement[bool]:
    """The same as asking.waits_for_approval(case), for the database."""
    asked, refused = sa.orm.aliased(CaseStep), sa.orm.aliased(CaseStep)
    later = sa.and_(refused.case_id == Case.id, refused.deed == Deed.REOPEN_REFUSED, refused.id > asked.id)
    this_time = sa.and_(asked.case_id == Case.id, asked.deed == Deed.REOPEN_ASKED, asked.at >= Case.closed_at)
    waits = sa.exists().where(this_time, ~sa.exists().where(later).correlate(Case, asked)).correlate(Case)
    return sa.and_(Case.state == S.CLOSED, waits)


def in_tab(tab: Tab, by: Actor, at: datetime) -> sa.ColumnElement[bool]:
    """The condition that a request stands in a tab."""
    states = Case.state.in_(STATES[tab])
    if tab is Tab.MINE:
        helping = sa.exists().where(
            CaseHelp.case_id == Case.id, CaseHelp.asked_of == by.public_id, CaseHelp.given_at.is_(None)
        )
        return sa.and_(sa.or_(Case.holder == by.public_id, helping), states)
    if tab is Tab.LATE:
        return sa.and_(states, due_moment() < at)
    if tab is Tab.REOPEN:
        return asked_to_reopen()
    if tab is Tab.EXTENSION:
        # Nobody decides on what she asked for herself.
        return sa.and_(states, Case.extension == Extension.ASKED, Case.holder != by.public_id)
    return sa.and_(states, Case.colour != Colour.NONE) if tab is Tab.SUPERVISED else states


def counts(within: Collection[Scope], by: Actor) -> dict[Tab, int]:
    """How many each tab holds, in one question."""
    moment = now()
    columns = [sa.func.count(Case.id).filter(in_tab(tab, by, moment)).label(tab.value) for tab in Tab]
    row = db.session.execute(sa.select(*columns).where(visible(within, by))).one()
    return {tab: int(value) for tab, value in zip(Tab, row, strict=True)}


def page(within: Collection[Scope], by: Actor, tab: Tab, filters: Filters, after: str = "") -> Page:
    """A page of a tab: what is due first comes first, what is over comes newest first."""
    query = (
        sa.select(Case)
        .where(visible(within, by), in_tab(tab, by, now()), *_narrowed(filters))
        .options(*_lean())
        .limit(A_PAGE + 1)
    )
    query = _over(query, after) if tab is Tab.DONE else _waiting(query, after)
    found = list(db.session.scalars(query))
    more = found[A_PAGE - 1] if len(found) > A_PAGE else None
    return Page(found[:A_PAGE], _key(more, tab) if more else "")


def _waiting(query: sa.Select[Case], after: str) -> sa.Select[Case]:
    due = due_moment()
    moment, case_id = _read(after)
    if moment is not None:
        stamp = sa.literal(moment, Case.finish_due.type)
        query = query.where(sa.or_(due > stamp, sa.and_(due == stamp, Case.id > case_id)))
    return query.order_by(due, Case.id)


def _over(query: sa.Select[Case], after: str) -> sa.Select[Case]:
    moment, case_id = _read(after)
    if moment is not None:
        query = query.where(sa.or_(Case.state_at < moment, sa.and_(Case.state_at == moment, Case.id < case_id)))
    return query.order_by(Case.state_at.desc(), Case.id.desc())


def _key(case: Case, tab: Tab) -> str:
    moment = case.state_at if tab is Tab.DONE else case.due() or FAR
    return f"{moment.isoformat()}~{case.id}"


def _read(after: str) -> tuple[datetime | None, int]:
    """What a key says; a broken one is the first page."""
    text, _mark, figures = after.partition("~")
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None, 0
    usable = moment.tzinfo is not None and figures.isascii() and figures.isdigit() and len(figures) < 10
    return (moment, int(figures)) if usable else (None, 0)


def _narrowed(filters: Filters) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.category_id:
        below = sa.select(Category.id).where(Category.parent_id == filters.category_id)
        wanted.append(sa.or_(Case.category_id == filters.category_id, Case.category_id.in_(below)))
    if filters.area_id:
        wanted.append(sa.or_(Case.grid_id == filters.area_id, Case.community_id == filters.area_id))
    if filters.number:
        wanted.append(Case.number == filters.number.strip().upper())
    return wanted


def _lean() -> tuple[Any, ...]:
    """A line of a list: no words, no names, nothing to unseal."""
    return (
        sa.orm.joinedload(Case.community),
        sa.orm.joinedload(Case.grid),
        sa.orm.joinedload(Case.category),
        sa.orm.joinedload(Case.estate),
        sa.orm.joinedload(Case.building).joinedload(Building.estate),
        sa.orm.defer(Case.what),
        sa.orm.defer(Case.answers),
        sa.orm.defer(Case.answer),
        sa.orm.defer(Case.reporter_name),
        sa.orm.defer(Case.reporter_phone),
    )


def of_ids(within: Collection[Scope], by: Actor, ids: Collection[int], page_number: int, size: int = 50) -> list[Case]:
    """The requests behind a figure, as far as they are in scope; one more than a page."""
    query = (
        sa.select(Case)
        .where(Case.id.in_(ids), inside(within), visible(within, by))
        .options(*_lean())
        .order_by(Case.submitted_at.desc(), Case.id.desc())
        .limit(size + 1)
        .offset((page_number - 1) * size)
    )
    return list(db.session.scalars(query))


def case_in(within: Collection[Scope], public_id: str, by: Actor) -> Case:
    """A request as its page shows it; Missing where the worker may not see it."""
    query = (
        sa.select(Case)
        .where(Case.public_id == public_id, visible(within, by))
        .options(
            sa.orm.joinedload(Case.community).joinedload(Area.parent),
            sa.orm.joinedload(Case.grid),
            sa.orm.joinedload(Case.category).joinedload(Category.parent),
            sa.orm.joinedload(Case.estate),
            sa.orm.joinedload(Case.building).joinedload(Building.estate),
            sa.orm.joinedload(Case.reporter),
            sa.orm.joinedload(Case.behalf),
            sa.orm.joinedload(Case.against_organisation),
            sa.orm.joinedload(Case.main),
            *(sa.orm.selectinload(part) for part in (Case.steps, Case.helps, Case.pauses, Case.call_backs)),
            sa.orm.selectinload(Case.photos),
        )
    )
    case = db.session.scalar(query)
    if case is None:
        raise Missing
    return case


def communities(within: Collection[Scope]) -> list[Area]:
    """The communities that scopes touch, in one question; by code."""
    query = sa.select(Area).where(Area.id.in_(areas.touched(within))).order_by(Area.code)
    return list(db.session.scalars(query))


def categories(communities: Collection[Area]) -> list[Category]:
    """The leaves in force in some communities, by their places; the parent comes with each."""
    query = (
        sa.select(Category)
        .where(Category.valid_to.is_(None), Category.parent_id.is_not(None))
        .options(sa.orm.joinedload(Category.parent))
        .order_by(Category.parent_id, Category.position, Category.id)
    )
    codes = [area.code for area in communities]
    return [row for row in db.session.scalars(query) if any(code.startswith(row.area_code) for code in codes)]


def places(communities: list[Area]) -> list[Area]:
    """What a list can be narrowed to: the grids of one's community, or the communities of a street."""
    return areas.grids_of(communities) if len(communities) == 1 else communities
