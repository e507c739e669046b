"""Proving oneself after the name and password: the authenticator, the own password again, a forgotten one."""

import hashlib
from datetime import datetime, timedelta

import pyotp
import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, tokens
from portal.core.access import Actor, Platform
from portal.core.clock import now, today
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.outbox import Recipient, enqueue
from portal.identity import codes, passwords, recovery, service, sessions
from portal.identity.models import Account, CodePurpose

# Between a right password and the authenticator's code, and between a proven telephone and its new password.
HALF_WAY_LIVES = timedelta(minutes=5)
TOTP_DIGITS = 6
SECRET_SHOWN = timedelta(minutes=30)


def half_way(signed: Account, step: str) -> str:
    """A short-lived word for an account between two steps; a new password or another epoch ends it."""
    return tokens.sign(f"half_way.{step}", [signed.id, _mark(signed)])


def half_way_account(word: str, step: str) -> Account | None:
    """The account that such a word stands for, or None when it is forged, old, or overtaken."""
    facts = tokens.unsign(f"half_way.{step}", word, within=HALF_WAY_LIVES) if word else None
    if facts is None:
        return None
    signed = db.session.get(Account, facts[0])
    if signed is None or not signed.is_open(today()) or facts[1] != _mark(signed):
        return None
    return signed


def _mark(signed: Account) -> str:
    return hashlib.sha256(f"{signed.epoch}|{signed.password_hash}".encode()).hexdigest()[:16]


def finish_sign_in(word: str, code: str) -> int | None:
    """The second step at the desk, by the authenticator or by a recovery code.

    Return how many recovery codes are left where one was used up; nobody is signed in once the first step is old.
    """
    waiting = half_way_account(word, "totp")
    if waiting is None:
        return None
    by_recovery = check_second(waiting, code)
    signed = half_way_account(word, "totp")
    if signed is None:
        return None
    sessions.open_session(signed)
    return _told_of_recovery(signed) if by_recovery else None


def check_second(signed: Account, code: str) -> bool:
    """Six digits of the authenticator, or a recovery code, each once; True for the latter. Both count as tries."""
    account_id, public_id, platform, secret = signed.id, signed.public_id, signed.platform, signed.totp_secret
    tokens.throttle("totp", public_id, limit=5, per=timedelta(minutes=5))
    by_recovery = not (code.isdigit() and len(code) == TOTP_DIGITS)
    good = recovery.spend(account_id, code) if by_recovery else _use_step(account_id, secret, code)
    if not good:
        service.note_failure(platform, public_id)
        words = _("动态口令不对或已用过，请看手机上的新口令再试。手机不在身边，可以填一个没有用过的恢复码。")
        raise Refused(words, field="code")
    return by_recovery


def _use_step(account_id: int, secret: str | None, code: str) -> bool:
    """A step used before is refused by a guarded UPDATE."""
    step = _totp_step(pyotp.TOTP(secret), code, now()) if secret else None
    if step is None:
        return False
    later = sa.update(Account).where(Account.id == account_id, Account.totp_last < step)
    return guarded(later.values(totp_last=step))


def _told_of_recovery(signed: Account) -> int:
    left = recovery.left(signed.id)
    audit.record("identity.recovery_used", signed, count=left)
    enqueue("identity.recovery_used", to=Recipient("account", signed.public_id), left=left)
    return left


def renew_recovery(actor: Actor, code: str) -> tuple[str, ...]:
    """Ten new recovery codes in place of the old ones, for the second factor; they are seen this once, and told of."""
    if not service.account(actor.account_id).totp_secret:
        raise Refused(_("请先绑定动态口令，再领恢复码。"))
    drawn = recovery.draw()
    check_second(service.account(actor.account_id), code)
    signed = service.account(actor.account_id)
    recovery.keep(signed, drawn)
    audit.record("identity.recovery_drawn", signed, count=len(drawn.codes))
    enqueue("identity.recovery_drawn", to=Recipient("account", signed.public_id), count=len(drawn.codes))
    return drawn.codes


