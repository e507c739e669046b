"""Server-side sessions: opened at sign-in, read before each view in a session of their own, ended at any time."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import Response, current_app, g, request
from sqlalchemy.orm import Session

from portal.config import Config
from portal.core import access, audit
from portal.core.access import Actor, Grant, Platform, Scope
from portal.core.clock import now, today
from portal.core.db import aside, db, glance, guarded
from portal.core.errors import Missing
from portal.identity.models import Account, RoleGrant, SignedSession
from portal.identity.permissions import Role, label

# Resident: idle 24 h, at most 14 days. Desk: idle 15 min, at most 10 h, two sessions at once (docs/decisions.md).
IDLE = {Platform.RESIDENT: timedelta(hours=24), Platform.DESK: timedelta(minutes=15)}
LONGEST = {Platform.RESIDENT: timedelta(days=14), Platform.DESK: timedelta(hours=10)}
DESK_SESSIONS = 2
NOTE_USE_EVERY = timedelta(seconds=60)


def cookie_name() -> str:
    config: Config = current_app.extensions["portal.config"]
    return "__Host-sid" if config.production else "sid"


def _hash(sid: str) -> str:
    return hashlib.sha256(sid.encode()).hexdigest()


def open_session(account: Account) -> None:
    """Begin a new signed-in session in the running transaction; the cookie leaves with the answer.

    An older session of the same browser is ended, so that no value known before sign-in survives it.
    """
    moment, sid = now(), secrets.token_urlsafe(32)
    _end_cookie(db.session, moment)
    db.session.add(
        SignedSession(
            sid_hash=_hash(sid),
            account_id=account.id,
            platform=account.platform,
            epoch=account.epoch,
            created_at=moment,
            seen_at=moment,
            authenticated_at=moment,
            agent=(request.user_agent.string or "")[:120],
        )
    )
    db.session.flush()
    if account.platform is Platform.DESK:
        _keep_newest(account, moment)
    audit.record("identity.signed_in", account)
    g.new_sid = (sid, account.platform)


def _keep_newest(account: Account, moment: datetime) -> None:
    query = (
        sa.select(SignedSession)
        .where(
            SignedSession.account_id == account.id,
            SignedSession.ended_at.is_(None),
            SignedSession.seen_at >= moment - IDLE[account.platform],
        )
        .order_by(SignedSession.created_at.desc(), SignedSession.id.desc())
        .offset(DESK_SESSIONS)
    )
    for surplus in db.session.scalars(query):
        surplus.ended_at = moment


def _end_cookie(session: Session, moment: datetime) -> None:
    sid = request.cookies.get(cookie_name(), "")
    if sid:
        session.execute(
            sa.update(SignedSession)
            .where(SignedSession.sid_hash == _hash(sid), SignedSession.ended_at.is_(None))
            .values(ended_at=moment)
        )


def close_session() -> None:
    """End the browser's session in the running transaction; the cookie goes with the answer."""
    if access.actor_or_none() is not None:
        audit.record("identity.signed_out")
    _end_cookie(db.session, now())
    g.drop_sid = True


def end_all(account: Account, *, but: int | None = None) -> None:
    """End every session of an account (except one), as after a new password or a dismissal."""
    query = sa.update(SignedSession).where(
        SignedSession.account_id == account.id,
        SignedSession.ended_at.is_(None),
        SignedSession.id != (but or 0),
    )
    db.session.execute(query.values(ended_at=now()))


def live(account_id: int) -> list[SignedSession]:
    """The sessions by which somebody could act now, the one used last first."""
    query = (
        sa.select(SignedSession)
        .join(SignedSession.account)
        .where(
            SignedSession.account_id == account_id,
            SignedSession.ended_at.is_(None),
            SignedSession.epoch == Account.epoch,
        )
    )
    moment = now()
    found = db.session.scalars(query.order_by(SignedSession.seen_at.desc(), SignedSession.id.desc()))
    return [signed for signed in found if _alive(signed, moment)]


def end(account_id: int, session_id: int) -> None:
    """End one session of an account; Missing when it has none of that id."""
    query = sa.update(SignedSession).where(
        SignedSession.account_id == account_id,
        SignedSession.id == session_id,
        SignedSession.ended_at.is_(None),
    )
    if not guarded(query.values(ended_at=now())):
        raise Missing
    audit.record("identity.session_ended")


def end_others(actor: Actor) -> None:
    """End every session of the actor's account but the one that asks."""
    query = sa.update(SignedSession).where(
        SignedSession.account_id == actor.account_id,
        SignedSession.id != actor.session_id,
        SignedSession.ended_at.is_(None),
    )
    db.session.execute(query.values(ended_at=now()))
    audit.record("identity.sessions_ended")


