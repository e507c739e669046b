"""On which working day of its period a visit is promised: level over each worker's days, the riskiest and latest first.

Only what is promised now finds its day here; what was promised before stays where it is and counts as the day's load.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import calendar, settings
from portal.core.db import db
from portal.registry.models import Person
from portal.visits.models import OPEN, CareSubject, Visit, VisitState

PER_DAY = "visits.per_day"
settings.declare(
    PER_DAY,
    default=12,
    label=lambda: _("补排或把漏访提前时，一个人一天最多几次探访"),
    unit=lambda: _("次"),
    least=1,
    most=100,
)
A_WEEK = timedelta(days=6)

Row = dict[str, Any]


class Loads:
    """How many visits each worker of a community has on each day; days after the month's end count as its middle."""

    def __init__(self, community: Area, day: date, last: date) -> None:
        month_end = day.replace(day=monthrange(day.year, day.month)[1])
        self.horizon = max(month_end, day + A_WEEK)
        self.special = {special.day: special.works for special in calendar.special_days(day, last)}
        self.taken: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
        query = (
            sa.select(Visit.worker, Visit.planned_on, sa.func.count(Visit.id))
            .join(Visit.person)
            .where(Person.community_id == community.id, Visit.planned_on.between(day, last))
            .where(Visit.state.in_((*OPEN, VisitState.DONE)))
            .group_by(Visit.worker, Visit.planned_on)
            .order_by(Visit.worker, Visit.planned_on)
        )
        for worker, planned_on, count in db.session.execute(query):
            self.taken[worker][planned_on] += count

    def works(self, day: date) -> bool:
        return self.special.get(day, day.weekday() < 5)

    def days(self, first: date, last: date) -> list[date]:
        """The working days of a span, or all of it where nobody works in it."""
        found = [first + timedelta(days=turn) for turn in range((last - first).days + 1)]
        return [day for day in found if self.works(day)] or found

    def of(self, worker: str, days: list[date]) -> list[int]:
        """The load of each day; one that no month was planned for yet is taken to become like those that were."""
        taken = self.taken[worker]
        known = [taken[day] for day in days if day <= self.horizon]
        middle = sum(known) // len(known) if known else 0
        return [taken[day] if day <= self.horizon else max(taken[day], middle) for day in days]


def spread(rows: list[Row], subjects: Iterable[CareSubject], community: Area, day: date) -> list[Row]:
    """Give every row its day, and answer those that are promised.

    A week that is running already takes no more than fits into what is left of it: for the others the next begins.
    """
    if not rows:
        return rows
    known = {subject.id: subject for subject in subjects}
    loads = Loads(community, day, max(row["due_on"] for row in rows))
    groups: dict[tuple[date, date, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["due_on"], row["from_on"], row["worker"]].append(row)
    kept: list[Row] = []
    # Whoever has the fewest days to fall on chooses first: weeks, then the month, then the quarter.
    for due_on, from_on, worker in sorted(groups, key=lambda key: (key[0] - key[1], *key)):
        group = sorted(groups[due_on, from_on, worker], key=lambda row: _first(row, known[row["subject_id"]]))
        days = loads.days(max(from_on, day), due_on)
        before = loads.of(worker, days)
        if from_on < day and due_on - from_on <= A_WEEK:
            group = group[: _room(loads, days, before)]
        turns = iter(group)
        for one, share in zip(days, _shares(before, len(group)), strict=True):
            for _turn in range(share):
                next(turns)["planned_on"] = one
            loads.taken[worker][one] += share
        kept += group
    return kept


def _first(row: Row, subject: CareSubject) -> tuple[int, date, int, int]:
    """The riskiest, then who was not met for longest, then by home: neighbours fall on one day."""
    return row["rank"], subject.last_met_on or date.min, subject.person.household_id or 0, subject.id


def _room(loads: Loads, days: list[date], before: list[int]) -> int:
    """How many visits more the working days left of a running week take."""
    most = settings.get(PER_DAY)
    return sum(max(0, most - load) for day, load in zip(days, before, strict=True) if loads.works(day))


def _shares(loads: list[int], count: int) -> list[int]:
    """How many of `count` each day takes so that the days end as level as can be; the last few stand evenly apart."""
    levels, left = list(loads), count
    while left:
        lowest = min(levels)
        lows = [turn for turn, level in enumerate(levels) if level == lowest]
        taking = lows if left >= len(lows) else [lows[turn * len(lows) // left] for turn in range(left)]
        for turn in taking:
            levels[turn] += 1
        left -= len(taking)
    return [level - load for level, load in zip(levels, loads, strict=True)]


def bring_forward(visits: Collection[Visit], community: Area, day: date) -> None:
    """Those who were missed come first: on the first working days with room, and never later than was promised."""
    if not visits:
        return
    loads = Loads(community, day, max(visit.due_on for visit in visits))
    most = settings.get(PER_DAY)
    for visit in sorted(visits, key=lambda one: (one.rank, one.late_since or one.due_on, one.subject_id)):
        taken = loads.taken[visit.worker]
        promised = max(visit.planned_on, day)
        days = [one for one in loads.days(day, promised) if one < promised and taken[one] < most]
        if visit.planned_on >= day:
            # What was promised before today counts as no day's load yet.
            taken[promised] -= 1
        visit.planned_on = days[0] if days else promised
        taken[visit.planned_on] += 1
