"""月探访率: of who is on the list in a month, less the excluded by reason, how many were effectively visited.

The rule (domain rules, section 6): on the list for at least one day of the month; minus the dead, moved, in hospital or
an institution, long away, and refused in writing, each with its reason; effective is met in person or confirmed by
call. Death, moving and refusal count as they stand on the month's last day (today, in the running month); hospital,
institution and absence when together they take the setting's days of the month. Who moved counts where she was on the
list last in the month: a month that is over does not change when people move.
"""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import clock, settings
from portal.core.access import Scope
from portal.core.db import db
from portal.registry.models import Person, PersonState
from portal.registry.service import finding
from portal.registry.service.finding import Inside
from portal.visits.models import CareExclusion, CareSpell, CareSubject, Exclusion, Visit
from portal.visits.service import loading

AWAY_DAYS = "visits.away_days"
settings.declare(
    AWAY_DAYS,
    default=15,
    label=lambda: _("住院、入住机构、外出满多少天，当月不计入应探访"),
    unit=lambda: _("天"),
    least=1,
    most=31,
)
ABSENCES = (Exclusion.HOSPITAL, Exclusion.INSTITUTION, Exclusion.AWAY)


@dataclass(frozen=True)
class Month:
    """A month, and the day on which what is permanent in it is judged."""

    first: date
    last: date

    @classmethod
    def of(cls, text: str) -> "Month":
        """From "2026-11"; anything else, and what is to come, is the running month."""
        today = clock.today()
        try:
            first = date.fromisoformat(f"{text}-01")
        except ValueError:
            first = today.replace(day=1)
        first = min(first, today.replace(day=1))
        return cls(first, first.replace(day=monthrange(first.year, first.month)[1]))

    @property
    def end(self) -> date:
        return min(self.last, clock.today())

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"

    def before(self) -> "Month":
        return Month.of(f"{self.first - timedelta(days=1):%Y-%m}")

    def after(self) -> "Month | None":
        following = self.last + timedelta(days=1)
        return Month.of(f"{following:%Y-%m}") if following <= clock.today() else None


@dataclass
class Line:
    """One grid's month: the people by id, so that every number opens its names."""

    grid_id: int | None
    name: str
    visited: list[int] = field(default_factory=list)
    unvisited: list[int] = field(default_factory=list)
    excluded: dict[Exclusion, list[int]] = field(default_factory=lambda: defaultdict(list))

    @property
    def due(self) -> int:
        """应探访: the denominator."""
        return len(self.visited) + len(self.unvisited)

    @property
    def permille(self) -> int | None:
        return len(self.visited) * 1000 // self.due if self.due else None

    @property
    def percent(self) -> str:
        """Cut, not rounded: 99.97 is not yet 100."""
        return "—" if self.permille is None else f"{self.permille // 10}.{self.permille % 10}%"

    def excluded_count(self) -> int:
        return sum(len(ids) for ids in self.excluded.values())


@dataclass(frozen=True)
class Rate:
    """A month's rate by grid, and in all; `inside` is what it was asked for."""

    month: Month
    lines: list[Line]
    total: Line
    inside: Inside


@dataclass(frozen=True)
class _Place:
    community_id: int | None
    grid_id: int | None


@dataclass(frozen=True)
class _Spell:
    """A time on the list; of before places were kept it has none."""

    since: date
    until: date | None
    place: _Place | None

    def touches(self, month: Month) -> bool:
        return self.since <= month.last and (self.until is None or self.until >= month.first)


@dataclass(frozen=True)
class _Fact:
    person_id: int
    community_id: int
    grid_id: int | None
    state: PersonState
    state_on: date | None
    absent_from: date | None
    absent_until: date | None


@dataclass(frozen=True)
class _Books:
    """Everything that some months are counted from, read once: by person, aliases resolved."""

    inside: Inside
    facts: list[_Fact]
    spells: dict[int, list[_Spell]]
    met: dict[int, list[date]]
    pauses: dict[int, list[CareExclusion]]
    grids: dict[int, str]
    away_days: list[tuple[date, int]]

    def place_in(self, fact: _Fact, month: Month) -> _Place | None:
        """Where somebody was on the list last in a month; none for who was not, or not in scope."""
        held = [spell for spell in self.spells.get(fact.person_id, ()) if spell.touches(month)]
        if not held:
            return None
        place = held[-1].place or _Place(fact.community_id, fact.grid_id)
        inside = place.community_id in self.inside.whole or place.grid_id in self.inside.grids
        return place if inside else None

    def away_limit(self, day: date) -> int:
        found = next((value for since, value in self.away_days if since <= day), None)
        return settings.DECLARED[AWAY_DAYS].default if found is None else found


def rate(within: Collection[Scope], month: Month, *, total_name: str = "") -> Rate:
    """The rate of everything in scope, grid by grid; a merged person counts as the one she stands for."""
    return rates(within, [month], total_name=total_name)[0]


