"""A worker's day: what must be done today across the capabilities, and the canteens' figures."""

from dataclasses import dataclass, field

from portal.administration.service import calendar_end
from portal.areas.models import Area
from portal.core import clock
from portal.core.access import Actor, scopes_of
from portal.core.doors import Todo
from portal.duty.service import answering
from portal.duty.service import people as duty
from portal.duty.service.answering import OnDuty
from portal.home.service import handover
from portal.home.service.capabilities import CAPABILITIES
from portal.identity.permissions import Permission
from portal.meals.models import MealOrder
from portal.meals.service import history, today
from portal.meals.service.today import Figures, Total
from portal.registry.service import doors as registry

FEW = 2


@dataclass(frozen=True)
class Desk:
    """What a worker's permissions reach; `todo` has what is late first, then what is due first; who answers now."""

    todo: list[Todo] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)
    total: Total | None = None
    missed: list[MealOrder] = field(default_factory=list)
    answering: list[tuple[Area, list[OnDuty]]] = field(default_factory=list)

    @property
    def missed_count(self) -> str:
        """How many of `missed` there are; it may be cut off, which a plus says."""
        return f"{len(self.missed)}{'+' if len(self.missed) >= history.MISSED else ''}"


def desk_of(worker: Actor) -> Desk:
    meals, reading = scopes_of(worker, Permission.MEALS_TODAY), scopes_of(worker, Permission.PEOPLE_READ)
    figures = today.today(meals) if meals else []
    return Desk(
        todo=todo_of(worker),
        figures=figures,
        total=today.total(figures) if meals else None,
        missed=history.missed(reading, clock.today()) if meals and reading else [],
        answering=_answering(worker),
    )


def _answering(worker: Actor) -> list[tuple[Area, list[OnDuty]]]:
    """Who answers now where the worker is at home; a street has a page of its own for its many communities."""
    communities = duty.communities(duty.reach(worker))
    if len(communities) > FEW:
        return []
    found = answering.by_community(communities, clock.now())
    return [(area, found[area.id]) for area in communities]


def todo_of(worker: Actor) -> list[Todo]:
    found = [*calendar_end.todo_of(worker), *handover.todo_of(worker), *registry.todo_of(worker)]
    for capability in CAPABILITIES:
        found += capability.doors.todo_of(worker)
    return sorted(found, key=lambda todo: (not todo.late, todo.due is None, todo.due or clock.now()))
