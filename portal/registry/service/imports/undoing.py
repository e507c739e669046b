"""Undoing a confirmed batch: its people go, what it changed is as before; refused once anything leans on them."""

import json
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core import audit, events
from portal.core.access import actor_or_none
from portal.core.clock import now
from portal.core.db import Base, db, guarded
from portal.core.errors import Refused
from portal.core.sealing import keys
from portal.identity.models import RoleGrant
from portal.registry.models import (
    BatchState,
    EmergencyContact,
    Facility,
    Household,
    ImportBatch,
    ImportRow,
    Organisation,
    Outcome,
    Person,
    PersonChange,
    PersonTag,
    RowVerdict,
    Source,
    TwinPair,
)
from portal.registry.service import consents
from portal.registry.service.imports import things
from portal.registry.service.imports.comparing import RESTORED, unpacked
from portal.registry.service.imports.confirming import room_to_work
from portal.registry.service.imports.handlers import HANDLERS
from portal.registry.service.imports.things import PEOPLE

_KINDS: dict[str, Any] = {
    "id": sa.Integer(),
    "birth_date": sa.Date(),
    "living_since": sa.Date(),
    "guardian_id": sa.Integer(),
    "updated_at": Person.updated_at.type,
    "household_id": sa.Integer(),
    "grid_id": sa.Integer(),
}
CHUNK = 500
# How many of those who hold a batch its refusal names.
NAMED = 10
# What comes with a batch and goes with it: asked about one by one in _leaning().
OWN = tuple(model.__table__ for model in (PersonTag, EmergencyContact, PersonChange, TwinPair, Person))
_SEALED = {"id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registered_address", "diet", "note"}
# The same table without the model's types: what is sealed already must not be sealed again.
RAW = sa.table(
    "person",
    *(sa.column(name, _KINDS.get(name) or (sa.LargeBinary() if name in _SEALED else sa.String()))
      for name in ("id", *RESTORED)),
)  # fmt: skip


def undo(batch: ImportBatch, *, reason: str) -> None:
    """Take a batch back as a whole. Raises Refused, with how many people hold it, when it is too late."""
    if batch.purged_at is not None:
        raise Refused(_("导入已超过 7 天，暂存的原值已经清除，不能整批撤销。请逐个修改。"))
    _let_go(batch)
    _refuse_used(batch)
    take = sa.update(ImportBatch).where(ImportBatch.id == batch.id, ImportBatch.state == BatchState.CONFIRMED)
    if not guarded(take.values(state=BatchState.UNDONE, ended_at=now())):
        raise Refused(_("这一批没有可以撤销的内容。"))
    db.session.refresh(batch)
    with room_to_work():
        gone, restored = _take_back(batch)
    audit.record("registry.import_undone", batch, reason=reason, removed=gone, restored=restored)


def _let_go(batch: ImportBatch) -> None:
    """What siblings keep of the new people by themselves goes before anybody asks who is used; a refusal undoes it."""
    query = sa.select(Person.id).where(Person.batch_id == batch.id).order_by(Person.id)
    if people := list(db.session.scalars(query)):
        events.publish("people_leaving", person_ids=people)


def _refuse_used(batch: ImportBatch) -> None:
    used = used_people(batch)
    if not used:
        return
    names = _("、").join(db.session.scalars(_used(batch, Person.name).order_by(Person.id).limit(NAMED)))
    raise Refused(
        _(
            "这一批里有 %(count)d 人已经被使用或修改过（例如订餐、探访、认领账号、改资料），不能整批撤销：%(names)s。",
            count=used,
            names=_("%(names)s等", names=names) if used > NAMED else names,
        )
    )


def _take_back(batch: ImportBatch) -> tuple[int, int]:
    """How many new rows went, and how many are as before."""
    if batch.kind in PEOPLE:
        moment = now()
        restored, gone = _restore(batch), _remove_people(batch)
        db.session.expire_all()
        consents.keep_refusals(moment)
    else:
        rows = things.rows_of(batch, Outcome.NEW, Outcome.CHANGED)
        HANDLERS[batch.kind].undo(batch, rows)
        for model in (Facility, Organisation):
            _delete_unused(model, model.batch_id == batch.id)
        gone = sum(1 for row in rows if row.outcome is Outcome.NEW)
        restored = len(rows) - gone
    _remove_places(batch)
    return gone, restored


def used_people(batch: ImportBatch) -> int:
    """How many people of the batch anything refers to, or were changed since it was confirmed."""
    return int(db.session.scalar(_used(batch, sa.func.count())) or 0)


def _used(batch: ImportBatch, what: Any) -> sa.Select[Any]:
    of_batch = sa.or_(
        Person.batch_id == batch.id,
        Person.id.in_(
            sa.select(ImportRow.person_id).where(
                ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED, ImportRow.person_id.is_not(None)
            )
        ),
    )
    new = Person.batch_id == batch.id
    held = sa.or_(
        _changed_since(batch),
        sa.and_(new, sa.or_(*_leaning(batch), *_references(Person, *OWN))),
    )
    return sa.select(what).select_from(Person).where(of_batch, held)


