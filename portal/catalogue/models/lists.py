"""四张清单 of a street or community, and the proofs that a residents' committee does not issue."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.catalogue.models.codes import ListKind
from portal.core.db import Base, Json, one_of


class Kept:
    """A row that holds in an area from a day to a day, both included."""

    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    set_by: Mapped[str] = mapped_column(sa.String(64), default="")

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class ListEntry(Kept, Base):
    """One line of one of the four lists: with its basis, and for work with the money that follows it (费随事转)."""

    __tablename__ = "service_list_entry"
    __table_args__ = (sa.Index("ix_service_list_entry_list", "area_id", "kind", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    kind: Mapped[ListKind] = mapped_column(one_of(ListKind))
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(sa.String(120))
    detail: Mapped[str] = mapped_column(sa.String(300), default="")
    basis: Mapped[str] = mapped_column(sa.String(200), default="")
    funding: Mapped[str] = mapped_column(sa.String(200), default="")
    area: Mapped[Area] = relationship()


class Proof(Kept, Base):
    """A proof that a residents' committee must not issue: how people call it, and where to go instead."""

    __tablename__ = "service_proof"
    __table_args__ = (sa.Index("ix_service_proof_list", "area_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(sa.String(60))
    words: Mapped[Any] = mapped_column(Json, default=list)
    office: Mapped[str] = mapped_column(sa.String(80), default="")
    instead: Mapped[str] = mapped_column(sa.String(300))
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    basis: Mapped[str] = mapped_column(sa.String(200), default="")
    area: Mapped[Area] = relationship()
