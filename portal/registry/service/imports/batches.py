"""Batches of imports: uploading, choosing columns, cancelling, purging, and the queries of their pages."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    ImportKind,
    ImportMapping,
    ImportRow,
    Outcome,
    Person,
    Relation,
    Verdict,
)
from portal.registry.service.imports import columns as guessing
from portal.registry.service.imports import fitting, store
from portal.registry.service.imports.columns import Table
from portal.registry.service.imports.vocabulary import FIELDS, Field

PAGE = 50
# An upload whose batch never came to be: its files wait for nobody.
ORPHANS_KEPT = timedelta(days=1)
WAITING_KEPT = timedelta(days=90)
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


def to_confirm(within: Collection[Scope]) -> int:
    """How many batches in scope are checked and wait for somebody to confirm them."""
    query = sa.select(sa.func.count(ImportBatch.id)).where(
        ImportBatch.community_id.in_(areas.reach(within).communities), ImportBatch.state == BatchState.CHECKED
    )
    return db.session.scalar(query) or 0


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


@dataclass(frozen=True)
class Kept:
    """A register that stands sealed on the disk already, before any transaction: its name there, and what it holds."""

    public_id: str
    filename: str
    table: Table


def keep(table: Table, *, filename: str, data: bytes, folder: Path) -> Kept:
    """Seal and store an uploaded register, outside any transaction: it takes long. A failure leaves nothing."""
    kept = Kept(new_public_id(), PurePath(filename.replace("\\", "/")).name[-200:], table)
    try:
        store.keep(folder, kept.public_id, data, table)
    except OSError:
        store.drop(folder, kept.public_id)
        raise Refused(_("文件没有保存成功，什么也没有留下。请再上传一次。"), field="file") from None
    return kept


def upload(community: Area, kept: Kept, *, by: str, kind: ImportKind = ImportKind.PERSONS) -> ImportBatch:
    """A batch for a register that was kept; its columns are guessed, or as they were chosen last time."""
    table = kept.table
    batch = ImportBatch(
        public_id=kept.public_id,
        community=community,
        kind=kind,
        filename=kept.filename,
        headers=table.headers,
        header_number=table.header_number,
        samples=json.dumps(guessing.samples(table, kind), ensure_ascii=False),
        skipped=[list(row) for row in table.skipped],
        columns=_remembered(community, kind, table.headers) or fitting.guess(table, kind),
        total=len(table.rows),
        counts={},
        made={},
        uploaded_at=now(),
        uploaded_by=by,
    )
    db.session.add(batch)
    audit.record("registry.import_uploaded", batch, filename=batch.filename, rows=batch.total)
    db.session.flush()
    return batch


def switch_kind(batch: ImportBatch, kind: ImportKind) -> None:
    """What was uploaded is a register of another kind after all: its columns are guessed anew, the file stays."""
    columns = _remembered(batch.community, kind, batch.headers) or guessing.guess(batch.headers, kind)
    samples = fitting.masked_as(batch, kind)
    _move(batch, BatchState.UPLOADED, NOT_BEGUN, kind=kind, columns=columns, samples=samples, counts={}, error="")
    audit.record("registry.import_kind_changed", batch, kind=kind.value)


def _remembered(community: Area, kind: ImportKind, headers: list[str]) -> dict[str, int] | None:
    mapping = _mapping(community.id, kind, headers)
    return dict(mapping.columns) if mapping else None


def _mapping(community_id: int, kind: ImportKind, headers: list[str]) -> ImportMapping | None:
    query = sa.select(ImportMapping).where(
        ImportMapping.community_id == community_id, ImportMapping.header_key == guessing.header_key(headers, kind)
    )
    return db.session.scalar(query)


def samples(batch: ImportBatch) -> list[list[str]]:
    """Up to three masked values of each column."""
    found: list[list[str]] = json.loads(batch.samples or "[]")
    return found or [[] for _header in batch.headers]


def start_check(batch: ImportBatch, columns: Mapping[str, int]) -> None:
    """Remember the choice of columns and queue the check. A checked or failed batch is checked anew."""
    _refuse_without_key(batch.kind, columns)
    for field, column in columns.items():
        if next(other for other in columns if columns[other] == column) != field:
            raise Refused(_("这一列已经用在别的项目上，请换一列，或选“不导入”。"), field=field)
    _refuse_second(batch)
    _move(batch, BatchState.CHECKING, NOT_BEGUN, columns=dict(columns), done=0, counts={}, beat_at=now(), error="")
    mapping = _mapping(batch.community_id, batch.kind, batch.headers) or ImportMapping(
        community_id=batch.community_id, header_key=guessing.header_key(batch.headers, batch.kind)
    )
    mapping.columns, mapping.used_at = dict(columns), now()
    db.session.add(mapping)
    audit.record("registry.import_check_started", batch, fields=sorted(columns))
    jobs.enqueue("registry.check_batch", batch_id=batch.id)


def _refuse_without_key(kind: ImportKind, columns: Mapping[str, int]) -> None:
    """What a row of each kind is known by must be among the columns."""
    if kind in {ImportKind.PERSONS, ImportKind.STAFF} and Field.NAME not in columns:
        raise Refused(_("请选择哪一列是姓名，没有姓名不能导入。"), field=Field.NAME)
    if kind is ImportKind.UPDATE and not (
        {Field.ID_NUMBER} <= {*columns} or {Field.NAME, Field.BIRTH_DATE} <= {*columns}
    ):
        raise Refused(_("请选择证件号码那一列；没有的话，姓名和出生日期两列都要选。"), field=Field.ID_NUMBER)
    if Field.TITLE in FIELDS[kind] and Field.TITLE not in columns:
        raise Refused(_("请选择哪一列是名称。"), field=Field.TITLE)
    if kind is ImportKind.OWNERS and Field.OWNER not in columns:
        raise Refused(_("请选择哪一列是业主（产权人）的姓名或单位名称。"), field=Field.OWNER)
    homes = {one: {Field.ROOM, Field.ADDRESS} for one in (ImportKind.DWELLINGS, ImportKind.OWNERS)}
    homes[ImportKind.HOUSEHOLDS] = {Field.HOUSEHOLD_NUMBER, *homes[ImportKind.DWELLINGS]}
    if kind in homes and homes[kind].isdisjoint(columns):
        raise Refused(_("请选择住址那一列，或者小区、楼栋、单元、房号各列。"), field=Field.ADDRESS)


def _refuse_second(batch: ImportBatch) -> None:
    """Of one community one register is checked at a time: two would not know of each other's people."""
    db.session.scalar(sa.select(Area.id).where(Area.id == batch.community_id).with_for_update())
    other = db.session.scalars(
        sa.select(ImportBatch.filename)
        .where(
            ImportBatch.community_id == batch.community_id,
            ImportBatch.state == BatchState.CHECKING,
            ImportBatch.id != batch.id,
        )
        .order_by(ImportBatch.id)
    ).first()
    if other is not None:
        raise Refused(_("本社区的“%(name)s”正在检查，请等它查完再开始。这一份已经保存，不用重新上传。", name=other))


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
    """Staged rows and samples; the batch itself stays, with its counts. Of a confirmed one the rows that still wait
    for a worker stay too, until WAITING_KEPT is over.
    """
    gone = sa.delete(ImportRow).where(ImportRow.batch_id == batch.id)
    if batch.state is BatchState.CONFIRMED:
        gone = gone.where(~sa.and_(*_undecided()))
    db.session.execute(gone, execution_options={"synchronize_session": False})
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
    _forget_waiting()
    _drop_orphans(max(before, now() - ORPHANS_KEPT), folder)
    return len(due)


