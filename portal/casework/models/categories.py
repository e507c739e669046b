"""What a street says about requests: the categories, two levels deep, and who else handles what."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.casework.models.codes import CaseKind, RedirectKind, Urgency
from portal.core.db import Base, Json, one_of


class Dated:
    """A row that holds from a day to a day (both included) in the area whose code begins with `area_code`."""

    area_code: Mapped[str] = mapped_column(sa.String(18), default="")
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    set_by: Mapped[str] = mapped_column(sa.String(64), default="")

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class CaseRedirect(Dated, Base):
    """Who else handles it: shown as soon as a request holds one of `words`, with a telephone to call."""

    __tablename__ = "case_redirect"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[RedirectKind] = mapped_column(one_of(RedirectKind))
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    says: Mapped[str] = mapped_column(sa.String(200), default="")
    words: Mapped[Any] = mapped_column(Json, default=list)
    position: Mapped[int] = mapped_column(default=0)


class Category(Dated, Base):
    """A category. `questions` are [{"key": "lamp", "label": "灯杆编号", "required": false, "choices": []}, ...].

    `off_list`: not on the committee's list of tasks: the committee takes it in and passes it on to `party`, and is
    never the responsible party (Case.party). `private` cases are never on the board, nor shown as a duplicate.
    The time limits of a category are models/limits.py's, by category and urgency.
    """

    __tablename__ = "case_category"
    __table_args__ = (sa.UniqueConstraint("area_code", "code", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("case_category.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(40))
    hint: Mapped[str] = mapped_column(sa.String(120), default="")
    kind: Mapped[CaseKind] = mapped_column(one_of(CaseKind), default=CaseKind.HELP)
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency), default=Urgency.NORMAL)
    keywords: Mapped[Any] = mapped_column(Json, default=list)
    questions: Mapped[Any] = mapped_column(Json, default=list)
    redirect_id: Mapped[int | None] = mapped_column(sa.ForeignKey("case_redirect.id"), index=True)
    off_list: Mapped[bool] = mapped_column(default=False)
    party: Mapped[str] = mapped_column(sa.String(60), default="")
    private: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    parent: Mapped["Category | None"] = relationship(remote_side=[id])
    redirect: Mapped[CaseRedirect | None] = relationship()
