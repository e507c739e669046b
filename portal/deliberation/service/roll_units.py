"""Who is entitled, from the register as it stands: units of a roll by body and extent, and what the register lacks."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Building, Dwelling, Estate
from portal.core.clock import full_years
from portal.core.db import db
from portal.deliberation.models.bodies import Delegate
from portal.deliberation.models.codes import Body
from portal.registry.models import Household, Person, PersonState, Registration, Relation

# Names a place so that a list is in the order in which one walks along the houses.
Order = tuple[Any, ...]
Known = dict[int, tuple[int, PersonState]]
# The committee's members belong to the delegates' meeting.
WITH_COMMITTEE = {Body.VILLAGE_DELEGATES, Body.RESIDENT_DELEGATES}
NAME_LENGTH, PLACE_LENGTH = 60, 120


@dataclass(frozen=True)
class Extent:
    """Where a vote holds: communities (or grids of them), within them some estates, buildings or groups."""

    areas: frozenset[int]
    estates: frozenset[int] = frozenset()
    buildings: frozenset[int] = frozenset()
    groups: frozenset[str] = frozenset()

    @classmethod
    def of(cls, said: Mapping[str, Any], communities: Collection[int]) -> "Extent":
        """From what a vote says; without areas, everybody of the topic's communities."""
        return cls(
            frozenset(said.get("areas") or communities),
            frozenset(said.get("estates") or ()),
            frozenset(said.get("buildings") or ()),
            frozenset(said.get("groups") or ()),
        )

    def homes(self) -> list[sa.ColumnElement[bool]]:
        """The conditions on buildings, where it is narrower than its communities."""
        said: list[sa.ColumnElement[bool]] = []
        if self.estates or self.buildings:
            said.append(sa.or_(Building.estate_id.in_(self.estates), Building.id.in_(self.buildings)))
        return said


@dataclass
class Entitled:
    """One unit before it has a number. `people` may cast its vote."""

    unit: str
    name: str
    place: str
    order: Order
    people: list[int] = field(default_factory=list)
    dwellings: list[tuple[int, Decimal]] = field(default_factory=list)

    @property
    def area(self) -> Decimal:
        return sum((area for _dwelling, area in self.dwellings), Decimal(0))


@dataclass
class Gaps:
    """What the register lacks for a complete roll, in words; each with how many and the first few."""

    said: list[tuple[str, int, list[str]]] = field(default_factory=list)

    def note(self, words: str, examples: list[str]) -> None:
        if examples:
            self.said.append((words, len(examples), examples[:10]))

    def __bool__(self) -> bool:
        return bool(self.said)


@dataclass(frozen=True)
class Asked:
    """Of which body, where, on which day, by which rule (a vote's snapshot)."""

    body: Body
    extent: Extent
    day: date
    rule: Mapping[str, Any]


def place_words(estate: str | None, building: str | None) -> str:
    """As a printed roll may show it: to the building and no further."""
    return " ".join(part for part in (estate, building) if part)[:PLACE_LENGTH]


def persons(asked: Asked) -> tuple[list[Entitled], Gaps]:
    """Everybody old enough on the day, each for herself."""
    grown, gaps = _grown(asked)
    made = [
        Entitled(f"person:{row.id}", row.name, place_words(row.estate, row.building), _order(row), [row.id])
        for row in grown
    ]
    return made, gaps


def households(asked: Asked) -> tuple[list[Entitled], Gaps]:
    """Each household of somebody old enough; any of its adults may cast its vote, the head (or eldest) names it."""
    grown, gaps = _grown(asked)
    living: dict[int, list[Any]] = {}
    for row in grown:
        if row.household_id is not None:
            living.setdefault(row.household_id, []).append(row)
    gaps.note(
        _("没有编入户的成年人（不会出现在户代表名册里）"), [one.name for one in grown if one.household_id is None]
    )
    made: list[Entitled] = []
    for number, members in living.items():
        first = min(members, key=lambda one: (one.relation is not Relation.HEAD, one.birth_date, one.id))
        place = place_words(first.estate, first.building)
        made.append(Entitled(f"household:{number}", first.name, place, _order(first), [one.id for one in members]))
    return made, gaps


