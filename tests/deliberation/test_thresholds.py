"""Every row of the law's table at, one under and one over each of its thresholds, in exact numbers."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.deliberation.models.codes import Body
from portal.deliberation.service.law import CHANGED, LAW, LawRow
from portal.deliberation.service.thresholds import NOTHING, Share, Threshold, Weight, decide, threshold_of


def _threshold(row: LawRow) -> Threshold:
    return threshold_of(
        {
            "quorum": [row.quorum, row.quorum_of],
            "quorum_over": row.quorum_over,
            "passes": [row.passes, row.passes_of],
            "passes_over": row.passes_over,
            "by_area": row.by_area,
        }
    )


ROWS = {row.body: row for row in LAW}
HALF = {
    Body.RESIDENTS_PERSONS,
    Body.RESIDENTS_HOUSEHOLDS,
    Body.RESIDENTS_GROUPS,
    Body.VILLAGERS_PERSONS,
    Body.VILLAGE_ELECTION,
    Body.VILLAGE_RECALL,
}
TWO_THIRDS = {
    Body.RESIDENT_DELEGATES,
    Body.VILLAGERS_HOUSEHOLDS,
    Body.VILLAGE_DELEGATES,
    Body.VILLAGE_GROUP_PERSONS,
    Body.VILLAGE_GROUP_HOUSEHOLDS,
}
OWNERS = {Body.OWNERS_ORDINARY, Body.OWNERS_SPECIAL}


@dataclass(frozen=True)
class Case:
    """Of so many entitled so many come, of whom so many consent."""

    entitled: int
    came: int
    consent: int
    enough: bool
    carried: bool


# Written out by hand from the articles: more than half of 100 is 51, two thirds of 99 are 66, of 100 are 67.
MORE_THAN_HALF_COME = [
    Case(100, 49, 49, enough=False, carried=False),
    Case(100, 50, 50, enough=False, carried=False),
    Case(100, 51, 51, enough=True, carried=True),
    Case(101, 50, 50, enough=False, carried=False),
    Case(101, 51, 51, enough=True, carried=True),
]
TWO_THIRDS_COME = [
    Case(99, 65, 65, enough=False, carried=False),
    Case(99, 66, 66, enough=True, carried=True),
    Case(99, 67, 67, enough=True, carried=True),
    Case(100, 66, 66, enough=False, carried=False),
    Case(100, 67, 67, enough=True, carried=True),
]
# Of 70 or 71 who came more than half is 36.
MORE_THAN_HALF_AGREE = [
    Case(100, 70, 34, enough=True, carried=False),
    Case(100, 70, 35, enough=True, carried=False),
    Case(100, 70, 36, enough=True, carried=True),
    Case(100, 71, 35, enough=True, carried=False),
    Case(100, 71, 36, enough=True, carried=True),
]


def _by_heads(row: LawRow, case: Case) -> None:
    votes = {1: Weight(case.consent), 2: Weight(case.came - case.consent)}
    found = decide(_threshold(row), entitled=Weight(case.entitled), votes=votes, put=[1])
    assert found.quorum_met is case.enough
    assert found.carried == ((1,) if case.carried else ())


@pytest.mark.parametrize("body", sorted(HALF))
@pytest.mark.parametrize("case", MORE_THAN_HALF_COME + MORE_THAN_HALF_AGREE)
def test_more_than_half_must_come_and_exactly_half_is_not_enough(body: Body, case: Case) -> None:
    _by_heads(ROWS[body], case)


@pytest.mark.parametrize("body", sorted(TWO_THIRDS))
@pytest.mark.parametrize("case", TWO_THIRDS_COME + MORE_THAN_HALF_AGREE)
def test_two_thirds_must_come_and_exactly_two_thirds_is_enough(body: Body, case: Case) -> None:
    _by_heads(ROWS[body], case)


@pytest.mark.parametrize(
    "case",
    [
        Case(5, 1, 1, enough=True, carried=True),
        Case(5, 4, 2, enough=True, carried=False),
        Case(5, 4, 3, enough=True, carried=True),
        Case(5, 0, 0, enough=True, carried=False),
    ],
)
def test_a_committee_has_no_quorum_of_the_law_and_decides_by_its_majority(case: Case) -> None:
    _by_heads(ROWS[Body.COMMITTEE], case)


@pytest.mark.parametrize("case", MORE_THAN_HALF_COME[:2])
def test_a_second_round_needs_more_than_half_of_the_voters_too(case: Case) -> None:
    _by_heads(ROWS[Body.VILLAGE_ELECTION_AGAIN], case)


@pytest.mark.parametrize(
    "case",
    [
        Case(100, 60, 19, enough=True, carried=False),
        Case(100, 60, 20, enough=True, carried=True),
        Case(100, 60, 21, enough=True, carried=True),
        Case(100, 61, 20, enough=True, carried=False),
        Case(100, 61, 21, enough=True, carried=True),
        Case(100, 50, 50, enough=False, carried=False),
        Case(100, 51, 17, enough=True, carried=True),
    ],
)
def test_a_third_of_the_ballots_is_enough_in_a_second_round(case: Case) -> None:
    _by_heads(ROWS[Body.VILLAGE_ELECTION_AGAIN], case)


def test_what_the_changed_laws_say_waits_to_be_confirmed_with_its_article() -> None:
    for row in LAW:
        assert row.article, row.body
        assert row.confirmed is (row.body in OWNERS), row.body
        assert ("待核对" in row.note) is not row.confirmed, row.body
    for body in (Body.VILLAGE_ELECTION, Body.VILLAGE_ELECTION_AGAIN, Body.VILLAGE_RECALL):
        assert ROWS[body].valid_from == CHANGED
        assert "村民委员会组织法第十" in ROWS[body].article


def test_the_table_has_a_row_for_every_body() -> None:
    others = {Body.COMMITTEE, Body.VILLAGE_ELECTION_AGAIN}
    assert set(ROWS) == set(Body) == HALF | TWO_THIRDS | OWNERS | others
    assert len(LAW) == len(ROWS)


def _owners(body: Body, heads: tuple[int, int, int], area: tuple[str, str, str]) -> tuple[bool, bool]:
    """(entitled, came, consent) by heads and by m²: whether enough came, and whether it carried."""
    whole, came, consent = (Weight(one, Decimal(m2)) for one, m2 in zip(heads, area, strict=True))
    against = Weight(came.heads - consent.heads, came.area - consent.area)
    found = decide(_threshold(ROWS[body]), entitled=whole, votes={1: consent, 2: against}, put=[1])
    return found.quorum_met, found.carried == (1,)


@pytest.mark.parametrize("body", sorted(OWNERS))
@pytest.mark.parametrize(
    ("came", "area", "enough"),
    [
        (20, "2000.00", True),
        (19, "2000.00", False),
        (20, "1999.99", False),
        (21, "2000.01", True),
        (30, "1999.99", False),
        (19, "3000.00", False),
    ],
)
def test_two_thirds_of_owners_and_two_thirds_of_the_area_must_take_part(
    body: Body, came: int, area: str, enough: bool
) -> None:
    assert _owners(body, (30, came, came), ("3000.00", area, area)) == (enough, enough)


@pytest.mark.parametrize(
    ("consent", "area", "carried"),
    [
        (11, "1000.01", True),
        (10, "1000.01", False),
        (11, "1000.00", False),
        (10, "1000.00", False),
        (20, "1000.00", False),
        (10, "2000.00", False),
    ],
)
def test_an_ordinary_matter_asks_more_than_half_of_who_took_part_by_both(
    consent: int, area: str, carried: bool
) -> None:
    said = _owners(Body.OWNERS_ORDINARY, (30, 20, consent), ("3000.00", "2000.00", area))
    assert said == (True, carried)


@pytest.mark.parametrize(
    ("consent", "area", "carried"),
    [
        (15, "1500.00", True),
        (14, "1500.00", False),
        (15, "1499.99", False),
        (16, "1500.01", True),
        (20, "1499.99", False),
        (14, "2000.00", False),
    ],
)
def test_a_special_matter_asks_three_quarters_of_who_took_part_and_they_are_enough(
    consent: int, area: str, carried: bool
) -> None:
    said = _owners(Body.OWNERS_SPECIAL, (30, 20, consent), ("3000.00", "2000.00", area))
    assert said == (True, carried)


def test_invalid_papers_take_part_and_consent_to_nothing() -> None:
    row = _threshold(ROWS[Body.RESIDENTS_PERSONS])
    votes = {0: Weight(2), 1: Weight(26), 2: Weight(24)}
    assert decide(row, entitled=Weight(100), votes=votes, put=[1]).carried == ()
    assert decide(row, entitled=Weight(100), votes=votes | {0: Weight(1)}, put=[1]).carried == (1,)


def test_each_of_several_options_is_held_against_the_threshold() -> None:
    row = _threshold(ROWS[Body.RESIDENTS_PERSONS])
    found = decide(row, entitled=Weight(10), votes={1: Weight(2), 2: Weight(6)}, put=[1, 2, 3])
    assert found.carried == (2,)


def test_where_nobody_is_entitled_or_nobody_came_nothing_carries() -> None:
    row = _threshold(ROWS[Body.RESIDENTS_PERSONS])
    assert not decide(row, entitled=NOTHING, votes={}, put=[1]).quorum_met
    assert decide(row, entitled=Weight(3), votes={}, put=[1]).carried == ()


def test_owners_are_told_which_of_the_two_was_missing() -> None:
    row = _threshold(ROWS[Body.OWNERS_ORDINARY])
    found = decide(row, entitled=Weight(3, Decimal(300)), votes={1: Weight(2, Decimal(100))}, put=[1])
    assert (found.heads_enough, found.area_enough, found.quorum_met) == (True, False, False)


@pytest.mark.parametrize(
    ("share", "whole", "least"),
    [
        (Share(Fraction(1, 2), over=True), 100, 51),
        (Share(Fraction(1, 2), over=True), 101, 51),
        (Share(Fraction(2, 3), over=False), 99, 66),
        (Share(Fraction(2, 3), over=False), 100, 67),
        (Share(Fraction(3, 4), over=False), 100, 75),
        (Share(Fraction(3, 4), over=False), 101, 76),
    ],
)
def test_the_fewest_heads_that_are_enough(share: Share, whole: int, least: int) -> None:
    assert share.least(whole) == least
    assert share.met(Fraction(least), Fraction(whole))
    assert not share.met(Fraction(least - 1), Fraction(whole))
