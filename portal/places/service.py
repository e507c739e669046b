"""Taking, giving back and resizing a capacity, each by one guarded UPDATE."""

from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.places.models import Capacity


def open_capacity(total: int) -> Capacity:
    capacity = Capacity(total=total, taken=0)
    db.session.add(capacity)
    return capacity


def take(capacity_id: int, units: int, *, refusal: Refused) -> None:
    """Take units if they are left; the refusal otherwise. Two takers of the last unit: one gets it."""
    if not guarded(_taking(), {"of": capacity_id, "units": units}):
        raise refusal
    _forget(capacity_id)


@cache
def _taking() -> sa.Update:
    units: sa.BindParameter[Any] = sa.bindparam("units", type_=sa.Integer)
    return (
        sa.update(Capacity)
        .where(Capacity.id == sa.bindparam("of"), Capacity.taken + units <= Capacity.total)
        .values(taken=Capacity.taken + units)
    )


def give_back(capacity_id: int, units: int) -> None:
    if not guarded(
        sa.update(Capacity)
        .where(Capacity.id == capacity_id, Capacity.taken >= units)
        .values(taken=Capacity.taken - units)
    ):
        raise RuntimeError(f"capacity {capacity_id}: {units} given back that were never taken")
    _forget(capacity_id)


def resize(capacity_id: int, total: int, *, field: str = "") -> None:
    """Change the total, never below what is taken."""
    if not guarded(sa.update(Capacity).where(Capacity.id == capacity_id, Capacity.taken <= total).values(total=total)):
        raise Refused(_("已经订出的份数比这个数多，不能再减少"), field=field)
    _forget(capacity_id)


def _forget(capacity_id: int) -> None:
    """The row changed behind the session's back: read it again when asked."""
    known = db.session.identity_map.get(sa.orm.util.identity_key(Capacity, capacity_id))
    if known is not None:
        db.session.expire(known)
