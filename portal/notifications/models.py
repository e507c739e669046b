"""Notices: a message to one account, rendered in the reader's language when it is read."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Json


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (sa.Index("ix_notice_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    topic: Mapped[str] = mapped_column(sa.String(64))
    facts: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
