"""Finding services in residents' own words, on both databases and on a labelled set."""

from datetime import timedelta

import pytest

from portal.catalogue.models.codes import ItemState
from portal.catalogue.models.items import SearchMiss
from portal.catalogue.service import dictionary, searching
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from tests.acting import actor_of
from tests.catalogue.offering import a_group, an_item
from tests.counting import count_queries
from tests.labelled import marks, queries
from tests.make import Make


def _titles(make: Make, words: str) -> list[str]:
    return [brief.title for brief in searching.find(make.community(), words).items]


def test_a_word_of_a_synonym_finds_the_item(make: Make) -> None:
    an_item(make, "采耳修脚")
    assert _titles(make, "掏耳朵") == []
    a_group(make, "采耳", "掏耳朵")
    assert _titles(make, "想掏耳朵去哪") == ["采耳修脚"]


def test_synonyms_of_the_street_serve_its_communities_and_no_other_street(make: Make) -> None:
    an_item(make, "采耳修脚")
    a_group(make, "采耳", "掏耳朵", area=make.street())
    a_group(make, "修脚", "捏脚板", area=make.community("荷塘社区"))
    assert _titles(make, "掏耳朵") == ["采耳修脚"]
    assert _titles(make, "捏脚板") == []


def test_a_title_stands_before_keywords_and_these_before_a_summary(make: Make) -> None:
    an_item(make, "日间照料", summary="还有书法课")
    an_item(make, "老年大学", keywords="书法")
    an_item(make, "书法班")
    assert _titles(make, "书法")[0] == "书法班"


def test_the_first_letters_of_a_title_find_it(make: Make) -> None:
    an_item(make, "上门理发")
    an_item(make, "高龄津贴")
    assert _titles(make, "smlf") == ["上门理发"]
    assert _titles(make, "gaoling") == ["高龄津贴"]


@pytest.mark.parametrize("words", ["", "   ", "%", "_", "'", "。", "理发' OR 1=1", "a", "停" * 300])
def test_whatever_is_typed_is_answered(make: Make, words: str) -> None:
    an_item(make, "上门理发")
    assert len(searching.find(make.community(), words).items) <= 1


def test_drafts_are_not_found(make: Make) -> None:
    an_item(make, "上门理发", state=ItemState.DRAFT)
    assert _titles(make, "理发") == []


def test_where_nothing_is_found_the_nearest_titles_are_shown(make: Make) -> None:
    an_item(make, "修鞋修伞")
    an_item(make, "高龄津贴")
    found = searching.find(make.community(), "修手表")
    assert ([brief.title for brief in found.items], [brief.title for brief in found.near]) == ([], ["修鞋修伞"])


def test_a_search_asks_the_database_twice_however_many_items(make: Make) -> None:
    for number in range(12):
        an_item(make, f"服务{number}")
    here = make.community()
    with count_queries() as asked:
        searching.find(here, "服务")
    assert len(asked) == 2


def test_words_without_an_answer_are_counted_and_nobody_is_named(make: Make) -> None:
    for words in ("修手表", "修手表", "配钥匙"):
        with transaction():
            dictionary.note_miss(make.community(), words, source="127.0.0.1")
    found, _more = dictionary.misses((Scope("community", make.community().code),))
    assert [(miss.words, miss.times) for miss in found] == [("修手表", 2), ("配钥匙", 1)]
    assert not {"by", "account_id", "person_id", "address"} & set(SearchMiss.__table__.columns.keys())


@pytest.mark.parametrize("words", ["13800138000", "找 110105194912310021"])
def test_numbers_of_people_are_not_kept(make: Make, words: str) -> None:
    with pytest.raises(Refused, match="不要写电话"):
        dictionary.note_miss(make.community(), words, source="127.0.0.1")


def test_a_group_that_holds_a_missed_word_settles_it(make: Make) -> None:
    with transaction():
        dictionary.note_miss(make.community(), "掏耳朵", source="127.0.0.1")
    within = (Scope("street", make.street().code),)
    with transaction():
        dictionary.add(make.street(), ["采耳", "掏耳朵"], by=actor_of(make.worker()))
    assert dictionary.misses(within)[0] == []


def test_a_group_edited_by_somebody_else_meanwhile_is_shown_first(make: Make) -> None:
    group, by = a_group(make, "理发", "剪头"), actor_of(make.worker())
    with transaction():
        dictionary.save(group, ["理发", "剃头"], seen=["理发", "剪头"], by=by)
    with transaction(), pytest.raises(Refused, match="理发、剃头"):
        dictionary.save(group, ["理发", "推头"], seen=["理发", "剪头"], by=by)


def test_a_group_of_one_word_is_none(make: Make) -> None:
    with pytest.raises(Refused, match="至少写两个"):
        dictionary.add(make.community(), ["理发"], by=actor_of(make.worker()))


def test_the_samples_are_loaded_once(make: Make) -> None:
    street = make.street()
    with transaction():
        assert dictionary.seed(street, by="周洁") > 60
    with transaction():
        assert dictionary.seed(make.community(), by="周洁") == 0
    assert db.session.is_active


def test_the_labelled_set_is_of_two_hundred_halved() -> None:
    assert (len(queries()), len(queries("tuned")), len(queries("held"))) == (200, 100, 100)


def test_nine_of_ten_services_meant_are_among_the_first_three() -> None:
    assert marks().recall >= 0.9
    assert marks("held").recall >= 0.84
    assert marks().precision >= 0.75


def test_words_that_nobody_says_any_more_are_forgotten(make: Make) -> None:
    old, new = today() - timedelta(days=30), today()
    make.add(SearchMiss(area_id=make.community().id, words="修手表", last_on=old))
    make.add(SearchMiss(area_id=make.community().id, words="配钥匙", last_on=new))
    with transaction():
        assert dictionary.purge(new) == 1
