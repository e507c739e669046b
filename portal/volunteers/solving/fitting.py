"""Which rules keep somebody from a post, as things stand before anybody is placed."""

from collections.abc import Iterable

from portal.volunteers.solving.problem import Held, Person, Post, Problem, Rule

Candidate = tuple[Person, Post]


def is_offered(person: Person, post: Post) -> bool:
    """Whether the shift lies within a time she offered; who offered none is asked about any."""
    return person.free is None or any(starts <= post.starts and post.ends <= ends for starts, ends in person.free)


def near(person: Person, post: Post) -> int:
    """How near she lives: 0 for the nearest area in common, larger for a wider one, their number for none."""
    common = (at for at, area in enumerate(person.areas) if area in post.areas)
    return next(common, len(person.areas))


def own_rules(person: Person, post: Post, problem: Problem) -> set[Rule]:
    """Rules about her and the post alone."""
    found = set()
    if person.id in post.closed:
        found.add(Rule.CLOSED)
    if any(person.skills.get(skill, -1) < post.day for skill in post.skills):
        found.add(Rule.SKILL)
    if person.experience < post.experience:
        found.add(Rule.EXPERIENCE)
    if problem.options.only_free and not is_offered(person, post):
        found.add(Rule.FREE)
    return found


def between(post: Post, other: Held | Post, rest: int) -> Rule | None:
    """What keeps one person from both: the same time, or too little rest between."""
    if post.starts < other.ends and other.starts < post.ends:
        return Rule.BUSY
    pause = max(post.starts - other.ends, other.starts - post.ends)
    if pause < rest and not (pause == 0 and post.activity and post.activity == other.activity):
        return Rule.REST
    return None


def over_day(post: Post, others: Iterable[Held | Post], problem: Problem) -> bool:
    """Whether a post and what else somebody does come to more than the limit of any post of a day."""
    all_of_it = [post, *others]
    for day in post.on_days:
        same = [thing for thing in all_of_it if day in thing.on_days]
        limits = [problem.day_limit(thing) for thing in same if isinstance(thing, Post)]
        minutes = sum(thing.on_days[day] for thing in same)
        if any(limit and minutes > limit for limit in limits):
            return True
    return False


def barriers(person: Person, post: Post, problem: Problem) -> set[Rule]:
    """Every rule that keeps her from the post before anybody else is placed."""
    found = own_rules(person, post, problem)
    held = problem.held_by.get(person.id, [])
    clashes = {between(post, other, problem.options.rest_minutes) for other in held}
    found |= {rule for rule in clashes if rule is not None}
    if over_day(post, held, problem):
        found.add(Rule.DAY)
    limit = problem.week_limit(person)
    if limit and post.minutes + sum(other.minutes for other in held if other.week == post.week) > limit:
        found.add(Rule.WEEK)
    return found


def candidates(problem: Problem, lifted: tuple[int, Rule] | None = None) -> list[Candidate]:
    """Who could come to which post; with a post and a rule, as if the rule were lifted for the post.

    Who always comes with somebody is taken out where the other could not come.
    """
    found: dict[int, dict[int, list[Candidate]]] = {}
    for post in problem.posts:
        if not post.places:
            continue
        allowed = {lifted[1]} if lifted and lifted[0] == post.id else set()
        for person in problem.persons:
            if barriers(person, post, problem) <= allowed:
                found.setdefault(post.shift, {}).setdefault(person.id, []).append((person, post))
    spared = problem.post[lifted[0]].shift if lifted and lifted[1] is Rule.PAIR else None
    for shift, by_person in found.items():
        if shift != spared:
            _without_alone(problem, shift, by_person)
    return [one for by_person in found.values() for mine in by_person.values() for one in mine]


def _without_alone(problem: Problem, shift: int, by_person: dict[int, list[Candidate]]) -> None:
    """Take out who would come alone; that may leave another alone, so ask again."""
    alone = [0]
    while alone:
        alone = [
            person
            for person in by_person
            if any(
                other not in by_person and not problem.is_on(other, shift) for other in problem.partners.get(person, ())
            )
        ]
        for person in alone:
            del by_person[person]
