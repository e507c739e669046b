"""Activities: their positions, the shifts made from a pattern, the posts of a shift and whom it serves."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.places.models import Capacity
from portal.registry.models import Facility, Organisation, Person, VolunteerTeam
from portal.volunteers.models.codes import ActivityState, Joining, ServiceKind, ShiftState, Task
from portal.volunteers.models.people import Skill, Volunteer

# Shifts begin and end on such a minute: a volunteer's own time is held by so many.
STEP_MINUTES = 5

position_skill = sa.Table(
    "volunteer_position_skill",
    Base.metadata,
    sa.Column("position_id", sa.ForeignKey("volunteer_position.id"), primary_key=True),
    sa.Column("skill_id", sa.ForeignKey("volunteer_skill_kind.id"), primary_key=True, index=True),
)


class ActivityTemplate(Base):
    """What an activity is begun from. Without a community it is the street's, for everybody.

    `facts` are the fields of an activity, `positions` a list of {"name", "needs", "skills", "least_hours",
    "newcomers"}, `pattern` the shifts' usual pattern.
    """

    __tablename__ = "volunteer_template"
    __table_args__ = (sa.Index("ix_volunteer_template_community", "community_id", "name", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[ServiceKind] = mapped_column(one_of(ServiceKind))
    facts: Mapped[Any] = mapped_column(Json, default=dict)
    positions: Mapped[Any] = mapped_column(Json, default=list)
    pattern: Mapped[Any] = mapped_column(Json, default=dict)
    is_offered: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_by: Mapped[str] = mapped_column(sa.String(64), default="")
    community: Mapped[Area | None] = relationship()


class Activity(Base):
    """A volunteer activity (志愿服务条例 12-17): truth about what, where, with which risks, and how one is insured.

    Its organiser is `organisation`, else the community's committee; only the organiser records and certifies hours.
    `opens_days` before a shift signing up begins, `leave_hours` before it leaving ends, `late_minutes` after its
    beginning signing up still goes; `day_minutes` is the most of one day for one volunteer (0: the portal's setting).
    """

    __tablename__ = "volunteer_activity"
    __table_args__ = (sa.Index("ix_volunteer_activity_state", "community_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    title: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[ServiceKind] = mapped_column(one_of(ServiceKind))
    content: Mapped[str] = mapped_column(sa.String(1000))
    place: Mapped[str] = mapped_column(sa.String(120))
    facility_id: Mapped[int | None] = mapped_column(sa.ForeignKey("facility.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    team_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer_team.id"), index=True)
    # Who leads it on the spot: a volunteer with pages of her own, or a name and a telephone.
    leader_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    leader_name: Mapped[str] = mapped_column(sa.String(60), default="")
    leader_phone: Mapped[str | None] = mapped_column(Sealed("volunteer_activity|leader_phone"))
    conditions: Mapped[str] = mapped_column(sa.String(300), default="")
    risks: Mapped[str] = mapped_column(sa.String(500), default="")
    is_risky: Mapped[bool] = mapped_column(default=False)
    insurance: Mapped[str] = mapped_column(sa.String(120), default="")
    insured_until: Mapped[datetime | None]
    joining: Mapped[Joining] = mapped_column(one_of(Joining), default=Joining.OPEN)
    members_only: Mapped[bool] = mapped_column(default=False)
    least_age: Mapped[int] = mapped_column(default=18)
    most_age: Mapped[int | None]
    opens_days: Mapped[int] = mapped_column(default=30)
    leave_hours: Mapped[int] = mapped_column(default=24)
    late_minutes: Mapped[int] = mapped_column(default=0)
    day_minutes: Mapped[int] = mapped_column(default=0)
    # Points for an hour are the rules'; a factor for what is harder, in hundredths.
    factor: Mapped[int] = mapped_column(default=100)
    state: Mapped[ActivityState] = mapped_column(one_of(ActivityState), default=ActivityState.DRAFT)
    state_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[str] = mapped_column(sa.String(32), index=True)
    made_by_name: Mapped[str] = mapped_column(sa.String(64))
    published_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    community: Mapped[Area] = relationship()
    facility: Mapped[Facility | None] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    team: Mapped[VolunteerTeam | None] = relationship()
    leader: Mapped[Volunteer | None] = relationship()
    positions: Mapped[list["Position"]] = relationship(
        back_populates="activity", order_by="Position.id", cascade="all, delete-orphan"
    )


class Position(Base):
    """岗位: how many a shift needs, with which skills, after how many minutes of service (0: anybody), and the largest
    share of newcomers in hundredths (100: all may be new).
    """

    __tablename__ = "volunteer_position"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "name"),
        sa.CheckConstraint("needs >= 1", name="needs"),
        sa.CheckConstraint("newcomers BETWEEN 0 AND 100", name="newcomers"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_activity.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    does: Mapped[str] = mapped_column(sa.String(300), default="")
    needs: Mapped[int]
    least_minutes: Mapped[int] = mapped_column(default=0)
    newcomers: Mapped[int] = mapped_column(default=100)
    activity: Mapped[Activity] = relationship(back_populates="positions")
    skills: Mapped[list[Skill]] = relationship(secondary=position_skill, order_by=Skill.id)


class ShiftBatch(Base):
    """Shifts made in one step from a pattern, and undone in one step while nobody is on them."""

    __tablename__ = "volunteer_shift_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_activity.id"), index=True)
    pattern: Mapped[Any] = mapped_column(Json, default=dict)
    count: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_name: Mapped[str] = mapped_column(sa.String(64))
    undone_at: Mapped[datetime | None]
    undone_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    undone_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    activity: Mapped[Activity] = relationship()


class Shift(Base):
    """A time of an activity; it may end on the next day. `community_id` repeats the activity's.

    `secret` signs the codes shown on the spot for coming and going.
    """

    __tablename__ = "volunteer_shift"
    __table_args__ = (
        sa.UniqueConstraint("activity_id", "starts_at", "ends_at"),
        sa.CheckConstraint("ends_at > starts_at", name="order"),
        sa.Index("ix_volunteer_shift_when", "community_id", "starts_at", "id"),
        sa.Index("ix_volunteer_shift_state", "state", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    activity_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_activity.id"))
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer_shift_batch.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str] = mapped_column(sa.String(120), default="")
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    state: Mapped[ShiftState] = mapped_column(one_of(ShiftState), default=ShiftState.OPEN)
    state_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    secret: Mapped[str] = mapped_column(sa.String(64))
    activity: Mapped[Activity] = relationship()
    posts: Mapped[list["Post"]] = relationship(back_populates="shift", order_by="Post.id")

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds()) // 60


class Post(Base):
    """A position on a shift: how many it needs is the total of its capacity, who is on it takes from that."""

    __tablename__ = "volunteer_post"
    __table_args__ = (sa.UniqueConstraint("shift_id", "position_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    shift_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_shift.id"))
    position_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_position.id"), index=True)
    capacity_id: Mapped[int] = mapped_column(sa.ForeignKey("capacity.id"), unique=True)
    shift: Mapped[Shift] = relationship(back_populates="posts")
    position: Mapped[Position] = relationship()
    capacity: Mapped[Capacity] = relationship()


class Served(Base):
    """Somebody a shift serves. A volunteer on it sees name, address and what the task needs, and nothing more."""

    __tablename__ = "volunteer_served"
    __table_args__ = (sa.UniqueConstraint("shift_id", "person_id", "task"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    shift_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_shift.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    task: Mapped[Task] = mapped_column(one_of(Task))
    needs: Mapped[str | None] = mapped_column(Sealed("volunteer_served|needs"))
    # Who of those on the shift goes there; nobody yet where it is empty.
    volunteer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    done_at: Mapped[datetime | None]
    done_words: Mapped[str | None] = mapped_column(Sealed("volunteer_served|done_words"))
    added_by_name: Mapped[str] = mapped_column(sa.String(64))
    shift: Mapped[Shift] = relationship()
    person: Mapped[Person] = relationship()
    volunteer: Mapped[Volunteer | None] = relationship()
