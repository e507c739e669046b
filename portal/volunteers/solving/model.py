"""The mixed-integer model, solved by HiGHS: first as many places filled as can be, then the best such filling.

One variable for each candidate. What comes second is a sum of costs, in the order of their size: late or urgent posts
left open, times that were not offered, hours spread unevenly (the square of everybody's hours with those lately, by
pieces), shifts far from home, work not wished for, friends apart.
"""

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

import highspy
import numpy as np

from portal.volunteers.solving import fitting, greedy
from portal.volunteers.solving.fitting import Candidate
from portal.volunteers.solving.problem import Line, Post, Problem, Rule

# Costs: what a square hour of load is measured against.
URGENT, NOT_OFFERED, FRIENDS, FAR, NOT_WISHED, DECLINED = 400.0, 60.0, 8.0, 2.0, 1.5, 1.0
PIECE = 120
# Told of each step as it begins.
Tell = Callable[[str], None]


@dataclass
class Rows:
    """Rows of the matrix as they are found: bounds, columns and values."""

    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, terms: Collection[tuple[int, float]], *, least: float = -math.inf, most: float = math.inf) -> None:
        self.least.append(least)
        self.most.append(most)
        self.starts.append(len(self.columns))
        self.columns += [column for column, _value in terms]
        self.values += [value for _column, value in terms]


@dataclass(frozen=True)
class Found:
    """Who is put where; whether nothing better is possible, in places and then in cost, and what was looked at."""

    lines: tuple[Line, ...]
    most_proven: bool = True
    best_proven: bool = True
    gap: float = 0.0
    candidates: int = 0
    rows: int = 0