def _changed_since(batch: ImportBatch) -> sa.ColumnElement[bool]:
    """Edited after the batch was confirmed; what deciding a row of this very batch changed does not count."""
    by_row = sa.exists().where(
        ImportRow.batch_id == batch.id,
        ImportRow.applied_to == Person.id,
        ImportRow.decided_at >= Person.updated_at,
    )
    otherwise = sa.exists().where(
        PersonChange.person_id == Person.id, PersonChange.at > batch.confirmed_at, PersonChange.ref != batch.public_id
    )
    return sa.or_(sa.and_(Person.updated_at > batch.confirmed_at, ~by_row), otherwise)


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
        sa.exists().where(PersonChange.person_id == Person.id, PersonChange.ref != batch.public_id),
    ]


def _references(model: type[Any], *but: Any) -> list[sa.ColumnElement[bool]]:
    """For each foreign key to a table, in whichever package: that a row stands there."""
    found: list[sa.ColumnElement[bool]] = []
    for table in Base.metadata.sorted_tables:
        other = table.alias()
        columns = [key.parent.name for key in table.foreign_keys if key.column.table is model.__table__]
        if table not in but:
            found += [sa.exists().where(other.c[name] == model.id) for name in columns]
    return found


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
        sa.delete(Person).where(Person.batch_id == batch.id),
    )
    for statement in statements:
        gone = db.session.execute(statement, execution_options={"synchronize_session": False})
    return int(getattr(gone, "rowcount", 0))


def _restore(batch: ImportBatch) -> int:
    """Put back what the changed people were before, the last change first, and say so in their histories."""
    query = (
        sa.select(
            ImportRow.person_id,
            ImportRow.moves,
            sa.type_coerce(ImportRow.before, sa.LargeBinary),
            sa.type_coerce(ImportRow.changes, sa.LargeBinary),
        )
        .where(ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED)
        .order_by(sa.case((ImportRow.verdict.is_(None), 1), else_=0), ImportRow.row_number.desc())
    )
    people, homes, told = [], {}, []
    for person, moves, sealed, changes in db.session.execute(query):
        was = json.loads(keys().open(bytes(sealed), "import_row|before"))
        people.append({"of": person, **{f"old_{name}": _raw(name, was[name]) for name in RESTORED}})
        told.append((int(person or 0), _reversed(changes)))
        if moves:
            homes[was["household_id"]] = was["dwelling_id"]
    if people:
        _tell(batch, told)
        put = sa.update(RAW).where(RAW.c.id == sa.bindparam("of"))
        values = {name: sa.bindparam(f"old_{name}", type_=RAW.c[name].type) for name in RESTORED}
        db.session.connection().execute(put.values(values), people)
    if homes:
        where = sa.update(Household).where(Household.id == sa.bindparam("of"))
        db.session.connection().execute(
            where.values(dwelling_id=sa.bindparam("home")),
            [{"of": household, "home": dwelling} for household, dwelling in homes.items()],
        )
    return len(people)


def _reversed(changes: bytes) -> str:
    found = json.loads(keys().open(bytes(changes), "import_row|changes"))
    return json.dumps({name: [new, old] for name, (old, new) in found.items()}, ensure_ascii=False, sort_keys=True)


def _tell(batch: ImportBatch, told: list[tuple[int, str]]) -> None:
    """One more version of each record, and what went back in its history."""
    numbers = [person for person, _changes in told]
    counting = sa.update(Person).where(Person.id == sa.bindparam("of")).values(version=Person.version + 1)
    db.session.connection().execute(counting, [{"of": person} for person in numbers])
    versions: dict[int, int] = {}
    for start in range(0, len(numbers), CHUNK):
        part = sa.select(Person.id, Person.version).where(Person.id.in_(numbers[start : start + CHUNK]))
        versions.update((row.id, row.version) for row in db.session.execute(part))
    actor, moment = actor_or_none(), now()
    facts = {
        "at": moment,
        "by": actor.public_id if actor else "system",
        "by_name": actor.name if actor else "",
        "source": Source.IMPORT,
        "ref": batch.public_id,
        "reason": _("撤销导入"),
    }
    rows = [{"person_id": person, "version": versions[person], "changes": said, **facts} for person, said in told]
    db.session.execute(sa.insert(PersonChange), rows)


def _raw(name: str, value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if name == "flags" else unpacked(name, value)


def _remove_places(batch: ImportBatch) -> None:
    """Households the batch made, then dwellings, buildings, estates and grids, as far as nothing stands in them."""
    _delete_unused(Household, Household.batch_id == batch.id)
    for model, kind in ((Dwelling, None), (Building, None), (Estate, None), (Area, AreaKind.GRID)):
        first, last = batch.made.get(model.__tablename__, [0, 0])
        made = [model.id > first, model.id <= last]
        if kind:
            granted = sa.exists().where(RoleGrant.scope_kind == kind.value, RoleGrant.scope_ref == Area.code)
            made += [Area.kind == kind, Area.parent_id == batch.community_id, ~granted]
        _delete_unused(model, *made)


def _delete_unused(model: type[Any], *which: sa.ColumnElement[bool]) -> None:
    free = [~held for held in _references(model)]
    db.session.execute(sa.delete(model).where(*which, *free), execution_options={"synchronize_session": False})
