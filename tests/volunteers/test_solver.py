"""What the solver proposes keeps the rules, fills as much as can be filled, and explains its gaps truly."""

from dataclasses import replace

import pytest

from portal.volunteers.solving import checker, greedy, model
from portal.volunteers.solving.__main__ import solved
from portal.volunteers.solving.problem import LIFTABLE, Held, Options, Pair, Person, Post, Problem, from_json, to_json
from tests.volunteers.rostering import Everything, filled, small

INSTANCES, CHUNK = 200, 10


@pytest.mark.parametrize("first", range(0, INSTANCES, CHUNK))
def test_a_proposal_keeps_the_rules_fills_the_most_and_explains_its_gaps(first):
    for seed in range(first, first + CHUNK):
        problem = small(seed)
        found = solved(from_json(to_json(problem)))
        lines = [(line["person"], line["post"]) for line in found["lines"]]
        assert checker.faults(problem, lines) == [], seed
        assert len(lines) == Everything(problem).most(), seed
        _gaps_are_explained(problem, lines, found["gaps"], seed)
        _hours_are_compared_truly(problem, found["lines"], lines, seed)


def _hours_are_compared_truly(problem, told, lines, seed):
    """Against everybody who, by the independent judge, could be there in her stead as the proposal stands."""
    loads = {one.id: one.lately for one in problem.persons}
    for thing in [*problem.held, *(Held(who, *_span(problem.post[where]), 0, 0) for who, where in lines)]:
        if thing.person in loads:
            loads[thing.person] += thing.minutes
    for line in told:
        hours = next((reason for reason in line["why"] if reason["code"] == "hours"), None)
        who, where = line["person"], line["post"]
        others = _who_else(problem, lines, (who, where))
        if hours is None:
            assert not others, (seed, line)
            continue
        minutes = problem.post[where].minutes
        assert hours["after"] == loads[who], (seed, line)
        assert hours["spare"] == len(others), (seed, line)
        assert hours["fewer"] == sum(1 for other in others if loads[other] < loads[who]), (seed, line)
        assert hours["still"] == sum(1 for other in others if loads[other] + minutes < loads[who]), (seed, line)
        assert hours["there"] == len(_there_too(problem, lines, (who, where))), (seed, line)
        assert bool(hours["kept"]) is (hours["of"] - 1 > hours["spare"] + hours["there"]), (seed, line)


def _span(post):
    return post.starts, post.ends


def _who_else(problem, lines, line):
    without = [one for one in lines if one != line]
    before = checker.faults(problem, without)
    return [
        person.id
        for person in problem.persons
        if person.id != line[0]
        and (person.id, line[1]) not in lines
        and not set(checker.faults(problem, [*without, (person.id, line[1])])) - set(before)
    ]


def _there_too(problem, lines, line):
    """Who is put on the same shift and could be on this post of it as well: nobody may call them unable to come."""
    who, where = line
    shift = problem.post[where].shift
    others = {other for other, post in lines if problem.post[post].shift == shift and other != who}
    return [other for other in others if not list(checker._who(problem, [(other, where)], None))]


def _gaps_are_explained(problem, lines, gaps, seed):
    """Each rule that is named fills a place when it is lifted, with no post having fewer; where too few people are
    said to be missing, no rule alone would do it.
    """
    have = filled(lines)
    left = {post.id: post.places - have.get(post.id, 0) for post in problem.posts}
    assert {gap["post"]: gap["missing"] for gap in gaps} == {post: number for post, number in left.items() if number}
    for gap in gaps:
        wanted = {**have, gap["post"]: have.get(gap["post"], 0) + 1}
        named = {reason["code"] for reason in gap["why"]}
        assert named, (seed, gap)
        tried = {rule.value for rule in LIFTABLE} if named == {"people"} else named
        for rule in tried:
            fills = Everything(problem, (gap["post"], rule)).has(wanted)
            assert fills is (named != {"people"}), (seed, gap, rule)
        for reason in gap["why"]:
            for person in reason.get("people", ()):
                more = [*lines, (person, gap["post"])]
                assert checker.faults(problem, more, (gap["post"], reason["code"])) == [], (seed, gap)


@pytest.mark.parametrize("first", range(0, INSTANCES, 50))
def test_the_plain_filling_keeps_the_rules_too(first):
    for seed in range(first, first + 50):
        problem = small(seed)
        assert checker.faults(problem, greedy.fill(problem)) == [], seed


