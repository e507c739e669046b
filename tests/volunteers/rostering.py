"""Small problems by chance, and every possible proposal for them: what the solver is measured against."""

import random
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import product
from math import prod

import numpy as np

from portal.volunteers.solving.problem import Held, Line, Options, Pair, Person, Post, Problem, merged

DAY = 24 * 60
# So many ways to fill the places are looked at one by one; a larger problem loses places.
STATES = 60_000
Lifted = tuple[int, str] | None
Schedule = frozenset[int]


def small(seed: int) -> Problem:
    """12 people by 8 shifts in four days: skills, times, rest, limits, pairs, newcomers, some on something already."""
    chance = random.Random(seed)
    posts = _posts(chance)
    persons = tuple(_person(chance, number) for number in range(1, 13))
    pairs = [Pair(1, 2, always=chance.random() < 0.7), Pair(3, 4, always=chance.random() < 0.5)]
    pairs += [Pair(5, 99)] if chance.random() < 0.2 else []
    options = Options(
        rest_minutes=chance.choice([0, 30, 30, 60, 480]),
        day_minutes=chance.choice([0, 240, 300, 480]),
        week_minutes=chance.choice([0, 0, 300, 480]),
        only_free=chance.random() < 0.8,
        seconds=20,
        gap=0.0,
    )
    held = tuple(_held(chance, posts))
    return Problem(persons, tuple(posts), held, tuple(pairs[: chance.randrange(4)]), options)


def _posts(chance: random.Random) -> list[Post]:
    posts: list[Post] = []
    for shift in range(1, 9):
        day, starts = chance.randrange(4), 60 * chance.choice([7, 8, 9, 9, 10, 11, 13, 14, 16, 22])
        ends = starts + chance.choice([60, 120, 120, 180, 240])
        late = max(0, ends - DAY)
        days = ((day, ends - starts - late), (day + 1, late)) if late else ()
        activity = chance.randrange(1, 4)
        for _position in range(chance.choice([1, 1, 1, 2])):
            places = chance.choice([1, 1, 2, 2, 2, 3])
            post = Post(
                id=len(posts) + 1,
                shift=shift,
                starts=day * DAY + starts,
                ends=day * DAY + ends,
                day=day,
                week=day // 2,
                places=places,
                needs=places,
                skills=frozenset(skill for skill in (1, 2) if chance.random() < 0.2),
                experience=chance.choice([0, 0, 0, 600]),
                newcomers=chance.choice([100, 100, 50, 34, 0]) if shift < 4 else 100,
                day_minutes=chance.choice([0, 0, 0, 180, 360]),
                closed={chance.randrange(1, 13): "age"} if chance.random() < 0.2 else {},
                activity=activity,
                days=days,
            )
            posts.append(post)
    while _states(posts) > STATES:
        at = max(range(len(posts)), key=lambda number: (posts[number].places, posts[number].newcomers < 100, number))
        posts[at] = replace(posts[at], places=posts[at].places - 1, needs=posts[at].needs - 1)
    return posts


def _states(posts: list[Post]) -> int:
    return prod((post.places + 1) ** (1 if post.newcomers == 100 else 2) for post in posts)


def _person(chance: random.Random, number: int) -> Person:
    spans = [(day * DAY + opens, day * DAY + opens + 60 * chance.choice([3, 5, 8])) for day, opens in _times(chance)]
    experience = chance.choice([0, 300, 900, 3000])
    return Person(
        id=number,
        skills={skill: chance.choice([1, 9]) for skill in (1, 2) if chance.random() < 0.5},
        free=None if chance.random() < 0.2 else merged(spans),
        lately=60 * chance.randrange(20),
        experience=experience,
        newcomer=experience < 600,
        week_minutes=chance.choice([0, 0, 240]),
    )


def _times(chance: random.Random) -> Iterator[tuple[int, int]]:
    for day in range(4):
        if chance.random() < 0.75:
            yield day, 60 * chance.choice([6, 8, 8, 12, 18])


