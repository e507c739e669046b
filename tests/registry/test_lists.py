"""Lists of people: filters, orders and pages by key, on sheets and screens, and never a person beyond the scope."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core import clock, search
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing
from portal.core.ids import Sex
from portal.identity.permissions import Role
from portal.registry.forms.search import wanted
from portal.registry.models import Household, Person, PersonState, PersonTag, PersonWord, Registration, TagKind
from portal.registry.service import lists
from portal.registry.service.lists import Sort, Wanted
from tests.client import Client
from tests.make import Make


def shown(asked: Wanted, *scopes: Scope, limit: int = 50) -> list[str]:
    """Every name of a list, page after page."""
    place, names, after = lists.ground(asked, scopes or (Scope("all", ""),)), [], ""
    while True:
        page = lists.page_of(asked, place, after=after, limit=limit)
        names += [line.name for line in page.lines]
        if not page.after:
            return names
        after = page.after


def of(area: object) -> Scope:
    return Scope(area.kind.value, area.code)  # type: ignore[attr-defined]


def test_a_list_goes_by_the_sound_of_names_page_after_page(make: Make) -> None:
    for name in ("陈建国", "单田芳", "王秀英", "安平", "曾华", "王秀英"):
        make.person(name)
    expected = ["安平", "陈建国", "单田芳", "王秀英", "王秀英", "曾华"]
    assert shown(Wanted()) == expected
    for limit in (1, 2, 4):
        assert shown(Wanted(), limit=limit) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_ages_go_either_way_and_who_has_none_stands_last(make: Make, limit: int) -> None:
    for name, born in (("甲", 1950), ("乙", 1940), ("丙", 2000), ("丁", 1940)):
        make.person(name, born=date(born, 1, 1))
    make.person("戊", born=None)
    make.person("己", born=None)
    assert shown(Wanted(sort=Sort.OLDEST), limit=limit) == ["乙", "丁", "甲", "丙", "戊", "己"]
    assert shown(Wanted(sort=Sort.YOUNGEST), limit=limit) == ["丙", "甲", "丁", "乙", "戊", "己"]


def home(make: Make, estate: Estate, building: str, unit: str, room: str) -> Household:
    block = db.session.scalar(sa.select(Building).where(Building.estate_id == estate.id, Building.name == building))
    block = block or make.add(Building(estate_id=estate.id, name=building))
    dwelling = make.add(Dwelling(building_id=block.id, unit=unit, room=room))
    number = f"H{make.number():06d}"
    return make.add(Household(community_id=estate.community_id, number=number, dwelling_id=dwelling.id))


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_addresses_go_by_their_numbers_and_the_homeless_stand_last(make: Make, limit: int) -> None:
    estate = make.add(Estate(community_id=make.community().id, name="梧桐苑"))
    for name, door in (
        ("十号楼", ("10号楼", "1单元", "101")),
        ("二号楼", ("2号楼", "1单元", "101")),
        ("二单元", ("2号楼", "2单元", "101")),
        ("十层", ("2号楼", "1单元", "1001")),
    ):
        make.person(name, household_id=home(make, estate, *door).id)
    make.person("无处")
    assert shown(Wanted(sort=Sort.DOOR), limit=limit) == ["二号楼", "十层", "二单元", "十号楼", "无处"]


def test_an_address_is_sorted_as_it_is_now_whoever_moved_or_renamed_it(make: Make) -> None:
    estate = make.add(Estate(community_id=make.community().id, name="梧桐苑"))
    first, second = home(make, estate, "1号楼", "", "101"), home(make, estate, "2号楼", "", "101")
    make.person("甲", household_id=first.id)
    make.person("乙", household_id=second.id)
    by_door = Wanted(sort=Sort.DOOR)
    assert shown(by_door) == ["甲", "乙"]
    for change in (
        sa.update(Building).where(Building.name == "1号楼").values(name="3号楼"),
        sa.update(Dwelling).where(Dwelling.id == second.dwelling_id).values(unit="1", room="901"),
        sa.update(Dwelling).where(Dwelling.id == second.dwelling_id).values(building_id=_building(first)),
        sa.update(Person).where(Person.name == "甲").values(household_id=None),
        sa.update(Person).where(Person.name == "甲").values(household_id=second.id),
        sa.update(Household).where(Household.id == second.id).values(dwelling_id=first.dwelling_id),
        sa.update(Estate).values(name="桂花苑"),
    ):
        with transaction() as session:
            session.execute(change, execution_options={"synchronize_session": False})
        assert _doors() == _expected()


def _building(household: Household) -> sa.ScalarSelect[int]:
    return sa.select(Dwelling.building_id).where(Dwelling.id == household.dwelling_id).scalar_subquery()


def _doors() -> dict[str, str]:
    db.session.rollback()
    return dict(db.session.execute(sa.select(Person.name, Person.door)).all())


def _expected() -> dict[str, str]:
    db.session.expire_all()
    found = {}
    for person in db.session.scalars(sa.select(Person)):
        dwelling = person.household.dwelling if person.household else None
        parts = [dwelling.building.name, dwelling.unit, dwelling.room] if dwelling else []
        padded = [f"{int(number):09d}{part}" if (number := _leading(part)) else part for part in parts]
        found[person.name] = " ".join([dwelling.building.estate.name, *padded]) if dwelling else ""
    return found


def _leading(text: str) -> str:
    return text[: next((place for place, sign in enumerate(text) if not sign.isdecimal()), len(text))]


def test_the_words_of_a_name_follow_every_change_of_it(make: Make) -> None:
    here, there = make.community(), make.community("秋月社区")
    person = make.person("单田芳")

    def words() -> set[tuple[int, str]]:
        db.session.rollback()
        return set(db.session.execute(sa.select(PersonWord.community_id, PersonWord.word)).all())

    assert words() == {(here.id, word) for word in ("单田芳", "田芳", "芳", "stf", "shantianfang")}
    said = {"name": "Maria 李", "initials": search.initials("Maria 李"), "pinyin": search.pinyin("Maria 李")}
    with transaction() as session:
        session.execute(sa.update(Person).where(Person.id == person.id).values(community_id=there.id, **said))
    found = words()
    assert {community for community, _word in found} == {there.id}
    assert {"maria 李", "李", said["initials"], said["pinyin"].replace(" ", "")} <= {word for _c, word in found}
    assert not any("芳" in word or "fang" in word for _community, word in found)
    with transaction() as session:
        session.execute(sa.delete(Person).where(Person.id == person.id))
    assert words() == set()


def test_filters_meet(make: Make) -> None:
    grid, year = make.grid(), today().year
    tagged = make.person("甲", grid=grid, born=date(year - 80, 1, 1), tags=[TagKind.LIVING_ALONE])
    make.person("乙", born=date(year - 30, 1, 1), sex=Sex.MALE, registration=Registration.OUTSIDE)
    make.person("丙", state=PersonState.MOVED_OUT)
    make.person("丁", merged_into_id=tagged.id)
    assert shown(Wanted(tag=TagKind.LIVING_ALONE)) == ["甲"]
    assert shown(Wanted(sex=Sex.MALE)) == shown(Wanted(registration=Registration.OUTSIDE)) == ["乙"]
    assert shown(Wanted(age_from=60)) == shown(Wanted(area=grid.code)) == ["甲"]
    assert shown(Wanted(age_from=18, age_to=59)) == ["乙"]
    assert shown(Wanted(state=PersonState.MOVED_OUT)) == ["丙"]
    assert shown(Wanted(state=None)) == ["丙", "甲", "乙"]
    assert shown(Wanted(tag=TagKind.LIVING_ALONE, age_to=20)) == []


def test_a_tag_that_ended_filters_nobody(make: Make) -> None:
    person = make.person("甲")
    ended = {"since": date(2020, 1, 1), "until": clock.days_before(today(), 1)}
    make.add(PersonTag(person_id=person.id, kind=TagKind.EMPTY_NEST, source="test", **ended))
    assert shown(Wanted(tag=TagKind.EMPTY_NEST)) == []


def test_a_birthday_is_counted_on_its_day(make: Make) -> None:
    day = today()
    if (day.month, day.day) == (2, 29):
        day = date(day.year, 2, 28)
    make.person("甲", born=day.replace(year=day.year - 60))
    make.person("乙", born=clock.days_before(day.replace(year=day.year - 60), -1))
    assert shown(Wanted(age_from=60)) == ["甲"]
    assert shown(Wanted(age_to=59)) == ["乙"]


def test_an_estate_and_a_building_narrow_a_list(make: Make) -> None:
    estate = make.add(Estate(community_id=make.community().id, name="梧桐苑"))
    make.person("甲", household_id=home(make, estate, "1号楼", "", "101").id)
    make.person("乙", household_id=home(make, estate, "2号楼", "", "101").id)
    make.person("丙", household_id=make.household().id)
    first = db.session.scalar(sa.select(Building.id).where(Building.name == "1号楼"))
    assert shown(Wanted(estate=estate.id)) == ["甲", "乙"]
    assert shown(Wanted(estate=estate.id, building=first or 0)) == ["甲"]


def test_people_of_other_grids_are_neither_shown_nor_counted(make: Make) -> None:
    first, second = make.grid(name="第一网格"), make.grid(name="第二网格")
    make.person("甲", grid=first)
    for _number in range(3):
        make.person("乙", grid=second)
    other = make.community("秋月社区")
    make.person("丙", community=other)
    asked = Wanted()
    page = lists.page_of(asked, lists.ground(asked, (of(first),)))
    assert ([line.name for line in page.lines], page.count, page.after) == (["甲"], 1, "")
    assert shown(asked, of(first), of(other), limit=1) == ["丙", "甲"]
    assert shown(asked, of(make.community()), of(first), limit=2) == ["甲", "乙", "乙", "乙"]
    assert shown(Wanted(area=make.community().code), of(first)) == ["甲"]
    assert shown(asked, Scope("canteen", "x")) == []
    for stranger in (second, other):
        with pytest.raises(Missing):
            lists.ground(Wanted(area=stranger.code), (of(first),))


def test_a_page_that_begins_at_a_stranger_is_the_first(make: Make) -> None:
    first, second = make.grid(name="第一网格"), make.grid(name="第二网格")
    make.person("甲", grid=first)
    stranger = make.person("丁", grid=second)
    place = lists.ground(Wanted(), (of(first),))
    assert [line.name for line in lists.page_of(Wanted(), place, after=stranger.public_id).lines] == ["甲"]


def test_a_long_list_is_not_counted_to_its_end(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_COUNTED", 2)
    for _number in range(4):
        make.person()
    query = lists.everyone(Wanted(), lists.ground(Wanted(), (Scope("all", ""),)).area)
    assert lists.counted(query, 2) == 3


def test_an_address_says_the_filters_and_reads_them_back() -> None:
    asked = Wanted(area="999901001001", tag=TagKind.DESTITUTE, age_from=0, age_to=70, sort=Sort.DOOR, state=None)
    assert wanted(asked.query()) == asked
    nonsense = {"age_from": "x", "tag": "rich", "sort": "height", "state": "?", "building": "-1", "age_to": "9" * 20}
    assert wanted(nonsense) == Wanted()


def test_the_list_page_shows_masked_phones_and_its_filters(make: Make, client: Client) -> None:
    person = make.person("王秀英", household_id=make.household().id, phone="13800005678", tags=[TagKind.LIVING_ALONE])
    client.sign_in(make.worker())
    html = client.get("/desk/people/list?tag=living_alone&age_from=60").get_data(as_text=True)
    for words in (
        "王秀英",
        "138****5678",
        "6号楼 2单元 301",
        "共 1 人",
        f"/desk/person/{person.public_id}",
        'value="60"',
    ):
        assert words in html
    assert "没有符合条件的居民" in client.get("/desk/people/list?sex=male").get_data(as_text=True)


def test_an_area_out_of_scope_is_not_there(make: Make, client: Client) -> None:
    other = make.community("秋月社区")
    client.sign_in(make.worker())
    assert client.get(f"/desk/people/list?area={other.code}").status_code == 404
    assert client.post(f"/desk/people/list/print?area={other.code}").status_code == 404


def test_a_list_page_asks_at_most_eight_questions(make: Make, client: Client) -> None:
    grid = make.grid()
    for _number in range(12):
        make.person("王秀英", household_id=make.household().id, grid=grid, tags=[TagKind.EMPTY_NEST])
    asked, scope = Wanted(tag=TagKind.EMPTY_NEST), (of(make.community()),)
    db.session.rollback()
    questions: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        questions.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        page = lists.page_of(asked, lists.ground(asked, scope))
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert len(page.lines) == 12
    assert len([words for words in questions if words.startswith("SELECT")]) <= 8


def test_a_printed_list_is_a_sheet_with_who_and_when_and_is_recorded(make: Make, client: Client) -> None:
    make.person("王秀英", phone="13800005678")
    make.person("陈建国", community=make.community("秋月社区"))
    client.sign_in(make.worker(name="周洁"))
    html = client.post("/desk/people/list/print").get_data(as_text=True)
    assert "王秀英" in html
    assert "138****5678" in html
    assert "周洁" in html
    assert "陈建国" not in html
    (row,) = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.list_printed"))
    assert row.facts["count"] == 1


def test_a_canteen_operator_has_no_list(make: Make, client: Client) -> None:
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR))
    assert client.get("/desk/people/list").status_code == 403
