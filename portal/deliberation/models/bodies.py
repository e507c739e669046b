"""Bodies: who may decide and by which majority, as data with article and validity; their delegates."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, one_of
from portal.deliberation.models.codes import Body
from portal.registry.models import Person


class BodyRule(Base):
    """How a body decides, from a day until another (rules 2.2, 2.3). Without an area it is the law's, else local.

    Shares are fractions; `*_over` says that they must be passed (过半数), else reaching them is enough (以上, Civil
    Code art. 1259). The quorum is of all who are entitled, `passes` of those who take part; owners are asked both by
    heads and by area, with the same shares. A row that nobody confirmed since a statute changed is 待核对.
    """

    __tablename__ = "body_rule"
    __table_args__ = (
        sa.CheckConstraint("quorum_of > 0 AND passes_of > 0", name="shares"),
        sa.UniqueConstraint("body", "area_id", "valid_from"),
        # Where the area is NULL the constraint above holds nothing: the law's rows are loaded once.
        sa.Index(
            "uq_body_rule_law",
            "body",
            "valid_from",
            unique=True,
            sqlite_where=sa.text("area_id IS NULL"),
            postgresql_where=sa.text("area_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[Body] = mapped_column(one_of(Body))
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    article: Mapped[str] = mapped_column(sa.String(120))
    notice_days: Mapped[int] = mapped_column(default=0)
    quorum: Mapped[int]
    quorum_of: Mapped[int]
    quorum_over: Mapped[bool]
    passes: Mapped[int]
    passes_of: Mapped[int]
    passes_over: Mapped[bool]
    by_area: Mapped[bool] = mapped_column(default=False)
    # Only who is registered here is entitled (户籍), where the body's law says so.
    registered_only: Mapped[bool] = mapped_column(default=False)
    least_age: Mapped[int] = mapped_column(default=18)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    area: Mapped[Area | None] = relationship()

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Delegate(Base):
    """A member of a committee or somebody chosen to decide for a group (居民代表, 村民代表, 小组代表) for a term."""

    __tablename__ = "body_delegate"
    __table_args__ = (
        sa.Index("ix_body_delegate_community", "community_id", "body", "id"),
        sa.UniqueConstraint("community_id", "body", "person_id", "since"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    body: Mapped[Body] = mapped_column(one_of(Body))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    group: Mapped[str] = mapped_column(sa.String(40), default="")
    since: Mapped[date]
    until: Mapped[date | None]
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    added_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    community: Mapped[Area] = relationship()
    person: Mapped[Person] = relationship()