def rates(within: Collection[Scope], months: Sequence[Month], *, total_name: str = "") -> list[Rate]:
    """The same for several months, read once."""
    books = _read(within, min(month.first for month in months), max(month.last for month in months))
    return [_count(books, month, total_name) for month in months]


def trend(within: Collection[Scope], month: Month, count: int = 6, *, total_name: str = "") -> list[Rate]:
    """The months up to one, newest first."""
    months = [month]
    while len(months) < count:
        months.append(months[-1].before())
    return rates(within, months, total_name=total_name)


def _count(books: _Books, month: Month, total_name: str) -> Rate:
    lines: dict[int | None, Line] = {}
    total = Line(None, total_name)
    for fact in books.facts:
        place = books.place_in(fact, month)
        if place is None:
            continue
        reason = _reason(fact, books.pauses.get(fact.person_id, []), month, books.away_limit(month.first))
        met = any(month.first <= day <= month.last for day in books.met.get(fact.person_id, ()))
        line = lines.setdefault(place.grid_id, Line(place.grid_id, books.grids.get(place.grid_id or 0, "")))
        for sheet in (line, total):
            if reason is not None:
                sheet.excluded[reason].append(fact.person_id)
            else:
                (sheet.visited if met else sheet.unvisited).append(fact.person_id)
    places = {grid_id: turn for turn, grid_id in enumerate(books.grids)}
    ordered = sorted(lines.values(), key=lambda line: places.get(line.grid_id or 0, len(places)))
    return Rate(month, ordered, total, books.inside)


def _read(within: Collection[Scope], first: date, last: date) -> _Books:
    """An alias may lie outside the scope and still stand for somebody inside it, and people move."""
    inside = finding.inside(within)
    reached = sa.or_(
        inside.holds(),
        Person.id.in_(_listed_in(inside, first, last)),
        Person.merged_into_id.is_not(None),
        Person.id.in_(_stood_for()),
    )
    facts = (
        sa.select(
            Person.id,
            Person.community_id,
            Person.grid_id,
            Person.state,
            Person.state_on,
            Person.absent_from,
            Person.absent_until,
        )
        .where(reached, Person.merged_into_id.is_(None))
        .where(sa.or_(sa.exists().where(CareSubject.person_id == Person.id), Person.id.in_(_stood_for())))
        .order_by(Person.id)
    )
    aliases = _Aliases()
    spells: dict[int, list[_Spell]] = defaultdict(list)
    for person_id, merged, since, until, community_id, grid_id in db.session.execute(_spells(reached, first, last)):
        place = _Place(community_id, grid_id) if community_id is not None else None
        spells[aliases.resolve(person_id, merged)].append(_Spell(since, until, place))
    met: dict[int, list[date]] = defaultdict(list)
    for person_id, merged, day in db.session.execute(_met(reached, first, last)):
        if day is not None:
            met[aliases.resolve(person_id, merged)].append(day)
    pauses: dict[int, list[CareExclusion]] = defaultdict(list)
    for row in db.session.scalars(_pauses(reached, first, last)):
        person = row.subject.person
        pauses[aliases.resolve(person.id, person.merged_into_id)].append(row)
    found = [_Fact(*row) for row in db.session.execute(facts)]
    limits = [(row.valid_from, int(row.value)) for row in settings.history(AWAY_DAYS)]
    places = {spell.place.grid_id or 0 for held in spells.values() for spell in held if spell.place}
    names = _grid_names(places | {fact.grid_id or 0 for fact in found}, inside)
    return _Books(inside, found, spells, met, pauses, names, limits)


def _listed_in(inside: Inside, first: date, last: date) -> sa.Select[int]:
    """Who was on the list of a place in scope then, wherever she lives now."""
    here = sa.or_(CareSpell.community_id.in_(inside.whole), CareSpell.grid_id.in_(inside.grids))
    return (
        sa.select(CareSubject.person_id)
        .join(CareSpell, CareSpell.subject_id == CareSubject.id)
        .where(here, CareSpell.since <= last, sa.or_(CareSpell.until.is_(None), CareSpell.until >= first))
    )


class _Aliases:
    """Who a merged person stands for; the chains are read once, and only when somebody was merged at all."""

    def __init__(self) -> None:
        self.known: dict[int, int] | None = None

    def resolve(self, person_id: int, merged: int | None) -> int:
        if merged is None:
            return person_id
        if self.known is None:
            query = sa.select(Person.id, Person.merged_into_id).where(Person.merged_into_id.is_not(None))
            rows = db.session.execute(query.order_by(Person.id))
            self.known = {row.id: row.merged_into_id or 0 for row in rows}
        while merged in self.known:
            merged = self.known[merged]
        return merged


def _stood_for() -> sa.Select[int | None]:
    alias = sa.orm.aliased(Person)
    return sa.select(alias.merged_into_id).where(
        alias.merged_into_id.is_not(None), sa.exists().where(CareSubject.person_id == alias.id)
    )