class Model:
    def __init__(self, problem: Problem, lifted: tuple[int, Rule] | None = None) -> None:
        self.problem = problem
        self.lifted = lifted
        self.candidates: list[Candidate] = fitting.candidates(problem, lifted)
        self.by_person: dict[int, list[int]] = {}
        self.by_post: dict[int, list[int]] = {}
        for at, (person, post) in enumerate(self.candidates):
            self.by_person.setdefault(person.id, []).append(at)
            self.by_post.setdefault(post.id, []).append(at)
        self.urgency = _urgency(problem)
        self.rows = Rows()
        for write in (self._capacity, self._times, self._days, self._weeks, self._pairs, self._newcomers):
            write()

    def _post(self, at: int) -> Post:
        return self.candidates[at][1]

    def _spares(self, post: Post, rule: Rule) -> bool:
        return self.lifted == (post.id, rule)

    def _capacity(self) -> None:
        for post_id, columns in self.by_post.items():
            self.rows.add([(at, 1.0) for at in columns], most=self.problem.post[post_id].places)

    def _times(self) -> None:
        """One place at a time, with rest between: everything that covers the beginning of something excludes it."""
        for columns in self.by_person.values():
            plain = [at for at in columns if not self._spares(self._post(at), Rule.REST)]
            for clique in self._cliques(plain):
                self.rows.add([(at, 1.0) for at in clique], most=1)
            for at in set(columns) - set(plain):
                self._only_apart(at, plain)

    def _cliques(self, columns: Sequence[int]) -> Iterator[list[int]]:
        """Sets of candidates of one person that exclude each other, so that every two that do are in one of them."""
        last: set[int] = set()
        rest = self.problem.options.rest_minutes
        for begins in sorted({self._post(at).starts for at in columns}):
            near = [at for at in columns if self._post(at).starts <= begins < self._post(at).ends + rest]
            new = {at for at in near if self._post(at).starts == begins}
            covered: set[tuple[int, int]] = set()
            for pair in [(one, other) for one in sorted(new) for other in near if self._exclude(one, other)]:
                if pair not in covered:
                    clique = self._grown(pair, near)
                    covered |= set(product(clique, clique))
                    if not set(clique) <= last:
                        last = set(clique)
                        yield clique

    def _exclude(self, one: int, other: int) -> bool:
        rest = self.problem.options.rest_minutes
        return one != other and fitting.between(self._post(one), self._post(other), rest) is not None

    def _grown(self, pair: tuple[int, int], near: Sequence[int]) -> list[int]:
        clique = list(pair)
        for at in near:
            if all(self._exclude(at, other) for other in clique):
                clique.append(at)
        return clique

    def _only_apart(self, at: int, others: Sequence[int]) -> None:
        """A post for which rest is lifted still excludes what is at the same time."""
        for other in others:
            if fitting.between(self._post(at), self._post(other), 0) is Rule.BUSY:
                self.rows.add([(at, 1.0), (other, 1.0)], most=1)

    def _days(self) -> None:
        """The limit of each post she is on holds for her whole day: the lowest takes room from the highest."""
        for person_id, columns in self.by_person.items():
            by_day: dict[int, list[int]] = {}
            for at in columns:
                for day in () if self._spares(self._post(at), Rule.DAY) else self._post(at).on_days:
                    by_day.setdefault(day, []).append(at)
            for day, mine in by_day.items():
                self._day(mine, day, sum(held.on_days.get(day, 0) for held in self.problem.held_by[person_id]))

    def _day(self, mine: Sequence[int], day: int, held: int) -> None:
        minutes = {at: self._post(at).on_days[day] for at in mine}
        everything = sum(minutes.values()) + held
        limits = {at: self.problem.day_limit(self._post(at)) or everything for at in mine}
        highest = max(limits.values())
        for limit in sorted(set(limits.values())):
            if everything <= limit:
                continue
            for at in [one for one in mine if limits[one] == limit][: None if limit < highest else 1]:
                terms = {one: float(count) for one, count in minutes.items()}
                terms[at] += highest - limit
                self.rows.add(list(terms.items()), most=highest - held)

    def _weeks(self) -> None:
        for person_id, columns in self.by_person.items():
            limit = self.problem.week_limit(self.problem.person[person_id])
            by_week: dict[int, list[int]] = {}
            for at in columns if limit else ():
                if not self._spares(self._post(at), Rule.WEEK):
                    by_week.setdefault(self._post(at).week, []).append(at)
            for week, mine in by_week.items():
                left = limit - sum(h.minutes for h in self.problem.held_by[person_id] if h.week == week)
                if sum(self._post(at).minutes for at in mine) > left:
                    self.rows.add([(at, float(self._post(at).minutes)) for at in mine], most=left)

    def _pairs(self) -> None:
        shifts = {post.shift for _person, post in self.candidates}
        if self.lifted and self.lifted[1] is Rule.PAIR:
            shifts.discard(self.problem.post[self.lifted[0]].shift)
        for pair in self.problem.pairs:
            for shift in sorted(shifts) if pair.always else ():
                one, other = self._on(pair.one, shift), self._on(pair.other, shift)
                stands = self.problem.is_on(pair.one, shift) or self.problem.is_on(pair.other, shift)
                if (one or other) and not stands:
                    self.rows.add([(at, 1.0) for at in one] + [(at, -1.0) for at in other], least=0, most=0)

    def _on(self, person_id: int, shift: int) -> list[int]:
        return [at for at in self.by_person.get(person_id, ()) if self._post(at).shift == shift]

    def _newcomers(self) -> None:
        """Newcomers within their share of those there, and of all the places; an empty post has none too many."""
        for post_id, columns in self.by_post.items():
            post = self.problem.post[post_id]
            if post.newcomers >= 100 or self._spares(post, Rule.NEWCOMERS):
                continue
            there = [self.problem.person.get(held.person) for held in self.problem.held_on[post_id]]
            fresh = [at for at in columns if self.candidates[at][0].newcomer]
            known = [at for at in columns if not self.candidates[at][0].newcomer]
            new = sum(1 for person in there if person and person.newcomer)
            self._share(post, fresh, known, new, len(there))

    def _share(self, post: Post, fresh: Sequence[int], known: Sequence[int], new: int, there: int) -> None:
        if not fresh:
            return
        self.rows.add([(at, 1.0) for at in fresh], most=max(0, post.most_new - new))
        over = 100 * new - post.newcomers * there
        if over <= 0:
            terms = [(at, 100.0 - post.newcomers) for at in fresh] + [(at, -float(post.newcomers)) for at in known]
            self.rows.add(terms, most=-over)
            return
        # Too many already: each newcomer waits until the experienced outweigh them; the room is what they could all be.
        room = over + (100 - post.newcomers) * post.places
        for at in fresh:
            terms = [(other, 100.0 - post.newcomers) for other in fresh if other != at]
            terms += [(at, 100.0 - post.newcomers + room)] + [(other, -float(post.newcomers)) for other in known]
            self.rows.add(terms, most=room - over)

    def costs(self) -> tuple[list[float], int]:
        """The cost of each candidate, and of the pieces of everybody's load, whose rows are added; the columns."""
        problem = self.problem
        costs = [self._cost(at) for at in range(len(self.candidates))]
        for person_id, columns in self.by_person.items():
            held = sum(held.minutes for held in problem.held_by[person_id])
            load = problem.person[person_id].lately + held
            most = sum(self._post(at).minutes for at in columns)
            pieces = range(len(costs), len(costs) + math.ceil(most / PIECE))
            steps = [load + PIECE * number for number in range(len(pieces) + 1)]
            costs += [((steps[n + 1] / 60) ** 2 - (steps[n] / 60) ** 2) for n in range(len(pieces))]
            terms = [(at, self._post(at).minutes / PIECE) for at in columns]
            self.rows.add(terms + [(at, -1.0) for at in pieces], least=0, most=0)
        return costs, len(costs)

    def lines(self, chosen: Collection[int]) -> tuple[Line, ...]:
        return tuple(sorted((self.candidates[at][0].id, self.candidates[at][1].id) for at in chosen))

    def left_open(self) -> float:
        """What it would cost to fill nothing: with it the cost of a proposal is that of what it leaves open, and a
        gap of some hundredths means something.
        """
        return sum(
            self.urgency[post] * min(self.problem.post[post].places, len(of)) for post, of in self.by_post.items()
        )

    def _cost(self, at: int) -> float:
        person, post = self.candidates[at]
        cost = FAR * fitting.near(person, post) + DECLINED * min(person.declined, 5)
        cost -= self.urgency[post.id]
        if person.kinds and post.kind and post.kind not in person.kinds:
            cost += NOT_WISHED
        if not fitting.is_offered(person, post):
            cost += NOT_OFFERED
        return cost

    def friends(self, first: int) -> list[float]:
        """A column from `first` on for each two who would rather come together and could: what it saves."""
        found: list[float] = []
        shifts = sorted({post.shift for _person, post in self.candidates})
        for pair in self.problem.pairs:
            for shift in () if pair.always else shifts:
                one, other = self._on(pair.one, shift), self._on(pair.other, shift)
                if one and other:
                    column = first + len(found)
                    self.rows.add([(column, 1.0)] + [(at, -1.0) for at in one], most=0)
                    self.rows.add([(column, 1.0)] + [(at, -1.0) for at in other], most=0)
                    found.append(-FRIENDS)
        return found


