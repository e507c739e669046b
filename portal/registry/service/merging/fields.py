"""What two records say, field by field: which differ, in which words, and taking one side's value over."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.core.masking import mask_id, mask_middle, mask_phone
from portal.registry.models import Claim, ClaimState, Diet, Person, Purpose
from portal.registry.service import changes, consents, ethnicities, words

# One choice each: columns that only make sense together go together.
GROUPS: dict[str, tuple[str, ...]] = {
    "name": ("name", "initials", "pinyin"),
    "id_number": ("id_kind", "id_number", "id_index", "temporary_number"),
    "sex": ("sex",),
    "birth_date": ("birth_date",),
    "phone": ("phone", "phone_index", "phone_tail_index"),
    "household_id": ("household_id", "relation"),
    "grid_id": ("grid_id",),
    "registration": ("registration", "registration_code"),
    "registered_address": ("registered_address",),
    "presence": ("presence",),
    "tenure": ("tenure",),
    "living_since": ("living_since",),
    "ethnicity": ("ethnicity",),
    "marriage": ("marriage",),
    "schooling": ("schooling",),
    "politics": ("politics",),
    "work": ("work",),
    "guardian_id": ("guardian_id",),
    "diet": ("diet",),
    "state": ("state", "state_on", "absent_from", "absent_until"),
}
# Texts of several lines are put together: neither side's words are lost.
JOINED = ("health", "note")
FLAGS = {
    "id_number": {"no_number", "old_number"},
    "sex": {"sex_contradicts"},
    "birth_date": {"birth_contradicts", "birth_doubtful", "age_doubtful"},
    "phone": {"phone_doubtful"},
    "household_id": {"unknown_relation", "address_differs", "address_doubtful"},
    "registration": {"unknown_registration"},
}
NOTHING = {"unknown", "", None, "present"}


@dataclass(frozen=True)
class Choice:
    """One field of two records in words. `theirs` is chosen unless a worker says otherwise: the kept one is empty."""

    key: str
    label: str
    mine: str
    theirs: str
    differs: bool
    take_theirs: bool


def kept_first(one: Person, other: Person) -> tuple[Person, Person]:
    """Which of two to keep, unless a worker says otherwise: who has an account, then a number, then the earlier."""
    claimed = set(
        db.session.scalars(
            sa.select(Claim.person_id).where(
                Claim.person_id.in_([one.id, other.id]), Claim.state == ClaimState.CONFIRMED
            )
        )
    )
    ranked = sorted((one, other), key=lambda who: (who.id not in claimed, not who.id_number, who.id))
    return ranked[0], ranked[1]


def choices(kept: Person, other: Person) -> list[Choice]:
    return [_choice(group, kept, other) for group in GROUPS]


def _choice(group: str, kept: Person, other: Person) -> Choice:
    mine, theirs = _key(kept, group), _key(other, group)
    return Choice(
        key=group,
        label=changes.field_words(group),
        mine=in_words(kept, group),
        theirs=in_words(other, group),
        differs=mine != theirs and not _empty(theirs),
        take_theirs=_empty(mine) and not _empty(theirs),
    )


def _key(person: Person, group: str) -> tuple[Any, ...]:
    """What makes two records differ in a group."""
    if group == "id_number":
        return (person.id_number,)
    return tuple(getattr(person, name) for name in GROUPS[group] if name not in {"initials", "pinyin"})


def _empty(key: tuple[Any, ...]) -> bool:
    return key[0] in NOTHING


def chosen(said: Mapping[str, str], kept: Person, other: Person) -> frozenset[str]:
    """The groups to take from the other record: as said ("kept" or "other"), else where the kept one has nothing."""
    return frozenset(
        choice.key
        for choice in choices(kept, other)
        if choice.differs and said.get(choice.key, "other" if choice.take_theirs else "kept") == "other"
    )


def result(kept: Person, other: Person, taking: Collection[str]) -> list[tuple[str, str]]:
    """How the kept record will be: label and words of each field that holds anything."""
    found = [(one.label, one.theirs if one.key in taking else one.mine) for one in choices(kept, other)]
    tags = dict.fromkeys(words.tag(tag.kind) for tag in [*kept.tags, *other.tags] if tag.until is None)
    return [pair for pair in [*found, (_("人群标签"), _("、").join(tags))] if pair[1]]


def take(kept: Person, other: Person, taking: Collection[str]) -> None:
    """Give the kept record the other's value in some groups, and both their notes. Numbers change places: the alias
    keeps the one that was not chosen, so that nobody else can be registered under it. What either may no longer have
    kept of her diet and health neither record keeps.
    """
    flags = set(kept.flags or [])
    for group in taking:
        if group == "id_number":
            _swap_numbers(kept, other)
        else:
            for name in GROUPS[group]:
                setattr(kept, name, getattr(other, name))
        flags = (flags - FLAGS.get(group, set())) | (set(other.flags or []) & FLAGS.get(group, set()))
    for name in JOINED:
        setattr(kept, name, _joined(getattr(kept, name), getattr(other, name)))
    if consents.refuses(kept, other, purpose=Purpose.HEALTH):
        kept.diet = kept.health = other.diet = other.health = None
    if set(kept.flags or []) != flags:
        kept.flags = sorted(flags)


def _swap_numbers(kept: Person, other: Person) -> None:
    names = GROUPS["id_number"]
    mine, theirs = ([getattr(who, name) for name in names] for who in (kept, other))
    for who in (kept, other):
        who.id_index = who.temporary_number = None
    db.session.flush()
    for name, ours, others in zip(names, mine, theirs, strict=True):
        setattr(kept, name, others)
        setattr(other, name, ours)


def _joined(mine: str | None, theirs: str | None) -> str | None:
    lines = dict.fromkeys([*(mine or "").splitlines(), *(theirs or "").splitlines()])
    return "\n".join(lines) or None


def in_words(person: Person, group: str) -> str:
    """A field's value as two records are compared by it: numbers masked, of an address the first signs."""
    return SPEAKERS[group](person) if group in SPEAKERS else _plain(getattr(person, group))


def _home(person: Person) -> str:
    if person.household is None:
        return ""
    address = person.household.dwelling.address() if person.household.dwelling else ""
    return " ".join(part for part in (person.household.number, address, words.relation(person.relation)) if part)


def _plain(value: Any) -> str:
    if value is None or value == "unknown":
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else words.in_words(value)


SPEAKERS: dict[str, Callable[[Person], str]] = {
    "id_number": lambda person: mask_id(person.id_number) or person.temporary_number or "",
    "phone": lambda person: mask_phone(person.phone),
    "registered_address": lambda person: mask_middle(person.registered_address, 6, 0),
    "household_id": _home,
    "grid_id": lambda person: person.grid.name if person.grid else "",
    "guardian_id": lambda person: person.guardian.name if person.guardian else "",
    "diet": lambda person: _("、").join(words.diet(kind) for kind in Diet if kind in person.diets()),
    "ethnicity": lambda person: ethnicities.in_words(person.ethnicity) if person.ethnicity else "",
}
