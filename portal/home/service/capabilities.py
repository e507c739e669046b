"""The capabilities whose five doors home calls, in the order in which a page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from portal.areas.models import Area
from portal.core.access import Actor
from portal.core.doors import Line, Todo
from portal.duty.service import doors as duty
from portal.meals.service import doors as meals
from portal.registry.models import Person
from portal.visits.service import doors as visits


class Doors(Protocol):
    """The five doors of a capability; portal/core/doors.py says what they hand over."""

    def todo_of(self, worker: Actor) -> list[Todo]: ...
    def timeline(self, person: Person, *, limit: int = 20) -> list[Line]: ...
    def hand_over(self, giver: str, taker: str, area: Area) -> int: ...
    def export(self, person: Person) -> list[dict[str, Any]]: ...
    def purge(self, before: date) -> int: ...


@dataclass(frozen=True)
class Capability:
    """A capability by name, its doors, and the setting that says for how many days it keeps what is over."""

    name: str
    doors: Doors
    kept: str


CAPABILITIES: Sequence[Capability] = (
    Capability("meals", meals, meals.KEPT),
    Capability("visits", visits, visits.KEPT),
    Capability("duty", duty, duty.KEPT),
)
