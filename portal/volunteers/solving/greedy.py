"""The plain way to fill: the shift with the fewest who could come first, and there whoever has the fewest hours."""

import time
from collections.abc import Collection

from portal.volunteers.solving import fitting
from portal.volunteers.solving.placing import Placing
from portal.volunteers.solving.problem import Line, Person, Post, Problem, Rule


def fill(problem: Problem, lines: Collection[Line] = ()) -> tuple[Line, ...]:
    """Add to a proposal that keeps the rules whoever still can be added, one after the other."""
    placing = Placing(problem, lines)
    could: dict[int, list[Person]] = {post.id: [] for post in problem.posts}
    for person, post in fitting.candidates(problem):
        could[post.id].append(person)
    order = sorted(problem.posts, key=lambda post: (len(could[post.id]) - placing.left[post.id], post.starts, post.id))
    for _round in range(2):
        # Those who always come with somebody find them on a later post of the shift, newcomers the experienced.
        for post in order:
            _fill(placing, post, could[post.id])
    return tuple(sorted(placing.lines))


def _fill(placing: Placing, post: Post, could: Collection[Person]) -> None:
    found = True
    while found and placing.left[post.id]:
        ranked = sorted(could, key=lambda person: _rank(placing, person, post))
        found = any(_put(placing, person, post) for person in ranked)


def _rank(placing: Placing, person: Person, post: Post) -> tuple[bool, bool, int, int, int]:
    """Who offered the time first, then the experienced while newcomers need them, then the fewest hours."""
    new = person.newcomer and post.newcomers < 100
    return not fitting.is_offered(person, post), new, placing.load(person), fitting.near(person, post), person.id


def _put(placing: Placing, person: Person, post: Post) -> bool:
    """Place somebody, with those she always comes with where they find a place of the same shift."""
    if (person.id, post.shift) in placing.shifts:
        return False
    done: list[Line] = []
    waiting = [(person, [post])]
    while waiting:
        who, where = waiting.pop()
        place = next((one for one in where if _fits(placing, who, one)), None)
        if place is None:
            for line in done:
                placing.take(*line)
            return False
        placing.put(who.id, place.id)
        done.append((who.id, place.id))
        waiting += _missing(placing, who.id, post.shift)
    return True


def _missing(placing: Placing, who: int, shift: int) -> list[tuple[Person, list[Post]]]:
    here = [post for post in placing.problem.posts if post.shift == shift]
    others = [other for other in placing.problem.partners.get(who, ()) if (other, shift) not in placing.shifts]
    known = placing.problem.person
    return [(known[other], here) if other in known else (_NOBODY, []) for other in others]


_NOBODY = Person(id=0)


def _fits(placing: Placing, person: Person, post: Post) -> bool:
    return placing.left[post.id] > 0 and placing.obstacles(person, post) <= {Rule.PAIR}


def balance(problem: Problem, lines: Collection[Line], seconds: float) -> tuple[Line, ...]:
    """The same places filled, hours spread more evenly: one line after the other goes to whoever has fewer hours, as
    long as that helps and there is time. Who always comes with somebody stays.
    """
    placing, deadline = Placing(problem, lines), time.monotonic() + seconds
    could: dict[int, list[Person]] = {post.id: [] for post in problem.posts}
    for person, post in fitting.candidates(problem):
        could[post.id].append(person)
    moved = True
    while moved and time.monotonic() < deadline:
        heaviest = sorted(placing.lines, key=lambda line: (-placing.load(problem.person[line[0]]), line))
        changed = [_lighten(placing, *line, could[line[1]]) for line in heaviest if time.monotonic() < deadline]
        moved = any(changed)
    return tuple(sorted(placing.lines))


def _lighten(placing: Placing, who: int, where: int, could: Collection[Person]) -> bool:
    """Give a line to the one with the fewest hours who makes the squares of both loads smaller."""
    person, post = placing.problem.person[who], placing.problem.post[where]
    if placing.problem.partners.get(who):
        return False
    placing.take(who, where)
    free, least = fitting.is_offered(person, post), placing.load(person)
    lighter = [other for other in could if placing.load(other) < least]
    for other in sorted(lighter, key=lambda one: (placing.load(one), one.id)):
        if (fitting.is_offered(other, post) or not free) and not placing.obstacles(other, post):
            placing.put(other.id, where)
            return True
    placing.put(who, where)
    return False
