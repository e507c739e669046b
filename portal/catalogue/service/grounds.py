"""Where an item holds: the areas a worker may keep things for, and the community a reader looks at."""

from collections.abc import Collection
from functools import cache

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing, Refused


class NoCommunity(Missing):
    """No community is set up yet, so there is nothing to look at."""


def places(within: Collection[Scope]) -> list[Area]:
    """Where somebody with these scopes may keep items and lists: streets, and the communities inside them."""
    codes = {scope.ref for scope in within if scope.kind == AreaKind.STREET.value}
    streets = db.session.scalars(sa.select(Area).where(Area.code.in_(codes)).order_by(Area.code)) if codes else ()
    return [*streets, *areas.whole_communities(within)]


def kept(within: Collection[Scope]) -> sa.Select[int]:
    """The ids of those places, as a subquery."""
    if any(scope.kind == "all" for scope in within):
        return sa.select(Area.id)
    codes = {kind: [scope.ref for scope in within if scope.kind == kind.value] for kind in AreaKind}
    street = sa.orm.aliased(Area)
    return (
        sa.select(Area.id)
        .outerjoin(street, Area.parent_id == street.id)
        .where(
            sa.or_(
                sa.and_(Area.kind == AreaKind.STREET, Area.code.in_(codes[AreaKind.STREET])),
                sa.and_(
                    Area.kind == AreaKind.COMMUNITY,
                    sa.or_(Area.code.in_(codes[AreaKind.COMMUNITY]), street.code.in_(codes[AreaKind.STREET])),
                ),
            )
        )
    )


def kept_ids(within: Collection[Scope]) -> frozenset[int]:
    """The same as a set, for a page that shows rows of the street above, which its reader may not change."""
    return frozenset(db.session.scalars(kept(within)))


def served(within: Collection[Scope]) -> sa.Select[int]:
    """The same and the streets above: whose items the people in these scopes are served with."""
    inside = areas.touched(within)
    above = sa.select(Area.parent_id).where(Area.id.in_(inside))
    return sa.select(Area.id).where(sa.or_(Area.id.in_(kept(within)), Area.id.in_(inside), Area.id.in_(above)))


def place(within: Collection[Scope], code: str) -> Area:
    """One of a worker's places by its code, or a refusal beside the field `area`."""
    found = next((area for area in places(within) if area.code == code), None)
    if found is None:
        raise Refused(_("只能为您管辖的街道和社区登记。"), field="area")
    return found


@cache
def _communities() -> sa.Select[Area]:
    return sa.select(Area).where(Area.kind == AreaKind.COMMUNITY).order_by(Area.code)


def communities() -> list[Area]:
    """Every community, by code."""
    return list(db.session.scalars(_communities()))


def looked_at(found: Collection[Area], asked: str, home_id: int | None) -> Area:
    """The community a reader asks for, else her own, else the first; NoCommunity where there is none."""
    for area in found:
        if area.code == asked:
            return area
    for area in found:
        if area.id == home_id:
            return area
    first = next(iter(found), None)
    if first is None:
        raise NoCommunity
    return first


def around(community: Area) -> list[int]:
    """The ids of the areas whose items a community's residents have: its own and its street's."""
    return [community.id] + ([community.parent_id] if community.parent_id else [])
