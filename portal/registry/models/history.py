"""What happened to people and households: each change of a record, and each event with what undoes it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models.people import Household, Person


class Source(StrEnum):
    """Where a change of a record came from."""

    WORKER = "worker"
    IMPORT = "import"
    RESIDENT = "resident"
    EVENT = "event"
    MERGE = "merge"
    SYSTEM = "system"


class PersonChange(Base):
    """One act's changes to a person: {field: [before, after]}, sealed as an import seals them, so that confirming a
    batch copies bytes. `version` is the person's after the change; `ref` is what caused it (a batch, a happening).
    """

    __tablename__ = "person_change"
    __table_args__ = (sa.Index("ix_person_change_person", "person_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    version: Mapped[int]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(64))
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    source: Mapped[Source] = mapped_column(one_of(Source))
    ref: Mapped[str] = mapped_column(sa.String(64), default="")
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    changes: Mapped[str] = mapped_column(Sealed("import_row|changes"))
    person: Mapped[Person] = relationship()


class HappeningKind(StrEnum):
    BIRTH = "birth"
    DEATH = "death"
    MOVE_IN = "move_in"
    MOVE_OUT = "move_out"
    ABSENCE = "absence"
    RETURN = "return"
    SPLIT = "split"
    JOIN = "join"
    HEAD_CHANGE = "head_change"
    MERGE = "merge"


class Happening(Base):
    """An event in people's lives as the register knows it. `before` and `after` hold the touched rows' columns as
    JSON ({"person": {id: {...}}, "household": {id: {...}}}); undoing asks that `after` still stands, then restores
    `before`. `made` names the rows that the event itself made. `batch_id`: a row of that register was merged in.
    """

    __tablename__ = "happening"
    __table_args__ = (sa.Index("ix_happening_community", "community_id", "recorded_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    kind: Mapped[HappeningKind] = mapped_column(one_of(HappeningKind))
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    day: Mapped[date]
    note: Mapped[str | None] = mapped_column(Sealed("happening|note"))
    before: Mapped[str] = mapped_column(Sealed("happening|before"))
    after: Mapped[str] = mapped_column(Sealed("happening|after"))
    made: Mapped[Any] = mapped_column(Json, default=dict)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(sa.String(64))
    recorded_name: Mapped[str] = mapped_column(sa.String(64), default="")
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(sa.String(64), default="")
    undone_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    parts: Mapped[list["HappeningPart"]] = relationship(order_by="HappeningPart.id", back_populates="happening")
    homes: Mapped[list["HappeningHousehold"]] = relationship(
        order_by="HappeningHousehold.id", back_populates="happening"
    )


class HappeningPart(Base):
    """Who an event was about: each person has it in her history. Others it only changed, as a household's relations."""

    __tablename__ = "happening_part"
    __table_args__ = (sa.UniqueConstraint("happening_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    happening_id: Mapped[int] = mapped_column(sa.ForeignKey("happening.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    is_subject: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    happening: Mapped[Happening] = relationship(back_populates="parts")
    person: Mapped[Person] = relationship()


class HappeningHousehold(Base):
    """Which households an event was about, whether or not a column of theirs changed."""

    __tablename__ = "happening_household"
    __table_args__ = (sa.UniqueConstraint("happening_id", "household_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    happening_id: Mapped[int] = mapped_column(sa.ForeignKey("happening.id", ondelete="CASCADE"))
    household_id: Mapped[int] = mapped_column(sa.ForeignKey("household.id"), index=True)
    happening: Mapped[Happening] = relationship(back_populates="homes")
    household: Mapped[Household] = relationship()
