"""What the community offers: providers, items with their papers and conditions, and the words people search with."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.catalogue.models.codes import ConditionKind, ItemKind, ItemState, ProviderKind, Situation
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import short_code
from portal.registry.models import Organisation, TagKind


class Provider(Base):
    """服务提供方: who serves, in a street or a community; perhaps an organisation of the register."""

    __tablename__ = "service_provider"
    __table_args__ = (sa.UniqueConstraint("area_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    kind: Mapped[ProviderKind] = mapped_column(one_of(ProviderKind))
    name: Mapped[str] = mapped_column(sa.String(60))
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    address: Mapped[str] = mapped_column(sa.String(120), default="")
    hours: Mapped[str] = mapped_column(sa.String(120), default="")
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    area: Mapped[Area] = relationship()
    organisation: Mapped[Organisation | None] = relationship()


class Item(Base):
    """服务事项. `area` is the street or the community it serves.

    `situations` are values of Situation. `cost_fen` is None where no figure can be said; `cost` says it in words.
    `limit_days` are the working days an application may take. Who books may cancel until `cancel_hours` before, looks
    `ahead_days` days ahead, and takes at most `per_day` a day and `per_week` a week (None: as many as there are).
    `version` counts the edits: one that began on an older version is told what changed.
    """

    __tablename__ = "service_item"
    __table_args__ = (sa.Index("ix_service_item_shown", "area_id", "state", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(12), unique=True, default=lambda: short_code(8))
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    provider_id: Mapped[int] = mapped_column(sa.ForeignKey("service_provider.id"), index=True)
    kind: Mapped[ItemKind] = mapped_column(one_of(ItemKind))
    state: Mapped[ItemState] = mapped_column(one_of(ItemState), default=ItemState.DRAFT)
    title: Mapped[str] = mapped_column(sa.String(60))
    summary: Mapped[str] = mapped_column(sa.String(200))
    initials: Mapped[str] = mapped_column(sa.String(80), default="")
    pinyin: Mapped[str] = mapped_column(sa.String(320), default="")
    keywords: Mapped[str] = mapped_column(sa.String(200), default="")
    situations: Mapped[Any] = mapped_column(Json, default=list)
    who: Mapped[str] = mapped_column(sa.String(500), default="")
    how: Mapped[str] = mapped_column(sa.String(1000), default="")
    cost_fen: Mapped[int | None]
    cost: Mapped[str] = mapped_column(sa.String(120), default="")
    place: Mapped[str] = mapped_column(sa.String(120), default="")
    times: Mapped[str] = mapped_column(sa.String(200), default="")
    takes: Mapped[str] = mapped_column(sa.String(60), default="")
    basis: Mapped[str] = mapped_column(sa.String(300), default="")
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    limit_days: Mapped[int | None]
    cancel_hours: Mapped[int] = mapped_column(default=2)
    ahead_days: Mapped[int] = mapped_column(default=14)
    per_week: Mapped[int | None]
    per_day: Mapped[int | None] = mapped_column(default=1)
    valid_from: Mapped[date] = mapped_column(default=clock.today)
    valid_to: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    state_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_by: Mapped[str] = mapped_column(sa.String(64), default="")
    area: Mapped[Area] = relationship()
    provider: Mapped[Provider] = relationship()
    materials: Mapped[list["Material"]] = relationship(
        back_populates="item", order_by="(Material.position, Material.id)", cascade="all, delete-orphan"
    )
    conditions: Mapped[list["Condition"]] = relationship(
        back_populates="item",
        order_by="(Condition.position, Condition.id)",
        cascade="all, delete-orphan",
        foreign_keys="Condition.item_id",
    )

    def is_shown(self, on: date) -> bool:
        """Whether residents see it on a day: published, and within its dates, both of which count."""
        return (
            self.state is ItemState.PUBLISHED
            and self.valid_from <= on
            and (self.valid_to is None or on <= self.valid_to)
        )

    @property
    def telephone(self) -> str:
        return self.phone or self.provider.phone

    def life(self) -> list[Situation]:
        return [situation for situation in Situation if situation.value in (self.situations or ())]


class Material(Base):
    """One paper to bring. `fetched` is one that the community finds in the register, so nobody has to bring it."""

    __tablename__ = "service_material"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("service_item.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    is_required: Mapped[bool] = mapped_column(default=True)
    fetched: Mapped[bool] = mapped_column(default=False)
    item: Mapped[Item] = relationship(back_populates="materials")


class Condition(Base):
    """One step of 我能办吗: a fact of the register or a question, with the words for either outcome.

    `answer` is what must be true: that she has one of `tags`, that the question is answered with yes; or, where it is
    False, that she has none, that it is answered with no. `remedy` says what to do when it is not met, `next_item`
    what may suit instead.
    """

    __tablename__ = "service_condition"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("service_item.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    kind: Mapped[ConditionKind] = mapped_column(one_of(ConditionKind))
    number: Mapped[int | None]
    tags: Mapped[Any] = mapped_column(Json, default=list)
    answer: Mapped[bool] = mapped_column(default=True)
    question: Mapped[str] = mapped_column(sa.String(120), default="")
    met: Mapped[str] = mapped_column(sa.String(200), default="")
    unmet: Mapped[str] = mapped_column(sa.String(200), default="")
    remedy: Mapped[str] = mapped_column(sa.String(200), default="")
    next_item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_item.id"), index=True)
    item: Mapped[Item] = relationship(back_populates="conditions", foreign_keys=[item_id])
    next_item: Mapped[Item | None] = relationship(foreign_keys=[next_item_id])

    def tag_kinds(self) -> frozenset[TagKind]:
        return frozenset(TagKind(tag) for tag in self.tags or ())


class ItemChange(Base):
    """One edit of an item: {field: [before, after]}. Kept, so that a second editor is told what the first changed."""

    __tablename__ = "service_item_change"
    __table_args__ = (sa.UniqueConstraint("item_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("service_item.id"))
    version: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    changes: Mapped[Any] = mapped_column(Json, default=dict)


class Synonym(Base):
    """Words that mean the same to whoever searches: 剪头、理发、剃头. Each street keeps its own groups."""

    __tablename__ = "service_synonym"

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    words: Mapped[Any] = mapped_column(Json, default=list)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_by: Mapped[str] = mapped_column(sa.String(64), default="")
    area: Mapped[Area] = relationship()


class SearchMiss(Base):
    """Words a reader said she found nothing under, and how often: never who said so."""

    __tablename__ = "service_search_miss"
    __table_args__ = (sa.UniqueConstraint("area_id", "words"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    words: Mapped[str] = mapped_column(sa.String(40))
    times: Mapped[int] = mapped_column(default=1)
    last_on: Mapped[date] = mapped_column(default=clock.today)
    settled: Mapped[bool] = mapped_column(default=False)
    area: Mapped[Area] = relationship()
