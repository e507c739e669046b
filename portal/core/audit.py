"""The audit: rows written in the business transaction, append-only, sealed later into a hash chain of batches."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import g, has_request_context, request
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.core import access
from portal.core.clock import now
from portal.core.db import Base, Json, db, insert

GENESIS = "0" * 64
# A row younger than this may belong to a transaction still open elsewhere: longer than every database timeout.
SETTLED_AFTER = timedelta(minutes=5)
BATCH = 1000


class AuditRow(Base):
    """Who did what to which thing, when and why. Field names, never values."""

    __tablename__ = "audit_row"
    __table_args__ = (
        sa.Index("ix_audit_row_object", "object_type", "object_id", "id"),
        sa.Index("ix_audit_row_actor", "actor", "id"),
        # How often somebody did one thing within the hour.
        sa.Index("ix_audit_row_done", "actor", "action", "at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(sa.String(64))
    actor_name: Mapped[str] = mapped_column(sa.String(64))
    roles: Mapped[str] = mapped_column(sa.String(128))
    on_behalf_of: Mapped[str] = mapped_column(sa.String(64), default="")
    action: Mapped[str] = mapped_column(sa.String(64), index=True)
    object_type: Mapped[str] = mapped_column(sa.String(40), default="")
    object_id: Mapped[str] = mapped_column(sa.String(64), default="")
    facts: Mapped[Any] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    address: Mapped[str] = mapped_column(sa.String(48), default="")
    request_id: Mapped[str] = mapped_column(sa.String(32), default="")

    def canonical(self) -> str:
        """The row as the chain hashes it: every column, in a fixed order and form."""
        values = [getattr(self, column.key) for column in AuditRow.__table__.columns if column.key != "at"]
        return json.dumps([self.at.isoformat(), *values], ensure_ascii=False, sort_keys=True)


class AuditBatch(Base):
    """A sealed run of rows: `hash` is SHA-256(previous hash | canonical rows)."""

    __tablename__ = "audit_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    first_row: Mapped[int]
    last_row: Mapped[int]
    rows: Mapped[int]
    # Unique, so that two sealers at once cannot fork the chain.
    previous: Mapped[str] = mapped_column(sa.String(64), unique=True)
    hash: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Verdict:
    """What verify() found: sealed batches and rows, the unsealed tail, the head, and each flaw in words."""

    batches: int
    rows: int
    unsealed: int
    head: str
    flaws: tuple[str, ...]


def _origin() -> dict[str, str]:
    if not has_request_context():
        return {"actor": "system", "actor_name": "system", "roles": "", "address": "", "request_id": ""}
    actor = access.actor_or_none()
    roles = ",".join(dict.fromkeys(grant.role for grant in actor.grants)) if actor else ""
    return {
        "actor": actor.public_id if actor else "anonymous",
        "actor_name": actor.name if actor else "",
        "roles": roles[:128],
        "address": _prefix(request.remote_addr or ""),
        "request_id": g.get("request_id", ""),
    }


def _prefix(address: str) -> str:
    """The network of an address, enough to see where from and too little to point at a flat."""
    if ":" in address:
        return ":".join(address.split(":")[:3]) + "::"
    return ".".join([*address.split(".")[:3], "0"]) if address.count(".") == 3 else ""


def record(
    action: str,
    thing: Any = None,
    *,
    reason: str = "",
    on_behalf_of: str = "",
    session: Session | None = None,
    **facts: Any,
) -> None:
    """Add an audit row to the running transaction (or to `session`, within aside()).

    `thing` is a model with `public_id` or `id`. `facts` are names, counts and codes: never a sealed value.
    """
    object_id = str(getattr(thing, "public_id", "") or getattr(thing, "id", "") or "") if thing is not None else ""
    row = {
        "at": now(),
        "action": action,
        "object_type": type(thing).__name__ if thing is not None else "",
        "object_id": object_id,
        "facts": facts,
        "reason": reason[:200],
        "on_behalf_of": on_behalf_of,
        **_origin(),
    }
    insert(AuditRow, row, session=session)


def seal(*, until: datetime | None = None) -> int:
    """Seal the settled tail, batch after batch; return how many rows that took. Runs inside a transaction."""
    settled = until or now() - SETTLED_AFTER
    sealed = taken = _seal_batch(settled)
    while taken == BATCH:
        taken = _seal_batch(settled)
        sealed += taken
    return sealed


def _seal_batch(settled: datetime) -> int:
    head = head_batch()
    after = head.last_row if head else 0
    query = sa.select(AuditRow).where(AuditRow.id > after).order_by(AuditRow.id).limit(BATCH)
    rows = []
    for row in db.session.scalars(query):
        if row.at > settled:
            break
        rows.append(row)
    if not rows:
        return 0
    previous = head.hash if head else GENESIS
    db.session.add(
        AuditBatch(
            first_row=rows[0].id,
            last_row=rows[-1].id,
            rows=len(rows),
            previous=previous,
            hash=_hash(previous, rows),
            at=now(),
        )
    )
    db.session.flush()
    return len(rows)


def _hash(previous: str, rows: list[AuditRow]) -> str:
    digest = hashlib.sha256(previous.encode())
    for row in rows:
        digest.update(row.canonical().encode())
        digest.update(b"\n")
    return digest.hexdigest()


def head_batch() -> AuditBatch | None:
    return db.session.scalars(sa.select(AuditBatch).order_by(AuditBatch.id.desc()).limit(1)).first()


def verify(session: Session | None = None) -> Verdict:
    """Walk the whole chain and recompute every hash; in `session` where the request's own must not wait for it."""
    session = session or db.session
    previous, last, count, flaws = GENESIS, 0, 0, list[str]()
    batches = list(session.scalars(sa.select(AuditBatch).order_by(AuditBatch.id)))
    for batch in batches:
        rows = _rows_of(batch, last, session)
        flaws.extend(_flaws(batch, previous, rows))
        previous, last, count = batch.hash, batch.last_row, count + len(rows)
    tail = session.scalar(sa.select(sa.func.count()).select_from(AuditRow).where(AuditRow.id > last)) or 0
    return Verdict(len(batches), count, tail, previous, tuple(flaws))