def delegates(asked: Asked) -> tuple[list[Entitled], Gaps]:
    """The members of a body in their term, each person once; those who are gone are named."""
    bodies = [asked.body, Body.COMMITTEE] if asked.body in WITH_COMMITTEE else [asked.body]
    query = (
        sa.select(Delegate, Person)
        .join(Person, Delegate.person_id == Person.id)
        .where(Delegate.community_id.in_(asked.extent.areas), Delegate.body.in_(bodies), Delegate.since <= asked.day)
        .where(sa.or_(Delegate.until.is_(None), Delegate.until >= asked.day))
        .order_by(Delegate.id)
    )
    if asked.extent.groups:
        query = query.where(sa.or_(Delegate.group.in_(asked.extent.groups), Delegate.body == Body.COMMITTEE))
    made: dict[int, Entitled] = {}
    gone: list[str] = []
    found = db.session.execute(query).all()
    known = standing_for([person.id for _delegate, person in found])
    for delegate, person in found:
        number, state = known[person.id]
        if state is not PersonState.PRESENT:
            gone.append(person.name)
        elif number not in made:
            place = delegate.group or ""
            made[number] = Entitled(f"delegate:{delegate.id}", person.name, place, (place, delegate.id), [number])
    gaps = Gaps()
    gaps.note(_("已经迁出或去世的代表（没有列入，请更新代表名单）"), gone)
    if asked.body is Body.RESIDENTS_GROUPS:
        gaps.note(_("代表不是二至三人的居民小组（请核对代表名单）"), _odd_groups(made.values()))
    chosen = sum(1 for delegate, _person in found if delegate.body is not Body.COMMITTEE)
    if asked.body in WITH_COMMITTEE and found and chosen * 5 < len(found) * 4:
        gaps.note(
            _("推选的代表不到五分之四，委员偏多，请核对名单"),
            [_("代表 %(chosen)s 人，共 %(all)s 人", chosen=chosen, all=len(found))],
        )
    return list(made.values()), gaps


def _odd_groups(made: Collection[Entitled]) -> list[str]:
    """Each group of residents sends two or three (art. 9)."""
    counts = Counter(one.place for one in made)
    return [
        _("%(group)s %(count)d 人", group=group or _("没有写小组"), count=count)
        for group, count in counts.items()
        if not group or count not in {2, 3}
    ]


def standing_for(numbers: Collection[int]) -> Known:
    """For each person who she is since records were merged, and whether that one is here, gone or dead."""
    found: Known = {}
    asked: dict[int, list[int]] = {number: [number] for number in numbers}
    while asked:
        columns = (Person.id, Person.merged_into_id, Person.state)
        rows = db.session.execute(sa.select(*columns).where(Person.id.in_(list(asked))).order_by(Person.id)).all()
        further: dict[int, list[int]] = {}
        for row in rows:
            origins = asked[row.id]
            if row.merged_into_id is not None:
                further.setdefault(row.merged_into_id, []).extend(origins)
            else:
                found.update(dict.fromkeys(origins, (row.id, row.state)))
        asked = further
    return found


def _grown(asked: Asked) -> tuple[list[Any], Gaps]:
    """The adults of the extent; whoever has no birth date, or whose registration is not said where it decides, is
    named and left out.
    """
    gaps, grown = Gaps(), []
    unborn: list[str] = []
    unsaid: list[str] = []
    only_local, least = asked.rule.get("registered_only", False), asked.rule.get("least_age", 18)
    for row in db.session.execute(_living(asked.extent)):
        if row.birth_date is None:
            unborn.append(row.name)
        elif full_years(row.birth_date, asked.day) < least:
            continue
        elif only_local and row.registration is not Registration.LOCAL:
            if row.registration is Registration.UNKNOWN:
                unsaid.append(row.name)
        else:
            grown.append(row)
    gaps.note(_("没有出生日期的居民（不会列入，请先补登记）"), unborn)
    gaps.note(_("没有登记户籍在不在本地的居民（不会列入，请先补登记）"), unsaid)
    return grown, gaps


def _living(extent: Extent) -> sa.Select[*tuple[Any, ...]]:
    columns = (Person.id, Person.name, Person.pinyin, Person.birth_date, Person.registration, Person.relation)
    query: sa.Select[*tuple[Any, ...]] = (
        sa.select(*columns, Person.household_id, Building.name.label("building"), Estate.name.label("estate"))
        .outerjoin(Household, Person.household_id == Household.id)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
        .where(Person.state == PersonState.PRESENT, Person.merged_into_id.is_(None))
        .where(sa.or_(Person.community_id.in_(extent.areas), Person.grid_id.in_(extent.areas)), *extent.homes())
    )
    return query.order_by(Person.id)


def _order(row: Any) -> Order:
    return (row.estate or "", len(row.building or ""), row.building or "", row.pinyin, row.id)
