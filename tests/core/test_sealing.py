"""Sealed columns and blind indexes."""

import stat

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from portal.config import BadConfig
from portal.core import sealing
from portal.core.db import db

KEYS = sealing.Keys(sealing={1: b"a" * 32, 2: b"b" * 32}, current=2, index=b"i" * 32)


@given(st.text())
def test_what_is_sealed_opens_again(text):
    assert KEYS.open(KEYS.seal(text, "person|note"), "person|note") == text


def test_the_same_text_is_sealed_differently_each_time():
    assert KEYS.seal("低盐", "person|diet") != KEYS.seal("低盐", "person|diet")


def test_a_sealed_value_does_not_open_in_another_column():
    with pytest.raises(InvalidTag):
        KEYS.open(KEYS.seal("13800001234", "person|phone"), "person|note")


def test_a_changed_byte_does_not_open():
    sealed = bytearray(KEYS.seal("13800001234", "person|phone"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        KEYS.open(bytes(sealed), "person|phone")


def test_an_older_key_still_opens():
    older = sealing.Keys(sealing={1: b"a" * 32}, current=1, index=b"i" * 32)
    assert KEYS.open(older.seal("旧", "person|note"), "person|note") == "旧"


def test_a_number_has_the_length_the_threat_model_counts_with():
    assert len(KEYS.seal("1" * 18, "person|id_number")) == 49


@pytest.mark.parametrize(
    "written", ["99990119550505019X", "99990119550505019x", "９９９９０１１９５５０５０５０１９Ｘ "]
)
def test_a_blind_index_is_the_same_however_a_number_is_written(written):
    assert KEYS.blind("person.id_number", written) == KEYS.blind("person.id_number", "99990119550505019X")


def test_a_blind_index_differs_by_kind_and_by_key():
    other = sealing.Keys(sealing=KEYS.sealing, current=2, index=b"j" * 32)
    assert KEYS.blind("person.phone", "1") != KEYS.blind("account.phone", "1")
    assert KEYS.blind("person.phone", "1") != other.blind("person.phone", "1")


def test_nothing_readable_stands_in_the_database(make):
    person = make.person(name="王秀英", phone="13800001234", diet="low_salt")
    row = db.session.execute(
        sa.text("select id_number, phone, diet from person where id = :id"), {"id": person.id}
    ).one()
    for value, text in zip(row, (person.id_number, person.phone, person.diet), strict=True):
        assert bytes(value)[0] == 1
        assert text.encode() not in bytes(value)


def test_the_key_file_is_made_readable_by_its_owner_only(tmp_path):
    made = sealing.load(tmp_path / "keys.json", create=True)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o400
    assert sealing.load(tmp_path / "keys.json", create=False) == made


def test_without_its_key_file_production_does_not_start(tmp_path):
    with pytest.raises(BadConfig, match="migrate"):
        sealing.load(tmp_path / "keys.json", create=False)
