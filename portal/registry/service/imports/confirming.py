"""Confirming: one short transaction of set-based statements turns a batch's staged rows into people."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.sql.dml import Insert

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core import audit, tokens
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.registry.models import (
    BatchState,
    Household,
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    PersonState,
    PersonTag,
    TagKind,
)

COPIED = (
    "public_id", "name", "initials", "pinyin", "sex", "birth_date", "id_number", "id_index", "phone", "phone_index",
    "phone_tail_index", "registration", "registration_code", "registered_address", "relation", "diet", "note", "flags",
)  # fmt: skip
OVERWRITTEN = tuple(name for name in COPIED if name not in {"public_id", "name", "initials", "pinyin"})
SQLITE_CACHE_KB = 65_536
PLACES = (Area, Estate, Building, Dwelling)


def confirm(batch: ImportBatch, *, by: str, key: str = "") -> None:
    """Store the new people and the changes, all or nothing. A second press of the button is harmless."""
    if tokens.same_request(by, "registry.import_confirm", key, batch.public_id):
        return
    with unique_or(_moved_on()):
        moment = now()
        _move(batch, moment)
        _refuse_what_moved_on(batch)
        first = {table: _highest(table) for table in PLACES}
        with _room_to_work():
            _store(batch, moment)
        batch.made = {table.__tablename__: [first[table], _highest(table)] for table in PLACES}
        audit.record("registry.import_confirmed", batch, filename=batch.filename, **batch.counts)
        tokens.remember_request(by, "registry.import_confirm", key, batch.public_id, batch.public_id)


def _store(batch: ImportBatch, moment: datetime) -> None:
    _insert_grids(batch)
    for statement in (_estates(batch), _buildings(batch), _dwellings(batch), _households(batch)):
        db.session.execute(statement)
    db.session.execute(_move_households(batch))
    db.session.execute(_people(batch, moment))
    _insert_tags(batch)
    db.session.execute(_changes(batch, moment), execution_options={"synchronize_session": False})


def _move(batch: ImportBatch, moment: datetime) -> None:
    take = (
        sa.update(ImportBatch)
        .where(ImportBatch.id == batch.id, ImportBatch.state == BatchState.CHECKED)
        .values(state=BatchState.CONFIRMED, confirmed_at=moment, ended_at=moment)
    )
    if not guarded(take):
        raise Refused(_("这一批不在等待确认。请返回列表看看它现在的状态。"))
    db.session.refresh(batch)


@contextmanager
def _room_to_work() -> Iterator[None]:
    """One step may take longer than a page on PostgreSQL. On SQLite the pages of ten indexes must fit in the cache:
    with the usual 2 MB, inserting 50,000 people takes five times as long (3.2 s against 0.6 s, measured).
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
        yield
        return
    usual = connection.exec_driver_sql("PRAGMA cache_size").scalar()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{SQLITE_CACHE_KB}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")


def _moved_on() -> Refused:
    return Refused(_("检查之后，登记库里的人员又有变动。请重新检查这一批，再确认。"))


def _refuse_what_moved_on(batch: ImportBatch) -> None:
    """What was compared must still be so: nobody stored meanwhile under a new row's number, nobody edited."""
    of_batch = sa.select(ImportRow.id).join(Person, Person.id == ImportRow.person_id)
    edited = of_batch.where(*_rows(batch, Outcome.CHANGED), Person.updated_at >= batch.checked_from)
    taken = sa.select(ImportRow.id).join(Person, Person.id_index == ImportRow.id_index)
    taken = taken.where(
        ImportRow.batch_id == batch.id,
        ImportRow.outcome.in_([Outcome.NEW, Outcome.CHANGED]),
        Person.id != sa.func.coalesce(ImportRow.person_id, 0),
    )
    other = sa.select(ImportBatch.id).where(
        ImportBatch.community_id == batch.community_id,
        ImportBatch.id != batch.id,
        ImportBatch.confirmed_at >= batch.checked_from,
    )
    if any(db.session.scalar(query.limit(1)) for query in (edited, taken, other)):
        raise _moved_on()


