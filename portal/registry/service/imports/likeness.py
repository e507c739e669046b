"""Likeness: new rows that may be people of the register, or each other, under another spelling or without a number."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Building, Dwelling, Estate
from portal.core import settings
from portal.core.db import apart
from portal.registry.models import ImportRow, Outcome, Person
from portal.registry.service.twins import scoring, seeking
from portal.registry.service.twins.scoring import Record

Key = tuple[str, ...]


def likenesses(batch_id: int, community_id: int) -> list[dict[str, Any]]:
    """For each new row that is alike enough: its id, and what the preview says of it, the most alike first.

    Only where somebody's number is missing, in the file or in the register: two numbers are two people.
    """
    points, least = scoring.weights(), settings.get("twins.least")
    with apart() as session:
        if not _numberless(session, batch_id, community_id):
            return []
        people = seeking.records_of(session, community_id)
        names = {one.id: one.name for one in people}
        rows = _rows(session, batch_id, community_id)
    by_id = {record.id: number for number, record in rows.items()}
    best: dict[int, dict[str, Any]] = {}
    for (one, other), (score, codes) in seeking.scored([*people, *rows.values()], points, least).items():
        for mine, theirs in ((one, other), (other, one)):
            if mine < 0 and score > best.get(mine, {}).get("score", 0) and not (mine > theirs and theirs < 0):
                beside = {"row": by_id[theirs]} if theirs < 0 else {"name": names[theirs]}
                best[mine] = {"code": "alike", "score": score, "reasons": codes, **beside}
    return [{"of": -number, "said": json.dumps([said], ensure_ascii=False)} for number, said in best.items()]


def _numberless(session: Session, batch_id: int, community_id: int) -> bool:
    new = ImportRow.batch_id == batch_id, ImportRow.outcome == Outcome.NEW
    row = sa.select(ImportRow.id).where(*new, ImportRow.id_index.is_(None)).limit(1)
    person = sa.select(Person.id).where(
        Person.community_id == community_id, Person.id_index.is_(None), Person.merged_into_id.is_(None)
    )
    return session.scalar(row) is not None or session.scalar(person.limit(1)) is not None


def _rows(session: Session, batch_id: int, community_id: int) -> dict[int, Record]:
    """New rows by their number, their ids negative, so that none is taken for a person."""
    homes = _homes(session, community_id)
    names = ("name", "pinyin", "sex", "birth_date", "id_index", "phone_index")
    query = (
        sa.select(
            ImportRow.id,
            *(getattr(ImportRow, name) for name in names),
            ImportRow.row_number,
            ImportRow.estate,
            ImportRow.building,
            ImportRow.unit,
            ImportRow.room,
        )
        .where(ImportRow.batch_id == batch_id, ImportRow.outcome == Outcome.NEW)
        .order_by(ImportRow.row_number)
    )
    found = {}
    for number, name, sound, sex, born, index, phone, row_number, *home in session.execute(query):
        place = homes.setdefault(tuple(home), -len(homes) - 1) if home[-1] else None
        found[row_number] = Record(-number, name, sound, sex, born, index, phone, place)
    return found


def _homes(session: Session, community_id: int) -> dict[Key, int]:
    query = (
        sa.select(Dwelling.id, Estate.name, Building.name, Dwelling.unit, Dwelling.room)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(Estate.community_id == community_id)
        .order_by(Dwelling.id)
    )
    return {tuple(key): number for number, *key in session.execute(query)}
