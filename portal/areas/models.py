"""The tree of areas, and where people live inside a community."""

from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, one_of


class AreaKind(StrEnum):
    STREET = "street"
    COMMUNITY = "community"
    GRID = "grid"


class Settlement(StrEnum):
    """Whether a community is a town's (residents' committee) or a village (villagers' committee)."""

    TOWN = "town"
    VILLAGE = "village"


class Area(Base):
    """A street (9-digit code), a community (12 digits) or a grid (15 digits); the code is the reference of scopes."""

    __tablename__ = "area"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AreaKind] = mapped_column(one_of(AreaKind))
    code: Mapped[str] = mapped_column(sa.String(18), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    settlement: Mapped[Settlement | None] = mapped_column(one_of(Settlement))
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    parent: Mapped["Area | None"] = relationship(remote_side=[id])


class DwellingUse(StrEnum):
    """What a home is used for (房屋用途)."""

    OWN = "own"
    RENTED = "rented"
    BUSINESS = "business"
    EMPTY = "empty"
    UNKNOWN = "unknown"


class Estate(Base):
    """小区, or a natural village."""

    __tablename__ = "estate"
    __table_args__ = (sa.UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    community: Mapped[Area] = relationship()


class Building(Base):
    """A building; its grid is where its people's day is looked after, as far as it is said."""

    __tablename__ = "building"
    __table_args__ = (sa.UniqueConstraint("estate_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    estate_id: Mapped[int] = mapped_column(sa.ForeignKey("estate.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    grid_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    estate: Mapped[Estate] = relationship()
    grid: Mapped[Area | None] = relationship()


class Dwelling(Base):
    """One home: unit and room are plain keys; the area in m² is for owners' votes. No `floor`: the room says it."""

    __tablename__ = "dwelling"
    __table_args__ = (sa.UniqueConstraint("building_id", "unit", "room"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    building_id: Mapped[int] = mapped_column(sa.ForeignKey("building.id"))
    unit: Mapped[str] = mapped_column(sa.String(20), default="")
    room: Mapped[str] = mapped_column(sa.String(20))
    area_m2: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2))
    floor: Mapped[int | None]
    use: Mapped[DwellingUse] = mapped_column(one_of(DwellingUse), default=DwellingUse.UNKNOWN, server_default="unknown")
    building: Mapped[Building] = relationship()

    def address(self) -> str:
        estate = self.building.estate.name
        return " ".join(part for part in (estate, self.building.name, self.unit, self.room) if part)