def _rows(batch: ImportBatch, *outcomes: Outcome) -> tuple[sa.ColumnElement[bool], ...]:
    return ImportRow.batch_id == batch.id, ImportRow.outcome.in_(outcomes)


def _stored(batch: ImportBatch) -> tuple[sa.ColumnElement[bool], ...]:
    return _rows(batch, Outcome.NEW, Outcome.CHANGED)


def _highest(table: type[Any]) -> int:
    return int(db.session.scalar(sa.select(sa.func.max(table.id))) or 0)


def _insert_grids(batch: ImportBatch) -> None:
    """Grids are few; a new one takes the next free number of its community."""
    grids = sa.select(Area.name, Area.code).where(Area.parent_id == batch.community_id, Area.kind == AreaKind.GRID)
    known = {row.name: row.code for row in db.session.execute(grids)}
    names = sa.select(ImportRow.grid_name).where(*_stored(batch), ImportRow.grid_name != "").distinct()
    missing = [name for name in db.session.scalars(names.order_by(ImportRow.grid_name)) if name not in known]
    last = max((int(code[-3:]) for code in known.values() if code[-3:].isdigit()), default=0)
    for order, name in enumerate(missing, start=last + 1):
        code = f"{batch.community.code}{order:03d}"
        db.session.add(Area(kind=AreaKind.GRID, code=code, name=name, parent_id=batch.community_id))
    db.session.flush()


def _estates(batch: ImportBatch) -> Insert:
    known = sa.exists().where(Estate.community_id == batch.community_id, Estate.name == ImportRow.estate)
    wanted = (
        sa.select(sa.literal(batch.community_id), ImportRow.estate)
        .where(*_stored(batch), ImportRow.room != "", ~known)
        .distinct()
    )
    return sa.insert(Estate).from_select(["community_id", "name"], wanted)


def _buildings(batch: ImportBatch) -> Insert:
    known = sa.exists().where(Building.estate_id == Estate.id, Building.name == ImportRow.building)
    wanted = (
        sa.select(Estate.id, ImportRow.building)
        .select_from(ImportRow)
        .join(Estate, sa.and_(Estate.community_id == batch.community_id, Estate.name == ImportRow.estate))
        .where(*_stored(batch), ImportRow.room != "", ~known)
        .distinct()
    )
    return sa.insert(Building).from_select(["estate_id", "name"], wanted)


def _at_building(query: Any, batch: ImportBatch) -> Any:
    """Join staged rows with the building of their address."""
    return (
        query.select_from(ImportRow)
        .join(Estate, sa.and_(Estate.community_id == batch.community_id, Estate.name == ImportRow.estate))
        .join(Building, sa.and_(Building.estate_id == Estate.id, Building.name == ImportRow.building))
    )


def _is_home() -> sa.ColumnElement[bool]:
    return sa.and_(
        Dwelling.building_id == Building.id, Dwelling.unit == ImportRow.unit, Dwelling.room == ImportRow.room
    )


def _dwellings(batch: ImportBatch) -> Insert:
    wanted = (
        _at_building(sa.select(Building.id, ImportRow.unit, ImportRow.room), batch)
        .where(*_stored(batch), ImportRow.room != "", ~sa.exists().where(_is_home()))
        .distinct()
    )
    return sa.insert(Dwelling).from_select(["building_id", "unit", "room"], wanted)


def _homes(batch: ImportBatch) -> sa.Subquery:
    """Each household number of the batch with its dwelling, where it names one."""
    query = sa.select(ImportRow.household_number.label("number"), sa.func.min(Dwelling.id).label("dwelling_id"))
    homes = _at_building(query, batch).join(Dwelling, _is_home()).where(*_stored(batch), ImportRow.room != "")
    return homes.group_by(ImportRow.household_number).subquery()


