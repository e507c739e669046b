"""How many questions the database is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from portal.core.db import db


@contextmanager
def count_queries() -> Iterator[list[str]]:
    """The SELECT statements sent inside; commands of the driver's own are none."""
    asked: list[str] = []

    def note(*event: object) -> None:
        statement = str(event[2])
        if statement.lstrip().upper().startswith("SELECT"):
            asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