def _urgency(problem: Problem) -> dict[int, float]:
    """What a place left open costs: the last half as much as the first."""
    first = min((post.starts for post in problem.posts), default=0)
    span = max((post.starts - first for post in problem.posts), default=0) or 1
    return {post.id: URGENT * (1 - 0.5 * (post.starts - first) / span) for post in problem.posts}


def _solver(seconds: float, gap: float) -> highspy.Highs:
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("time_limit", max(seconds, 0.1))
    solver.setOptionValue("mip_rel_gap", gap)
    return solver


def _linear(model: Model, costs: Sequence[float], binaries: int) -> highspy.HighsLp:
    """The columns are the candidates, then what is counted by them; only the candidates are whole."""
    rows, linear = model.rows, highspy.HighsLp()
    linear.num_col_, linear.num_row_ = len(costs), len(rows.least)
    linear.col_cost_ = np.array(costs, dtype=np.float64)
    linear.col_lower_ = np.zeros(len(costs))
    linear.col_upper_ = np.ones(len(costs))
    linear.row_lower_, linear.row_upper_ = np.array(rows.least), np.array(rows.most)
    linear.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    linear.a_matrix_.start_ = np.array([*rows.starts, len(rows.columns)], dtype=np.int32)
    linear.a_matrix_.index_ = np.array(rows.columns, dtype=np.int32)
    linear.a_matrix_.value_ = np.array(rows.values, dtype=np.float64)
    whole, any_number = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    linear.integrality_ = [whole] * binaries + [any_number] * (len(costs) - binaries)
    return linear


