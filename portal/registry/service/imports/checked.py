"""A row as it was understood, and what it is checked against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from portal.core.ids import Sex
from portal.registry.models import (
    Diet,
    IdKind,
    Marriage,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    TagKind,
    Tenure,
    Work,
)
from portal.registry.service.imports.addresses import Address
from portal.registry.service.imports.vocabulary import Field


@dataclass(frozen=True)
class Rules:
    """What a row is checked against: which column holds what, the day, and the place. `known_only`: rows are about
    people whom the register has already, and say some of their fields.
    """

    columns: Mapping[str, int]
    today: date
    allow_test_region: bool
    local_code: str
    default_estate: str
    known_only: bool = False

    @cached_property
    def placed(self) -> list[tuple[Field, int]]:
        return [(Field(name), column) for name, column in self.columns.items()]


@dataclass(slots=True)
class Checked:
    """A row as it was understood. `given` names the fields that held something; `reasons` refuse it. `further`: it says
    something that most registers do not.
    """

    number: int
    cells: Sequence[str]
    given: set[Field] = field(default_factory=set)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Whose words were not understood: they are kept in `notes`, or refuse the row of an update.
    unread: list[Field] = field(default_factory=list)
    name: str = ""
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    # What the columns say of sex and birth, where the number says otherwise.
    own_sex: Sex = Sex.UNKNOWN
    own_birth_date: date | None = None
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
    id_kind: IdKind = IdKind.ID_CARD
    ethnicity: str = ""
    marriage: Marriage = Marriage.UNKNOWN
    schooling: Schooling = Schooling.UNKNOWN
    politics: Politics = Politics.UNKNOWN
    work: Work = Work.UNKNOWN
    presence: Presence = Presence.UNKNOWN
    tenure: Tenure = Tenure.UNKNOWN
    living_since: date | None = None
    contact_name: str = ""
    contact_relation: str = ""
    contact_phone: str = ""
    disability: str = ""
    guardian: str = ""
    further: bool = False

    def refuse(self, where: Field, code: str, **facts: int) -> None:
        self.reasons.append({"field": where.value, "code": code, **facts})

    def keep(self, where: Field, note: str) -> None:
        """Words of this field that were not understood."""
        self.unread.append(where)
        self.notes.append(note)
