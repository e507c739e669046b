"""Registers of dwellings and of households: where people can live, and who lives together there."""

import re
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.areas.models import Building, Dwelling, DwellingUse, Estate
from portal.core.clock import now
from portal.core.db import db
from portal.registry.models import Household, ImportBatch, ImportRow, Outcome, Person, Relation, Source
from portal.registry.service import changes
from portal.registry.service.imports import addresses, places, things
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checked import Rules
from portal.registry.service.imports.checking import LONGEST
from portal.registry.service.imports.codes import (
    USE_WORDS,
)
from portal.registry.service.imports.keeping import Kept
from portal.registry.service.imports.things import Handler, Key, Stored, Thing, Values
from portal.registry.service.imports.vocabulary import Field

AREA = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:平方米|平米|平方|㎡|m²|m2|m)?", re.IGNORECASE)
FLOOR = re.compile(r"(?:第)?(-?[0-9]{1,3}|[一二三四五六七八九十]{1,3})(?:层|楼|F)?(?:/[0-9]+(?:层)?)?", re.IGNORECASE)
FIGURES = {sign: value for value, sign in enumerate("一二三四五六七八九", start=1)}
LARGEST = Decimal(100_000)
# What a home holds of which no row said anything.
BLANK: Values = {"area_m2": None, "floor": None, "use": DwellingUse.UNKNOWN.value}


def understand_dwelling(one: Thing, said: Mapping[Field, str], rules: Rules) -> None:
    one.address = addresses.of(said, rules.default_estate)
    one.key, one.label = _key(one.address), one.address.words()
    if not one.address:
        one.refuse(Field.ADDRESS if Field.ADDRESS in said else Field.ROOM, "no_home")
    lengths(one)
    if Field.AREA in said:
        size = area(said[Field.AREA])
        one.refuse(Field.AREA, "no_number_word") if size is None else one.values.update(area_m2=size)
    if Field.FLOOR in said:
        floor = _floor(said[Field.FLOOR])
        one.refuse(Field.FLOOR, "no_number_word") if floor is None else one.values.update(floor=floor)
    if Field.USE in said:
        use = USE_WORDS.get(said[Field.USE].replace(" ", ""))
        one.refuse(Field.USE, "unknown_word") if use is None else one.values.update(use=use.value)


def area(text: str) -> str | None:
    found = AREA.fullmatch(text.replace(" ", "").replace(",", ""))
    try:
        size = Decimal(found[1]).quantize(Decimal("0.01")) if found else None
    except InvalidOperation:
        return None
    return str(size) if size is not None and size < LARGEST else None


def _floor(text: str) -> int | None:
    found = FLOOR.fullmatch(text.replace(" ", ""))
    if found is None:
        return None
    if found[1].lstrip("-").isdigit():
        return int(found[1])
    tens, _ten, ones = found[1].rpartition("十") if "十" in found[1] else ("", "", found[1])
    return (FIGURES.get(tens, 1) * 10 if "十" in found[1] else 0) + FIGURES.get(ones, 0)


def lengths(one: Thing) -> None:
    parts = {
        Field.ESTATE: one.address.estate,
        Field.BUILDING: one.address.building,
        Field.UNIT: one.address.unit,
        Field.ROOM: one.address.room,
        Field.HOUSEHOLD_NUMBER: one.household_number,
    }
    for where, text in parts.items():
        if len(text) > LONGEST[where]:
            one.refuse(where, "too_long", count=LONGEST[where])


def _key(address: Address) -> Key:
    return address.estate, address.building, address.unit, address.room


def _dwellings() -> Any:
    return (
        sa.select(Dwelling.id, Estate.name, Building.name, Dwelling.unit, Dwelling.room)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
    )


