"""Lists of households: by place, by the words of a door, a head's name or a number, and by what is wrong with them."""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core.access import Scope
from portal.core.db import db
from portal.registry.models import Household, Person, Relation
from portal.registry.service import finding, lists
from portal.registry.service.finding import Inside, inside
from portal.registry.service.households import living_here, reached, somebody
from portal.registry.service.lists import Ground

PAGE = 50
MOST_FOUND = 20


class State(StrEnum):
    """What a worker looks for among households. CLOSED ones are in no list that does not ask for them."""

    EMPTY = "empty"
    HEADLESS = "headless"
    TWO_HEADS = "two_heads"
    CLOSED = "closed"


class Sort(StrEnum):
    DOOR = "door"
    NUMBER = "number"
    LATEST = "latest"


@dataclass(frozen=True)
class Wanted:
    """Which households a list shows. `words` may name somebody: they are posted, and stand in no address."""

    area: str = ""
    estate: int = 0
    building: int = 0
    state: State | None = None
    sort: Sort = Sort.DOOR
    words: str = ""

    def query(self) -> dict[str, str]:
        """As an address says it."""
        said = {"area": self.area, "estate": self.estate, "building": self.building, "state": self.state}
        found = {name: str(value) for name, value in said.items() if value}
        return found if self.sort is Sort.DOOR else {**found, "sort": self.sort.value}

    def said(self) -> dict[str, str]:
        """As a form says it."""
        return {**self.query(), "words": self.words} if self.words else self.query()

    def place(self) -> lists.Wanted:
        return lists.Wanted(area=self.area, estate=self.estate, building=self.building)


@dataclass(frozen=True)
class Head:
    """The head of a household, where the scope reaches her."""

    person: int
    public_id: str
    name: str


@dataclass(frozen=True)
class Line:
    """A household in a list. `heads` counts all its heads; `head` is the first of those in scope."""

    id: int
    number: str
    closed_on: date | None
    community: str
    grid: str
    home: tuple[str, str, str, str] | None
    people: int
    heads: int
    head: Head | None

    @property
    def address(self) -> str:
        return " ".join(part for part in self.home or () if part)

    @property
    def state(self) -> State | None:
        """What is to be looked at, None for a household as it should be."""
        if self.closed_on is not None:
            return State.CLOSED
        if not self.people:
            return State.EMPTY
        return None if self.heads == 1 else State.TWO_HEADS if self.heads else State.HEADLESS


@dataclass(frozen=True)
class Page:
    """One page of a list. `after` is where the next begins, 0 on the last; `count` is not exact once `capped`."""

    lines: list[Line]
    after: int
    count: int
    capped: bool


def ground(wanted: Wanted, within: Collection[Scope]) -> Ground:
    """Resolve the area asked for; Missing when it is not in scope."""
    return lists.ground(wanted.place(), within)


def page_of(wanted: Wanted, area: Inside, *, after: int = 0, limit: int = PAGE) -> Page:
    """The page that follows a household; empty where there is none of that id."""
    chosen = everyone(wanted, area)
    rows = _rows(_step(chosen, wanted.sort, after, limit + 1).add_columns(_counted(chosen)))
    found, count = _lines(rows, area), rows[0][-1] if rows else 0
    following = found[limit - 1].id if len(found) > limit else 0
    return Page(found[:limit], following, min(count, lists.MOST_COUNTED), count > lists.MOST_COUNTED)


def _counted(chosen: sa.Select[int]) -> sa.ColumnElement[int]:
    """How many there are in all, asked for with the page itself; no further than one past the most that is counted."""
    all_of_them = chosen.correlate(None).limit(lists.MOST_COUNTED + 1).subquery()
    return sa.select(sa.func.count()).select_from(all_of_them).scalar_subquery()


def all_lines(wanted: Wanted, area: Inside, *, limit: int) -> list[Line]:
    """The first lines of a list, for paper."""
    return _lines(_rows(_step(everyone(wanted, area), wanted.sort, 0, limit)), area)


def lines_of(ids: Collection[int], area: Inside) -> list[Line]:
    """The lines of these households as far as the area reaches, by door."""
    asked = sa.select(Household.id).where(Household.id.in_(ids), reached(area.whole, area.grids))
    return _lines(_rows(_at_home(asked).order_by(*_keys(Sort.DOOR))), area)


def found(words: str, community: Area, within: Collection[Scope], *, limit: int = MOST_FOUND) -> list[Line]:
    """The open households of a community that words may mean, the very number first."""
    text, reach = _plain(words), inside(within)
    if not text:
        return []
    asked = everyone(Wanted(words=words), reach).where(Household.community_id == community.id)
    keys = [sa.case((Household.number == text, 0), else_=1), *_keys(Sort.DOOR)]
    return _lines(_rows(_at_home(asked).order_by(*keys).limit(limit)), reach)


