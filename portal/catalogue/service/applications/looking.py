"""Applications as they are looked up: an account's, a person's, a worker's list and counts."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from portal.areas import service as areas
from portal.catalogue.models.applications import (
    DECIDED,
    ENDED,
    OPEN,
    WAITING,
    Application,
    ApplicationPaper,
    ApplicationState,
)
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.registry.service import people

# What a family agent is allowed, as the consent names it.
ACT = "catalogue.book"
PAGE = 30


class Tab(StrEnum):
    """What a worker looks at: new, in hand, waiting for the applicant, late, decided, ended."""

    NEW = "new"
    HAND = "hand"
    WAITING = "waiting"
    LATE = "late"
    DECIDED = "decided"
    ENDED = "ended"


def in_tab(tab: Tab, day: date) -> sa.ColumnElement[bool]:
    """The condition of each tab; late ones stand in theirs and in that of their state."""
    late = sa.and_(Application.state.in_(OPEN), Application.due_on < day)
    return {
        Tab.NEW: Application.state.in_([ApplicationState.SUBMITTED, ApplicationState.COMPLETED]),
        Tab.HAND: Application.state.in_([ApplicationState.ACCEPTED, ApplicationState.IN_HAND]),
        Tab.WAITING: Application.state.in_(WAITING),
        Tab.LATE: late,
        Tab.DECIDED: Application.state.in_(DECIDED),
        Tab.ENDED: Application.state.in_(ENDED),
    }[tab]


def _whole() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        joinedload(Application.item),
        joinedload(Application.person),
        joinedload(Application.community),
        selectinload(Application.papers).selectinload(ApplicationPaper.pictures),
        selectinload(Application.steps),
    )


def _mine(actor: Actor) -> sa.ColumnElement[bool]:
    return Application.person_id.in_(people.ids_of(*people.people_for(actor, ACT)))


def applications_for(actor: Actor) -> list[Application]:
    """Those of an account's own person and of those it may act for: what runs first, then the newest."""
    running = sa.case((Application.state.in_(ENDED), 1), else_=0)
    query = (
        sa.select(Application)
        .where(_mine(actor))
        .options(joinedload(Application.item), joinedload(Application.person))
        .order_by(running, Application.id.desc())
        .limit(100)
    )
    return list(db.session.scalars(query))


def application_for(actor: Actor, public_id: str) -> Application:
    """One of the account's own; a neighbour's is Missing."""
    query = sa.select(Application).where(_mine(actor), Application.public_id == public_id)
    return _one(query.options(*_whole()))


def application_in(within: Collection[Scope], public_id: str) -> Application:
    """One in scope, by public id; a draft is the applicant's own and Missing here."""
    query = (
        sa.select(Application)
        .join(Application.person)
        .where(Application.public_id == public_id, inside(within), _sent_or_counter())
        .options(contains_eager(Application.person), *_whole_but_person())
    )
    return _one(query)


def inside(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """Those that a scope's communities received, wherever the person lives since; in a grid those of its people. The
    person is joined.
    """
    reach = areas.reach(within)
    return sa.or_(Application.community_id.in_(reach.communities), Person.grid_id.in_(reach.grids))


def _sent_or_counter() -> sa.ColumnElement[bool]:
    """What a worker sees: what was submitted, and drafts begun at the counter."""
    return sa.or_(Application.state != ApplicationState.DRAFT, Application.channel == "counter")


def _whole_but_person() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    first, _person, *others = _whole()
    return (first, *others)


def _one(query: sa.Select[Application]) -> Application:
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def counts(within: Collection[Scope], worker: str | None = None) -> dict[Tab, int]:
    """How many of each tab, in one question; of one worker's, or of everybody's in scope."""
    day = today()
    numbers = [sa.func.count(Application.id).filter(in_tab(tab, day)) for tab in Tab]
    query = sa.select(*numbers).join(Application.person).where(inside(within))
    row = db.session.execute(query.where(_whose(worker))).one()
    return dict(zip(Tab, row, strict=True))


def _whose(worker: str | None) -> sa.ColumnElement[bool]:
    if worker is None:
        return sa.true()
    return sa.or_(Application.owner == worker, Application.doer == worker)


def applications_in(
    within: Collection[Scope], tab: Tab, *, worker: str | None = None, page: int = 1
) -> list[Application]:
    """A page of a tab, one more than fits: the most pressing first, what has ended newest first."""
    ended = tab in {Tab.ENDED, Tab.DECIDED}
    order = (Application.id.desc(),) if ended else (Application.due_on, Application.id)
    query = (
        sa.select(Application)
        .join(Application.person)
        .where(inside(within), in_tab(tab, today()), _whose(worker))
        .options(contains_eager(Application.person), joinedload(Application.item))
        .order_by(*order)
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    )
    return list(db.session.scalars(query))


def applications_of(person: Person, *, limit: int = 20) -> list[Application]:
    """A person's, newest first; those of persons merged into her too. Drafts are hers alone."""
    query = (
        sa.select(Application)
        .where(Application.person_id.in_(people.ids_of(person)), Application.state != ApplicationState.DRAFT)
        .options(joinedload(Application.item))
        .order_by(Application.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))
