"""Checking one row by itself: a pure function from the words of its cells to a person, or to the reasons against."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from flask_babel import gettext as _

from portal.core import ids
from portal.core.ids import Sex
from portal.core.sheets import parse_date
from portal.registry.models import Diet, Registration, Relation, TagKind
from portal.registry.service.imports import addresses
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.vocabulary import (
    CHILD_WORDS,
    DIET_WORDS,
    REGISTRATION_WORDS,
    RELATION_WORDS,
    SEX_WORDS,
    TAG_WORDS,
    Field,
    tidy,
    words_of,
)

Kind = TypeVar("Kind")
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LONGEST = {
    Field.NAME: 60,
    Field.HOUSEHOLD_NUMBER: 40,
    Field.ESTATE: 60,
    Field.BUILDING: 40,
    Field.UNIT: 20,
    Field.ROOM: 20,
    Field.GRID: 60,
}


@dataclass(frozen=True)
class Rules:
    """What a row is checked against: which column holds what, the day, and the place."""

    columns: Mapping[str, int]
    today: date
    allow_test_region: bool
    local_code: str
    default_estate: str

    @cached_property
    def placed(self) -> list[tuple[Field, int]]:
        return [(Field(name), column) for name, column in self.columns.items()]


@dataclass(slots=True)
class Checked:
    """A row as it was understood. `given` names the fields that held something; `reasons` refuse it."""

    number: int
    cells: Sequence[str]
    given: set[Field] = field(default_factory=set)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    name: str = ""
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    id_number: str = ""
    phone: str = ""
    household_number: str = ""
    relation: Relation = Relation.OTHER
    address: Address = field(default_factory=Address)
    grid: str = ""
    registration: Registration = Registration.UNKNOWN
    registration_code: str = ""
    registered_address: str = ""
    tags: list[TagKind] = field(default_factory=list)
    diets: list[Diet] = field(default_factory=list)

    def refuse(self, where: Field, code: str, **facts: int) -> None:
        self.reasons.append({"field": where.value, "code": code, **facts})


def check_row(number: int, cells: Sequence[str], rules: Rules) -> Checked:
    """Everything a row says; `reasons` is empty when it may be stored. Looks at nothing but the row."""
    row = Checked(number, cells)
    said = {field: text for field, column in rules.placed if (text := tidy(cells[column]))}
    row.given = set(said)
    row.sex = SEX_WORDS.get(said.get(Field.SEX, "").upper(), Sex.UNKNOWN)
    row.grid = said.get(Field.GRID, "")
    row.registered_address = said.get(Field.REGISTERED_ADDRESS, "")
    if Field.NOTE in said:
        row.notes.append(said[Field.NOTE])
    _name(row, said.get(Field.NAME, ""))
    _number(row, said, rules)
    _phone(row, said.get(Field.PHONE, ""))
    _relation(row, said.get(Field.RELATION, ""))
    _registration(row, said.get(Field.REGISTRATION, ""), rules)
    _tags_and_diets(row, said)
    _home(row, said, rules)
    _lengths(row)
    return row


def _name(row: Checked, text: str) -> None:
    """Spaces stand between the characters of a Chinese name for looks; in other names they part words."""
    name = CONTROL.sub("", text)
    row.name = name.replace(" ", "") if HAN.search(name) else name
    if not row.name:
        row.refuse(Field.NAME, "no_name")


def _number(row: Checked, said: Mapping[Field, str], rules: Rules) -> None:
    """The number decides sex and birth date; where the columns say otherwise, the row is flagged."""
    born = _birth_date(row, said.get(Field.BIRTH_DATE, ""), rules)
    text = said.get(Field.ID_NUMBER, "")
    if not text:
        row.flags.append("no_number")
        row.birth_date = born
        return
    try:
        checked = ids.check_id_number(text, today=rules.today, allow_test_region=rules.allow_test_region)
    except ids.InvalidNumber as fault:
        row.refuse(Field.ID_NUMBER, fault.reason.value, count=len(ids.normalise_id(text)))
        return
    row.id_number = checked.number
    if row.sex is not Sex.UNKNOWN and row.sex is not checked.sex:
        row.flags.append("sex_contradicts")
    if born and born != checked.birth_date:
        row.flags.append("birth_contradicts")
    if checked.doubtful:
        row.flags.append("age_doubtful")
    row.sex, row.birth_date = checked.sex, checked.birth_date


def _birth_date(row: Checked, text: str, rules: Rules) -> date | None:
    """The date of the column. Without a number nothing else says it, so one that cannot be refuses the row."""
    if not text:
        return None
    alone = Field.ID_NUMBER not in row.given
    try:
        born = parse_date(text)
    except ValueError:
        if alone:
            row.refuse(Field.BIRTH_DATE, "no_such_date")
        else:
            row.flags.append("birth_contradicts")
        return None
    if born and born > rules.today and alone:
        row.refuse(Field.BIRTH_DATE, "future")
        return None
    if born is None:
        row.given.discard(Field.BIRTH_DATE)
        if alone:
            row.flags.append("birth_doubtful")
            row.notes.append(_("登记表上的出生日期：%(text)s", text=text))
    return born


def _phone(row: Checked, text: str) -> None:
    if not text:
        return
    try:
        row.phone = ids.check_phone(text)
    except ids.InvalidNumber:
        row.given.discard(Field.PHONE)
        row.flags.append("phone_doubtful")
        row.notes.append(_("登记表上的电话：%(text)s", text=text))


def _relation(row: Checked, text: str) -> None:
    word = text.replace(" ", "")
    if word in CHILD_WORDS:
        by_sex = {Sex.MALE: Relation.SON, Sex.FEMALE: Relation.DAUGHTER}
        row.relation = by_sex.get(row.sex, Relation.OTHER)
    elif word in RELATION_WORDS:
        row.relation = RELATION_WORDS[word]
    elif word:
        row.given.discard(Field.RELATION)
        row.flags.append("unknown_relation")
        row.notes.append(_("登记表上与户主的关系：%(text)s", text=text))


def _registration(row: Checked, text: str, rules: Rules) -> None:
    word = text.replace(" ", "")
    if not word:
        return
    row.registration = REGISTRATION_WORDS.get(word, Registration.UNKNOWN)
    if row.registration is Registration.LOCAL:
        row.registration_code = rules.local_code
    elif row.registration is Registration.UNKNOWN:
        row.given.discard(Field.REGISTRATION)
        row.flags.append("unknown_registration")
        row.notes.append(_("登记表上的户籍：%(text)s", text=text))


def _tags_and_diets(row: Checked, said: Mapping[Field, str]) -> None:
    """Known words are stored once each; an unknown one is kept in the note."""
    tags, strange = _known(said.get(Field.TAGS, ""), TAG_WORDS)
    row.tags = tags
    if strange:
        row.flags.append("unknown_tag")
        row.notes.append(_("登记表上的标签：%(text)s", text="、".join(strange)))
    diets, strange = _known(said.get(Field.DIET, ""), DIET_WORDS)
    row.diets = diets
    if strange:
        row.flags.append("unknown_diet")
        row.notes.append(_("登记表上的饮食要求：%(text)s", text="、".join(strange)))


def _known(text: str, vocabulary: Mapping[str, Kind]) -> tuple[list[Kind], list[str]]:
    words = words_of(text) if text else []
    known = dict.fromkeys(vocabulary[word] for word in words if word in vocabulary)
    return list(known), [word for word in words if word not in vocabulary]


def _home(row: Checked, said: Mapping[Field, str], rules: Rules) -> None:
    """The four columns, else the one; a household without a number goes by its address."""
    parts = [said.get(part, "") for part in (Field.ESTATE, Field.BUILDING, Field.UNIT, Field.ROOM)]
    whole = said.get(Field.ADDRESS, "")
    if parts[3]:
        row.address = addresses.tidy(parts[0], parts[1], parts[2], parts[3], rules.default_estate)
    elif whole:
        row.address = addresses.parse(whole, default_estate=parts[0] or rules.default_estate) or Address()
    if not row.address and (whole or any(parts)):
        row.flags.append("address_doubtful")
        row.notes.append(_("登记表上的住址：%(text)s", text=whole or "".join(parts)))
    row.household_number = said.get(Field.HOUSEHOLD_NUMBER, "").replace(" ", "").upper()
    if not row.household_number and row.address:
        row.household_number = row.address.words()[-LONGEST[Field.HOUSEHOLD_NUMBER] :]


def _lengths(row: Checked) -> None:
    said = {
        Field.NAME: row.name,
        Field.HOUSEHOLD_NUMBER: row.household_number,
        Field.ESTATE: row.address.estate,
        Field.BUILDING: row.address.building,
        Field.UNIT: row.address.unit,
        Field.ROOM: row.address.room,
        Field.GRID: row.grid,
    }
    for where, text in said.items():
        if len(text) > LONGEST[where]:
            row.refuse(where, "too_long", count=LONGEST[where])
