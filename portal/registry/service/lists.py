"""Lists of people by what the register says of them: filters and orders, a page at a time by key."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, rows_of
from portal.core.errors import Missing
from portal.core.ids import Sex
from portal.registry.models import Household, Person, PersonState, PersonTag, Registration, TagKind
from portal.registry.service import words
from portal.registry.service.figures import born_after
from portal.registry.service.finding import Inside, inside
from portal.registry.service.lines import Line, LineRow, rows_in, with_tags

PAGE = 50
MOST_COUNTED = 1000
MOST_NAMED = 3


class Sort(StrEnum):
    NAME = "name"
    OLDEST = "oldest"
    YOUNGEST = "youngest"
    DOOR = "door"


@dataclass(frozen=True)
class Wanted:
    """Whom a list shows; `area` is the code of a community or grid. Nothing is personal: an address may hold it."""

    area: str = ""
    estate: int = 0
    building: int = 0
    tag: TagKind | None = None
    age_from: int | None = None
    age_to: int | None = None
    sex: Sex | None = None
    registration: Registration | None = None
    state: PersonState | None = PersonState.PRESENT
    sort: Sort = Sort.NAME

    def query(self) -> dict[str, str]:
        """As an address says it; what is not asked for is left out."""
        said = {name: getattr(self, name) for name in self.__dataclass_fields__}
        said = {name: value for name, value in said.items() if value not in {None, "", 0} or name.startswith("age")}
        found = {name: str(getattr(value, "value", value)) for name, value in said.items() if value is not None}
        return {**found, "state": self.state.value if self.state else "all"}


@dataclass(frozen=True)
class Page:
    """One page of a list. `after` is where the next begins, "" on the last; `count` is not exact once `capped`."""

    lines: list[Line]
    after: str
    count: int
    capped: bool


@dataclass(frozen=True)
class Ground:
    """Where a worker may look, and what of it is asked for: the areas she may choose from, and the chosen inside."""

    areas: list[Area]
    area: Inside
    chosen: Area | None = None
    estates: list[Estate] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)


def ground(wanted: Wanted, within: Collection[Scope]) -> Ground:
    """Resolve the area asked for; Missing when it is not in scope."""
    reach = inside(within)
    below = db.session.scalars(_areas(), {"around": list(reach.around)})
    known = [area for area in below if _may_choose(area, reach)]
    chosen = next((area for area in known if area.code == wanted.area), None)
    if wanted.area and chosen is None:
        raise Missing
    return Ground(known, _narrowed(reach, chosen, known), chosen, *_doors(wanted, chosen, reach))


@cache
def _areas() -> sa.Select[Area]:
    around: sa.BindParameter[Any] = sa.bindparam("around", expanding=True)
    return sa.select(Area).where(sa.or_(Area.id.in_(around), Area.parent_id.in_(around))).order_by(Area.code)


@cache
def _estates() -> sa.Select[Estate]:
    here = Estate.community_id == sa.bindparam("community")
    return sa.select(Estate).where(here).order_by(Estate.name, Estate.id)


def _may_choose(area: Area, reach: Inside) -> bool:
    if area.kind is AreaKind.COMMUNITY:
        return area.id in reach.around
    return area.id in reach.grids or area.parent_id in reach.whole


def _narrowed(reach: Inside, chosen: Area | None, known: Collection[Area]) -> Inside:
    if chosen is None:
        return reach
    if chosen.kind is AreaKind.GRID:
        return Inside(frozenset(), frozenset({chosen.id}), frozenset({chosen.parent_id or 0}))
    if chosen.id in reach.whole:
        return Inside(frozenset({chosen.id}), frozenset(), frozenset({chosen.id}))
    hers = frozenset(area.id for area in known if area.parent_id == chosen.id and area.id in reach.grids)
    return Inside(frozenset(), hers, frozenset({chosen.id}))


def _doors(wanted: Wanted, chosen: Area | None, reach: Inside) -> tuple[list[Estate], list[Building]]:
    """The estates to choose from once one community is meant, and the buildings once an estate is."""
    community = chosen.parent_id if chosen and chosen.kind is AreaKind.GRID else chosen.id if chosen else 0
    community = next(iter(reach.around)) if not community and len(reach.around) == 1 else community
    if not community:
        return [], []
    estates = list(db.session.scalars(_estates(), {"community": community}))
    estate = wanted.estate if any(one.id == wanted.estate for one in estates) else 0
    estate = estates[0].id if len(estates) == 1 else estate
    return estates, buildings_of(estate) if estate else []


def buildings_of(estate: int) -> list[Building]:
    """By the number that a name begins with, 2号楼 before 10号楼."""
    found = db.session.scalars(sa.select(Building).where(Building.estate_id == estate).order_by(Building.id))
    return sorted(found, key=lambda one: (int("".join(_figures(one.name)) or 0), one.name))


def _figures(name: str) -> list[str]:
    return [sign for place, sign in enumerate(name) if name[: place + 1].isdecimal()]


def page_of(wanted: Wanted, place: Ground, *, after: str = "", limit: int = PAGE) -> Page:
    """The page that follows a person (her public id); the first where she is not in scope."""
    cursor = _cursor(wanted.sort, place.area, after)
    found = _lines(wanted, place.area, cursor, limit + 1)
    whole = not after and len(found) <= limit
    count = len(found) if whole else counted(everyone(wanted, place.area))
    following = found[limit - 1].public_id if len(found) > limit else ""
    return Page(found[:limit], following, min(count, MOST_COUNTED), count > MOST_COUNTED)


def all_lines(wanted: Wanted, place: Ground, *, limit: int) -> list[Line]:
    """The first lines of a list, for paper."""
    return _lines(wanted, place.area, None, limit)


def counted(query: sa.Select[int], most: int = MOST_COUNTED) -> int:
    """How many rows, counted no further than one past `most`."""
    ((count,),) = rows_of(sa.select(sa.func.count()).select_from(query.limit(most + 1).subquery()), {})
    return int(count)


def everyone(wanted: Wanted, area: Inside) -> sa.Select[int]:
    """The ids of everybody a list shows, in no order."""
    return sa.select(Person.id).where(area.holds(), *_filters(wanted))


def _filters(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    exact = {Person.sex: wanted.sex, Person.registration: wanted.registration, Person.state: wanted.state}
    filters = [column == value for column, value in exact.items() if value is not None]
    if wanted.age_from is not None:
        filters.append(Person.birth_date <= born_after(wanted.age_from, today()))
    if wanted.age_to is not None:
        filters.append(Person.birth_date > born_after(wanted.age_to + 1, today()))
    if wanted.tag is not None:
        filters.append(_tagged(wanted.tag))
    if wanted.building or wanted.estate:
        filters.append(Person.household_id.in_(_households(wanted)))
    return [Person.merged_into_id.is_(None), *filters]


def _tagged(kind: TagKind) -> sa.ColumnElement[bool]:
    """Looked up person by person: the OFFSET keeps PostgreSQL from reading the tags of the whole register instead."""
    held = sa.select(sa.literal(1)).where(
        PersonTag.person_id == Person.id,
        PersonTag.kind == kind,
        PersonTag.since <= today(),
        sa.or_(PersonTag.until.is_(None), PersonTag.until >= today()),
    )
    return held.correlate(Person).offset(0).exists()


def _households(wanted: Wanted) -> sa.Select[int]:
    homes = sa.select(Household.id).join(Dwelling, Household.dwelling_id == Dwelling.id)
    if wanted.building:
        return homes.where(Dwelling.building_id == wanted.building)
    return homes.join(Building, Dwelling.building_id == Building.id).where(Building.estate_id == wanted.estate)


@dataclass(frozen=True)
class _Order:
    """A column to sort by. Who has nothing there stands last, in the order of the rows."""

    column: sa.orm.InstrumentedAttribute[Any]
    empty: sa.ColumnElement[bool] | None = None
    down: bool = False

    def by(self) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
        return (self.column.desc(), Person.id.desc()) if self.down else (self.column.asc(), Person.id.asc())

    def beyond(self, key: Any, person: int) -> sa.ColumnElement[bool]:
        here, there = sa.tuple_(self.column, Person.id), sa.tuple_(sa.literal(key, self.column.type), person)
        return here < there if self.down else here > there


def _order(sort: Sort) -> _Order:
    if sort is Sort.NAME:
        return _Order(Person.pinyin)
    if sort is Sort.DOOR:
        return _Order(Person.door, Person.door == "")
    return _Order(Person.birth_date, Person.birth_date.is_(None), down=sort is Sort.YOUNGEST)


Cursor = tuple[bool, Any, int]


def _cursor(sort: Sort, area: Inside, after: str) -> Cursor | None:
    """Where a page begins: whether among those without a key, the key, and the row."""
    if not after:
        return None
    column = _order(sort).column
    rows = rows_of(sa.select(Person.id, column).where(Person.public_id == after, area.holds()), {})
    return next(((key in {None, ""}, key, person) for person, key in rows), None)


def _lines(wanted: Wanted, area: Inside, cursor: Cursor | None, limit: int) -> list[Line]:
    """One step of an index for each area, merged: no page costs more than its rows, wherever in the list it lies.

    Who has nothing to sort by is asked for only once the others are at their end.
    """
    order, conditions = _order(wanted.sort), _filters(wanted)
    keyed, bare = _keyed(order, conditions, cursor), _bare(order, conditions, cursor)
    rows = [] if keyed is None else _rows(keyed, area, limit, by=order.by(), down=order.down)
    if bare is not None and len(rows) < limit:
        rows += _rows(bare, area, limit - len(rows), by=(Person.id.asc(),))
    return with_tags(rows)


Step = sa.Select[*tuple[Any, ...]]


def _keyed(order: _Order, conditions: Sequence[sa.ColumnElement[bool]], cursor: Cursor | None) -> Step | None:
    """The rows with a key that follow the cursor; None where it stands beyond them."""
    if cursor and cursor[0]:
        return None
    step = sa.select(Person.id, order.column.label("key")).where(*conditions)
    step = step if order.empty is None else step.where(sa.not_(order.empty))
    return step.where(order.beyond(cursor[1], cursor[2])) if cursor else step


def _bare(order: _Order, conditions: Sequence[sa.ColumnElement[bool]], cursor: Cursor | None) -> Step | None:
    """The rows without a key, by row."""
    if order.empty is None:
        return None
    step = sa.select(Person.id, Person.id.label("key")).where(*conditions, order.empty)
    return step.where(Person.id > cursor[2]) if cursor and cursor[0] else step


def _rows(
    step: Step, area: Inside, limit: int, *, by: Sequence[sa.ColumnElement[Any]], down: bool = False
) -> list[LineRow]:
    steps = [step.where(one).order_by(*by).limit(limit).subquery() for one in _each(area)]
    if not steps:
        return []
    found = steps[0]
    if len(steps) > 1:
        merged = sa.union_all(*(sa.select(one) for one in steps)).subquery()
        found = sa.select(merged).order_by(*_merging(merged, down=down)).limit(limit).subquery()
    return rows_in(found, _merging(found, down=down))


def _merging(found: sa.Subquery, *, down: bool) -> list[sa.ColumnElement[Any]]:
    return [found.c.key.desc(), found.c.id.desc()] if down else [found.c.key.asc(), found.c.id.asc()]


def _each(area: Inside) -> list[sa.ColumnElement[bool]]:
    """The areas one by one; who is in a whole community is not met again in one of its grids."""
    grids = [sa.and_(Person.grid_id == grid, Person.community_id.not_in(area.whole)) for grid in sorted(area.grids)]
    return [Person.community_id == one for one in sorted(area.whole)] + (
        grids if area.whole else [Person.grid_id == grid for grid in sorted(area.grids)]
    )


def sort_words(sort: Sort) -> str:
    return {
        Sort.NAME: _("按姓名拼音"),
        Sort.OLDEST: _("年龄从大到小"),
        Sort.YOUNGEST: _("年龄从小到大"),
        Sort.DOOR: _("按住址"),
    }[sort]


def in_words(wanted: Wanted, place: Ground) -> str:
    """A list's filters in one line: 春风里社区、独居、60 岁以上."""
    said = [place_words(place)]
    said += [one.name for one in place.estates if one.id == wanted.estate]
    said += [one.name for one in place.buildings if one.id == wanted.building]
    said += [words.tag(wanted.tag)] if wanted.tag else []
    said += _ages(wanted)
    said += [words.sex(wanted.sex)] if wanted.sex else []
    said += [words.registration(wanted.registration)] if wanted.registration else []
    said += [words.state(wanted.state) if wanted.state else _("各种状态")]
    return _("、").join(said)


def place_words(place: Ground) -> str:
    """The area chosen, else every one a worker answers for: by name, or their street and how many they are."""
    if place.chosen:
        return place.chosen.name
    named = [area for area in place.areas if area.id in place.area.whole or area.id in place.area.grids]
    streets = {area.parent_id: area for area in named if area.kind is AreaKind.COMMUNITY}
    if len(named) <= MOST_NAMED or len(streets) != 1:
        return _("、").join(area.name for area in named)
    street = next(iter(streets.values())).parent
    return _("%(street)s %(count)d 个社区", street=street.name if street else "", count=len(named))


def _ages(wanted: Wanted) -> list[str]:
    least, most = wanted.age_from, wanted.age_to
    if least is not None and most is not None:
        return [_("%(least)d 至 %(most)d 岁", least=least, most=most)]
    if least is not None:
        return [_("%(least)d 岁及以上", least=least)]
    return [_("%(most)d 岁及以下", most=most)] if most is not None else []