def _spells(
    reached: sa.ColumnElement[bool], first: date, last: date
) -> sa.Select[int, int | None, date, date | None, int | None, int | None]:
    """In order of time."""
    return (
        sa.select(
            Person.id,
            Person.merged_into_id,
            CareSpell.since,
            CareSpell.until,
            CareSpell.community_id,
            CareSpell.grid_id,
        )
        .join(CareSubject, CareSubject.person_id == Person.id)
        .join(CareSpell, CareSpell.subject_id == CareSubject.id)
        .where(reached, CareSpell.since <= last, sa.or_(CareSpell.until.is_(None), CareSpell.until >= first))
        .order_by(CareSpell.since, CareSpell.id)
    )


def _met(reached: sa.ColumnElement[bool], first: date, last: date) -> sa.Select[int, int | None, date | None]:
    return (
        sa.select(Visit.person_id, Person.merged_into_id, Visit.met_on)
        .join(Visit.person)
        .where(reached, Visit.met_on.between(first, last))
        .order_by(Visit.id)
    )


def _pauses(reached: sa.ColumnElement[bool], first: date, last: date) -> sa.Select[CareExclusion]:
    person = sa.orm.contains_eager(CareExclusion.subject).contains_eager(CareSubject.person)
    return (
        sa.select(CareExclusion)
        .join(CareExclusion.subject)
        .join(CareSubject.person)
        .where(
            reached, CareExclusion.since <= last, sa.or_(CareExclusion.until.is_(None), CareExclusion.until >= first)
        )
        .options(
            sa.orm.defer(CareExclusion.note),
            person.load_only(Person.merged_into_id),
            sa.orm.contains_eager(CareExclusion.subject).load_only(CareSubject.person_id),
        )
        .order_by(CareExclusion.id)
    )


def _grid_names(grid_ids: Collection[int], inside: Inside) -> dict[int, str]:
    """In the order of their codes; with the community's name where there are several communities."""
    here = sa.or_(Area.parent_id.in_(inside.whole), Area.id.in_(inside.grids))
    query = (
        sa.select(Area).where(Area.id.in_(grid_ids), here).options(sa.orm.joinedload(Area.parent)).order_by(Area.code)
    )
    found = list(db.session.scalars(query))
    several = len({grid.parent_id for grid in found}) > 1
    return {grid.id: f"{grid.parent.name} {grid.name}" if several and grid.parent else grid.name for grid in found}


def _reason(fact: _Fact, pauses: list[CareExclusion], month: Month, limit: int) -> Exclusion | None:
    """Why somebody does not count in a month: what is permanent first, then the absence that took most days."""
    gone_by = fact.state_on or month.first
    if fact.state is not PersonState.PRESENT and gone_by <= month.end:
        return Exclusion.DEAD if fact.state is PersonState.DEAD else Exclusion.MOVED
    if any(row.reason is Exclusion.REFUSAL and row.holds(month.end) for row in pauses):
        return Exclusion.REFUSAL
    days: Counter[Exclusion] = Counter()
    taken: set[date] = set()
    for reason, since, until in _absences(fact, pauses):
        own = _days(since, until, month) - taken
        taken |= own
        days[reason] += len(own)
    return max(ABSENCES, key=lambda reason: days[reason]) if len(taken) >= limit else None


def _absences(fact: _Fact, pauses: list[CareExclusion]) -> list[tuple[Exclusion, date, date | None]]:
    found = [(row.reason, row.since, row.until) for row in pauses if row.reason in ABSENCES]
    if fact.absent_from is not None:
        found.append((Exclusion.AWAY, fact.absent_from, fact.absent_until))
    return found


def _days(since: date, until: date | None, month: Month) -> set[date]:
    first, last = max(since, month.first), min(until or month.last, month.last)
    return {first + timedelta(days=turn) for turn in range((last - first).days + 1)}


def names(inside: Inside, person_ids: Collection[int], page: int, size: int = 50) -> list[CareSubject]:
    """The people behind a number who are in scope still, by home; one more than a page."""
    query = (
        sa.select(CareSubject)
        .join(CareSubject.person)
        .where(CareSubject.person_id.in_(person_ids), inside.holds())
        .options(*loading.eager(CareSubject.person), sa.orm.joinedload(CareSubject.rule))
        .order_by(Person.household_id, CareSubject.id)
        .limit(size + 1)
        .offset((page - 1) * size)
    )
    return list(db.session.scalars(query))


def moved_on(inside: Inside, person_ids: Collection[int]) -> int:
    """How many behind a number live in nobody's scope of hers now: they count, and stay unnamed."""
    query = sa.select(sa.func.count(Person.id)).where(Person.id.in_(person_ids), sa.not_(inside.holds()))
    return db.session.scalar(query) or 0
