"""Stations and the five levels volunteers are organised in."""

from datetime import timedelta

from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db
from portal.registry.models import Facility, FacilityKind
from portal.volunteers.models.codes import VolunteerState
from portal.volunteers.models.people import Station
from portal.volunteers.service import stations
from tests.client import Client
from tests.helping import Helping
from tests.make import Make


def a_facility(make: Make, name: str = "党群服务中心", **more) -> Facility:
    community = more.pop("community", None) or make.community()
    facts = {"kind": FacilityKind.SERVICE_CENTRE, "address": "春风路 1 号", **more}
    return make.add(Facility(community_id=community.id, name=name, **facts))


def test_a_facility_becomes_a_station_once_and_is_taken_off_with_a_reason(make, client: Client):
    facility = a_facility(make)
    client.sign_in(make.worker())
    assert "还没有站点" in client.get("/desk/volunteers/stations").text
    form = {"facility": str(facility.id), "words": "收集需求", "opened_on": today().isoformat()}
    assert client.get("/desk/volunteers/stations/new").status_code == 200
    tomorrow = (today() + timedelta(days=1)).isoformat()
    assert client.post("/desk/volunteers/stations/new", data={**form, "opened_on": tomorrow}).status_code == 422
    assert client.post("/desk/volunteers/stations/new", data=form).status_code == 303
    assert client.post("/desk/volunteers/stations/new", data=form).status_code == 422
    assert "党群服务中心" in client.get("/volunteers/stations").text
    made = db.session.query(Station).one()
    address = f"/desk/volunteers/stations/{made.id}/close"
    assert client.get(address).status_code == 200
    assert client.post(address, data={}).status_code == 422
    assert client.post(address, data={"reason": "搬走了"}).status_code == 303
    assert "还没有志愿服务站点" in client.get("/volunteers/stations").text


def test_a_worker_sets_no_station_in_another_community(make, client):
    there = a_facility(make, "别处中心", community=make.community("别处社区"))
    made = make.add(Station(facility_id=there.id, opened_on=today()))
    other = a_facility(make, "别处二号", community=there.community)
    client.sign_in(make.worker())
    assert "别处中心" not in client.get("/desk/volunteers/stations").text
    assert client.get(f"/desk/volunteers/stations/{made.id}/close").status_code == 404
    form = {"facility": str(other.id), "opened_on": today().isoformat()}
    assert client.post("/desk/volunteers/stations/new", data=form).status_code == 422


def test_the_levels_count_volunteers_buildings_and_households(make):
    helping, grid = Helping(make), make.grid()
    home, other = make.household(), make.household()
    for person in (
        make.person("一", grid=grid, household_id=home.id),
        make.person("二", grid=grid, household_id=home.id),
        make.person("三", household_id=other.id),
    ):
        helping.volunteer(person)
    helping.volunteer(make.person("四", grid=grid, household_id=other.id), state=VolunteerState.LEFT)
    make.add(Station(facility_id=a_facility(make).id, opened_on=today()))
    (level,) = stations.levels((Scope("community", make.community().code),))
    whole, (inner,) = level.whole, level.grids
    assert (whole.volunteers, whole.buildings, whole.households, whole.stations) == (3, 2, 2, 1)
    assert (inner.volunteers, inner.buildings, inner.households) == (2, 1, 1)
