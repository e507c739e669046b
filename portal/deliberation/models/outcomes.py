"""Outcomes: what was decided, its public notice and objections; what becomes of it, step by step, and its rating."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.deliberation.models.codes import AskState, OutcomeState, ProjectStep, Score, TaskState
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.registry.models import Person


class Outcome(Base):
    """What was decided, as published. The day it is published is not counted; a last day off work moves on."""

    __tablename__ = "outcome"
    __table_args__ = (sa.Index("ix_outcome_topic", "topic_id", "id"), sa.Index("ix_outcome_state", "state", "ends_on"))

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    vote_id: Mapped[int | None] = mapped_column(sa.ForeignKey("vote.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(80))
    words: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[OutcomeState] = mapped_column(one_of(OutcomeState), default=OutcomeState.DRAFT)
    days: Mapped[int]
    published_at: Mapped[datetime | None]
    published_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    ends_on: Mapped[date | None]
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    version: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[datetime | None]
    sent_back_why: Mapped[str] = mapped_column(sa.String(300), default="")
    topic: Mapped[Topic] = relationship()
    vote: Mapped[Vote | None] = relationship()


class Objection(Base):
    """A resident objects during the notice; she gets an answer, and one that holds sends the topic back.

    One of hers waits for its answer at a time.
    """

    __tablename__ = "outcome_objection"
    __table_args__ = (
        sa.Index("ix_outcome_objection_outcome", "outcome_id", "state", "id"),
        sa.Index(
            "uq_outcome_objection_open",
            "outcome_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    outcome_id: Mapped[int] = mapped_column(sa.ForeignKey("outcome.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    words: Mapped[str | None] = mapped_column(Sealed("outcome_objection|words"))
    state: Mapped[AskState] = mapped_column(one_of(AskState), default=AskState.OPEN)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    outcome: Mapped[Outcome] = relationship()
    person: Mapped[Person] = relationship()


class Project(Base):
    """What a topic's outcome opens: the five steps of 三社联动. `facts` holds each step's fields by its code."""

    __tablename__ = "topic_project"

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"), unique=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    step: Mapped[ProjectStep] = mapped_column(one_of(ProjectStep), default=ProjectStep.NEED)
    facts: Mapped[Any] = mapped_column(Json, default=dict)
    budget_fen: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    opened_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    topic: Mapped[Topic] = relationship()


class FollowUp(Base):
    """A task of what was decided: whose, until when, how far, what it has cost."""

    __tablename__ = "follow_up"
    __table_args__ = (
        sa.Index("ix_follow_up_topic", "topic_id", "position", "id"),
        sa.Index("ix_follow_up_owner", "owner", "state", "due_on"),
        sa.CheckConstraint("percent >= 0 AND percent <= 100", name="percent"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(sa.String(100))
    words: Mapped[str] = mapped_column(sa.String(500), default="")
    owner: Mapped[str] = mapped_column(sa.String(32))
    owner_name: Mapped[str] = mapped_column(sa.String(64))
    due_on: Mapped[date]
    percent: Mapped[int] = mapped_column(default=0)
    budget_fen: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    spent_fen: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    state: Mapped[TaskState] = mapped_column(one_of(TaskState), default=TaskState.OPEN)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str] = mapped_column(sa.String(300), default="")
    reminded_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    topic: Mapped[Topic] = relationship()


class FollowUpStep(Base):
    """A milestone or report on a task, with how far it was then, and a photograph perhaps."""

    __tablename__ = "follow_up_step"
    __table_args__ = (sa.Index("ix_follow_up_step_task", "task_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    task_id: Mapped[int] = mapped_column(sa.ForeignKey("follow_up.id"))
    words: Mapped[str] = mapped_column(sa.String(500))
    percent: Mapped[int]
    spent_fen: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    photo: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
    photo_words: Mapped[str] = mapped_column(sa.String(100), default="")
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    task: Mapped[FollowUp] = relationship()


class TopicRating(Base):
    """One resident's rating (评议) of what became of a topic."""

    __tablename__ = "topic_rating"
    __table_args__ = (sa.UniqueConstraint("topic_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    score: Mapped[Score] = mapped_column(one_of(Score))
    words: Mapped[str | None] = mapped_column(Sealed("topic_rating|words"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    topic: Mapped[Topic] = relationship()
    person: Mapped[Person] = relationship()
