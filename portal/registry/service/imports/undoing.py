"""Undoing a confirmed batch: its people go, what it changed is as before; refused once anything leans on them."""

import json
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind, Building, Dwelling, Estate
from portal.core import audit
from portal.core.clock import now
from portal.core.db import Base, db, guarded
from portal.core.errors import Refused
from portal.core.sealing import keys
from portal.identity.models import RoleGrant
from portal.registry.models import BatchState, Household, ImportBatch, ImportRow, Outcome, Person, PersonTag
from portal.registry.service.imports.comparing import RESTORED, unpacked

_KINDS: dict[str, Any] = {
    "id": sa.Integer(),
    "birth_date": sa.Date(),
    "updated_at": Person.updated_at.type,
    "household_id": sa.Integer(),
    "grid_id": sa.Integer(),
}
_SEALED = {"id_number", "id_index", "phone", "phone_index", "phone_tail_index", "registered_address", "diet", "note"}
# The same table without the model's types: what is sealed already must not be sealed again.
RAW = sa.table(
    "person",
    *(sa.column(name, _KINDS.get(name) or (sa.LargeBinary() if name in _SEALED else sa.String()))
      for name in ("id", *RESTORED)),
)  # fmt: skip


def undo(batch: ImportBatch, *, reason: str) -> None:
    """Take a batch back as a whole. Raises Refused, with how many people hold it, when it is too late."""
    used = used_people(batch)
    if batch.purged_at is not None:
        raise Refused(_("导入已超过 7 天，暂存的原值已经清除，不能整批撤销。请逐个修改。"))
    if used:
        raise Refused(
            _("这一批里有 %(count)d 人已经被使用或修改过（例如订餐、账号认领、编辑资料），不能整批撤销。", count=used)
        )
    take = sa.update(ImportBatch).where(ImportBatch.id == batch.id, ImportBatch.state == BatchState.CONFIRMED)
    if not guarded(take.values(state=BatchState.UNDONE, ended_at=now())):
        raise Refused(_("这一批没有可以撤销的内容。"))
    db.session.refresh(batch)
    gone = _remove_people(batch)
    restored = _restore(batch)
    _remove_places(batch)
    audit.record("registry.import_undone", batch, reason=reason, removed=gone, restored=restored)


def used_people(batch: ImportBatch) -> int:
    """How many people of the batch anything refers to, or were changed since it was confirmed."""
    of_batch = sa.or_(
        Person.batch_id == batch.id,
        Person.id.in_(
            sa.select(ImportRow.person_id).where(
                ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED, ImportRow.person_id.is_not(None)
            )
        ),
    )
    tagged = sa.exists().where(PersonTag.person_id == Person.id, sa.func.coalesce(PersonTag.batch_id, 0) != batch.id)
    new = Person.batch_id == batch.id
    held = sa.or_(
        Person.updated_at > batch.confirmed_at,
        sa.and_(new, sa.or_(tagged, *_references(Person, PersonTag.__table__))),
    )
    query = sa.select(sa.func.count()).select_from(Person).where(of_batch, held)
    return int(db.session.scalar(query) or 0)


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
    session = db.session
    session.execute(
        sa.delete(PersonTag).where(PersonTag.batch_id == batch.id), execution_options={"synchronize_session": False}
    )
    gone = session.execute(
        sa.delete(Person).where(Person.batch_id == batch.id), execution_options={"synchronize_session": False}
    )
    return int(getattr(gone, "rowcount", 0))


def _restore(batch: ImportBatch) -> int:
    """Put back what the changed people were before."""
    query = (
        sa.select(ImportRow.person_id, ImportRow.moves, sa.type_coerce(ImportRow.before, sa.LargeBinary))
        .where(ImportRow.batch_id == batch.id, ImportRow.outcome == Outcome.CHANGED)
        .order_by(ImportRow.row_number)
    )
    people, homes = [], {}
    for person, moves, sealed in db.session.execute(query):
        was = json.loads(keys().open(bytes(sealed), "import_row|before"))
        people.append({"of": person, **{f"old_{name}": _raw(name, was[name]) for name in RESTORED}})
        if moves:
            homes[was["household_id"]] = was["dwelling_id"]
    if people:
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
