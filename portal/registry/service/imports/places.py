"""Where people live: the grids, estates, buildings, dwellings and households that rows name and nobody has yet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import Insert

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core.db import db
from portal.registry.models import Household, ImportBatch, ImportRow, Outcome


@dataclass(frozen=True)
class Part:
    """What one run of the statements stores: all rows of a batch, or the ones a worker decided."""

    batch: ImportBatch
    moment: datetime
    only: tuple[int, ...] = ()

    def rows(self, *outcomes: Outcome) -> tuple[sa.ColumnElement[bool], ...]:
        whole = ImportRow.batch_id == self.batch.id, ImportRow.outcome.in_(outcomes)
        return (*whole, ImportRow.id.in_(self.only)) if self.only else whole

    def stored(self) -> tuple[sa.ColumnElement[bool], ...]:
        return self.rows(Outcome.NEW, Outcome.CHANGED)


def insert_grids(part: Part) -> None:
    """Grids are few; a new one takes the next free number of its community."""
    grids = sa.select(Area.name, Area.code).where(Area.parent_id == part.batch.community_id, Area.kind == AreaKind.GRID)
    known = {row.name: row.code for row in db.session.execute(grids)}
    names = sa.select(ImportRow.grid_name).where(*part.stored(), ImportRow.grid_name != "").distinct()
    missing = [name for name in db.session.scalars(names.order_by(ImportRow.grid_name)) if name not in known]
    last = max((int(code[-3:]) for code in known.values() if code[-3:].isdigit()), default=0)
    for order, name in enumerate(missing, start=last + 1):
        code = f"{part.batch.community.code}{order:03d}"
        db.session.add(Area(kind=AreaKind.GRID, code=code, name=name, parent_id=part.batch.community_id))
    db.session.flush()


def estates(part: Part) -> Insert:
    known = sa.exists().where(Estate.community_id == part.batch.community_id, Estate.name == ImportRow.estate)
    wanted = (
        sa.select(sa.literal(part.batch.community_id), ImportRow.estate)
        .where(*part.stored(), ImportRow.room != "", ~known)
        .distinct()
    )
    return sa.insert(Estate).from_select(["community_id", "name"], wanted)


def buildings(part: Part) -> Insert:
    """Each new building, in the grid that its rows name when all that name one name the same."""
    known = sa.exists().where(Building.estate_id == Estate.id, Building.name == ImportRow.building)
    named = grids(part)
    alike = sa.func.min(named.c.id) == sa.func.max(named.c.id)
    wanted = (
        sa.select(Estate.id, ImportRow.building, sa.case((alike, sa.func.min(named.c.id))))
        .select_from(ImportRow)
        .join(Estate, sa.and_(Estate.community_id == part.batch.community_id, Estate.name == ImportRow.estate))
        .outerjoin(named, named.c.name == ImportRow.grid_name)
        .where(*part.stored(), ImportRow.room != "", ~known)
        .group_by(Estate.id, ImportRow.building)
    )
    return sa.insert(Building).from_select(["estate_id", "name", "grid_id"], wanted)


def at_building(query: Any, part: Part) -> Any:
    """Join staged rows with the building of their address."""
    return (
        query.select_from(ImportRow)
        .join(Estate, sa.and_(Estate.community_id == part.batch.community_id, Estate.name == ImportRow.estate))
        .join(Building, sa.and_(Building.estate_id == Estate.id, Building.name == ImportRow.building))
    )


def is_home() -> sa.ColumnElement[bool]:
    return sa.and_(
        Dwelling.building_id == Building.id, Dwelling.unit == ImportRow.unit, Dwelling.room == ImportRow.room
    )


def dwellings(part: Part) -> Insert:
    wanted = (
        at_building(sa.select(Building.id, ImportRow.unit, ImportRow.room), part)
        .where(*part.stored(), ImportRow.room != "", ~sa.exists().where(is_home()))
        .distinct()
    )
    return sa.insert(Dwelling).from_select(["building_id", "unit", "room"], wanted)


def homes(part: Part) -> sa.Subquery:
    """Each household number of the batch with its dwelling, where it names one."""
    query = sa.select(ImportRow.household_number.label("number"), sa.func.min(Dwelling.id).label("dwelling_id"))
    found = at_building(query, part).join(Dwelling, is_home()).where(*part.stored(), ImportRow.room != "")
    return found.group_by(ImportRow.household_number).subquery()


def households(part: Part) -> Insert:
    named = homes(part)
    known = sa.exists().where(
        Household.community_id == part.batch.community_id, Household.number == ImportRow.household_number
    )
    wanted = (
        sa.select(
            sa.literal(part.batch.community_id),
            ImportRow.household_number,
            sa.func.min(named.c.dwelling_id),
            sa.literal(part.batch.id),
        )
        .select_from(ImportRow)
        .outerjoin(named, named.c.number == ImportRow.household_number)
        .where(*part.stored(), ImportRow.household_number != "", ~known)
        .group_by(ImportRow.household_number)
        .order_by(ImportRow.household_number)
    )
    return sa.insert(Household).from_select(["community_id", "number", "dwelling_id", "batch_id"], wanted)


def grids(part: Part) -> sa.Subquery:
    query = sa.select(Area.name.label("name"), sa.func.min(Area.id).label("id"))
    where = (Area.parent_id == part.batch.community_id, Area.kind == AreaKind.GRID)
    return query.where(*where).group_by(Area.name).subquery()
