"""A grid's page: its people in figures, who works there, and what is open."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.core.access import Scope
from portal.core.doors import Load
from portal.core.errors import Missing
from portal.home.service import handover
from portal.home.service.capabilities import CAPABILITIES
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.service import figures
from portal.registry.service.figures import Figures


@dataclass(frozen=True)
class Page:
    """An area; who works there, each with how much is open in her name, no word of what; and what is nobody's."""

    area: Area
    figures: Figures
    workers: list[tuple[Account, Load]]
    nobodys: Load


def areas_in(within: Collection[Scope]) -> list[Area]:
    """The communities in scope with their grids after each; of a grid in scope the grid alone."""
    inside, communities = areas.reach(within), areas.communities(within)
    grids: dict[int, list[Area]] = defaultdict(list)
    for grid in areas.grids_of(communities):
        if grid.parent_id in inside.communities or grid.id in inside.grids:
            grids[grid.parent_id or 0].append(grid)
    found: list[Area] = []
    for community in communities:
        found += [community] if community.id in inside.communities else []
        found += grids[community.id]
    return found


def page_of(within: Collection[Scope], code: str) -> Page:
    area = next((area for area in areas_in(within) if area.code == code), None)
    if area is None:
        raise Missing
    accounts = staff.workers_on(Permission.DESK, [area.code])
    loads = _loads([account.public_id for account in accounts], area)
    workers = [(account, loads[account.public_id]) for account in accounts]
    return Page(area, figures.figures(area), workers, loads[""])


def _loads(workers: list[str], area: Area) -> dict[str, Load]:
    """What each of them has open here, all capabilities and hand-overs to sign together."""
    found: dict[str, Load] = defaultdict(Load)
    for held in (handover.open_of(workers, area), *(one.doors.open_of(workers, area) for one in CAPABILITIES)):
        for worker, load in held.items():
            found[worker] += load
    return found


def is_grid(area: Area) -> bool:
    return area.kind is AreaKind.GRID
