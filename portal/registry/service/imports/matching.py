"""Matching rows with the register: by the number's blind index, without a number by name, birth date and household."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core.sealing import BlindIndex, blind
from portal.registry.models import EmergencyContact, Household, Person, PersonState, PersonTag, RowVerdict, TagKind
from portal.registry.service.imports import numbers
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.checked import Checked
from portal.registry.service.imports.vocabulary import Field

SEALED = ("id_number", "phone", "registered_address", "diet", "note")
PLAIN = (
    "id", "public_id", "community_id", "household_id", "grid_id", "name", "sex", "birth_date", "id_index",
    "phone_index", "phone_tail_index", "registration", "registration_code", "relation", "flags", "state",
    "merged_into_id", "updated_at", "initials", "pinyin", "id_kind", "ethnicity", "marriage", "schooling", "politics",
    "work", "presence", "tenure", "living_since", "guardian_id",
)  # fmt: skip
# One number under two names: in the file, or in the register.
TWO_NAMES = frozenset({"two_names", "name_differs"})
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
    contacts: set[str] = field(default_factory=set)

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
    index: BlindIndex | None
    known: Known | None = None
    waits: str = ""
    twin: int | None = None
    settled: RowVerdict | None = None


def match(
    session: Session, rows: Sequence[Checked], seen: Seen, community_id: int, today: date, *, known_only: bool = False
) -> list[Match]:
    """One match for each row without reasons against it, in their order. With `known_only` a row that no person of
    the register answers to is refused, and one without a number goes by name and birth date alone.
    """
    found = [
        Match(row, blind("person.id_number", row.id_number) if row.id_number else None)
        for row in rows
        if not row.reasons
    ]
    by_index = _by_index(session, [one.index for one in found if one.index])
    by_words = _by_words(session, found, by_index, community_id)
    if known_only:
        by_words = _whatever_household(found, by_words)
    known = [*by_index.values(), *(person for people in by_words.values() for person in people)]
    _with_tags(session, known, today)
    _learn_homes(session, [one.row.household_number for one in found], seen, community_id)
    _with_contacts(session, [one for one in found if one.row.contact_phone], by_index, by_words)
    for one in found:
        _place(one, seen, by_index, by_words, community_id)
        if known_only and one.known is None and not one.waits:
            one.row.refuse(Field.ID_NUMBER, "unknown_person")
        if one.waits in TWO_NAMES:
            _by_its_own_words(one.row)
    _recall(session, [one for one in found if one.waits], community_id)
    return found


def _whatever_household(rows: Sequence[Match], by_words: dict[Words, list[Known]]) -> dict[Words, list[Known]]:
    """The same people under the words of each row, which may name another household, or none."""
    people: dict[tuple[str, date | None], list[Known]] = {}
    for words, known in by_words.items():
        people.setdefault(words[:2], []).extend(known)
    return {_words(one.row): people.get(_words(one.row)[:2], []) for one in rows}


def key(name: str, birth_date: date | None, household_number: str, number: str) -> bytes:
    """What a row is known again by, once a worker has said who it is."""
    return blind("import_row.verdict", f"{number}|{name}|{birth_date or ''}|{household_number}")


def _recall(session: Session, waiting: Sequence[Match], community_id: int) -> None:
    """Rows that a worker decided in an earlier batch do not wait again."""
    if not waiting:
        return
    keys = {key(*_words(one.row), one.row.id_number): one for one in waiting}
    query = sa.select(RowVerdict).where(RowVerdict.community_id == community_id, RowVerdict.key.in_(keys))
    for verdict in session.scalars(query.order_by(RowVerdict.id)):
        keys[verdict.key].settled = verdict


def _with_contacts(
    session: Session, rows: Sequence[Match], by_index: dict[bytes, Known], by_words: dict[Words, list[Known]]
) -> None:
    """Whose emergency contacts the register has, of the people whom rows bring one for."""
    people: dict[int, list[Known]] = {}
    for one in rows:
        known = by_index.get(one.index) if one.index else None
        for person in [known] if known else by_words.get(_words(one.row), []):
            people.setdefault(person.id, []).append(person)
    if not people:
        return
    query = sa.select(EmergencyContact).where(EmergencyContact.person_id.in_(people)).order_by(EmergencyContact.id)
    for contact in session.scalars(query):
        for person in people[contact.person_id]:
            person.contacts.add(contact.phone)


def known_person(session: Session, person_id: int, today: date) -> Known:
    """A person as rows are compared with, by id."""
    person = _known(session.execute(_people().where(Person.id == person_id)).mappings().one())
    _with_tags(session, [person], today)
    return person


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
    elif one.row.name and known.stored["name"] != one.row.name:
        one.waits = "name_differs"
    elif known.id in seen.people:
        one.waits, one.twin = "same_person", seen.people[known.id]
    else:
        seen.people[known.id] = one.row.number


def _by_its_own_words(row: Checked) -> None:
    """Under another name the number is somebody else's, perhaps: what it says of sex and birth is not the row's."""
    if row.id_kind in numbers.BY_GB_11643:
        row.sex, row.birth_date = row.own_sex, row.own_birth_date


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


def _by_index(session: Session, indexes: Collection[BlindIndex]) -> dict[bytes, Known]:
    if not indexes:
        return {}
    found = session.execute(_people().where(Person.id_index.in_(indexes))).mappings()
    asked = {stored: index for index in indexes for stored in (index, *index.older)}
    return {asked[bytes(row["id_index"])]: _known(row) for row in found}


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
