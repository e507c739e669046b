"""Notices, a message to one account rendered when it is read; announcements, to everybody of an area and some tags."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core.clock import local
from portal.core.db import Base, Json, one_of
from portal.registry.models import TagKind


class Notice(Base):
    __tablename__ = "notice"
    __table_args__ = (sa.Index("ix_notice_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    topic: Mapped[str] = mapped_column(sa.String(64))
    facts: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class AnnouncementState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


ANNOUNCEMENT_MOVES = {
    AnnouncementState.DRAFT: {AnnouncementState.PUBLISHED},
    AnnouncementState.PUBLISHED: {AnnouncementState.WITHDRAWN},
    AnnouncementState.WITHDRAWN: set[AnnouncementState](),
}


class Announcement(Base):
    """公告: to a grid, a community or a street, perhaps only to people with one of some tags.

    Publishing writes nothing for anybody: who is meant is matched when they read, and only reads are kept.
    """

    __tablename__ = "announcement"
    __table_args__ = (
        sa.Index("ix_announcement_area", "area_id", "state", "until_at"),
        sa.CheckConstraint("until_at > from_at", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    title: Mapped[str] = mapped_column(sa.String(60))
    body: Mapped[str] = mapped_column(sa.Text)
    is_urgent: Mapped[bool] = mapped_column(default=False)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    state: Mapped[AnnouncementState] = mapped_column(one_of(AnnouncementState), default=AnnouncementState.DRAFT)
    written_at: Mapped[datetime]
    written_by: Mapped[str] = mapped_column(sa.String(64))
    written_by_name: Mapped[str] = mapped_column(sa.String(60))
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(sa.String(120), default="")
    area: Mapped[Area] = relationship()
    tags: Mapped[list["AnnouncementTag"]] = relationship(order_by="AnnouncementTag.id", cascade="all, delete-orphan")

    def is_shown(self, at: datetime) -> bool:
        return self.state is AnnouncementState.PUBLISHED and self.from_at <= at < self.until_at

    @property
    def last_moment(self) -> datetime:
        """The end as people say it: what ends with a day ends at its 23:59, not at the next day's 00:00."""
        return self.until_at - timedelta(minutes=1) if local(self.until_at).time() == time(0) else self.until_at

    def move(self, state: AnnouncementState) -> None:
        if state not in ANNOUNCEMENT_MOVES[self.state]:
            raise ValueError(f"announcement {self.id}: {self.state} cannot become {state}")
        self.state = state


class AnnouncementTag(Base):
    """A tag an announcement is for; with several, one of them is enough."""

    __tablename__ = "announcement_tag"
    __table_args__ = (sa.UniqueConstraint("announcement_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(sa.ForeignKey("announcement.id"))
    kind: Mapped[TagKind] = mapped_column(one_of(TagKind))


class AnnouncementRead(Base):
    """An account has read an announcement: one row, whichever device. `person_id` where it was meant for its owner:

    who reads for a relative reads as herself, and is not counted among those it was meant for.
    """

    __tablename__ = "announcement_read"
    __table_args__ = (sa.UniqueConstraint("announcement_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(sa.ForeignKey("announcement.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    at: Mapped[datetime]
