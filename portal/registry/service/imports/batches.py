"""Batches of imports: uploading, choosing columns, cancelling, purging, and the queries of their pages."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path, PurePath

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, jobs
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import after_commit, db, guarded, transaction
from portal.core.errors import Missing, Refused
from portal.core.ids import new_public_id
from portal.registry.models import (
    BatchState,
    Household,
    ImportBatch,
    ImportMapping,
    ImportRow,
    Outcome,
    Person,
    Relation,
)
from portal.registry.service.imports import columns as guessing
from portal.registry.service.imports import store
from portal.registry.service.imports.columns import Table
from portal.registry.service.imports.vocabulary import Field

PAGE = 50
NOT_BEGUN = (BatchState.UPLOADED, BatchState.CHECKED, BatchState.FAILED)


def batches(within: Collection[Scope], *, before: int = 0) -> list[ImportBatch]:
    """The batches of whole communities in scope, newest first, one page and one more; `before` is a batch's id."""
    query = (
        sa.select(ImportBatch)
        .options(joinedload(ImportBatch.community))
        .where(ImportBatch.community_id.in_(areas.reach(within).communities))
        .order_by(ImportBatch.id.desc())
        .limit(PAGE + 1)
    )
    return list(db.session.scalars(query.where(ImportBatch.id < before) if before else query))


def batch_in(within: Collection[Scope], public_id: str) -> ImportBatch:
    query = (
        sa.select(ImportBatch)
        .options(joinedload(ImportBatch.community))
        .where(ImportBatch.public_id == public_id)
        .where(ImportBatch.community_id.in_(areas.reach(within).communities))
    )
    batch = db.session.scalar(query)
    if batch is None:
        raise Missing
    return batch


def upload(community: Area, table: Table, *, filename: str, data: bytes, folder: Path, by: str) -> ImportBatch:
    """Keep a register that was read already; its columns are guessed, or as they were chosen last time."""
    batch = ImportBatch(
        public_id=new_public_id(),
        community=community,
        filename=PurePath(filename.replace("\\", "/")).name[-200:],
        headers=table.headers,
        header_number=table.header_number,
        samples=json.dumps(guessing.samples(table), ensure_ascii=False),
        skipped=[list(row) for row in table.skipped],
        columns=_remembered(community, table.headers) or guessing.guess(table.headers),
        total=len(table.rows),
        counts={},
        made={},
        uploaded_at=now(),
        uploaded_by=by,
    )
    db.session.add(batch)
    audit.record("registry.import_uploaded", batch, filename=batch.filename, rows=batch.total)
    db.session.flush()
    store.keep(folder, batch.public_id, data, table)
    return batch


def _remembered(community: Area, headers: list[str]) -> dict[str, int] | None:
    mapping = _mapping(community.id, headers)
    return dict(mapping.columns) if mapping else None


def _mapping(community_id: int, headers: list[str]) -> ImportMapping | None:
    query = sa.select(ImportMapping).where(
        ImportMapping.community_id == community_id, ImportMapping.header_key == guessing.header_key(headers)
    )
    return db.session.scalar(query)


def samples(batch: ImportBatch) -> list[list[str]]:
    """Up to three masked values of each column."""
    found: list[list[str]] = json.loads(batch.samples or "[]")
    return found or [[] for _header in batch.headers]


def start_check(batch: ImportBatch, columns: Mapping[str, int]) -> None:
    """Remember the choice of columns and queue the check. A checked or failed batch is checked anew."""
    if Field.NAME not in columns:
        raise Refused(_("请选择哪一列是姓名，没有姓名不能导入。"), field=Field.NAME)
    for field, column in columns.items():
        if next(other for other in columns if columns[other] == column) != field:
            raise Refused(_("这一列已经用在别的项目上，请换一列，或选“不导入”。"), field=field)
    _move(batch, BatchState.CHECKING, NOT_BEGUN, columns=dict(columns), done=0, counts={}, beat_at=now(), error="")
    mapping = _mapping(batch.community_id, batch.headers) or ImportMapping(
        community_id=batch.community_id, header_key=guessing.header_key(batch.headers)
    )
    mapping.columns, mapping.used_at = dict(columns), now()
    db.session.add(mapping)
    audit.record("registry.import_check_started", batch, fields=sorted(columns))
    jobs.enqueue("registry.check_batch", batch_id=batch.id)


