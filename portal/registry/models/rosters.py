"""Rosters (名单): people whom one worker has put on a list of her own, under a name."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base
from portal.core.ids import new_public_id


class Roster(Base):
    """A worker's list under a name of hers; `owner` is her account's public id. Who is on it stands in RosterEntry."""

    __tablename__ = "roster"
    __table_args__ = (sa.UniqueConstraint("owner", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    owner: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(40))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class RosterEntry(Base):
    """One person on a roster. Whether the owner may see her is asked anew at each look."""

    __tablename__ = "roster_entry"

    roster_id: Mapped[int] = mapped_column(sa.ForeignKey("roster.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True, index=True)
    added_at: Mapped[datetime]
