"""A proposal that fills open posts: computed in the background, explained line by line, edited, applied, undone."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.people import Volunteer


class Plan(Base):
    """`options` are the wishes it was computed with (rest, minutes a day and a week), `figures` how far it is and what
    came out. While it works `beat_at` says that somebody still does.
    """

    __tablename__ = "volunteer_plan"
    __table_args__ = (sa.Index("ix_volunteer_plan_community", "community_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    state: Mapped[PlanState] = mapped_column(one_of(PlanState), default=PlanState.QUEUED)
    options: Mapped[Any] = mapped_column(Json, default=dict)
    figures: Mapped[Any] = mapped_column(Json, default=dict)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[str] = mapped_column(sa.String(32))
    made_by_name: Mapped[str] = mapped_column(sa.String(64))
    began_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    applied_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    undone_at: Mapped[datetime | None]
    undone_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    undone_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    words: Mapped[str] = mapped_column(sa.String(300), default="")
    community: Mapped[Area] = relationship()


class PlanLine(Base):
    """Somebody on a post, and why: codes and figures that the page puts into words. `kept` is False when struck.

    A post on which nobody ever was may be forgotten; what was proposed for it goes with it.
    """

    __tablename__ = "volunteer_plan_line"
    __table_args__ = (sa.UniqueConstraint("plan_id", "post_id", "volunteer_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_plan.id"))
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_post.id", ondelete="CASCADE"), index=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    by_hand: Mapped[bool] = mapped_column(default=False)
    kept: Mapped[bool] = mapped_column(default=True)
    why: Mapped[Any] = mapped_column(Json, default=list)
    # What stood in the way when it was applied.
    failed: Mapped[str] = mapped_column(sa.String(200), default="")
    plan: Mapped[Plan] = relationship()
    post: Mapped[Post] = relationship()
    volunteer: Mapped[Volunteer] = relationship()


class PlanGap(Base):
    """A post that stays short, and which constraint, if it were lifted, would fill it."""

    __tablename__ = "volunteer_plan_gap"
    __table_args__ = (sa.UniqueConstraint("plan_id", "post_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_plan.id"))
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_post.id", ondelete="CASCADE"), index=True)
    missing: Mapped[int]
    why: Mapped[Any] = mapped_column(Json, default=list)
    plan: Mapped[Plan] = relationship()
    post: Mapped[Post] = relationship()
