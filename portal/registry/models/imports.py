"""Imports: a batch, its staged rows (already sealed as the register seals them), and remembered column mappings."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core.db import Base, Json, one_of
from portal.core.ids import Sex, new_public_id
from portal.core.sealing import Blind, Sealed
from portal.registry.models.codes import (
    IdKind,
    Marriage,
    Politics,
    Presence,
    Registration,
    Relation,
    Schooling,
    Tenure,
    Work,
)


class BatchState(StrEnum):
    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNDONE = "undone"


BATCH_MOVES = {
    BatchState.UPLOADED: {BatchState.CHECKING, BatchState.CANCELLED, BatchState.FAILED},
    BatchState.CHECKING: {BatchState.CHECKED, BatchState.CANCELLED, BatchState.FAILED, BatchState.UPLOADED},
    BatchState.CHECKED: {BatchState.CONFIRMED, BatchState.CANCELLED, BatchState.UPLOADED},
    BatchState.CONFIRMED: {BatchState.UNDONE},
    BatchState.CANCELLED: set(),
    BatchState.FAILED: {BatchState.UPLOADED, BatchState.CANCELLED},
    BatchState.UNDONE: set(),
}


class ImportKind(StrEnum):
    """What a register holds: whole persons, some columns of persons that are known, homes, or what serves people."""

    PERSONS = "persons"
    UPDATE = "update"
    HOUSEHOLDS = "households"
    DWELLINGS = "dwellings"
    OWNERS = "owners"
    FACILITIES = "facilities"
    ORGANISATIONS = "organisations"
    STAFF = "staff"
    TEAMS = "teams"
    STOCK = "stock"


class Outcome(StrEnum):
    """What confirming will do with a row. WAITING rows are twins that a worker must look at."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    WAITING = "waiting"


class Verdict(StrEnum):
    """What a worker says of a waiting row: the same human being, another one, not wanted at all, or not now."""

    SAME = "same"
    DIFFERENT = "different"
    DROPPED = "dropped"
    LATER = "later"


