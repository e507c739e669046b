"""The rates of requests (domain rules, section 7): of each the numerator, the denominator, and the excluded by reason.

A request counts in the period in which what it is measured by was due (accepting, contacting, finishing, calling back),
or in which it happened (being called back, given to somebody): so that every request counts once, in one period.
Exactly at the end is in time. Pauses do not count as working time; an extension that was granted is the end; a request
withdrawn or merged before it was due, declined, or still paused at the end counts nowhere, and is listed by reason.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.areas.models import Area
from portal.casework.models.cases import Case, CasePause
from portal.casework.models.categories import Category
from portal.casework.models.codes import CaseState, Satisfaction, Urgency
from portal.casework.service import queue
from portal.casework.service.periods import Period
from portal.core import clock
from portal.core.access import Scope
from portal.core.db import db
from portal.core.working import WorkingTime

S = CaseState
Moment = datetime | sa.ColumnElement[datetime]


class Measure(StrEnum):
    ACCEPTED = "accepted"
    RESPONDED = "responded"
    FINISHED = "finished"
    SOLVED = "solved"
    SATISFIED = "satisfied"
    CALLED_BACK = "called_back"
    REDONE = "redone"
    RETURNED = "returned"


class Left(StrEnum):
    """Why a request does not count."""

    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    DECLINED = "declined"
    PAUSED = "paused"
    NO_PHONE = "no_phone"
    UNREACHED = "unreached"
    NO_OPINION = "no_opinion"


# Of these the fewer the better.
FEWER = frozenset({Measure.REDONE, Measure.RETURNED})


@dataclass(frozen=True)
class Fact:
    """What of a request is measured; moments in UTC."""

    id: int
    state: CaseState
    state_at: datetime
    category_id: int | None
    grid_id: int | None
    community_id: int
    holder: str
    holder_name: str
    urgency: Urgency
    reachable: bool
    submitted_at: datetime
    accept_due: datetime | None
    accepted_at: datetime | None
    assigned_at: datetime | None
    contact_due: datetime | None
    contacted_at: datetime | None
    finish_due: datetime | None
    answered_at: datetime | None
    callback_due: datetime | None
    called_back_at: datetime | None
    redos: int
    returns: int
    solved: bool | None
    satisfaction: Satisfaction | None

    def gone_before(self, due: datetime | None) -> Left | None:
        """Withdrawn, merged or declined before something was due (or at all, where it never was)."""
        gone = {S.WITHDRAWN: Left.WITHDRAWN, S.MERGED: Left.MERGED, S.DECLINED: Left.DECLINED}.get(self.state)
        return gone if gone and (due is None or self.state_at <= due) else None


@dataclass
class Figure:
    """One rate: the requests that fulfil it, those that do not, and those left out by reason: ids, to click through."""

    measure: Measure
    met: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)
    left: dict[Left, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def due(self) -> int:
        """The denominator."""
        return len(self.met) + len(self.missed)

    @property
    def permille(self) -> int | None:
        return len(self.met) * 1000 // self.due if self.due else None

    @property
    def percent(self) -> str:
        """Cut, not rounded: 99.97 is not yet 100."""
        return "—" if self.permille is None else f"{self.permille // 10}.{self.permille % 10}%"

    def left_count(self) -> int:
        return sum(len(ids) for ids in self.left.values())

    def ids(self, which: str) -> list[int]:
        """The requests behind a number: met, missed, due, or a reason for being left out."""
        if which in set(Left):
            return self.left.get(Left(which), [])
        known = {"met": self.met, "missed": self.missed}
        return known.get(which, [*self.met, *self.missed])


@dataclass
class Taken:
    """How long answering took, in working hours without pauses."""

    minutes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def hours(self) -> dict[int, float]:
        """By request, the longest first."""
        return {case_id: minutes / 60 for minutes, case_id in sorted(self.minutes, reverse=True)}

    @property
    def average_hours(self) -> float | None:
        return sum(one for one, _id in self.minutes) / len(self.minutes) / 60 if self.minutes else None

    @property
    def worst(self) -> tuple[float, int] | None:
        """Hours and the request."""
        longest = max(self.minutes, default=None)
        return (longest[0] / 60, longest[1]) if longest else None


@dataclass
class Row:
    """A category's, grid's or worker's figures, or all of them."""

    key: str
    name: str
    figures: dict[Measure, Figure] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)
    sent: list[int] = field(default_factory=list)

    def figure(self, measure: Measure) -> Figure:
        return self.figures.setdefault(measure, Figure(measure))


def _due_in(period: Period, due: datetime | None, now: datetime) -> bool:
    """Whether something was due in the period, and is due by now."""
    return due is not None and period.holds(due) and due <= now


