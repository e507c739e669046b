"""Server-side sessions: opened at sign-in, read before each view in a session of their own, ended at any time."""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Response, current_app, g, request
from sqlalchemy.orm import Session, joinedload

from portal.config import Config
from portal.core import access, audit
from portal.core.access import Actor, Grant, Platform, Scope
from portal.core.clock import now
from portal.core.db import apart, aside, db, guarded
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


def reauthenticated(session_id: int) -> None:
    """The password was given again just now."""
    db.session.execute(sa.update(SignedSession).where(SignedSession.id == session_id).values(authenticated_at=now()))


def _alive(signed: SignedSession, at: datetime) -> bool:
    return (
        signed.ended_at is None
        and at - signed.seen_at <= IDLE[signed.platform]
        and at - signed.created_at <= LONGEST[signed.platform]
    )


def load_actor() -> Actor | None:
    """Who the cookie says is asking, read in a session of its own that ends before the view."""
    sid = request.cookies.get(cookie_name(), "")
    if not sid:
        return None
    query = (
        sa.select(SignedSession)
        .where(SignedSession.sid_hash == _hash(sid))
        .options(joinedload(SignedSession.account).selectinload(Account.grants))
    )
    moment = now()
    with apart() as session:
        signed = session.scalar(query)
        actor = _actor(signed, moment) if signed else None
    if signed and actor and moment - signed.seen_at > NOTE_USE_EVERY:
        with aside() as session:
            session.execute(sa.update(SignedSession).where(SignedSession.id == signed.id).values(seen_at=moment))
    return actor


def _actor(signed: SignedSession, at: datetime) -> Actor | None:
    account = signed.account
    if not _alive(signed, at) or account.disabled_at is not None or account.epoch != signed.epoch:
        return None
    held = [grant for grant in account.grants if grant.holds(at)]
    return Actor(
        account_id=account.id,
        public_id=account.public_id,
        name=account.name,
        platform=signed.platform,
        grants=tuple(_grant(grant) for grant in held),
        session_id=signed.id,
        authenticated_at=signed.authenticated_at,
        cache={"duty": _duty(account)},
        role_label="、".join(dict.fromkeys(label(grant.role) for grant in held if grant.role is not Role.RESIDENT)),
    )


def _duty(account: Account) -> str:
    """What a worker has to do before anything else: a password of her own, then an authenticator; "" when done."""
    config: Config = current_app.extensions["portal.config"]
    if account.platform is not Platform.DESK:
        return ""
    if account.must_change_password:
        return "password"
    return "totp" if config.worker_totp and not account.totp_secret else ""


def _grant(grant: RoleGrant) -> Grant:
    return Grant(grant.role.value, Scope(grant.scope_kind, grant.scope_ref))


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
