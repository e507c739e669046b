"""Parameters: what a place or a year may set otherwise, declared in code, changed on a page, dated."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import g, has_app_context
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import audit
from portal.core.clock import now, today
from portal.core.db import Base, Json, db, rows_of
from portal.core.errors import Refused


class Parameter(Base):
    """One value of a declared parameter, in force from a day until the next value's day."""

    __tablename__ = "parameter"
    __table_args__ = (sa.UniqueConstraint("key", "valid_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64))
    value: Mapped[Any] = mapped_column(Json)
    valid_from: Mapped[date]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str] = mapped_column(sa.String(200), default="")


@dataclass(frozen=True)
class Declared:
    key: str
    default: int
    label: Callable[[], str]
    unit: Callable[[], str]
    least: int
    most: int
    step: int = 1


DECLARED: dict[str, Declared] = {}


def declare(
    key: str, *, default: int, label: Callable[[], str], unit: Callable[[], str], least: int, most: int, step: int = 1
) -> None:
    """Name a whole-number parameter with its default, bounds, and words (callables: said in the reader's language).

    With a `step`, only its multiples are taken.
    """
    DECLARED[key] = Declared(key, default, label, unit, least, most, step)


def get(key: str, on: date | None = None) -> int:
    """The value in force on a day (today unless told), else the declared default."""
    day = on or today()
    known: dict[tuple[str, date], int] = g.setdefault("parameters", {}) if has_app_context() else {}
    if (key, day) not in known:
        found = rows_of(_in_force(), {"key": key, "day": day})
        known[key, day] = int(found[0].value) if found else DECLARED[key].default
    return known[key, day]


def ahead(*keys: str) -> None:
    """Read today's values of several in one question, for a page that will ask for each of them."""
    known: dict[tuple[str, date], int] = g.setdefault("parameters", {})
    day, wanted = today(), [key for key in keys if (key, today()) not in known]
    if not wanted:
        return
    query = sa.select(Parameter).where(Parameter.key.in_(wanted), Parameter.valid_from <= day)
    found = {row.key: int(row.value) for row in db.session.scalars(query.order_by(Parameter.valid_from))}
    known.update({(key, day): found.get(key, DECLARED[key].default) for key in wanted})


@cache
def _in_force() -> sa.Select[Any]:
    return (
        sa.select(Parameter.value)
        .where(Parameter.key == sa.bindparam("key"), Parameter.valid_from <= sa.bindparam("day"))
        .order_by(Parameter.valid_from.desc())
        .limit(1)
    )


def history(key: str) -> list[Parameter]:
    query = sa.select(Parameter).where(Parameter.key == key).order_by(Parameter.valid_from.desc())
    return list(db.session.scalars(query))


def put(key: str, value: int, *, valid_from: date, by: str, note: str = "") -> Parameter:
    """Set a value from a day on; setting the same day again replaces it. Refused out of bounds or off its step."""
    declared = DECLARED[key]
    if not declared.least <= value <= declared.most:
        words = _("请填 %(least)s 到 %(most)s 之间的整数", least=declared.least, most=declared.most)
        raise Refused(words, field="value")
    if value % declared.step:
        raise Refused(_("请填 %(step)s 的整数倍", step=declared.step), field="value")
    query = sa.select(Parameter).where(Parameter.key == key, Parameter.valid_from == valid_from)
    row = db.session.scalar(query) or Parameter(key=key, valid_from=valid_from)
    row.value, row.set_at, row.set_by, row.note = value, now(), by, note
    db.session.add(row)
    audit.record("settings.parameter_set", None, key=key, value=value, valid_from=valid_from.isoformat())
    db.session.flush()
    g.pop("parameters", None)
    return row