Judged = bool | Left | None
Judge = Callable[[Fact, Period, datetime], Judged]


def _accepted(fact: Fact, period: Period, now: datetime) -> Judged:
    if not _due_in(period, fact.accept_due, now) or fact.accept_due is None:
        return None
    if fact.state in {S.WITHDRAWN, S.MERGED} and fact.state_at <= fact.accept_due and fact.accepted_at is None:
        return fact.gone_before(fact.accept_due)
    decided = fact.accepted_at or (fact.state_at if fact.state is S.DECLINED else None)
    return decided is not None and decided <= fact.accept_due


def _responded(fact: Fact, period: Period, now: datetime) -> Judged:
    if not _due_in(period, fact.contact_due, now) or fact.contact_due is None:
        return None
    if fact.contacted_at is None and (gone := fact.gone_before(fact.contact_due)):
        return gone
    if fact.contacted_at is None and not fact.reachable:
        return Left.NO_PHONE
    return fact.contacted_at is not None and fact.contacted_at <= fact.contact_due


def _finished(fact: Fact, period: Period, now: datetime) -> Judged:
    if not _due_in(period, fact.finish_due, now) or fact.finish_due is None:
        return None
    answered = fact.answered_at if fact.answered_at and fact.state is not S.REDO else None
    if answered is None and (gone := fact.gone_before(fact.finish_due)):
        return gone
    if answered is None and fact.state is S.PAUSED:
        return Left.PAUSED
    return answered is not None and answered <= fact.finish_due


def _called_back(fact: Fact, period: Period, now: datetime) -> Judged:
    if not _due_in(period, fact.callback_due, now) or fact.callback_due is None or fact.answered_at is None:
        return None
    if fact.called_back_at is None or fact.called_back_at < fact.answered_at:
        return Left.UNREACHED if fact.state in {S.CLOSED, S.ARCHIVED} else False
    return fact.called_back_at <= fact.callback_due


def _solved(fact: Fact, period: Period, _now: datetime) -> Judged:
    if fact.called_back_at is None or not period.holds(fact.called_back_at):
        return None
    return Left.UNREACHED if fact.solved is None else fact.solved


def _satisfied(fact: Fact, period: Period, _now: datetime) -> Judged:
    if fact.called_back_at is None or not period.holds(fact.called_back_at):
        return None
    if fact.satisfaction is None:
        return Left.NO_OPINION
    return fact.satisfaction in {Satisfaction.GOOD, Satisfaction.FAIR}


def _redone(fact: Fact, period: Period, _now: datetime) -> Judged:
    if fact.called_back_at is None or not period.holds(fact.called_back_at):
        return None
    return fact.redos > 0


def _returned(fact: Fact, period: Period, _now: datetime) -> Judged:
    if fact.assigned_at is None or not period.holds(fact.assigned_at):
        return None
    return fact.returns > 0


JUDGES: dict[Measure, Judge] = {
    Measure.ACCEPTED: _accepted,
    Measure.RESPONDED: _responded,
    Measure.FINISHED: _finished,
    Measure.SOLVED: _solved,
    Measure.SATISFIED: _satisfied,
    Measure.CALLED_BACK: _called_back,
    Measure.REDONE: _redone,
    Measure.RETURNED: _returned,
}


class By(StrEnum):
    """How the figures are broken down."""

    CATEGORY = "category"
    GRID = "grid"
    WORKER = "worker"


@dataclass(frozen=True)
class Report:
    """A period's figures: all together, and broken down."""

    period: Period
    total: Row
    rows: list[Row]


