"""Figures of an area: how many people, by age and sex, by tag. They name nobody."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.core.clock import today
from portal.core.db import db
from portal.core.ids import Sex
from portal.registry.models import Person, PersonTag, TagKind
from portal.registry.service.households import living_here

STEP, LAST = 5, 85


@dataclass(frozen=True)
class Band:
    """Five years of age (85 and over in one); who has no birth date or sex on record is in none."""

    words: str
    men: int
    women: int


@dataclass(frozen=True)
class Figures:
    """People who live in an area today; `elders` are 60 and older, `undated` have no birth date."""

    people: int
    households: int
    elders: int
    undated: int
    bands: tuple[Band, ...]
    tags: tuple[tuple[TagKind, int], ...]


def _of(area: Area) -> tuple[sa.ColumnElement[bool], ...]:
    column = Person.grid_id if area.kind is AreaKind.GRID else Person.community_id
    return (column == area.id, *living_here())


def born_after(years: int, on: date) -> date:
    """Whoever was born after this day has not reached the age yet; the 29th of February counts as the 1st of March."""
    year = max(1, on.year - years)
    try:
        return on.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def figures(area: Area) -> Figures:
    on = today()
    ages = list(range(STEP, LAST + 1, STEP))
    band = sa.case(
        *((Person.birth_date > born_after(age, on), order) for order, age in enumerate(ages)), else_=len(ages)
    )
    query = (
        sa.select(band, Person.sex, sa.func.count())
        .where(*_of(area), Person.birth_date.is_not(None))
        .group_by(band, Person.sex)
    )
    counted = {(order, sex): count for order, sex, count in db.session.execute(query)}
    totals = sa.select(
        sa.func.count(),
        sa.func.count(Person.household_id.distinct()),
        sa.func.count().filter(Person.birth_date <= born_after(60, on)),
        sa.func.count().filter(Person.birth_date.is_(None)),
    ).where(*_of(area))
    people, households, elders, undated = db.session.execute(totals).one()
    bands = tuple(
        Band(_band_words(order), counted.get((order, Sex.MALE), 0), counted.get((order, Sex.FEMALE), 0))
        for order in range(len(ages) + 1)
    )
    return Figures(people, households, elders, undated, bands, _tags(area, on))


def _band_words(order: int) -> str:
    if order * STEP >= LAST:
        return _("%(age)d 岁以上", age=LAST)
    return _("%(first)d–%(last)d 岁", first=order * STEP, last=order * STEP + STEP - 1)


def _tags(area: Area, on: date) -> tuple[tuple[TagKind, int], ...]:
    """How many people bear each tag today, the most frequent first."""
    count = sa.func.count(Person.id.distinct())
    query = (
        sa.select(PersonTag.kind, count)
        .join(Person, Person.id == PersonTag.person_id)
        .where(*_of(area), PersonTag.since <= on, sa.or_(PersonTag.until.is_(None), PersonTag.until >= on))
        .group_by(PersonTag.kind)
        .order_by(count.desc(), PersonTag.kind)
    )
    return tuple((kind, number) for kind, number in db.session.execute(query))


def counts_of(areas: Collection[Area]) -> dict[int, int]:
    """How many people live in each of some areas, by area id: one question for the communities, one for the grids."""
    found: dict[int, int] = dict.fromkeys((area.id for area in areas), 0)
    for column, ids in (
        (Person.community_id, [area.id for area in areas if area.kind is not AreaKind.GRID]),
        (Person.grid_id, [area.id for area in areas if area.kind is AreaKind.GRID]),
    ):
        here = (column.in_(ids), *living_here())
        query = sa.select(column, sa.func.count()).where(*here).group_by(column).order_by(column)
        found.update((area_id, count) for area_id, count in db.session.execute(query) if area_id)
    return found


def count_people(area: Area) -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(*_of(area))) or 0