def _households(batch: ImportBatch) -> Insert:
    homes = _homes(batch)
    known = sa.exists().where(
        Household.community_id == batch.community_id, Household.number == ImportRow.household_number
    )
    wanted = (
        sa.select(
            sa.literal(batch.community_id),
            ImportRow.household_number,
            sa.func.min(homes.c.dwelling_id),
            sa.literal(batch.id),
        )
        .select_from(ImportRow)
        .outerjoin(homes, homes.c.number == ImportRow.household_number)
        .where(*_stored(batch), ImportRow.household_number != "", ~known)
        .group_by(ImportRow.household_number)
        .order_by(ImportRow.household_number)
    )
    return sa.insert(Household).from_select(["community_id", "number", "dwelling_id", "batch_id"], wanted)


def _move_households(batch: ImportBatch) -> sa.Update:
    """Households of changed people who live elsewhere now."""
    query = sa.select(Person.household_id.label("household_id"), sa.func.min(Dwelling.id).label("dwelling_id"))
    moves = (
        _at_building(query, batch)
        .join(Dwelling, _is_home())
        .join(Person, Person.id == ImportRow.person_id)
        .where(*_rows(batch, Outcome.CHANGED), ImportRow.moves)
        .group_by(Person.household_id)
        .subquery()
    )
    update = sa.update(Household).where(Household.id == moves.c.household_id)
    return update.values(dwelling_id=moves.c.dwelling_id).execution_options(synchronize_session=False)


def _grids(batch: ImportBatch) -> sa.Subquery:
    query = sa.select(Area.name.label("name"), sa.func.min(Area.id).label("id"))
    where = (Area.parent_id == batch.community_id, Area.kind == AreaKind.GRID)
    return query.where(*where).group_by(Area.name).subquery()


def _people(batch: ImportBatch, moment: datetime) -> Insert:
    grids = _grids(batch)
    same_household = sa.and_(
        Household.community_id == batch.community_id, Household.number == ImportRow.household_number
    )
    wanted = (
        sa.select(
            *(getattr(ImportRow, name) for name in COPIED),
            Household.id,
            grids.c.id,
            sa.literal(batch.community_id),
            sa.literal(batch.id),
            sa.literal(PersonState.PRESENT.value),
            sa.literal(moment, Person.created_at.type),
            sa.literal(moment, Person.created_at.type),
        )
        .select_from(ImportRow)
        .outerjoin(Household, same_household)
        .outerjoin(grids, grids.c.name == ImportRow.grid_name)
        .where(*_rows(batch, Outcome.NEW))
        .order_by(ImportRow.row_number)
    )
    further = ["household_id", "grid_id", "community_id", "batch_id", "state", "created_at", "updated_at"]
    return sa.insert(Person).from_select([*COPIED, *further], wanted)


def _insert_tags(batch: ImportBatch) -> None:
    """Few rows have tags; a tag holds from today, by the file."""
    tagged = (
        sa.select(Person.id, ImportRow.tags)
        .join(ImportRow, ImportRow.public_id == Person.public_id)
        .where(*_stored(batch), ImportRow.tags.cast(sa.String) != "[]")
        .order_by(Person.id)
    )
    source, since = _("登记表导入"), today()
    rows = [
        {"person_id": person, "kind": TagKind(kind), "since": since, "source": source, "batch_id": batch.id}
        for person, kinds in db.session.execute(tagged)
        for kind in kinds
    ]
    if rows:
        db.session.execute(sa.insert(PersonTag), rows)


def _changes(batch: ImportBatch, moment: datetime) -> sa.Update:
    household = sa.select(Household.id).where(
        Household.community_id == batch.community_id, Household.number == ImportRow.household_number
    )
    grids = _grids(batch)
    grid = sa.select(grids.c.id).where(grids.c.name == ImportRow.grid_name)
    return (
        sa.update(Person)
        .where(Person.id == ImportRow.person_id, *_rows(batch, Outcome.CHANGED))
        .values(
            **{name: getattr(ImportRow, name) for name in OVERWRITTEN},
            household_id=sa.func.coalesce(household.scalar_subquery(), Person.household_id),
            grid_id=sa.func.coalesce(grid.scalar_subquery(), Person.grid_id),
            updated_at=moment,
        )
    )
