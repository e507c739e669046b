"""Accounts, their grants, their sessions, and the one-time codes sent to telephones."""

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.access import Platform
from portal.core.db import Base, one_of
from portal.core.ids import new_public_id
from portal.core.sealing import Blind, Sealed
from portal.identity.permissions import Role


class Account(Base):
    """Who signs in: a resident by mobile number, a worker by user name."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(sa.String(32), unique=True, default=new_public_id)
    platform: Mapped[Platform] = mapped_column(one_of(Platform))
    username: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    phone: Mapped[str | None] = mapped_column(Sealed("account|phone"))
    phone_index: Mapped[bytes | None] = mapped_column(Blind("account.phone", of="phone"), unique=True)
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    totp_secret: Mapped[str | None] = mapped_column(Sealed("account|totp_secret"))
    totp_last: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    expires_on: Mapped[date | None]
    # The day it ends, while a closing waits: until then it changes nothing.
    closes_on: Mapped[date | None]
    epoch: Mapped[int] = mapped_column(default=0)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    grants: Mapped[list["RoleGrant"]] = relationship(
        back_populates="account", order_by="RoleGrant.id", cascade="all, delete-orphan"
    )

    def is_open(self, on: date) -> bool:
        """Whether it may be used on a day: not stopped, and not past its last day, which counts."""
        return self.disabled_at is None and not self.has_expired(on)

    def has_expired(self, on: date) -> bool:
        return self.expires_on is not None and self.expires_on < on


class RecoveryCode(Base):
    """One of ten codes that stand in for a lost authenticator, each once; only a slow, salted hash stands here."""

    __tablename__ = "recovery_code"
    __table_args__ = (sa.UniqueConstraint("account_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    salt: Mapped[str] = mapped_column(sa.String(32))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RoleGrant(Base):
    """One role on one scope, perhaps until a moment."""

    __tablename__ = "role_grant"
    __table_args__ = (sa.UniqueConstraint("account_id", "role", "scope_kind", "scope_ref"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    role: Mapped[Role] = mapped_column(one_of(Role))
    scope_kind: Mapped[str] = mapped_column(sa.String(24))
    scope_ref: Mapped[str] = mapped_column(sa.String(64), default="")
    until: Mapped[datetime | None]
    account: Mapped[Account] = relationship(back_populates="grants")

    def holds(self, at: datetime) -> bool:
        return self.until is None or at < self.until


class SignedSession(Base):
    """One signed-in browser. The cookie holds a random value; only its SHA-256 stands here."""

    __tablename__ = "signed_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    sid_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), index=True)
    platform: Mapped[Platform] = mapped_column(one_of(Platform))
    epoch: Mapped[int]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    agent: Mapped[str] = mapped_column(sa.String(120), default="")
    account: Mapped[Account] = relationship()


class CodePurpose(StrEnum):
    REGISTER = "register"
    SIGN_IN = "sign_in"
    RESET = "reset"


class OneTimeCode(Base):
    """A six-digit code on its way to a telephone: bound to its flow, stored keyed, five tries, single use.

    `payload` carries, sealed, what the flow was told before the code (a registration's name and number).
    """

    __tablename__ = "one_time_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    flow: Mapped[str] = mapped_column(sa.String(32), unique=True)
    purpose: Mapped[CodePurpose] = mapped_column(one_of(CodePurpose))
    phone: Mapped[str] = mapped_column(Sealed("one_time_code|phone"))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    payload: Mapped[str | None] = mapped_column(Sealed("one_time_code|payload"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]