def known_dwellings(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    rooms = {one.address.room for one in rows}
    query = _dwellings().add_columns(Dwelling.area_m2, Dwelling.floor, Dwelling.use)
    query = query.where(Estate.community_id == community_id, Dwelling.room.in_(rooms)).order_by(Dwelling.id)
    found: dict[Key, Stored] = {}
    for number, estate, building, unit, room, size, floor, use in session.execute(query):
        found[estate, building, unit, room] = Stored(number, _values(size, floor, use))
    return found


def store_dwellings(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    part = places.Part(batch, now())
    for statement in (places.estates(part), places.buildings(part), places.dwellings(part)):
        db.session.execute(statement)
    ids = _dwelling_ids(batch)
    _put_dwellings({ids[row.estate, row.building, row.unit, row.room]: things.said(row) for row in rows})


def _dwelling_ids(batch: ImportBatch) -> dict[Key, int]:
    query = _dwellings().where(Estate.community_id == batch.community_id).order_by(Dwelling.id)
    return {tuple(key): number for number, *key in db.session.execute(query)}


def _put_dwellings(values: Mapping[int, Values]) -> None:
    """Column by column, so that each is one statement however many homes there are."""
    table: Any = Dwelling.__table__
    for name in ("area_m2", "floor", "use"):
        rows = [{"of": number, "value": _plain(name, said[name])} for number, said in values.items() if name in said]
        if rows:
            put = sa.update(table).where(table.c.id == sa.bindparam("of"))
            put = put.values({name: sa.bindparam("value", type_=table.c[name].type)})
            db.session.connection().execute(put, rows)
    for home in [one for one in db.session if isinstance(one, Dwelling)]:
        db.session.expire(home)


def _plain(name: str, value: Any) -> Any:
    if name == "area_m2":
        return Decimal(value) if value else None
    return DwellingUse(value) if name == "use" else value


def undo_dwellings(batch: ImportBatch, rows: Collection[ImportRow]) -> things.Left:
    """Values go back where they are still what the batch wrote. A home it made goes with the places of the batch,
    unless somebody said something else of it since, or lives there by now.
    """
    stand = _standing(batch)
    kept: list[Kept] = []
    back: dict[int, Values] = {}
    edited: set[int] = set()
    for row in rows:
        said, was = things.said(row), things.was(row)
        number, now_so = stand.get((row.estate, row.building, row.unit, row.room), (0, {}))
        if row.outcome is Outcome.NEW:
            edited |= {number} if now_so != {name: said.get(name, blank) for name, blank in BLANK.items()} else set()
        elif now_so:
            own = {name for name in was if now_so[name] == said[name]}
            back[number] = {name: was[name] for name in own}
            kept += [Kept("dwelling", row.name, "edited", name) for name in was if name not in own]
    _put_dwellings(back)
    return kept, edited


def _standing(batch: ImportBatch) -> dict[Key, tuple[int, Values]]:
    """Every home of the community as it stands, in the values that rows say."""
    query = _dwellings().add_columns(Dwelling.area_m2, Dwelling.floor, Dwelling.use)
    query = query.where(Estate.community_id == batch.community_id).order_by(Dwelling.id)
    return {
        (estate, building, unit, room): (number, _values(size, floor, use))
        for number, estate, building, unit, room, size, floor, use in db.session.execute(query)
    }


def _values(size: Decimal | None, floor: int | None, use: DwellingUse) -> Values:
    return {"area_m2": None if size is None else f"{size:.2f}", "floor": floor, "use": use.value}


def understand_household(one: Thing, said: Mapping[Field, str], rules: Rules) -> None:
    one.address = addresses.of(said, rules.default_estate)
    number = said.get(Field.HOUSEHOLD_NUMBER, "").replace(" ", "").upper()
    one.household_number = number or one.address.words()[-LONGEST[Field.HOUSEHOLD_NUMBER] :]
    one.key, one.label = (one.household_number,), one.household_number
    if not one.household_number:
        one.refuse(Field.HOUSEHOLD_NUMBER, "no_household")
    if Field.ADDRESS in said and not one.address:
        one.flags.append("address_doubtful")
    if one.address:
        one.values["address"] = one.address.words()
    head = said.get(Field.HEAD_NAME, "").replace(" ", "")
    if head:
        one.values["head"] = head
    lengths(one)


def known_households(session: Session, rows: Sequence[Thing], community_id: int) -> dict[Key, Stored]:
    """Households by number, with their address and the name of their head. A head whom a row names must live there."""
    numbers = {one.household_number for one in rows}
    query = (
        sa.select(Household.id, Household.number, Estate.name, Building.name, Dwelling.unit, Dwelling.room)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
        .where(Household.community_id == community_id, Household.number.in_(numbers))
        .order_by(Household.id)
    )
    found: dict[Key, Stored] = {}
    for home in session.execute(query):
        address = Address(home[2] or "", home[3] or "", home[4] or "", home[5] or "")
        found[home.number,] = Stored(home.id, {"address": address.words(), "head": ""})
    _with_members(session, rows, found)
    return found


def _with_members(session: Session, rows: Sequence[Thing], found: dict[Key, Stored]) -> None:
    by_id = {stored.id: stored for stored in found.values()}
    names: dict[int, set[str]] = {}
    members = sa.select(Person.household_id, Person.name, Person.relation).where(
        Person.household_id.in_(by_id), Person.merged_into_id.is_(None)
    )
    for household, name, relation in session.execute(members.order_by(Person.id)):
        names.setdefault(household or 0, set()).add(name)
        if relation is Relation.HEAD:
            by_id[household or 0].values["head"] = name
    for one in rows:
        stored = found.get(one.key)
        if "head" in one.values and one.values["head"] not in (names.get(stored.id, set()) if stored else set()):
            del one.values["head"]
            one.flags.append("head_unknown")


def store_households(batch: ImportBatch, rows: Collection[ImportRow]) -> None:
    part = places.Part(batch, now())
    for statement in (places.estates(part), places.buildings(part), places.dwellings(part), places.households(part)):
        db.session.execute(statement)
    ids = _dwelling_ids(batch)
    for row in rows:
        if row.outcome is Outcome.CHANGED:
            said, was = things.said(row), things.was(row)
            home = db.session.get_one(Household, said["id"])
            if "address" in was:
                was["dwelling_id"] = home.dwelling_id
                home.dwelling_id = ids[row.estate, row.building, row.unit, row.room]
            if "head" in was:
                was["heads"] = _set_head(home, said["head"], batch)
            row.before = things.text(was)
    db.session.flush()


def _set_head(home: Household, name: str, batch: ImportBatch) -> dict[str, str]:
    """Who heads a household now, and what the relations were: a former head becomes another member."""
    query = sa.select(Person).where(Person.household_id == home.id, Person.merged_into_id.is_(None)).order_by(Person.id)
    members, relations = list(db.session.scalars(query)), {}
    head = next((person for person in members if person.name == name), None)
    for person in members:
        wanted = Relation.HEAD if person is head else Relation.OTHER
        if head and (person is head or person.relation is Relation.HEAD) and person.relation is not wanted:
            relations[str(person.id)] = person.relation.value
            with changes.changing(person, Source.IMPORT, ref=batch.public_id):
                person.relation = wanted
    return relations


def undo_households(batch: ImportBatch, rows: Collection[ImportRow]) -> things.Left:
    """Where a household lives and who heads it go back where both are still as the batch said."""
    ids, kept = _dwelling_ids(batch), []
    for row in rows:
        if row.outcome is Outcome.CHANGED:
            was = things.was(row)
            home = db.session.get(Household, things.said(row)["id"], populate_existing=True)
            if home is None or not _address_back(home, was, ids.get((row.estate, row.building, row.unit, row.room))):
                kept.append(Kept("household", row.name, "edited", "address"))
            if home is not None and not _heads_back(home, was.get("heads", {}), batch):
                kept.append(Kept("household", row.name, "edited", "head"))
    db.session.flush()
    return kept, ()


def _address_back(home: Household, was: Values, wrote: int | None) -> bool:
    if "dwelling_id" not in was:
        return True
    if home.dwelling_id != wrote:
        return False
    home.dwelling_id = was["dwelling_id"]
    return True


def _heads_back(home: Household, relations: Mapping[str, str], batch: ImportBatch) -> bool:
    """All relations or none: each must be what the batch made of it, in this household still."""
    people = [(db.session.get(Person, int(number)), Relation(relation)) for number, relation in relations.items()]
    for person, relation in people:
        wrote = Relation.OTHER if relation is Relation.HEAD else Relation.HEAD
        if person is None or person.household_id != home.id or person.relation is not wrote:
            return False
    for person, relation in people:
        if person is not None:
            with changes.changing(person, Source.IMPORT, ref=batch.public_id):
                person.relation = relation
    return True


DWELLINGS = Handler(understand_dwelling, known_dwellings, store_dwellings, undo_dwellings, only_reads=True)
HOUSEHOLDS = Handler(understand_household, known_households, store_households, undo_households, asks=(Outcome.CHANGED,))
