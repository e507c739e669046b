"""Documents that people bring: the right check for each kind of number, and who has one already."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import ids
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.core.ids import InvalidNumber, NumberFault, Sex
from portal.core.sealing import blind
from portal.registry.models import IdKind, Person
from portal.registry.service import people


@dataclass(frozen=True)
class Document:
    """A number that passed, with what it says about its holder."""

    kind: IdKind
    number: str
    birth_date: date | None = None
    sex: Sex | None = None
    doubtful: bool = False

    @property
    def index(self) -> bytes:
        return blind("person.id_number", self.number)


def read(kind: IdKind, text: str, *, allow_test_region: bool = True) -> Document:
    """Check a number after its kind; raise InvalidNumber with words that say what to mend."""
    match kind:
        case IdKind.ID_CARD:
            return _of_card(text, allow_test_region=allow_test_region)
        case IdKind.RESIDENCE_PERMIT:
            permit = ids.check_residence_permit(text, today=today())
            return Document(kind, permit.number, permit.birth_date, permit.sex, permit.doubtful)
        case IdKind.TRAVEL_PERMIT:
            return Document(kind, ids.check_travel_permit(text))
        case IdKind.FOREIGNER_PERMIT:
            return Document(kind, ids.check_foreigner_permit(text, today=today()))
        case _:
            return Document(kind, ids.check_other_document(text))


def _of_card(text: str, *, allow_test_region: bool) -> Document:
    number = ids.normalise_id(text)
    if number[:6] in ids.PERMIT_REGIONS and len(number) == 18:
        words = _("这是港澳台居民居住证的号码，请把证件类型改成“港澳台居民居住证”。")
        raise InvalidNumber(NumberFault.REGION, words)
    card = ids.check_id_number(number, today=today(), allow_test_region=allow_test_region)
    return Document(IdKind.ID_CARD, card.number, card.birth_date, card.sex, card.doubtful)


@dataclass(frozen=True)
class Held:
    """Where a number stands already: on a person in scope, or somewhere that this worker may not look (`holder`)."""

    person: Person | None
    holder: Person


def held(number: str, within: Collection[Scope], *, but: Person | None = None) -> Held | None:
    """Who has this number already. Of somebody outside the scope nothing is told but that there is one."""
    index = blind("person.id_number", number)
    query = sa.select(Person).where(Person.id_index == index, Person.id != (but.id if but else 0))
    found = db.session.scalar(query)
    if found is None:
        return None
    meant = people.resolved(found)
    reached = sa.select(Person.id).where(Person.id == meant.id, people.within(within))
    return Held(meant if db.session.scalar(reached) else None, meant)


def alike(name: str, birth_date: date | None, within: Collection[Scope]) -> list[Person]:
    """People in scope of the same name and birth date: perhaps the same, perhaps not."""
    if birth_date is None:
        return []
    query = (
        sa.select(Person)
        .where(
            Person.name == name,
            Person.birth_date == birth_date,
            Person.merged_into_id.is_(None),
            people.within(within),
        )
        .options(*people.whole())
        .order_by(Person.id)
        .limit(5)
    )
    return list(db.session.scalars(query))


def put(person: Person, document: Document) -> None:
    """Enter a number that passed: birth date and sex follow what it says; a contradiction is flagged, not mended."""
    person.id_kind, person.id_number, person.id_index = document.kind, document.number, document.index
    flag(person, "no_number", on=False)
    if document.birth_date:
        person.birth_date = document.birth_date
    if document.sex and person.sex is Sex.UNKNOWN:
        person.sex = document.sex
    flag(person, "age_doubtful", on=document.doubtful)
    flag_contradictions(person)


def flag_contradictions(person: Person) -> None:
    """Whether sex and birth date still agree with the number."""
    said = None
    if person.id_number and person.id_kind in {IdKind.ID_CARD, IdKind.RESIDENCE_PERMIT}:
        try:
            said = read(person.id_kind, person.id_number)
        except InvalidNumber:
            return
    flag(person, "sex_contradicts", on=bool(said and said.sex is not person.sex))
    flag(person, "birth_contradicts", on=bool(said and said.birth_date != person.birth_date))


def flag(person: Person, code: str, *, on: bool) -> None:
    """Set or clear a code of what a worker should complete."""
    others = [held for held in person.flags or [] if held != code]
    wanted = [*others, code] if on else others
    if wanted != list(person.flags or []):
        person.flags = wanted