def picked(household_id: int, community: Area, within: Collection[Scope]) -> Line | None:
    """The open household of an id in a community, where the scope reaches it."""
    reach = inside(within)
    asked = everyone(Wanted(), reach).where(Household.id == household_id, Household.community_id == community.id)
    return next(iter(_lines(_rows(_at_home(asked)), reach)), None) if household_id else None


def home_picked(dwelling_id: int, community: Area) -> Dwelling | None:
    """The home of an id in a community."""
    query = _homes_of(community).where(Dwelling.id == dwelling_id)
    return db.session.scalar(query) if dwelling_id else None


def homes_found(words: str, community: Area, *, limit: int = MOST_FOUND) -> list[Dwelling]:
    """The homes of a community whose door words may mean."""
    text, area = _plain(words), Inside(frozenset({community.id}), frozenset(), frozenset({community.id}))
    if not text:
        return []
    query = _homes_of(community).where(*(Dwelling.id.in_(_any(homes)) for homes in _doors_meant(text, area)))
    return list(db.session.scalars(query.order_by(*_door_keys(), Dwelling.id).limit(limit)))


def _homes_of(community: Area) -> sa.Select[Dwelling]:
    return (
        sa.select(Dwelling)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(Estate.community_id == community.id)
        .options(sa.orm.contains_eager(Dwelling.building).contains_eager(Building.estate))
    )


def everyone(wanted: Wanted, area: Inside) -> sa.Select[int]:
    """The ids of the households a list shows, in no order."""
    return sa.select(Household.id).where(reached(area.whole, area.grids), *_filters(wanted, area))


def _filters(wanted: Wanted, area: Inside) -> list[sa.ColumnElement[bool]]:
    filters = _state(wanted.state)
    if wanted.building or wanted.estate:
        homes = sa.select(Dwelling.id).join(Building, Dwelling.building_id == Building.id)
        where = Building.id == wanted.building if wanted.building else Building.estate_id == wanted.estate
        filters.append(Household.dwelling_id.in_(homes.where(where)))
    text = _plain(wanted.words)
    return filters + _meant(text, area) if text else filters


def _state(state: State | None) -> list[sa.ColumnElement[bool]]:
    if state is State.CLOSED:
        return [Household.closed_on.is_not(None)]
    head = Person.relation == Relation.HEAD
    heads = sa.select(sa.func.count(Person.id)).where(Person.household_id == Household.id, *living_here(), head)
    wrong = {
        State.EMPTY: [~somebody()],
        State.HEADLESS: [somebody(), ~somebody(head)],
        State.TWO_HEADS: [heads.scalar_subquery() > 1],
    }
    return [Household.closed_on.is_(None), *(wrong[state] if state else [])]