class Books:
    """Everything some periods are counted from, read once."""

    def __init__(self, where: sa.ColumnElement[bool], first: datetime, last: datetime) -> None:
        self.now = clock.now()
        reached = touching(where, first, last)
        self.facts = [_fact(row) for row in db.session.execute(_query(reached)).mappings()]
        self.pauses: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
        pauses = sa.select(CasePause.case_id, CasePause.since, CasePause.until).join(CasePause.case).where(reached)
        for case_id, since, until in db.session.execute(pauses.order_by(CasePause.id)):
            self.pauses[case_id].append((since, until or self.now))
        earliest = min((fact.submitted_at for fact in self.facts), default=self.now)
        self.times = WorkingTime(clock.local(earliest).date())
        self._minutes: dict[int, int] = {}

    def minutes(self, fact: Fact) -> int:
        """Working minutes from sending to answering, without pauses."""
        if fact.id not in self._minutes and fact.answered_at is not None:
            taken = self.times.between(fact.submitted_at, fact.answered_at, self.pauses.get(fact.id, ()))
            self._minutes[fact.id] = taken
        return self._minutes.get(fact.id, 0)

    def count(self, period: Period, key: Callable[[Fact], tuple[str, str]]) -> Report:
        """The figures of a period, in all and by a key of each request."""
        total, rows = Row("all", ""), dict[str, Row]()
        for fact in self.facts:
            code, name = key(fact)
            pair = (total, rows.setdefault(code, Row(code, name)))
            self._note(fact, period, pair)
        counted = [row for row in rows.values() if row.sent or row.figures]
        return Report(period, total, sorted(counted, key=lambda row: (-len(row.sent), row.name, row.key)))

    def _note(self, fact: Fact, period: Period, rows: Iterable[Row]) -> None:
        for measure, judge in JUDGES.items():
            judged = judge(fact, period, self.now)
            if judged is None:
                continue
            for row in rows:
                _enter(row.figure(measure), fact.id, judged)
        for row in rows:
            if period.holds(fact.submitted_at):
                row.sent.append(fact.id)
            if fact.answered_at is not None and period.holds(fact.answered_at):
                row.taken.minutes.append((self.minutes(fact), fact.id))


def _enter(figure: Figure, case_id: int, judged: bool | Left) -> None:
    if isinstance(judged, Left):
        figure.left[judged].append(case_id)
    else:
        (figure.met if judged else figure.missed).append(case_id)


COLUMNS: tuple[Any, ...] = (
    *(Case.id, Case.state, Case.state_at, Case.category_id, Case.grid_id, Case.community_id, Case.urgency),
    *(Case.holder, Case.holder_name, Case.submitted_at, Case.accept_due, Case.accepted_at, Case.assigned_at),
    *(Case.contact_due, Case.contacted_at, Case.finish_due, Case.answered_at, Case.callback_due),
    *(Case.called_back_at, Case.redos, Case.returns, Case.solved, Case.satisfaction),
)


def _query(where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*COLUMNS, reachable().label("reachable")).where(where).order_by(Case.id)


def reachable() -> sa.ColumnElement[bool]:
    return sa.or_(Case.reporter_id.is_not(None), Case.reporter_phone.is_not(None))


def touching(where: sa.ColumnElement[bool], first: Moment, last: Moment) -> sa.ColumnElement[bool]:
    """Requests sent before the end of a span that were not over before it began."""
    over = Case.state.in_((S.ARCHIVED, S.CLOSED, S.WITHDRAWN, S.MERGED, S.DECLINED))
    lately = sa.or_(sa.not_(over), Case.state_at >= first, Case.finish_due >= first, Case.callback_due >= first)
    measured = sa.or_(lately, Case.called_back_at >= first)
    return sa.and_(where, Case.state != S.DRAFT, Case.submitted_at.is_not(None), Case.submitted_at < last, measured)


def _fact(row: Any) -> Fact:
    return Fact(**{**row, "reachable": bool(row["reachable"])})


def report(within: Collection[Scope], period: Period, by: By) -> Report:
    """A period's figures in scope, broken down."""
    books = Books(queue.inside(within), *period.bounds())
    return books.count(period, _keys(by, books.facts))


def trend(within: Collection[Scope], periods: list[Period]) -> list[Report]:
    """The same in all for several periods, read once."""
    first = min(period.bounds()[0] for period in periods)
    books = Books(queue.inside(within), first, max(period.bounds()[1] for period in periods))
    return [books.count(period, lambda _fact: ("", "")) for period in periods]


def of_community(area: Area, period: Period) -> Report:
    """A community's figures by category, for the page that residents read."""
    books = Books(Case.community_id == area.id, *period.bounds())
    return books.count(period, _keys(By.CATEGORY, books.facts))


def _keys(by: By, facts: list[Fact]) -> Callable[[Fact], tuple[str, str]]:
    if by is By.WORKER:
        return lambda fact: (fact.holder, fact.holder_name)
    if by is By.GRID:
        grids = _names(Area, {fact.grid_id for fact in facts})
        return lambda fact: (str(fact.grid_id or 0), grids.get(fact.grid_id or 0, ""))
    categories = _names(Category, {fact.category_id for fact in facts})
    return lambda fact: (str(fact.category_id or 0), categories.get(fact.category_id or 0, ""))


def _names(kind: type[Area] | type[Category], ids: set[int | None]) -> dict[int, str]:
    query = sa.select(kind.id, kind.name).where(kind.id.in_(ids - {None})).order_by(kind.id)
    return {row.id: row.name for row in db.session.execute(query)}


def row_of(found: Report, key: str) -> Row:
    """One line of a report; the total for "all"."""
    return next((row for row in found.rows if row.key == key), found.total)
