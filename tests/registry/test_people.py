"""Finding people by what a worker hears on the telephone, and never outside her scope."""

import pytest
import sqlalchemy as sa

from portal.core.access import Scope
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person, PersonState
from portal.registry.service import people
from tests.make import Make


def everywhere() -> tuple[Scope, ...]:
    return (Scope("all", ""),)


def names(q: str, scope: tuple[Scope, ...] = ()) -> list[str]:
    return [person.name for person in people.find(q, within=scope or everywhere())]


@pytest.mark.parametrize("q", ["王秀英", "王秀", "秀英", "英", "wxy", "WX", "wangxiuying", "wang xiu ying", "Wang Xiu"])
def test_a_name_is_found_by_its_parts_its_initials_and_its_sound(make: Make, q: str) -> None:
    make.person("王秀英")
    make.person("陈建国")
    assert names(q) == ["王秀英"]


def test_a_surname_read_otherwise_is_found_as_it_is_spoken(make: Make) -> None:
    make.person("单田芳")
    assert names("stf") == names("shantianfang") == ["单田芳"]


def test_the_last_four_figures_of_a_phone_find_its_owner(make: Make) -> None:
    make.person("王秀英", phone="13800005678")
    make.person("陈建国", phone="13800005679")
    assert names("5678") == ["王秀英"]


@pytest.mark.parametrize("q", ["13800005678", "138 0000 5678", "+86 13800005678", "１３８００００５６７８"])
def test_a_whole_mobile_number_finds_its_owner(make: Make, q: str) -> None:
    make.person("王秀英", phone="13800005678")
    make.person("陈建国", phone="13900005678")
    assert names(q) == ["王秀英"]


def test_an_id_number_is_found_however_it_was_typed(make: Make) -> None:
    person = make.person("王秀英")
    make.person("陈建国")
    number = str(person.id_number)
    assert names(number) == ["王秀英"]
    assert names(f" {number[:6]} {number[6:14]}-{number[14:].lower()} ") == ["王秀英"]


@pytest.mark.parametrize("q", ["6号楼2单元301", "6-2-301", "6幢301室", "春风里小区 6号楼", "301 王秀英", "王 301室"])
def test_a_door_finds_who_lives_behind_it(make: Make, q: str) -> None:
    make.person("王秀英", household_id=make.household().id)
    make.person("王建国")
    assert names(q) == ["王秀英"]


def test_people_outside_the_scope_are_not_found(make: Make) -> None:
    here, there = make.community(), make.community("秋月社区")
    make.person("王秀英", community=here)
    make.person("王秀兰", community=there)
    assert names("王", (Scope("community", here.code),)) == ["王秀英"]
    assert names("王", (Scope("community", there.code),)) == ["王秀兰"]


def test_a_grid_worker_finds_only_her_grid(make: Make) -> None:
    first, second = make.grid(name="第一网格"), make.grid(name="第二网格")
    make.person("王秀英", grid=first)
    make.person("王秀兰", grid=second)
    assert names("王", (Scope("grid", first.code),)) == ["王秀英"]


def test_a_canteen_scope_reaches_nobody(make: Make) -> None:
    make.person("王秀英")
    assert people.find("王", within=(Scope("canteen", "x"),)) == []


def test_the_dead_stand_last_and_the_merged_not_at_all(make: Make) -> None:
    kept = make.person("王丙")
    make.person("王甲", state=PersonState.DEAD)
    make.person("王乙", merged_into_id=kept.id)
    assert names("王") == ["王丙", "王甲"]


def test_what_a_pattern_would_mean_is_taken_as_words(make: Make) -> None:
    make.person("王秀英")
    assert names("%") == names("_") == names("王%英") == names(" ") == []


def test_the_kind_of_a_query_tells_nothing_of_its_words() -> None:
    words = ["99990119500505002X", "138 0000 5678", "0571-88880000", "5678", "6-2-301", "wxy", "王秀英"]
    kinds = ["id_number", "phone", "phone", "phone_tail", "door", "pinyin", "words"]
    assert [people.kind_of_query(word) for word in words] == kinds


def test_an_alias_answers_as_who_it_stands_for_and_only_where_she_is_in_scope(make: Make) -> None:
    here, there = make.community(), make.community("秋月社区")
    kept = make.person("王丙", community=there)
    alias = make.person("王乙", community=here, merged_into_id=kept.id)
    assert people.person_in((Scope("community", there.code),), alias.public_id) == kept
    with pytest.raises(Missing):
        people.person_in((Scope("community", here.code),), alias.public_id)


def test_nobody_walks_the_whole_register_to_find_who_is_no_alias(make: Make) -> None:
    """A condition of a community goes by the community's index, and that of aliases holds none but them."""
    scopes = [Scope("community", make.community().code)]
    query = sa.select(Person.id).where(people.within(scopes), Person.merged_into_id.is_(None))
    sqlite = db.engine.dialect.name == "sqlite"
    said = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN {'QUERY PLAN' if sqlite else ''} {said}").all()
    assert "merged" not in str(plan).replace("merged_into_id IS NULL", "")
    assert "grid_id" not in str(people.within(scopes))
    (aliases,) = [one for one in sa.inspect(db.engine).get_indexes("person") if "merged_into_id" in one["column_names"]]
    assert aliases["dialect_options"][f"{db.engine.dialect.name}_where"] is not None
