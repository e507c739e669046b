"""A building as a picture: who lives where, as far as a worker's scope reaches."""

from datetime import date

import pytest

from portal.areas.models import Building, Dwelling, DwellingUse, Estate
from portal.areas.service import area_scope
from portal.core.access import Scope
from portal.core.db import db, transaction
from portal.core.errors import Missing, Refused
from portal.core.ids import Sex
from portal.identity.permissions import Role
from portal.registry.models import Household, PersonState, TagKind
from portal.registry.service import buildings, changes, figures
from portal.registry.service.buildings import Pattern, RoomState
from tests.visitor import words_shown


@pytest.fixture
def whole(make) -> tuple[Scope, ...]:
    return (area_scope(make.community()),)


def lived_in(make, *, grid=None, room="301", **facts):
    """A home with one person in it."""
    household = make.household()
    person = make.person(grid=grid, household_id=household.id, **facts)
    return make.read(household).dwelling, person


def rooms_of(plan):
    return [room for unit in plan.units for floor in unit.floors for room in floor.rooms]


def test_a_new_building_has_every_door_of_its_pattern(make, whole):
    with transaction():
        made = buildings.add_building(
            make.community(), estate="春风里", name="9号楼", grid=None, pattern=Pattern(units=2, floors=12, rooms=3)
        )
    plan = buildings.plan(whole, made.id)
    assert [unit.name for unit in plan.units] == ["1单元", "2单元"]
    assert [floor.number for floor in plan.units[0].floors] == list(range(12, 0, -1))
    assert [room.dwelling.room for room in plan.units[1].floors[0].rooms] == ["1201", "1202", "1203"]
    assert plan.counts == {RoomState.EMPTY: 72}


def test_the_same_building_is_not_made_twice(make):
    pattern = Pattern(1, 1, 1)
    with transaction():
        buildings.add_building(make.community(), estate="春风里", name="9号楼", grid=None, pattern=pattern)
    with pytest.raises(Refused, match="已经有这一栋"), transaction():
        buildings.add_building(make.community(), estate="春风里", name="9号楼", grid=None, pattern=pattern)


def test_the_picture_shows_who_lives_where_with_their_tags(make, whole):
    home, _person = lived_in(make, name="王秀英", tags=[TagKind.LIVING_ALONE])
    plan = buildings.plan(whole, home.building_id)
    (room,) = rooms_of(plan)
    assert (room.state, room.people[0].name, room.marks) == (RoomState.LIVED_IN, "王秀英", [TagKind.LIVING_ALONE])
    assert plan.marks == {TagKind.LIVING_ALONE: 1}


@pytest.mark.parametrize(
    ("use", "state"),
    [(DwellingUse.RENTED, RoomState.RENTED), (DwellingUse.BUSINESS, RoomState.BUSINESS)],
)
def test_a_homes_use_shows_on_the_picture(make, whole, use, state):
    home, _person = lived_in(make)
    with transaction() as session:
        buildings.mend_dwelling(session.get_one(Dwelling, home.id), use=use, area_m2=None, floor=None)
    assert rooms_of(buildings.plan(whole, home.building_id))[0].state is state


def test_the_dead_and_the_moved_away_do_not_stand_on_the_picture(make, whole):
    home, _person = lived_in(make, state=PersonState.DEAD)
    make.person("李桂兰", household_id=make.read(_person).household_id, state=PersonState.MOVED_OUT)
    assert rooms_of(buildings.plan(whole, home.building_id))[0].state is RoomState.EMPTY


def test_a_grid_worker_sees_neither_names_nor_numbers_of_another_grid(make):
    mine, other = make.grid(name="第一网格"), make.grid(name="第二网格")
    home, _person = lived_in(make, grid=mine)
    second = make.add(Dwelling(building_id=home.building_id, unit="2单元", room="302"))
    household = make.add(Household(community_id=make.community().id, number="H9", dwelling_id=second.id))
    make.person("邻居", grid=other, household_id=household.id, tags=[TagKind.LOW_INCOME])
    plan = buildings.plan((area_scope(mine),), home.building_id)
    assert [(room.state, len(room.people), room.marks) for room in rooms_of(plan)] == [
        (RoomState.LIVED_IN, 1, []),
        (RoomState.OTHER, 0, []),
    ]
    assert (plan.living, plan.marks) == (1, {})


def test_a_building_out_of_scope_does_not_exist(make, client):
    home, _person = lived_in(make)
    elsewhere = make.community("荷塘社区")
    signed = client.sign_in(make.worker(Role.COMMUNITY_WORKER, elsewhere))
    for address in (f"buildings/{home.building_id}", f"rooms/{home.id}", f"rooms/{home.id}/edit"):
        assert signed.get(f"/desk/people/{address}").status_code == 404
    assert buildings.buildings((area_scope(elsewhere),)) == []
    with pytest.raises(Missing):
        buildings.building_in((area_scope(elsewhere),), home.building_id)


def test_buildings_stand_in_the_order_of_their_numbers(make, whole):
    estate = make.add(Estate(community_id=make.community().id, name="春风里"))
    for name in ("10号楼", "2号楼", "1号楼"):
        make.add(Building(estate_id=estate.id, name=name))
    assert [line.building.name for line in buildings.buildings(whole)] == ["1号楼", "2号楼", "10号楼"]


