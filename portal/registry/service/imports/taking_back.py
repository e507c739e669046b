"""Taking one decision back: the register is as it was, the row waits again; refused once anything leans on it."""

import json
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import audit, events
from portal.core.clock import now
from portal.core.db import db, unique_or
from portal.core.errors import Refused
from portal.registry.models import (
    BatchState,
    EmergencyContact,
    Happening,
    HappeningPart,
    Household,
    ImportBatch,
    ImportRow,
    Outcome,
    Person,
    PersonChange,
    PersonTag,
    Source,
    TwinPair,
    Verdict,
)
from portal.registry.service import changes, consents
from portal.registry.service.imports import holding, keeping, turning, undoing, writing
from portal.registry.service.imports.writing import Places
from portal.registry.service.merging import acts, snapshots
from portal.registry.service.merging import undoing as merges

PLACES: tuple[type[Any], ...] = (Household, Dwelling, Building, Estate, Area)


def may_take_back(row: ImportRow) -> bool:
    """Whether anything was said of a row that is not done with."""
    return row.verdict is not None and row.batch.state in {BatchState.CHECKED, BatchState.CONFIRMED}


def take_back(row: ImportRow, *, reason: str) -> None:
    """Raises Refused, in words that say what to do, when it would lose what happened since."""
    batch = row.batch
    holding.batch(batch, row)
    verdict, outcome = row.verdict, row.outcome
    if not may_take_back(row):
        raise Refused(_("这一行没有可以收回的决定。"))
    kept = json.loads(row.waited or "{}")
    if outcome is not Outcome.WAITING:
        if not kept:
            raise Refused(_("这一行是系统升级以前核实的，不能单独收回。请直接修改登记。"))
        _undo_applied(batch, row, reason)
    if kept:
        snapshots.put_back(row, kept["row"])
    row.verdict, row.decided_at, row.decided_by, row.applied_to, row.chosen = None, None, "", None, []
    row.waited = None
    db.session.flush()
    if outcome is not Outcome.WAITING:
        _remove_places(batch, row, kept.get("places", {}))
        _count(batch, outcome)
    turning.forget(batch, row)
    said = verdict.value if verdict else ""
    audit.record("registry.import_row_taken_back", batch, reason=reason, rows=row.row_number, kind=said)


def _undo_applied(batch: ImportBatch, row: ImportRow, reason: str) -> None:
    if row.verdict is Verdict.SAME:
        happening = _written(batch, row)
        if happening is None:
            raise Refused(_("这一行是系统升级以前核实的，不能单独收回。请直接修改登记。"))
        part(happening, reason=reason)
    else:
        _remove(batch, row)


def _written(batch: ImportBatch, row: ImportRow) -> Happening | None:
    query = sa.select(Happening).where(Happening.batch_id == batch.id, Happening.undone_at.is_(None))
    found = db.session.scalars(query.order_by(Happening.id.desc()))
    return next((one for one in found if one.made["import_row"] == row.id), None)


def take_back_merge(happening: Happening, *, reason: str) -> None:
    """The same from the list of merges. A row that was cleared by its age waits no more."""
    if happening.undone_at is not None:
        raise Refused(_("这次合并已经撤销过了。"))
    query = sa.select(ImportRow).where(
        ImportRow.id == happening.made["import_row"], ImportRow.batch_id == happening.batch_id
    )
    row = db.session.scalar(query)
    if row is not None and row.verdict is Verdict.SAME:
        return take_back(row, reason=reason)
    part(happening, reason=reason)
    kept = db.session.get_one(Person, happening.made["kept"])
    audit.record("registry.import_row_taken_back", kept, reason=reason, rows=happening.made["row"], kind="same")
    return None


