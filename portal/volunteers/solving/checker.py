"""An independent judge of a proposal: written against the rules, sharing nothing with what proposes."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from portal.volunteers.solving.problem import NO_END, Held, Line, Person, Post, Problem

Lifted = tuple[int, str] | None
"""A post and the rule that is taken not to hold for it."""


def faults(problem: Problem, lines: Collection[Line], lifted: Lifted = None) -> list[str]:
    """Every rule that a proposal breaks, as sentences for developers; none where it keeps them all."""
    found = [f"twice: {line}" for line in set(lines) if list(lines).count(line) > 1]
    found += _unknown(problem, lines)
    if not found:
        for judge in (_places, _who, _times, _days, _weeks, _pairs, _newcomers):
            found += judge(problem, lines, lifted)
    return found


def _unknown(problem: Problem, lines: Collection[Line]) -> list[str]:
    return [
        f"nobody or nowhere: {line}" for line in lines if line[0] not in problem.person or line[1] not in problem.post
    ]


def _spared(lifted: Lifted, post: int, rule: str) -> bool:
    return lifted == (post, rule)


def _places(problem: Problem, lines: Collection[Line], _lifted: Lifted) -> Iterator[str]:
    count: dict[int, int] = defaultdict(int)
    for _person, post in lines:
        count[post] += 1
    for post, number in count.items():
        if number > problem.post[post].places:
            yield f"post {post}: {number} for {problem.post[post].places} places"


def _who(problem: Problem, lines: Collection[Line], lifted: Lifted) -> Iterator[str]:
    for who, where in lines:
        person, post = problem.person[who], problem.post[where]
        if who in post.closed:
            yield f"{who} may not come to {where}: {post.closed[who]}"
        lacking = [skill for skill in post.skills if skill not in person.skills or person.skills[skill] < post.day]
        if lacking and not _spared(lifted, where, "skill"):
            yield f"{who} on {where} lacks {lacking}"
        if person.experience < post.experience and not _spared(lifted, where, "experience"):
            yield f"{who} on {where} has {person.experience} minutes of {post.experience}"
        if problem.options.only_free and not _spared(lifted, where, "free") and not _offers(person, post):
            yield f"{who} on {where} did not offer that time"


def _offers(person: Person, post: Post) -> bool:
    if person.free is None:
        return True
    return max((ends - post.ends for starts, ends in person.free if starts <= post.starts), default=-1) >= 0


@dataclass(frozen=True)
class _Thing:
    """Something somebody does: its times, the minutes on each day, and its post, 0 for what stood before."""

    starts: int
    ends: int
    week: int
    days: tuple[tuple[int, int], ...]
    activity: int
    post: int

    def on(self, day: int) -> int:
        return sum(minutes for one, minutes in self.days if one == day)


def _thing(one: Held | Post, post: int) -> _Thing:
    days = one.days or ((one.day, one.ends - one.starts),)
    return _Thing(one.starts, one.ends, one.week, tuple(days), one.activity, post)


def _calendar(problem: Problem, lines: Collection[Line]) -> dict[int, list[_Thing]]:
    """Everything each person does, in order of time."""
    found: dict[int, list[_Thing]] = defaultdict(list)
    for held in problem.held:
        found[held.person].append(_thing(held, 0))
    for who, where in lines:
        found[who].append(_thing(problem.post[where], where))
    return {who: sorted(things, key=lambda thing: (thing.starts, thing.ends)) for who, things in found.items()}


def _times(problem: Problem, lines: Collection[Line], lifted: Lifted) -> Iterator[str]:
    for who, things in _calendar(problem, lines).items():
        for at, thing in enumerate(things):
            for later in things[at + 1 :]:
                pause = later.starts - thing.ends
                spared = any(_spared(lifted, one.post, "rest") for one in (thing, later))
                stretch = pause == 0 and thing.activity != 0 and thing.activity == later.activity
                rest = 0 if spared or stretch else problem.options.rest_minutes
                if (thing.post or later.post) and pause < rest:
                    yield f"{who}: {pause} minutes between {thing} and {later}"


def _days(problem: Problem, lines: Collection[Line], lifted: Lifted) -> Iterator[str]:
    for who, things in _calendar(problem, lines).items():
        counted = [thing for thing in things if not _spared(lifted, thing.post, "day")]
        for thing in counted:
            limit = (problem.post[thing.post].day_minutes or problem.options.day_minutes) if thing.post else 0
            for day, _minutes in thing.days:
                minutes = sum(other.on(day) for other in counted)
                if limit and minutes > limit:
                    yield f"{who}: {minutes} minutes on day {day}, over {limit}"


def _weeks(problem: Problem, lines: Collection[Line], lifted: Lifted) -> Iterator[str]:
    for who, things in _calendar(problem, lines).items():
        own = problem.person[who].week_minutes if who in problem.person else 0
        limit = min(own or NO_END, problem.options.week_minutes or NO_END)
        counted = [thing for thing in things if not _spared(lifted, thing.post, "week")]
        for week in {thing.week for thing in counted if thing.post}:
            minutes = sum(thing.ends - thing.starts for thing in counted if thing.week == week)
            if minutes > limit:
                yield f"{who}: {minutes} minutes in week {week}, over {limit}"


def _pairs(problem: Problem, lines: Collection[Line], lifted: Lifted) -> Iterator[str]:
    spared = problem.post[lifted[0]].shift if lifted and lifted[1] == "pair" else None
    placed = {(who, problem.post[where].shift) for who, where in lines}
    there = placed | {(held.person, held.shift) for held in problem.held if held.shift}
    for pair in problem.pairs:
        for who, other in ((pair.one, pair.other), (pair.other, pair.one)):
            for shift in sorted(shift for one, shift in placed if one == who and pair.always and shift != spared):
                if (other, shift) not in there:
                    yield f"{who} without {other} on shift {shift}"


def _newcomers(problem: Problem, lines: Collection[Line], lifted: Lifted) -> Iterator[str]:
    """Where a newcomer is put, they are within their share of those there and of the places; as they were before, it
    is nobody's fault here.
    """
    for post in problem.posts:
        put = [who for who, where in lines if where == post.id]
        everybody = put + [held.person for held in problem.held if held.post == post.id]
        new = [who for who in everybody if who in problem.person and problem.person[who].newcomer]
        if not set(new) & set(put) or _spared(lifted, post.id, "newcomers"):
            continue
        if len(new) / len(everybody) > post.newcomers / 100 or len(new) > int(post.needs * post.newcomers / 100):
            yield f"post {post.id}: {len(new)} newcomers among {len(everybody)} of {post.needs}"