def _move(batch: ImportBatch, state: BatchState, source: Collection[BatchState], **values: object) -> None:
    take = sa.update(ImportBatch).where(ImportBatch.id == batch.id, ImportBatch.state.in_(source))
    if not guarded(take.values(state=state, **values)):
        raise Refused(_("这一批现在不能这样做。请返回列表看看它的状态。"))
    db.session.refresh(batch)


def cancel(batch: ImportBatch, *, folder: Path) -> None:
    """Give a batch up before it is confirmed: rows and file go at once."""
    _move(batch, BatchState.CANCELLED, (*NOT_BEGUN, BatchState.CHECKING), ended_at=now())
    _forget(batch)
    audit.record("registry.import_cancelled", batch)
    public_id = batch.public_id
    after_commit(lambda: store.drop(folder, public_id))


def _forget(batch: ImportBatch) -> None:
    """Staged rows and samples; the batch itself stays, with its counts."""
    db.session.execute(
        sa.delete(ImportRow).where(ImportRow.batch_id == batch.id), execution_options={"synchronize_session": False}
    )
    batch.samples, batch.purged_at = None, now()


def purge(before: datetime, *, folder: Path) -> int:
    """Forget what ended before a moment, and what was uploaded before it and never confirmed. Commits by itself."""
    old = sa.or_(
        ImportBatch.ended_at < before,
        sa.and_(ImportBatch.uploaded_at < before, ImportBatch.state.in_(NOT_BEGUN)),
    )
    query = sa.select(ImportBatch.id).where(ImportBatch.purged_at.is_(None), old).order_by(ImportBatch.id)
    with transaction() as session:
        due = list(session.scalars(query))
    for batch_id in due:
        with transaction() as session:
            batch = session.get_one(ImportBatch, batch_id)
            if batch.can_become(BatchState.CANCELLED):
                batch.state, batch.ended_at = BatchState.CANCELLED, now()
            _forget(batch)
            public_id = batch.public_id
        store.drop(folder, public_id)
    _drop_orphans(before, folder)
    return len(due)


def _drop_orphans(before: datetime, folder: Path) -> None:
    with transaction() as session:
        known = set(session.scalars(sa.select(ImportBatch.public_id).where(ImportBatch.purged_at.is_(None))))
    for name in store.orphans(folder, known, older_than=before.timestamp()):
        store.drop(folder, name)


def rows(batch: ImportBatch, kind: str, *, after: int = 0, limit: int = PAGE) -> list[ImportRow]:
    """Staged rows of an outcome, or the "flagged" ones, by row number, one page and one more."""
    query = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_number > after)
    if kind == "flagged":
        query = query.where(
            ImportRow.outcome.in_([Outcome.NEW, Outcome.CHANGED]), ImportRow.flags.cast(sa.String) != "[]"
        )
    else:
        query = query.where(ImportRow.outcome == Outcome(kind))
    return list(db.session.scalars(query.order_by(ImportRow.row_number).limit(limit + 1)))


def twins(batch: ImportBatch, waiting: Collection[ImportRow]) -> dict[int, ImportRow | Person]:
    """What each waiting row stands beside: an earlier row of the file, or a person of this community."""
    numbers = {row.twin_row for row in waiting if row.twin_row}
    people = {row.person_id for row in waiting if row.person_id and not row.twin_row}
    by_number = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_number.in_(numbers))
    earlier = {row.row_number: row for row in db.session.scalars(by_number)} if numbers else {}
    known = sa.select(Person).where(Person.id.in_(people), Person.community_id == batch.community_id)
    known = known.options(joinedload(Person.household))
    stored = {person.id: person for person in db.session.scalars(known)} if people else {}
    beside = {row.row_number: earlier.get(row.twin_row or 0) or stored.get(row.person_id or 0) for row in waiting}
    return {number: other for number, other in beside.items() if other is not None}


def households_without_head(batch: ImportBatch, *, limit: int = PAGE) -> list[tuple[str, int]]:
    """Household numbers of the batch's people in which nobody is the head, with how many live there."""
    of_batch = sa.select(Person.household_id).where(Person.batch_id == batch.id)
    member = sa.orm.aliased(Person)
    has_head = sa.exists().where(member.household_id == Household.id, member.relation == Relation.HEAD)
    query = (
        sa.select(Household.number, sa.func.count(Person.id))
        .join(Person, Person.household_id == Household.id)
        .where(Household.community_id == batch.community_id, Household.id.in_(of_batch), ~has_head)
        .group_by(Household.id, Household.number)
        .order_by(Household.number, Household.id)
        .limit(limit)
    )
    return [(number, count) for number, count in db.session.execute(query)]
