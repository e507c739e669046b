"""A day of more doors than one sheet holds, cut by buildings or by days; and a visit somebody confirms by name."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.areas.models import Building, Dwelling, Estate
from portal.core import settings
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.settings import Parameter
from portal.identity.permissions import Role
from portal.registry.models import Household
from portal.visits.models import Visit
from portal.visits.service import recording, route
from portal.visits.service.route import Split
from tests.client import Client
from tests.make import Make
from tests.visits import stand

SHEET = "/desk/visits/route"


def _doors(make: Make, grid, doors: dict[str, int]) -> None:
    estate = make.add(Estate(community_id=make.community().id, name="春风里"))
    for name, count in doors.items():
        building = make.add(Building(estate_id=estate.id, name=name))
        for turn in range(count):
            home = make.add(Dwelling(building_id=building.id, unit="1单元", room=f"{turn + 1}01"))
            household = make.add(
                Household(community_id=make.community().id, number=f"{name}{turn}", dwelling_id=home.id)
            )
            stand.promised(make.person(f"王{name}{turn}", grid=grid, household_id=household.id))


def _buildings(found: route.Route) -> list[list[str]]:
    return [[stop.visit.person.household.dwelling.building.name for stop in sheet.stops] for sheet in found.sheets]


@pytest.fixture
def walk(make: Make, monkeypatch: pytest.MonkeyPatch):
    grid = make.grid()
    worker = make.worker(Role.GRID_WORKER, grid)
    _doors(make, grid, {"1栋": 2, "2栋": 2, "10栋": 4})
    monkeypatch.setattr(route, "MOST", 3)
    return worker


def test_more_doors_than_a_sheet_holds_become_sheets_of_whole_buildings(make: Make, walk):
    found = route.route(stand.here(make), worker=walk.public_id, day=today())
    assert _buildings(found) == [["1栋"] * 2, ["2栋"] * 2, ["10栋"] * 3, ["10栋"]]
    assert not found.more


def test_cut_by_days_the_most_pressing_go_first_and_each_day_has_its_date(make: Make, walk):
    with transaction() as session:
        pressing = session.scalars(sa.select(Visit).order_by(Visit.id.desc()).limit(1)).one()
        pressing.rank = 1
    found = route.route(stand.here(make), worker=walk.public_id, day=today(), split=Split.DAY)
    assert [len(sheet.stops) for sheet in found.sheets] == [3, 3, 2]
    assert pressing.id in {stop.visit.id for stop in found.sheets[0].stops}
    assert _buildings(found)[0] == ["1栋", "1栋", "10栋"]
    assert [sheet.day for sheet in found.sheets] == [today() + timedelta(days=turn) for turn in range(3)]


def test_the_sheets_are_printed_one_by_one_with_their_numbers(client: Client, walk):
    page = client.sign_in(walk).post(SHEET).text
    assert page.count('class="sheet-table') == 4
    assert "第 1 张，共 4 张" in page
    assert "按天分" in page
    page = client.post(SHEET, data={"split": "day"}).text
    assert "第 3 张，共 3 张" in page
    assert "按楼栋分" in page


def _asked_for() -> None:
    """The setting is on from today."""
    with transaction() as session:
        session.add(Parameter(key=recording.CONFIRM, value="1", valid_from=today(), set_at=now(), set_by="测试"))


def test_nobody_is_asked_to_confirm_a_visit_unless_the_setting_says_so(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    address = f"/desk/visits/{visit.public_id}/record"
    assert settings.get(recording.CONFIRM) == 0
    assert "本人或家属确认" not in client.sign_in(worker).get(address).text
    sent = stand.filled(confirmed="y", confirmed_by="王秀英")
    assert client.post(address, data=sent).status_code == 303
    db.session.expire_all()
    assert "confirmed_by" not in (stand.visits()[0].record or "")


def test_a_visit_is_confirmed_by_a_name_that_is_kept_sealed(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    _asked_for()
    address = f"/desk/visits/{visit.public_id}/record"
    page = client.sign_in(worker).get(address).text
    assert "本人或家属确认" in page
    assert "不收集位置" in page
    refused = client.post(address, data=stand.filled(confirmed="y", confirmed_by=""))
    assert (refused.status_code, "请写确认人的姓名" in refused.text) == (422, True)
    assert client.post(address, data=stand.filled(confirmed="y", confirmed_by="王建国（儿子）")).status_code == 303
    assert "王建国（儿子）" in client.get(f"/desk/visits/{visit.public_id}").text


def test_a_visit_is_recorded_without_anybody_confirming_it(make: Make, client: Client):
    worker, _person, visit = stand.mine(make)
    _asked_for()
    sent = client.sign_in(worker).post(f"/desk/visits/{visit.public_id}/record", data=stand.filled())
    assert sent.status_code == 303
