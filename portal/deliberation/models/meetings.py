"""Meetings (协商会): agenda, who comes and as what, quorum, motions and hands, minutes; experts and their advice."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.deliberation.models.codes import (
    MEETING_MOVES,
    AttendeeState,
    Forum,
    MeetingState,
    Part,
    SignIn,
)
from portal.deliberation.models.topics import Topic
from portal.places.models import Capacity
from portal.registry.models import Person, Room
from portal.registry.models.owners import Owner


class Meeting(Base):
    """A meeting about a topic. `capacity` holds the seats (members, speakers and listeners alike), `speaking` how many
    may sign up to speak.

    `entitled` is how many are entitled and `quorum` how many of them must be present; of owners, who count by area too,
    `entitled_area` is how many m² they hold together. `rule` is the body's rule as it stood when that was entered ({}
    where no body decides: see meeting_rules). `room` is a room of the community that it takes at that time, if any.
    `notice_days` is how many days before it must be announced. `secret` makes its sign-in codes. `minutes` is what was
    written, `report` the closing report everybody reads.
    """

    __tablename__ = "meeting"
    __table_args__ = (sa.Index("ix_meeting_topic", "topic_id", "id"), sa.Index("ix_meeting_time", "starts_at", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    title: Mapped[str] = mapped_column(sa.String(80))
    forum: Mapped[Forum] = mapped_column(one_of(Forum))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(sa.String(100))
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("room.id"), index=True)
    capacity_id: Mapped[int] = mapped_column(sa.ForeignKey("capacity.id"), unique=True)
    speaking_id: Mapped[int] = mapped_column(sa.ForeignKey("capacity.id"), unique=True)
    rule: Mapped[Any] = mapped_column(Json, default=dict)
    entitled: Mapped[int] = mapped_column(default=0)
    entitled_area: Mapped[Decimal] = mapped_column(sa.Numeric(12, 2), default=Decimal(0))
    quorum: Mapped[int] = mapped_column(default=0)
    notice_days: Mapped[int] = mapped_column(default=0)
    who: Mapped[str] = mapped_column(sa.String(200), default="")
    state: Mapped[MeetingState] = mapped_column(one_of(MeetingState), default=MeetingState.DRAFT)
    secret: Mapped[str] = mapped_column(sa.String(64))
    minutes: Mapped[str] = mapped_column(sa.Text, default="")
    minutes_version: Mapped[int] = mapped_column(default=0)
    report: Mapped[str] = mapped_column(sa.Text, default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    notified_at: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reported_at: Mapped[datetime | None]
    cancelled_why: Mapped[str] = mapped_column(sa.String(200), default="")
    topic: Mapped[Topic] = relationship()
    room: Mapped[Room | None] = relationship()
    capacity: Mapped[Capacity] = relationship(foreign_keys=[capacity_id])
    speaking: Mapped[Capacity] = relationship(foreign_keys=[speaking_id])
    agenda: Mapped[list["AgendaItem"]] = relationship(back_populates="meeting", order_by="AgendaItem.position")

    def may_become(self, state: MeetingState) -> bool:
        return state in MEETING_MOVES[self.state]


class AgendaItem(Base):
    __tablename__ = "agenda_item"
    __table_args__ = (sa.Index("ix_agenda_item_meeting", "meeting_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(sa.String(100))
    minutes: Mapped[int]
    speaker: Mapped[str] = mapped_column(sa.String(60), default="")
    began_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    said: Mapped[str] = mapped_column(sa.Text, default="")
    meeting: Mapped[Meeting] = relationship(back_populates="agenda")


class Attendee(Base):
    """Somebody who comes, or waits for a seat. `shown_as` is how the report names her: "" not at all, "family" by her
    family name, "full" by her name. Guests who are nobody in the register have a name only.
    """

    __tablename__ = "meeting_attendee"
    __table_args__ = (
        sa.UniqueConstraint("meeting_id", "person_id"),
        sa.Index("ix_meeting_attendee_state", "meeting_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    guest: Mapped[str] = mapped_column(sa.String(40), default="")
    part: Mapped[Part] = mapped_column(one_of(Part))
    state: Mapped[AttendeeState] = mapped_column(one_of(AttendeeState), default=AttendeeState.GOING)
    # The owner, no person of the register, whose heads and area she brings to a meeting of owners.
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dwelling_owner.id", ondelete="SET NULL"), index=True)
    # Whom she speaks for (an organisation, a building, a household), in words.
    speaks_for: Mapped[str] = mapped_column(sa.String(60), default="")
    matter: Mapped[str] = mapped_column(sa.String(140), default="")
    shown_as: Mapped[str] = mapped_column(sa.String(8), default="")
    # Counts towards the quorum.
    counts: Mapped[bool] = mapped_column(default=False)
    signed_up_at: Mapped[datetime] = mapped_column(default=clock.now)
    signed_up_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    came_at: Mapped[datetime | None]
    came_by: Mapped[SignIn | None] = mapped_column(one_of(SignIn))
    left_why: Mapped[str] = mapped_column(sa.String(200), default="")
    # How many reminders she was sent.
    reminded: Mapped[int] = mapped_column(default=0)
    meeting: Mapped[Meeting] = relationship()
    person: Mapped[Person | None] = relationship()
    owner: Mapped[Owner | None] = relationship()


class MinutesVersion(Base):
    """The minutes as somebody left them; the newest is what Meeting.minutes holds."""

    __tablename__ = "meeting_minutes"
    __table_args__ = (sa.UniqueConstraint("meeting_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    version: Mapped[int]
    text: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_name: Mapped[str] = mapped_column(sa.String(64))
    meeting: Mapped[Meeting] = relationship()


class MinutesTemplate(Base):
    """An area's own document (.docx) for minutes, with the names of what is filled in; without one ours is used."""

    __tablename__ = "minutes_template"

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), unique=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    added_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    area: Mapped[Area] = relationship()


