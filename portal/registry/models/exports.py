"""Exports: who asked for which people's data and why, who let it go, and the file as long as it is kept."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id


class ExportState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    WRITING = "writing"
    READY = "ready"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    GONE = "gone"
    EXPIRED = "expired"


EXPORT_MOVES = {
    ExportState.WAITING: {ExportState.QUEUED, ExportState.REFUSED, ExportState.WITHDRAWN, ExportState.EXPIRED},
    ExportState.QUEUED: {ExportState.WRITING},
    ExportState.WRITING: {ExportState.READY, ExportState.QUEUED, ExportState.FAILED},
    ExportState.READY: {ExportState.GONE},
    ExportState.REFUSED: set(),
    ExportState.WITHDRAWN: set(),
    ExportState.FAILED: set(),
    ExportState.GONE: set(),
    ExportState.EXPIRED: set(),
}


class Export(Base):
    """One request: of people, or of a list of `resource`s as it was `wanted`. `scopes` are the asker's at that moment,
    `communities` the ids her people live in: whoever lets the plain values go must answer for all of them. `turn`
    counts her requests of a day, so that the database bounds them.
    """

    __tablename__ = "export"
    __table_args__ = (
        sa.UniqueConstraint("owner", "day", "turn"),
        sa.Index("ix_export_state", "state", "asked_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    owner: Mapped[str] = mapped_column(sa.String(64))
    owner_name: Mapped[str] = mapped_column(sa.String(64))
    owner_roles: Mapped[str] = mapped_column(sa.String(128), default="")
    day: Mapped[date]
    turn: Mapped[int]
    state: Mapped[ExportState] = mapped_column(one_of(ExportState))
    plain: Mapped[bool]
    title: Mapped[str] = mapped_column(sa.String(200))
    fields: Mapped[Any] = mapped_column(Json)
    resource: Mapped[str] = mapped_column(sa.String(20), default="", server_default="")
    wanted: Mapped[Any] = mapped_column(Json, default=dict)
    reason: Mapped[str] = mapped_column(sa.String(200))
    scopes: Mapped[Any] = mapped_column(Json)
    communities: Mapped[Any] = mapped_column(Json)
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(sa.String(64), default="")
    decided_name: Mapped[str] = mapped_column(sa.String(64), default="")
    refusal: Mapped[str] = mapped_column(sa.String(200), default="")
    beat_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    ready_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    downloads: Mapped[int] = mapped_column(default=0)

    @property
    def number(self) -> str:
        """What stands on every sheet of it: the day and the running number."""
        return f"{self.day:%Y%m%d}-{self.id:05d}"

    def can_become(self, state: ExportState) -> bool:
        return state in EXPORT_MOVES[self.state]

    def is_open(self, at: datetime) -> bool:
        """Whether there is a file to fetch."""
        return self.state is ExportState.READY and self.ends_at is not None and at < self.ends_at


class ExportPerson(Base):
    """Somebody whose data an export holds: what she reads under 谁看过我的信息."""

    __tablename__ = "export_person"

    export_id: Mapped[int] = mapped_column(sa.ForeignKey("export.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True)
