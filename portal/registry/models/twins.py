"""Twins: two records that may be one human being, found by likeness, and what workers said of waiting rows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.registry.models.imports import Verdict
from portal.registry.models.people import Person


class TwinState(StrEnum):
    """OPEN waits for a worker; LATER waits too, behind the others; APART is never asked again."""

    OPEN = "open"
    LATER = "later"
    APART = "apart"
    MERGED = "merged"


TWIN_MOVES = {
    TwinState.OPEN: {TwinState.LATER, TwinState.APART, TwinState.MERGED},
    TwinState.LATER: {TwinState.LATER, TwinState.APART, TwinState.MERGED},
    TwinState.APART: {TwinState.MERGED},
    TwinState.MERGED: {TwinState.OPEN},
}


class TwinPair(Base):
    """Two people of one community, the earlier row first, with how alike they are (0 to 100) and why, as codes."""

    __tablename__ = "twin_pair"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "other_id"),
        sa.Index("ix_twin_pair_queue", "community_id", "state", "score", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    score: Mapped[int]
    reasons: Mapped[Any] = mapped_column(Json, default=list)
    state: Mapped[TwinState] = mapped_column(one_of(TwinState), default=TwinState.OPEN)
    found_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(sa.String(64), default="")
    decided_name: Mapped[str] = mapped_column(sa.String(64), default="")
    community: Mapped[Area] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    other: Mapped[Person] = relationship(foreign_keys=[other_id])


class RowVerdict(Base):
    """What was said of a waiting row, under a blind key of what identifies it: the same row of a later file does not
    wait again. `person_id` is whom it led to, without a foreign key: undoing the batch forgets both.
    """

    __tablename__ = "row_verdict"
    __table_args__ = (sa.UniqueConstraint("community_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    key: Mapped[bytes] = mapped_column(sa.LargeBinary(17))
    verdict: Mapped[Verdict] = mapped_column(one_of(Verdict))
    person_id: Mapped[int | None]
    decided_at: Mapped[datetime]
    decided_by: Mapped[str] = mapped_column(sa.String(64))
