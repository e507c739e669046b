"""Facilities, their rooms, and what each room is used for when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas.models import Area, Building, Dwelling, Estate
from portal.core import audit
from portal.core.access import Scope
from portal.core.clock import now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.registry.models import Ease, Facility, FacilityKind, Room, RoomUse
from portal.registry.service.resources import hours
from portal.registry.service.resources.listing import Paged, Wanted, in_reach, one_in, paged


@dataclass(frozen=True)
class FacilityFacts:
    """What a worker says of a facility; `unit` and `room` name a dwelling of the building, where it takes one."""

    name: str
    kind: FacilityKind
    area_m2: Decimal | None = None
    address: str = ""
    building_id: int | None = None
    unit: str = ""
    room: str = ""
    phone: str = ""
    hours: str = ""
    eases: tuple[Ease, ...] = ()
    note: str = ""
    is_public: bool = True


@dataclass(frozen=True)
class RoomFacts:
    name: str
    capacity: int = 0
    area_m2: Decimal | None = None
    is_accessible: bool = False


def _loaded() -> sa.Select[Facility]:
    return sa.select(Facility).options(
        joinedload(Facility.community),
        joinedload(Facility.building).joinedload(Building.estate),
        joinedload(Facility.dwelling),
        selectinload(Facility.rooms),
    )


def facilities(within: Collection[Scope], wanted: Wanted) -> Paged[Facility]:
    """The facilities in scope by community and name; those given up only where asked for."""
    closed = Facility.closed_on.is_not(None) if wanted.state == "closed" else Facility.closed_on.is_(None)
    query = _loaded().where(in_reach(Facility.community_id, within, wanted.community), closed)
    if wanted.kind in set(FacilityKind):
        query = query.where(Facility.kind == FacilityKind(wanted.kind))
    if wanted.q:
        either = (Facility.name, Facility.address)
        query = query.where(sa.or_(*(column.icontains(wanted.q, autoescape=True) for column in either)))
    return paged(query.order_by(Facility.community_id, Facility.name, Facility.id), wanted)


def facility_in(within: Collection[Scope], facility_id: int) -> Facility:
    query = _loaded().options(selectinload(Facility.rooms).selectinload(Room.uses))
    return one_in(query.where(in_reach(Facility.community_id, within), Facility.id == facility_id))


def add_facility(community: Area, facts: FacilityFacts) -> Facility:
    facility = Facility(community_id=community.id)
    with unique_or(_name_taken()):
        _say(facility, facts)
        db.session.add(facility)
    audit.record("resources.facility_added", facility, name=facts.name)
    return facility


def change_facility(facility: Facility, facts: FacilityFacts) -> None:
    with unique_or(_name_taken()):
        _say(facility, facts)
    audit.record("resources.facility_changed", facility, name=facts.name)


def _name_taken() -> Refused:
    return Refused(_("这个社区已经有同名的设施（也可能已停用），请换个名字或恢复原来的。"), field="name")


def _say(facility: Facility, facts: FacilityFacts) -> None:
    if facts.area_m2 is not None and facts.area_m2 <= 0:
        raise Refused(_("面积要大于 0，不知道就不填。"), field="area_m2")
    opening = hours.parse(facts.hours)
    dwelling = _dwelling(facility.community_id, facts)
    facility.name, facility.kind, facility.area_m2 = facts.name, facts.kind, facts.area_m2
    facility.address, facility.phone, facility.note = facts.address, facts.phone, facts.note
    facility.building_id, facility.dwelling_id = facts.building_id, dwelling.id if dwelling else None
    facility.hours, facility.eases = opening, [ease.value for ease in facts.eases]
    facility.is_public, facility.updated_at = facts.is_public, now()


def _dwelling(community_id: int, facts: FacilityFacts) -> Dwelling | None:
    """The dwelling meant by building, unit and room; a building of another community is refused."""
    if facts.building_id is None:
        if facts.room:
            raise Refused(_("填了室号，请先选楼栋。"), field="building")
        return None
    if facts.building_id not in {building.id for building in _buildings(community_id)}:
        raise Missing
    if not facts.room:
        return None
    where = (Dwelling.building_id == facts.building_id, Dwelling.unit == facts.unit, Dwelling.room == facts.room)
    found = db.session.scalar(sa.select(Dwelling).where(*where))
    if found is None:
        raise Refused(_("这栋楼里没有登记这个单元和室号，请核对，或只填楼栋和地址。"), field="room")
    return found


def _buildings(community_id: int) -> list[Building]:
    query = sa.select(Building).join(Estate).where(Estate.community_id == community_id)
    return list(db.session.scalars(query.options(joinedload(Building.estate)).order_by(Estate.name, Building.id)))


def building_choices(community: Area) -> list[tuple[str, str]]:
    """The buildings of a community with their estate, for a form to offer."""
    return [(str(building.id), f"{building.estate.name} {building.name}") for building in _buildings(community.id)]


def close_facility(facility: Facility) -> None:
    """Give a facility up: it leaves the lists and the residents' page, and keeps its history."""
    facility.closed_on = facility.closed_on or today()
    audit.record("resources.facility_closed", facility, name=facility.name)


