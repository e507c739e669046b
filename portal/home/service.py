"""What the pages that span capabilities put together: each part comes through its capability's service."""

from collections.abc import Collection
from dataclasses import dataclass, field

from portal.core import clock
from portal.core.access import Actor, Scope
from portal.meals.models import MealOrder, Menu
from portal.meals.service import glance, history, today
from portal.meals.service.today import Figures, Todo, Total
from portal.registry.models import AgentState, BatchState, Claim, ClaimState, Person
from portal.registry.service import agents, claims, imports, people, records
from portal.registry.service.agents import Standing

COMING = 3


@dataclass(frozen=True)
class Home:
    """A resident's home: who she is, what waits, her next meals and what is on the menu."""

    person: Person | None = None
    claim: Claim | None = None
    standing: Standing | None = None
    coming: list[MealOrder] = field(default_factory=list)
    menus: list[Menu] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        return self.claim is not None and self.claim.state is ClaimState.PENDING

    @property
    def refused(self) -> bool:
        return self.claim is not None and self.claim.state is ClaimState.REFUSED


def home_of(actor: Actor | None) -> Home:
    if actor is None:
        return Home(menus=glance.served_soon())
    person = people.person_of_or_none(actor)
    return Home(
        person=person,
        claim=None if person else claims.claim_of(actor),
        standing=agents.standing(actor),
        coming=list(history.orders_for(actor).coming[:COMING]),
        menus=glance.served_soon(person.community_id if person else None),
    )


@dataclass(frozen=True)
class Desk:
    """A worker's day: the canteens' figures and what waits, as far as her permissions reach."""

    figures: list[Figures] = field(default_factory=list)
    total: Total | None = None
    claims_waiting: int | None = None
    agents_waiting: int | None = None
    imports_waiting: int | None = None
    todo: list[Todo] = field(default_factory=list)
    missed: list[MealOrder] = field(default_factory=list)


def desk_of(
    *,
    meals: Collection[Scope],
    reading: Collection[Scope],
    deciding: Collection[Scope],
    importing: Collection[Scope],
    canteens: Collection[Scope],
) -> Desk:
    """Each argument is a scope: where she may see the day's meals, know people, decide claims, import, run canteens."""
    figures = today.today(meals) if meals else []
    return Desk(
        figures=figures,
        total=today.total(figures) if meals else None,
        claims_waiting=claims.waiting(deciding) if deciding else None,
        agents_waiting=len(agents.agents(deciding, AgentState.REQUESTED)) if deciding else None,
        imports_waiting=_to_confirm(importing) if importing else None,
        todo=today.todo_of(canteens) if canteens else [],
        missed=history.missed(reading, clock.today()) if meals and reading else [],
    )


def _to_confirm(within: Collection[Scope]) -> int:
    """How many of the latest imports are checked and wait for somebody to confirm them."""
    return sum(batch.state is BatchState.CHECKED for batch in imports.batches(within))


@dataclass(frozen=True)
class Dossier:
    """Everything a worker may know of a person in her scope."""

    person: Person
    household: list[Person]
    masked: dict[str, tuple[str, str]]
    orders: list[MealOrder]


def dossier(within: Collection[Scope], public_id: str) -> Dossier:
    """`masked` maps a sealed field to its words and how it stands on a page, for the fields that hold something."""
    person = people.person_in(within, public_id)
    masked = {kind.value: (records.field_words(kind), records.masked(person, kind)) for kind in records.SealedField}
    return Dossier(
        person=person,
        household=records.household_of(person, within),
        masked={kind: words for kind, words in masked.items() if words[1]},
        orders=history.orders_of(person),
    )