class Motion(Base):
    """What was put to the meeting, and the hands that were counted. `result` is None until they are."""

    __tablename__ = "meeting_motion"
    __table_args__ = (sa.Index("ix_meeting_motion_meeting", "meeting_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agenda_item.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(300))
    mover: Mapped[str] = mapped_column(sa.String(40), default="")
    seconder: Mapped[str] = mapped_column(sa.String(40), default="")
    hands_for: Mapped[int | None]
    hands_against: Mapped[int | None]
    hands_abstain: Mapped[int | None]
    # How many counted towards the quorum at that moment.
    present: Mapped[int] = mapped_column(default=0)
    result: Mapped[bool | None]
    why: Mapped[str] = mapped_column(sa.String(200), default="")
    put_at: Mapped[datetime] = mapped_column(default=clock.now)
    counted_at: Mapped[datetime | None]
    meeting: Mapped[Meeting] = relationship()


class Expert(Base):
    """Somebody asked for advice on a topic: advises and has no vote. `stake` is what she declared, "" none, None not
    asked yet.
    """

    __tablename__ = "topic_expert"
    __table_args__ = (sa.Index("ix_topic_expert_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    field: Mapped[str] = mapped_column(sa.String(60))
    organisation: Mapped[str] = mapped_column(sa.String(80), default="")
    phone: Mapped[str | None] = mapped_column(Sealed("topic_expert|phone"))
    stake: Mapped[str | None] = mapped_column(sa.String(200))
    asked: Mapped[str] = mapped_column(sa.String(300), default="")
    advice: Mapped[str] = mapped_column(sa.Text, default="")
    invited_at: Mapped[datetime] = mapped_column(default=clock.now)
    advised_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str] = mapped_column(sa.String(200), default="")
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    topic: Mapped[Topic] = relationship()


class Notice(Base):
    """What was announced of a meeting or a vote, as it was: date, matters, who is entitled. A later one replaces it."""

    __tablename__ = "topic_notice"
    __table_args__ = (sa.Index("ix_topic_notice_topic", "topic_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    meeting_id: Mapped[int | None] = mapped_column(sa.ForeignKey("meeting.id"), index=True)
    vote_id: Mapped[int | None] = mapped_column(sa.ForeignKey("vote.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    # {"when", "where", "matters": [...], "entitled", "rule", "contact"} in words.
    facts: Mapped[Any] = mapped_column(Json)
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by_name: Mapped[str] = mapped_column(sa.String(64))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str] = mapped_column(sa.String(200), default="")
    topic: Mapped[Topic] = relationship()
