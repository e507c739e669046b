"""The demonstration street: three communities, one of them a village, with grids, homes and about 6,000 people."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Area, AreaKind, Building, Dwelling, DwellingUse, Estate, Settlement
from portal.core import search
from portal.core.clock import full_years, now
from portal.core.ids import Sex, new_public_id
from portal.core.sealing import blind, keys
from portal.demo.names import Numbers, given, nobodys, surname
from portal.registry.models import (
    Diet,
    Household,
    Person,
    PersonTag,
    Registration,
    Relation,
    RestrictedKind,
    RestrictedTag,
    TagKind,
)

SEED = 20261122
STREET = ("999901001", "春晖街道")
# Every so many homes a household moves in, so that no building stays empty; the last homes of a community stay so.
STEP, LEFT = 11, 2


@dataclass(frozen=True)
class Plan:
    """What a community of the demonstration looks like: estates as (name, buildings, units, floors)."""

    code: str
    name: str
    settlement: Settlement
    grids: int
    estates: tuple[tuple[str, int, int, int], ...]
    people: int


PLANS = (
    Plan("999901001001", "春风里社区", Settlement.TOWN, 6, (("春风里东苑", 6, 2, 4),), 400),
    Plan("999901001002", "荷塘社区", Settlement.TOWN, 5, (("荷塘月色", 12, 3, 11), ("柳岸小区", 10, 3, 6)), 3600),
    Plan("999901001203", "芷溪村", Settlement.VILLAGE, 3, (("上芷溪", 40, 1, 1), ("下芷溪", 60, 1, 1)), 2000),
)
GRID_NAMES = ("第一网格", "第二网格", "第三网格", "第四网格", "第五网格", "第六网格")


def build_areas(session: Session) -> dict[str, Area]:
    """The street and its communities and grids, by code."""
    street = Area(kind=AreaKind.STREET, code=STREET[0], name=STREET[1])
    session.add(street)
    session.flush()
    made = {street.code: street}
    for plan in PLANS:
        community = Area(
            kind=AreaKind.COMMUNITY, code=plan.code, name=plan.name, settlement=plan.settlement, parent_id=street.id
        )
        session.add(community)
        session.flush()
        grids = [
            Area(kind=AreaKind.GRID, code=f"{plan.code}{turn + 1:03d}", name=GRID_NAMES[turn], parent_id=community.id)
            for turn in range(plan.grids)
        ]
        session.add_all(grids)
        made |= {area.code: area for area in (community, *grids)}
    session.flush()
    return made


def _homes(session: Session, plan: Plan, community: Area, grids: list[Area]) -> list[Dwelling]:
    """The homes door by door; each grid looks after the next part of the buildings."""
    homes, names = [], [(name, number + 1) for name, buildings, _u, _f in plan.estates for number in range(buildings)]
    sizes = {name: (units, floors) for name, _buildings, units, floors in plan.estates}
    estates = {name: Estate(community_id=community.id, name=name) for name in sizes}
    session.add_all(estates.values())
    session.flush()
    village = plan.settlement is Settlement.VILLAGE
    for turn, (estate, number) in enumerate(names):
        grid = grids[turn * len(grids) // len(names)]
        called = f"{number}号" if village else f"{number}号楼"
        building = Building(estate_id=estates[estate].id, name=called, grid_id=grid.id)
        session.add(building)
        session.flush()
        building.grid = grid
        homes += _rooms(building, *sizes[estate], village=village)
    session.add_all(homes)
    session.flush()
    return homes


def _rooms(building: Building, units: int, floors: int, *, village: bool) -> list[Dwelling]:
    if village:
        return [Dwelling(building=building, unit="", room=f"{room}室") for room in range(1, 9)]
    return [
        Dwelling(building=building, unit=f"{unit}单元", room=f"{floor}{door:02d}")
        for unit in range(1, units + 1)
        for floor in range(1, floors + 1)
        for door in (1, 2, 3)
    ]


@dataclass(frozen=True)
class Member:
    relation: Relation
    sex: Sex
    born: date


def _born(source: random.Random, least: int, most: int) -> date:
    return date(2026, 11, 1) - timedelta(days=source.randint(least * 366, most * 366))


def _family(source: random.Random) -> Iterator[Member]:
    """Who lives together: old couples, people alone, families with children, three generations."""
    kind = source.random()
    man, woman = Sex.MALE, Sex.FEMALE
    if kind < 0.22:
        yield Member(Relation.HEAD, woman if source.random() < 0.65 else man, _born(source, 62, 95))
        return
    if kind < 0.45:
        yield Member(Relation.HEAD, man, _born(source, 61, 90))
        yield Member(Relation.SPOUSE, woman, _born(source, 60, 88))
        return
    yield Member(Relation.HEAD, man, _born(source, 30, 55))
    yield Member(Relation.SPOUSE, woman, _born(source, 28, 53))
    yield Member(source.choice((Relation.SON, Relation.DAUGHTER)), source.choice((man, woman)), _born(source, 1, 24))
    if kind > 0.8:
        yield Member(Relation.PARENT, woman, _born(source, 64, 92))


def _tags(source: random.Random, members: list[Member], age: int) -> list[TagKind]:
    tags = []
    if age >= 60 and len(members) == 1:
        tags.append(TagKind.LIVING_ALONE)
    if age >= 60 and len(members) == 2 and source.random() < 0.5:
        tags.append(TagKind.EMPTY_NEST)
    if age >= 75 and source.random() < 0.12:
        tags.append(TagKind.DISABLED_ELDER)
    if age >= 60 and source.random() < 0.05:
        tags.append(TagKind.LOW_INCOME)
    if age >= 80 and source.random() < 0.4:
        tags.append(TagKind.BASIC_ELDERCARE)
    return tags


def _row(
    source: random.Random, numbers: Numbers, community: Area, grid: Area, home: Household, member: Member
) -> dict[str, Any]:
    name = nobodys(surname(source) + given(source, member.sex, member.born))
    number, phone = numbers.next(member.born, member.sex), f"138{source.randint(0, 99_999_999):08d}"
    local = source.random() < 0.8
    diets = (
        source.sample(list(Diet), 1)
        if full_years(member.born, date(2026, 11, 22)) > 60 and source.random() < 0.25
        else []
    )
    moment = now()
    return {
        "public_id": new_public_id(),
        "community_id": community.id,
        "grid_id": grid.id,
        "household_id": home.id,
        "relation": member.relation,
        "name": name,
        "initials": search.initials(name),
        "pinyin": search.pinyin(name),
        "sex": member.sex,
        "birth_date": member.born,
        "id_number": number,
        "id_index": blind("person.id_number", number),
        "phone": phone,
        "phone_index": blind("person.phone", phone),
        "phone_tail_index": blind("person.phone_tail", phone[-4:]),
        "registration": Registration.LOCAL if local else Registration.OUTSIDE,
        "registration_code": community.code[:9] if local else "",
        "diet": ",".join(diet.value for diet in diets) or None,
        "flags": [],
        "created_at": moment,
        "updated_at": moment,
    }


def build_people(session: Session, areas: dict[str, Area]) -> None:
    """Fill homes all over each community until its people are there; a home is in the grid of its building."""
    source, numbers = random.Random(SEED), Numbers()
    keys()  # fails at once, rather than half-way, where no key is loaded
    for plan in PLANS:
        community = areas[plan.code]
        grids = [areas[f"{plan.code}{turn + 1:03d}"] for turn in range(plan.grids)]
        rows: list[dict[str, Any]] = []
        tags: list[list[TagKind]] = []
        homes = _homes(session, plan, community, grids)[:-LEFT]
        turn = 0
        while len(rows) < plan.people:
            dwelling = homes[turn * STEP % len(homes)]
            home = Household(
                community_id=community.id, number=f"{plan.code[-3:]}-{turn + 1:05d}", dwelling_id=dwelling.id
            )
            session.add(home)
            session.flush()
            members = list(_family(source))
            for member in members:
                rows.append(_row(source, numbers, community, dwelling.building.grid or grids[0], home, member))
                tags.append(_tags(source, members, full_years(member.born, date(2026, 11, 22))))
            turn += 1
        _store(session, rows, tags)


def _store(session: Session, rows: list[dict[str, Any]], tags: list[list[TagKind]]) -> None:
    session.execute(sa.insert(Person), rows)
    found = sa.select(Person.public_id, Person.id).where(Person.public_id.in_([row["public_id"] for row in rows]))
    ids = {row.public_id: row.id for row in session.execute(found)}
    marks = [
        {"person_id": ids[row["public_id"]], "kind": kind, "since": date(2025, 1, 1), "source": "演示数据"}
        for row, kinds in zip(rows, tags, strict=True)
        for kind in kinds
    ]
    session.execute(sa.insert(PersonTag), marks)


def furnish(session: Session) -> None:
    """What homes are used for: most are their owners', some are let, and of those nobody lives in most stand empty."""
    source = random.Random(SEED)
    lived = set(session.scalars(sa.select(Household.dwelling_id).where(Household.dwelling_id.is_not(None))))
    rows = []
    for home in session.scalars(sa.select(Dwelling.id).order_by(Dwelling.id)):
        drawn = source.random()
        if home in lived:
            use = DwellingUse.RENTED if drawn < 0.12 else DwellingUse.OWN
        else:
            use = DwellingUse.EMPTY if drawn < 0.9 else DwellingUse.UNKNOWN
        rows.append({"id": home, "use": use})
    session.execute(sa.update(Dwelling), rows)


# How many carry each, and how old they are at least and at most.
CASES = (
    (RestrictedKind.SEVERE_MENTAL_ILLNESS, 5, 25, 70),
    (RestrictedKind.COMMUNITY_CORRECTION, 3, 20, 50),
    (RestrictedKind.YOUTH_AT_RISK, 2, 12, 17),
    (RestrictedKind.CHILD_OF_PRISONER, 2, 6, 15),
)


def build_cases(session: Session) -> None:
    """What only case workers see: a few people spread over the street."""
    source, day = random.Random(SEED), date(2026, 11, 22)
    for kind, count, least, most in CASES:
        born = Person.birth_date.between(day - timedelta(days=most * 366), day - timedelta(days=least * 366))
        known = list(session.scalars(sa.select(Person.id).where(born).order_by(Person.id)))
        session.add_all(
            RestrictedTag(person_id=person, kind=kind.value, since=date(2025, 1, 1), source="演示数据")
            for person in sorted(source.sample(known, count))
        )