def _forget_waiting() -> None:
    """Rows that waited for a worker for too long."""
    long_ago = sa.select(ImportBatch.id).where(ImportBatch.ended_at < now() - WAITING_KEPT)
    with transaction() as session:
        session.execute(
            sa.delete(ImportRow).where(ImportRow.batch_id.in_(long_ago)),
            execution_options={"synchronize_session": False},
        )


def _drop_orphans(before: datetime, folder: Path) -> None:
    with transaction() as session:
        known = set(session.scalars(sa.select(ImportBatch.public_id).where(ImportBatch.purged_at.is_(None))))
    for name in store.orphans(folder, known, older_than=before.timestamp()):
        store.drop(folder, name)


def rows(batch: ImportBatch, kind: str, *, after: int = 0, limit: int = PAGE) -> list[ImportRow]:
    """Staged rows of an outcome, the "flagged" or the "alike" ones, by row number, one page and one more."""
    query = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_number > after)
    if kind == "flagged":
        query = query.where(
            ImportRow.outcome.in_([Outcome.NEW, Outcome.CHANGED]), ImportRow.flags.cast(sa.String) != "[]"
        )
    elif kind in PARTS:
        query = query.where(*PARTS[kind]())
    else:
        query = query.where(ImportRow.outcome == Outcome(kind))
    return list(db.session.scalars(query.order_by(ImportRow.row_number).limit(limit + 1)))


