"""Confirming: one short transaction of set-based statements turns a batch's staged rows into people."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.sql.dml import Insert

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import audit, events, jobs, tokens
from portal.core.clock import now, today
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.registry.models import (
    BatchState,
    EmergencyContact,
    Household,
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    PersonState,
    PersonTag,
    TagKind,
    Verdict,
)
from portal.registry.service import consents
from portal.registry.service.imports import apart, further, places, things, turning, writing
from portal.registry.service.imports.handlers import HANDLERS
from portal.registry.service.imports.things import PEOPLE

COPIED = (
    "public_id", "name", "initials", "pinyin", "sex", "birth_date", "id_number", "id_index", "phone", "phone_index",
    "phone_tail_index", "registration", "registration_code", "registered_address", "relation", "diet", "note", "flags",
    "id_kind", "ethnicity", "marriage", "schooling", "politics", "work", "presence", "tenure", "living_since",
)  # fmt: skip
OVERWRITTEN = tuple(name for name in COPIED if name != "public_id")
# The source of a tag that a file brought: a text of the register, like one that a worker writes.
BY_IMPORT = "登记表导入"
SQLITE_CACHE_KB = 49_152
NUMBERED = (Area, Estate, Building, Dwelling, EmergencyContact)


def confirm(batch: ImportBatch, *, by: str, key: str = "") -> None:
    """Store the new people and the changes, all or nothing. A second press of the button is harmless."""
    if tokens.same_request(by, "registry.import_confirm", key, batch.public_id):
        return
    with unique_or(_moved_on()):
        moment = now()
        _move(batch, moment)
        _refuse_what_moved_on(batch)
        first = {table: _highest(table) for table in NUMBERED}
        with room_to_work():
            _store_all(batch, moment)
        batch.made = {**batch.made, **{table.__tablename__: [first[table], _highest(table)] for table in NUMBERED}}
        audit.record("registry.import_confirmed", batch, filename=batch.filename, **batch.counts)
        tokens.remember_request(by, "registry.import_confirm", key, batch.public_id, batch.public_id)
    if batch.kind in PEOPLE:
        jobs.enqueue("registry.find_twins", community_id=batch.community_id)
        events.publish("people_imported", community_id=batch.community_id)


def _store_all(batch: ImportBatch, moment: datetime) -> None:
    if batch.kind in PEOPLE:
        store(places.Part(batch, moment))
        apply_decided(batch, moment)
        consents.keep_refusals(moment)
    else:
        handler = HANDLERS[batch.kind]
        handler.store(batch, things.rows_of(batch, handler))


def apply_decided(batch: ImportBatch, moment: datetime) -> None:
    """Bring in the waiting rows that were decided meanwhile, once everybody else of the batch is there."""
    query = sa.select(ImportRow).where(
        ImportRow.batch_id == batch.id,
        ImportRow.outcome == Outcome.WAITING,
        sa.or_(ImportRow.verdict.is_(None), ImportRow.verdict != Verdict.DROPPED),
    )
    for row in list(db.session.scalars(query.order_by(ImportRow.row_number))):
        if row.verdict in {Verdict.SAME, Verdict.DIFFERENT}:
            bring_in(batch, row, moment)
        elif (settled := turning.settled(batch, row)) is not None:
            row.outcome, row.person_id = Outcome.UNCHANGED, settled.person_id
            batch.counts = {**batch.counts, "waiting": batch.counts["waiting"] - 1}


def bring_in(batch: ImportBatch, row: ImportRow, moment: datetime) -> None:
    """One decided row becomes a new person or a change of a known one, by the statements that all rows go by."""
    key, others = turning.row_key(row), apart.others_of(batch, row)
    with writing.written_down(batch, row):
        turning.turn(batch, row)
        row.decided_at = moment
        db.session.flush()
        store(places.Part(batch, moment, (row.id,)))
        row.applied_to = db.session.scalar(sa.select(Person.id).where(Person.public_id == row.public_id))
    apart.keep(batch, row, others)
    turning.remember(batch, row, key)
    _count(batch, row)


def _count(batch: ImportBatch, row: ImportRow) -> None:
    counts = dict(batch.counts)
    counts["waiting"] = counts.get("waiting", 0) - 1
    counts[row.outcome.value] = counts.get(row.outcome.value, 0) + 1
    batch.counts = counts


def store(part: places.Part) -> None:
    """The set-based statements, in the order in which one stands on another."""
    places.insert_grids(part)
    for statement in (places.estates(part), places.buildings(part), places.dwellings(part), places.households(part)):
        db.session.execute(statement)
    db.session.execute(_move_households(part))
    db.session.execute(_people(part))
    _insert_tags(part)
    db.session.execute(_changes(part), execution_options={"synchronize_session": False})
    for following in further.statements(part.batch, part.moment, part.stored(), part.rows(Outcome.CHANGED)):
        db.session.execute(following, execution_options={"synchronize_session": False})
    db.session.expire_all()


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
def room_to_work(*counted: str) -> Iterator[None]:
    """One step may take longer than a page on PostgreSQL; `counted` are tables that it joins. On SQLite the pages of
    ten indexes must fit in the cache: with the usual 2 MB, inserting 50,000 people takes five times as long (3.2 s
    against 0.6 s, measured).
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = '60s'")
        # Thirty foreign keys point at a person: planning each of their checks anew takes longer than checking.
        connection.exec_driver_sql("SET LOCAL plan_cache_mode = auto")
        # Triggers look names up row by row: without figures on a table just filled, each look reads all of it.
        # So does a join of tables that nobody has counted since a batch filled them.
        connection.exec_driver_sql(f"ANALYZE {', '.join(('person_word', *counted))}")
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
    edited = of_batch.where(
        *places.Part(batch, batch.uploaded_at).rows(Outcome.CHANGED), Person.updated_at >= batch.checked_from
    )
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


