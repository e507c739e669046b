"""A grid's page: its people in figures, who works there, and what is open."""

from collections.abc import Collection
from dataclasses import dataclass

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.core.access import Scope
from portal.core.errors import Missing
from portal.home.service import desk
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.service import figures
from portal.registry.service.figures import Figures


@dataclass(frozen=True)
class Worker:
    """Somebody who works on the area, and how many things are open there on her desk, and late: no word of them."""

    account: Account
    open: int
    late: int


@dataclass(frozen=True)
class Page:
    area: Area
    figures: Figures
    workers: list[Worker]


def areas_in(within: Collection[Scope]) -> list[Area]:
    """The communities in scope with their grids after each; of a grid in scope the grid alone."""
    inside = areas.reach(within)
    found: list[Area] = []
    for community in areas.communities(within):
        whole = community.id in inside.communities
        found += [community] if whole else []
        found += [grid for grid in areas.grids(community) if whole or grid.id in inside.grids]
    return found


def page_of(within: Collection[Scope], code: str) -> Page:
    area = next((area for area in areas_in(within) if area.code == code), None)
    if area is None:
        raise Missing
    workers = [_worker(account, area) for account in staff.workers_on(Permission.DESK, [area.code])]
    return Page(area, figures.figures(area), workers)


def _worker(account: Account, area: Area) -> Worker:
    todo = desk.todo_of(staff.as_actor_on(account, area.code))
    return Worker(account, len(todo), sum(one.late for one in todo))


def is_grid(area: Area) -> bool:
    return area.kind is AreaKind.GRID