def _totp_step(totp: pyotp.TOTP, code: str, at: datetime) -> int | None:
    step = int(at.timestamp()) // totp.interval
    for near in (step, step - 1, step + 1):
        if pyotp.utils.strings_equal(code, totp.generate_otp(near)):
            return near
    return None


def new_secret(actor: Actor) -> tuple[str, str]:
    """A secret for the authenticator, and the signed word by which the page brings it back."""
    secret = pyotp.random_base32()
    return secret, tokens.sign(f"totp.{actor.public_id}", secret)


def shown_secret(actor: Actor, word: str) -> str | None:
    secret = tokens.unsign(f"totp.{actor.public_id}", word, within=SECRET_SHOWN) if word else None
    return str(secret) if secret else None


def totp_address(actor: Actor, secret: str, *, issuer: str) -> str:
    """What the authenticator scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=actor.name, issuer_name=issuer)


def set_totp(signed: Account, secret: str, code: str) -> None:
    """Bind an authenticator whose first code proves that it was read right; a bound one is taken off by another."""
    if signed.totp_secret:
        raise Refused(_("这个账号已绑定动态口令。要换手机，请联系安全管理员先重置。"), field="code")
    step = _totp_step(pyotp.TOTP(secret), code.strip(), now())
    if step is None:
        raise Refused(_("动态口令不对，请看手机上的新口令再试"), field="code")
    signed.totp_secret, signed.totp_last = secret, step
    audit.record("identity.totp_set", signed)


def bind_totp(actor: Actor, secret: str, code: str) -> tuple[str, ...]:
    """Bind an authenticator and return its ten recovery codes, which are seen this once."""
    drawn = recovery.draw()
    signed = service.account(actor.account_id)
    set_totp(signed, secret, code)
    recovery.keep(signed, drawn)
    return drawn.codes


def check_own_password(actor: Actor, password: str, *, field: str = "password") -> None:
    """The signed-in account's password, asked again: throttled, and hashed outside any transaction."""
    tokens.throttle("confirm", actor.public_id, limit=5, per=timedelta(minutes=10))
    stored = service.account(actor.account_id).password_hash
    db.session.rollback()
    if not passwords.matches(password, stored, actor.platform):
        service.note_failure(actor.platform, actor.public_id)
        raise Refused(_("密码不对，请再输入一次"), field=field)


def confirm(actor: Actor, password: str) -> None:
    check_own_password(actor, password)
    sessions.reauthenticated(actor.session_id)
    audit.record("identity.confirmed")


def hash_new(password: str, platform: Platform) -> str:
    """Check a new password and hash it outside any transaction: what the session was reading is let go."""
    passwords.check_new(password, platform)
    db.session.rollback()
    return passwords.hashed(password, platform)


def change_password(actor: Actor, current: str, new: str) -> None:
    """A new password for the one who knows the old one; every other session ends."""
    passwords.check_new(new, actor.platform)
    check_own_password(actor, current, field="current")
    if new == current:
        raise Refused(_("新密码不能和原来的一样"), field="password")
    password_hash = hash_new(new, actor.platform)
    service.set_password(service.account(actor.account_id), password_hash, keep_session=actor.session_id)
    sessions.reauthenticated(actor.session_id)


def prove_for_reset(flow: str, code: str) -> str:
    """Check a code for a forgotten password; return the half-way word that new_password() asks for."""
    return half_way(codes.of_proven_phone(flow, code, CodePurpose.RESET), "reset")


def new_password(word: str, password: str) -> Account | None:
    """Give a proven telephone's account a password, end its sessions and sign it in; None once the word is old."""
    if half_way_account(word, "reset") is None:
        return None
    password_hash = hash_new(password, Platform.RESIDENT)
    signed = half_way_account(word, "reset")
    if signed is not None:
        service.set_password(signed, password_hash)
        sessions.open_session(signed)
    return signed