def purge(before: datetime) -> int:
    """Forget sessions that ended, or could last no longer, before a moment; each account's newest stays, which says
    when it was last used. Return how many went.
    """
    newest = sa.select(sa.func.max(SignedSession.id)).group_by(SignedSession.account_id)
    over = sa.or_(
        SignedSession.ended_at < before,
        *(
            sa.and_(SignedSession.platform == kind, SignedSession.created_at < before - LONGEST[kind])
            for kind in Platform
        ),
    )
    gone = db.session.execute(sa.delete(SignedSession).where(over, SignedSession.id.not_in(newest)))
    return int(getattr(gone, "rowcount", 0))


def reauthenticated(session_id: int) -> None:
    """The password was given again just now."""
    db.session.execute(sa.update(SignedSession).where(SignedSession.id == session_id).values(authenticated_at=now()))


def knows_device(actor: Actor) -> bool:
    """Whether the account was signed in on such a device a day ago already, as far as browsers say what they are."""
    mine = sa.select(SignedSession.agent).where(SignedSession.id == actor.session_id).scalar_subquery()
    query = sa.select(SignedSession.id).where(
        SignedSession.account_id == actor.account_id,
        SignedSession.agent == mine,
        SignedSession.created_at <= now() - timedelta(days=1),
    )
    return db.session.scalar(query.limit(1)) is not None


def _alive(signed: Any, at: datetime) -> bool:
    return (
        signed.ended_at is None
        and at - signed.seen_at <= IDLE[signed.platform]
        and at - signed.created_at <= LONGEST[signed.platform]
    )


def load_actor() -> Actor | None:
    """Who the cookie says is asking, read by itself before the view."""
    sid = request.cookies.get(cookie_name(), "")
    if not sid:
        return None
    moment = now()
    rows = glance(_by_cookie(), {"sid_hash": _hash(sid)})
    actor = _actor(rows, moment) if rows else None
    if actor and moment - rows[0].seen_at > NOTE_USE_EVERY:
        with aside() as session:
            session.execute(sa.update(SignedSession).where(SignedSession.id == rows[0].id).values(seen_at=moment))
    return actor


@cache
def _by_cookie() -> sa.Select[*tuple[Any, ...]]:
    """A session with its account, a row for each grant. Every request asks this: columns, and built once."""
    signed, account = SignedSession, Account
    return (
        sa.select(
            *(signed.id, signed.platform, signed.epoch, signed.created_at, signed.seen_at, signed.authenticated_at),
            *(signed.ended_at, account.id.label("account_id"), account.public_id, account.name),
            *(account.disabled_at, account.expires_on, account.closes_on, account.must_change_password),
            account.epoch.label("epoch_now"),
            account.totp_secret.is_not(None).label("has_totp"),
            *(RoleGrant.role, RoleGrant.scope_kind, RoleGrant.scope_ref, RoleGrant.until),
        )
        .join(signed.account)
        .outerjoin(account.grants)
        .where(signed.sid_hash == sa.bindparam("sid_hash"))
        .order_by(RoleGrant.id)
    )


def _actor(rows: Sequence[sa.Row[Any]], at: datetime) -> Actor | None:
    signed = rows[0]
    if not _alive(signed, at) or signed.epoch_now != signed.epoch:
        return None
    if signed.disabled_at is not None or (signed.expires_on is not None and signed.expires_on < today()):
        return None
    held = [row for row in rows if row.role is not None and (row.until is None or at < row.until)]
    return Actor(
        account_id=signed.account_id,
        public_id=signed.public_id,
        name=signed.name,
        platform=signed.platform,
        grants=tuple(Grant(row.role.value, Scope(row.scope_kind, row.scope_ref)) for row in held),
        session_id=signed.id,
        authenticated_at=signed.authenticated_at,
        closes_on=signed.closes_on,
        cache={"duty": _duty(signed)},
        role_label="、".join(dict.fromkeys(label(row.role) for row in held if row.role is not Role.RESIDENT)),
    )


def _duty(account: sa.Row[Any]) -> str:
    """What a worker has to do before anything else: a password of her own, then an authenticator; "" when done."""
    config: Config = current_app.extensions["portal.config"]
    if account.platform is not Platform.DESK:
        return ""
    if account.must_change_password:
        return "password"
    return "totp" if config.worker_totp and not account.has_totp else ""


def set_cookies(response: Response) -> Response:
    """Send the new session's cookie, or take the old one away, with an answer that succeeded."""
    name, secure = cookie_name(), cookie_name().startswith("__Host-")
    fresh: tuple[str, Platform] | None = g.get("new_sid")
    if fresh and response.status_code < 400:
        sid, platform = fresh
        longest = int(LONGEST[platform].total_seconds())
        response.set_cookie(name, sid, max_age=longest, secure=secure, httponly=True, samesite="Lax", path="/")
    elif g.get("drop_sid"):
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
