"""Lists of resources: what a page asks for, one page of it, and where a scope reaches."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing

Row = TypeVar("Row")
SIZE = 50
MOST = 20_000


@dataclass(frozen=True)
class Wanted:
    """What a list is narrowed to; `state` is "" for what is in use, "closed" for what is not, or a list's own word."""

    q: str = ""
    kind: str = ""
    community: str = ""
    state: str = ""
    page: int = 1
    size: int = SIZE

    def whole(self) -> "Wanted":
        """The same list on one page, as it is printed and exported."""
        return replace(self, page=1, size=MOST)

    def asked(self, **other: Any) -> dict[str, Any]:
        """As values of an address."""
        said = {"q": self.q, "kind": self.kind, "community": self.community, "state": self.state, **other}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True)
class Paged(Generic[Row]):
    rows: list[Row]
    total: int
    number: int
    pages: int


def paged(query: sa.Select[Row], wanted: Wanted) -> Paged[Row]:
    """One page of an ordered query, and how much there is in all."""
    counted = sa.select(sa.func.count()).select_from(query.with_only_columns(sa.literal(1)).order_by(None).subquery())
    total = db.session.scalar(counted) or 0
    pages = max(1, -(-total // wanted.size))
    number = min(max(1, wanted.page), pages)
    part = query.limit(wanted.size).offset((number - 1) * wanted.size)
    return Paged(list(db.session.scalars(part)), total, number, pages)


def communities(within: Collection[Scope]) -> list[Area]:
    """Whose resources somebody may see: a grid worker those of the whole community."""
    return list(db.session.scalars(sa.select(Area).where(Area.id.in_(areas.touched(within))).order_by(Area.code)))


def in_reach(column: Any, within: Collection[Scope], code: str = "") -> sa.ColumnElement[bool]:
    """The condition that a row's community is in scope, and the one asked for where one is."""
    inside = areas.touched(within)
    condition: sa.ColumnElement[bool] = column.in_(inside.where(Area.code == code) if code else inside)
    return condition


def community_in(within: Collection[Scope], code: str) -> Area:
    """A community that lies wholly in scope: where something may be entered."""
    found = next((area for area in areas.whole_communities(within) if area.code == code), None)
    if found is None:
        raise Missing
    return found


def one_in(query: sa.Select[Row]) -> Row:
    found = db.session.scalars(query).unique().first()
    if found is None:
        raise Missing
    return found
