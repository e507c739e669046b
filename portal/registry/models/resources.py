"""What a community can serve with: facilities, organisations, staff, volunteer teams and material stock."""

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area, Building, Dwelling
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.registry.models.people import Person


class FacilityKind(StrEnum):
    SERVICE_CENTRE = "service_centre"
    ELDER_CARE = "elder_care"
    ACTIVITY = "activity"
    CHILDREN = "children"
    HEALTH = "health"
    CANTEEN = "canteen"
    READING = "reading"
    SPORTS = "sports"
    SHELTER = "shelter"
    OTHER = "other"


class Ease(StrEnum):
    """Accessibility: what lets everybody in and about (无障碍)."""

    RAMP = "ramp"
    LIFT = "lift"
    TOILET = "toilet"
    HANDRAIL = "handrail"
    TACTILE = "tactile"
    LOW_COUNTER = "low_counter"
    WHEELCHAIR = "wheelchair"
    HEARING = "hearing"
    PARKING = "parking"


class OrganisationKind(StrEnum):
    COMMUNITY_GROUP = "community_group"
    SOCIAL = "social"
    PROPERTY = "property"
    OWNERS = "owners"
    SHOP = "shop"
    UNIT = "unit"
    OTHER = "other"


class Standing(StrEnum):
    """How an organisation is known to the state: registered (登记), filed with the street (备案), or neither yet."""

    REGISTERED = "registered"
    FILED = "filed"
    NONE = "none"


class StaffKind(StrEnum):
    COMMUNITY_WORKER = "community_worker"
    SOCIAL_WORKER = "social_worker"
    GRID_WORKER = "grid_worker"
    CHILD_OFFICER = "child_officer"
    MEDIATOR = "mediator"
    LAWYER = "lawyer"
    DOCTOR = "doctor"
    CARER = "carer"
    PROPERTY = "property"
    OTHER = "other"


class StockReason(StrEnum):
    """Why something came or went; the first four bring, the others take."""

    BOUGHT = "bought"
    DONATED = "donated"
    RETURNED = "returned"
    FOUND = "found"
    GIVEN = "given"
    LENT = "lent"
    USED = "used"
    SPOILT = "spoilt"
    LOST = "lost"

    @property
    def brings(self) -> bool:
        return self in {StockReason.BOUGHT, StockReason.DONATED, StockReason.RETURNED, StockReason.FOUND}


class Facility(Base):
    """设施. `hours` is {"0": [["08:30", "11:30"], ...], ...} by weekday (0 is Monday); `eases` are codes of Ease.

    Where it is: an address in words, and as far as known the building and the dwelling it takes.
    """

    __tablename__ = "facility"
    __table_args__ = (sa.UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[FacilityKind] = mapped_column(one_of(FacilityKind))
    area_m2: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2))
    address: Mapped[str] = mapped_column(sa.String(120), default="")
    building_id: Mapped[int | None] = mapped_column(sa.ForeignKey("building.id"), index=True)
    dwelling_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dwelling.id"), index=True)
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    hours: Mapped[Any] = mapped_column(Json, default=dict)
    eases: Mapped[Any] = mapped_column(Json, default=list)
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    is_public: Mapped[bool] = mapped_column(default=True)
    closed_on: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    community: Mapped[Area] = relationship()
    building: Mapped[Building | None] = relationship()
    dwelling: Mapped[Dwelling | None] = relationship()
    rooms: Mapped[list["Room"]] = relationship(back_populates="facility", order_by="(Room.name, Room.id)")


class Room(Base):
    """A room of a facility with a capacity (people) of its own; one room serves many uses."""

    __tablename__ = "room"
    __table_args__ = (
        sa.UniqueConstraint("facility_id", "name"),
        sa.CheckConstraint("capacity >= 0", name="capacity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(sa.ForeignKey("facility.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    capacity: Mapped[int] = mapped_column(default=0)
    area_m2: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2))
    is_accessible: Mapped[bool] = mapped_column(default=False)
    closed_on: Mapped[date | None]
    facility: Mapped[Facility] = relationship(back_populates="rooms")
    uses: Mapped[list["RoomUse"]] = relationship(
        back_populates="room", order_by="(RoomUse.weekday, RoomUse.opens, RoomUse.id)"
    )


