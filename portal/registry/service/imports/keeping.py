"""What undoing a batch leaves: places that were changed or are in use since it made them, each with the reason."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Building, Dwelling, DwellingUse, Estate
from portal.core.db import Base, db
from portal.identity.models import RoleGrant
from portal.registry.models import Household, ImportBatch, ImportKind, ImportRow, Outcome
from portal.registry.service.imports.addresses import Address

CHUNK = 5_000
ADDRESS = (ImportRow.estate, ImportRow.building, ImportRow.unit, ImportRow.room)
# What a grid is held by without a foreign key: a role given for it.
GRANTED = sa.exists().where(RoleGrant.scope_kind == AreaKind.GRID.value, RoleGrant.scope_ref == Area.code)
# How many a page lists; all are counted.
LISTED = 200


@dataclass(frozen=True)
class Kept:
    """One place: its table, what it is called, why it stays ("edited", "used"), and of which field."""

    table: str
    label: str
    why: str
    field: str = ""


@dataclass(frozen=True)
class Made:
    """A place that the batch made, as it stands now."""

    id: int
    label: str
    edited: bool


def note(batch: ImportBatch, kept: Sequence[Kept]) -> None:
    """What stayed is told on the batch's page from now on."""
    if kept:
        listed = [asdict(one) for one in kept[:LISTED]]
        batch.made = {**batch.made, "kept": listed, "kept_count": len(kept)}


def take_places_back(batch: ImportBatch, kept: Sequence[Kept] = (), edited: Collection[int] = ()) -> list[Kept]:
    """Households first, then dwellings, buildings, estates and grids, as far as they are what the batch made of them
    and nothing stands in them. `edited`: dwellings that hold other values than their rows.
    """
    said = _Said(batch)
    steps: tuple[tuple[type[Any], Iterable[Made], tuple[sa.ColumnElement[bool], ...]], ...] = (
        (Household, _households(batch, said), ()),
        (Dwelling, _dwellings(batch, said, edited), ()),
        (Building, _buildings(batch, said), ()),
        (Estate, _estates(batch, said), ()),
        (Area, _grids(batch, said), (~GRANTED,)),
    )
    found = list(kept)
    for model, made, free in steps:
        if model in {Household, Dwelling} and batch.kind is not ImportKind.DWELLINGS:
            delete_unused(model, *_plain(batch, model))
        found += _removed(model, list(made), free)
    return found