def _run(
    linear: highspy.HighsLp, start: Collection[int], seconds: float, gap: float
) -> tuple[list[int] | None, bool, float]:
    """The candidates taken, or nothing where there is no solution; whether that is proven; how far it may be off."""
    solver, binaries = _solver(seconds, gap), linear.integrality_.count(highspy.HighsVarType.kInteger)
    solver.passModel(linear)
    if start:
        values = np.zeros(binaries)
        values[list(start)] = 1
        solver.setSolution(binaries, np.arange(binaries, dtype=np.int32), values)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    proven = status in {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible}
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, proven, math.inf
    taken = np.asarray(solver.getSolution().col_value)[:binaries]
    return [int(at) for at in np.flatnonzero(taken > 0.5)], proven, float(info.mip_gap)


def solve(problem: Problem, start: Collection[Line], tell: Tell) -> Found:
    """Fill what can be filled. `start` is a proposal that keeps the rules: what is found is never worse."""
    deadline = time.monotonic() + problem.options.seconds
    model = Model(problem)
    number = {(person.id, post.id): at for at, (person, post) in enumerate(model.candidates)}
    chosen: list[int] = sorted(number[line] for line in start)
    count = len(model.candidates)
    if not count:
        return Found(())
    tell("most")
    linear = _linear(model, [-1.0] * count, count)
    most, most_proven, _gap = _run(linear, chosen, problem.options.seconds / 2, 0.0)
    if most is not None and len(most) > len(chosen):
        chosen = most
    even = greedy.balance(problem, model.lines(chosen), problem.options.seconds / 10)
    chosen = sorted(number[line] for line in even)
    tell("best")
    model.rows.add([(at, 1.0) for at in range(count)], least=len(chosen))
    costs, columns = model.costs()
    costs += model.friends(columns)
    linear = _linear(model, costs, count)
    linear.offset_ = model.left_open()
    left = deadline - time.monotonic()
    best, best_proven, gap = _run(linear, chosen, left, problem.options.gap)
    chosen = chosen if best is None else best
    return Found(model.lines(chosen), most_proven, best_proven, gap, count, len(model.rows.least))


def could_fill(problem: Problem, lines: Collection[Line], lifted: tuple[int, Rule], seconds: float) -> bool | None:
    """Whether one more would be on a post if a rule were lifted for it, and no other post had fewer than now.

    Nothing where the time ran out.
    """
    model = Model(problem, lifted)
    have: dict[int, int] = {}
    for _person, post_id in lines:
        have[post_id] = have.get(post_id, 0) + 1
    have[lifted[0]] = have.get(lifted[0], 0) + 1
    if any(len(model.by_post.get(post_id, ())) < least for post_id, least in have.items()):
        return False
    for post_id, least in have.items():
        model.rows.add([(at, 1.0) for at in model.by_post[post_id]], least=least)
    count = len(model.candidates)
    chosen, proven, _gap = _run(_linear(model, [0.0] * count, count), (), seconds, 1.0)
    return chosen is not None if chosen is not None or proven else None
