"""Who is cared for: the person on the list, her wishes, her times on the list and away from it."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Person
from portal.visits.models.codes import Consent, Exclusion, Level, Method, TimeOfDay
from portal.visits.models.rules import CareRule


class CareSubject(Base):
    """A person as care visits know her. `level` is none for who is not on the list but was visited all the same.

    `assigned_to` is the worker somebody chose (a public id); `worker` is who visits: the chosen one, else the grid's,
    else "" for the community's workers.
    """

    __tablename__ = "care_subject"
    __table_args__ = (sa.Index("ix_care_subject_worker", "worker", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    level: Mapped[Level | None] = mapped_column(one_of(Level), index=True)
    rule_id: Mapped[int | None] = mapped_column(sa.ForeignKey("care_rule.id"), index=True)
    override_level: Mapped[Level | None] = mapped_column(one_of(Level))
    override_off: Mapped[bool] = mapped_column(default=False)
    override_reason: Mapped[str | None] = mapped_column(Sealed("care_subject|override_reason"))
    override_until: Mapped[date | None]
    override_by: Mapped[str] = mapped_column(sa.String(64), default="")
    assigned_to: Mapped[str] = mapped_column(sa.String(32), default="", index=True)
    worker: Mapped[str] = mapped_column(sa.String(32), default="")
    method: Mapped[Method] = mapped_column(one_of(Method), default=Method.HOME)
    time_of_day: Mapped[TimeOfDay] = mapped_column(one_of(TimeOfDay), default=TimeOfDay.ANY)
    hint: Mapped[str | None] = mapped_column(Sealed("care_subject|hint"))
    consent: Mapped[Consent] = mapped_column(one_of(Consent), default=Consent.UNASKED)
    not_needed_at: Mapped[datetime | None]
    last_met_on: Mapped[date | None]
    last_met_by: Mapped[str] = mapped_column(sa.String(64), default="")
    person: Mapped[Person] = relationship()
    rule: Mapped[CareRule | None] = relationship()

    def is_overridden(self, on: date) -> bool:
        return bool(self.override_level or self.override_off) and (
            self.override_until is None or on <= self.override_until
        )

    def may_be_visited_at_home(self) -> bool:
        return self.consent not in {Consent.NOT_AT_HOME, Consent.REFUSED}


class CareSpell(Base):
    """A time on the list at one level in one place; `until` is its last day.

    Whoever moves begins another, so that the months before keep counting where she lived then. One of before places
    were kept has none and counts where the person lives now.
    """

    __tablename__ = "care_spell"
    __table_args__ = (sa.Index("ix_care_spell_subject", "subject_id", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("care_subject.id"))
    level: Mapped[Level] = mapped_column(one_of(Level))
    since: Mapped[date] = mapped_column(index=True)
    until: Mapped[date | None]
    community_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    grid_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)


class CareExclusion(Base):
    """A time in which the person need not be visited, with its reason. Death and moving away the register says."""

    __tablename__ = "care_exclusion"
    __table_args__ = (sa.Index("ix_care_exclusion_subject", "subject_id", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("care_subject.id"))
    reason: Mapped[Exclusion] = mapped_column(one_of(Exclusion))
    since: Mapped[date]
    until: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(Sealed("care_exclusion|note"))
    noted_at: Mapped[datetime]
    noted_by: Mapped[str] = mapped_column(sa.String(64), default="")
    subject: Mapped[CareSubject] = relationship()

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


class CareWish(Base):
    """What the person said about being visited, each time it was said."""

    __tablename__ = "care_wish"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("care_subject.id"), index=True)
    consent: Mapped[Consent] = mapped_column(one_of(Consent))
    method: Mapped[Method] = mapped_column(one_of(Method))
    note: Mapped[str | None] = mapped_column(Sealed("care_wish|note"))
    said_on: Mapped[date]
    noted_at: Mapped[datetime]
    noted_by: Mapped[str] = mapped_column(sa.String(64), default="")
