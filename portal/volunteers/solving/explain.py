"""Why somebody is on a post, and which rule, were it lifted, would fill a post that stays short."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from portal.volunteers.solving import fitting
from portal.volunteers.solving.placing import Placing
from portal.volunteers.solving.problem import LIFTABLE, Line, Person, Post, Problem, Rule

NAMED = 3
# Asks of the whole proposal: a line's id, the rule, the seconds; whether others moving would fill it.
Ask = Callable[[tuple[int, Rule], float], bool | None]


def lines(problem: Problem, placed: Collection[Line]) -> dict[Line, list[dict[str, Any]]]:
    """For each line the reasons, as codes with figures."""
    placing = Placing(problem, placed)
    could: dict[int, list[Person]] = {post.id: [] for post in problem.posts}
    for person, post in fitting.candidates(problem):
        could[post.id].append(person)
    return {
        (who, where): _reasons(placing, problem.person[who], problem.post[where], could[where]) for who, where in placed
    }


def _reasons(placing: Placing, person: Person, post: Post, could: Collection[Person]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if post.skills:
        found.append({"code": "skill", "skills": sorted(post.skills)})
    if person.free is None:
        found.append({"code": "asked"})
    else:
        found.append({"code": "free" if fitting.is_offered(person, post) else "not_offered"})
    found.append(_fair(placing, person, post, could))
    if person.areas and fitting.near(person, post) == 0:
        found.append({"code": "near"})
    found += _company(placing, person, post)
    there = [placing.problem.person.get(other) for other in placing.on[post.id]]
    if post.newcomers < 100 and not person.newcomer and any(other and other.newcomer for other in there):
        found.append({"code": "experienced", "minutes": person.experience})
    return found


def _fair(placing: Placing, person: Person, post: Post, could: Collection[Person]) -> dict[str, Any]:
    """Her hours lately and with the proposal; of those who could come, how many are on the shift as well and how many
    still could in her stead, with what keeps the rest away; and how many of those who could have fewer hours than she
    with the proposal as it stands, and how many still would with the shift.
    """
    if len(could) <= 1:
        return {"code": "only"}
    after = placing.load(person)
    placing.take(person.id, post.id)
    others = [other for other in could if other is not person and (other.id, post.shift) not in placing.shifts]
    kept = [placing.obstacles(other, post) for other in others]
    loads = [placing.load(other) for other, rules in zip(others, kept, strict=True) if not rules]
    placing.put(person.id, post.id)
    fewer = sum(1 for load in loads if load < after)
    still = sum(1 for load in loads if load + post.minutes < after)
    figures = {"spare": len(loads), "fewer": fewer, "still": still, "of": len(could)}
    figures["there"] = len(could) - 1 - len(others)
    away = sorted(rule.value for rule in set().union(*kept))
    return {"code": "hours", "lately": person.lately, "after": after, "kept": away, **figures}


def _company(placing: Placing, person: Person, post: Post) -> list[dict[str, Any]]:
    """With whom of those she comes with, always or rather, she is on the shift."""
    problem, found = placing.problem, []
    for code, others in (("with", problem.partners), ("friend", problem.friends)):
        here = [other for other in others.get(person.id, ()) if (other, post.shift) in placing.shifts]
        found += [{"code": code, "person": other} for other in here]
    return found


def gaps(problem: Problem, placed: Collection[Line], ask: Ask, seconds: float) -> dict[int, list[dict[str, Any]]]:
    """For each post that stays short: every rule whose lifting, alone, fills a place of it, the most helpful first.

    A rule that somebody else could answer at once is found by looking; where none is, the whole proposal is asked anew
    while there is time. Where no rule alone would do it, too few people are what is missing.
    """
    placing, deadline = Placing(problem, placed), time.monotonic() + seconds
    short = [post for post in problem.posts if placing.left[post.id]]
    return {post.id: _gap(placing, post, ask, deadline) for post in sorted(short, key=lambda one: (one.starts, one.id))}


def _gap(placing: Placing, post: Post, ask: Ask, deadline: float) -> list[dict[str, Any]]:
    problem = placing.problem
    obstacles = {person.id: placing.obstacles(person, post) for person in problem.persons}
    found = []
    for rule in LIFTABLE:
        who = [person for person in problem.persons if obstacles[person.id] <= {rule}]
        if who:
            who.sort(key=lambda person: (placing.load(person), fitting.near(person, post), person.id))
            people = [person.id for person in who[:NAMED]]
            found.append({"code": rule.value, "count": len(who), "people": people, **_limit(problem, post, rule)})
    found.sort(key=lambda reason: -int(reason["count"]))
    return found or _asked(placing, post, ask, deadline, _counts(problem, obstacles))


def _limit(problem: Problem, post: Post, rule: Rule) -> dict[str, Any]:
    """The figure of a rule, in minutes or what it counts in."""
    figures: dict[Rule, Any] = {
        Rule.SKILL: sorted(post.skills),
        Rule.EXPERIENCE: post.experience,
        Rule.REST: problem.options.rest_minutes,
        Rule.DAY: problem.day_limit(post),
        Rule.WEEK: problem.options.week_minutes,
        Rule.NEWCOMERS: post.newcomers,
    }
    return {"limit": figures[rule]} if rule in figures else {}


def _counts(problem: Problem, obstacles: dict[int, set[Rule]]) -> dict[str, int]:
    """How many people each rule keeps away, alone or with others."""
    count = Counter(rule.value for rules in obstacles.values() for rule in rules)
    return {"everybody": len(problem.persons), **dict(sorted(count.items()))}


def _asked(placing: Placing, post: Post, ask: Ask, deadline: float, counts: dict[str, int]) -> list[dict[str, Any]]:
    """Rules whose lifting fills the place when others move too; else too few people."""
    found, sure = [], True
    for rule in LIFTABLE:
        if rule.value not in counts:
            continue
        left = deadline - time.monotonic()
        answer = ask((post.id, rule), left) if left > 0 else None
        sure = sure and answer is not None
        if answer:
            limit = _limit(placing.problem, post, rule)
            found.append({"code": rule.value, "count": counts[rule.value], "people": [], "moved": True, **limit})
    return found or [{"code": "people", "counts": counts, "sure": sure}]
