"""志愿服务站点, and the five levels volunteers are organised in: street, community, grid, building, household."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area, Dwelling
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Facility, Household, Person, VolunteerTeam
from portal.registry.service.resources import facilities
from portal.volunteers.models.codes import VolunteerState
from portal.volunteers.models.people import Station, Volunteer
from portal.volunteers.service import people


@dataclass(frozen=True)
class Row:
    """A community, or a grid of it: its volunteers, and in how many buildings and households they live."""

    area: Area
    volunteers: int
    buildings: int
    households: int
    teams: int = 0
    stations: int = 0


@dataclass(frozen=True)
class Level:
    """A community with its grids."""

    whole: Row
    grids: list[Row]


def stations(within: Collection[Scope] | None = None) -> list[Station]:
    """The stations in scope, of everywhere without one; by community and name."""
    query = sa.select(Station).join(Station.facility).where(Facility.closed_on.is_(None))
    if within is not None:
        query = query.where(Facility.community_id.in_(people.community_ids(within)))
    query = query.options(joinedload(Station.facility).joinedload(Facility.community))
    return list(db.session.scalars(query.order_by(Facility.community_id, Facility.name, Station.id)))


def candidates(within: Collection[Scope]) -> list[Facility]:
    """The facilities in scope that are no station yet."""
    taken = sa.select(Station.facility_id)
    query = sa.select(Facility).where(
        Facility.community_id.in_(people.community_ids(within)), Facility.closed_on.is_(None), Facility.id.not_in(taken)
    )
    return list(db.session.scalars(query.options(joinedload(Facility.community)).order_by(Facility.name, Facility.id)))


def open_at(within: Collection[Scope], facility_id: int, *, words: str, opened_on: date, by: Actor) -> Station:
    facility = facilities.facility_in(within, facility_id)
    if opened_on > today():
        raise Refused(_("这个日期还没有到，请核对。"), field="opened_on")
    made = Station(facility_id=facility.id, words=words, opened_on=opened_on, set_by_name=by.name)
    with unique_or(Refused(_("这里已经是志愿服务站点了。"), field="facility")):
        db.session.add(made)
    audit.record("volunteers.station_set", made, name=facility.name)
    return made


def station(within: Collection[Scope], number: int) -> Station:
    found = next((one for one in stations(within) if one.id == number), None)
    if found is None:
        raise Missing
    return found


def close(found: Station, *, reason: str) -> None:
    audit.record("volunteers.station_closed", found, reason=reason, name=found.facility.name)
    db.session.delete(found)


def levels(within: Collection[Scope]) -> list[Level]:
    """The communities in scope with their grids, each with its figures."""
    near = people.communities(within)
    by_grid = _counted(near, Person.grid_id)
    whole = _counted(near, Volunteer.community_id)
    teams = _grouped(
        sa.select(VolunteerTeam.community_id, sa.func.count()).where(VolunteerTeam.disbanded_on.is_(None)),
        VolunteerTeam.community_id,
    )
    held = sa.select(Facility.community_id, sa.func.count()).join(Station, Station.facility_id == Facility.id)
    open_here = _grouped(held.where(Facility.closed_on.is_(None)), Facility.community_id)
    grids = areas.grids_of(near)
    return [
        Level(
            Row(area, *whole.get(area.id, (0, 0, 0)), teams.get(area.id, 0), open_here.get(area.id, 0)),
            [Row(grid, *by_grid.get(grid.id, (0, 0, 0))) for grid in grids if grid.parent_id == area.id],
        )
        for area in near
    ]


def _counted(near: Collection[Area], by: Any) -> dict[int, tuple[int, int, int]]:
    """Volunteers, buildings and households, by an area's id."""
    query = (
        sa.select(
            by,
            sa.func.count(Volunteer.id),
            sa.func.count(sa.distinct(Dwelling.building_id)),
            sa.func.count(sa.distinct(Person.household_id)),
        )
        .select_from(Volunteer)
        .join(Volunteer.person)
        .outerjoin(Person.household)
        .outerjoin(Household.dwelling)
        .where(Volunteer.community_id.in_([area.id for area in near]), Volunteer.state == VolunteerState.ACTIVE)
        .group_by(by)
        .order_by(by)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in db.session.execute(query)}


def _grouped(query: sa.Select[int, int], by: Any) -> dict[int, int]:
    return {row[0]: row[1] for row in db.session.execute(query.group_by(by).order_by(by))}