def _plain(batch: ImportBatch, model: type[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    """Of households and dwellings the many that are plainly what a row of the batch made of them: found, and removed,
    in one statement. The rest is looked at one by one.
    """
    whose = (ImportRow.household_number,) if model is Household else ()
    said = sa.select(*whose, *ADDRESS).where(*_named(batch), ImportRow.room != "").distinct()
    stands = (Estate.name, Building.name, Dwelling.unit, Dwelling.room)
    if model is Household:
        mine = Household.batch_id == batch.id
        homes = sa.select(Household.id).join(Dwelling, Household.dwelling_id == Dwelling.id)
        return (mine, Household.id.in_(_at(homes, mine, sa.tuple_(Household.number, *stands).in_(said))))
    blank = Dwelling.area_m2.is_(None), Dwelling.floor.is_(None), Dwelling.use == DwellingUse.UNKNOWN
    mine = sa.and_(_made(batch, Dwelling), *blank)
    here = Estate.community_id == batch.community_id
    return (mine, Dwelling.id.in_(_at(sa.select(Dwelling.id), mine, here, sa.tuple_(*stands).in_(said))))


def _at(homes: sa.Select[int], *which: sa.ColumnElement[bool]) -> sa.Select[int]:
    return homes.join(Building, Dwelling.building_id == Building.id).join(Estate).where(*which)


def homes_back(moved: Mapping[int, tuple[int | None, Address]]) -> list[Kept]:
    """Households that the batch moved live where they did, but for those that moved again: each id with the dwelling
    it came from and the address it was given.
    """
    query = (
        _homes(Household.id, Household.number)
        .select_from(Household)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
    )
    kept, back, numbers = [], [], sorted(moved)
    for start in range(0, len(numbers), CHUNK):
        part = query.where(Household.id.in_(numbers[start : start + CHUNK])).order_by(Household.id)
        for key, number, *parts in db.session.execute(part):
            if Address(*(one or "" for one in parts)) == moved[key][1]:
                back.append({"of": key, "home": moved[key][0]})
            else:
                kept.append(Kept("household", number, "edited", "address"))
    if back:
        put = sa.update(Household.__table__).where(Household.id == sa.bindparam("of"))  # type: ignore[arg-type]
        db.session.connection().execute(put.values(dwelling_id=sa.bindparam("home")), back)
    return kept


class _Said:
    """The places that rows of the batch name, read when they are asked for: of most batches only the few grids,
    estates and buildings are.
    """

    def __init__(self, batch: ImportBatch) -> None:
        self._batch = batch

    @cached_property
    def homes(self) -> set[Address]:
        return {address for parts in self._distinct(*ADDRESS) if (address := Address(*parts))}

    @cached_property
    def of_number(self) -> dict[str, set[Address]]:
        found: dict[str, set[Address]] = {}
        for number, *parts in self._distinct(ImportRow.household_number, *ADDRESS):
            found.setdefault(number, set()).update([address] if (address := Address(*parts)) else [])
        return found

    @cached_property
    def buildings(self) -> dict[tuple[str, str], set[str]]:
        """Each building with the grids that its rows name."""
        found: dict[tuple[str, str], set[str]] = {}
        for estate, building, grid, room in self._distinct(
            ImportRow.estate, ImportRow.building, ImportRow.grid_name, ImportRow.room != ""
        ):
            if room:
                found.setdefault((estate, building), set()).update([grid] if grid else [])
        return found

    @cached_property
    def grids(self) -> set[str]:
        return {name for (name,) in self._distinct(ImportRow.grid_name)}

    def _distinct(self, *columns: Any) -> Any:
        return db.session.execute(sa.select(*columns).where(*_named(self._batch)).distinct())


def _named(batch: ImportBatch) -> tuple[sa.ColumnElement[bool], ...]:
    return ImportRow.batch_id == batch.id, ImportRow.outcome.in_([Outcome.NEW, Outcome.CHANGED])


def _made(batch: ImportBatch, model: type[Any]) -> sa.ColumnElement[bool]:
    """Between the ids that confirming made rows, or made by deciding a row later."""
    first, last = batch.made.get(model.__tablename__, [0, 0])
    decided = batch.made.get("decided", {}).get(model.__tablename__, [])
    return sa.or_(sa.and_(model.id > first, model.id <= last), model.id.in_(decided))


def _homes(*columns: Any) -> Any:
    return sa.select(*columns, Estate.name, Building.name, Dwelling.unit, Dwelling.room)


def _households(batch: ImportBatch, said: _Said) -> Iterator[Made]:
    query = (
        _homes(Household.id, Household.number)
        .select_from(Household)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
        .where(Household.batch_id == batch.id)
    )
    for key, number, *parts in db.session.execute(query.order_by(Household.id)):
        address, homes = Address(*(part or "" for part in parts)), said.of_number.get(number)
        as_made = homes is not None and (address in homes if homes else not address)
        yield Made(key, number, not as_made)


def _dwellings(batch: ImportBatch, said: _Said, edited: Collection[int]) -> Iterator[Made]:
    query = (
        _homes(Dwelling.id, Dwelling.area_m2, Dwelling.floor, Dwelling.use)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(_made(batch, Dwelling), Estate.community_id == batch.community_id)
    )
    blank = (None, None, DwellingUse.UNKNOWN)
    for key, area, floor, use, *parts in db.session.execute(query.order_by(Dwelling.id)):
        filled = (area, floor, use) != blank and batch.kind is not ImportKind.DWELLINGS
        address = Address(*parts)
        yield Made(key, address.words(), filled or key in edited or address not in said.homes)


def _buildings(batch: ImportBatch, said: _Said) -> Iterator[Made]:
    query = sa.select(Building.id, Area.name, Estate.name, Building.name).select_from(Building)
    query = query.join(Estate).outerjoin(Building.grid)
    query = query.where(_made(batch, Building), Estate.community_id == batch.community_id)
    for key, grid, estate, building in db.session.execute(query.order_by(Building.id)):
        named = said.buildings.get((estate, building))
        yield Made(key, f"{estate} {building}", named is None or (grid is not None and grid not in named))


def _estates(batch: ImportBatch, said: _Said) -> Iterator[Made]:
    names = {estate for estate, _building in said.buildings}
    query = sa.select(Estate.id, Estate.name).where(_made(batch, Estate), Estate.community_id == batch.community_id)
    for key, name in db.session.execute(query.order_by(Estate.id)):
        yield Made(key, name, name not in names)


def _grids(batch: ImportBatch, said: _Said) -> Iterator[Made]:
    query = sa.select(Area.id, Area.name).where(
        _made(batch, Area), Area.kind == AreaKind.GRID, Area.parent_id == batch.community_id
    )
    for key, name in db.session.execute(query.order_by(Area.id)):
        yield Made(key, name, name not in said.grids)


def _removed(model: type[Any], made: Sequence[Made], free: tuple[sa.ColumnElement[bool], ...]) -> Iterator[Kept]:
    """Delete what may go, a chunk at a time; yield what stays."""
    table = model.__tablename__
    yield from (Kept(table, one.label, "edited") for one in made if one.edited)
    going = [one for one in made if not one.edited]
    for start in range(0, len(going), CHUNK):
        part = going[start : start + CHUNK]
        which = model.id.in_([one.id for one in part])
        delete_unused(model, which, *free)
        left = set(db.session.scalars(sa.select(model.id).where(which).order_by(model.id)))
        yield from (Kept(table, one.label, "used") for one in part if one.id in left)


def references(model: type[Any], *but: Any) -> list[sa.ColumnElement[bool]]:
    """For each foreign key to a table, in whichever package: that a row stands there."""
    found: list[sa.ColumnElement[bool]] = []
    for table in Base.metadata.sorted_tables:
        other = table.alias()
        columns = [key.parent.name for key in table.foreign_keys if key.column.table is model.__table__]
        if table not in but:
            found += [sa.exists().where(other.c[name] == model.id) for name in columns]
    return found


def in_use(batch: ImportBatch, model: type[Any]) -> list[Kept]:
    """What a batch made and undoing left, because other records refer to it."""
    names = sa.select(model.name).where(model.batch_id == batch.id).order_by(model.id)
    return [Kept(model.__tablename__, name, "used") for name in db.session.scalars(names)]


def as_made(row: ImportRow, home: int | None) -> dict[type[Any], tuple[sa.ColumnElement[bool], ...]]:
    """That a place is still what a row alone made of it, its household living in the dwelling `home`; by table."""
    blank = Dwelling.area_m2.is_(None), Dwelling.floor.is_(None), Dwelling.use == DwellingUse.UNKNOWN
    grid = sa.select(Area.id).where(Area.parent_id == row.batch.community_id, Area.name == row.grid_name)
    return {
        Household: (Household.number == row.household_number, Household.dwelling_id == home),
        Dwelling: (Dwelling.unit == row.unit, Dwelling.room == row.room, *blank),
        Building: (Building.name == row.building, sa.or_(Building.grid_id.is_(None), Building.grid_id.in_(grid))),
        Estate: (Estate.name == row.estate,),
        Area: (Area.name == row.grid_name, ~GRANTED),
    }


def delete_unused(model: type[Any], *which: sa.ColumnElement[bool]) -> None:
    free = [~held for held in references(model)]
    db.session.execute(sa.delete(model).where(*which, *free), execution_options={"synchronize_session": False})
