"""What residents see: facilities and organisations near them, with hours, accessibility and telephone."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area, AreaKind, Building
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Facility, FacilityKind, Organisation, Room
from portal.registry.service.resources import hours


@dataclass(frozen=True)
class Near:
    """The public side of one community."""

    community: Area
    facilities: Sequence[Facility]
    organisations: Sequence[Organisation]


def communities() -> list[Area]:
    """The communities that show anything to residents, by code."""
    shown = sa.union(
        sa.select(Facility.community_id).where(*_shown(Facility)),
        sa.select(Organisation.community_id).where(*_shown(Organisation)),
    )
    query = sa.select(Area).where(Area.kind == AreaKind.COMMUNITY, Area.id.in_(shown)).order_by(Area.code)
    return list(db.session.scalars(query))


def _shown(kind: type[Facility | Organisation]) -> tuple[sa.ColumnElement[bool], ...]:
    return kind.is_public.is_(True), kind.closed_on.is_(None)


def near(community: Area, kind: str = "") -> Near:
    """Facilities of a community, or of one kind; organisations, which have no such kinds, only without one."""
    query = sa.select(Facility).where(Facility.community_id == community.id, *_shown(Facility)).options(*_place())
    if kind in set(FacilityKind):
        query = query.where(Facility.kind == FacilityKind(kind))
    open_first = sorted(
        db.session.scalars(query.order_by(Facility.name, Facility.id)),
        key=lambda facility: not hours.is_open(facility.hours, now()),
    )
    others = sa.select(Organisation).where(Organisation.community_id == community.id, *_shown(Organisation))
    organisations = [] if kind else list(db.session.scalars(others.order_by(Organisation.name, Organisation.id)))
    return Near(community, open_first, organisations)


def _place() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (joinedload(Facility.building).joinedload(Building.estate), joinedload(Facility.dwelling))


def facility(facility_id: int) -> Facility:
    """A facility as everybody may see it, with its rooms and their uses."""
    rooms = selectinload(Facility.rooms).selectinload(Room.uses)
    query = sa.select(Facility).where(Facility.id == facility_id, *_shown(Facility))
    found = db.session.scalar(query.options(*_place(), rooms, joinedload(Facility.community)))
    if found is None:
        raise Missing
    return found


def organisation(organisation_id: int) -> Organisation:
    query = sa.select(Organisation).where(Organisation.id == organisation_id, *_shown(Organisation))
    found = db.session.scalar(query.options(joinedload(Organisation.community)))
    if found is None:
        raise Missing
    return found


def chosen(found: Sequence[Area], code: str, own: int | None) -> Area | None:
    """The community a page is about: the asked one, else the reader's own, else the first."""
    asked = next((area for area in found if area.code == code), None)
    return asked or next((area for area in found if area.id == own), None) or next(iter(found), None)
