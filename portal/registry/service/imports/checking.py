"""Checking one row by itself: a pure function from the words of its cells to a person, or to the reasons against."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

from flask_babel import gettext as _

from portal.core import ids
from portal.core.ids import Sex
from portal.core.masking import mask_id
from portal.registry.models import (
    IdKind,
    Registration,
    Relation,
)
from portal.registry.service.imports import addresses, numbers, particulars
from portal.registry.service.imports.checked import Checked, Rules
from portal.registry.service.imports.codes import (
    CHILD_WORDS,
    DIET_WORDS,
    ID_KIND_WORDS,
    REGISTRATION_WORDS,
    RELATION_WORDS,
    SEX_WORDS,
    TAG_WORDS,
)
from portal.registry.service.imports.vocabulary import Field, tidy, words_of

Kind = TypeVar("Kind")
# What a separate module understands: most registers hold none of it.
PARTICULARS = frozenset(Field) - frozenset(list(Field)[: list(Field).index(Field.ID_KIND) + 1])
PLACE = frozenset({Field.ESTATE, Field.BUILDING, Field.UNIT, Field.ROOM, Field.ADDRESS})
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
    Field.GUARDIAN: 60,
    Field.CONTACT_NAME: 60,
    Field.CONTACT_RELATION: 20,
}


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
    _name(row, said.get(Field.NAME, ""), rules)
    _number(row, said, rules)
    _phone(row, said.get(Field.PHONE, ""))
    _relation(row, said.get(Field.RELATION, ""))
    _registration(row, said.get(Field.REGISTRATION, ""), rules)
    _tags_and_diets(row, said)
    _home(row, said, rules)
    row.further = row.id_kind is not IdKind.ID_CARD
    if not PARTICULARS.isdisjoint(said):
        row.further = True
        particulars.understand(row, said, rules.today)
    _lengths(row)
    if rules.known_only:
        _update(row)
    return row


def _update(row: Checked) -> None:
    """An update finds somebody, and writes nothing but what its columns say: nothing goes into the note instead."""
    for where in dict.fromkeys(row.unread):
        row.refuse(where, "phone" if where is Field.PHONE else "unread")
    if not row.reasons and not row.id_number and not (row.name and row.birth_date):
        row.refuse(Field.ID_NUMBER, "no_key")


def _name(row: Checked, text: str, rules: Rules) -> None:
    """Spaces stand between the characters of a Chinese name for looks; in other names they part words."""
    name = CONTROL.sub("", text)
    row.name = name.replace(" ", "") if HAN.search(name) else name
    if not row.name and not rules.known_only:
        row.refuse(Field.NAME, "no_name")


def _number(row: Checked, said: Mapping[Field, str], rules: Rules) -> None:
    """The number decides sex and birth date; where the columns say otherwise, the row is flagged."""
    row.id_kind = ID_KIND_WORDS.get(said.get(Field.ID_KIND, "").replace(" ", ""), IdKind.ID_CARD)
    born = _birth_date(row, said.get(Field.BIRTH_DATE, ""), rules)
    text = said.get(Field.ID_NUMBER, "")
    if not text:
        row.flags += [] if rules.known_only else ["no_number"]
        row.birth_date = born
        return
    if row.id_kind not in numbers.BY_GB_11643:
        _paper(row, text, born)
        return
    try:
        checked, old = numbers.of_person(text, today=rules.today, allow_test_region=rules.allow_test_region)
    except ids.InvalidNumber as fault:
        row.refuse(Field.ID_NUMBER, fault.reason.value, count=len(ids.normalise_id(text)))
        return
    row.id_number = checked.number
    doubts = {
        "sex_contradicts": row.sex is not Sex.UNKNOWN and row.sex is not checked.sex,
        "birth_contradicts": born is not None and born != checked.birth_date,
        "age_doubtful": checked.doubtful,
        "old_number": old,
    }
    row.flags += [flag for flag, doubted in doubts.items() if doubted]
    row.own_sex, row.own_birth_date = row.sex, born
    row.sex, row.birth_date = checked.sex, checked.birth_date


def _paper(row: Checked, text: str, born: date | None) -> None:
    """A passport or another paper says nothing about its holder but that somebody has it."""
    row.birth_date = born
    try:
        row.id_number = numbers.of_paper(text)
    except ValueError:
        row.flags.append("no_number")
        row.keep(Field.ID_NUMBER, _("登记表上的证件号码：%(text)s", text=mask_id(text)))


def _birth_date(row: Checked, text: str, rules: Rules) -> date | None:
    """The date of the column. Without a number nothing else says it, so one that cannot be refuses the row."""
    if not text:
        return None
    alone = Field.ID_NUMBER not in row.given or row.id_kind not in numbers.BY_GB_11643
    try:
        born = numbers.day(text, today=rules.today)
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
            row.keep(Field.BIRTH_DATE, _("登记表上的出生日期：%(text)s", text=text))
    return born


def _phone(row: Checked, text: str) -> None:
    if not text:
        return
    try:
        row.phone = ids.check_phone(text)
    except ids.InvalidNumber:
        row.given.discard(Field.PHONE)
        row.flags.append("phone_doubtful")
        row.keep(Field.PHONE, _("登记表上的电话：%(text)s", text=text))


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
        row.keep(Field.RELATION, _("登记表上与户主的关系：%(text)s", text=text))


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
        row.keep(Field.REGISTRATION, _("登记表上的户籍：%(text)s", text=text))


def _tags_and_diets(row: Checked, said: Mapping[Field, str]) -> None:
    """Known words are stored once each; an unknown one is kept in the note."""
    tags, strange = _known(said.get(Field.TAGS, ""), TAG_WORDS)
    row.tags = tags
    if strange:
        row.flags.append("unknown_tag")
        row.keep(Field.TAGS, _("登记表上的标签：%(text)s", text="、".join(strange)))
    diets, strange = _known(said.get(Field.DIET, ""), DIET_WORDS)
    row.diets = diets
    if strange:
        row.flags.append("unknown_diet")
        row.keep(Field.DIET, _("登记表上的饮食要求：%(text)s", text="、".join(strange)))


def _known(text: str, vocabulary: Mapping[str, Kind]) -> tuple[list[Kind], list[str]]:
    words = words_of(text) if text else []
    known = dict.fromkeys(vocabulary[word] for word in words if word in vocabulary)
    return list(known), [word for word in words if word not in vocabulary]


def _home(row: Checked, said: Mapping[Field, str], rules: Rules) -> None:
    """The four columns, else the one; a household without a number goes by its address."""
    row.address = addresses.of(said, rules.default_estate)
    if not row.address and not PLACE.isdisjoint(said):
        parts = "".join(said.get(part, "") for part in (Field.ESTATE, Field.BUILDING, Field.UNIT, Field.ROOM))
        row.flags.append("address_doubtful")
        row.keep(Field.ADDRESS, _("登记表上的住址：%(text)s", text=said.get(Field.ADDRESS, "") or parts))
    row.household_number = said.get(Field.HOUSEHOLD_NUMBER, "").replace(" ", "").upper()
    if not row.household_number and row.address:
        row.household_number = row.address.words()[-LONGEST[Field.HOUSEHOLD_NUMBER] :]


def _lengths(row: Checked) -> None:
    said: dict[Field, str] = {
        Field.NAME: row.name,
        Field.HOUSEHOLD_NUMBER: row.household_number,
        Field.ESTATE: row.address.estate,
        Field.BUILDING: row.address.building,
        Field.UNIT: row.address.unit,
        Field.ROOM: row.address.room,
        Field.GRID: row.grid,
    }
    if row.further:
        said[Field.GUARDIAN] = row.guardian
        said[Field.CONTACT_NAME] = row.contact_name
        said[Field.CONTACT_RELATION] = row.contact_relation
    for where, text in said.items():
        if len(text) > LONGEST[where]:
            row.refuse(where, "too_long", count=LONGEST[where])
