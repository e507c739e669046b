"""Topics and the ideas they come from: the road with its dates, who takes part, papers, the public log."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.deliberation.models.codes import (
    IDEA_MOVES,
    STAGE_MOVES,
    Category,
    Forum,
    IdeaState,
    PartyKind,
    Stage,
)
from portal.registry.models import Organisation, Person

topic_community = sa.Table(
    "topic_community",
    Base.metadata,
    sa.Column("topic_id", sa.ForeignKey("topic.id"), primary_key=True),
    sa.Column("community_id", sa.ForeignKey("area.id"), primary_key=True, index=True),
)


class TopicTemplate(Base):
    """What a topic is begun from; without an area it is everybody's. `facts` are fields of a topic, "agenda" (a list of
    {"title", "minutes"}), "opinions" (first statements), "days" of collecting.
    """

    __tablename__ = "topic_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    facts: Mapped[Any] = mapped_column(Json, default=dict)
    is_offered: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    area: Mapped[Area | None] = relationship()


class Topic(Base):
    """A matter on its road. `area` leads it: a community, or the street where it concerns several.

    `summary` says in plain words what it is about, `cost_fen` and `cost_words` what it would cost, `binding_words` what
    becomes of what is decided, `agenda` (a list of {"title", "minutes"}) how a meeting about it would go.
    `looks_first`: opinions are shown when a moderator has read them.
    """

    __tablename__ = "topic"
    __table_args__ = (sa.Index("ix_topic_area", "area_id", "stage", "id"), sa.Index("ix_topic_stage", "stage", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    title: Mapped[str] = mapped_column(sa.String(80))
    summary: Mapped[str] = mapped_column(sa.Text, default="")
    category: Mapped[Category] = mapped_column(one_of(Category))
    forum: Mapped[Forum] = mapped_column(one_of(Forum))
    place: Mapped[str] = mapped_column(sa.String(100), default="")
    cost_fen: Mapped[int | None] = mapped_column(sa.BigInteger)
    cost_words: Mapped[str] = mapped_column(sa.String(300), default="")
    binding_words: Mapped[str] = mapped_column(sa.String(300), default="")
    agenda: Mapped[Any] = mapped_column(Json, default=list)
    stage: Mapped[Stage] = mapped_column(one_of(Stage), default=Stage.DRAFT)
    stage_until: Mapped[date | None]
    looks_first: Mapped[bool] = mapped_column(default=False)
    # A matter of the requests it came from (casework's public id), so that it becomes a topic once.
    matter: Mapped[str | None] = mapped_column(sa.String(32), unique=True)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[str] = mapped_column(sa.String(32))
    made_by_name: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    area: Mapped[Area] = relationship()
    communities: Mapped[list[Area]] = relationship(secondary=topic_community, order_by=Area.id)
    stages: Mapped[list["TopicStage"]] = relationship(back_populates="topic", order_by="TopicStage.id")
    parties: Mapped[list["TopicParty"]] = relationship(back_populates="topic", order_by="TopicParty.id")

    def may_become(self, stage: Stage) -> bool:
        return stage in STAGE_MOVES[self.stage]

    @property
    def is_public(self) -> bool:
        return self.stage is not Stage.DRAFT and self.published_at is not None


class TopicStage(Base):
    """A topic in a stage, once for each time it came there; or why the stage was skipped."""

    __tablename__ = "topic_stage"
    __table_args__ = (sa.Index("ix_topic_stage_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    stage: Mapped[Stage] = mapped_column(one_of(Stage))
    begins_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    entered_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    skipped: Mapped[bool] = mapped_column(default=False)
    why: Mapped[str] = mapped_column(sa.String(300), default="")
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    topic: Mapped[Topic] = relationship(back_populates="stages")


class TopicParty(Base):
    """Who takes part and as what (一事议一主体). Who only advises has said what stake she has, or none."""

    __tablename__ = "topic_party"
    __table_args__ = (sa.Index("ix_topic_party_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    kind: Mapped[PartyKind] = mapped_column(one_of(PartyKind))
    name: Mapped[str] = mapped_column(sa.String(80))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    stake: Mapped[str] = mapped_column(sa.String(200), default="")
    topic: Mapped[Topic] = relationship(back_populates="parties")
    organisation: Mapped[Organisation | None] = relationship()


class TopicPaper(Base):
    """A document, drawing or picture everybody may read. `media` is its media type."""

    __tablename__ = "topic_paper"
    __table_args__ = (sa.Index("ix_topic_paper_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    words: Mapped[str] = mapped_column(sa.String(300), default="")
    media: Mapped[str] = mapped_column(sa.String(60))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    added_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    withdrawn_at: Mapped[datetime | None]
    topic: Mapped[Topic] = relationship()


class TopicFollower(Base):
    """Somebody who is told what becomes of a topic."""

    __tablename__ = "topic_follower"
    __table_args__ = (sa.UniqueConstraint("topic_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    since: Mapped[datetime] = mapped_column(default=clock.now)
    topic: Mapped[Topic] = relationship()
    person: Mapped[Person] = relationship()


class TopicEntry(Base):
    """The public log of a topic: what was moved, hidden, decided, by whom and why. Append-only; no resident is named.

    `deed` is a code (topic_words says it), `facts` are figures and names of things.
    """

    __tablename__ = "topic_entry"
    __table_args__ = (sa.Index("ix_topic_entry_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_name: Mapped[str] = mapped_column(sa.String(64))
    deed: Mapped[str] = mapped_column(sa.String(40))
    facts: Mapped[Any] = mapped_column(Json, default=dict)
    why: Mapped[str] = mapped_column(sa.String(300), default="")
    topic: Mapped[Topic] = relationship()


class Idea(Base):
    """A resident's proposal. `needed` is the threshold as it was when she sent it; `answer` is what she is told in any
    case. Who proposed is shown to others by family name only.
    """

    __tablename__ = "idea"
    __table_args__ = (
        sa.Index("ix_idea_community", "community_id", "state", "id"),
        sa.Index("ix_idea_person", "person_id", "id"),
        sa.CheckConstraint("supports >= 0", name="supports"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    title: Mapped[str] = mapped_column(sa.String(60))
    words: Mapped[str] = mapped_column(sa.Text)
    place: Mapped[str] = mapped_column(sa.String(100), default="")
    category: Mapped[Category] = mapped_column(one_of(Category))
    state: Mapped[IdeaState] = mapped_column(one_of(IdeaState))
    supports: Mapped[int] = mapped_column(default=0)
    needed: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    reached_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    answered_at: Mapped[datetime | None]
    answered_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    # What nobody but its writer and the committee reads: declined, and unfit to be shown.
    is_hidden: Mapped[bool] = mapped_column(default=False)
    reminded_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("idea.id"), index=True)
    topic_id: Mapped[int | None] = mapped_column(sa.ForeignKey("topic.id"), index=True)
    community: Mapped[Area] = relationship()
    person: Mapped[Person] = relationship()
    topic: Mapped[Topic | None] = relationship()
    merged_into: Mapped["Idea | None"] = relationship(remote_side="Idea.id")

    def may_become(self, state: IdeaState) -> bool:
        return state in IDEA_MOVES[self.state]


class IdeaSupport(Base):
    """One person's support (附议), once."""

    __tablename__ = "idea_support"
    __table_args__ = (sa.UniqueConstraint("idea_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("idea.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    idea: Mapped[Idea] = relationship()
    person: Mapped[Person] = relationship()
