"""A resident's first page: who she is, what waits, her next meals and what is on the menu."""

from dataclasses import dataclass, field

from portal.catalogue.models.appointments import Appointment
from portal.catalogue.service import appointments, waiting
from portal.catalogue.service.waiting import Waits
from portal.core.access import Actor
from portal.core.clock import now
from portal.meals.models import MealOrder, Menu
from portal.meals.service import glance, history
from portal.registry.models import Claim, ClaimState, Person
from portal.registry.service import agents, claims, people
from portal.registry.service.agents import Standing

COMING = 3


@dataclass(frozen=True)
class Home:
    person: Person | None = None
    claim: Claim | None = None
    standing: Standing | None = None
    coming: list[MealOrder] = field(default_factory=list)
    menus: list[Menu] = field(default_factory=list)
    appointment: Appointment | None = None
    offers: list[Waits] = field(default_factory=list)

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
    booked_for = people.people_for(actor, appointments.BOOK, me=person)
    return Home(
        person=person,
        claim=None if person else claims.claim_of(actor),
        standing=agents.standing(actor),
        coming=list(history.orders_for(actor).coming[:COMING]),
        menus=glance.served_soon(person.community_id if person else None),
        appointment=appointments.next_of(booked_for),
        offers=[one for one in waiting.waits_of(booked_for) if one.waiting.stands(now())],
    )
