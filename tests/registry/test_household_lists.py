"""Lists of households: filters, words, orders and pages by key, and never a household beyond the scope."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.areas.service import area_scope
from portal.core.access import Scope
from portal.core.audit import AuditRow
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Missing
from portal.identity.permissions import Role
from portal.registry.models import Household, PersonState, Relation
from portal.registry.service import household_lists as service
from portal.registry.service.household_lists import Sort, State, Wanted
from tests.client import Client
from tests.make import Make

LIST = "/desk/people/households"
ALL = (Scope("all", ""),)


def door(
    make: Make, estate: Estate, building: str, room: str, *, unit: str = "", grid: Area | None = None
) -> Household:
    block = db.session.scalar(sa.select(Building).where(Building.estate_id == estate.id, Building.name == building))
    block = block or make.add(Building(estate_id=estate.id, name=building, grid_id=grid.id if grid else None))
    dwelling = make.add(Dwelling(building_id=block.id, unit=unit, room=room))
    number = f"H{make.number():06d}"
    return make.add(Household(community_id=estate.community_id, number=number, dwelling_id=dwelling.id))


@pytest.fixture
def estate(make: Make) -> Estate:
    return make.add(Estate(community_id=make.community().id, name="梧桐苑"))


def shown(asked: Wanted, *scopes: Scope, limit: int = 50) -> list[str]:
    """The address or number of every household of a list, page after page."""
    place, lines, after = service.ground(asked, scopes or ALL), [], 0
    while True:
        page = service.page_of(asked, place.area, after=after, limit=limit)
        lines += [line.address or line.number for line in page.lines]
        if not page.after:
            return lines
        after = page.after


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_households_go_by_their_doors_and_those_without_stand_last(make: Make, estate: Estate, limit: int) -> None:
    make.add(Household(community_id=make.community().id, number="没有门牌"))
    for building, unit, room in (("10号楼", "1单元", "101"), ("2号楼", "10单元", "101"), ("2号楼", "2单元", "1001")):
        door(make, estate, building, room, unit=unit)
    door(make, estate, "2号楼", "301", unit="2单元")
    expected = ["2号楼 2单元 301", "2号楼 2单元 1001", "2号楼 10单元 101", "10号楼 1单元 101"]
    assert shown(Wanted(), limit=limit) == [*(f"梧桐苑 {one}" for one in expected), "没有门牌"]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_numbers_and_the_latest_are_orders_too(make: Make, limit: int) -> None:
    for number in ("A10", "A2", "A1"):
        make.add(Household(community_id=make.community().id, number=number))
    assert shown(Wanted(sort=Sort.NUMBER), limit=limit) == ["A1", "A2", "A10"]
    assert shown(Wanted(sort=Sort.LATEST), limit=limit) == ["A1", "A2", "A10"]


def test_what_is_wrong_with_a_household_is_found(make: Make, estate: Estate) -> None:
    right, empty, headless, two, closed = (door(make, estate, "1号楼", f"{room}01") for room in range(1, 6))
    make.person(household_id=right.id, relation=Relation.HEAD)
    make.person(household_id=right.id, relation=Relation.SPOUSE)
    make.person(household_id=empty.id, relation=Relation.HEAD, state=PersonState.DEAD)
    make.person(household_id=headless.id, relation=Relation.SON)
    for _turn in range(2):
        make.person(household_id=two.id, relation=Relation.HEAD)
    with transaction() as session:
        session.get_one(Household, closed.id).closed_on = today()
    asked = {State.EMPTY: "201", State.HEADLESS: "301", State.TWO_HEADS: "401", State.CLOSED: "501"}
    for state, room in asked.items():
        assert shown(Wanted(state=state)) == [f"梧桐苑 1号楼 {room}"]
    lines = service.page_of(Wanted(), service.ground(Wanted(), ALL).area).lines
    assert [(line.people, line.heads, line.state) for line in lines] == [
        (2, 1, None),
        (0, 0, State.EMPTY),
        (1, 0, State.HEADLESS),
        (2, 2, State.TWO_HEADS),
    ]


@pytest.mark.parametrize(
    "words",
    ["6号楼2单元301", "6-2-301", "梧桐苑 6号楼 301", "王秀英", "秀英 301", "wangxiuying", "wxy", "ZJ-0007", "0007"],
)
def test_words_of_the_door_of_the_head_or_of_the_number_find_a_household(
    make: Make, estate: Estate, words: str
) -> None:
    home, other = door(make, estate, "6号楼", "301", unit="2单元"), door(make, estate, "7号楼", "302")
    with transaction() as session:
        session.get_one(Household, home.id).number = "ZJ-0007"
    make.person("王秀英", household_id=home.id, relation=Relation.HEAD)
    make.person("李桂兰", household_id=other.id, relation=Relation.HEAD)
    make.person("王秀英", household_id=other.id, relation=Relation.PARENT)
    assert shown(Wanted(words=words)) == ["梧桐苑 6号楼 2单元 301"]


def test_filters_go_by_area_estate_and_building(make: Make, estate: Estate) -> None:
    grid, elsewhere = make.grid(), make.community("荷塘社区")
    mine = door(make, estate, "1号楼", "101")
    make.person(household_id=mine.id, relation=Relation.HEAD, grid=grid)
    door(make, estate, "2号楼", "201")
    make.add(Household(community_id=elsewhere.id, number="远处"))
    community = make.community().code
    assert shown(Wanted(area=elsewhere.code)) == ["远处"]
    assert service.page_of(Wanted(), service.ground(Wanted(), ALL).area, after=mine.id, limit=1).count == 3
    assert shown(Wanted(area=grid.code)) == ["梧桐苑 1号楼 101"]
    assert len(shown(Wanted(area=community, estate=estate.id))) == 2
    block = db.session.scalars(sa.select(Building).where(Building.name == "2号楼")).one()
    assert shown(Wanted(area=community, estate=estate.id, building=block.id)) == ["梧桐苑 2号楼 201"]


def test_a_grid_worker_sees_households_of_her_people_and_the_empty_ones_of_her_buildings(
    make: Make, estate: Estate
) -> None:
    grid, other = make.grid(), make.grid(name="第二网格")
    hers, _empty, strange = (door(make, estate, "1号楼", room, grid=grid) for room in ("101", "201", "301"))
    make.person("王秀英", household_id=hers.id, relation=Relation.SPOUSE, grid=grid)
    make.person("李建国", household_id=hers.id, relation=Relation.HEAD, grid=other)
    make.person("邻居", household_id=strange.id, relation=Relation.HEAD, grid=other)
    door(make, estate, "9号楼", "901", grid=other)
    scope = area_scope(grid)
    assert shown(Wanted(), scope) == ["梧桐苑 1号楼 101", "梧桐苑 1号楼 201"]
    assert shown(Wanted(state=State.EMPTY), scope) == ["梧桐苑 1号楼 201"]
    line = service.page_of(Wanted(), service.ground(Wanted(), (scope,)).area).lines[0]
    assert (line.people, line.heads, line.head, line.state) == (2, 1, None, None)
    assert shown(Wanted(words="李建国"), scope) == [], "a name of another grid finds nothing"
    with pytest.raises(Missing):
        service.ground(Wanted(area=other.code), (scope,))


def test_an_empty_household_of_her_building_opens_for_a_grid_worker(make: Make, estate: Estate, client: Client) -> None:
    grid, other = make.grid(), make.grid(name="第二网格")
    empty, strange = door(make, estate, "1号楼", "101", grid=grid), door(make, estate, "1号楼", "201", grid=grid)
    make.person(household_id=strange.id, relation=Relation.HEAD, grid=other)
    client.sign_in(make.worker(Role.GRID_WORKER, grid))
    assert client.get(f"{LIST}/{empty.id}").status_code == 200
    assert client.get(f"{LIST}/{strange.id}").status_code == 404


def test_the_list_is_reached_from_the_navigation_the_grid_and_the_building(
    make: Make, estate: Estate, client: Client
) -> None:
    grid = make.grid()
    home = door(make, estate, "1号楼", "101", grid=grid)
    make.person("王秀英", household_id=home.id, relation=Relation.HEAD, grid=grid)
    door(make, estate, "2号楼", "201")
    for worker in (make.worker(Role.GRID_WORKER, grid), make.worker()):
        client.sign_in(worker)
        assert f'href="{LIST}"' in client.get("/desk/").text
        block = db.session.scalars(sa.select(Building).where(Building.name == "1号楼")).one()
        asked = f"{LIST}?area={make.community().code}&estate={estate.id}&building={block.id}"
        assert asked.replace("&", "&amp;") in client.get(f"/desk/people/buildings/{block.id}").text
        assert f"{LIST}?area={grid.code}" in client.get(f"/desk/grids/{grid.code}").text
        for address in (asked, f"{LIST}?area={grid.code}"):
            page = client.get(address).text
            assert "梧桐苑 1号楼 101" in page
            assert "梧桐苑 2号楼 201" not in page


def test_the_page_finds_by_posted_words_that_no_address_repeats(make: Make, estate: Estate, client: Client) -> None:
    home = door(make, estate, "1号楼", "101")
    make.person("王秀英", household_id=home.id, relation=Relation.HEAD)
    door(make, estate, "2号楼", "201")
    client.sign_in(make.worker())
    assert "梧桐苑 2号楼 201" in client.get(LIST).text
    found = client.post(LIST, data={"words": "王秀英"}).text
    assert "梧桐苑 1号楼 101" in found
    assert "梧桐苑 2号楼 201" not in found
    assert "words=" not in found
    searched = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.searched")).one()
    assert "王秀英" not in str(searched.facts)
    assert "请换一个词" in client.post(LIST, data={"words": "赵子龙"}).text


def test_the_next_page_of_posted_words_is_asked_for_by_post(
    make: Make, estate: Estate, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PAGE", 1)
    monkeypatch.setattr(service.page_of, "__kwdefaults__", {"after": 0, "limit": 1})
    first, second = door(make, estate, "1号楼", "101"), door(make, estate, "1号楼", "201")
    client.sign_in(make.worker())
    page = client.post(LIST, data={"words": "1号楼"}).text
    assert f"{LIST}?after={first.id}" in page
    assert second.number in client.post(f"{LIST}?after={first.id}", data={"words": "1号楼"}).text


def test_a_printed_list_is_recorded_without_the_words(make: Make, estate: Estate, client: Client) -> None:
    home = door(make, estate, "1号楼", "101")
    make.person("王秀英", household_id=home.id, relation=Relation.HEAD)
    client.sign_in(make.worker())
    sheet = client.post(f"{LIST}/print", data={"words": "王秀英"})
    assert "梧桐苑 1号楼 101" in sheet.text
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "registry.households_printed")).one()
    assert row.facts["count"] == 1
    assert "王秀英" not in str(row.facts)


def test_the_list_asks_no_more_however_many_rows(make: Make, estate: Estate, client: Client) -> None:
    grid, first = make.grid(), door(make, estate, "1号楼", "001")
    client.sign_in(make.worker())
    asked = f"{LIST}?area={make.community().code}&estate={estate.id}&after={first.id}"
    counts = []
    for floor in (1, 4, 7):
        for room in range(3):
            home = door(make, estate, "1号楼", f"{floor + room}01")
            for relation in (Relation.HEAD, Relation.SPOUSE):
                make.person(household_id=home.id, relation=relation, grid=grid)
        counts.append(_queries(lambda: client.get(asked)))
    assert counts[0] == counts[1] == counts[2] <= 8


def _queries(act: Callable[[], object]) -> int:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def test_the_first_page_says_how_many_and_why_words_are_not_exported(
    make: Make, estate: Estate, client: Client
) -> None:
    make.person("王秀英", household_id=door(make, estate, "1号楼", "101").id, relation=Relation.HEAD)
    client.sign_in(make.worker())
    page = client.get(LIST).text
    assert page.index("共 1 户") < page.index("<table")
    assert f"{LIST}/export" in page
    found = client.post(LIST, data={"words": "王秀英"}).text
    assert f"{LIST}/export" not in found
    assert "按词查找的结果不能直接导出" in found
    people = client.get("/desk/people/list").text
    assert people.index("共 1 人") < people.index("<table")
