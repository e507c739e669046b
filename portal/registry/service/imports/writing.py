"""What a decided row does to the register, written down like a merge, so that it can be taken back alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core.access import actor_or_none
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.ids import new_public_id
from portal.registry.models import (
    EmergencyContact,
    Happening,
    HappeningKind,
    HappeningPart,
    Household,
    ImportBatch,
    ImportRow,
    Person,
    PersonTag,
    Verdict,
)
from portal.registry.service.imports import holding, turning
from portal.registry.service.merging import snapshots

HANGING: tuple[type[Any], ...] = (PersonTag, EmergencyContact)
Places = dict[str, int]


def keep_waiting(row: ImportRow) -> None:
    """The row as it waits, before anything is said of it."""
    if row.waited is None:
        row.waited = json.dumps({"row": snapshots.values_of(row)}, ensure_ascii=False)


@contextmanager
def written_down(batch: ImportBatch, row: ImportRow) -> Iterator[None]:
    """Around bringing a row in: which places it makes, and of a person it goes to, what was and what became."""
    keep_waiting(row)
    person = turning.target(batch, row) if row.verdict is Verdict.SAME else None
    if person is not None:
        holding.person(person.id)
    names, before = _names(row), snapshots.rows_of([person] if person else [])
    stood, hanging = _places(batch, names), _hanging(person)
    yield
    made = {table: number for table, number in _places(batch, names).items() if table not in stood}
    row.waited = json.dumps({**json.loads(row.waited or "{}"), "places": made}, ensure_ascii=False)
    decided: dict[str, list[int]] = dict(batch.made.get("decided", {}))
    decided.update({name: [*decided.get(name, []), number] for name, number in made.items()})
    batch.made = {**batch.made, "decided": decided}
    if person is not None:
        _write_down(batch, row, person, before, _hanging(person), hanging)


def home_of(batch: ImportBatch, row: ImportRow) -> int | None:
    """The dwelling that stands at a row's address."""
    return _places(batch, _names(row)).get("dwelling") if row.room else None


def forget_places(batch: ImportBatch, gone: Places) -> None:
    """Places that are no more are not the batch's: another may be given their ids."""
    decided: dict[str, list[int]] = batch.made.get("decided", {})
    left = {name: [number for number in numbers if number != gone.get(name)] for name, numbers in decided.items()}
    batch.made = {**batch.made, "decided": left}


def _names(row: ImportRow) -> dict[str, str]:
    return {
        name: getattr(row, name) for name in ("estate", "building", "unit", "room", "household_number", "grid_name")
    }


def _places(batch: ImportBatch, names: dict[str, str]) -> Places:
    """The places of those names that stand in the community, by table."""
    home = (
        sa.select(Estate.id, Building.id, Dwelling.id)
        .outerjoin(Building, sa.and_(Building.estate_id == Estate.id, Building.name == names["building"]))
        .outerjoin(
            Dwelling,
            sa.and_(
                Dwelling.building_id == Building.id, Dwelling.unit == names["unit"], Dwelling.room == names["room"]
            ),
        )
        .where(Estate.community_id == batch.community_id, Estate.name == names["estate"])
        .order_by(Estate.id)
        .limit(1)
    )
    estate, building, dwelling = db.session.execute(home).first() or (None, None, None)
    household = sa.select(Household.id).where(
        Household.community_id == batch.community_id, Household.number == names["household_number"]
    )
    grid = sa.select(sa.func.min(Area.id)).where(
        Area.parent_id == batch.community_id, Area.kind == AreaKind.GRID, Area.name == names["grid_name"]
    )
    found = {
        "estate": estate,
        "building": building,
        "dwelling": dwelling,
        "household": db.session.scalar(household),
        "area": db.session.scalar(grid),
    }
    return {table: number for table, number in found.items() if number}


def _hanging(person: Person | None) -> dict[tuple[str, int], Any]:
    """The tags and contacts of a person."""
    if person is None:
        return {}
    found: dict[tuple[str, int], Any] = {}
    for model in HANGING:
        for row in db.session.scalars(sa.select(model).where(model.person_id == person.id).order_by(model.id)):
            found[model.__tablename__, row.id] = row
    return found


def _write_down(
    batch: ImportBatch,
    row: ImportRow,
    person: Person,
    before: snapshots.Rows,
    hanging: dict[tuple[str, int], Any],
    stood: dict[tuple[str, int], Any],
) -> None:
    was, became = snapshots.differing(before, snapshots.rows_of([person]))
    made = snapshots.rows_of([one for key, one in hanging.items() if key not in stood])
    actor = actor_or_none()
    db.session.add(
        Happening(
            public_id=new_public_id(),
            kind=HappeningKind.MERGE,
            community_id=batch.community_id,
            batch_id=batch.id,
            day=today(),
            before=snapshots.written(was),
            after=snapshots.written({**became, **made}),
            made={"kept": person.id, "import_row": row.id, "row": row.row_number, "file": batch.filename},
            recorded_at=now(),
            recorded_by=actor.public_id if actor else "system",
            recorded_name=actor.name if actor else "",
            parts=[HappeningPart(person_id=person.id)],
        )
    )
    db.session.flush()
