"""Masking: the conventional shapes, and that nothing is ever shown whole."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import masking


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("张小三", "张*三"),
        ("诸葛强平", "诸葛*平"),
        ("诸葛亮", "诸葛*"),
        ("诸葛", "诸*"),
        ("王李小明", "王**明"),
        ("买买提·艾力", "买****力"),
        ("张", "*"),
        (" 张三 ", "张*"),
        ("𬘡龘", "𬘡*"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_name_keeps_its_surname(name: str | None, masked: str) -> None:
    assert masking.mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13800001234", "138****1234"),
        ("138 0000-1234", "138****1234"),
        ("+8613800001234", "138****1234"),
        ("0512-65123456", "0512-****3456"),
        ("01012345678", "010-****5678"),
        ("1380013", "1****13"),
        ("12", "**"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_telephone_keeps_its_beginning_and_end(phone: str | None, masked: str) -> None:
    assert masking.mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("999901198401057286", "999901********7286"),
        ("999901840105728", "999901******728"),
        ("E12345678", "E******78"),
        ("12", "**"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_id_number_hides_the_birth_date(number: str | None, masked: str) -> None:
    assert masking.mask_id(number) == masked


@pytest.mark.parametrize(
    ("parts", "masked"),
    [
        (("梧桐苑", "15号楼", "3单元", "1502"), "梧桐苑15号楼***"),
        (("梧桐苑", "15号楼"), "梧桐苑15号楼"),
        (("梧桐苑", "15号楼", "", None), "梧桐苑15号楼"),
        (("梧桐苑",), "梧桐苑"),
        ((None, None, "1502"), "***"),
        (("",), ""),
    ],
)
def test_an_address_ends_at_the_building(parts: tuple[str | None, ...], masked: str) -> None:
    assert masking.mask_address(*parts) == masked


@pytest.mark.parametrize("mask", [masking.mask_name, masking.mask_phone, masking.mask_id])
@given(text=st.text())
def test_no_text_is_shown_whole_and_none_raises(mask: Callable[[str], str], text: str) -> None:
    masked = mask(text)
    assert masking.STAR in masked or not text.strip(" +-086\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0") or not masked


@given(st.text(), st.integers(-2, 20), st.integers(-2, 20))
def test_a_middle_is_masked_in_place(text: str, start: int, end: int) -> None:
    masked = masking.mask_middle(text, start, end)
    assert len(masked) == len(text.strip())
    assert not masked or masking.STAR in masked
