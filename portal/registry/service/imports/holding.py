"""Held until the end, and as it stands now: a batch, so that it has one act at a time, and the people it writes to."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.core.errors import Refused
from portal.registry.models import ImportBatch, ImportRow, Person


def batch(of: ImportBatch, row: ImportRow | None = None) -> None:
    """The batch first, before anything that an act on it writes; then the row that the act is about."""
    _now(ImportBatch, of.id)
    if row is not None and _now(ImportRow, row.id) is None:
        raise Refused(_("这一行刚才有人处理过，或者已经清除。请返回重新查看这一批。"))


def person(number: int | None) -> Person | None:
    """One person; who edits her waits, or was first."""
    found: Person | None = _now(Person, number) if number else None
    return found


def people(which: sa.ColumnElement[bool], *, leaving: bool = False) -> None:
    """Many, in the order in which everybody holds people; nothing is read of them. Nobody edits them meanwhile; whoever
    is not about to leave may still order a meal.
    """
    query = sa.select(Person.id).where(which).order_by(Person.id)
    db.session.execute(query.with_for_update(key_share=not leaving)).close()


def _now(model: type[Any], number: int) -> Any:
    query = sa.select(model).where(model.id == number).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
