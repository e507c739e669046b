"""The inbox of an account: notices are placed by delivery, counted on the bell, and marked read."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from portal.core.access import Actor
from portal.core.clock import now, today
from portal.core.db import db
from portal.notifications.models import Notice
from portal.notifications.service import reading

SHOWN = 50


def place(account_ids: Iterable[int], topic: str, facts: dict[str, Any]) -> None:
    moment = now()
    # An address is for a telephone: on the page the notice itself leads there, by its path.
    facts = {name: fact for name, fact in facts.items() if name != "address"}
    for account_id in account_ids:
        db.session.add(Notice(account_id=account_id, topic=topic, facts=facts, at=moment))


def notices_of(actor: Actor, limit: int = SHOWN) -> list[Notice]:
    """The newest notices of an account first."""
    query = sa.select(Notice).where(Notice.account_id == actor.account_id).order_by(Notice.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def unread(actor: Actor) -> int:
    return db.session.scalar(_unread(), {"account": actor.account_id}) or 0


def bell(actor: Actor) -> int:
    """A resident's bell: messages, and announcements for her or whom she acts for; all in one question."""
    return db.session.scalar(_bell(), {"account": actor.account_id, "day": today(), "at": now()}) or 0


@cache
def _unread() -> sa.Select[int]:
    """Every page of a worker asks this: built once."""
    return sa.select(sa.func.count()).where(Notice.account_id == sa.bindparam("account"), Notice.read_at.is_(None))


@cache
def _bell() -> sa.Select[int]:
    """Every page of a resident asks this: built once."""
    return sa.select(_unread().scalar_subquery() + reading.unread_query().scalar_subquery())


def settle(actor: Actor, topic: str) -> None:
    """Mark an account's notices of a topic read: what they warned of is over."""
    waits = (Notice.account_id == actor.account_id, Notice.topic == topic, Notice.read_at.is_(None))
    db.session.execute(sa.update(Notice).where(*waits).values(read_at=now()))


def mark_all_read(actor: Actor, up_to: int) -> None:
    """Mark what the reader has seen: a notice that came since the page was shown stays unread."""
    db.session.execute(
        sa.update(Notice)
        .where(Notice.account_id == actor.account_id, Notice.read_at.is_(None), Notice.id <= up_to)
        .values(read_at=now())
    )


def purge(before: datetime) -> int:
    """Forget notices from before a moment; return how many went."""
    gone = db.session.execute(sa.delete(Notice).where(Notice.at < before))
    return int(getattr(gone, "rowcount", 0))