def _two(**more):
    """Two people and two shifts of two hours, a quarter hour apart."""
    persons = (Person(1, experience=6000), Person(2, experience=6000))
    posts = (Post(1, 1, 480, 600, 0, 0, 2, 2), Post(2, 2, 615, 735, 0, 0, 1, 1))
    return replace(Problem(persons, posts, options=Options(rest_minutes=0)), **more)


@pytest.mark.parametrize(
    ("changed", "lines", "says"),
    [
        ({}, [(1, 1), (1, 1)], "twice"),
        ({}, [(9, 1)], "nobody"),
        ({}, [(1, 2), (2, 2)], "places"),
        ({"options": Options(rest_minutes=30)}, [(1, 1), (1, 2)], "between"),
        ({"options": Options(rest_minutes=0, day_minutes=200)}, [(1, 1), (1, 2)], "on day"),
        ({"options": Options(rest_minutes=0, week_minutes=200)}, [(1, 1), (1, 2)], "in week"),
        ({"pairs": (Pair(1, 2),)}, [(1, 1)], "without"),
        ({"persons": (Person(1, free=((0, 500),)), Person(2))}, [(1, 1)], "offer"),
        ({"posts": (Post(1, 1, 480, 600, 0, 0, 2, 2, skills=frozenset({1})),)}, [(1, 1)], "lacks"),
        ({"posts": (Post(1, 1, 480, 600, 0, 0, 2, 2, experience=9000),)}, [(1, 1)], "minutes of"),
        ({"posts": (Post(1, 1, 480, 600, 0, 0, 2, 2, closed={1: "age"}),)}, [(1, 1)], "may not"),
        (
            {
                "persons": (Person(1, newcomer=True), Person(2)),
                "posts": (Post(1, 1, 480, 600, 0, 0, 2, 2, newcomers=50),),
            },
            [(1, 1)],
            "newcomers",
        ),
    ],
)
def test_the_checker_sees_every_kind_of_fault(changed, lines, says):
    assert any(says in fault for fault in checker.faults(_two(**changed), lines))
    assert checker.faults(_two(), [(1, 1), (2, 1), (2, 2)]) == []


def test_hours_are_spread_over_those_who_had_few():
    persons = (Person(1, lately=1200), Person(2, lately=0), Person(3, lately=0))
    posts = tuple(Post(at, at, at * 1440, at * 1440 + 120, at, 0, 1, 1) for at in range(1, 5))
    found = model.solve(Problem(persons, posts), (), lambda step: None)
    assert sorted(person for person, _post in found.lines) == [2, 2, 3, 3]


def test_what_comes_soon_is_filled_before_what_comes_late():
    posts = tuple(Post(at, at, at * 1440, at * 1440 + 120, at, 0, 1, 1) for at in range(1, 5))
    problem = Problem((Person(1),), posts, options=Options(week_minutes=240))
    found = model.solve(problem, (), lambda step: None)
    assert found.lines == ((1, 1), (1, 2))


def test_friends_come_together_where_it_costs_nobody_a_place():
    posts = tuple(Post(at, at, 480, 600, 0, 0, 2, 2) for at in range(1, 3))
    persons = tuple(Person(number) for number in range(1, 5))
    found = model.solve(Problem(persons, posts, pairs=(Pair(1, 4, always=False),)), (), lambda step: None)
    assert len(found.lines) == 4
    assert dict(found.lines)[1] == dict(found.lines)[4]


def test_a_line_says_why():
    persons = (
        Person(1, {7: 99}, ((0, 900),), lately=600, areas=(5, 1)),
        Person(2, {7: 99}, ((0, 900),), lately=60, areas=(6, 1)),
    )
    posts = (Post(1, 1, 480, 600, 0, 0, 1, 1, frozenset({7}), areas=(6, 1)),)
    found = solved(Problem(persons, posts))
    hours = {
        "code": "hours",
        "lately": 60,
        "after": 180,
        "spare": 1,
        "fewer": 0,
        "still": 0,
        "of": 2,
        "there": 0,
        "kept": [],
    }
    why = [{"code": "skill", "skills": [7]}, {"code": "free"}, hours, {"code": "near"}]
    assert found["lines"] == [{"person": 2, "post": 1, "why": why}]


def test_nothing_to_fill_and_nobody_to_fill_it_are_answers_too():
    assert solved(Problem((), ()))["lines"] == []
    found = solved(Problem((), (Post(1, 1, 480, 600, 0, 0, 2, 2),)))
    assert found["gaps"] == [
        {"post": 1, "missing": 2, "why": [{"code": "people", "counts": {"everybody": 0}, "sure": True}]}
    ]
