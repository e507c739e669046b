"""What tests of rooms share: a room with rules, a wish, a neighbour."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from portal.catalogue.models.rooms import BookedBy, Booker, RoomBooking, RoomQuarter, RoomRule
from portal.catalogue.service.rooms import booking
from portal.catalogue.service.rooms.booking import Wish
from portal.core import clock
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.identity.models import Account
from portal.registry.models import Facility, FacilityKind, Organisation, OrganisationKind, Person, Room
from tests.acting import actor_of
from tests.make import Make

EVERY_DAY = {str(day): [["08:00", "21:00"]] for day in range(7)}
BOTH = (Booker.RESIDENT, Booker.ORGANISATION)


def room(make: Make, name: str = "多功能厅", *, capacity: int = 20, community: Any = None) -> Room:
    facility = make.add(
        Facility(
            community_id=(community or make.community()).id,
            name=f"邻里中心{make.number()}",
            kind=FacilityKind.ACTIVITY,
            address="春风里 1 号",
        )
    )
    return make.add(Room(facility_id=facility.id, name=name, capacity=capacity))


def rule(make: Make, held: Room | None = None, *, open_to: Iterable[Booker] = BOTH, **more: Any) -> RoomRule:
    """Open every day of the year from 8 to 21, no limits that a test does not name."""
    held = held or room(make)
    facts = {
        "hours": EVERY_DAY,
        "on_holidays": True,
        "most_ahead": 30,
        "least_ahead": 0,
        "cancel_ahead": 0,
        "longest": 240,
        "buffer": 0,
        "most_held": 5,
        **more,
    }
    codes = [booker.value for booker in open_to]
    return make.add(RoomRule(room_id=held.id, open_to=codes, updated_at=now(), **facts))


def at(hour: int, minute: int = 0, *, days: int = 1) -> datetime:
    return clock.at(today() + timedelta(days=days), time(hour, minute))


def wish(person: Person | None, starts_at: datetime | None = None, *, minutes: int = 60, **more: Any) -> Wish:
    starts_at = starts_at or at(9)
    facts = {"purpose": "合唱排练", "headcount": 8, "through": BookedBy.SELF, **more}
    return Wish(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), person=person, **facts)


def book(held: RoomRule, wanted: Wish, by: Account, *, idem: str = "") -> RoomBooking:
    with transaction() as session:
        fresh = session.get_one(RoomRule, held.id)
        made = booking.book(fresh, wanted, by=actor_of(by), idem=idem)
    db.session.rollback()
    return made


def quarters(held: RoomRule) -> list[datetime]:
    query = sa.select(RoomQuarter.at).where(RoomQuarter.room_id == held.room_id).order_by(RoomQuarter.at)
    return list(db.session.scalars(query))


def bookings() -> list[RoomBooking]:
    return list(db.session.scalars(sa.select(RoomBooking).order_by(RoomBooking.starts_at, RoomBooking.id)))


def organisation(make: Make, name: str = "夕阳红合唱队", **more: Any) -> Organisation:
    kind = OrganisationKind.COMMUNITY_GROUP
    return make.add(Organisation(community_id=make.community().id, name=name, kind=kind, **more))


def filled(**more: Any) -> dict[str, str]:
    day: date = today() + timedelta(days=1)
    given = {"day": day.isoformat(), "opens": "09:00", "closes": "10:00", "headcount": "8", "purpose": "合唱排练"}
    return {**given, **more}
