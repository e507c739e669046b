"""The tables that a street sets: who has which care level, how often, the ladder, where findings go."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, Json, one_of
from portal.registry.models import TagKind
from portal.visits.models.codes import FindingKind, Frequency, Level, StepKind


class Dated:
    """A row that holds from a day to a day (both included) in the area whose code begins with `area_code`."""

    area_code: Mapped[str] = mapped_column(sa.String(18))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    set_by: Mapped[str] = mapped_column(sa.String(64), default="")

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class CareRule(Dated, Base):
    """A condition that gives a care level: any of `tags` (none: everybody), and an age from and to."""

    __tablename__ = "care_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    tags: Mapped[Any] = mapped_column(Json, default=list)
    age_from: Mapped[int | None]
    age_to: Mapped[int | None]
    level: Mapped[Level] = mapped_column(one_of(Level))
    source: Mapped[str] = mapped_column(sa.String(200), default="")

    def fits(self, tags: frozenset[TagKind], age: int | None) -> bool:
        if self.tags and not tags & {TagKind(tag) for tag in self.tags}:
            return False
        if self.age_from is None and self.age_to is None:
            return bool(self.tags)
        if age is None:
            return False
        return (self.age_from is None or age >= self.age_from) and (self.age_to is None or age <= self.age_to)


class LevelFrequency(Dated, Base):
    """How often a level is visited."""

    __tablename__ = "care_frequency"
    __table_args__ = (sa.UniqueConstraint("area_code", "level", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[Level] = mapped_column(one_of(Level))
    frequency: Mapped[Frequency] = mapped_column(one_of(Frequency))


class LadderRung(Dated, Base):
    """One step when somebody is not met: whom to turn to, and how many minutes after the first failure at latest."""

    __tablename__ = "care_ladder"
    __table_args__ = (sa.UniqueConstraint("area_code", "kind", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[StepKind] = mapped_column(one_of(StepKind))
    minutes: Mapped[int]


class FindingRoute(Dated, Base):
    """Where a finding is referred to, and within how many days."""

    __tablename__ = "care_route"
    __table_args__ = (sa.UniqueConstraint("area_code", "kind", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[FindingKind] = mapped_column(one_of(FindingKind))
    party: Mapped[str] = mapped_column(sa.String(60))
    days: Mapped[int]
