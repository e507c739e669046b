"""What the counter keeps beside an appointment: the papers handed in for an errand (代办), and where they are."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.catalogue.models.appointments import Appointment
from portal.core.db import Base
from portal.core.ids import new_public_id
from portal.registry.models import Person


class ErrandPaper(Base):
    """A paper taken from somebody to do her errand with; `place` is where it is now, until it is given back."""

    __tablename__ = "errand_paper"
    __table_args__ = (sa.Index("ix_errand_paper_open", "community_id", "returned_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    appointment_id: Mapped[int] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    what: Mapped[str] = mapped_column(sa.String(120))
    place: Mapped[str] = mapped_column(sa.String(80))
    taken_at: Mapped[datetime]
    taken_by_name: Mapped[str] = mapped_column(sa.String(64))
    returned_at: Mapped[datetime | None]
    returned_to: Mapped[str] = mapped_column(sa.String(60), default="")
    community: Mapped[Area] = relationship()
    person: Mapped[Person] = relationship()
    appointment: Mapped[Appointment] = relationship()
    moves: Mapped[list["PaperMove"]] = relationship(back_populates="paper", order_by="PaperMove.id")

    def is_out(self) -> bool:
        return self.returned_at is None


class PaperMove(Base):
    """One step of a paper: where it went, who brought it there."""

    __tablename__ = "errand_paper_move"

    id: Mapped[int] = mapped_column(primary_key=True)
    paper_id: Mapped[int] = mapped_column(sa.ForeignKey("errand_paper.id"), index=True)
    place: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(sa.String(64))
    paper: Mapped[ErrandPaper] = relationship(back_populates="moves")
