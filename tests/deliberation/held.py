"""What tests of who was quicker are made of: a row that another changed meanwhile, and what an act locks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from portal.core.db import db


def changed_elsewhere(row: Any, **values: Any) -> None:
    """The row as another left it: the session still holds what it has read before."""
    model = type(row)
    db.session.connection().execute(sa.update(model).where(model.id == row.id).values(**values))


@contextmanager
def locks() -> Iterator[list[str]]:
    """The tables of which an act holds rows, in order."""
    found: list[str] = []

    def seen(_connection: Any, statement: Any, *_more: Any) -> None:
        if getattr(statement, "_for_update_arg", None) is not None:
            found.append(statement.get_final_froms()[0].name)

    sa.event.listen(db.engine, "before_execute", seen)
    try:
        yield found
    finally:
        sa.event.remove(db.engine, "before_execute", seen)
