"""Queries on the tree of areas, and what a scope reaches in it."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing


@dataclass(frozen=True)
class Reach:
    """The communities wholly inside some scopes, and the single grids beside them: ids of areas."""

    communities: frozenset[int]
    grids: frozenset[int]


def area_scope(area: Area) -> Scope:
    return Scope(area.kind.value, area.code)


def reach(scopes: Collection[Scope]) -> Reach:
    """Resolve area scopes; scopes of other kinds (a canteen) reach no area. Scope("all", "") reaches everything."""
    if any(scope.kind == "all" for scope in scopes):
        return Reach(
            frozenset(db.session.scalars(sa.select(Area.id).where(Area.kind == AreaKind.COMMUNITY))),
            frozenset(),
        )
    codes = {kind: [scope.ref for scope in scopes if scope.kind == kind.value] for kind in AreaKind}
    street = sa.orm.aliased(Area)
    communities = (
        sa.select(Area.id)
        .outerjoin(street, Area.parent_id == street.id)
        .where(Area.kind == AreaKind.COMMUNITY)
        .where(sa.or_(Area.code.in_(codes[AreaKind.COMMUNITY]), street.code.in_(codes[AreaKind.STREET])))
    )
    grids = sa.select(Area.id).where(Area.kind == AreaKind.GRID, Area.code.in_(codes[AreaKind.GRID]))
    return Reach(frozenset(db.session.scalars(communities)), frozenset(db.session.scalars(grids)))


def communities(scopes: Collection[Scope]) -> list[Area]:
    """The communities inside the scopes, and those that hold a grid inside them; ordered by code."""
    inside = reach(scopes)
    over_grids = sa.select(Area.parent_id).where(Area.id.in_(inside.grids))
    query = sa.select(Area).where(sa.or_(Area.id.in_(inside.communities), Area.id.in_(over_grids)))
    return list(db.session.scalars(query.order_by(Area.code)))


def touched(scopes: Collection[Scope]) -> sa.Select[int]:
    """The ids of the communities inside the scopes and of those that hold a grid inside them, as one subquery."""
    query = sa.select(Area.id).where(Area.kind == AreaKind.COMMUNITY)
    if any(scope.kind == "all" for scope in scopes):
        return query
    codes = {kind: [scope.ref for scope in scopes if scope.kind == kind.value] for kind in AreaKind}
    streets = sa.select(Area.id).where(Area.kind == AreaKind.STREET, Area.code.in_(codes[AreaKind.STREET]))
    over_grids = sa.select(Area.parent_id).where(Area.kind == AreaKind.GRID, Area.code.in_(codes[AreaKind.GRID]))
    return query.where(
        sa.or_(Area.code.in_(codes[AreaKind.COMMUNITY]), Area.parent_id.in_(streets), Area.id.in_(over_grids))
    )


def whole_communities(scopes: Collection[Scope]) -> list[Area]:
    """The communities that lie wholly inside the scopes; ordered by code."""
    query = sa.select(Area).where(Area.id.in_(reach(scopes).communities)).order_by(Area.code)
    return list(db.session.scalars(query))


def grids(community: Area) -> list[Area]:
    query = sa.select(Area).where(Area.parent_id == community.id, Area.kind == AreaKind.GRID)
    return list(db.session.scalars(query.order_by(Area.code)))


def grids_of(communities: Collection[Area]) -> list[Area]:
    """The grids of some communities, in one question; by code."""
    held = [community.id for community in communities]
    query = sa.select(Area).where(Area.parent_id.in_(held), Area.kind == AreaKind.GRID)
    return list(db.session.scalars(query.options(sa.orm.joinedload(Area.parent)).order_by(Area.code)))


def by_code(code: str) -> Area:
    area = db.session.scalar(sa.select(Area).where(Area.code == code))
    if area is None:
        raise Missing
    return area


def all_areas() -> list[Area]:
    return list(db.session.scalars(sa.select(Area).order_by(Area.code)))


def choices(kind: AreaKind) -> list[tuple[str, str]]:
    """Code and name of every area of a kind; a grid is named with its community."""
    found = [(area, area.parent) for area in all_areas() if area.kind is kind]
    grid = kind is AreaKind.GRID
    return [(area.code, f"{parent.name} {area.name}" if grid and parent else area.name) for area, parent in found]


def kind_label(kind: AreaKind) -> str:
    return {AreaKind.STREET: _("街道"), AreaKind.COMMUNITY: _("社区"), AreaKind.GRID: _("网格")}[kind]