def _alike() -> tuple[sa.ColumnElement[bool], ...]:
    """A waiting row that a worker said is somebody else is no question any more."""
    return ImportRow.outcome == Outcome.NEW, ImportRow.reasons.cast(sa.String) != "[]", ImportRow.verdict.is_(None)


def _undecided() -> tuple[sa.ColumnElement[bool], ...]:
    return ImportRow.outcome == Outcome.WAITING, sa.or_(ImportRow.verdict.is_(None), ImportRow.verdict == Verdict.LATER)


def _decided() -> tuple[sa.ColumnElement[bool], ...]:
    return (ImportRow.verdict.in_([Verdict.SAME, Verdict.DIFFERENT, Verdict.DROPPED]),)


# What is counted as it stands now, not as the check left it.
PARTS = {"alike": _alike, "waiting": _undecided, "decided": _decided}


def counts(batch: ImportBatch) -> dict[str, int]:
    """How many rows of each outcome, how many new ones are alike somebody else, how many waiting ones are decided."""
    if not batch.counts:
        return {}
    now_so = [sa.func.count(sa.case((sa.and_(*part()), 1))).label(name) for name, part in PARTS.items()]
    found = db.session.execute(sa.select(*now_so).where(ImportRow.batch_id == batch.id)).mappings().one()
    ended = batch.purged_at is not None and batch.state is not BatchState.CONFIRMED
    return {**batch.counts, **found, **({"waiting": batch.counts.get("waiting", 0)} if ended else {})}


def twins(batch: ImportBatch, waiting: Collection[ImportRow]) -> dict[int, ImportRow | Person]:
    """What each waiting row stands beside: an earlier row of the file, or a person of this community."""
    numbers = {row.twin_row for row in waiting if row.twin_row}
    by_number = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.row_number.in_(numbers))
    earlier = {row.row_number: row for row in db.session.scalars(by_number)} if numbers else {}
    # A row that is as the register has it holds nothing but whom it is about.
    same = {number: row.person_id for number, row in earlier.items() if row.outcome is Outcome.UNCHANGED}
    whom = {row.row_number: same.get(row.twin_row) if row.twin_row else row.person_id for row in waiting}
    people = {person for person in whom.values() if person}
    known = sa.select(Person).where(Person.id.in_(people), Person.community_id == batch.community_id)
    known = known.options(joinedload(Person.household))
    stored = {person.id: person for person in db.session.scalars(known)} if people else {}
    beside = {
        row.row_number: stored.get(whom[row.row_number] or 0) or earlier.get(row.twin_row or 0) for row in waiting
    }
    return {number: other for number, other in beside.items() if other is not None}


@dataclass(frozen=True)
class Headless:
    """A household of the batch's people in which nobody is the head, and how many live there."""

    id: int
    number: str
    people: int


def households_without_head(batch: ImportBatch, *, limit: int = PAGE) -> list[Headless]:
    of_batch = sa.select(Person.household_id).where(Person.batch_id == batch.id)
    member = sa.orm.aliased(Person)
    has_head = sa.exists().where(member.household_id == Household.id, member.relation == Relation.HEAD)
    query = (
        sa.select(Household.id, Household.number, sa.func.count(Person.id))
        .join(Person, Person.household_id == Household.id)
        .where(Household.community_id == batch.community_id, Household.id.in_(of_batch), ~has_head)
        .group_by(Household.id, Household.number)
        .order_by(Household.number, Household.id)
        .limit(limit)
    )
    return [Headless(*row) for row in db.session.execute(query)]
