"""A worker's day on paper: her visits in the order of the doors, each with why, the last one, and what to ask."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.registry.models import Person
from portal.registry.service import people
from portal.visits.models import OPEN, REFERRAL_OPEN, CareSubject, Referral, Visit, VisitState
from portal.visits.service import loading, visiting
from portal.visits.service.visiting import Tab

# How many doors one sheet holds, and how many sheets are printed at once.
MOST = 120
MOST_SHEETS = 10
AHEAD = timedelta(days=31)


@dataclass(frozen=True)
class Stop:
    """One door: the visit, and what was found before and is still to be followed up."""

    visit: Visit
    referrals: list[Referral] = field(default_factory=list)


class Split(StrEnum):
    """How more doors than a sheet holds become several: by whole buildings, or the most pressing first, day by day."""

    BUILDING = "building"
    DAY = "day"


@dataclass(frozen=True)
class Sheet:
    """The doors that somebody takes along on a day, in their order."""

    day: date
    stops: list[Stop]


@dataclass(frozen=True)
class Route:
    """The sheets of a day; `more` where there are others, less at risk, that even they have no room for."""

    sheets: list[Sheet]
    more: bool

    @property
    def stops(self) -> list[Stop]:
        return [stop for sheet in self.sheets for stop in sheet.stops]


def day_of(text: str) -> date:
    """From "2026-11-23"; anything else, what is over and what is far ahead is today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today()
    return day if today() <= day <= today() + AHEAD else today()


def route(
    within: Collection[Scope], *, worker: str | None, day: date, split: Split = Split.BUILDING, most: int | None = None
) -> Route:
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
        .limit((most := most or MOST * MOST_SHEETS) + 1)
    )
    found = list(db.session.scalars(query))
    visits = found[:most]
    open_of = _open_referrals({visit.person_id for visit in visits})
    stops = [Stop(visit, open_of[visit.person_id]) for visit in visits]
    sheets = _by_day(stops, day) if split is Split.DAY else _by_building(stops, day)
    return Route(sheets, len(found) > most)


def _by_day(stops: Sequence[Stop], day: date) -> list[Sheet]:
    """As many as a sheet holds for each day, the most pressing on the first."""
    parts = [stops[start : start + MOST] for start in range(0, len(stops), MOST)]
    return [Sheet(day + timedelta(days=turn), sorted(part, key=_place)) for turn, part in enumerate(parts)]


def _by_building(stops: Sequence[Stop], day: date) -> list[Sheet]:
    """Whole buildings as long as there is room; one that no sheet holds goes over several."""
    sheets: list[list[Stop]] = []
    for _building, group in groupby(sorted(stops, key=_place), key=lambda stop: _door(stop.visit)[1][:2]):
        doors = list(group)
        if sheets and len(sheets[-1]) + len(doors) <= MOST:
            sheets[-1] += doors
        else:
            sheets += [doors[start : start + MOST] for start in range(0, len(doors), MOST)]
    return [Sheet(day, doors) for doors in sheets]


def _place(stop: Stop) -> tuple[Any, ...]:
    return _door(stop.visit)


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
    stops = route(within, worker=worker, day=today(), most=MOST).stops
    left = [stop.visit for stop in stops if stop.visit.id != visit.id and stop.visit.state is not VisitState.NOT_MET]
    return next((one for one in left if _door(one) > _door(visit)), left[0] if left else None)
