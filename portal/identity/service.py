"""Accounts and signing in: the same words, and the same time, for an unknown name as for a wrong password."""

import base64
import hmac
import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.core import audit, ids, tokens
from portal.core.access import Platform, Scope
from portal.core.clock import now
from portal.core.db import aside, db, guarded, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient, enqueue
from portal.core.sealing import blind, keys
from portal.identity import passwords, sessions
from portal.identity.models import Account, CodePurpose, OneTimeCode, RoleGrant, SignedSession
from portal.identity.permissions import EXCLUSIVE, SCOPE_KINDS, Role

CODE_LIVES = timedelta(minutes=5)
CODE_TRIES = 5
# Past it a resident still signs in by a code; a worker has no other way, but an authenticator behind the password.
NAME_TRIES_AN_HOUR = {Platform.RESIDENT: 20, Platform.DESK: 100}


@dataclass(frozen=True)
class Found:
    """What sign-in needs of an account, detached: hashing happens outside any transaction."""

    account_id: int
    password_hash: str
    disabled: bool
    totp: bool
    renewed_hash: str = ""


def phone_index(phone: str) -> bytes:
    return blind("account.phone", phone)


def _by_login(login: str, platform: Platform) -> Found | None:
    if platform is Platform.RESIDENT:
        try:
            where = Account.phone_index == phone_index(ids.check_mobile(login))
        except ids.InvalidNumber:
            return None
    else:
        where = Account.username == login.strip().lower()
    account = db.session.scalar(sa.select(Account).where(where, Account.platform == platform))
    if account is None:
        return None
    return Found(account.id, account.password_hash, account.disabled_at is not None, bool(account.totp_secret))


def check_password(login: str, password: str, *, platform: Platform, address: str) -> Found:
    """Throttle, look up, hash outside any transaction, and say the same whatever was wrong.

    Raise TooMany when the address or the name was tried too often, Refused when name and password do not agree.
    """
    _throttle_sign_in(f"{platform}|{_login_key(login, platform)}", platform, address)
    found = _by_login(login, platform)
    db.session.rollback()
    good = passwords.matches(password, found.password_hash if found else None, platform)
    if not good or found is None or found.disabled:
        note_failure(platform)
        raise wrong(platform)
    if passwords.is_outdated(found.password_hash, platform):
        return replace(found, renewed_hash=passwords.hashed(password, platform))
    return found


def _throttle_sign_in(name: str, platform: Platform, address: str) -> None:
    """Narrow for one name from one address, wide for a name from everywhere: a stranger must not lock its owner out."""
    tokens.throttle("sign_in.address", address, limit=100, per=timedelta(hours=1))
    tokens.throttle("sign_in.name.address", f"{name}|{address}", limit=10, per=timedelta(minutes=10))
    tokens.throttle("sign_in.name", name, limit=NAME_TRIES_AN_HOUR[platform], per=timedelta(hours=1))
    tokens.throttle("sign_in.address.minute", address, limit=10, per=timedelta(minutes=1))


def _login_key(login: str, platform: Platform) -> str:
    """One spelling for a name however it is typed, so that spellings do not each get tries of their own."""
    if platform is Platform.DESK:
        return login.strip().lower()
    try:
        return ids.check_mobile(login)
    except ids.InvalidNumber:
        return ids.normalise_id(login)


def wrong(platform: Platform) -> Refused:
    """The one answer to a name and a password that do not agree, whatever the cause."""
    if platform is Platform.DESK:
        return Refused(_("用户名或密码不对，请核对后再试。忘记密码请联系安全管理员重设。"))
    return Refused(_("手机号或密码不对。忘记密码可以用短信验证码登录，或请社区帮忙。"))


def note_failure(platform: Platform) -> None:
    with aside() as session:
        audit.record("identity.sign_in_failed", session=session, platform=platform.value)


def account(account_id: int) -> Account:
    found = db.session.get(Account, account_id)
    if found is None:
        raise Missing
    return found


def account_by_public_id(public_id: str) -> Account:
    found = db.session.scalar(sa.select(Account).where(Account.public_id == public_id))
    if found is None:
        raise Missing
    return found


def account_of_phone(phone: str) -> Account | None:
    return db.session.scalar(sa.select(Account).where(Account.phone_index == phone_index(phone)))


def sign_in(found: Found) -> Account:
    """Open the session of a checked account."""
    signed = checked(found)
    sessions.open_session(signed)
    return signed


def checked(found: Found) -> Account:
    """The account of a right password, which no longer counts if it was changed while it was being hashed."""
    signed = account(found.account_id)
    if signed.disabled_at is not None or signed.password_hash != found.password_hash:
        raise wrong(signed.platform)
    if found.renewed_hash:
        signed.password_hash = found.renewed_hash
    return signed


