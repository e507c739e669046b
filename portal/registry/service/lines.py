"""Lines about people: what a list shows of each, and no more; read as columns, however many tables they stand in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import clock, masking
from portal.core.clock import today
from portal.core.db import rows_of
from portal.core.ids import Sex
from portal.registry.models import Household, Person, PersonState, PersonTag, TagKind

LineRow = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True)
class Line:
    """One person as a list shows her; the telephone is masked already, the name stands in full."""

    public_id: str
    name: str
    sex: Sex
    birth_date: date | None
    state: PersonState
    phone: str
    grid: str
    home: tuple[str, str, str, str] | None
    tags: list[TagKind] = field(default_factory=list)

    def age(self, on: date) -> int | None:
        return clock.full_years(self.birth_date, on) if self.birth_date else None

    @property
    def address(self) -> str:
        return " ".join(part for part in self.home or () if part)

    @property
    def masked_address(self) -> str:
        return masking.mask_address(*self.home) if self.home else ""


@cache
def _query() -> sa.Select[*tuple[Any, ...]]:
    grid = sa.orm.aliased(Area)
    return (
        sa.select(
            Person.id,
            Person.public_id,
            Person.name,
            Person.sex,
            Person.birth_date,
            Person.state,
            Person.phone,
            grid.name,
            Estate.name,
            Building.name,
            Dwelling.unit,
            Dwelling.room,
        )
        .select_from(Person)
        .outerjoin(grid, Person.grid_id == grid.id)
        .outerjoin(Household, Person.household_id == Household.id)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
    )


@cache
def _tags() -> sa.Select[*tuple[Any, ...]]:
    day = sa.bindparam("day", type_=sa.Date())
    return (
        sa.select(PersonTag.person_id, PersonTag.kind)
        .where(PersonTag.person_id.in_(sa.bindparam("ids", expanding=True)))
        .where(PersonTag.since <= day, sa.or_(PersonTag.until.is_(None), PersonTag.until >= day))
        .order_by(PersonTag.person_id, PersonTag.id)
    )


def lines_in(found: sa.Subquery, order: Sequence[sa.ColumnElement[Any]]) -> list[Line]:
    """The lines of the people whose `id` a subquery names, in an order: two questions, whatever the number."""
    return with_tags(rows_in(found, order))


def rows_in(found: sa.Subquery, order: Sequence[sa.ColumnElement[Any]]) -> list[LineRow]:
    """The same before their tags are known, for who puts several together."""
    return list(rows_of(_query().join(found, found.c.id == Person.id).order_by(*order), {}))


def lines_of(ids: Sequence[int]) -> list[Line]:
    """The lines of these people, in this order."""
    if not ids:
        return []
    found = {row[0]: row for row in rows_of(_named(), {"ids": ids})}
    return with_tags([found[person] for person in ids if person in found])


@cache
def _named() -> sa.Select[*tuple[Any, ...]]:
    return _query().where(Person.id.in_(sa.bindparam("ids", expanding=True)))


def with_tags(rows: Sequence[LineRow]) -> list[Line]:
    if not rows:
        return []
    tags: dict[int, list[TagKind]] = {}
    for person, kind in rows_of(_tags(), {"ids": [row[0] for row in rows], "day": today()}):
        tags.setdefault(person, []).append(kind)
    return [_line(row, tags.get(row[0], [])) for row in rows]


def _line(row: LineRow, tags: list[TagKind]) -> Line:
    _id, public_id, name, sex, born, state, phone, grid, estate, building, unit, room = tuple(row)
    home = (estate, building, unit, room) if estate else None
    return Line(public_id, name, sex, born, state, masking.mask_phone(phone), grid or "", home, tags)
