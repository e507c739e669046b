"""The limits of requests: how long each step may take, by category and urgency, each from a day to a day."""

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.casework.models.categories import Dated
from portal.casework.models.codes import CaseKind, Urgency
from portal.core.db import Base, one_of


class LimitStep(StrEnum):
    """What a limit is set for: a term, or how many times something may be done."""

    ACCEPT = "accept"
    CONTACT = "contact"
    SIGN = "sign"
    RETURN = "return"
    FINISH = "finish"
    EXTENSION = "extension"
    HELP = "help"
    CALL_BACK = "call_back"
    RETURNS = "returns"
    EXTENSIONS = "extensions"
    REDOS = "redos"


class LimitUnit(StrEnum):
    WORKING_DAYS = "working_days"
    WORKING_HOURS = "working_hours"
    HOURS = "hours"
    TIMES = "times"


COUNTED = frozenset({LimitStep.RETURNS, LimitStep.EXTENSIONS, LimitStep.REDOS})


class CaseLimit(Dated, Base):
    """One limit; an empty category, kind or urgency means whichever. The closest fit holds (service/limits.py)."""

    __tablename__ = "case_limit"
    __table_args__ = (
        sa.Index("ix_case_limit_area", "area_code", "step", "valid_from"),
        sa.CheckConstraint("count >= 0", name="count"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[LimitStep] = mapped_column(one_of(LimitStep))
    category_code: Mapped[str] = mapped_column(sa.String(40), default="")
    kind: Mapped[CaseKind | None] = mapped_column(one_of(CaseKind))
    urgency: Mapped[Urgency | None] = mapped_column(one_of(Urgency))
    count: Mapped[int]
    unit: Mapped[LimitUnit] = mapped_column(one_of(LimitUnit))

    def key(self) -> tuple[LimitStep, str, CaseKind | None, Urgency | None]:
        """What the limit is set for; of rows of one key one holds on a day."""
        return self.step, self.category_code, self.kind, self.urgency