def set_password(signed: Account, password_hash: str, *, keep_session: int | None = None) -> None:
    """Store a new hash, end every other session, and tell the account."""
    signed.password_hash, signed.must_change_password = password_hash, False
    sessions.end_all(signed, but=keep_session)
    audit.record("identity.password_set", signed)
    enqueue("identity.password_set", to=Recipient("account", signed.public_id))


def start_code(purpose: CodePurpose, phone: str, *, address: str, payload: dict[str, Any] | None = None) -> str:
    """Send a code to a telephone and return its flow. What the phone belongs to changes nothing that can be seen."""
    throttle_codes(phone, address=address)
    return send_code(purpose, phone, payload=payload)


def throttle_codes(phone: str, *, address: str) -> None:
    tokens.throttle("code.phone.minute", phone, limit=1, per=timedelta(minutes=1))
    tokens.throttle("code.phone.hour", phone, limit=5, per=timedelta(hours=1))
    tokens.throttle("code.phone.day", phone, limit=10, per=timedelta(days=1))
    tokens.throttle("code.address", address, limit=30, per=timedelta(hours=1))
    tokens.throttle("code.everyone", "", limit=2000, per=timedelta(days=1))


def send_code(purpose: CodePurpose, phone: str, *, payload: dict[str, Any] | None = None) -> str:
    """The sending itself, for who has throttled already. A telephone that the flow cannot serve gets words, no code."""
    held = account_of_phone(phone)
    serves = held is None if purpose is CodePurpose.REGISTER else held is not None and held.disabled_at is None
    flow, code = ids.new_public_id(), tokens.digits()
    db.session.add(
        OneTimeCode(
            flow=flow,
            purpose=purpose,
            phone=phone,
            code_hash=tokens.hashed_code(code if serves else secrets.token_urlsafe(32), f"{purpose}|{flow}"),
            payload=json.dumps(payload, ensure_ascii=False) if payload is not None else None,
            expires_at=now() + CODE_LIVES,
        )
    )
    topic = "identity.code" if serves else _words_without_code(purpose)
    enqueue(topic, to=Recipient("code", flow), sealed=_seal_code(code if serves else "", flow))
    return flow


def _words_without_code(purpose: CodePurpose) -> str:
    return "identity.phone_taken" if purpose is CodePurpose.REGISTER else "identity.phone_unknown"


def _seal_code(code: str, flow: str) -> str:
    """The code on its way through the outbox, readable only with the site's keys."""
    return base64.b64encode(keys().seal(code, f"outbox|code.{flow}")).decode()


def _opened_code(sealed: str, flow: str) -> str | None:
    """None for what was not sealed for this flow, or under a key that was rotated away."""
    try:
        return keys().open(base64.b64decode(sealed), f"outbox|code.{flow}")
    except (InvalidTag, KeyError, ValueError):
        return None


def code_message(flow: str, sealed: str) -> tuple[str, str] | None:
    """The telephone and the code to send to it ("" where the words bring none); None once the flow has ended."""
    row = db.session.scalar(sa.select(OneTimeCode).where(OneTimeCode.flow == flow))
    if row is None or row.used_at is not None or row.expires_at <= now():
        return None
    code = _opened_code(sealed, flow)
    return None if code is None else (row.phone, code)


def finish_code(flow: str, code: str, purpose: CodePurpose) -> tuple[str, dict[str, Any]]:
    """Check a code, once. Return the proven telephone and the flow's payload; every failure reads the same.

    A try is counted in an aside before the code is looked at, so that a refusal does not undo the count.
    """
    stale = stale_code()
    with aside() as session:
        counted = session.execute(
            sa.update(OneTimeCode)
            .where(OneTimeCode.flow == flow, OneTimeCode.tries < CODE_TRIES)
            .values(tries=OneTimeCode.tries + 1)
        )
    row = db.session.scalar(sa.select(OneTimeCode).where(OneTimeCode.flow == flow, OneTimeCode.purpose == purpose))
    if row is None or getattr(counted, "rowcount", 0) != 1 or row.expires_at <= now():
        raise stale
    good = hmac.compare_digest(row.code_hash, tokens.hashed_code(code.strip(), f"{purpose}|{flow}"))
    once = sa.update(OneTimeCode).where(OneTimeCode.id == row.id, OneTimeCode.used_at.is_(None)).values(used_at=now())
    if not good or not guarded(once):
        raise stale
    return row.phone, json.loads(row.payload) if row.payload else {}


def stale_code() -> Refused:
    return Refused(_("验证码不对或已过期，请核对短信；也可以返回重新获取"), field="code")


def of_proven_phone(flow: str, code: str, purpose: CodePurpose) -> Account:
    """The account of the telephone that a code has proven, once."""
    phone, _payload = finish_code(flow, code, purpose)
    signed = account_of_phone(phone)
    if signed is None or signed.disabled_at is not None:
        raise stale_code()
    return signed


def sign_in_by_code(flow: str, code: str) -> Account:
    signed = of_proven_phone(flow, code, CodePurpose.SIGN_IN)
    sessions.open_session(signed)
    return signed


