"""Reading the tables that a street sets: who has which level, how often, the ladder, where findings go."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

import sqlalchemy as sa

from portal.core.db import db
from portal.registry.models import TagKind
from portal.visits.models import CareRule, FindingKind, FindingRoute, Frequency, LadderRung, Level, LevelFrequency
from portal.visits.models.rules import Dated

Row = TypeVar("Row", bound=Dated)

ROUTE_DAYS = 7


def holding(kind: type[Row], community_code: str, day: date) -> list[Row]:
    """The rows of a table in force on a day in a community; the nearest area first, then the newest."""
    query = (
        sa.select(kind)
        .where(kind.valid_from <= day, sa.or_(kind.valid_to.is_(None), kind.valid_to >= day))
        .order_by(sa.func.length(kind.area_code).desc(), kind.valid_from.desc(), sa.inspect(kind).primary_key[0])
    )
    return [row for row in db.session.scalars(query) if community_code.startswith(row.area_code)]


def judge(rules: Sequence[CareRule], tags: frozenset[TagKind], age: int | None) -> CareRule | None:
    """The rule that gives somebody her level: of those that fit, the one with the most urgent level."""
    fitting = [rule for rule in rules if rule.fits(tags, age)]
    return min(fitting, key=lambda rule: (rule.level.rank, rule.id)) if fitting else None


def _nearest(rows: Iterable[Row], key: str) -> dict[object, Row]:
    found: dict[object, Row] = {}
    for row in rows:
        found.setdefault(getattr(row, key), row)
    return found


def frequencies(community_code: str, day: date) -> dict[Level, Frequency]:
    """How often each level is visited; a level without a row is visited once a month."""
    rows = _nearest(holding(LevelFrequency, community_code, day), "level")
    return {level: rows[level].frequency if level in rows else Frequency.MONTHLY for level in Level}


def ladder(community_code: str, day: date) -> list[LadderRung]:
    """The steps when somebody is not met, in the order of their times."""
    rows = _nearest(holding(LadderRung, community_code, day), "kind").values()
    return sorted(rows, key=lambda rung: (rung.minutes, rung.id))


def route(community_code: str, kind: FindingKind, day: date) -> tuple[str, date]:
    """Whom a finding goes to and until when; "" where the street has not said."""
    row = _nearest(holding(FindingRoute, community_code, day), "kind").get(kind)
    return (row.party, day + timedelta(days=row.days)) if row else ("", day + timedelta(days=ROUTE_DAYS))
