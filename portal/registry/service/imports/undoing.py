"""Undoing a confirmed batch: its people go, what it changed is as before; refused once anything leans on them."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, events
from portal.core.access import actor_or_none
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.registry.models import (
    BatchState,
    EmergencyContact,
    ExportPerson,
    Facility,
    Happening,
    HappeningPart,
    ImportBatch,
    ImportRow,
    Organisation,
    Outcome,
    Person,
    PersonChange,
    PersonTag,
    PersonWord,
    RowVerdict,
    Staff,
    StockItem,
    TwinPair,
    VolunteerTeam,
)
from portal.registry.service import consents
from portal.registry.service.imports import holders, holding, keeping, things
from portal.registry.service.imports.confirming import room_to_work
from portal.registry.service.imports.handlers import HANDLERS
from portal.registry.service.imports.keeping import Kept
from portal.registry.service.imports.restoring import Ready, restore
from portal.registry.service.imports.things import PEOPLE

# How many people one statement removes.
CHUNK = 2_000
# What finds the places that the batch made.
JOINED = ("import_row", "household", "dwelling", "building", "estate")
# What comes with a batch and goes with it: asked about one by one in _leaning(). Who stood in an export was only looked
# at: the list of it is for her to read, and goes with her (the database sees to that); the export and its audit stay.
ASKED = (PersonTag, EmergencyContact, PersonChange, TwinPair, HappeningPart, Person)
OWN = tuple(model.__table__ for model in (*ASKED, ExportPerson))


def undo(batch: ImportBatch, *, reason: str, opened: Ready | None = None) -> list[Kept]:
    """Take a batch back as a whole. Raises Refused, with how many people hold it, when it is too late. Places that
    were changed or are in use since stay, and are returned. `opened`: its rows, where they were opened beforehand.
    """
    holding.batch(batch)
    if batch.purged_at is not None:
        raise Refused(_("导入已超过 7 天，暂存的原值已经清除，不能整批撤销。请逐个修改。"))
    if batch.state is not BatchState.CONFIRMED:
        raise Refused(_("这一批没有可以撤销的内容。"))
    if batch.kind in PEOPLE:
        holding.people(Person.batch_id == batch.id, leaving=True)
        holding.people(_of_batch(batch))
    _let_go(batch)
    _refuse_used(batch)
    take = sa.update(ImportBatch).where(ImportBatch.id == batch.id, ImportBatch.state == BatchState.CONFIRMED)
    if not guarded(take.values(state=BatchState.UNDONE, ended_at=now())):
        raise Refused(_("这一批没有可以撤销的内容。"))
    db.session.refresh(batch)
    with room_to_work(*JOINED):
        gone, restored, kept = _take_back(batch, opened or Ready())
    audit.record("registry.import_undone", batch, reason=reason, removed=gone, restored=restored, kept=len(kept))
    return kept


def _let_go(batch: ImportBatch) -> None:
    """What siblings keep of the new people by themselves goes before anybody asks who is used; a refusal undoes it."""
    query = sa.select(Person.id).where(Person.batch_id == batch.id).order_by(Person.id)
    if people := list(db.session.scalars(query)):
        events.publish("people_leaving", person_ids=people)


def _refuse_used(batch: ImportBatch) -> None:
    """Whether anybody is used at all is asked table by table, which is quick; how many only where somebody is."""
    new = sa.select(Person.id).where(Person.batch_id == batch.id)
    edited = sa.select(Person.id).where(_of_batch(batch), sa.or_(*_edited(batch))).limit(1)
    if holders.stands_on(new, *OWN) or db.session.scalar(edited) is not None:
        raise holders.refusal(_of_batch(batch), used_people(batch), _uses(batch))


def _take_back(batch: ImportBatch, opened: Ready) -> tuple[int, int, list[Kept]]:
    """How many new rows went, how many are as before, and which places stay."""
    left: things.Left = ((), ())
    if batch.kind in PEOPLE:
        moment = now()
        _take_merges_back(batch)
        restored, stayed = restore(batch, opened)
        gone, left = _remove_people(batch), (stayed, ())
        db.session.expire_all()
        consents.keep_refusals(moment)
    else:
        handler = HANDLERS[batch.kind]
        gone, restored = (int(batch.counts.get(outcome.value, 0)) for outcome in (Outcome.NEW, Outcome.CHANGED))
        left = handler.undo(batch, things.rows_of(batch, handler)) or left
        for model in (Facility, Staff, Organisation, VolunteerTeam, StockItem):
            keeping.delete_unused(model, model.batch_id == batch.id)
            left = ([*left[0], *keeping.in_use(batch, model)], left[1])
    kept = keeping.take_places_back(batch, *left)
    db.session.flush()
    db.session.expire_all()
    keeping.note(batch, kept)
    return gone, restored, kept


def used_people(batch: ImportBatch) -> int:
    """How many people of the batch anything refers to, or were changed since it was confirmed."""
    return int(db.session.scalar(in_use(batch, sa.func.count())) or 0)


def _of_batch(batch: ImportBatch) -> sa.ColumnElement[bool]:
    """The new people and the changed ones."""
    changed = sa.select(ImportRow.person_id).where(
        ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED, ImportRow.person_id.is_not(None)
    )
    return sa.or_(Person.batch_id == batch.id, Person.id.in_(changed))


def in_use(batch: ImportBatch, what: Any) -> sa.Select[Any]:
    held = sa.or_(*(sa.or_(*conditions) for conditions in _uses(batch).values()))
    return sa.select(what).select_from(Person).where(_of_batch(batch), held)


def _uses(batch: ImportBatch) -> dict[str, list[sa.ColumnElement[bool]]]:
    """What holds somebody of the batch, by its kind: a known person only by what was changed of her since."""
    new = Person.batch_id == batch.id
    stands = holders.referring(*OWN)
    edited = [*_edited(batch), *(sa.and_(new, one) for one in stands.pop(holders.EDITED, []))]
    return {holders.EDITED: edited} | {kind: [sa.and_(new, sa.or_(*held))] for kind, held in stands.items()}


def _edited(batch: ImportBatch) -> list[sa.ColumnElement[bool]]:
    """Somebody changed one of its people, or added something to a new one."""
    return [_changed_since(batch), *(sa.and_(Person.batch_id == batch.id, one) for one in _leaning(batch))]


def _changed_since(batch: ImportBatch) -> sa.ColumnElement[bool]:
    """Edited after the batch was confirmed; what deciding a row of this very batch changed does not count."""
    by_row = sa.exists().where(
        ImportRow.batch_id == batch.id,
        ImportRow.applied_to == Person.id,
        ImportRow.decided_at >= Person.updated_at,
    )
    otherwise = sa.exists().where(
        PersonChange.person_id == Person.id,
        PersonChange.at > batch.confirmed_at,
        PersonChange.ref.not_in(_nothing(batch)),
    )
    # The last that was written of her is this batch's own, also what taking a decision back wrote.
    by_batch = sa.exists().where(
        PersonChange.person_id == Person.id, PersonChange.ref == batch.public_id, PersonChange.at >= Person.updated_at
    )
    return sa.or_(sa.and_(Person.updated_at > batch.confirmed_at, ~by_row, ~by_batch), otherwise)


def _nothing(batch: ImportBatch) -> sa.Select[str]:
    """What changed nothing that would be lost: the batch itself, and others that were undone since."""
    mine = sa.or_(ImportBatch.id == batch.id, ImportBatch.state == BatchState.UNDONE)
    return sa.select(ImportBatch.public_id).where(ImportBatch.community_id == batch.community_id, mine)


def _leaning(batch: ImportBatch) -> list[sa.ColumnElement[bool]]:
    """Of the register's own tables: what stands on a new person and did not come with the batch."""
    other = sa.orm.aliased(Person)
    theirs = sa.select(ImportRow.id).where(
        ImportRow.batch_id == batch.id,
        ImportRow.public_id == Person.public_id,
        ImportRow.contact_name == EmergencyContact.name,
    )
    return [
        sa.exists().where(PersonTag.person_id == Person.id, sa.func.coalesce(PersonTag.batch_id, 0) != batch.id),
        sa.exists().where(
            EmergencyContact.person_id == Person.id, ~theirs.correlate(Person, EmergencyContact).exists()
        ),
        sa.exists().where(
            sa.or_(other.guardian_id == Person.id, other.merged_into_id == Person.id),
            sa.func.coalesce(other.batch_id, 0) != batch.id,
        ),
        sa.exists().where(PersonChange.person_id == Person.id, PersonChange.ref.not_in(_nothing(batch))),
        sa.exists().where(HappeningPart.person_id == Person.id, HappeningPart.happening_id.not_in(_merged_rows(batch))),
    ]