def rename(signed: Account, name: str) -> None:
    """What a resident is called on her own pages, once she says it otherwise."""
    signed.name = name


def open_resident_account(*, phone: str, name: str, password_hash: str) -> Account:
    """A resident's account on a proven telephone; refused when that telephone has one."""
    made = Account(
        platform=Platform.RESIDENT,
        name=name,
        phone=phone,
        phone_index=phone_index(phone),
        password_hash=password_hash,
        created_at=now(),
    )
    made.grants.append(RoleGrant(role=Role.RESIDENT, scope_kind="self", scope_ref=""))
    with unique_or(Refused(_("这个手机号已有账号，请直接登录；忘记密码可以用短信验证码登录。"))):
        db.session.add(made)
    audit.record("identity.account_opened", made)
    return made


def open_desk_account(*, username: str, name: str, password_hash: str) -> Account:
    """A worker's account. The first password is changed at the first sign-in."""
    made = Account(
        platform=Platform.DESK,
        username=username.strip().lower(),
        name=name,
        password_hash=password_hash,
        created_at=now(),
        must_change_password=True,
    )
    with unique_or(Refused(_("这个用户名已有人用，请换一个"), field="username")):
        db.session.add(made)
    audit.record("identity.account_opened", made)
    return made


def grant(signed: Account, role: Role, scope: Scope, *, until: datetime | None = None) -> None:
    """Give a role on a scope. The three administrators exclude each other and everything else."""
    # Held and read anew: of two roles given at once, the second must see the first.
    db.session.refresh(signed, with_for_update=True)
    held = {held.role for held in signed.grants}
    if held - {role} and (held | {role}) & EXCLUSIVE:
        raise Refused(_("系统管理员、安全管理员、审计员三者互斥，也不能兼任其他角色"), field="role")
    if scope.kind not in SCOPE_KINDS[role]:
        raise Refused(_("这个角色不能用在这个范围上"), field="scope")
    with unique_or(Refused(_("这个账号已有该范围上的这个角色"), field="role")):
        signed.grants.append(RoleGrant(role=role, scope_kind=scope.kind, scope_ref=scope.ref, until=until))
    _new_epoch(signed)
    audit.record("identity.role_granted", signed, role=role.value, scope=f"{scope.kind}:{scope.ref}")


def revoke(signed: Account, grant_id: int) -> None:
    held = next((held for held in signed.grants if held.id == grant_id), None)
    if held is None:
        raise Missing
    signed.grants.remove(held)
    _new_epoch(signed)
    audit.record("identity.role_revoked", signed, role=held.role.value)


def disable(signed: Account) -> None:
    signed.disabled_at = now()
    _new_epoch(signed)
    sessions.end_all(signed)
    audit.record("identity.account_disabled", signed)


def enable(signed: Account) -> None:
    signed.disabled_at = None
    audit.record("identity.account_enabled", signed)


def reset_password(signed: Account, password_hash: str) -> None:
    """A first password again, as an administrator gives it: every session ends, and it must be changed."""
    signed.password_hash, signed.must_change_password = password_hash, True
    _new_epoch(signed)
    sessions.end_all(signed)
    audit.record("identity.password_reset", signed)


def reset_totp(signed: Account) -> None:
    """Forget a lost authenticator: every session ends, and a new one is bound at the next sign-in."""
    signed.totp_secret = None
    _new_epoch(signed)
    sessions.end_all(signed)
    audit.record("identity.totp_reset", signed)


def _new_epoch(signed: Account) -> None:
    """Sessions of before the change are no longer good."""
    signed.epoch += 1


def desk_accounts(words: str = "", role: Role | None = None) -> list[Account]:
    """Workers' accounts with their grants, by user name; `words` are part of a name, `role` one that is held."""
    query = sa.select(Account).where(Account.platform == Platform.DESK).options(selectinload(Account.grants))
    if words:
        pattern = words.lower()
        named = Account.name.icontains(words, autoescape=True)
        query = query.where(sa.or_(named, Account.username.contains(pattern, autoescape=True)))
    if role:
        query = query.where(Account.grants.any(RoleGrant.role == role))
    return list(db.session.scalars(query.order_by(Account.username, Account.id)))


def last_sign_ins(accounts: Collection[Account]) -> dict[int, datetime]:
    """When each account last signed in, by account id; who never did is missing."""
    query = (
        sa.select(SignedSession.account_id, sa.func.max(SignedSession.created_at).label("last"))
        .where(SignedSession.account_id.in_([account.id for account in accounts]))
        .group_by(SignedSession.account_id)
    )
    return {row.account_id: row.last for row in db.session.execute(query)}


def purge(before: datetime) -> int:
    """Forget one-time codes that expired before a moment; return how many went."""
    gone = db.session.execute(sa.delete(OneTimeCode).where(OneTimeCode.expires_at < before))
    return int(getattr(gone, "rowcount", 0))