def _highest(table: type[Any]) -> int:
    return int(db.session.scalar(sa.select(sa.func.max(table.id))) or 0)


def _move_households(part: places.Part) -> sa.Update:
    """Households of changed people who live elsewhere now."""
    query = sa.select(Person.household_id.label("household_id"), sa.func.min(Dwelling.id).label("dwelling_id"))
    moves = (
        places.at_building(query, part)
        .join(Dwelling, places.is_home())
        .join(Person, Person.id == ImportRow.person_id)
        .where(*part.rows(Outcome.CHANGED), ImportRow.moves)
        .group_by(Person.household_id)
        .subquery()
    )
    update = sa.update(Household).where(Household.id == moves.c.household_id)
    return update.values(dwelling_id=moves.c.dwelling_id).execution_options(synchronize_session=False)


def _people(part: places.Part) -> Insert:
    grids = places.grids(part)
    same_household = sa.and_(
        Household.community_id == part.batch.community_id, Household.number == ImportRow.household_number
    )
    wanted = (
        sa.select(
            *(getattr(ImportRow, name) for name in COPIED),
            Household.id,
            grids.c.id,
            sa.literal(part.batch.community_id),
            sa.literal(part.batch.id),
            sa.literal(PersonState.PRESENT.value),
            sa.literal(part.moment, Person.created_at.type),
            sa.literal(part.moment, Person.created_at.type),
        )
        .select_from(ImportRow)
        .outerjoin(Household, same_household)
        .outerjoin(grids, grids.c.name == ImportRow.grid_name)
        .where(*part.rows(Outcome.NEW))
        .order_by(ImportRow.row_number)
    )
    further = ["household_id", "grid_id", "community_id", "batch_id", "state", "created_at", "updated_at"]
    return sa.insert(Person).from_select([*COPIED, *further], wanted)


def _insert_tags(part: places.Part) -> None:
    """Few rows have tags; a tag holds from today, by the file."""
    tagged = (
        sa.select(Person.id, ImportRow.tags, ImportRow.disability)
        .join(ImportRow, ImportRow.public_id == Person.public_id)
        .where(*part.stored(), ImportRow.tags.cast(sa.String) != "[]")
        .order_by(Person.id)
    )
    source, since = BY_IMPORT, today()
    rows = [
        {
            "person_id": person,
            "kind": TagKind(kind),
            "since": since,
            "source": source,
            "batch_id": part.batch.id,
            "detail": disability if kind == TagKind.DISABLED else "",
        }
        for person, kinds, disability in db.session.execute(tagged)
        for kind in kinds
    ]
    if rows:
        db.session.execute(sa.insert(PersonTag), rows)


def _changes(part: places.Part) -> sa.Update:
    household = sa.select(Household.id).where(
        Household.community_id == part.batch.community_id, Household.number == ImportRow.household_number
    )
    grids = places.grids(part)
    grid = sa.select(grids.c.id).where(grids.c.name == ImportRow.grid_name)
    return (
        sa.update(Person)
        .where(Person.id == ImportRow.person_id, *part.rows(Outcome.CHANGED))
        .values(
            **{name: getattr(ImportRow, name) for name in OVERWRITTEN},
            household_id=sa.func.coalesce(household.scalar_subquery(), Person.household_id),
            grid_id=sa.func.coalesce(grid.scalar_subquery(), Person.grid_id),
            updated_at=part.moment,
            version=Person.version + 1,
        )
    )