class RoomUse(Base):
    """What a room is used for at a time of the week (一室多用); two uses never overlap."""

    __tablename__ = "room_use"
    __table_args__ = (
        sa.UniqueConstraint("room_id", "weekday", "opens"),
        sa.CheckConstraint("closes > opens", name="order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("room.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    weekday: Mapped[int]
    opens: Mapped[time]
    closes: Mapped[time]
    held_by: Mapped[str] = mapped_column(sa.String(60), default="")
    room: Mapped[Room] = relationship(back_populates="uses")


class Organisation(Base):
    """组织. `uscc` failed its check digit and was taken all the same where `uscc_reason` says why, and by whom."""

    __tablename__ = "organisation"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "name"),
        sa.UniqueConstraint("community_id", "uscc"),
        sa.CheckConstraint("grade IS NULL OR grade BETWEEN 1 AND 5", name="grade"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    kind: Mapped[OrganisationKind] = mapped_column(one_of(OrganisationKind))
    standing: Mapped[Standing] = mapped_column(one_of(Standing), default=Standing.NONE)
    uscc: Mapped[str | None] = mapped_column(sa.String(18), index=True)
    uscc_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    uscc_by: Mapped[str] = mapped_column(sa.String(64), default="")
    filed_number: Mapped[str] = mapped_column(sa.String(40), default="")
    grade: Mapped[int | None]
    grade_from: Mapped[date | None]
    grade_until: Mapped[date | None]
    contact_name: Mapped[str] = mapped_column(sa.String(60), default="")
    contact_phone: Mapped[str | None] = mapped_column(Sealed("organisation|contact_phone"))
    phone: Mapped[str] = mapped_column(sa.String(30), default="")
    address: Mapped[str] = mapped_column(sa.String(120), default="")
    hours: Mapped[Any] = mapped_column(Json, default=dict)
    eases: Mapped[Any] = mapped_column(Json, default=list)
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    is_public: Mapped[bool] = mapped_column(default=True)
    closed_on: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    community: Mapped[Area] = relationship()

    def grade_holds(self, on: date) -> bool:
        """Whether the assessment grade (1A to 5A) is in force on a day; its last day counts."""
        return self.grade is not None and (self.grade_until is None or on <= self.grade_until)


class Staff(Base):
    """Somebody who serves: category, organisation, telephone; perhaps also a person of the register."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[StaffKind] = mapped_column(one_of(StaffKind))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    phone: Mapped[str | None] = mapped_column(Sealed("staff|phone"))
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    left_on: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)
    community: Mapped[Area] = relationship()
    organisation: Mapped[Organisation | None] = relationship()
    person: Mapped[Person | None] = relationship()
    certificates: Mapped[list["Certificate"]] = relationship(
        back_populates="staff", order_by="(Certificate.expires_on, Certificate.id)"
    )


class Certificate(Base):
    """A certificate of a member of staff; without `expires_on` it stays valid. Its number may be an ID number."""

    __tablename__ = "certificate"
    __table_args__ = (sa.Index("ix_certificate_expires_on", "expires_on", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id"), index=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    number: Mapped[str | None] = mapped_column(Sealed("certificate|number"))
    issued_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    withdrawn_on: Mapped[date | None]
    staff: Mapped[Staff] = relationship(back_populates="certificates")

    def is_valid(self, on: date) -> bool:
        return self.withdrawn_on is None and (self.expires_on is None or on <= self.expires_on)


class VolunteerTeam(Base):
    """志愿队: its leader and members are people of the register."""

    __tablename__ = "volunteer_team"
    __table_args__ = (sa.UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    purpose: Mapped[str] = mapped_column(sa.String(120), default="")
    sort: Mapped[str] = mapped_column(sa.String(40), default="", server_default="")
    # How many it says it has, beside those of the register who are in it.
    said_to_be: Mapped[int | None]
    leader_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    founded_on: Mapped[date | None]
    disbanded_on: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    community: Mapped[Area] = relationship()
    leader: Mapped[Person | None] = relationship()
    members: Mapped[list["TeamMember"]] = relationship(
        back_populates="team", order_by="(TeamMember.since, TeamMember.id)"
    )


class TeamMember(Base):
    """Somebody's time in a team; who comes again later is a new row."""

    __tablename__ = "team_member"
    __table_args__ = (sa.UniqueConstraint("team_id", "person_id", "since"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer_team.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    since: Mapped[date]
    until: Mapped[date | None]
    team: Mapped[VolunteerTeam] = relationship(back_populates="members")
    person: Mapped[Person] = relationship()

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


class StockItem(Base):
    """物资. The quantity moves by entries only; the database keeps it from falling below nothing."""

    __tablename__ = "stock_item"
    __table_args__ = (
        sa.UniqueConstraint("community_id", "name", "unit"),
        sa.CheckConstraint("quantity >= 0", name="quantity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    unit: Mapped[str] = mapped_column(sa.String(10))
    place: Mapped[str] = mapped_column(sa.String(60), default="")
    low_below: Mapped[int] = mapped_column(default=0)
    quantity: Mapped[int] = mapped_column(default=0)
    closed_on: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("import_batch.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    community: Mapped[Area] = relationship()

    @property
    def is_low(self) -> bool:
        return self.quantity < self.low_below


class StockEntry(Base):
    """One movement of stock, append-only: `delta` is signed, `left` what was there afterwards."""

    __tablename__ = "stock_entry"
    __table_args__ = (
        sa.Index("ix_stock_entry_item", "item_id", "id"),
        sa.CheckConstraint("delta <> 0", name="delta"),
        sa.CheckConstraint("left_after >= 0", name="left_after"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_item.id"))
    delta: Mapped[int]
    left_after: Mapped[int]
    reason: Mapped[StockReason] = mapped_column(one_of(StockReason))
    note: Mapped[str] = mapped_column(sa.String(120), default="")
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(64))
    by_name: Mapped[str] = mapped_column(sa.String(60))
    item: Mapped[StockItem] = relationship()
