"""Who has how much, who may be given a request, and how long requests dwell in each state."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas import service as areas
from portal.areas.models import Area, AreaKind
from portal.casework.models.cases import Case, CaseStep
from portal.casework.models.codes import HELD, CaseState, Deed
from portal.casework.service import queue
from portal.core.access import Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.doors import Load
from portal.identity import staff
from portal.identity.permissions import Permission, label


@dataclass(frozen=True)
class Worker:
    """Somebody who may be given a request: her account, her name with her role, what she has."""

    public_id: str
    name: str
    words: str
    load: Load


def candidates(case: Case) -> list[Worker]:
    """Who may hold a request: those who handle requests in its community or its grid, the least laden first.

    Who is complained of is none of them.
    """
    codes = [case.community.code, *([case.grid.code] if case.grid else [])]
    held = staff.holders(Permission.CASES_HANDLE, codes)
    names = {
        account.public_id: (account.name, label(grant.role))
        for account, grant in held
        if account.public_id != case.against_worker
    }
    loads = held_by(names)
    found = [
        Worker(public_id, name, _("%(name)s（%(role)s）", name=name, role=role), loads.get(public_id, Load()))
        for public_id, (name, role) in names.items()
    ]
    return sorted(found, key=lambda one: (one.load.open, one.load.late, one.name, one.public_id))


def held_by(workers: Collection[str]) -> dict[str, Load]:
    """What each of some workers holds, open and late."""
    query = (
        sa.select(Case.holder, sa.func.count(Case.id), sa.func.count(Case.id).filter(queue.due_moment() < now()))
        .where(Case.holder.in_(workers), Case.state.in_(HELD))
        .group_by(Case.holder)
        .order_by(Case.holder)
    )
    return {holder: Load(count, late) for holder, count, late in db.session.execute(query)} if workers else {}


def last_given(workers: Collection[str]) -> dict[str, datetime]:
    """When each was last given a request, so that of equals the one longest without comes first."""
    query = (
        sa.select(Case.holder, sa.func.max(Case.assigned_at))
        .where(Case.holder.in_(workers), Case.assigned_at.is_not(None))
        .group_by(Case.holder)
        .order_by(Case.holder)
    )
    return {row[0]: row[1] for row in db.session.execute(query) if row[1]} if workers else {}


def next_in_turn(case: Case) -> Worker | None:
    """轮派: the worker with the least in hand; of equals who was given something the longest ago."""
    found = candidates(case)
    given = last_given([one.public_id for one in found])
    first = datetime.min.replace(tzinfo=now().tzinfo)
    return min(
        found,
        key=lambda one: (one.load.open, given.get(one.public_id, first), one.name, one.public_id),
        default=None,
    )


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    """What is open in the name of each of some workers in an area; "" for what is nobody's."""
    here = (Case.grid_id if area.kind is AreaKind.GRID else Case.community_id) == area.id
    nobodys = sa.and_(Case.holder == "", Case.state.in_((CaseState.SUBMITTED, CaseState.ACCEPTED, CaseState.RETURNED)))
    theirs = sa.and_(Case.holder.in_(workers), Case.state.in_(HELD))
    query = (
        sa.select(Case.holder, sa.func.count(Case.id), sa.func.count(Case.id).filter(queue.due_moment() < now()))
        .where(here, sa.or_(nobodys, theirs))
        .group_by(Case.holder)
        .order_by(Case.holder)
    )
    return {holder: Load(count, late) for holder, count, late in db.session.execute(query)}


@dataclass
class Dwell:
    """How long requests stayed in a state (or with a worker): how many stays, hours in all, the longest with its id."""

    words: str
    count: int = 0
    total: timedelta = timedelta()
    longest: timedelta = timedelta()
    longest_case: str = ""
    longest_number: str = ""
    by_state: dict[CaseState, "Dwell"] = field(default_factory=dict)

    def add(self, stay: timedelta, public_id: str, number: str) -> None:
        self.count += 1
        self.total += stay
        if stay > self.longest:
            self.longest, self.longest_case, self.longest_number = stay, public_id, number

    @property
    def average_hours(self) -> float:
        return self.total.total_seconds() / 3600 / self.count if self.count else 0.0

    @property
    def longest_hours(self) -> float:
        return self.longest.total_seconds() / 3600


@dataclass(frozen=True)
class Dwelling:
    """Stays that ended in a span, by state and by the worker who ended them."""

    states: dict[CaseState, Dwell]
    workers: list[Dwell]


def dwelling(within: Collection[Scope], since: datetime, until: datetime) -> Dwelling:
    """How long requests stayed in each state before a worker or a resident moved them on, and who let them wait."""
    scoped = sa.select(CaseStep.case_id).where(CaseStep.deed == Deed.MOVED, CaseStep.at.between(since, until))
    query = (
        sa.select(
            CaseStep.case_id,
            CaseStep.at,
            CaseStep.from_state,
            CaseStep.to_state,
            CaseStep.by_name,
            CaseStep.side,
            Case.public_id,
            Case.number,
        )
        .join(CaseStep.case)
        .where(CaseStep.deed == Deed.MOVED, queue.inside(within), CaseStep.case_id.in_(scoped), CaseStep.at <= until)
        .order_by(CaseStep.case_id, CaseStep.id)
    )
    states: dict[CaseState, Dwell] = {}
    workers: dict[str, Dwell] = defaultdict(lambda: Dwell(""))
    entered: dict[int, datetime] = {}
    for row in db.session.execute(query):
        came, entered[row.case_id] = entered.get(row.case_id), row.at
        if came is None or row.at < since or row.from_state is None:
            continue
        stay = row.at - came
        states.setdefault(row.from_state, Dwell("")).add(stay, row.public_id, row.number or "")
        if row.side.value == "worker" and row.by_name:
            one = workers[row.by_name]
            one.words = row.by_name
            one.add(stay, row.public_id, row.number or "")
            one.by_state.setdefault(row.from_state, Dwell("")).add(stay, row.public_id, row.number or "")
    turns = {state: turn for turn, state in enumerate(CaseState)}
    ordered = dict(sorted(states.items(), key=lambda pair: turns[pair[0]]))
    return Dwelling(ordered, sorted(workers.values(), key=lambda one: (-one.average_hours, one.words)))


def workers(within: Collection[Scope]) -> list[Worker]:
    """Everybody who handles requests in some scopes, with what she holds, the most laden first."""
    communities = areas.communities(within)
    codes = [area.code for area in [*communities, *areas.grids_of(communities)]]
    names = {
        account.public_id: (account.name, label(grant.role))
        for account, grant in staff.holders(Permission.CASES_HANDLE, codes)
    }
    held = held_by(names)
    found = [
        Worker(public_id, name, _("%(name)s（%(role)s）", name=name, role=role), held.get(public_id, Load()))
        for public_id, (name, role) in names.items()
    ]
    return sorted(found, key=lambda one: (-one.load.open, one.name, one.public_id))
