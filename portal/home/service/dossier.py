"""One person whole: the record, the household, what is masked, and one timeline across the capabilities."""

from collections.abc import Collection
from dataclasses import dataclass

from portal.core.access import Scope
from portal.core.doors import Line
from portal.home.service.capabilities import CAPABILITIES
from portal.registry.models import Person
from portal.registry.service import doors as registry
from portal.registry.service import people, records
from portal.visits.models import CareSubject, Visit
from portal.visits.service import listing, visiting

LINES = 40


@dataclass(frozen=True)
class Dossier:
    """Everything a worker may know of a person in her scope.

    `masked` maps a sealed field to its words and how it stands on a page, for the fields that hold something.
    """

    person: Person
    household: list[Person]
    masked: dict[str, tuple[str, str]]
    lines: list[Line]
    care: CareSubject | None
    coming: list[Visit]


def dossier(within: Collection[Scope], public_id: str) -> Dossier:
    person = people.person_in(within, public_id)
    masked = {kind.value: (records.field_words(kind), records.masked(person, kind)) for kind in records.SealedField}
    return Dossier(
        person=person,
        household=records.household_of(person, within),
        masked={kind: words for kind, words in masked.items() if words[1]},
        lines=timeline(person),
        care=listing.known(person),
        coming=visiting.coming(person)[:1],
    )


def timeline(person: Person, limit: int = LINES) -> list[Line]:
    """What every capability knows of a person, newest first."""
    lines = registry.timeline(person, limit=limit)
    for capability in CAPABILITIES:
        lines += capability.doors.timeline(person, limit=limit)
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]
