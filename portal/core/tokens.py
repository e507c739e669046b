"""Signed words for links and codes, throttles in the database, and keys that make a resend harmless."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.core.clock import now
from portal.core.db import Base, aside, db, insert_once, unique_or
from portal.core.errors import Conflict, Refused, TooMany


class ThrottleCount(Base):
    """How often a key was used in a window; kept in the database so that processes share it."""

    __tablename__ = "throttle_count"
    __table_args__ = (sa.UniqueConstraint("key", "window"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64))
    window: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]


class RequestKey(Base):
    """A form's one-time key and the answer it led to: the same key again leads there again."""

    __tablename__ = "request_key"
    __table_args__ = (sa.UniqueConstraint("actor", "action", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(64))
    key: Mapped[str] = mapped_column(sa.String(64))
    body: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(index=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _bumping(dialect: str) -> Any:
    insert_into = postgresql.insert if dialect == "postgresql" else sqlite.insert
    table: Any = ThrottleCount.__table__
    first = insert_into(table).values(count=1)
    once_more = first.on_conflict_do_update(index_elements=["key", "window"], set_={"count": table.c.count + 1})
    return once_more.returning(table.c.count)


def _count(session: Session, kind: str, who: str, *, limit: int, per: timedelta) -> None:
    moment, span = now(), int(per.total_seconds())
    start = datetime.fromtimestamp(int(moment.timestamp()) // span * span, tz=moment.tzinfo)
    row = {"key": _digest(f"{kind}|{who}|{span}"), "window": start}
    used = session.connection().execute(_bumping(db.engine.dialect.name), row).scalar_one()
    if used > limit:
        raise TooMany(max(1, span - int((moment - start).total_seconds())))


def throttle(kind: str, who: str, *, limit: int, per: timedelta) -> None:
    """Count one use of `kind` by `who` in an aside; raise TooMany past `limit` within the running window.

    A use past the limit counts too: who hammers on waits as long as everybody.
    """
    late: TooMany | None = None
    with aside() as session:
        try:
            _count(session, kind, who, limit=limit, per=per)
        except TooMany as error:
            late = error
    if late:
        raise late


def throttle_done(kind: str, who: str, *, limit: int, per: timedelta) -> None:
    """The same in the running transaction, for acts that write anyway: what was refused is not counted."""
    _count(db.session, kind, who, limit=limit, per=per)


def same_request(actor: str, action: str, key: str, body: str) -> str | None:
    """The answer an earlier request with this key led to, or None. Another body under the key is a Conflict."""
    if not key:
        return None
    query = sa.select(RequestKey).where(RequestKey.actor == actor, RequestKey.action == action, RequestKey.key == key)
    earlier = db.session.scalar(query)
    if earlier is None:
        return None
    if earlier.body != _digest(body):
        raise Conflict(_("这张表单已经提交过，内容又有改动。请返回列表看看结果，再重新填写。"))
    return earlier.answer


def remember_request(actor: str, action: str, key: str, body: str, answer: str) -> None:
    """Bind a key to its answer in the running transaction; a simultaneous twin is refused by the database."""
    if not key:
        return
    with unique_or(Refused(_("刚才已经提交过了，请看看列表里是否已有。"))):
        db.session.add(
            RequestKey(actor=actor, action=action, key=key[:64], body=_digest(body), answer=answer, at=now())
        )


def first_request(actor: str, action: str, key: str, body: str, answer: str) -> str | None:
    """Bind a key to the answer that the running transaction is making; None when this request is the first with it.

    Otherwise the answer of the earlier one, for which a simultaneous twin waits. Another body is a Conflict.
    """
    if not key:
        return None
    row = {"actor": actor, "action": action, "key": key[:64], "body": _digest(body), "answer": answer, "at": now()}
    if insert_once(RequestKey, row):
        return None
    return same_request(actor, action, key[:64], body)


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    keys = [*current_app.config.get("SECRET_KEY_FALLBACKS", []), current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt=f"portal.{purpose}")


def sign(purpose: str, facts: Any) -> str:
    return _serializer(purpose).dumps(facts)


def unsign(purpose: str, text: str, *, within: timedelta) -> Any | None:
    """What was signed for this purpose, or None when it is forged, for another purpose, or too old."""
    try:
        return _serializer(purpose).loads(text, max_age=int(within.total_seconds()))
    except BadSignature:
        return None


def digits(count: int = 6) -> str:
    return "".join(secrets.choice("0123456789") for _digit in range(count))


def hashed_code(code: str, bound_to: str) -> str:
    """A one-time code as stored: keyed to the flow and the asker it was sent for."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, f"{bound_to}|{code}".encode(), hashlib.sha256).hexdigest()


def purge(before: datetime) -> int:
    """Forget throttle windows and request keys from before a moment; return how many rows went."""
    gone = db.session.execute(sa.delete(ThrottleCount).where(ThrottleCount.window < before))
    keys = db.session.execute(sa.delete(RequestKey).where(RequestKey.at < before))
    return int(getattr(gone, "rowcount", 0)) + int(getattr(keys, "rowcount", 0))
