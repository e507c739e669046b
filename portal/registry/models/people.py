"""Persons, households and tags: one row per human being."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area, Dwelling
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import Sex, new_public_id
from portal.core.outbox import Recipient
from portal.core.sealing import Sealed


class PersonState(StrEnum):
    PRESENT = "present"
    MOVED_OUT = "moved_out"
    DEAD = "dead"


class Registration(StrEnum):
    """Household registration (户籍) as far as the register says it: here, elsewhere, or not said."""

    LOCAL = "local"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """Relation to the head of household, the groups of GB/T 4761."""

    HEAD = "head"
    SPOUSE = "spouse"
    SON = "son"
    DAUGHTER = "daughter"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    OTHER = "other"


class TagKind(StrEnum):
    """Why somebody may need the community: the six elder categories first, then need and merit."""

    LIVING_ALONE = "living_alone"
    EMPTY_NEST = "empty_nest"
    LEFT_BEHIND = "left_behind"
    DISABLED_ELDER = "disabled_elder"
    SEVERELY_DISABLED = "severely_disabled"
    FAMILY_PLANNING = "family_planning"
    LOW_INCOME = "low_income"
    LOW_INCOME_EDGE = "low_income_edge"
    DESTITUTE = "destitute"
    MERIT_FAMILY = "merit_family"
    BEREAVED = "bereaved"
    BASIC_ELDERCARE = "basic_eldercare"
    CHILD_IN_DIFFICULTY = "child_in_difficulty"


class Diet(StrEnum):
    LOW_SUGAR = "low_sugar"
    LOW_SALT = "low_salt"
    LOW_FAT = "low_fat"
    SOFT = "soft"
    SEMI_LIQUID = "semi_liquid"
    VEGETARIAN = "vegetarian"
    HALAL = "halal"


class Household(Base):
    """People living as one. `number` is the office's own household number, unique in its community."""

    __tablename__ = "household"
    __table_args__ = (sa.UniqueConstraint("community_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    number: Mapped[str] = mapped_column(sa.String(40))
    dwelling_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dwelling.id"), index=True)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    dwelling: Mapped[Dwelling | None] = relationship()


class Person(Base):
    """A resident. `registration_code` is the GB/T 2260 code of the place of registration, as long as it is known.

    `flags` are codes of what a worker should complete: "no_number", "phone_doubtful", "sex_contradicts".
    """

    __tablename__ = "person"
    __table_args__ = (
        sa.Index("ix_person_name", "name", "id"),
        sa.Index("ix_person_initials", "initials", "id"),
        sa.Index("ix_person_phone_tail", "phone_tail_index", "id"),
        sa.Index("ix_person_community", "community_id", "id"),
        sa.Index("ix_person_grid", "grid_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    grid_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("household.id"), index=True)
    relation: Mapped[Relation] = mapped_column(one_of(Relation), default=Relation.OTHER)
    name: Mapped[str] = mapped_column(sa.String(60))
    initials: Mapped[str] = mapped_column(sa.String(40))
    pinyin: Mapped[str] = mapped_column(sa.String(160))
    sex: Mapped[Sex] = mapped_column(one_of(Sex), default=Sex.UNKNOWN)
    birth_date: Mapped[date | None]
    id_number: Mapped[str | None] = mapped_column(Sealed("person|id_number"))
    id_index: Mapped[bytes | None] = mapped_column(sa.LargeBinary(17), unique=True)
    phone: Mapped[str | None] = mapped_column(Sealed("person|phone"))
    phone_index: Mapped[bytes | None] = mapped_column(sa.LargeBinary(17), index=True)
    phone_tail_index: Mapped[bytes | None] = mapped_column(sa.LargeBinary(17))
    registration: Mapped[Registration] = mapped_column(one_of(Registration), default=Registration.UNKNOWN)
    registration_code: Mapped[str] = mapped_column(sa.String(12), default="")
    registered_address: Mapped[str | None] = mapped_column(Sealed("person|registered_address"))
    diet: Mapped[str | None] = mapped_column(Sealed("person|diet"))
    health: Mapped[str | None] = mapped_column(Sealed("person|health"))
    note: Mapped[str | None] = mapped_column(Sealed("person|note"))
    state: Mapped[PersonState] = mapped_column(one_of(PersonState), default=PersonState.PRESENT)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    flags: Mapped[Any] = mapped_column(Json, default=list)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)

    community: Mapped[Area] = relationship(foreign_keys=[community_id])
    grid: Mapped[Area | None] = relationship(foreign_keys=[grid_id])
    household: Mapped[Household | None] = relationship()
    tags: Mapped[list["PersonTag"]] = relationship(back_populates="person", order_by="PersonTag.id")

    @property
    def ref(self) -> Recipient:
        return Recipient("person", self.public_id)

    def age(self, on: date) -> int | None:
        """Age in full years on a day; the birthday counts."""
        return clock.full_years(self.birth_date, on) if self.birth_date else None

    def diets(self) -> frozenset[Diet]:
        return frozenset(Diet(word) for word in (self.diet or "").split(",") if word)

    def tag_kinds(self, on: date) -> frozenset[TagKind]:
        """The tags in force on a day."""
        return frozenset(tag.kind for tag in self.tags if tag.holds(on))


class PersonTag(Base):
    """A dated, sourced tag."""

    __tablename__ = "person_tag"
    __table_args__ = (sa.UniqueConstraint("person_id", "kind", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[TagKind] = mapped_column(one_of(TagKind))
    since: Mapped[date]
    until: Mapped[date | None]
    source: Mapped[str] = mapped_column(sa.String(60))
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    person: Mapped[Person] = relationship(back_populates="tags")

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)