def reopen_facility(facility: Facility) -> None:
    facility.closed_on = None
    audit.record("resources.facility_reopened", facility, name=facility.name)


def room_in(within: Collection[Scope], room_id: int) -> Room:
    query = sa.select(Room).join(Facility).where(in_reach(Facility.community_id, within), Room.id == room_id)
    return one_in(query.options(joinedload(Room.facility), selectinload(Room.uses)))


def add_room(facility: Facility, facts: RoomFacts) -> Room:
    room = Room(facility_id=facility.id)
    with unique_or(_room_taken()):
        _say_room(room, facility, facts)
        db.session.add(room)
    audit.record("resources.room_added", facility, room=facts.name)
    return room


def change_room(room: Room, facts: RoomFacts) -> None:
    with unique_or(_room_taken()):
        _say_room(room, room.facility, facts)
    audit.record("resources.room_changed", room.facility, room=facts.name)


def _room_taken() -> Refused:
    return Refused(_("这个设施已经有同名的房间，请换个名字。"), field="name")


def _say_room(room: Room, facility: Facility, facts: RoomFacts) -> None:
    if facts.area_m2 is not None and facility.area_m2 is not None and facts.area_m2 > facility.area_m2:
        raise Refused(_("房间的面积不能大于整个设施的面积，请核对。"), field="area_m2")
    room.name, room.capacity, room.area_m2 = facts.name, facts.capacity, facts.area_m2
    room.is_accessible = facts.is_accessible


def close_room(room: Room) -> None:
    room.closed_on = room.closed_on or today()
    audit.record("resources.room_closed", room.facility, room=room.name)


def reopen_room(room: Room) -> None:
    room.closed_on = None
    audit.record("resources.room_reopened", room.facility, room=room.name)


def add_use(room: Room, *, name: str, weekday: int, opens: time, closes: time, held_by: str = "") -> RoomUse:
    """Put one more use on a room's week; refused where another stands at that time."""
    if closes <= opens:
        raise Refused(_("结束时间要晚于开始时间。"), field="closes")
    # Two workers at once must not both find the time free.
    db.session.execute(sa.select(Room.id).where(Room.id == room.id).with_for_update())
    query = sa.select(RoomUse).where(RoomUse.room_id == room.id, RoomUse.weekday == weekday)
    for other in db.session.scalars(query.order_by(RoomUse.opens, RoomUse.id)):
        if other.opens < closes and opens < other.closes:
            words = _(
                "%(room)s%(day)s %(opens)s-%(closes)s 已用于“%(use)s”，请换个时间或房间。",
                room=room.name,
                day=hours.weekday(weekday),
                opens=f"{other.opens:%H:%M}",
                closes=f"{other.closes:%H:%M}",
                use=other.name,
            )
            raise Refused(words, field="opens")
    use = RoomUse(room_id=room.id, name=name, weekday=weekday, opens=opens, closes=closes, held_by=held_by)
    with unique_or(Refused(_("这个时间刚刚已被排用，请看看列表。"), field="opens")):
        db.session.add(use)
    audit.record("resources.use_added", room.facility, room=room.name, name=name)
    return use


def drop_use(room: Room, use_id: int) -> None:
    use = next((use for use in room.uses if use.id == use_id), None)
    if use is None:
        raise Missing
    room.uses.remove(use)
    db.session.delete(use)
    audit.record("resources.use_dropped", room.facility, room=room.name, name=use.name)
