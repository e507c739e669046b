"""What is to be filled, by whom and under which rules. Times are minutes since one moment, days and weeks numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

NO_END = 10**9


class Rule(StrEnum):
    """A rule that keeps somebody from a post and could be lifted; BUSY and CLOSED cannot be."""

    SKILL = "skill"
    EXPERIENCE = "experience"
    FREE = "free"
    REST = "rest"
    DAY = "day"
    WEEK = "week"
    PAIR = "pair"
    NEWCOMERS = "newcomers"
    BUSY = "busy"
    CLOSED = "closed"


LIFTABLE = tuple(rule for rule in Rule if rule not in {Rule.BUSY, Rule.CLOSED})


@dataclass(frozen=True)
class Person:
    """`skills` gives the last day each counts on; `free` the times offered, None where every time is asked about.

    `lately` are the minutes of the weeks before, `week_minutes` her own limit (0 for none), `areas` where she lives,
    the nearest first.
    """

    id: int
    skills: Mapping[int, int] = field(default_factory=dict)
    free: tuple[tuple[int, int], ...] | None = None
    lately: int = 0
    experience: int = 0
    newcomer: bool = False
    week_minutes: int = 0
    areas: tuple[int, ...] = ()
    kinds: frozenset[str] = frozenset()
    declined: int = 0


@dataclass(frozen=True)
class Post:
    """A position on a shift with `places` left of `needs`; the shift's time, repeated.

    `newcomers` is their largest share in hundredths, `day_minutes` the activity's own limit of a day (0 for the
    option's), `closed` who may not come at all, with the code of the reason. `days` are the minutes on each day where
    a shift runs over midnight; two shifts of one `activity` that follow at once are one stretch.
    """

    id: int
    shift: int
    starts: int
    ends: int
    day: int
    week: int
    places: int
    needs: int
    skills: frozenset[int] = frozenset()
    experience: int = 0
    newcomers: int = 100
    day_minutes: int = 0
    areas: tuple[int, ...] = ()
    kind: str = ""
    closed: Mapping[int, str] = field(default_factory=dict)
    activity: int = 0
    days: tuple[tuple[int, int], ...] = ()

    @property
    def minutes(self) -> int:
        return self.ends - self.starts

    @property
    def on_days(self) -> dict[int, int]:
        """The minutes on each day it touches."""
        return dict(self.days) or {self.day: self.minutes}

    @property
    def most_new(self) -> int:
        """How many newcomers there may be if all places were taken."""
        return self.needs * self.newcomers // 100


@dataclass(frozen=True)
class Held:
    """Time somebody has given already: on a post of the problem, or elsewhere (`post` and `shift` 0)."""

    person: int
    starts: int
    ends: int
    day: int
    week: int
    shift: int = 0
    post: int = 0
    activity: int = 0
    days: tuple[tuple[int, int], ...] = ()

    @property
    def minutes(self) -> int:
        return self.ends - self.starts

    @property
    def on_days(self) -> dict[int, int]:
        return dict(self.days) or {self.day: self.minutes}


@dataclass(frozen=True)
class Pair:
    """Two who come together: always, or where it can be had. One of them may be nobody of the problem."""

    one: int
    other: int
    always: bool = True


@dataclass(frozen=True)
class Options:
    """Minutes of rest between two shifts and at most in a day and a week (0: no limit); whether only offered times
    count; for how many seconds to search, and how near to the best is near enough.
    """

    rest_minutes: int = 30
    day_minutes: int = 480
    week_minutes: int = 0
    only_free: bool = True
    seconds: float = 60.0
    gap: float = 0.01


@dataclass(frozen=True)
class Problem:
    persons: tuple[Person, ...]
    posts: tuple[Post, ...]
    held: tuple[Held, ...] = ()
    pairs: tuple[Pair, ...] = ()
    options: Options = Options()

    @cached_property
    def person(self) -> dict[int, Person]:
        return {person.id: person for person in self.persons}

    @cached_property
    def post(self) -> dict[int, Post]:
        return {post.id: post for post in self.posts}

    @cached_property
    def held_by(self) -> dict[int, list[Held]]:
        found: dict[int, list[Held]] = {person.id: [] for person in self.persons}
        for held in self.held:
            found.setdefault(held.person, []).append(held)
        return found

    @cached_property
    def held_on(self) -> dict[int, list[Held]]:
        """Who is on each post already."""
        found: dict[int, list[Held]] = {post.id: [] for post in self.posts}
        for held in self.held:
            found.setdefault(held.post, []).append(held)
        return found

    @cached_property
    def partners(self) -> dict[int, list[int]]:
        """With whom each must come."""
        found: dict[int, list[int]] = {}
        for pair in self.pairs:
            if pair.always:
                found.setdefault(pair.one, []).append(pair.other)
                found.setdefault(pair.other, []).append(pair.one)
        return found

    @cached_property
    def friends(self) -> dict[int, list[int]]:
        """With whom each would rather come."""
        found: dict[int, list[int]] = {}
        for pair in self.pairs:
            if not pair.always:
                found.setdefault(pair.one, []).append(pair.other)
                found.setdefault(pair.other, []).append(pair.one)
        return found

    def is_on(self, person: int, shift: int) -> bool:
        """Whether somebody, perhaps nobody of the problem, is on a shift already."""
        return any(held.shift == shift for held in self.held_by.get(person, ()))

    def week_limit(self, person: Person) -> int:
        """The lower of the option's and her own; 0 where there is neither."""
        limits = [limit for limit in (self.options.week_minutes, person.week_minutes) if limit]
        return min(limits, default=0)

    def day_limit(self, post: Post) -> int:
        """The most minutes of a day for whoever is on a post, 0 for no limit."""
        return post.day_minutes or self.options.day_minutes


Line = tuple[int, int]
"""Somebody on a post: the ids of the person and of the post."""


def to_json(problem: Problem) -> dict[str, Any]:
    """Plain values; mappings become lists of pairs, for JSON's keys are texts."""
    data = asdict(problem)
    for person in data["persons"]:
        person["skills"], person["kinds"] = sorted(person["skills"].items()), sorted(person["kinds"])
    for post in data["posts"]:
        post["skills"], post["closed"] = sorted(post["skills"]), sorted(post["closed"].items())
    return data


def from_json(data: Mapping[str, Any]) -> Problem:
    return Problem(
        persons=tuple(_person(row) for row in data["persons"]),
        posts=tuple(_post(row) for row in data["posts"]),
        held=tuple(Held(**{**row, "days": _pairs(row["days"])}) for row in data["held"]),
        pairs=tuple(Pair(**row) for row in data["pairs"]),
        options=Options(**data["options"]),
    )


def _person(row: Mapping[str, Any]) -> Person:
    free = None if row["free"] is None else _pairs(row["free"])
    changed = {"skills": dict(row["skills"]), "kinds": frozenset(row["kinds"]), "areas": tuple(row["areas"])}
    return Person(**{**row, **changed, "free": free})


def _post(row: Mapping[str, Any]) -> Post:
    changed = {"skills": frozenset(row["skills"]), "closed": dict(row["closed"]), "areas": tuple(row["areas"])}
    return Post(**{**row, **changed, "days": _pairs(row["days"])})


def _pairs(rows: Iterable[Iterable[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, second) for first, second in rows)


def merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Times in order, those that touch as one."""
    found: list[tuple[int, int]] = []
    for starts, ends in sorted(spans):
        if found and starts <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((starts, ends))
    return tuple(found)