class ImportMapping(Base):
    """The column choices a source was last imported with."""

    __tablename__ = "import_mapping"
    __table_args__ = (sa.UniqueConstraint("community_id", "header_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    header_key: Mapped[str] = mapped_column(sa.String(64))
    columns: Mapped[Any] = mapped_column(Json)
    used_at: Mapped[datetime]


class ImportBatch(Base):
    """One uploaded register on its way in. The file itself stands sealed under instance/uploads.

    `columns` maps a register field to a column, counted from 0. `skipped` lists [row, why] of rows that hold no
    person. `run` counts the starts of the check: a check that is no longer the current run stops. `checked_from`
    is when the check began: a person changed later must be checked again. `made` holds, for each table of areas,
    the ids between which this batch's confirming made rows.
    """

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    kind: Mapped[ImportKind] = mapped_column(one_of(ImportKind), default=ImportKind.PERSONS, server_default="persons")
    filename: Mapped[str] = mapped_column(sa.String(200))
    headers: Mapped[Any] = mapped_column(Json)
    header_number: Mapped[int] = mapped_column(default=1)
    samples: Mapped[str | None] = mapped_column(Sealed("import_batch|samples"))
    skipped: Mapped[Any] = mapped_column(Json, default=list)
    columns: Mapped[Any] = mapped_column(Json)
    state: Mapped[BatchState] = mapped_column(one_of(BatchState), default=BatchState.UPLOADED)
    error: Mapped[str] = mapped_column(sa.String(200), default="")
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    counts: Mapped[Any] = mapped_column(Json, default=dict)
    run: Mapped[int] = mapped_column(default=0)
    beat_at: Mapped[datetime | None]
    checked_from: Mapped[datetime | None]
    made: Mapped[Any] = mapped_column(Json, default=dict)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(sa.String(64))
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    community: Mapped[Area] = relationship()

    def can_become(self, state: BatchState) -> bool:
        return state in BATCH_MOVES[self.state]


class ImportRow(Base):
    """A checked row. Sealed columns carry the register's own contexts, so that confirming copies bytes.

    A CHANGED row holds the person as it will be, but for an empty household number or grid, which stay. `source`
    is the row as it stood in the file (refused and waiting rows only), `changes` what differs, `before` what undoing
    restores. `moves`: the household moves to this row's address. `tags` are those to be added. `values` is the
    whole row of a register that holds no persons. A waiting row keeps what a worker decided (`verdict`, with the groups
    of fields to take over in `chosen`) and to whom it was `applied_to`; applied, it is NEW or CHANGED like the others,
    and `waited` is the row as it was, for taking the decision back.
    """

    __tablename__ = "import_row"
    __table_args__ = (
        sa.UniqueConstraint("batch_id", "row_number"),
        sa.Index("ix_import_row_outcome", "batch_id", "outcome", "row_number"),
        sa.Index("ix_import_row_number", "batch_id", "id_index"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batch.id", ondelete="CASCADE"))
    row_number: Mapped[int]
    outcome: Mapped[Outcome] = mapped_column(one_of(Outcome))
    reasons: Mapped[Any] = mapped_column(Json, default=list)
    source: Mapped[str | None] = mapped_column(Sealed("import_row|source"))
    before: Mapped[str | None] = mapped_column(Sealed("import_row|before"))
    changes: Mapped[str | None] = mapped_column(Sealed("import_row|changes"))
    person_id: Mapped[int | None]
    twin_row: Mapped[int | None]
    moves: Mapped[bool] = mapped_column(default=False)
    public_id: Mapped[str] = mapped_column(sa.String(32), default="")
    name: Mapped[str] = mapped_column(sa.String(60), default="")
    initials: Mapped[str] = mapped_column(sa.String(40), default="")
    pinyin: Mapped[str] = mapped_column(sa.String(160), default="")
    sex: Mapped[Sex] = mapped_column(one_of(Sex), default=Sex.UNKNOWN)
    birth_date: Mapped[date | None]
    id_number: Mapped[str | None] = mapped_column(Sealed("person|id_number"))
    id_index: Mapped[bytes | None] = mapped_column(Blind("person.id_number", of="id_number"))
    phone: Mapped[str | None] = mapped_column(Sealed("person|phone"))
    phone_index: Mapped[bytes | None] = mapped_column(Blind("person.phone", of="phone"))
    phone_tail_index: Mapped[bytes | None] = mapped_column(Blind("person.phone_tail", of="phone", last=4))
    registration: Mapped[Registration] = mapped_column(one_of(Registration), default=Registration.UNKNOWN)
    registration_code: Mapped[str] = mapped_column(sa.String(12), default="")
    registered_address: Mapped[str | None] = mapped_column(Sealed("person|registered_address"))
    relation: Mapped[Relation] = mapped_column(one_of(Relation), default=Relation.OTHER)
    household_number: Mapped[str] = mapped_column(sa.String(40), default="")
    estate: Mapped[str] = mapped_column(sa.String(60), default="")
    building: Mapped[str] = mapped_column(sa.String(40), default="")
    unit: Mapped[str] = mapped_column(sa.String(20), default="")
    room: Mapped[str] = mapped_column(sa.String(20), default="")
    grid_name: Mapped[str] = mapped_column(sa.String(60), default="")
    tags: Mapped[Any] = mapped_column(Json, default=list)
    diet: Mapped[str | None] = mapped_column(Sealed("person|diet"))
    note: Mapped[str | None] = mapped_column(Sealed("person|note"))
    flags: Mapped[Any] = mapped_column(Json, default=list)
    id_kind: Mapped[IdKind] = mapped_column(one_of(IdKind), default=IdKind.ID_CARD, server_default="id_card")
    ethnicity: Mapped[str] = mapped_column(sa.String(2), default="", server_default="")
    marriage: Mapped[Marriage] = mapped_column(one_of(Marriage), default=Marriage.UNKNOWN, server_default="unknown")
    schooling: Mapped[Schooling] = mapped_column(one_of(Schooling), default=Schooling.UNKNOWN, server_default="unknown")
    politics: Mapped[Politics] = mapped_column(one_of(Politics), default=Politics.UNKNOWN, server_default="unknown")
    work: Mapped[Work] = mapped_column(one_of(Work), default=Work.UNKNOWN, server_default="unknown")
    presence: Mapped[Presence] = mapped_column(one_of(Presence), default=Presence.UNKNOWN, server_default="unknown")
    tenure: Mapped[Tenure] = mapped_column(one_of(Tenure), default=Tenure.UNKNOWN, server_default="unknown")
    living_since: Mapped[date | None]
    guardian_name: Mapped[str] = mapped_column(sa.String(60), default="", server_default="")
    disability: Mapped[str] = mapped_column(sa.String(20), default="", server_default="")
    contact_name: Mapped[str] = mapped_column(sa.String(60), default="", server_default="")
    contact_relation: Mapped[str] = mapped_column(sa.String(20), default="", server_default="")
    contact_phone: Mapped[str | None] = mapped_column(Sealed("emergency_contact|phone"))
    values: Mapped[str | None] = mapped_column(Sealed("import_row|values"))
    verdict: Mapped[Verdict | None] = mapped_column(one_of(Verdict))
    chosen: Mapped[Any] = mapped_column(Json, default=list, server_default="[]")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    applied_to: Mapped[int | None]
    waited: Mapped[str | None] = mapped_column(Sealed("import_row|waited"))
    batch: Mapped[ImportBatch] = relationship()
