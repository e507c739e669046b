"""Turning a decided row into what the statements of confirming store: a new person, or a known one changed."""

import json
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.clock import now, today
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.masking import mask_id
from portal.core.sealing import blind
from portal.registry.models import (
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    PersonState,
    RowVerdict,
    TagKind,
    Verdict,
)
from portal.registry.service import people, words
from portal.registry.service.imports import comparing, matching, numbers

# The columns of each group of fields that a worker chooses together; a note and tags are always added.
GROUPS: dict[str, tuple[str, ...]] = {
    "name": ("name", "initials", "pinyin"),
    "id_number": ("id_kind", "id_number", "id_index"),
    "sex": ("sex",),
    "birth_date": ("birth_date",),
    "phone": ("phone", "phone_index", "phone_tail_index"),
    "relation": ("relation",),
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
    "diet": ("diet",),
}
PLACED = ("household_number", "grid")
# Flags about a number: they go with it.
OF_NUMBER = frozenset({"sex_contradicts", "birth_contradicts", "age_doubtful", "old_number"})


def turn(batch: ImportBatch, row: ImportRow) -> None:
    """By its verdict. Raises Refused when the person it goes to is nobody who may be changed."""
    if row.verdict is Verdict.DIFFERENT:
        _as_new(row)
    else:
        _as_changed(row, target(batch, row))


def target(batch: ImportBatch, row: ImportRow) -> Person:
    """The person a SAME row goes to: the one it stands beside, or whom the earlier row of the file became."""
    person = db.session.get(Person, row.person_id) if row.person_id else None
    if person is None and row.twin_row:
        earlier = db.session.scalar(
            sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_number == row.twin_row)
        )
        person = of_row(earlier) if earlier else None
    if person is None:
        raise Refused(_("和它对照的那一份现在不在登记库里，请选“不是同一个人”，或放弃这一行。"))
    person = people.resolved(person)
    if person.community_id != batch.community_id:
        raise Refused(_("这个人登记在别的社区，不能改动那边的资料。"))
    if person.state is PersonState.DEAD:
        raise Refused(_("登记库里这个人已去世，不能用登记表改动。请先核实去世登记。"))
    return person


def of_row(row: ImportRow) -> Person | None:
    """An earlier row's person; one that had waited itself says to whom it was applied."""
    known = row.applied_to or row.person_id
    if known:
        return db.session.get(Person, known)
    return db.session.scalar(sa.select(Person).where(Person.public_id == row.public_id))


def _as_new(row: ImportRow) -> None:
    """A number somebody has already is not given twice: it stays in the note, masked, for a worker to clear up."""
    row.outcome = Outcome.NEW
    if row.id_number and taken(row.id_number):
        line = _("登记表上的证件号码与别人相同：%(number)s", number=mask_id(row.id_number))
        row.note = "\n".join(part for part in (row.note, line) if part)
        row.id_number = row.id_index = None
        row.flags = [*dict.fromkeys([*(flag for flag in row.flags if flag not in OF_NUMBER), "no_number"])]
    elif row.id_number and row.id_kind in numbers.BY_GB_11643:
        checked, _old = numbers.of_person(row.id_number, today=today(), allow_test_region=True)
        row.sex, row.birth_date = checked.sex, checked.birth_date


def taken(number: str, *, but: int = 0) -> bool:
    """Whether anybody of the whole register, but one, has a number."""
    index = blind("person.id_number", number)
    return (
        db.session.scalar(sa.select(Person.id).where(Person.id_index == index, Person.id != but).limit(1)) is not None
    )


def _as_changed(row: ImportRow, person: Person) -> None:
    known = matching.known_person(db.session, person.id, today())
    taking = set(row.chosen)
    changes = {name: pair for name, pair in differences(row, person).items() if name in taking}
    for group, columns in GROUPS.items():
        if group not in changes:
            for name in columns:
                setattr(row, name, getattr(person, name))
    if "household_number" not in changes:
        row.household_number = row.estate = row.building = row.unit = row.room = ""
    if "grid" not in changes:
        row.grid_name = ""
    row.tags = [kind for kind in row.tags if TagKind(kind) not in known.tags]
    if row.tags:
        changes["tags"] = ["", _("、").join(words.tag(TagKind(kind)) for kind in row.tags)]
    note = "\n".join(dict.fromkeys([*(person.note or "").splitlines(), *(row.note or "").splitlines()]))
    if note != (person.note or ""):
        changes["note"] = [person.note or "", note]
    row.note, row.moves = note or None, False
    settled = {flag for flag, name in comparing.SETTLED_BY.items() if name in changes}
    row.flags = [flag for flag in person.flags or [] if flag not in settled]
    row.public_id, row.person_id, row.outcome = person.public_id, person.id, Outcome.CHANGED
    row.changes = json.dumps(changes, ensure_ascii=False, sort_keys=True)
    row.before = json.dumps(comparing.before(known), ensure_ascii=False, sort_keys=True)


def differences(row: ImportRow, other: Person | ImportRow) -> dict[str, list[Any]]:
    """Where a row says something else than a person or an earlier row, as {group: [theirs, the row's]} in plain."""
    found = {}
    for group in (*GROUPS, *PLACED):
        theirs, mine = said(other, group), said(row, group)
        if mine not in {"", "unknown"} and mine != theirs:
            found[group] = [theirs, mine]
    return found


def said(record: Person | ImportRow, group: str) -> str:
    """A group's value as text; "" for none."""
    if group == "household_number":
        return record.household_number if isinstance(record, ImportRow) else _household(record)
    if group == "grid":
        return record.grid_name if isinstance(record, ImportRow) else (record.grid.name if record.grid else "")
    value = getattr(record, group)
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _household(person: Person) -> str:
    return person.household.number if person.household else ""


def row_key(row: ImportRow) -> bytes:
    """What identifies a waiting row as it came in: asked before it is turned."""
    return matching.key(row.name, row.birth_date, row.household_number, row.id_number or "")


def settled(batch: ImportBatch, row: ImportRow) -> RowVerdict | None:
    """What a worker said of the same row of another batch, after this one was checked."""
    return _known_verdict(batch, row_key(row))


def _known_verdict(batch: ImportBatch, key: bytes) -> RowVerdict | None:
    known = sa.select(RowVerdict).where(RowVerdict.community_id == batch.community_id, RowVerdict.key == key)
    return db.session.scalar(known)


def forget(batch: ImportBatch, row: ImportRow) -> None:
    """A row that was not wanted is asked about again."""
    known = _known_verdict(batch, row_key(row))
    if known is not None and known.batch_id == batch.id:
        db.session.delete(known)


def remember(batch: ImportBatch, row: ImportRow, key: bytes) -> None:
    """The same row of a later file does not wait again."""
    verdict = _known_verdict(batch, key) or RowVerdict(community_id=batch.community_id, key=key)
    verdict.batch_id, verdict.verdict, verdict.person_id = batch.id, row.verdict or Verdict.LATER, row.applied_to
    verdict.decided_at, verdict.decided_by = row.decided_at or now(), row.decided_by
    db.session.add(verdict)
    db.session.flush()
