"""The capabilities whose doors home calls, in the order in which a page shows them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from portal.areas.models import Area
from portal.casework.service import doors as casework
from portal.catalogue.service import doors as catalogue
from portal.core.access import Actor
from portal.core.doors import Line, Load, Passed, Todo
from portal.deliberation.service import doors as deliberation
from portal.duty.service import doors as duty
from portal.meals.service import doors as meals
from portal.registry.models import Person
from portal.registry.service import doors as registry
from portal.visits.service import doors as visits
from portal.volunteers.service import doors as volunteers


class Handing(Protocol):
    """The doors through which a worker's work passes to another: the register has them beside the capabilities."""

    def to_pass(self, giver: str, taker: str, area: Area) -> list[Passed]: ...
    def hand_over(self, giver: str, taker: str, area: Area) -> list[Passed]: ...
    def take_back(self, giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None: ...
    def passed_words(self, kind: str) -> str: ...
    def passed_names(self, kind: str, ids: Collection[int]) -> list[str]: ...


class Doors(Handing, Protocol):
    """The doors of a capability; portal/core/doors.py says what they hand over."""

    def todo_of(self, worker: Actor) -> list[Todo]: ...
    def open_of(self, workers: Collection[str], area: Area) -> dict[str, Load]: ...
    def timeline(self, person: Person, *, limit: int = 20) -> list[Line]: ...
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
    Capability("catalogue", catalogue, catalogue.KEPT),
    Capability("casework", casework, casework.KEPT),
    Capability("volunteers", volunteers, volunteers.KEPT),
    Capability("deliberation", deliberation, deliberation.KEPT),
)

SIDES: Mapping[str, Handing] = {**{one.name: one.doors for one in CAPABILITIES}, "registry": registry}
