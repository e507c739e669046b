"""Whom a worker's scopes reach at the counter: everybody of a whole community, of a grid its own people alone."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.catalogue.models.schedules import Slot, Timetable
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.identity.models import Account
from portal.registry.models import FamilyAgent, Person
from portal.registry.models.accounts import AgentState
from portal.registry.service import people


def reached(within: Collection[Scope], community: Any, person_id: Any) -> sa.ColumnElement[bool]:
    """The condition that a row of a community about a person is in reach."""
    wide = [scope for scope in within if scope.kind != AreaKind.GRID.value]
    codes = [scope.ref for scope in within if scope.kind == AreaKind.GRID.value]
    whole: sa.ColumnElement[bool] = community.in_(areas.touched(wide))
    if not codes:
        return whole
    grids = sa.select(Area.id).where(Area.kind == AreaKind.GRID, Area.code.in_(codes))
    mine = person_id.in_(sa.select(Person.id).where(Person.grid_id.in_(grids)))
    return sa.or_(whole, sa.and_(community.in_(areas.touched(within)), mine))


def whole(within: Collection[Scope]) -> frozenset[int]:
    """The communities that a worker reaches as a whole, and not by a grid alone."""
    return areas.reach([scope for scope in within if scope.kind != AreaKind.GRID.value]).communities


def near(within: Collection[Scope], slots: Collection[Slot]) -> list[Slot]:
    """Of some slots those of timetables of the worker's communities, in their order."""
    ids = {one.timetable_id for one in slots}
    query = sa.select(Timetable.id).where(Timetable.id.in_(ids), Timetable.community_id.in_(areas.touched(within)))
    known = set(db.session.scalars(query.order_by(Timetable.id))) if ids else set()
    return [one for one in slots if one.timetable_id in known]


def still_acts(account: str, person: Person, action: str) -> bool:
    """Whether an account, by public id, may still act for somebody today."""
    query = (
        sa.select(FamilyAgent)
        .join(Account, FamilyAgent.account_id == Account.id)
        .where(
            Account.public_id == account,
            FamilyAgent.person_id.in_(people.ids_of(person)),
            FamilyAgent.state == AgentState.ACCEPTED,
        )
        .order_by(FamilyAgent.id)
    )
    return any(agent.allows(action, today()) for agent in db.session.scalars(query))
