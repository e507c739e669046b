"""A capacity that the database itself never lets be oversold."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base


class Capacity(Base):
    """`total` units on offer, `taken` of them. What they are, the row that points here knows."""

    __tablename__ = "capacity"
    __table_args__ = (
        sa.CheckConstraint("taken >= 0", name="not_negative"),
        sa.CheckConstraint("taken <= total", name="not_oversold"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    total: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)

    @property
    def left(self) -> int:
        return self.total - self.taken