def _rows_of(batch: AuditBatch, after: int, session: Session) -> list[AuditRow]:
    query = sa.select(AuditRow).where(AuditRow.id > after, AuditRow.id <= batch.last_row).order_by(AuditRow.id)
    return list(session.scalars(query))


def _flaws(batch: AuditBatch, previous: str, rows: list[AuditRow]) -> list[str]:
    """What is wrong with one batch, in words that name it."""
    which = {"batch": batch.id, "first": batch.first_row, "last": batch.last_row}
    found = []
    if batch.previous != previous:
        found.append(_("第 %(batch)s 批（第 %(first)s 至 %(last)s 条）接不上前一批。", **which))
    if len(rows) != batch.rows:
        words = _(
            "第 %(batch)s 批（第 %(first)s 至 %(last)s 条）应有 %(due)s 条，现在是 %(now)s 条。",
            due=batch.rows,
            now=len(rows),
            **which,
        )
        found.append(words)
    elif _hash(batch.previous, rows) != batch.hash:
        found.append(_("第 %(batch)s 批（第 %(first)s 至 %(last)s 条）的内容被改动过。", **which))
    return found


APPEND_ONLY = (
    "audit_row",
    "audit_batch",
    "stock_entry",
    "point_entry",
    "service_record_version",
    "topic_entry",
    "named_ballot",
)


def append_only_statements(table: str, dialect: str) -> list[str]:
    """The DDL that makes a table append-only, for a migration to execute."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    refuse = "EXECUTE FUNCTION portal_append_only()"
    body = "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    return [
        f"CREATE OR REPLACE FUNCTION portal_append_only() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
    ]