def _plain(words: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", words).split())


def _any(homes: Sequence[sa.Select[int]]) -> Any:
    return sa.union(*homes) if len(homes) > 1 else homes[0]


def _doors_meant(text: str, area: Inside) -> list[list[sa.Select[int]]]:
    """The homes of each word; a word that no home has stands for none."""
    if finding.kind_of_query(text) == "door":
        return [[finding.homes_behind(text, area)]]
    nowhere = sa.select(Dwelling.id).where(sa.false())
    return [finding.homes_fitting(word, area) or [nowhere] for word in dict.fromkeys(text.split())]


def _meant(text: str, area: Inside) -> list[sa.ColumnElement[bool]]:
    if finding.kind_of_query(text) == "door":
        return [sa.or_(Household.number == text, Household.dwelling_id.in_(finding.homes_behind(text, area)))]
    return [_word(word, area) for word in dict.fromkeys(text.split())]


def _word(word: str, area: Inside) -> sa.ColumnElement[bool]:
    """One word of several: of the door, the name of a head in scope, an end of the household's number."""
    heads = sa.select(Person.household_id).where(Person.relation == Relation.HEAD, *living_here(), area.holds())
    number = sa.or_(
        Household.number.startswith(word, autoescape=True), Household.number.endswith(word, autoescape=True)
    )
    meant = [number, Household.id.in_(heads.where(Person.id.in_(finding.sounding(word, area))))]
    homes = finding.homes_fitting(word, area)
    return sa.or_(*meant, *([Household.dwelling_id.in_(_any(homes))] if homes else []))


# ---- The order, and one page of it ----


Key = sa.SQLColumnExpression[Any]


def _door_keys() -> list[Key]:
    """A door as people count: 2号楼 before 10号楼, 301 before 1001."""
    names = (Building.name, Dwelling.unit, Dwelling.room)
    parts = [(sa.func.coalesce(sa.func.length(name), 0), sa.func.coalesce(name, "")) for name in names]
    return [sa.func.coalesce(Estate.name, ""), *(key for part in parts for key in part)]


def _keys(sort: Sort) -> list[Key]:
    if sort is Sort.NUMBER:
        return [sa.func.length(Household.number), Household.number, Household.id]
    if sort is Sort.LATEST:
        return [-Household.id]
    return [sa.case((Household.dwelling_id.is_(None), 1), else_=0), *_door_keys(), Household.id]


def _at_home(query: sa.Select[Any]) -> sa.Select[Any]:
    return (
        query.select_from(Household)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
    )


def _step(chosen: sa.Select[int], sort: Sort, after: int, limit: int) -> sa.Select[Any]:
    keys, step = _keys(sort), _at_home(chosen)
    if after:
        mark: Any = sa.select(*(key.label(f"key{turn}") for turn, key in enumerate(keys)))
        cursor = _at_home(mark).where(Household.id == after).subquery()
        step = step.join(cursor, sa.tuple_(*keys) > sa.tuple_(*cursor.c))
    return step.order_by(*keys).limit(limit)


Row = sa.Row[*tuple[Any, ...]]


def _rows(step: sa.Select[Any]) -> Sequence[Row]:
    """What a line says of the household and its door; what the step asked for beside the id comes last."""
    grid, community = sa.orm.aliased(Area), sa.orm.aliased(Area)
    said = (Household.id, Household.number, Household.closed_on, community.name, grid.name)
    query = step.outerjoin(grid, Building.grid_id == grid.id).join(community, Household.community_id == community.id)
    further = list(query.selected_columns)[1:]
    door = (Estate.name, Building.name, Dwelling.unit, Dwelling.room)
    return db.session.execute(query.with_only_columns(*said, *door, *further)).all()


def _lines(rows: Sequence[Row], area: Inside) -> list[Line]:
    members = _members([row[0] for row in rows], area)
    return [_line(tuple(row)[:9], members.get(row[0], [])) for row in rows]


Member = tuple[Head, Relation, bool, str]


def _members(households: Sequence[int], area: Inside) -> dict[int, list[Member]]:
    """Who lives in each: whether the scope reaches her, and the grid she belongs to."""
    if not households:
        return {}
    mine, grid = sa.case((area.holds(), 1), else_=0), sa.orm.aliased(Area)
    query = (
        sa.select(Person.household_id, Person.id, Person.public_id, Person.name, Person.relation, mine, grid.name)
        .outerjoin(grid, Person.grid_id == grid.id)
        .where(Person.household_id.in_(households), *living_here())
        .order_by(Person.household_id, Person.id)
    )
    found: dict[int, list[Member]] = {}
    for household, person, public_id, name, relation, reaches, where in db.session.execute(query):
        member = Head(person, public_id, name), relation, bool(reaches), where or ""
        found.setdefault(household, []).append(member)
    return found


def _line(row: tuple[Any, ...], members: list[Member]) -> Line:
    id_, number, closed_on, community, grid, estate, building, unit, room = row
    heads = [(who, reaches) for who, relation, reaches, _grid in members if relation is Relation.HEAD]
    head = next((who for who, reaches in heads if reaches), None)
    home = (estate, building, unit, room) if estate else None
    where = grid or next((name for _who, _relation, _reaches, name in members if name), "")
    return Line(id_, number, closed_on, community, where, home, len(members), len(heads), head)


# ---- Words ----


def state_words(state: State) -> str:
    return {
        State.EMPTY: _("没有人"),
        State.HEADLESS: _("没有户主"),
        State.TWO_HEADS: _("不止一个户主"),
        State.CLOSED: _("已注销"),
    }[state]


def sort_words(sort: Sort) -> str:
    return {Sort.DOOR: _("按住址"), Sort.NUMBER: _("按户号"), Sort.LATEST: _("最近新建")}[sort]


def in_words(wanted: Wanted, place: Ground) -> str:
    """A list's filters in one line. What was searched for is left out: it may name somebody."""
    said = [lists.place_words(place)]
    said += [one.name for one in place.estates if one.id == wanted.estate]
    said += [one.name for one in place.buildings if one.id == wanted.building]
    said += [state_words(wanted.state)] if wanted.state else []
    said += [_("按查找的内容")] if wanted.words else []
    return _("、").join(said)


def line_words(line: Line) -> str:
    """A household to be picked: its door, its head, its number and how many live there."""
    return _("，").join([line.address or _("住址未登记"), people_words(line)])


def people_words(line: Line) -> str:
    """The same without the door."""
    facts = {"number": line.number, "count": line.people}
    who = _("户主%(name)s", name=line.head.name) if line.head else _("没有户主")
    return _("，").join([who, _("户号 %(number)s，%(count)d 人", **facts)])
