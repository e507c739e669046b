"""Which account is which person (a claim), and who may act for whom (a family agent)."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.areas.models import Area
from portal.core import clock, reasons
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Blind, Sealed
from portal.identity.models import Account
from portal.registry.models.people import Person


class ClaimState(StrEnum):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


CLAIM_MOVES = {
    ClaimState.PENDING: {ClaimState.CONFIRMED, ClaimState.REFUSED},
    ClaimState.CONFIRMED: {ClaimState.REFUSED},
    ClaimState.REFUSED: set(),
}


class Claim(Base):
    """An account says who it belongs to. Confirmed by an exact match with the register, or by a worker."""

    __tablename__ = "claim"
    __table_args__ = (
        sa.Index(
            "uq_claim_account",
            "account_id",
            unique=True,
            sqlite_where=sa.text("state <> 'refused'"),
            postgresql_where=sa.text("state <> 'refused'"),
        ),
        sa.Index(
            "uq_claim_person",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state = 'confirmed'"),
            postgresql_where=sa.text("state = 'confirmed'"),
        ),
        sa.Index("ix_claim_queue", "state", "made_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    id_number: Mapped[str] = mapped_column(Sealed("claim|id_number"))
    id_index: Mapped[bytes] = mapped_column(Blind("person.id_number", of="id_number"), index=True)
    community_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"), index=True)
    state: Mapped[ClaimState] = mapped_column(one_of(ClaimState), default=ClaimState.PENDING)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    made_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(sa.String(64), default="")
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    account: Mapped[Account] = relationship()
    person: Mapped[Person | None] = relationship()
    community: Mapped[Area | None] = relationship()

    @property
    def why(self) -> str:
        """The reason of a refusal: as somebody wrote it, or the words of the program's own."""
        return reasons.said(self.reason)

    def waited_days(self, on: date) -> int:
        """How many days the claim has been waiting on a day; none on its first."""
        return (on - clock.local(self.made_at).date()).days


class AgentState(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ENDED = "ended"


AGENT_MOVES = {
    AgentState.REQUESTED: {AgentState.ACCEPTED, AgentState.DECLINED, AgentState.ENDED},
    AgentState.ACCEPTED: {AgentState.ENDED},
    AgentState.DECLINED: set(),
    AgentState.ENDED: set(),
}


class FamilyAgent(Base):
    """亲情代办人: an account that may act for a person, for named actions, until a date.

    A request that matched nobody has no person: it looks the same to the one who asked.
    """

    __tablename__ = "family_agent"
    __table_args__ = (
        sa.Index(
            "uq_family_agent_live",
            "account_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("state in ('requested', 'accepted')"),
            postgresql_where=sa.text("state in ('requested', 'accepted')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    principal_name: Mapped[str] = mapped_column(sa.String(60))
    relation: Mapped[str] = mapped_column(sa.String(20))
    actions: Mapped[str] = mapped_column(sa.String(200), default="meals.order")
    state: Mapped[AgentState] = mapped_column(one_of(AgentState), default=AgentState.REQUESTED)
    until: Mapped[date]
    requested_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(sa.String(64), default="")
    consent: Mapped[str] = mapped_column(sa.String(200), default="")
    account: Mapped[Account] = relationship()
    person: Mapped[Person | None] = relationship()

    def allows(self, action: str, on: date) -> bool:
        return self.state is AgentState.ACCEPTED and on <= self.until and action in self.actions.split(",")
