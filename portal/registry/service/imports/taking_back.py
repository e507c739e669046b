"""Taking one decision back: the register is as it was, the row waits again; refused once anything leans on it."""

import json
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import audit, events
from portal.core.clock import now
from portal.core.db import db, guarded, unique_or
from portal.core.errors import Refused
from portal.registry.models import (
    BatchState,
    EmergencyContact,
    Happening,
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
from portal.registry.service.imports import keeping, turning, undoing
from portal.registry.service.imports.writing import Places
from portal.registry.service.merging import acts, snapshots
from portal.registry.service.merging import undoing as merges

PLACES: tuple[type[Any], ...] = (Household, Dwelling, Building, Estate, Area)


def may_take_back(row: ImportRow) -> bool:
    """Whether anything was said of a row that is not done with."""
    return row.verdict is not None and row.batch.state in {BatchState.CHECKED, BatchState.CONFIRMED}


def take_back(row: ImportRow, *, reason: str) -> None:
    """Raises Refused, in words that say what to do, when it would lose what happened since."""
    batch, verdict, outcome = row.batch, row.verdict, row.outcome
    if not may_take_back(row):
        raise Refused(_("这一行没有可以收回的决定。"))
    mine = sa.update(ImportRow).where(ImportRow.id == row.id, ImportRow.verdict == verdict)
    if not guarded(mine.values(verdict=ImportRow.verdict)):
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
        _remove_places(kept.get("places", {}))
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
    kept = db.session.get_one(Person, happening.made["kept"])
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
    person = db.session.get(Person, row.applied_to) if row.applied_to else None
    if person is None:
        raise Refused(_("这份登记已经不在了，不能收回。"))
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
    for statement in (
        sa.delete(PersonTag).where(PersonTag.person_id == number),
        sa.delete(EmergencyContact).where(EmergencyContact.person_id == number),
        sa.delete(PersonChange).where(PersonChange.person_id == number),
        sa.delete(TwinPair).where(sa.or_(TwinPair.person_id == number, TwinPair.other_id == number)),
        sa.delete(Person).where(Person.id == number),
    ):
        db.session.execute(statement, execution_options={"synchronize_session": False})


def _remove_places(places: Places) -> None:
    """What the row alone made: nobody else's household or home, and nothing that is in use by now."""
    for model in PLACES:
        number = places.get(model.__tablename__)
        if number:
            keeping.delete_unused(model, model.id == number)
    db.session.expire_all()


def _count(batch: ImportBatch, outcome: Outcome) -> None:
    counts = dict(batch.counts)
    counts["waiting"] = counts.get("waiting", 0) + 1
    counts[outcome.value] = counts.get(outcome.value, 0) - 1
    batch.counts = counts
