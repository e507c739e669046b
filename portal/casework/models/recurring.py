"""Matters that come again and again: found by the machine, taken up as a topic or set aside by a worker."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area, Building
from portal.casework.models.cases import Case
from portal.casework.models.categories import Category
from portal.core import clock
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id


class MatterState(StrEnum):
    PROPOSED = "proposed"
    TAKEN = "taken"
    DISMISSED = "dismissed"


S = MatterState
MATTER_MOVES: dict[MatterState, set[MatterState]] = {
    S.PROPOSED: {S.TAKEN, S.DISMISSED},
    S.DISMISSED: {S.PROPOSED},
    S.TAKEN: set(),
}


class Matter(Base):
    """Requests of one category that came again at one place: a building, or else a grid or the whole community.

    `seen` is how many had been found when a worker decided; who sets it aside is not asked again until some more came.
    """

    __tablename__ = "case_matter"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "category_id", "place_key"),
        sa.Index("ix_case_matter_state", "community_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    category_id: Mapped[int] = mapped_column(sa.ForeignKey("case_category.id"))
    grid_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    building_id: Mapped[int | None] = mapped_column(sa.ForeignKey("building.id"))
    # b12, g3 or c1: building, grid or community, so that a constraint can hold it.
    place_key: Mapped[str] = mapped_column(sa.String(16))
    words: Mapped[str] = mapped_column(sa.String(60), default="")
    state: Mapped[MatterState] = mapped_column(one_of(MatterState), default=MatterState.PROPOSED)
    count: Mapped[int]
    seen: Mapped[int] = mapped_column(default=0)
    found_at: Mapped[datetime] = mapped_column(default=clock.now)
    last_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    why: Mapped[str] = mapped_column(sa.String(200), default="")
    community: Mapped[Area] = relationship(foreign_keys=[community_id])
    grid: Mapped[Area | None] = relationship(foreign_keys=[grid_id])
    building: Mapped[Building | None] = relationship()
    category: Mapped[Category] = relationship()
    cases: Mapped[list["MatterCase"]] = relationship(back_populates="matter", order_by="MatterCase.id")

    @property
    def held(self) -> list["MatterCase"]:
        """What speaks of this matter, without what was taken out."""
        return [row for row in self.cases if row.out_at is None]

    @property
    def taken_out(self) -> list["MatterCase"]:
        return [row for row in self.cases if row.out_at is not None]

    def may_become(self, state: MatterState) -> bool:
        return state in MATTER_MOVES[self.state]


class MatterCase(Base):
    """A request that belongs to a recurring matter, or that a worker took out of it: then it is never found with it."""

    __tablename__ = "case_matter_case"
    __table_args__ = (sa.UniqueConstraint("matter_id", "case_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    matter_id: Mapped[int] = mapped_column(sa.ForeignKey("case_matter.id"))
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case_file.id"), index=True)
    out_at: Mapped[datetime | None]
    out_by: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    out_why: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    matter: Mapped[Matter] = relationship(back_populates="cases")
    case: Mapped[Case] = relationship()
