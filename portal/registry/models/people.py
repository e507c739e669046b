"""Persons, households and tags: one row per human being."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area, Dwelling
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import Sex, new_public_id
from portal.core.outbox import Recipient
from portal.core.sealing import Blind, Sealed
from portal.registry.models.codes import (
    Diet,
    IdKind,
    Marriage,
    PersonState,
    Politics,
    Presence,
    Registration,
    Relation,
    RestrictedKind,
    Schooling,
    TagKind,
    Tenure,
    Work,
)
from portal.registry.models.finding import PLAIN_240

IS_ALIAS = sa.text("merged_into_id IS NOT NULL")


class Household(Base):
    """People living as one. `number` is the office's own household number, unique in its community.

    A household that nobody belongs to any more is closed, never deleted: what happened to it stays readable.
    """

    __tablename__ = "household"
    __table_args__ = (sa.UniqueConstraint("community_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    number: Mapped[str] = mapped_column(sa.String(40))
    dwelling_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dwelling.id"), index=True)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    closed_on: Mapped[date | None]
    dwelling: Mapped[Dwelling | None] = relationship()


class Person(Base):
    """A resident. `registration_code` is the GB/T 2260 code of the place of registration, as long as it is known.

    Who has no number of a document yet lives under `temporary_number` until it is completed. `absent_from` and
    `absent_until` are the days of a temporary absence. `version` counts the changes: an edit that began on an older
    one is told what changed. `door` is the address as a list sorts it, kept by the database itself (models/finding).
    `flags` are codes of what a worker should complete or look at again: "no_number", "phone_doubtful".
    """

    __tablename__ = "person"
    __table_args__ = (
        sa.Index("ix_person_name", "name", "id"),
        sa.Index("ix_person_phone_tail", "phone_tail_index", "community_id", "id"),
        # The orders of a list: a page is the next rows of one of these, wherever it begins.
        sa.Index("ix_person_community_pinyin", "community_id", "pinyin", "id"),
        sa.Index("ix_person_community_born", "community_id", "birth_date", "id"),
        sa.Index("ix_person_community_door", "community_id", "door", "id"),
        sa.Index("ix_person_grid_pinyin", "grid_id", "pinyin", "id"),
        # Aliases are few: without the rest of the register, nobody walks it to find who is none.
        sa.Index("ix_person_alias", "merged_into_id", sqlite_where=IS_ALIAS, postgresql_where=IS_ALIAS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    grid_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("household.id"), index=True)
    door: Mapped[str] = mapped_column(PLAIN_240, server_default="")
    relation: Mapped[Relation] = mapped_column(one_of(Relation), default=Relation.OTHER)
    name: Mapped[str] = mapped_column(sa.String(60))
    initials: Mapped[str] = mapped_column(sa.String(40))
    pinyin: Mapped[str] = mapped_column(sa.String(160))
    sex: Mapped[Sex] = mapped_column(one_of(Sex), default=Sex.UNKNOWN)
    birth_date: Mapped[date | None]
    id_kind: Mapped[IdKind] = mapped_column(one_of(IdKind), default=IdKind.ID_CARD, server_default="id_card")
    id_number: Mapped[str | None] = mapped_column(Sealed("person|id_number"))
    id_index: Mapped[bytes | None] = mapped_column(Blind("person.id_number", of="id_number"), unique=True)
    temporary_number: Mapped[str | None] = mapped_column(sa.String(24), unique=True)
    ethnicity: Mapped[str] = mapped_column(sa.String(2), default="", server_default="")
    marriage: Mapped[Marriage] = mapped_column(one_of(Marriage), default=Marriage.UNKNOWN, server_default="unknown")
    schooling: Mapped[Schooling] = mapped_column(one_of(Schooling), default=Schooling.UNKNOWN, server_default="unknown")
    politics: Mapped[Politics] = mapped_column(one_of(Politics), default=Politics.UNKNOWN, server_default="unknown")
    work: Mapped[Work] = mapped_column(one_of(Work), default=Work.UNKNOWN, server_default="unknown")
    presence: Mapped[Presence] = mapped_column(one_of(Presence), default=Presence.UNKNOWN, server_default="unknown")
    tenure: Mapped[Tenure] = mapped_column(one_of(Tenure), default=Tenure.UNKNOWN, server_default="unknown")
    living_since: Mapped[date | None]
    guardian_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    phone: Mapped[str | None] = mapped_column(Sealed("person|phone"))
    phone_index: Mapped[bytes | None] = mapped_column(Blind("person.phone", of="phone"), index=True)
    phone_tail_index: Mapped[bytes | None] = mapped_column(Blind("person.phone_tail", of="phone", last=4))
    registration: Mapped[Registration] = mapped_column(one_of(Registration), default=Registration.UNKNOWN)
    registration_code: Mapped[str] = mapped_column(sa.String(12), default="")
    registered_address: Mapped[str | None] = mapped_column(Sealed("person|registered_address"))
    diet: Mapped[str | None] = mapped_column(Sealed("person|diet"))
    health: Mapped[str | None] = mapped_column(Sealed("person|health"))
    note: Mapped[str | None] = mapped_column(Sealed("person|note"))
    state: Mapped[PersonState] = mapped_column(one_of(PersonState), default=PersonState.PRESENT)
    state_on: Mapped[date | None]
    absent_from: Mapped[date | None]
    absent_until: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    flags: Mapped[Any] = mapped_column(Json, default=list)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    community: Mapped[Area] = relationship(foreign_keys=[community_id])
    grid: Mapped[Area | None] = relationship(foreign_keys=[grid_id])
    household: Mapped[Household | None] = relationship()
    guardian: Mapped["Person | None"] = relationship(foreign_keys=[guardian_id], remote_side=[id])
    tags: Mapped[list["PersonTag"]] = relationship(back_populates="person", order_by="PersonTag.id")
    contacts: Mapped[list["EmergencyContact"]] = relationship(
        back_populates="person", order_by="(EmergencyContact.rank, EmergencyContact.id)", cascade="all, delete-orphan"
    )

    @property
    def ref(self) -> Recipient:
        return Recipient("person", self.public_id)

    def age(self, on: date) -> int | None:
        """Age in full years on a day; the birthday counts."""
        return clock.full_years(self.birth_date, on) if self.birth_date else None

    def is_absent(self, on: date) -> bool:
        """Whether the person is away for a time on a day, and expected back."""
        return (
            self.absent_from is not None
            and self.absent_from <= on
            and (self.absent_until is None or on <= self.absent_until)
        )

    def diets(self) -> frozenset[Diet]:
        return frozenset(Diet(word) for word in (self.diet or "").split(",") if word)

    def tag_kinds(self, on: date) -> frozenset[TagKind]:
        """The tags in force on a day."""
        return frozenset(tag.kind for tag in self.tags if tag.holds(on))


class PersonTag(Base):
    """A dated, sourced tag. `detail` of DISABLED is class and grade ("3-2": limbs, grade two; GB/T 26341)."""

    __tablename__ = "person_tag"
    __table_args__ = (sa.UniqueConstraint("person_id", "kind", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[TagKind] = mapped_column(one_of(TagKind))
    since: Mapped[date]
    until: Mapped[date | None]
    source: Mapped[str] = mapped_column(sa.String(60))
    detail: Mapped[str] = mapped_column(sa.String(20), default="", server_default="")
    noted_by: Mapped[str] = mapped_column(sa.String(64), default="", server_default="")
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    person: Mapped[Person] = relationship(back_populates="tags")

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


class RestrictedTag(Base):
    """A tag for named roles only. It hangs on no relationship of Person: no list or page can show it by chance."""

    __tablename__ = "restricted_tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(Sealed("restricted_tag|kind"))
    since: Mapped[date]
    until: Mapped[date | None]
    source: Mapped[str] = mapped_column(sa.String(60))
    noted_by: Mapped[str] = mapped_column(sa.String(64), default="")
    person: Mapped[Person] = relationship()

    @property
    def means(self) -> RestrictedKind:
        return RestrictedKind(self.kind)

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


class EmergencyContact(Base):
    """Whom to call when the person cannot be reached, in the order of `rank`."""

    __tablename__ = "emergency_contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    relation: Mapped[str] = mapped_column(sa.String(20))
    phone: Mapped[str] = mapped_column(Sealed("emergency_contact|phone"))
    rank: Mapped[int] = mapped_column(default=1)
    person: Mapped[Person] = relationship(back_populates="contacts")
