"""Money: what is typed and shown is yuan, what is kept is fen, and nothing is rounded by a float."""

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import money


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("12.50", 1250),
        ("12.5", 1250),
        ("12", 1200),
        ("0", 0),
        ("-0", 0),
        ("0.01", 1),
        ("¥1,234.50元", 123450),
        ("￥ １２．５０", 1250),
        ("1，234", 123400),
        ("+3", 300),
    ],
)
def test_an_amount_is_read_as_people_type_it(typed: str, fen: int) -> None:
    assert money.parse_yuan(typed) == fen


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        "12.",
        ".5",
        "12.345",
        "1e3",
        "NaN",
        "inf",
        "1,23",
        "12元5",
        "十二",
        "--1",
        "12 .5.0",
        "99999999999",
        "१२",
    ],
)
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(money.BadAmount, match="金额"):
        money.parse_yuan(typed)


def test_a_negative_amount_must_be_asked_for() -> None:
    with pytest.raises(ValueError, match="负数"):
        money.parse_yuan("-12.50")
    assert money.parse_yuan("−12.50", allow_negative=True) == -1250


@given(st.integers(-(10**11), 10**11))
def test_an_amount_survives_being_shown_and_typed(fen: int) -> None:
    assert money.parse_yuan(money.yuan(fen), allow_negative=True) == fen


@pytest.mark.parametrize(
    ("fen", "part", "of", "expected"),
    [
        (1250, 30, 100, 375),
        (5, 50, 100, 3),
        (-5, 50, 100, -3),
        (1, 499, 1000, 0),
        (1, 500, 1000, 1),
        (0, 30, 100, 0),
    ],
)
def test_half_a_fen_is_rounded_up_and_a_refund_mirrors_its_charge(fen: int, part: int, of: int, expected: int) -> None:
    assert money.share(fen, part, of=of) == expected


@given(st.integers(0, 10**12), st.integers(0, 1000))
def test_a_share_is_the_nearest_fen(fen: int, permille: int) -> None:
    assert money.share(fen, permille, of=1000) == floor(Fraction(fen * permille, 1000) + Fraction(1, 2))


@pytest.mark.parametrize(("part", "of"), [(-1, 100), (1, 0)])
def test_a_share_that_means_nothing_is_refused(part: int, of: int) -> None:
    with pytest.raises(ValueError, match=str(part)):
        money.share(100, part, of=of)
