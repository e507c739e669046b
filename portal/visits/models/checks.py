"""Safety checks: somebody was not met or did not fetch her meal, and step by step somebody makes sure."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models import Person
from portal.visits.models.codes import CHECK_MOVES, CheckCause, CheckOutcome, CheckState, StepKind, StepResult
from portal.visits.models.visits import Visit


class SafetyCheck(Base):
    """One question of a day: is this person well? Taken by a named person, closed with an answer."""

    __tablename__ = "safety_check"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "day", "cause"),
        sa.Index("ix_safety_check_state", "state", "opened_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("care_visit.id"), index=True)
    cause: Mapped[CheckCause] = mapped_column(one_of(CheckCause))
    day: Mapped[date]
    opened_at: Mapped[datetime]
    state: Mapped[CheckState] = mapped_column(one_of(CheckState), default=CheckState.OPEN)
    taken_by: Mapped[str] = mapped_column(sa.String(32), default="")
    taken_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    outcome: Mapped[CheckOutcome | None] = mapped_column(one_of(CheckOutcome))
    note: Mapped[str | None] = mapped_column(Sealed("safety_check|note"))
    person: Mapped[Person] = relationship()
    visit: Mapped[Visit] = relationship()
    steps: Mapped[list["SafetyStep"]] = relationship(order_by="SafetyStep.id", back_populates="check")

    def may_become(self, state: CheckState) -> bool:
        return state in CHECK_MOVES[self.state]

    def is_open(self) -> bool:
        return self.state is not CheckState.CLOSED

    def next_step(self) -> "SafetyStep | None":
        return next((step for step in self.steps if step.done_at is None), None)

    def is_late(self, at: datetime) -> bool:
        step = self.next_step()
        return self.is_open() and step is not None and step.due_at < at


class SafetyStep(Base):
    """One rung: until when, whom it turned to, and who did it, when, with what result."""

    __tablename__ = "safety_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[int] = mapped_column(sa.ForeignKey("safety_check.id"), index=True)
    kind: Mapped[StepKind] = mapped_column(one_of(StepKind))
    due_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    to_name: Mapped[str] = mapped_column(sa.String(64), default="")
    done_at: Mapped[datetime | None]
    done_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    result: Mapped[StepResult | None] = mapped_column(one_of(StepResult))
    note: Mapped[str | None] = mapped_column(Sealed("safety_step|note"))
    check: Mapped[SafetyCheck] = relationship(back_populates="steps")