def _held(chance: random.Random, posts: list[Post]) -> Iterator[Held]:
    """Somebody on a post of the problem whose needs grew, and somebody busy elsewhere."""
    for person in chance.sample(range(1, 13), chance.randrange(4)):
        if chance.random() < 0.5:
            at = chance.randrange(len(posts))
            post = posts[at] = replace(posts[at], needs=posts[at].needs + 1)
            times = (post.starts, post.ends, post.day, post.week)
            yield Held(person, *times, post.shift, post.id, post.activity, post.days)
        else:
            day = chance.randrange(4)
            yield Held(person, day * DAY + 600, day * DAY + 720, day, day // 2)


class Everything:
    """Every proposal that keeps the rules, as the set of how many newcomers and others each post can have at once."""

    def __init__(self, problem: Problem, lifted: Lifted = None) -> None:
        self.problem, self.lifted = problem, lifted
        self.at = {post.id: 2 * number for number, post in enumerate(problem.posts)}
        places = [post.places + 1 for post in problem.posts for _kind in range(2)]
        # Newcomers are counted apart only where they count.
        self.sizes = [size if at % 2 or self._counts_new(at) else 1 for at, size in enumerate(places)]
        self.strides = [prod(self.sizes[:at]) for at in range(len(self.sizes))]
        self.states = prod(self.sizes)
        # A state is a bit, its number the counts in a mixed radix: adding a schedule to all states is one shift.
        self.bits = 1
        self.rooms: dict[tuple[int, int], int] = {}
        for group in self._groups():
            self._add(group)

    def _counts_new(self, at: int) -> bool:
        return self.problem.posts[at // 2].newcomers < 100

    def _groups(self) -> list[list[Person]]:
        groups = [[person] for person in self.problem.persons]
        for pair in self.problem.pairs:
            mine = [group for group in groups if {pair.one, pair.other} & {person.id for person in group}]
            if pair.always:
                groups = [group for group in groups if group not in mine] + [[one for group in mine for one in group]]
        return groups

    def _add(self, group: list[Person]) -> None:
        before = after = self.bits
        known = set()
        for schedules in product(*(self.schedules(person) for person in group)):
            if not self._together(group, schedules):
                continue
            steps = [0] * len(self.sizes)
            for person, schedule in zip(group, schedules, strict=True):
                for post in schedule:
                    at = self.at[post]
                    steps[at + (not (person.newcomer and self._counts_new(at)))] += 1
            if tuple(steps) in known or any(step >= size for step, size in zip(steps, self.sizes, strict=True)):
                continue
            known.add(tuple(steps))
            fits = before
            for at, step in enumerate(steps):
                fits &= self._room(at, step) if step else fits
            after |= fits << sum(step * stride for step, stride in zip(steps, self.strides, strict=True))
        self.bits = after

    def _room(self, at: int, step: int) -> int:
        """The states in which so many more find room at a place of the radix."""
        if (at, step) not in self.rooms:
            size, stride = self.sizes[at], self.strides[at]
            block = (1 << (size - step) * stride) - 1
            self.rooms[at, step] = block * (((1 << self.states) - 1) // ((1 << size * stride) - 1))
        return self.rooms[at, step]

    def schedules(self, person: Person) -> list[Schedule]:
        """Every set of posts that she alone may do."""
        found: list[list[Post]] = [[]]
        for post in self.problem.posts:
            if post.places and self._may(person, post):
                found += [[*some, post] for some in found if self._fits(person, post, some)]
        return [frozenset(post.id for post in some) for some in found]

    def _lifts(self, rule: str, *posts: int) -> bool:
        return self.lifted is not None and self.lifted[1] == rule and self.lifted[0] in posts

    def _may(self, person: Person, post: Post) -> bool:
        skilled = all(person.skills.get(skill, -1) >= post.day for skill in post.skills)
        times = person.free if self.problem.options.only_free and person.free is not None else ((-DAY, 9 * DAY),)
        free = any(opens <= post.starts and closes >= post.ends for opens, closes in times)
        return (
            person.id not in post.closed
            and (skilled or self._lifts("skill", post.id))
            and (person.experience >= post.experience or self._lifts("experience", post.id))
            and (free or self._lifts("free", post.id))
        )

    def _fits(self, person: Person, post: Post, some: Collection[Post]) -> bool:
        held = [one for one in self.problem.held if one.person == person.id]
        return (
            all(self._apart(post, other, post.id, other.id) for other in some)
            and all(self._apart(post, other, post.id, 0) for other in held)
            and self._within_days([*some, post], held)
            and self._within_week(person, [*some, post], held)
        )

    def _apart(self, one: Post | Held, other: Post | Held, *posts: int) -> bool:
        first, second = sorted((one, other), key=lambda thing: (thing.starts, thing.ends))
        rest = 0 if self._lifts("rest", *(post for post in posts if post)) else self.problem.options.rest_minutes
        if first.activity and first.activity == second.activity and second.starts == first.ends:
            return True
        return second.starts - first.ends >= rest

    def _within_days(self, some: Collection[Post], held: Collection[Held]) -> bool:
        counted = [post for post in some if not self._lifts("day", post.id)]
        for day in range(6):
            mine = [post for post in counted if _on(post, day)]
            total = sum(_on(thing, day) for thing in [*counted, *held])
            if any(total > (post.day_minutes or self.problem.options.day_minutes or 10**6) for post in mine):
                return False
        return True

    def _within_week(self, person: Person, some: Collection[Post], held: Collection[Held]) -> bool:
        limit = min(person.week_minutes or 10**6, self.problem.options.week_minutes or 10**6)
        counted = [post for post in some if not self._lifts("week", post.id)]
        for week in {post.week for post in counted}:
            if sum(thing.ends - thing.starts for thing in [*counted, *held] if thing.week == week) > limit:
                return False
        return True

    def _together(self, group: list[Person], schedules: tuple[Schedule, ...]) -> bool:
        shift = {post.id: post.shift for post in self.problem.posts}
        on = {(person.id, shift[post]) for person, some in zip(group, schedules, strict=True) for post in some}
        there = on | {(held.person, held.shift) for held in self.problem.held if held.shift}
        spared = {shift[self.lifted[0]]} if self.lifted and self.lifted[1] == "pair" else set()
        partners = [(pair.one, pair.other) for pair in self.problem.pairs if pair.always]
        partners += [(other, one) for one, other in partners]
        return all(
            (other, where) in there
            for who, where in on
            for one, other in partners
            if who == one and where not in spared
        )

    def _allowed(self) -> np.ndarray:
        """What is reached and keeps to the places and to the newcomers' share."""
        raw = np.frombuffer(self.bits.to_bytes(self.states // 8 + 1, "little"), dtype=np.uint8)
        good = np.unpackbits(raw, bitorder="little")[: self.states].astype(bool).reshape(self.sizes, order="F")
        counts = np.indices(good.shape, sparse=True)
        for post in self.problem.posts:
            at = self.at[post.id]
            new, known = counts[at], counts[at + 1]
            good &= new + known <= post.places
            if post.newcomers < 100 and not self._lifts("newcomers", post.id):
                there = [held.person for held in self.problem.held if held.post == post.id]
                was = sum(1 for person in self.problem.persons if person.id in there and person.newcomer)
                share = 100 * (was + new) <= post.newcomers * (len(there) + new + known)
                good &= (new == 0) | (share & (was + new <= post.needs * post.newcomers // 100))
        return good

    def most(self) -> int:
        """The most places that can be filled at all."""
        counts = np.indices(self.sizes, sparse=True)
        total = sum(counts, start=np.zeros((1,) * len(self.sizes), dtype=int))
        return int(np.where(self._allowed(), total, 0).max())

    def has(self, least: dict[int, int]) -> bool:
        """Whether so many can be on each post at once."""
        counts = np.indices(self.sizes, sparse=True)
        good = self._allowed()
        for post, number in least.items():
            good = good & (counts[self.at[post]] + counts[self.at[post] + 1] >= number)
        return bool(good.any())


def _on(thing: Post | Held, day: int) -> int:
    return dict(thing.days or ((thing.day, thing.ends - thing.starts),)).get(day, 0)


def filled(lines: Collection[Line]) -> dict[int, int]:
    found: dict[int, int] = {}
    for _person, post in lines:
        found[post] = found.get(post, 0) + 1
    return found
