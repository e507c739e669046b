"""Hand-overs (网格交接): one worker's work passes to another, signed by who decides and by who receives."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core.db import Base, Json
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed


class HandOver(Base):
    """`counts` says how many things of each capability and kind changed hands; `received_at` is the taker's signature.

    `passed` keeps what did by capability, as core.doors.Passed, so that all of it can be taken back; none for a
    hand-over of before it was kept.
    """

    __tablename__ = "hand_over"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    giver: Mapped[str] = mapped_column(sa.String(32), index=True)
    giver_name: Mapped[str] = mapped_column(sa.String(64))
    taker: Mapped[str] = mapped_column(sa.String(32), index=True)
    taker_name: Mapped[str] = mapped_column(sa.String(64))
    reason: Mapped[str] = mapped_column(sa.String(200))
    note: Mapped[str | None] = mapped_column(Sealed("hand_over|note"))
    counts: Mapped[Any] = mapped_column(Json, default=dict)
    passed: Mapped[Any] = mapped_column(Json, nullable=True, deferred=True)
    people: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(32))
    by_name: Mapped[str] = mapped_column(sa.String(64))
    received_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    taken_back_by: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    taken_back_why: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    area: Mapped[Area] = relationship()
