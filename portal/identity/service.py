"""Accounts and signing in: the same words, and the same time, for an unknown name as for a wrong password."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.core import audit, ids, tokens
from portal.core.access import Platform, Scope
from portal.core.clock import now, today
from portal.core.db import aside, db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient, enqueue
from portal.core.sealing import blind
from portal.identity import passwords, recovery, sessions
from portal.identity.models import Account, OneTimeCode, RoleGrant, SignedSession
from portal.identity.permissions import EXCLUSIVE, SCOPE_KINDS, Role

# Past it a resident still signs in by a code; a worker has no other way, but an authenticator behind the password.
NAME_TRIES_AN_HOUR = {Platform.RESIDENT: 20, Platform.DESK: 100}


@dataclass(frozen=True)
class Found:
    """What sign-in needs of an account, detached: hashing happens outside any transaction."""

    account_id: int
    password_hash: str
    public_id: str
    closed: bool
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
    closed = not account.is_open(today())
    return Found(account.id, account.password_hash, account.public_id, closed, bool(account.totp_secret))


def check_password(login: str, password: str, *, platform: Platform, address: str) -> Found:
    """Throttle, look up, hash outside any transaction, and say the same whatever was wrong.

    Raise TooMany when the address or the name was tried too often, Refused when name and password do not agree.
    """
    _throttle_sign_in(f"{platform}|{_login_key(login, platform)}", platform, address)
    found = _by_login(login, platform)
    db.session.rollback()
    good = passwords.matches(password, found.password_hash if found else None, platform)
    if not good or found is None or found.closed:
        note_failure(platform, found.public_id if found else "")
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


def note_failure(platform: Platform, public_id: str = "") -> None:
    """Record a failure, with the account it was aimed at where there is one; what was typed is never kept."""
    aimed_at = Account(public_id=public_id) if public_id else None
    with aside() as session:
        audit.record("identity.sign_in_failed", aimed_at, session=session, platform=platform.value)


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


def queue(account_id: int) -> None:
    """Acts of one account that count before they add wait here for each other, until their transaction ends."""
    db.session.execute(sa.select(Account.id).where(Account.id == account_id).with_for_update())


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
    if not signed.is_open(today()) or signed.password_hash != found.password_hash:
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


def open_desk_account(*, username: str, name: str, password_hash: str, expires_on: date | None = None) -> Account:
    """A worker's account, perhaps until the end of a day. The first password is changed at the first sign-in."""
    _refuse_past(expires_on)
    made = Account(
        platform=Platform.DESK,
        username=username.strip().lower(),
        name=name,
        password_hash=password_hash,
        created_at=now(),
        must_change_password=True,
        expires_on=expires_on,
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


def expire(signed: Account, on: date | None) -> None:
    """Let an account end with a day, or never. Past it nobody signs in, and a session that is open ends at once."""
    _refuse_past(on)
    signed.expires_on = on
    audit.record("identity.expiry_set", signed, until=on.isoformat() if on else "")


def _refuse_past(day: date | None) -> None:
    if day and day < today():
        raise Refused(_("到期日不能早于今天；要马上停用，请用“停用账号”"), field="expires_on")


def reset_password(signed: Account, password_hash: str) -> None:
    """A first password again, as an administrator gives it: every session ends, and it must be changed."""
    signed.password_hash, signed.must_change_password = password_hash, True
    _new_epoch(signed)
    sessions.end_all(signed)
    audit.record("identity.password_reset", signed)


def reset_totp(signed: Account) -> None:
    """Forget a lost authenticator and its recovery codes: sessions end, a new one is bound at the next sign-in."""
    signed.totp_secret = None
    recovery.forget(signed)
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
