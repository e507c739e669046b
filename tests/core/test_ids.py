"""Identifiers: published vectors, python-stdnum as oracle for check digits, every slip in a short code."""

import itertools
import re
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc

from portal.core import ids
from portal.core.ids import InvalidNumber, NumberFault, Sex

TODAY = date(2026, 11, 22)
VALID = {
    "11010519491231002X": Sex.FEMALE,
    "440524188001010014": Sex.MALE,
    "440308199901101512": Sex.MALE,
    "810000199408230021": Sex.FEMALE,
    "830000199201300022": Sex.FEMALE,
}
SYNTHETIC = {
    "999901194002290015": Sex.MALE,
    "999901194508150028": Sex.FEMALE,
    "999901195601010032": Sex.MALE,
    "999901196606300041": Sex.FEMALE,
    "999901201301010055": Sex.MALE,
    "999901199912310065": Sex.FEMALE,
    "99990119550505019X": Sex.MALE,
}
VALID_USCC = [
    "91350200MA2YJ1XR9G",
    "91440101MA5CJQ4N59",
    "913502000728319549",
    "52999901MJ00000180",
    "51999901MJ00000183",
    "53999901MJ0000018W",
    "91999901MJ0000018Y",
]


def numbered(region: str, born: str, order: str = "001") -> str:
    return f"{region}{born}{order}{ids.check_digit(region + born + order)}"


def fault_of(number: str, *, allow_test_region: bool = True) -> NumberFault:
    with pytest.raises(InvalidNumber) as refusal:
        ids.check_id_number(number, today=TODAY, allow_test_region=allow_test_region)
    assert str(refusal.value) == refusal.value.sentence
    assert re.search(r"[\u4e00-\u9fff]", refusal.value.sentence)
    return refusal.value.reason


@pytest.mark.parametrize(("number", "sex"), VALID.items())
def test_a_published_number_is_taken_and_read(number: str, sex: Sex) -> None:
    checked = ids.check_id_number(number, today=TODAY)
    assert (checked.number, checked.sex) == (number, sex)
    assert checked.birth_date == date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


@pytest.mark.parametrize(("number", "sex"), SYNTHETIC.items())
def test_a_synthetic_number_is_taken_only_where_the_test_region_is_allowed(number: str, sex: Sex) -> None:
    assert ids.check_id_number(number, today=TODAY, allow_test_region=True).sex is sex
    assert fault_of(number, allow_test_region=False) is NumberFault.REGION


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("110105194912310021", NumberFault.CHECK_DIGIT),
        ("999901190002290017", NumberFault.DATE),
        ("999901195502310010", NumberFault.DATE),
        ("99990119550505019", NumberFault.LENGTH),
        ("", NumberFault.LENGTH),
        ("9999011955O505019X", NumberFault.CHARACTERS),
        ("X9990119550505019X", NumberFault.CHARACTERS),
        (numbered("999901", "20261123"), NumberFault.FUTURE),
        (numbered("990000", "19550505"), NumberFault.REGION),
        (numbered("999902", "19550505"), NumberFault.REGION),
        ("००००००००००००००००००", NumberFault.CHARACTERS),
    ],
)
def test_a_number_that_cannot_be_right_is_refused_with_its_reason(number: str, fault: NumberFault) -> None:
    assert fault_of(number) is fault


@pytest.mark.parametrize(
    "typed",
    [
        "99990119550505019x",
        " 999901 19550505 019X ",
        "999901-19550505-019X",
        "９９９９０１１９５５０５０５０１９ｘ",
        "999901\u300019550505—019X\u200b",
    ],
)
def test_width_case_spaces_and_hyphens_do_not_matter(typed: str) -> None:
    checked = ids.check_id_number(typed, today=TODAY, allow_test_region=True)
    assert checked.number == "99990119550505019X"


def test_a_person_born_today_is_taken_and_one_born_tomorrow_is_not() -> None:
    born = numbered("999901", "20261122")
    assert ids.check_id_number(born, today=TODAY, allow_test_region=True).birth_date == TODAY


def test_an_age_above_120_is_taken_but_doubtful() -> None:
    eldest, older = numbered("999901", "19060101"), numbered("999901", "19051121")
    assert not ids.check_id_number(eldest, today=TODAY, allow_test_region=True).doubtful
    assert ids.check_id_number(older, today=TODAY, allow_test_region=True).doubtful
    assert ids.check_id_number("440524188001010014", today=TODAY).doubtful


@given(st.text("0123456789", min_size=17, max_size=17))
def test_the_check_digit_is_the_one_stdnum_computes(first17: str) -> None:
    assert ids.check_digit(first17) == ric.calc_check_digit(first17 + "0")


@given(st.text())
def test_any_text_is_either_a_number_or_refused(text: str) -> None:
    with suppress(InvalidNumber):
        assert ids.check_id_number(text, today=TODAY).number == ids.normalise_id(text)


