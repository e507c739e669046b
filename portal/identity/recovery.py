"""Recovery codes: ten of them on paper, each standing in once for an authenticator that is not at hand."""

import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from portal.core import ids
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.identity import passwords
from portal.identity.models import Account, RecoveryCode

COUNT = 10
LENGTH = 10
NOBODYS_SALT = "00" * 16


@dataclass(frozen=True)
class Drawn:
    """Fresh codes with what is stored of them."""

    codes: tuple[str, ...]
    salt: str
    hashes: tuple[str, ...]


def draw() -> Drawn:
    """Ten codes of fifty random bits, hashed outside any transaction: what the session was reading is let go."""
    db.session.rollback()
    codes = ["".join(secrets.choice(ids.CODE_ALPHABET) for _sign in range(LENGTH)) for _code in range(COUNT)]
    salt = secrets.token_hex(16)
    hashes = passwords.derived(codes, salt)
    half = LENGTH // 2
    return Drawn(tuple(f"{code[:half]}-{code[half:]}" for code in codes), salt, tuple(hashes))


def keep(signed: Account, drawn: Drawn) -> None:
    """Store the hashes; the codes of before are no longer good."""
    forget(signed)
    moment = now()
    db.session.add_all(
        RecoveryCode(account_id=signed.id, salt=drawn.salt, code_hash=code_hash, made_at=moment)
        for code_hash in drawn.hashes
    )


def forget(signed: Account) -> None:
    db.session.execute(sa.delete(RecoveryCode).where(RecoveryCode.account_id == signed.id))


def left(account_id: int) -> int:
    """How many codes an account has not used yet."""
    query = sa.select(sa.func.count()).select_from(RecoveryCode)
    return db.session.scalar(query.where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))) or 0


def spend(account_id: int, code: str) -> bool:
    """Use a code up, by a guarded UPDATE. It takes as long for an account without codes as for one with ten."""
    query = sa.select(RecoveryCode.salt).where(RecoveryCode.account_id == account_id)
    salt = db.session.scalar(query.order_by(RecoveryCode.id).limit(1)) or NOBODYS_SALT
    db.session.rollback()
    (code_hash,) = passwords.derived([_plain(code)], salt)
    held = (RecoveryCode.account_id == account_id, RecoveryCode.code_hash == code_hash, RecoveryCode.used_at.is_(None))
    return guarded(sa.update(RecoveryCode).where(*held).values(used_at=now()))


def _plain(code: str) -> str:
    """However it was copied: with or without its dash, in small letters."""
    return "".join(code.upper().replace("-", "").split())
