"""Words ready to answer with, and the figures of a quarter as they were published."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json


class AnswerTemplate(Base):
    """An answer's words for a category ("": any), kept by those who dispatch; one taken out of use stays."""

    __tablename__ = "case_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    category_code: Mapped[str] = mapped_column(sa.String(40), default="")
    name: Mapped[str] = mapped_column(sa.String(60))
    words: Mapped[str] = mapped_column(sa.String(1000))
    set_by: Mapped[str] = mapped_column(sa.String(64), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    community: Mapped[Area] = relationship()


class QuarterPage(Base):
    """A quarter's figures of a community as residents read them: frozen when they were published."""

    __tablename__ = "case_quarter"
    __table_args__ = (sa.UniqueConstraint("community_id", "quarter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    quarter: Mapped[str] = mapped_column(sa.String(6))
    figures: Mapped[Any] = mapped_column(Json)
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    community: Mapped[Area] = relationship()
