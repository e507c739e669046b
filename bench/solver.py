"""The solver on 200 volunteers and 120 shifts, three instances, against the plain filling (the fewest hours first).

Prints seconds, the share of places filled, and the spread of everybody's hours, with those lately: standard deviation
and the largest less the smallest among those who were placed at all or could have been. Every proposal is judged by the
independent checker. `python -m bench.solver`, or with a number of seconds for each instance.
"""

import io
import random
import statistics
import sys
import time
from collections.abc import Collection
from contextlib import redirect_stdout

from portal.volunteers.solving import checker, fitting, greedy
from portal.volunteers.solving.__main__ import solved
from portal.volunteers.solving.placing import Placing
from portal.volunteers.solving.problem import Line, Options, Pair, Person, Post, Problem, merged

DAY = 24 * 60
SECONDS = 60.0
VOLUNTEERS, SHIFTS, WEEKS = 200, 120, 2


def large(seed: int, tight: float, seconds: float) -> Problem:
    """A community's fortnight: lunches, visits, escorts, evening rounds. `tight` is the share of those who offer little
    time; with 1 weeks are short too, and not everything can be filled.
    """
    chance = random.Random(seed)
    posts: list[Post] = []
    for shift in range(1, SHIFTS + 1):
        day, starts = chance.randrange(7 * WEEKS), 60 * chance.choice([8, 9, 10, 10, 11, 13, 14, 15, 18, 19])
        begins, length = day * DAY + starts, chance.choice([90, 120, 120, 150, 180, 240])
        for position in range(chance.choice([1, 2, 2])):
            needs = chance.choice([1, 2, 2, 3, 4])
            skills = frozenset(skill for skill in range(1, 7) if chance.random() < (0.12 if position else 0.05))
            newcomers = chance.choice([100, 100, 50, 50, 34])
            area = chance.randrange(1, 9)
            post = Post(
                id=len(posts) + 1,
                shift=shift,
                starts=begins,
                ends=begins + length,
                day=day,
                week=day // 7,
                places=needs,
                needs=needs,
                skills=skills,
                experience=chance.choice([0, 0, 0, 0, 1200]),
                newcomers=newcomers,
                areas=(area, 100),
                activity=chance.randrange(1, 20),
            )
            posts.append(post)
    persons = tuple(_person(chance, number, tight) for number in range(1, VOLUNTEERS + 1))
    pairs = tuple(Pair(2 * at - 1, 2 * at, always=at % 2 == 0) for at in range(1, 21))
    options = Options(rest_minutes=60, day_minutes=360, week_minutes=300 if tight >= 1 else 600, seconds=seconds)
    return Problem(persons, tuple(posts), (), pairs, options)


def _person(chance: random.Random, number: int, tight: float) -> Person:
    offered = [0.2 if tight < 1 else 0.1, 0.5][chance.random() > tight]
    spans = [
        (day * DAY + opens, day * DAY + opens + 60 * chance.choice([4, 5, 9]))
        for day in range(7 * WEEKS)
        for opens in (8 * 60, 13 * 60, 18 * 60)
        if chance.random() < offered
    ]
    experience = chance.choice([0, 300, 1500, 4000, 12000])
    return Person(
        id=number,
        skills={skill: 999 for skill in range(1, 7) if chance.random() < 0.3},
        free=None if chance.random() < 0.05 else merged(spans),
        lately=60 * min(int(chance.expovariate(0.2)), 30),
        experience=experience,
        newcomer=experience < 600,
        week_minutes=chance.choice([0, 0, 240, 480]),
        areas=(chance.randrange(1, 9), 100),
    )


def spread(problem: Problem, lines: Collection[Line]) -> tuple[float, float]:
    """Standard deviation, and largest less smallest, of the hours of those who could come to anything at all."""
    placing = Placing(problem, lines)
    able = {person.id for person, _post in fitting.candidates(problem)}
    hours = [placing.load(person) / 60 for person in problem.persons if person.id in able]
    return statistics.pstdev(hours), max(hours) - min(hours)


def measure(seconds: float = SECONDS) -> None:
    print(f"solver: {VOLUNTEERS} volunteers, {SHIFTS} shifts, at most {seconds:.0f} s to search")
    for seed, tight in ((1, 0.3), (2, 0.6), (3, 1.0)):
        problem = large(seed, tight, seconds)
        places = sum(post.places for post in problem.posts)
        began = time.perf_counter()
        plain = greedy.fill(problem)
        plain_seconds = time.perf_counter() - began
        began = time.perf_counter()
        with redirect_stdout(io.StringIO()):
            found = solved(problem)
        took = time.perf_counter() - began
        lines = [(line["person"], line["post"]) for line in found["lines"]]
        assert not checker.faults(problem, plain)
        assert not checker.faults(problem, lines)
        _say(problem, places, plain, plain_seconds, lines, took, found)


def _say(problem, places, plain, plain_seconds, lines, took, found):  # type: ignore[no-untyped-def]
    figures = found["figures"]
    deviation, widest = spread(problem, lines)
    plain_deviation, plain_widest = spread(problem, plain)
    before, _range = spread(problem, ())
    raw = len(problem.persons) * len(problem.posts)
    print(
        f"  {len(problem.posts)} posts, {places} places; {figures['candidates']} of {raw} candidates, "
        f"{figures['rows']} rows"
    )
    print(
        f"    filled: {len(lines) / places:.3f} in {took:.1f} s ({'proven' if figures['most_proven'] else 'not proven'}"
        f" the most, cost within {figures['gap']}); plain {len(plain) / places:.3f} in {plain_seconds:.2f} s; "
        f"ratio {len(lines) / len(plain):.3f}"
    )
    print(
        f"    hours, standard deviation: {deviation:.2f} (before {before:.2f}); plain {plain_deviation:.2f}; "
        f"ratio {deviation / plain_deviation:.3f}"
    )
    print(
        f"    hours, largest less smallest: {widest:.1f}; plain {plain_widest:.1f}; ratio {widest / plain_widest:.3f}"
    )
    print(
        f"    gaps: {len(found['gaps'])}, explained by one rule: "
        f"{sum(1 for gap in found['gaps'] if gap['why'][0]['code'] != 'people')}"
    )


if __name__ == "__main__":
    measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
