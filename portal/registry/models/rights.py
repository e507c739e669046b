"""Rights over one's own data: consents by purpose, requests with a due day, copies that were taken."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Sealed
from portal.identity.models import Account
from portal.registry.models.people import Person


class Channel(StrEnum):
    """Who spoke: the person in her own account, a child's guardian in his, or somebody at the counter on paper."""

    SELF = "self"
    GUARDIAN = "guardian"
    COUNTER = "counter"


class Purpose(StrEnum):
    """What data are used for; service/consents.py says on what basis, and which of them need a yes."""

    SERVICE = "service"
    VISIT = "visit"
    ID_NUMBER = "id_number"
    HEALTH = "health"
    SMS = "sms"
    NEWS = "news"
    PHOTO = "photo"
    SHARING = "sharing"


class Consent(Base):
    """One line of the ledger: a purpose on a version of its terms, given, perhaps withdrawn. Never deleted.

    What was refused without having been given has no `given_at`. An account that registers consents before anybody
    knows whose it is: its line has no person.
    """

    __tablename__ = "consent"
    __table_args__ = (
        sa.CheckConstraint("given_at IS NOT NULL OR withdrawn_at IS NOT NULL", name="said_something"),
        sa.CheckConstraint("person_id IS NOT NULL OR account_id IS NOT NULL", name="said_by_somebody"),
        sa.Index(
            "uq_consent_standing",
            "person_id",
            "purpose",
            unique=True,
            sqlite_where=sa.text("withdrawn_at IS NULL"),
            postgresql_where=sa.text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(one_of(Purpose))
    version: Mapped[int]
    given_at: Mapped[datetime | None]
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    by_name: Mapped[str] = mapped_column(sa.String(64))
    operator: Mapped[str] = mapped_column(sa.String(64), default="")
    guardian: Mapped[str] = mapped_column(sa.String(64), default="")
    identity: Mapped[str] = mapped_column(sa.String(100), default="")
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str] = mapped_column(sa.String(64), default="")
    withdrawn_operator: Mapped[str] = mapped_column(sa.String(64), default="")


class RightKind(StrEnum):
    CORRECTION = "correction"
    COPY = "copy"
    CLOSING = "closing"
    OTHER = "other"


class RightField(StrEnum):
    """What somebody may ask to have corrected."""

    NAME = "name"
    PHONE = "phone"
    REGISTERED_ADDRESS = "registered_address"
    RESIDENCE = "residence"
    MARRIAGE = "marriage"
    SCHOOLING = "schooling"
    WORK = "work"
    DIET = "diet"
    HEALTH = "health"
    CONTACTS = "contacts"
    HOUSEHOLD = "household"
    SEX = "sex"
    BIRTH_DATE = "birth_date"
    ID_NUMBER = "id_number"
    REGISTRATION = "registration"
    RELATION = "relation"
    TAGS = "tags"


class RightState(StrEnum):
    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


RIGHT_MOVES = {
    RightState.OPEN: {RightState.GRANTED, RightState.REFUSED, RightState.WITHDRAWN},
    RightState.GRANTED: set(),
    RightState.REFUSED: set(),
    RightState.WITHDRAWN: set(),
}


class RightsRequest(Base):
    """One thing that somebody asks of her data, to be answered by a day. A correction is of one field.

    `said` is what is asked for, as JSON; `picture` a photograph made anew, as base64, read only where it is shown.
    `identity` says how the counter knew who was asking. A closing is of an account, whoever it belongs to.
    """

    __tablename__ = "rights_request"
    __table_args__ = (
        sa.Index(
            "uq_rights_request_open",
            "person_id",
            "kind",
            "field",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index(
            "uq_rights_request_closing",
            "account_id",
            unique=True,
            sqlite_where=sa.text("state = 'open' AND kind = 'closing'"),
            postgresql_where=sa.text("state = 'open' AND kind = 'closing'"),
        ),
        sa.Index("ix_rights_request_queue", "state", "due_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    kind: Mapped[RightKind] = mapped_column(one_of(RightKind))
    field: Mapped[str] = mapped_column(sa.String(24), default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    state: Mapped[RightState] = mapped_column(one_of(RightState), default=RightState.OPEN)
    said: Mapped[str | None] = mapped_column(Sealed("rights_request|said"))
    why: Mapped[str | None] = mapped_column(Sealed("rights_request|why"))
    picture: Mapped[str | None] = mapped_column(Sealed("rights_request|picture"), deferred=True)
    has_picture: Mapped[bool] = mapped_column(default=False)
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(sa.String(64))
    asked_name: Mapped[str] = mapped_column(sa.String(64))
    identity: Mapped[str] = mapped_column(sa.String(100), default="")
    due_on: Mapped[date]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(sa.String(64), default="")
    decided_name: Mapped[str] = mapped_column(sa.String(64), default="")
    answer: Mapped[str] = mapped_column(sa.String(200), default="")
    person: Mapped[Person | None] = relationship()
    account: Mapped[Account | None] = relationship()

    def is_late(self, on: date) -> bool:
        return self.state is RightState.OPEN and self.due_on < on

    def days_left(self, on: date) -> int:
        """Days until it must be answered, the day itself counting as none; negative once it is late."""
        return (self.due_on - on).days


class RightsCopy(Base):
    """A copy of everything held about a person, as JSON, kept sealed until she has fetched it or a day has passed."""

    __tablename__ = "rights_copy"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    made_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(Sealed("rights_copy|body"), deferred=True)
    downloads: Mapped[int] = mapped_column(default=0)