@pytest.mark.parametrize("code", VALID_USCC)
def test_a_published_credit_code_is_taken_in_any_case_and_width(code: str) -> None:
    assert ids.check_uscc(code) == code
    assert ids.check_uscc(f" {code[:8]}-{code[8:].lower()} ") == code


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("91350200MA2YJ1XR9", NumberFault.LENGTH),
        ("91350200MA2YJ1XR9H", NumberFault.CHECK_DIGIT),
        ("91350200MA2YJ1XRIG", NumberFault.CHARACTERS),
        ("9135020AMA2YJ1XR9G", NumberFault.CHARACTERS),
    ],
)
def test_a_wrong_credit_code_is_refused_with_its_reason(code: str, fault: NumberFault) -> None:
    with pytest.raises(InvalidNumber) as refusal:
        ids.check_uscc(code)
    assert refusal.value.reason is fault


@given(st.text(ids.USCC_ALPHABET, min_size=17, max_size=17), st.from_regex(r"\A[0-9]{6}\Z"))
def test_the_credit_code_check_is_the_one_stdnum_computes(body: str, region: str) -> None:
    body = body[:2] + region + body[8:]
    code = body + uscc.calc_check_digit(body)
    assert ids.check_uscc(code) == code


@pytest.mark.parametrize(
    "typed",
    ["13800001234", "+86 138 0000 1234", "0086-138-0000-1234", "８６１３８００００１２３４", "138-0000-1234"],
)
def test_a_mobile_number_loses_its_country_code_and_spaces(typed: str) -> None:
    assert ids.check_mobile(typed) == "13800001234"
    assert ids.check_phone(typed) == "13800001234"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("1380013", NumberFault.LENGTH),
        ("电话不详", NumberFault.CHARACTERS),
        ("", NumberFault.CHARACTERS),
        ("12800001234", NumberFault.PREFIX),
        ("138000012345", NumberFault.LENGTH),
    ],
)
def test_a_wrong_mobile_number_is_refused_with_its_reason(typed: str, fault: NumberFault) -> None:
    with pytest.raises(InvalidNumber) as refusal:
        ids.check_mobile(typed)
    assert refusal.value.reason is fault


@pytest.mark.parametrize(
    ("typed", "landline"),
    [
        ("051265123456", "0512-65123456"),
        ("(0512)6512 3456", "0512-65123456"),
        ("（０１０）１２３４５６７８", "010-12345678"),
        ("0512-6512345-801", "0512-6512345-801"),
        ("0512-65123456转801", "0512-65123456-801"),
    ],
)
def test_a_landline_is_written_one_way(typed: str, landline: str) -> None:
    assert ids.check_phone(typed) == landline


@pytest.mark.parametrize("typed", ["0512-651234", "65123456", "无", "0512-651234567890"])
def test_a_telephone_that_nobody_can_dial_is_refused(typed: str) -> None:
    with pytest.raises(InvalidNumber):
        ids.check_phone(typed)


def test_public_ids_are_26_plain_characters_and_never_alike() -> None:
    made = {ids.new_public_id() for _time in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"[a-z2-7]{26}", public_id) for public_id in made)


def test_the_code_alphabet_is_prime_and_has_no_look_alikes() -> None:
    assert len(set(ids.CODE_ALPHABET)) == 31
    assert not set(ids.CODE_ALPHABET) & set("01ILO")


@given(st.integers(3, 30))
def test_a_short_code_is_recognised_as_it_is_typed(length: int) -> None:
    code = ids.short_code(length)
    assert ids.check_short_code(f" {code[:2].lower()}-{code[2:].lower()} ", length) == code


def test_a_short_code_catches_every_single_slip() -> None:
    code = ids.short_code()
    slips = (
        code[:place] + other + code[place + 1 :]
        for place in range(len(code))
        for other in ids.CODE_ALPHABET
        if other != code[place]
    )
    assert not any(ids.check_short_code(slip) for slip in slips)


def test_the_check_catches_every_slip_and_swap_whatever_the_code() -> None:
    # The sum is linear, so it is enough that no difference of one sign, and no swap of two, weighs nothing.
    weights = [*range(2, 31), 1]
    assert all(weight * difference % 31 for weight in weights for difference in range(1, 31))
    assert all(
        (one - other) * difference % 31
        for one, other in itertools.combinations(weights, 2)
        for difference in range(1, 31)
    )


@given(st.data())
def test_a_short_code_catches_any_two_signs_swapped(data: st.DataObject) -> None:
    code = list(ids.short_code(data.draw(st.integers(3, 30))))
    first, second = data.draw(st.lists(st.integers(0, len(code) - 1), min_size=2, max_size=2, unique=True))
    swapped = code.copy()
    swapped[first], swapped[second] = code[second], code[first]
    assert swapped == code or ids.check_short_code("".join(swapped), len(code)) is None


@pytest.mark.parametrize("typed", ["", "O00000", "ABC", "停水通知请看", "ABCDEFGH"])
def test_what_was_never_issued_is_no_short_code(typed: str) -> None:
    assert ids.check_short_code(typed) is None


def test_a_code_too_short_to_check_is_not_made() -> None:
    with pytest.raises(ValueError, match="2"):
        ids.short_code(2)
