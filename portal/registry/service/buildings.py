"""一栋一图: a building's units, floors and rooms as a picture, and who in a worker's scope lives behind each door."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas import service as areas
from portal.areas.models import Area, Building, Dwelling, DwellingUse, Estate
from portal.core import audit, events
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Household, Person, Relation, Source, TagKind
from portal.registry.service import people
from portal.registry.service.changes import changing
from portal.registry.service.households import living_here

MOST_ROOMS = 1200


class RoomState(StrEnum):
    """What a room looks like on the picture. OTHER: somebody lives there whom this worker does not look after."""

    LIVED_IN = "lived_in"
    RENTED = "rented"
    BUSINESS = "business"
    EMPTY = "empty"
    OTHER = "other"


@dataclass
class Room:
    dwelling: Dwelling
    people: list[Person] = field(default_factory=list)
    others: bool = False

    @property
    def state(self) -> RoomState:
        if not self.people and self.others:
            return RoomState.OTHER
        if self.dwelling.use is DwellingUse.BUSINESS:
            return RoomState.BUSINESS
        if not self.people:
            return RoomState.EMPTY
        return RoomState.RENTED if self.dwelling.use is DwellingUse.RENTED else RoomState.LIVED_IN

    @property
    def marks(self) -> list[TagKind]:
        """The tags in force of those who live here, each once, in the order of the kinds."""
        held = {kind for person in self.people for kind in person.tag_kinds(today())}
        return [kind for kind in TagKind if kind in held]


@dataclass
class Floor:
    """A floor of a unit, None where the rooms do not say one."""

    number: int | None
    rooms: list[Room]


@dataclass
class Unit:
    name: str
    floors: list[Floor]


@dataclass
class Plan:
    """A whole building; `counts` are of rooms by state, `marks` how many rooms bear a tag."""

    building: Building
    units: list[Unit]
    counts: dict[RoomState, int]
    marks: dict[TagKind, int]
    living: int


@dataclass(frozen=True)
class Line:
    """A building in a list: how many rooms it has, and how many people in scope live there."""

    building: Building
    rooms: int
    living: int


def _reachable(within: Collection[Scope]) -> sa.ColumnElement[bool]:
    """Buildings of whole communities in scope; of grids in scope those of the grid, or where its people live."""
    inside = areas.reach(within)
    at_home = sa.exists().where(
        Person.household_id == Household.id,
        Household.dwelling_id == Dwelling.id,
        Dwelling.building_id == Building.id,
        Person.grid_id.in_(inside.grids),
    )
    return sa.or_(Estate.community_id.in_(inside.communities), Building.grid_id.in_(inside.grids), at_home)


def buildings(within: Collection[Scope], estate_id: int | None = None) -> list[Line]:
    """Buildings in scope: those of the grids in scope first, then by community, estate and the number in their name."""
    rooms = sa.select(sa.func.count(Dwelling.id)).where(Dwelling.building_id == Building.id).scalar_subquery()
    living = (
        sa.select(sa.func.count(Person.id))
        .join(Household, Household.id == Person.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Dwelling.building_id == Building.id, people.within(within), *living_here())
        .scalar_subquery()
    )
    query = (
        sa.select(Building, rooms, living)
        .join(Estate)
        .where(_reachable(within), *([Estate.id == estate_id] if estate_id else []))
        .options(joinedload(Building.estate).joinedload(Estate.community), joinedload(Building.grid))
        .order_by(Estate.community_id, Estate.name, Building.id)
    )
    lines = [Line(*row) for row in db.session.execute(query)]
    own = areas.reach(within).grids
    return sorted(lines, key=lambda line: (line.building.grid_id not in own, *_order(line.building)))


def _order(building: Building) -> tuple[int, str, int, str]:
    return building.estate.community_id, building.estate.name, number_in(building.name), building.name


def number_in(words: str) -> int:
    """The first number in a name, so that 2号楼 stands before 10号楼."""
    found = re.search(r"\d+", words)
    return int(found[0]) if found else 0


def estates(within: Collection[Scope]) -> list[Estate]:
    """Estates in scope, those with a building of a grid in scope first."""
    own = sa.func.max(sa.case((Building.grid_id.in_(areas.reach(within).grids), 1), else_=0))
    query = sa.select(Estate).join(Building).where(_reachable(within)).group_by(Estate.id)
    return list(db.session.scalars(query.order_by(own.desc(), Estate.name, Estate.id)))


def building_in(within: Collection[Scope], building_id: int) -> Building:
    query = (
        sa.select(Building)
        .join(Estate)
        .where(Building.id == building_id, _reachable(within))
        .options(joinedload(Building.estate).joinedload(Estate.community), joinedload(Building.grid))
    )
    found = db.session.scalar(query)
    if found is None:
        raise Missing
    return found


def dwelling_in(within: Collection[Scope], dwelling_id: int) -> Dwelling:
    dwelling = db.session.get(Dwelling, dwelling_id)
    if dwelling is None:
        raise Missing
    building_in(within, dwelling.building_id)
    return dwelling


def plan(within: Collection[Scope], building_id: int) -> Plan:
    """The picture: in three questions, however many rooms there are."""
    building = building_in(within, building_id)
    query = sa.select(Dwelling).where(Dwelling.building_id == building.id).order_by(Dwelling.id).limit(MOST_ROOMS)
    rooms = {dwelling.id: Room(dwelling) for dwelling in db.session.scalars(query)}
    _fill(rooms, building, within)
    units: dict[str, list[Room]] = {}
    for room in rooms.values():
        units.setdefault(room.dwelling.unit, []).append(room)
    ordered = sorted(units, key=lambda name: (number_in(name), name))
    states = [room.state for room in rooms.values()]
    marked = [kind for room in rooms.values() for kind in room.marks]
    return Plan(
        building,
        [Unit(name, _floors(units[name])) for name in ordered],
        {state: states.count(state) for state in RoomState if state in states},
        {kind: marked.count(kind) for kind in TagKind if kind in marked},
        sum(len(room.people) for room in rooms.values()),
    )


def _fill(rooms: dict[int, Room], building: Building, within: Collection[Scope]) -> None:
    query = (
        sa.select(Person, Household.dwelling_id, sa.case((people.within(within), 1), else_=0))
        .join(Household, Household.id == Person.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Dwelling.building_id == building.id, *living_here())
        .options(selectinload(Person.tags), joinedload(Person.household))
        .order_by(sa.case((Person.relation == Relation.HEAD, 0), else_=1), Person.birth_date.nulls_last(), Person.id)
    )
    for person, dwelling_id, mine in db.session.execute(query):
        room = rooms.get(dwelling_id)
        if room and mine:
            room.people.append(person)
        elif room:
            room.others = True


def floor_of(dwelling: Dwelling) -> int | None:
    """The floor that is entered, else what a room number of three or four figures says."""
    if dwelling.floor is not None:
        return dwelling.floor
    digits = re.sub(r"\D", "", dwelling.room)
    return int(digits[:-2]) if len(digits) in {3, 4} else None


def _floors(rooms: Sequence[Room]) -> list[Floor]:
    """From the top down; rooms without a floor last."""
    floors: dict[int | None, list[Room]] = {}
    for room in rooms:
        floors.setdefault(floor_of(room.dwelling), []).append(room)
    ordered = sorted(floors, key=lambda number: (number is None, -(number or 0)))
    return [
        Floor(number, sorted(floors[number], key=lambda room: (number_in(room.dwelling.room), room.dwelling.room)))
        for number in ordered
    ]


def state_words(state: RoomState) -> str:
    return {
        RoomState.LIVED_IN: _("有人住"),
        RoomState.RENTED: _("出租"),
        RoomState.BUSINESS: _("商用"),
        RoomState.EMPTY: _("无人登记"),
        RoomState.OTHER: _("不在您的网格"),
    }[state]


def use_words(use: DwellingUse) -> str:
    return {
        DwellingUse.OWN: _("自住"),
        DwellingUse.RENTED: _("出租"),
        DwellingUse.BUSINESS: _("商用"),
        DwellingUse.EMPTY: _("空置"),
        DwellingUse.UNKNOWN: _("未登记"),
    }[use]


@dataclass(frozen=True)
class Pattern:
    """How the rooms of a building repeat: units, floors, and rooms on each floor of a unit."""

    units: int
    floors: int
    rooms: int

    def doors(self) -> list[tuple[str, str, int]]:
        """(unit, room, floor) of each door, as doors are numbered: floor, then two figures. What a door is called is
        data, the same in every language of the page.
        """
        return [
            (f"{unit}单元" if self.units > 1 else "", f"{floor}{room:02d}", floor)
            for unit in range(1, self.units + 1)
            for floor in range(1, self.floors + 1)
            for room in range(1, self.rooms + 1)
        ]


def add_building(community: Area, *, estate: str, name: str, grid: Area | None, pattern: Pattern) -> Building:
    """A building with its rooms. Raise Refused where the estate has one of that name."""
    found = db.session.scalar(sa.select(Estate).where(Estate.community_id == community.id, Estate.name == estate))
    if found is None:
        found = Estate(community_id=community.id, name=estate)
        db.session.add(found)
        db.session.flush()
    made = Building(estate_id=found.id, name=name, grid_id=grid.id if grid else None)
    with unique_or(Refused(_("这个小区已经有这一栋了。要补房屋，请打开那一栋的页面。"), field="name")):
        db.session.add(made)
        db.session.flush()
    rows = [
        {"building_id": made.id, "unit": unit, "room": room, "floor": floor} for unit, room, floor in pattern.doors()
    ]
    db.session.execute(sa.insert(Dwelling), rows)
    audit.record("registry.building_added", made, rooms=len(rows))
    return made


def add_dwelling(building: Building, *, unit: str, room: str, floor: int | None) -> Dwelling:
    made = Dwelling(building_id=building.id, unit=unit, room=room, floor=floor)
    with unique_or(Refused(_("这一栋已经有这一间了，请核对单元和房号。"), field="room")):
        db.session.add(made)
        db.session.flush()
    audit.record("registry.dwelling_added", made)
    return made


def mend_building(building: Building, *, name: str, grid: Area | None) -> None:
    """Another name, or another grid, which everybody who lives in it follows."""
    moves, before = grid is not None and grid.id != building.grid_id, _named(building.name, building.grid)
    with unique_or(Refused(_("这个小区已经有叫这个名字的楼栋了。"), field="name")):
        building.name, building.grid_id = name, grid.id if grid else None
        db.session.flush()
    followed = _follow(building) if moves else 0
    audit.record("registry.building_changed", building, before=before, after=_named(name, grid), people=followed)


def _named(name: str, grid: Area | None) -> str:
    return f"{name} · {grid.name}" if grid else name


def mends(building: Building) -> list[AuditRow]:
    """What was changed of a building itself, the last first; of its people each has a history of her own."""
    about = (AuditRow.object_type == "Building", AuditRow.object_id == str(building.id))
    query = sa.select(AuditRow).where(*about, AuditRow.action == "registry.building_changed")
    return list(db.session.scalars(query.order_by(AuditRow.id.desc()).limit(50)))


def _follow(building: Building) -> int:
    """All who live in a building come into its grid, each with a line of history; return how many."""
    living = (
        sa.select(Person)
        .join(Household, Household.id == Person.household_id)
        .join(Dwelling, Dwelling.id == Household.dwelling_id)
        .where(Dwelling.building_id == building.id, Person.community_id == Household.community_id, *living_here())
        .where(sa.or_(Person.grid_id.is_(None), Person.grid_id != building.grid_id))
        .order_by(Person.id)
        .with_for_update(of=Person)
        .execution_options(populate_existing=True)
    )
    found = list(db.session.scalars(living))
    for person in found:
        with changing(person, Source.WORKER):
            person.grid_id = building.grid_id
    db.session.flush()
    for person in found:
        db.session.expire(person, ["grid"])
        events.publish("person_moved", person=person)
    return len(found)


def mend_dwelling(dwelling: Dwelling, *, use: DwellingUse, area_m2: Decimal | None, floor: int | None) -> None:
    dwelling.use, dwelling.area_m2, dwelling.floor = use, area_m2, floor
    audit.record("registry.dwelling_changed", dwelling, use=use.value)


def households_at(dwelling: Dwelling, within: Collection[Scope]) -> list[tuple[Household, list[Person]]]:
    """Who lives in a home, household by household, as far as the scope reaches; heads first."""
    query = (
        sa.select(Person)
        .join(Household, Household.id == Person.household_id)
        .where(Household.dwelling_id == dwelling.id, people.within(within), *living_here())
        .options(*people.whole())
        .order_by(Household.id, sa.case((Person.relation == Relation.HEAD, 0), else_=1), Person.birth_date, Person.id)
    )
    found: dict[int, tuple[Household, list[Person]]] = {}
    for person in db.session.scalars(query):
        if person.household:
            found.setdefault(person.household.id, (person.household, []))[1].append(person)
    return list(found.values())
