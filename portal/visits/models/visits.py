"""Visits planned and done, rounds that make extra ones, and what was found: findings and their referrals."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Person
from portal.visits.models.codes import (
    OPEN,
    REFERRAL_MOVES,
    REFERRAL_OPEN,
    VISIT_MOVES,
    FindingKind,
    Level,
    Method,
    ReferralState,
    RoundKind,
    Urgency,
    VisitKind,
    VisitState,
)
from portal.visits.models.subjects import CareSubject


class CareRound(Base):
    """An extra round: everybody of some tags or levels is visited between two days."""

    __tablename__ = "care_round"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RoundKind] = mapped_column(one_of(RoundKind))
    title: Mapped[str] = mapped_column(sa.String(60))
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    tags: Mapped[Any] = mapped_column(Json, default=list)
    levels: Mapped[Any] = mapped_column(Json, default=list)
    method: Mapped[Method] = mapped_column(one_of(Method), default=Method.HOME)
    first_day: Mapped[date]
    last_day: Mapped[date]
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(sa.String(64), default="")
    count: Mapped[int] = mapped_column(default=0)
    cancelled_at: Mapped[datetime | None]
    community: Mapped[Area] = relationship()


class Visit(Base):
    """One visit, promised for a day inside a window. `period` keeps a person from being planned twice for one.

    `record` and `draft` are sealed JSON of the form; `level` is the person's when it was planned.
    """

    __tablename__ = "care_visit"
    __table_args__ = (
        sa.UniqueConstraint("subject_id", "period"),
        sa.Index("ix_care_visit_person", "person_id", "done_at"),
        sa.Index("ix_care_visit_worker", "worker", "state", "due_on"),
        sa.Index("ix_care_visit_due", "state", "due_on", "id"),
        sa.Index("ix_care_visit_met", "met_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("care_subject.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[VisitKind] = mapped_column(one_of(VisitKind))
    period: Mapped[str] = mapped_column(sa.String(48))
    level: Mapped[Level | None] = mapped_column(one_of(Level))
    rank: Mapped[int] = mapped_column(default=9)
    from_on: Mapped[date]
    planned_on: Mapped[date]
    due_on: Mapped[date]
    late_since: Mapped[date | None]
    planned_at: Mapped[datetime]
    round_id: Mapped[int | None] = mapped_column(sa.ForeignKey("care_round.id"), index=True)
    worker: Mapped[str] = mapped_column(sa.String(32), default="")
    state: Mapped[VisitState] = mapped_column(one_of(VisitState), default=VisitState.PLANNED)
    state_why: Mapped[str] = mapped_column(sa.String(24), default="")
    draft: Mapped[str | None] = mapped_column(Sealed("care_visit|draft"))
    draft_at: Mapped[datetime | None]
    draft_by: Mapped[str] = mapped_column(sa.String(64), default="")
    method: Mapped[Method] = mapped_column(one_of(Method), default=Method.HOME)
    done_at: Mapped[datetime | None]
    done_by: Mapped[str] = mapped_column(sa.String(32), default="")
    done_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    # The code of the role in which it was done.
    done_as: Mapped[str] = mapped_column(sa.String(32), default="")
    # The day of an effective visit: met in person or by call. What the month's rate counts.
    met_on: Mapped[date | None]
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency), default=Urgency.NONE)
    record: Mapped[str | None] = mapped_column(Sealed("care_visit|record"))
    next_on: Mapped[date | None]
    subject: Mapped[CareSubject] = relationship()
    person: Mapped[Person] = relationship()
    round: Mapped[CareRound | None] = relationship()
    findings: Mapped[list["Finding"]] = relationship(back_populates="visit", order_by="Finding.id")
    attempts: Mapped[list["Attempt"]] = relationship(back_populates="visit", order_by="Attempt.id")

    def is_open(self) -> bool:
        return self.state in OPEN

    def is_late(self, on: date) -> bool:
        return self.is_open() and (self.due_on < on or self.late_since is not None)

    def move(self, state: VisitState, why: str = "") -> None:
        """The one way to another state; `why` is a code: late, covered, level, away, round, check, dead, moved."""
        if state not in VISIT_MOVES[self.state]:
            raise ValueError(f"visit {self.public_id}: {self.state} cannot become {state}")
        self.state, self.state_why = state, why


class Attempt(Base):
    """One try that met nobody."""

    __tablename__ = "care_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("care_visit.id"), index=True)
    at: Mapped[datetime]
    method: Mapped[Method] = mapped_column(one_of(Method))
    by: Mapped[str] = mapped_column(sa.String(32))
    by_name: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str | None] = mapped_column(Sealed("care_attempt|note"))
    visit: Mapped[Visit] = relationship(back_populates="attempts")


class VisitPhoto(Base):
    """A photograph of a visit, made anew without its location, sealed as base64 text; read only where it is shown."""

    __tablename__ = "care_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("care_visit.id"), index=True)
    picture: Mapped[str] = mapped_column(Sealed("care_photo|picture"))
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(sa.String(64))


class Finding(Base):
    """Something that a visit found."""

    __tablename__ = "care_finding"

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("care_visit.id"), index=True)
    kind: Mapped[FindingKind] = mapped_column(one_of(FindingKind))
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency))
    note: Mapped[str | None] = mapped_column(Sealed("care_finding|note"))
    visit: Mapped[Visit] = relationship(back_populates="findings")
    referral: Mapped["Referral"] = relationship(back_populates="finding", uselist=False)


class Referral(Base):
    """A finding handed to who can help: to whom, until when, and how it stands."""

    __tablename__ = "care_referral"
    __table_args__ = (sa.Index("ix_care_referral_due", "state", "due_on", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    finding_id: Mapped[int] = mapped_column(sa.ForeignKey("care_finding.id"), unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    kind: Mapped[FindingKind] = mapped_column(one_of(FindingKind))
    # Empty: the community itself, where its street names nobody for this kind.
    party: Mapped[str] = mapped_column(sa.String(60))
    due_on: Mapped[date]
    state: Mapped[ReferralState] = mapped_column(one_of(ReferralState), default=ReferralState.OPEN)
    owner: Mapped[str] = mapped_column(sa.String(32), index=True)
    owner_name: Mapped[str] = mapped_column(sa.String(64))
    made_at: Mapped[datetime]
    finding: Mapped[Finding] = relationship(back_populates="referral")
    person: Mapped[Person] = relationship()
    moves: Mapped[list["ReferralMove"]] = relationship(order_by="ReferralMove.id")

    def is_late(self, on: date) -> bool:
        return self.state in REFERRAL_OPEN and self.due_on < on

    def may_become(self, state: ReferralState) -> bool:
        return state in REFERRAL_MOVES[self.state]


class ReferralMove(Base):
    """One change of a referral: its state, who, when, and what was said; or to whom it was sent on, until when."""

    __tablename__ = "care_referral_move"

    id: Mapped[int] = mapped_column(primary_key=True)
    referral_id: Mapped[int] = mapped_column(sa.ForeignKey("care_referral.id"), index=True)
    state: Mapped[ReferralState] = mapped_column(one_of(ReferralState))
    at: Mapped[datetime]
    by_name: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str | None] = mapped_column(Sealed("care_referral_move|note"))
    party: Mapped[str] = mapped_column(sa.String(60), default="")
    due_on: Mapped[date | None]