def part(happening: Happening, *, reason: str) -> None:
    """Give back what merging a row in changed of a person, and what it hung on her."""
    kept = holding.person(happening.made["kept"]) or db.session.get_one(Person, happening.made["kept"])
    touched, copied = snapshots.apart(snapshots.read(happening.after))
    merges.refuse_what_leans(happening, kept, kept, touched)
    made = snapshots.stands(copied)
    if made is None:
        raise merges.leans(_("合并过来的标签或联系人"))
    merges.mark_undone(happening, reason)
    moment = now()
    ref = db.session.get_one(ImportBatch, happening.batch_id).public_id
    with unique_or(Refused(_("有别的登记已经用了其中的号码或账号，不能撤销合并。"))):
        for one in made:
            db.session.delete(one)
        with changes.changing(kept, Source.IMPORT, ref=ref, reason=reason):
            snapshots.restore(snapshots.read(happening.before))
        if told := acts.hanging(copied):
            back: dict[str, list[str | None]] = {name: [text, None] for name, text in told.items()}
            changes.note(kept, back, Source.IMPORT, ref=ref, reason=reason)
    db.session.expire(kept, ["tags", "contacts"])
    merges.refuse_strange_homes(kept)
    consents.keep_refusals(moment)
    events.publish("person_moved", person=kept)


def _remove(batch: ImportBatch, row: ImportRow) -> None:
    """A person whom a decision made goes, unless she is used or was changed since."""
    person = holding.person(row.applied_to)
    if person is None:
        raise Refused(_("这份登记已经不在了，不能收回。"))
    _refuse_leaning(batch, person)
    events.publish("people_leaving", person_ids=[person.id])
    if db.session.scalar(undoing.in_use(batch, Person.id).where(Person.id == person.id)) is not None:
        raise Refused(
            _(
                "%(name)s建档以后已经被使用或修改过（例如订餐、探访、认领账号、改资料），不能收回。"
                "确是同一个人，请在“疑似重复”里合并；已经搬走，请办迁出。",
                name=person.name,
            )
        )
    number = person.id
    db.session.expunge(person)
    into = sa.select(HappeningPart.happening_id).where(HappeningPart.person_id == number)
    gone = list(db.session.scalars(into.order_by(HappeningPart.id)))
    for statement in (
        sa.delete(HappeningPart).where(HappeningPart.happening_id.in_(gone)),
        sa.delete(Happening).where(Happening.id.in_(gone)),
        sa.delete(PersonTag).where(PersonTag.person_id == number),
        sa.delete(EmergencyContact).where(EmergencyContact.person_id == number),
        sa.delete(PersonChange).where(PersonChange.person_id == number),
        sa.delete(TwinPair).where(sa.or_(TwinPair.person_id == number, TwinPair.other_id == number)),
        sa.delete(Person).where(Person.id == number),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})


def _refuse_leaning(batch: ImportBatch, person: Person) -> None:
    """Nobody else of the register, or of the same file, may stand on her."""
    other = sa.select(Person.id).where(sa.or_(Person.guardian_id == person.id, Person.merged_into_id == person.id))
    if db.session.scalar(other.where(Person.id != person.id).limit(1)) is not None:
        raise Refused(
            _(
                "%(name)s已经登记为别人的监护人，或有别的登记合并到这份登记，不能收回。"
                "请先改监护人或撤销合并，再收回。",
                name=person.name,
            )
        )
    into = sa.select(Happening).join(HappeningPart).where(HappeningPart.person_id == person.id)
    standing = into.where(Happening.batch_id == batch.id, Happening.undone_at.is_(None))
    later = db.session.scalars(standing.order_by(Happening.id.desc()).limit(1)).first()
    if later is not None:
        facts = {"name": person.name, "row": later.made["row"]}
        raise Refused(
            _("登记表第 %(row)d 行后来合并到了%(name)s名下，不能收回。请先收回第 %(row)d 行的决定。", **facts)
        )


def _remove_places(batch: ImportBatch, row: ImportRow, places: Places) -> None:
    """What the row alone made and nobody edited: no one else's household or home, and nothing in use by now."""
    untouched = keeping.as_made(row, places.get("dwelling") or writing.home_of(batch, row))
    gone: Places = {}
    for model in PLACES:
        table, number = model.__tablename__, places.get(model.__tablename__)
        if number:
            keeping.delete_unused(model, model.id == number, *untouched[model])
            if db.session.scalar(sa.select(model.id).where(model.id == number)) is None:
                gone[table] = number
    db.session.expire_all()
    writing.forget_places(batch, gone)


def _count(batch: ImportBatch, outcome: Outcome) -> None:
    counts = dict(batch.counts)
    counts["waiting"] = counts.get("waiting", 0) + 1
    counts[outcome.value] = counts.get(outcome.value, 0) - 1
    batch.counts = counts
