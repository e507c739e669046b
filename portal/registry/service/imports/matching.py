"""Matching rows with the register: by the number's blind index, without a number by name, birth date and household."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core.sealing import blind
from portal.registry.models import Household, Person, PersonState, PersonTag, TagKind
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checking import Checked

SEALED = ("id_number", "phone", "registered_address", "diet", "note")
PLAIN = (
    "id", "public_id", "community_id", "household_id", "grid_id", "name", "sex", "birth_date", "id_index",
    "phone_index", "phone_tail_index", "registration", "registration_code", "relation", "flags", "state",
    "merged_into_id", "updated_at",
)  # fmt: skip
Words = tuple[str, date | None, str]


@dataclass
class Known:
    """A person of the register as stored (sealed values still sealed), with home, grid and tags in force."""

    stored: dict[str, Any]
    household_number: str
    dwelling_id: int | None
    address: Address
    grid: str
    tags: set[TagKind] = field(default_factory=set)

    @property
    def id(self) -> int:
        return int(self.stored["id"])

    @property
    def words(self) -> Words:
        return self.stored["name"], self.stored["birth_date"], self.household_number


@dataclass
class Seen:
    """What earlier rows of the file were about: twins are found here, and each household's first address."""

    numbers: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    words: dict[Words, tuple[int, bool]] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)
    homes: dict[str, Address] = field(default_factory=dict)
    moved: dict[str, Address] = field(default_factory=dict)


@dataclass
class Match:
    """What a row is: itself with its blind index, perhaps a known person, perhaps why it must wait."""

    row: Checked
    index: bytes | None
    known: Known | None = None
    waits: str = ""
    twin: int | None = None


def match(session: Session, rows: Sequence[Checked], seen: Seen, community_id: int, today: date) -> list[Match]:
    """One match for each row without reasons against it, in their order."""
    found = [
        Match(row, blind("person.id_number", row.id_number) if row.id_number else None)
        for row in rows
        if not row.reasons
    ]
    by_index = _by_index(session, [one.index for one in found if one.index])
    by_words = _by_words(session, found, by_index, community_id)
    known = [*by_index.values(), *(person for people in by_words.values() for person in people)]
    _with_tags(session, known, today)
    _learn_homes(session, [one.row.household_number for one in found], seen, community_id)
    for one in found:
        _place(one, seen, by_index, by_words, community_id)
    return found


def _place(
    one: Match, seen: Seen, by_index: dict[bytes, Known], by_words: dict[Words, list[Known]], community_id: int
) -> None:
    if _is_twin(one, seen):
        return
    people = by_words.get(_words(one.row), [])
    one.known = by_index.get(one.index) if one.index else None
    if one.known is None and one.index:
        people = [person for person in people if person.stored["id_index"] is None]
    if one.known is None and len(people) > 1:
        one.waits = "several_match"
    elif one.known is None and people:
        one.known = people[0]
    if one.known:
        _check_known(one, one.known, seen, community_id)


def _is_twin(one: Match, seen: Seen) -> bool:
    """Whether an earlier row is the same person, or one number under two names; else this row is remembered."""
    row = one.row
    if one.index and one.index in seen.numbers:
        one.twin, name = seen.numbers[one.index]
        one.waits = "same_person" if name == row.name else "two_names"
        return True
    first = seen.words.get(_words(row))
    if first and not (one.index and first[1]):
        one.twin, one.waits = first[0], "same_person"
        return True
    if one.index:
        seen.numbers[one.index] = (row.number, row.name)
    seen.words.setdefault(_words(row), (row.number, one.index is not None))
    return False


def _check_known(one: Match, known: Known, seen: Seen, community_id: int) -> None:
    """A person of another community, gone, merged, or under another name is never overwritten: the row waits."""
    if known.stored["community_id"] != community_id:
        one.waits = "elsewhere"
    elif known.stored["merged_into_id"] is not None:
        one.waits = "merged"
    elif known.stored["state"] is not PersonState.PRESENT:
        one.waits = "gone"
    elif known.stored["name"] != one.row.name:
        one.waits = "name_differs"
    elif known.id in seen.people:
        one.waits, one.twin = "same_person", seen.people[known.id]
    else:
        seen.people[known.id] = one.row.number


