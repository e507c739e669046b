"""Owners of dwellings (产权人), who need not live there: of area and heads in owners' votes (Civil Code 278)."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Dwelling
from portal.core import clock
from portal.core.db import Base
from portal.core.ids import new_public_id
from portal.core.sealing import Blind, Sealed
from portal.registry.models.people import Person
from portal.registry.models.resources import Organisation


class Owner(Base):
    """One head: somebody of the register, an organisation (a developer of unsold homes), or somebody from elsewhere.

    Who was entered from elsewhere may later turn out to be somebody of the register: `linked_at` says since when, so
    that it can be taken back, and `not_person_id` whom a worker said she is not, so that nobody links her again. A
    company that is not in the register has its USCC where others have their ID number; registered later it is linked
    in the same way (`not_organisation_id`). `batch_id`: an import made her.
    """

    __tablename__ = "dwelling_owner"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    id_number: Mapped[str | None] = mapped_column(Sealed("dwelling_owner|id_number"))
    id_index: Mapped[bytes | None] = mapped_column(Blind("person.id_number", of="id_number"), index=True)
    phone: Mapped[str | None] = mapped_column(Sealed("dwelling_owner|phone"))
    linked_at: Mapped[datetime | None]
    linked_by_name: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    not_person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"), index=True)
    not_organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisation.id", ondelete="SET NULL"), index=True
    )
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    organisation: Mapped[Organisation | None] = relationship(foreign_keys=[organisation_id])


class Title(Base):
    """Somebody owns a dwelling, alone or with others, since a day and perhaps until one, which is no longer hers.

    The period is half-open: on the day of a sale the buyer is the owner, and the seller is not. `share` is her part as
    the deed says it (1/2, 50%), where several own a dwelling; heads and areas do not ask for it.
    """

    __tablename__ = "dwelling_title"
    __table_args__ = (
        sa.Index("ix_dwelling_title_dwelling", "dwelling_id", "until", "id"),
        sa.Index(
            "uq_dwelling_title_standing",
            "dwelling_id",
            "owner_id",
            unique=True,
            sqlite_where=sa.text("until IS NULL"),
            postgresql_where=sa.text("until IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dwelling_id: Mapped[int] = mapped_column(sa.ForeignKey("dwelling.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("dwelling_owner.id"), index=True)
    since: Mapped[date | None]
    until: Mapped[date | None]
    share: Mapped[str] = mapped_column(sa.String(20), default="", server_default="")
    source: Mapped[str] = mapped_column(sa.String(60), default="")
    entered_at: Mapped[datetime] = mapped_column(default=clock.now)
    entered_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    dwelling: Mapped[Dwelling] = relationship()
    owner: Mapped[Owner] = relationship()

    def holds_on(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day < self.until)
