"""Opinions: short statements and where each stands on them, comments, and the map made of the stands."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.deliberation.models.codes import MapState, OpinionState, SheetState, Stand
from portal.deliberation.models.topics import Topic
from portal.registry.models import Person


class Opinion(Base):
    """A short statement. Without a person it is the committee's own (a seed, `entered_by_name`), off a slip of paper
    that nobody signed (`on_paper`), or of somebody long forgotten. `masked` says that a name or a number was taken out
    of it. Readers never learn who wrote it, and moderators neither.
    """

    __tablename__ = "opinion"
    __table_args__ = (sa.Index("ix_opinion_topic", "topic_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(140))
    masked: Mapped[bool] = mapped_column(default=False)
    state: Mapped[OpinionState] = mapped_column(one_of(OpinionState))
    hidden_why: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    # Entered by a worker from paper, and by whom.
    on_paper: Mapped[bool] = mapped_column(default=False)
    entered_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    topic: Mapped[Topic] = relationship()
    person: Mapped[Person | None] = relationship()

    @property
    def is_seed(self) -> bool:
        return self.person_id is None and not self.on_paper and bool(self.entered_by_name)


class OpinionVote(Base):
    """Where one person stands on one statement; she may change it while opinions are collected."""

    __tablename__ = "opinion_vote"
    __table_args__ = (
        sa.UniqueConstraint("opinion_id", "person_id"),
        # What is counted of a statement is counted from this alone.
        sa.Index("ix_opinion_vote_stand", "opinion_id", "stand"),
        sa.Index("ix_opinion_vote_mine", "topic_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    opinion_id: Mapped[int] = mapped_column(sa.ForeignKey("opinion.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    stand: Mapped[Stand] = mapped_column(one_of(Stand))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    on_paper: Mapped[bool] = mapped_column(default=False)
    opinion: Mapped[Opinion] = relationship()


class OpinionSheet(Base):
    """A paper of opinions that two people enter, the second without seeing what the first read.

    `number` counts within the topic and is written on the paper. `first` and `second` hold what each of them read: the
    statement ("words") and the stands ("stands", by the number of the statement). What was read and whose it was is
    forgotten here once the paper is booked or dropped.
    """

    __tablename__ = "opinion_sheet"
    __table_args__ = (sa.UniqueConstraint("topic_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    number: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    # Whether somebody signed it: who, is forgotten at the end.
    signed: Mapped[bool]
    state: Mapped[SheetState] = mapped_column(one_of(SheetState), default=SheetState.SECOND)
    first: Mapped[Any] = mapped_column(Json, nullable=True)
    first_by: Mapped[str] = mapped_column(sa.String(32))
    first_by_name: Mapped[str] = mapped_column(sa.String(64))
    first_at: Mapped[datetime] = mapped_column(default=clock.now)
    second: Mapped[Any] = mapped_column(Json, nullable=True)
    second_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    second_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    topic: Mapped[Topic] = relationship()
    person: Mapped[Person | None] = relationship()


class Comment(Base):
    """A longer word in a thread: below the topic, or as an answer to another."""

    __tablename__ = "topic_comment"
    __table_args__ = (sa.Index("ix_topic_comment_topic", "topic_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("topic_comment.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(500))
    masked: Mapped[bool] = mapped_column(default=False)
    # The committee's own word stands under its writer's name.
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    state: Mapped[OpinionState] = mapped_column(one_of(OpinionState))
    hidden_why: Mapped[str] = mapped_column(sa.String(200), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    topic: Mapped[Topic] = relationship()
    person: Mapped[Person | None] = relationship()

    @property
    def is_official(self) -> bool:
        return bool(self.by_name)


class OpinionMap(Base):
    """The groups found in the stands at a moment: figures only, no person. See portal/deliberation/mapping."""

    __tablename__ = "opinion_map"
    __table_args__ = (sa.Index("ix_opinion_map_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    state: Mapped[MapState] = mapped_column(one_of(MapState), default=MapState.QUEUED)
    people: Mapped[int] = mapped_column(default=0)
    opinions: Mapped[int] = mapped_column(default=0)
    figures: Mapped[Any] = mapped_column(Json, default=dict)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    asked_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    # Until when stands were read: what came later is not in the map.
    read_at: Mapped[datetime | None]
    beat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    words: Mapped[str] = mapped_column(sa.String(200), default="")
    topic: Mapped[Topic] = relationship()
