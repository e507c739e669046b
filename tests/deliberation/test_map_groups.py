"""The map of opinion itself: planted groups are found whatever the order of people, and nobody can be picked out."""

import random
from itertools import combinations
from math import hypot

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from bench.opinion import planted
from portal.deliberation.mapping import drawing, grouping, holding
from portal.deliberation.mapping.__main__ import mapped
from portal.deliberation.mapping.holding import Cell, Line
from portal.deliberation.mapping.question import Question, from_json, of_stands, to_json


def _groups(question):
    return grouping.groups(grouping.matrix(question.rows))


@pytest.mark.parametrize(("groups", "seen"), [(2, 0.3), (3, 1.0), (4, 0.3), (5, 0.3), (5, 1.0)])
def test_planted_groups_of_5000_people_and_200_statements_are_found(groups, seen):
    question, truth = planted(groups, seen, seed=40 + groups)
    found = _groups(question)
    assert found.count == groups
    assert adjusted_rand_score(truth, found.labels) >= 0.9


def test_the_map_is_the_same_in_whatever_order_people_come():
    question, _truth = planted(4, 0.3, seed=7, people=300, opinions=40)
    shuffled = list(question.rows)
    random.Random(3).shuffle(shuffled)
    again = Question(question.opinions, tuple(shuffled))
    assert shuffled != list(question.rows)
    assert {**mapped(question), "seconds": 0} == {**mapped(again), "seconds": 0}


@pytest.mark.parametrize("people", [30, 300])
def test_people_of_one_mind_are_one_group(people):
    question, _truth = planted(1, 1.0, seed=5, people=people, opinions=20)
    found = mapped(question)
    assert [group["people"] for group in found["groups"]] == [people]


def test_everybody_saying_the_same_is_one_group():
    found = mapped(Question((1, 2, 3), ("++-",) * 12))
    assert [group["people"] for group in found["groups"]] == [12]
    assert found["common"] == [
        {"opinion": one, "stand": stand} for one, stand in ((1, "agree"), (2, "agree"), (3, "disagree"))
    ]


def test_a_group_of_fewer_than_five_goes_over_to_the_nearest():
    places = np.array([[0.0, 0.0]] * 6 + [[10.0, 0.0]] * 7 + [[9.0, 1.0]] * 4)
    labels = np.array([0] * 6 + [1] * 7 + [2] * 4)
    merged = grouping._large_enough(places, labels)
    assert np.bincount(merged).tolist() == [6, 11]


def test_four_of_another_mind_are_no_group_of_their_own():
    rows = ("++++++++++",) * 20 + ("----------",) * 4
    found = mapped(Question(tuple(range(10)), rows))
    assert [group["people"] for group in found["groups"]] == [24]
    five = mapped(Question(tuple(range(10)), (*rows, "----------")))
    assert [group["people"] for group in five["groups"]] == [20, 5]


def test_whoever_took_a_stand_on_too_little_is_not_placed():
    rows = ("++++++++++", "+++++++...", "++++++....", "..........")
    assert Question(tuple(range(10)), rows).placed == ("++++++++++", "+++++++...")
    assert Question((1, 2), ("+-", "+.")).placed == ("+-",)


def test_of_two_stands_of_one_person_the_later_counts():
    question = of_stands([7, 3], [(1, 3, "+"), (2, 7, "-"), (1, 3, "-")])
    assert question.opinions == (3, 7)
    assert question.rows == ("-.", ".-")
    assert from_json(to_json(question)) == question


def test_a_figure_of_fewer_than_five_answers_is_told_of_no_group():
    cells = [Cell(20, 1, 0), Cell(3, 1, 0), Cell(9, 9, 2)]
    # Four answers alone could be reckoned from the whole: the next smallest goes with them.
    assert holding._told(cells) == (cells[0], None, None)
    assert holding._told([Cell(9, 0, 0), Cell(2, 1, 1), Cell(0, 1, 2)]) == (Cell(9, 0, 0), None, None)
    assert holding._told([Cell(9, 0, 0), Cell(2, 2, 0)]) == (None, None)
    assert holding._told([Cell(9, 0, 0), Cell(5, 0, 0)]) == (Cell(9, 0, 0), Cell(5, 0, 0))


def test_a_statement_with_fewer_than_five_answers_is_not_in_the_map():
    rows = ("+" * 8 + ".",) * 8 + ("+" * 9,) * 4
    found = mapped(Question(tuple(range(9)), rows))
    assert [line["opinion"] for line in found["lines"]] == list(range(8))


def test_what_marks_a_group_what_all_hold_and_what_is_undecided():
    chance = random.Random(11)

    def people(count, shares):
        return ["".join("+" if chance.random() < share else "-" for share in shares) for _one in range(count)]

    # The first four statements part the groups, the next two all hold, one all reject, two are halved in each.
    one, other = (1, 1, 0, 0), (0, 0, 1, 1)
    same = (0.95, 0.9, 0.05, 0.5, 0.5)
    rows = [row + "0" for row in people(60, one + same) + people(40, other + same)]
    found = mapped(Question(tuple(range(10)), tuple(rows)))
    assert [group["people"] for group in found["groups"]] == [60, 40]
    held = [{(one["opinion"], one["stand"]) for one in group["holds"]} for group in found["groups"]]
    assert {(0, "agree"), (1, "agree"), (2, "disagree"), (3, "disagree")} <= held[0]
    assert {(0, "disagree"), (1, "disagree"), (2, "agree"), (3, "agree")} <= held[1]
    assert {(one["opinion"], one["stand"]) for one in found["common"]} == {(4, "agree"), (5, "agree"), (6, "disagree")}
    undecided = {one["opinion"]: one["why"] for one in found["undecided"]}
    assert undecided[9] == "pass"
    assert undecided.keys() <= {7, 8, 9}
    assert "halved" in undecided.values()


def test_what_six_in_ten_hold_is_held_and_a_little_less_is_not():
    # (agree + 1) of (answers + 2): 59 and 60 of 98 answers are exactly 0.6 and a little more.
    assert holding.held_by_all([Line(1, Cell(59, 39, 0), (Cell(59, 39, 0),))]) == [{"opinion": 1, "stand": "agree"}]
    assert holding.held_by_all([Line(1, Cell(58, 40, 0), (Cell(58, 40, 0),))]) == []
    hidden = Line(1, Cell(60, 0, 0), (Cell(56, 0, 0), None))
    assert holding.held_by_all([hidden]) == []


@pytest.mark.parametrize("sizes", [[100], [60, 40], [20, 20, 20, 20, 20], [480, 5, 5, 5, 5], [50, 30, 20]])
def test_circles_lie_in_their_box_and_over_no_other(sizes):
    middles = np.random.default_rng(1).normal(size=(len(sizes), max(len(sizes) - 1, 1)))
    circles = drawing.circles(middles, sizes)
    for x, y, r in circles:
        assert r <= x <= drawing.WIDTH - r
        assert r <= y <= drawing.HEIGHT - r
    for (x, y, r), (x2, y2, r2) in combinations(circles, 2):
        assert hypot(x - x2, y - y2) > r + r2 - 1
