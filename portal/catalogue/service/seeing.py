"""A row that two may edit at once: read again and held, before it is compared with what the second one saw."""

from typing import Any

import sqlalchemy as sa

from portal.core.db import db
from portal.core.errors import Missing


def hold(row: Any) -> None:
    """Read a row as it stands now and keep it from others until the commit; Missing when it is gone."""
    kind = type(row)
    query = sa.select(kind).where(kind.id == row.id).with_for_update(of=kind, key_share=True)
    if db.session.scalar(query.execution_options(populate_existing=True)) is None:
        raise Missing
