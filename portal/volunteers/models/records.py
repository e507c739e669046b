"""Records of service with exactly the fields of 民政部令67号, corrections, certificates and stars."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock
from portal.core.db import Base, Json, one_of
from portal.core.ids import new_public_id, short_code
from portal.core.sealing import Sealed
from portal.registry.models import Organisation
from portal.volunteers.models.codes import CertificateState, CorrectionState, RecordState, ServiceKind, StarState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Signup

# Hours are recorded in tenths: what a record holds of somebody's time is counted in so many minutes.
RECORD_STEP = 6


class ServiceRecord(Base):
    """服务记录 (67号令 7): what, when, where, how long, by which organiser, led by whom. One organiser to a record.

    `minutes` is the time given, in steps of RECORD_STEP; it is `ends_at - starts_at` less any pause. `due_on` is the
    last of the ten working days (11); `quality` (1 to 5) and `rated_on` are the evaluation (10).
    """

    __tablename__ = "service_record"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="order"),
        sa.CheckConstraint("minutes > 0", name="minutes"),
        sa.CheckConstraint("quality IS NULL OR quality BETWEEN 1 AND 5", name="quality"),
        sa.Index("ix_service_record_volunteer", "volunteer_id", "starts_at", "id"),
        sa.Index("ix_service_record_recorder", "community_id", "recorded_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    signup_id: Mapped[int | None] = mapped_column(sa.ForeignKey("volunteer_signup.id"), unique=True)
    # The organiser: an organisation, else the committee of the community.
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    organiser: Mapped[str] = mapped_column(sa.String(80))
    leader_name: Mapped[str] = mapped_column(sa.String(60))
    activity: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[ServiceKind] = mapped_column(one_of(ServiceKind))
    content: Mapped[str] = mapped_column(sa.String(300))
    place: Mapped[str] = mapped_column(sa.String(120))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    minutes: Mapped[int]
    factor: Mapped[int] = mapped_column(default=100)
    due_on: Mapped[date]
    state: Mapped[RecordState] = mapped_column(one_of(RecordState), default=RecordState.RECORDED)
    quality: Mapped[int | None]
    rated_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    recorded_by: Mapped[str] = mapped_column(sa.String(32))
    recorded_by_name: Mapped[str] = mapped_column(sa.String(64))
    volunteer: Mapped[Volunteer] = relationship()
    signup: Mapped[Signup | None] = relationship()
    community: Mapped[Area] = relationship()
    organisation: Mapped[Organisation | None] = relationship()

    @property
    def is_late(self) -> bool:
        """Whether it was recorded after its term."""
        return clock.local(self.recorded_at).date() > self.due_on

    @property
    def counts(self) -> bool:
        return self.state is RecordState.RECORDED


class RecordedTime(Base):
    """A mark of STEP_MINUTES of a volunteer that a record holds: no two records of somebody have the same."""

    __tablename__ = "service_record_time"
    __table_args__ = (sa.UniqueConstraint("volunteer_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    at: Mapped[datetime]
    record_id: Mapped[int] = mapped_column(sa.ForeignKey("service_record.id"), index=True)


class RecordVersion(Base):
    """How a record stood before a change, who changed it and why. Append-only."""

    __tablename__ = "service_record_version"
    __table_args__ = (sa.UniqueConstraint("record_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[int] = mapped_column(sa.ForeignKey("service_record.id"))
    version: Mapped[int]
    facts: Mapped[Any] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(sa.String(200))
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_by_name: Mapped[str] = mapped_column(sa.String(64))
    record: Mapped[ServiceRecord] = relationship()


class Correction(Base):
    """A volunteer's wish to have a record put right, or one that is missing made (67号令 13); answered in any case."""

    __tablename__ = "service_record_correction"
    __table_args__ = (sa.Index("ix_service_record_correction_state", "community_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    record_id: Mapped[int | None] = mapped_column(sa.ForeignKey("service_record.id"), index=True)
    wishes: Mapped[Any] = mapped_column(Json, default=dict)
    reason: Mapped[str] = mapped_column(sa.String(300))
    state: Mapped[CorrectionState] = mapped_column(one_of(CorrectionState), default=CorrectionState.ASKED)
    answer: Mapped[str] = mapped_column(sa.String(300), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    volunteer: Mapped[Volunteer] = relationship()
    community: Mapped[Area] = relationship()
    record: Mapped[ServiceRecord | None] = relationship()


class ServiceCertificate(Base):
    """服务证明 (67号令 15-17) of one recording organiser. `facts` is what it says, frozen when it was issued.

    `code` is what the verification page asks for beside the number: short, to be typed from the paper.
    """

    __tablename__ = "service_certificate"
    __table_args__ = (sa.Index("ix_service_certificate_state", "community_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    number: Mapped[str | None] = mapped_column(sa.String(32), unique=True)
    code: Mapped[str] = mapped_column(sa.String(32), unique=True, default=lambda: short_code(10))
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"), index=True)
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    use: Mapped[str] = mapped_column(sa.String(60), default="")
    minutes: Mapped[int] = mapped_column(default=0)
    facts: Mapped[Any] = mapped_column(Json, default=dict)
    state: Mapped[CertificateState] = mapped_column(one_of(CertificateState), default=CertificateState.REQUESTED)
    state_reason: Mapped[str] = mapped_column(sa.String(300), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    notice_until: Mapped[date | None]
    issued_at: Mapped[datetime | None]
    issued_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    responsible: Mapped[str] = mapped_column(sa.String(60), default="")
    contact: Mapped[str] = mapped_column(sa.String(40), default="")
    revoked_at: Mapped[datetime | None]
    revoked_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    issued_by: Mapped[str] = mapped_column(sa.String(32), default="")
    # The whole number of the identity document, where the volunteer wished it on the paper.
    with_number: Mapped[bool] = mapped_column(default=False)
    id_number: Mapped[str | None] = mapped_column(Sealed("service_certificate|id_number"))
    # When the job made the PDF, or why it could not: in words, naming the character that the font lacks.
    made_at: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(sa.String(200), default="")
    volunteer: Mapped[Volunteer] = relationship()
    community: Mapped[Area] = relationship()
    organisation: Mapped[Organisation | None] = relationship()


class CertificatePaper(Base):
    """The PDF of a certificate, made once by a job; its bytes in base64, sealed."""

    __tablename__ = "service_certificate_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(sa.ForeignKey("service_certificate.id"), unique=True)
    body: Mapped[str] = mapped_column(Sealed("service_certificate_paper|body"))


class StarRule(Base):
    """From how many minutes on a star level is reached ("达到": the number itself counts), between two days."""

    __tablename__ = "volunteer_star_rule"
    __table_args__ = (sa.UniqueConstraint("level", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int]
    minutes: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str] = mapped_column(sa.String(120), default="")
    updated_by_name: Mapped[str] = mapped_column(sa.String(64), default="")


class Star(Base):
    """A star applied for, reviewed, published for its working days, and awarded."""

    __tablename__ = "volunteer_star"
    __table_args__ = (
        sa.Index(
            "uq_volunteer_star_live",
            "volunteer_id",
            "level",
            unique=True,
            sqlite_where=sa.text("state in ('applied', 'published', 'awarded')"),
            postgresql_where=sa.text("state in ('applied', 'published', 'awarded')"),
        ),
        sa.Index("ix_volunteer_star_state", "community_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    volunteer_id: Mapped[int] = mapped_column(sa.ForeignKey("volunteer.id"))
    community_id: Mapped[int] = mapped_column(sa.ForeignKey("area.id"))
    level: Mapped[int]
    minutes: Mapped[int]
    state: Mapped[StarState] = mapped_column(one_of(StarState), default=StarState.APPLIED)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    applied_at: Mapped[datetime] = mapped_column(default=clock.now)
    reviewed_at: Mapped[datetime | None]
    reviewed_by_name: Mapped[str] = mapped_column(sa.String(64), default="")
    published_until: Mapped[date | None]
    awarded_on: Mapped[date | None]
    # Taken back for false reports: no star is applied for until after that day.
    barred_until: Mapped[date | None]
    volunteer: Mapped[Volunteer] = relationship()
    community: Mapped[Area] = relationship()
