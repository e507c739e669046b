"""A worker's day on paper: her visits in the order of the doors, each with why, the last one, and what to ask."""

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.registry.models import Person
from portal.registry.service import people
from portal.visits.models import OPEN, REFERRAL_OPEN, CareSubject, Referral, Visit, VisitState
from portal.visits.service import loading, visiting
from portal.visits.service.visiting import Tab

MOST = 120
AHEAD = timedelta(days=31)


@dataclass(frozen=True)
class Stop:
    """One door: the visit, and what was found before and is still to be followed up."""

    visit: Visit
    referrals: list[Referral] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """The doors of a day; `more` where there are others, less at risk, that the sheet has no room for."""

    stops: list[Stop]
    more: bool


def day_of(text: str) -> date:
    """From "2026-11-23"; anything else, what is over and what is far ahead is today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today()
    return day if today() <= day <= today() + AHEAD else today()


def route(within: Collection[Scope], *, worker: str | None, day: date) -> Sheet:
    """What is to be visited on a day: today with what is late, another day what is promised for it."""
    planned = visiting.in_tab(Tab.TODAY, day) if day == today() else Visit.planned_on == day
    whose = [] if worker is None else [Visit.worker.in_([worker, ""])]
    query = (
        sa.select(Visit)
        .join(Visit.person)
        .where(people.within(within), Visit.state.in_(OPEN), planned, *whose)
        .options(
            *loading.eager(Visit.person),
            sa.orm.joinedload(Visit.subject).joinedload(CareSubject.rule),
            sa.orm.joinedload(Visit.round),
            sa.orm.defer(Visit.record),
            sa.orm.defer(Visit.draft),
        )
        .order_by(Visit.rank, Visit.due_on, Visit.id)
        .limit(MOST + 1)
    )
    found = list(db.session.scalars(query))
    visits = found[:MOST]
    open_of = _open_referrals({visit.person_id for visit in visits})
    stops = [Stop(visit, open_of[visit.person_id]) for visit in sorted(visits, key=_door)]
    return Sheet(stops, len(found) > MOST)


def _open_referrals(person_ids: Collection[int]) -> dict[int, list[Referral]]:
    query = (
        sa.select(Referral)
        .where(Referral.person_id.in_(person_ids), Referral.state.in_(REFERRAL_OPEN))
        .order_by(Referral.due_on, Referral.id)
    )
    found: dict[int, list[Referral]] = defaultdict(list)
    for referral in db.session.scalars(query):
        found[referral.person_id].append(referral)
    return found


def _door(visit: Visit) -> tuple[bool, list[list[tuple[bool, int, str]]], str, int]:
    """Estate, building, unit and room as people count them: 2 before 10; who has no address comes last."""
    person: Person = visit.person
    home = person.household.dwelling if person.household else None
    if home is None:
        return True, [], person.name, visit.id
    parts = (home.building.estate.name, home.building.name, home.unit, home.room)
    return False, [_counted(part) for part in parts], person.name, visit.id


def _counted(text: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def following(visit: Visit, within: Collection[Scope], *, worker: str) -> Visit | None:
    """The door after a visit's on the worker's day, from the last to the first again; who was not met is a check's."""
    stops = route(within, worker=worker, day=today()).stops
    left = [stop.visit for stop in stops if stop.visit.id != visit.id and stop.visit.state is not VisitState.NOT_MET]
    return next((one for one in left if _door(one) > _door(visit)), left[0] if left else None)