def test_the_list_opens_with_the_buildings_and_estates_of_the_workers_own_grid(make, client):
    mine, other = make.grid(name="第一网格"), make.grid(name="第二网格")
    first = make.add(Estate(community_id=make.community().id, name="安平里"))
    second = make.add(Estate(community_id=make.community().id, name="春风里"))
    for estate, name, grid in ((first, "1号楼", other), (second, "2号楼", mine), (second, "1号楼", other)):
        building = make.add(Building(estate_id=estate.id, name=name, grid_id=grid.id))
        dwelling = make.add(Dwelling(building_id=building.id, room="101"))
        number = f"H{make.number()}"
        household = make.add(Household(community_id=make.community().id, number=number, dwelling_id=dwelling.id))
        make.person(grid=mine, household_id=household.id)
    scope = (area_scope(mine),)
    names = [f"{line.building.estate.name} {line.building.name}" for line in buildings.buildings(scope)]
    assert names == ["春风里 2号楼", "安平里 1号楼", "春风里 1号楼"]
    assert [estate.name for estate in buildings.estates(scope)] == ["春风里", "安平里"]
    client.sign_in(make.worker(Role.GRID_WORKER, mine))
    assert client.get("/desk/people/buildings").text.count("您的网格") == 1


@pytest.mark.parametrize(("room", "floor"), [("301", 3), ("1203", 12), ("3室", None), ("地下室", None)])
def test_a_room_number_says_its_floor(room, floor):
    assert buildings.floor_of(Dwelling(room=room, floor=None)) == floor


def test_the_pages_of_a_building_work_from_the_list_to_the_room(make, client):
    home, _person = lived_in(make, name="王秀英")
    signed = client.sign_in(make.worker())
    assert "6号楼" in signed.get("/desk/people/buildings").text
    assert "王秀英" in signed.get(f"/desk/people/buildings/{home.building_id}").text
    assert "王秀英" in signed.get(f"/desk/people/rooms/{home.id}").text
    saved = signed.post(f"/desk/people/rooms/{home.id}/edit", data={"use": "rented", "area_m2": "88.5", "floor": ""})
    assert saved.status_code == 303
    # Decimal takes the word for a number that is none, and asking whether it is one fails.
    edit, no_figure = f"/desk/people/rooms/{home.id}/edit", {"use": "rented", "area_m2": "sNaN", "floor": ""}
    assert signed.post(edit, data=no_figure).status_code == 422
    assert "88.5" in signed.get(f"/desk/people/rooms/{home.id}").text


def test_a_building_is_made_and_mended_by_hand(make, client):
    grid = make.grid()
    signed = client.sign_in(make.worker())
    form = {
        "estate": "春风里",
        "name": "7号楼",
        "grid": grid.code,
        "units": "1",
        "floors": "3",
        "rooms": "2",
        "idem": "k1",
    }
    made = signed.post("/desk/people/buildings/new", data={"community": make.community().code, **form})
    assert made.status_code == 303
    again = signed.post("/desk/people/buildings/new", data={"community": make.community().code, **form, "idem": "k2"})
    assert again.status_code == 422
    assert "已经有这一栋" in again.text
    page = made.headers["Location"]
    assert signed.post(f"{page}/edit", data={"name": "8号楼", "grid": ""}).status_code == 303
    room = signed.post(f"{page}/rooms/new", data={"unit": "", "room": "地下室", "floor": "-1", "idem": "k3"})
    assert room.status_code == 303
    assert "地下室" in signed.get(page).text


def test_figures_count_by_age_sex_and_tag_and_leave_out_who_is_gone(make):
    grid = make.grid()
    year = date.today().year  # noqa: DTZ011 the tests' own day
    make.person(grid=grid, born=date(year - 78, 1, 1), tags=[TagKind.LIVING_ALONE])
    make.person("李建国", grid=grid, born=date(year - 3, 1, 1), sex=Sex.MALE)
    make.person("张三", grid=grid, born=date(year - 78, 1, 1), state=PersonState.DEAD, tags=[TagKind.LIVING_ALONE])
    found = figures.figures(grid)
    assert (found.people, found.elders, found.tags) == (2, 1, ((TagKind.LIVING_ALONE, 1),))
    assert [(band.men, band.women) for band in found.bands if band.men or band.women] == [(1, 0), (0, 1)]
    assert found.bands[15].women == 1


def test_a_birthday_today_counts(make):
    grid = make.grid()
    today = date.today()  # noqa: DTZ011
    make.person(grid=grid, born=today.replace(year=today.year - 60))
    assert figures.figures(grid).elders == 1


def test_the_residents_of_a_building_follow_it_into_another_grid(make, client):
    old, new = make.grid(name="第一网格"), make.grid(name="第二网格")
    home, person = lived_in(make, grid=old)
    dead = make.person("陈建国", grid=old, household_id=make.read(person).household_id, state=PersonState.DEAD)
    stranger = make.person("李桂兰", grid=old)
    edit = f"/desk/people/buildings/{home.building_id}/edit"
    signed = client.sign_in(make.worker())
    assert "住在这一栋的居民一起归到新的网格" in signed.get(edit).text
    name = db.session.get_one(Building, home.building_id).name
    assert signed.post(edit, data={"name": name, "grid": new.code}).status_code == 303
    assert make.read(person).grid_id == new.id
    assert (make.read(dead).grid_id, make.read(stranger).grid_id) == (old.id, old.id)
    (change,) = changes.history(make.read(person))
    assert (change.field, change.before, change.after) == ("grid_id", str(old.id), str(new.id))
    assert signed.post(edit, data={"name": name, "grid": ""}).status_code == 303
    assert make.read(person).grid_id == new.id, "a building of no grid leaves its people where they are"
    shown = words_shown(signed.get(edit).text)
    assert f"{name}→{name}·第二网格1位居民一起归到新的网格" in shown
    assert shown.index(f"{name}·第二网格→{name}") < shown.index("1位居民"), "the last first"