def _words(row: Checked) -> Words:
    return row.name, row.birth_date, row.household_number


def _people() -> sa.Select[Any]:
    grid = aliased(Area)
    raw = [sa.type_coerce(getattr(Person, name), sa.LargeBinary).label(name) for name in SEALED]
    return (
        sa.select(
            *(getattr(Person, name) for name in PLAIN),
            *raw,
            Household.number.label("household_number"),
            Household.dwelling_id,
            Estate.name.label("estate"),
            Building.name.label("building"),
            Dwelling.unit,
            Dwelling.room,
            grid.name.label("grid"),
        )
        .outerjoin(Household, Person.household_id == Household.id)
        .outerjoin(Dwelling, Household.dwelling_id == Dwelling.id)
        .outerjoin(Building, Dwelling.building_id == Building.id)
        .outerjoin(Estate, Building.estate_id == Estate.id)
        .outerjoin(grid, Person.grid_id == grid.id)
        .order_by(Person.id)
    )


def _known(row: sa.RowMapping) -> Known:
    return Known(
        stored={name: row[name] for name in (*PLAIN, *SEALED)},
        household_number=row["household_number"] or "",
        dwelling_id=row["dwelling_id"],
        address=Address(row["estate"] or "", row["building"] or "", row["unit"] or "", row["room"] or ""),
        grid=row["grid"] or "",
    )


def _by_index(session: Session, indexes: Collection[bytes]) -> dict[bytes, Known]:
    if not indexes:
        return {}
    found = session.execute(_people().where(Person.id_index.in_(indexes))).mappings()
    return {bytes(row["id_index"]): _known(row) for row in found}


def _by_words(
    session: Session, rows: Sequence[Match], by_index: dict[bytes, Known], community_id: int
) -> dict[Words, list[Known]]:
    """People of the community who may be the rows that no number led to."""
    numberless = {one.row.name for one in rows if one.index is None}
    names = numberless | {one.row.name for one in rows if one.index and one.index not in by_index}
    if not names:
        return {}
    query = _people().where(
        Person.name.in_(names),
        Person.community_id == community_id,
        Person.merged_into_id.is_(None),
        sa.or_(Person.id_index.is_(None), Person.name.in_(numberless)),
    )
    people: dict[Words, list[Known]] = {}
    for row in session.execute(query).mappings():
        person = _known(row)
        people.setdefault(person.words, []).append(person)
    return people


def _with_tags(session: Session, people: Collection[Known], today: date) -> None:
    by_id: dict[int, list[Known]] = {}
    for person in people:
        by_id.setdefault(person.id, []).append(person)
    if not by_id:
        return
    query = (
        sa.select(PersonTag.person_id, PersonTag.kind)
        .where(PersonTag.person_id.in_(by_id), sa.or_(PersonTag.until.is_(None), PersonTag.until >= today))
        .order_by(PersonTag.id)
    )
    for person_id, kind in session.execute(query):
        for person in by_id[person_id]:
            person.tags.add(kind)


def _learn_homes(session: Session, numbers: Collection[str], seen: Seen, community_id: int) -> None:
    """The addresses of households that the register has already."""
    fresh = {number for number in numbers if number and number not in seen.homes}
    if not fresh:
        return
    query = (
        sa.select(Household.number, Estate.name, Building.name, Dwelling.unit, Dwelling.room)
        .join(Dwelling, Household.dwelling_id == Dwelling.id)
        .join(Building, Dwelling.building_id == Building.id)
        .join(Estate, Building.estate_id == Estate.id)
        .where(Household.community_id == community_id, Household.number.in_(fresh))
        .order_by(Household.id)
    )
    for number, estate, building, unit, room in session.execute(query):
        seen.homes[number] = Address(estate, building, unit, room)
