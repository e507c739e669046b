"""The four lists, and the proofs that are not ours to issue."""

from datetime import timedelta

import pytest

from portal.catalogue.models.codes import ListKind
from portal.catalogue.service import lists
from portal.catalogue.service.lists import EntryFacts
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import transaction
from portal.core.errors import Missing, Refused
from tests.make import Make


@pytest.fixture
def seeded(make: Make) -> Make:
    with transaction():
        lists.seed(make.street(), by="周洁")
    make.community()
    return make


def _facts(title: str = "交办的事", **more: object) -> EntryFacts:
    facts = {"detail": "", "basis": "某办法", "funding": "", "valid_from": today(), "valid_to": None}
    return EntryFacts(title=title, **facts | more)  # type: ignore[arg-type]


def test_the_samples_are_twenty_proofs_and_four_lists(seeded: Make) -> None:
    here = seeded.community()
    assert len(lists.proofs(here)) == 20
    assert all(lists.shown(here, kind) for kind in ListKind)
    assert all(proof.instead and proof.office for proof in lists.proofs(here))


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("单身证明", "婚姻状况证明"),
        ("还活着的证明", "健在证明"),
        ("证明我妈是我妈", "亲属关系证明"),
        ("政审要的无犯罪记录证明", "无犯罪记录证明"),
        ("让居委会开个没房子的证明", "居民财产证明"),
        ("狗证", "居民养犬证明"),
        ("开死亡证明", "死亡证明"),
        ("继承房子", "遗产继承权证明"),
        ("身份证丢了", "居民身份信息证明"),
        ("失业证明", "居民就业状况证明"),
    ],
)
def test_a_proof_is_found_by_what_people_call_it(seeded: Make, said: str, name: str) -> None:
    meant = lists.proofs_like(lists.proofs(seeded.community()), said)
    assert meant[0].name == name


def test_what_is_no_proof_of_the_list_is_not_guessed(seeded: Make) -> None:
    assert lists.proofs_like(lists.proofs(seeded.community()), "游泳池深水") == []


def test_a_line_holds_from_its_first_to_its_last_day(make: Make) -> None:
    here = make.community()
    day = timedelta(days=1)
    with transaction():
        lists.add_entry(here, ListKind.WORK, _facts("今天止", valid_to=today()), by="周洁")
        lists.add_entry(here, ListKind.WORK, _facts("明天起", valid_from=today() + day), by="周洁")
        old = lists.add_entry(here, ListKind.WORK, _facts("旧的", valid_from=today() - 9 * day), by="周洁")
        lists.end(old, today() - day, reason="取消了")
    assert [entry.title for entry in lists.shown(here, ListKind.WORK)] == ["今天止"]
    within = (Scope("community", here.code),)
    assert [entry.title for entry in lists.entries(within, ListKind.WORK)] == ["今天止", "明天起", "旧的"]


def test_ending_a_line_needs_a_reason_and_a_day_that_can_be(make: Make) -> None:
    with transaction():
        entry = lists.add_entry(make.community(), ListKind.SEALS, _facts(), by="周洁")
    for day, reason in ((today(), " "), (today() - timedelta(days=5), "取消了")):
        with pytest.raises(Refused):
            lists.end(entry, day, reason=reason)


def test_a_list_of_another_community_is_out_of_reach(make: Make) -> None:
    with transaction():
        entry = lists.add_entry(make.community("荷塘社区"), ListKind.WORK, _facts(), by="周洁")
    with pytest.raises(Missing):
        lists.entry_in((Scope("community", make.community().code),), entry.id)
    assert lists.shown(make.community(), ListKind.WORK) == []


def test_samples_are_not_loaded_twice_nor_below_a_street_that_has_them(seeded: Make) -> None:
    with transaction():
        assert lists.seed(seeded.street(), by="周洁") == 0
        assert lists.seed(seeded.community(), by="周洁") == 0
