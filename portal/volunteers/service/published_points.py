"""公示 of points: the months there are of a community, and what a month's page shows, names masked."""

from dataclasses import dataclass
from datetime import date, timedelta

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core.access import Scope
from portal.core.clock import today
from portal.points.service import publication

MONTHS = 12
EVERYWHERE = (Scope("all", ""),)


@dataclass(frozen=True)
class Shown:
    community: Area
    communities: tuple[Area, ...]
    month: date
    months: tuple[date, ...]
    rows: tuple[publication.Month, ...]

    @property
    def sums(self) -> publication.Sums:
        return publication.sums_of(self.rows)


def page_of(code: str, month: date | None) -> Shown | None:
    """The page of a community, the first unless named, and of a month, the last whole one unless named."""
    communities = tuple(areas.communities(EVERYWHERE))
    if not communities:
        return None
    community = next((area for area in communities if area.code == code), communities[0])
    months = last_months(today())
    chosen = month if month in months else months[1]
    rows = publication.monthly([community.id], chosen)
    return Shown(community, communities, chosen, months, tuple(rows))


def last_months(day: date) -> tuple[date, ...]:
    """The first days of this month and of those before it, the latest first."""
    months = [day.replace(day=1)]
    while len(months) < MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return tuple(months)
