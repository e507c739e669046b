"""What the database's own files still hold of the order in which unnamed votes were cast is put out of them.

Counting writes both tables anew; the pages that it frees, and SQLite's log, would keep the old rows for a while.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.core.db import db
from portal.core.engines import AUTOCOMMIT
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import SecretBallot, Turnout, Vote

# A night that was missed is made up for in the next one.
LOOKS_BACK = timedelta(days=3)
ENDED = (VoteState.COUNTED, VoteState.VOID, VoteState.CANCELLED)


def is_due(at: datetime) -> bool:
    """Whether an unnamed vote ended lately."""
    ended = sa.func.coalesce(Vote.counted_at, Vote.closed_at)
    query = sa.select(Vote.id).where(Vote.is_named.is_(False), Vote.state.in_(ENDED), ended >= at - LOOKS_BACK)
    return db.session.scalar(query.limit(1)) is not None


def sweep() -> None:
    """Outside any transaction: SQLite writes its file anew and empties its log, PostgreSQL writes the two tables anew.

    Writers wait for so long: it is done at night.
    """
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as connection:
            connection.execution_options(**AUTOCOMMIT)
            for model in (Turnout, SecretBallot):
                connection.exec_driver_sql(f"VACUUM (FULL) {model.__tablename__}")
        return
    kept = db.engine.raw_connection()
    try:
        for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            kept.cursor().execute(statement)
    finally:
        kept.close()
