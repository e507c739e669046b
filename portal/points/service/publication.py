"""The monthly publication (公示): what the people of a community earned and spent in a month."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from portal.core import clock
from portal.core.db import db
from portal.points.models import Balance, EntryKind, PointEntry
from portal.registry.models import Person
from portal.registry.service import people

SHOWN = 1000


@dataclass(frozen=True)
class Month:
    """What one person's points did in a month. What was taken back counts against what it took back."""

    person: Person
    earned: int
    spent: int
    adjusted: int
    expired: int


@dataclass(frozen=True)
class Sums:
    people: int
    earned: int
    spent: int


def month_bounds(month: date) -> tuple[date, date]:
    """The first day of a month and of the next."""
    first = month.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def monthly(community_ids: Collection[int], month: date) -> list[Month]:
    """Whoever's points moved in a month in some communities; who earned most first.

    Records that were merged count as the person they stand for; she is listed where she belongs.
    """
    first, following = month_bounds(month)
    start, end = clock.day_bounds(first)[0], clock.day_bounds(following)[0]
    back = sa.orm.aliased(PointEntry)
    kind = sa.func.coalesce(back.kind, PointEntry.kind)
    who = people.stood_for(Person.id.in_(sa.select(Balance.person_id)))
    sums = [
        sa.func.coalesce(sa.func.sum(PointEntry.points).filter(kind == one), 0)
        for one in (EntryKind.EARNED, EntryKind.SPENT, EntryKind.ADJUSTED, EntryKind.EXPIRED)
    ]
    query = (
        sa.select(Person, *sums)
        .select_from(PointEntry)
        .join(Balance, Balance.id == PointEntry.balance_id)
        .join(who, who.c.origin == Balance.person_id)
        .join(Person, Person.id == who.c.id)
        .outerjoin(back, back.id == PointEntry.reverses_id)
        .where(PointEntry.at >= start, PointEntry.at < end, Person.community_id.in_(community_ids))
        .group_by(Person.id)
        .order_by(sums[0].desc(), Person.id)
        .limit(SHOWN)
    )
    rows = db.session.execute(query)
    return [Month(row[0], int(row[1]), -int(row[2]), int(row[3]), -int(row[4])) for row in rows]


def sums_of(rows: Collection[Month]) -> Sums:
    return Sums(len(rows), sum(row.earned for row in rows), sum(row.spent for row in rows))
