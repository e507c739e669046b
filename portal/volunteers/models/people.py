"""A volunteer: a person of the register who helps; skills, free times, a guardian's consent, training and awards."""

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Facility, Person, VolunteerTeam
from portal.volunteers.models.codes import ConsentWay, VolunteerState, WishState


class Skill(Base):
    """A skill that a position may ask for; with `needs_proof` only one that a worker has seen the proof of counts."""

    __tablename__ = "volunteer_skill_kind"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(30), unique=True)
    needs_proof: Mapped[bool] = mapped_column(default=False)
    is_offered: Mapped[bool] = mapped_column(default=True)


class Volunteer(Base):
    """`number` is the portal's own 志愿者编号, `outer_number` that of another system.

    `kinds` are codes of ServiceKind, `reminders` hours before a shift at which she wants to be reminded. `feed_key`
    is the digest of what her calendar's address ends with. `agreed_at` is when the volunteer's promise was read.
    """

    __tablename__ = "volunteer"
    __table_args__ = (sa.Index("ix_volunteer_state", "community_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    outer_number: Mapped[str] = mapped_column(sa.String(32), default="")
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    # Where she registered, whose workers look after her; she may help anywhere.
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    state: Mapped[VolunteerState] = mapped_column(one_of(VolunteerState), default=VolunteerState.APPLIED)
    state_at: Mapped[datetime] = mapped_column(default=clock.now)
    state_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    barred_until: Mapped[date | None]
    kinds: Mapped[Any] = mapped_column(Json, default=list)
    reminders: Mapped[Any] = mapped_column(Json, default=lambda: [24, 2])
    # The most hours a week she wants to be planned for; 0 for no limit of her own.
    week_hours: Mapped[int] = mapped_column(default=0)
    words: Mapped[str] = mapped_column(sa.String(200), default="")
    shows_name: Mapped[bool] = mapped_column(default=False)
    feed_key: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    agreed_at: Mapped[datetime]
    registered_at: Mapped[datetime] = mapped_column(default=clock.now)
    registered_by: Mapped[str] = mapped_column(sa.String(32), default="")
    person: Mapped[Person] = relationship()
    community: Mapped[Area] = relationship()
    skills: Mapped[list["VolunteerSkill"]] = relationship(
        back_populates="volunteer", order_by="VolunteerSkill.id", cascade="all, delete-orphan"
    )
    times: Mapped[list["FreeTime"]] = relationship(
        back_populates="volunteer", order_by="(FreeTime.weekday, FreeTime.opens)", cascade="all, delete-orphan"
    )
    absences: Mapped[list["Absence"]] = relationship(
        back_populates="volunteer", order_by="(Absence.first_day, Absence.id)", cascade="all, delete-orphan"
    )

    def helps(self, on: date) -> bool:
        """Whether she may be on a shift of a day: taken up, and not barred any more."""
        if self.state is VolunteerState.BARRED:
            return self.barred_until is not None and self.barred_until < on
        return self.state is VolunteerState.ACTIVE

    def is_away(self, on: date) -> bool:
        return any(absence.first_day <= on <= absence.last_day for absence in self.absences)


class VolunteerSkill(Base):
    """What somebody can do; proven where `proven_at` is set, until `valid_to`."""

    __tablename__ = "volunteer_skill"
    __table_args__ = (sa.UniqueConstraint("volunteer_id", "skill_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    skill_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_skill_kind.id"), index=True)
    proof: Mapped[str] = mapped_column(sa.String(100), default="")
    proven_at: Mapped[datetime | None]
    proven_by: Mapped[str] = mapped_column(sa.String(64), default="")
    valid_to: Mapped[date | None]
    volunteer: Mapped[Volunteer] = relationship(back_populates="skills")
    skill: Mapped[Skill] = relationship()

    def counts(self, on: date) -> bool:
        if self.valid_to is not None and self.valid_to < on:
            return False
        return self.proven_at is not None or not self.skill.needs_proof


class FreeTime(Base):
    """Hours of a weekday (0 is Monday) at which somebody can help; without any, every time is asked about."""

    __tablename__ = "volunteer_free_time"
    __table_args__ = (
        sa.UniqueConstraint("volunteer_id", "weekday", "opens"),
        sa.CheckConstraint("closes > opens", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]
    volunteer: Mapped[Volunteer] = relationship(back_populates="times")


class Absence(Base):
    """Days on which somebody is away."""

    __tablename__ = "volunteer_absence"
    __table_args__ = (sa.CheckConstraint("last_day >= first_day", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    volunteer: Mapped[Volunteer] = relationship(back_populates="absences")


class GuardianConsent(Base):
    """A guardian's yes to a volunteer under 18 (民法典 19-20; 浙江省志愿服务条例 9): agreed, or comes along."""

    __tablename__ = "volunteer_guardian"
    __table_args__ = (sa.Index("ix_volunteer_guardian", "volunteer_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    guardian_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    guardian_name: Mapped[str] = mapped_column(sa.String(60))
    relation: Mapped[str] = mapped_column(sa.String(20))
    phone: Mapped[str | None] = mapped_column(Sealed("volunteer_guardian|phone"))
    way: Mapped[ConsentWay] = mapped_column(one_of(ConsentWay))
    comes_along: Mapped[bool] = mapped_column(default=False)
    given_at: Mapped[datetime]
    given_by: Mapped[str] = mapped_column(sa.String(32))
    withdrawn_at: Mapped[datetime | None]
    volunteer: Mapped[Volunteer] = relationship()
    guardian: Mapped[Person | None] = relationship()


class Pair(Base):
    """Two who come together: a couple, an old hand and a newcomer, or a social worker's pair (社工+志愿者)."""

    __tablename__ = "volunteer_pair"
    __table_args__ = (
        sa.UniqueConstraint("one_id", "other_id"),
        sa.CheckConstraint("one_id < other_id", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    one_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    # Never one without the other; else only preferred.
    always: Mapped[bool] = mapped_column(default=True)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by: Mapped[str] = mapped_column(sa.String(64), default="")
    one: Mapped[Volunteer] = relationship(foreign_keys=[one_id])
    other: Mapped[Volunteer] = relationship(foreign_keys=[other_id])


class Training(Base):
    """A training somebody took (民政部令67号 8): name, content, time learned, by whom and when."""

    __tablename__ = "volunteer_training"

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    content: Mapped[str] = mapped_column(sa.String(300), default="")
    minutes: Mapped[int]
    held_by: Mapped[str] = mapped_column(sa.String(80))
    held_on: Mapped[date]
    noted_at: Mapped[datetime] = mapped_column(default=clock.now)
    noted_by: Mapped[str] = mapped_column(sa.String(64), default="")
    volunteer: Mapped[Volunteer] = relationship()


class Award(Base):
    """Praise or a prize (民政部令67号 9): name, day, by whom."""

    __tablename__ = "volunteer_award"

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    given_by: Mapped[str] = mapped_column(sa.String(80))
    given_on: Mapped[date]
    noted_at: Mapped[datetime] = mapped_column(default=clock.now)
    noted_by: Mapped[str] = mapped_column(sa.String(64), default="")
    volunteer: Mapped[Volunteer] = relationship()


class TeamWish(Base):
    """A volunteer's wish to be in a team (志愿队), answered by its leader or a worker."""

    __tablename__ = "volunteer_team_wish"
    __table_args__ = (
        sa.Index(
            "uq_volunteer_team_wish_open",
            "team_id",
            "volunteer_id",
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        ),
        sa.Index("ix_volunteer_team_wish_volunteer", "volunteer_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    team_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_team.id"))
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    words: Mapped[str] = mapped_column(sa.String(100), default="")
    state: Mapped[WishState] = mapped_column(one_of(WishState), default=WishState.ASKED)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]
    ended_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    team: Mapped[VolunteerTeam] = relationship()
    volunteer: Mapped[Volunteer] = relationship()


class Station(Base):
    """志愿服务站点: a facility of the register where needs are taken in, people recruited and hours recorded."""

    __tablename__ = "volunteer_station"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"), unique=True)
    words: Mapped[str] = mapped_column(sa.String(200), default="")
    opened_on: Mapped[date]
    set_at: Mapped[datetime] = mapped_column(default=clock.now)
    set_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    facility: Mapped[Facility] = relationship()
