"""How alembic reaches this application's database and tables."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from portal.core.db import Base
from portal.core.sealing import Blind


def _plain(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Migrations name database types only: a revision must not change when a column type of ours does."""
    if kind == "type" and isinstance(thing, sa.types.TypeDecorator):
        return f"sa.{thing.impl!r}"
    if kind == "type" and isinstance(thing, Blind):
        return f"sa.LargeBinary(length={thing.length})"
    # Rendered for the database that the revision is generated on, 1 is no boolean for the other.
    if kind == "server_default" and isinstance(thing, sa.DefaultClause) and isinstance(thing.arg, sa.True_ | sa.False_):
        return "sa.true()" if isinstance(thing.arg, sa.True_) else "sa.false()"
    return False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=False,
    render_item=_plain,
)
with context.begin_transaction():
    context.run_migrations()