def _merged_rows(batch: ImportBatch) -> sa.Select[int]:
    """The merges that deciding rows of this batch wrote down."""
    return sa.select(Happening.id).where(Happening.batch_id == batch.id)


def _take_merges_back(batch: ImportBatch) -> None:
    """Merges of the batch's rows are undone with it; one into a person who goes is forgotten."""
    new = sa.select(Person.id).where(Person.batch_id == batch.id)
    mine = sa.and_(HappeningPart.happening_id.in_(_merged_rows(batch)), HappeningPart.person_id.in_(new))
    gone = list(db.session.scalars(sa.select(HappeningPart.happening_id).where(mine).order_by(HappeningPart.id)))
    actor = actor_or_none()
    undone = {"undone_at": now(), "undone_by": actor.public_id if actor else "system", "undone_reason": _("撤销导入")}
    for statement in (
        sa.delete(HappeningPart).where(HappeningPart.happening_id.in_(gone)),
        sa.delete(Happening).where(Happening.id.in_(gone)),
        sa.update(Happening).where(Happening.batch_id == batch.id, Happening.undone_at.is_(None)).values(**undone),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})


def _remove_people(batch: ImportBatch) -> int:
    new = sa.select(Person.id).where(Person.batch_id == batch.id)
    contacts = sa.exists().where(
        ImportRow.batch_id == batch.id,
        ImportRow.public_id == Person.public_id,
        Person.id == EmergencyContact.person_id,
        ImportRow.contact_name == EmergencyContact.name,
        EmergencyContact.id > batch.made.get("emergency_contact", [0])[0],
    )
    statements: tuple[sa.Executable, ...] = (
        sa.delete(PersonTag).where(PersonTag.batch_id == batch.id),
        sa.delete(EmergencyContact).where(contacts),
        sa.delete(PersonChange).where(PersonChange.person_id.in_(new)),
        sa.delete(TwinPair).where(sa.or_(TwinPair.person_id.in_(new), TwinPair.other_id.in_(new))),
        sa.delete(RowVerdict).where(RowVerdict.batch_id == batch.id),
        sa.update(Person).where(Person.guardian_id.in_(new)).values(guardian_id=None),
    )
    people = list(db.session.scalars(new.order_by(Person.id)))
    _remove_words(batch, new)
    # Thirty foreign keys are asked for each of them: one statement for all might take longer than one may.
    parts = [people[start : start + CHUNK] for start in range(0, len(people), CHUNK)]
    mine = sa.delete(Person).where(Person.batch_id == batch.id)
    for statement in (*statements, *(mine.where(Person.id.between(part[0], part[-1])) for part in parts)):
        db.session.execute(statement, execution_options={"synchronize_session": False})
    return len(people)


def _remove_words(batch: ImportBatch, new: sa.Select[int]) -> None:
    """SQLite's trigger looks every word of everybody up by itself: they go in one statement before it is asked."""
    if db.session.connection().dialect.name == "sqlite":
        words = sa.delete(PersonWord).where(
            PersonWord.community_id == batch.community_id, PersonWord.person_id.in_(new)
        )
        db.session.execute(words, execution_options={"synchronize_session": False})
