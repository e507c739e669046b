"""Bookings of rooms as they are looked up: an account's, a person's, a worker's."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from portal.areas.models import Area
from portal.catalogue.models.rooms import LIVE, BookingState, RoomBooking, RoomRule
from portal.core import ids
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Facility, Organisation, Person, Room, Staff
from portal.registry.service import people
from portal.registry.service.resources.listing import in_reach

# What a family agent is allowed, as the consent names it.
ACT = "catalogue.book"
PAGE = 30


@dataclass(frozen=True)
class Found:
    """What is still to come, soonest first, and the latest of what has been."""

    coming: list[RoomBooking]
    past: list[RoomBooking]


def organisations_of(actor: Actor) -> list[Organisation]:
    """The organisations somebody may book for: those in whose staff she is listed."""
    me = people.person_of_or_none(actor, lean=True)
    if me is None:
        return []
    query = (
        sa.select(Organisation)
        .join(Staff, Staff.organisation_id == Organisation.id)
        .where(Staff.person_id.in_(people.ids_of(me)), Staff.left_on.is_(None), Organisation.closed_on.is_(None))
        .distinct()
        .order_by(Organisation.name, Organisation.id)
    )
    return list(db.session.scalars(query))


def organisations_in(community: Area) -> list[Organisation]:
    """The organisations of a community that are in use, for a worker to book for."""
    query = sa.select(Organisation).where(Organisation.community_id == community.id, Organisation.closed_on.is_(None))
    return list(db.session.scalars(query.order_by(Organisation.name, Organisation.id)))


def everything() -> tuple[sa.orm.interfaces.ORMOption, ...]:
    return (
        joinedload(RoomBooking.room).joinedload(Room.facility).joinedload(Facility.community),
        joinedload(RoomBooking.person),
        joinedload(RoomBooking.organisation),
    )


def _mine(actor: Actor) -> sa.ColumnElement[bool]:
    """Of the account's own person, of those it may act for, and of its organisations as far as it booked them."""
    whom = people.people_for(actor, ACT)
    own = sa.and_(RoomBooking.person_id.in_(people.ids_of(*whom)), RoomBooking.organisation_id.is_(None))
    theirs = RoomBooking.organisation_id.in_([one.id for one in organisations_of(actor)])
    return sa.or_(own, sa.and_(theirs, RoomBooking.placed_by == actor.public_id))


def bookings_for(actor: Actor) -> Found:
    coming = sa.and_(RoomBooking.state.in_(LIVE), RoomBooking.ends_at > now())
    query = sa.select(RoomBooking).where(_mine(actor)).options(*everything())
    first = db.session.scalars(query.where(coming).order_by(RoomBooking.starts_at, RoomBooking.id))
    past = query.where(sa.not_(coming)).order_by(RoomBooking.starts_at.desc(), RoomBooking.id.desc()).limit(PAGE)
    return Found(list(first), list(db.session.scalars(past)))


def booking_for(actor: Actor, public_id: str) -> RoomBooking:
    """A booking of the account's own; a neighbour's is Missing."""
    query = sa.select(RoomBooking).where(_mine(actor), RoomBooking.public_id == public_id).options(*everything())
    return _one(query)


def booking_in(within: Collection[Scope], public_id: str) -> RoomBooking:
    """A booking of a room in scope, by public id or by its code."""
    named = sa.or_(RoomBooking.public_id == public_id, RoomBooking.code == public_id)
    return _one(_in(within).where(named).options(joinedload(RoomBooking.series)))


def code_of(text: str) -> str | None:
    """The code in what was typed or scanned: a whole address, or the code alone."""
    return ids.check_short_code(urlsplit(text.strip()).path.rstrip("/").rsplit("/", 1)[-1])


def known_in(within: Collection[Scope], code: str) -> bool:
    return db.session.scalar(_in(within).where(RoomBooking.code == code)) is not None


def _one(query: sa.Select[RoomBooking]) -> RoomBooking:
    booking = db.session.scalar(query)
    if booking is None:
        raise Missing
    return booking


def _in(within: Collection[Scope]) -> sa.Select[RoomBooking]:
    return (
        sa.select(RoomBooking)
        .join(RoomBooking.room)
        .join(Room.facility)
        .where(in_reach(Facility.community_id, within))
        .options(
            contains_eager(RoomBooking.room).contains_eager(Room.facility).joinedload(Facility.community),
            joinedload(RoomBooking.person),
            joinedload(RoomBooking.organisation),
        )
    )


def rule_of(booking: RoomBooking) -> RoomRule:
    return db.session.scalars(sa.select(RoomRule).where(RoomRule.room_id == booking.room_id)).one()


TABS = ("requested", "unmarked", "coming", "past")


def _tab(tab: str) -> sa.ColumnElement[bool]:
    """What a worker looks at: to confirm, over and not marked yet, still to come, and what has ended."""
    over = RoomBooking.ends_at <= now()
    conditions = {
        "requested": RoomBooking.state == BookingState.REQUESTED,
        "unmarked": sa.and_(RoomBooking.state == BookingState.CONFIRMED, over),
        "coming": sa.and_(RoomBooking.state == BookingState.CONFIRMED, sa.not_(over)),
        "past": RoomBooking.state.not_in(LIVE),
    }
    return conditions[tab]


def counts(within: Collection[Scope]) -> dict[str, int]:
    """How many of each tab, in one question."""
    tabs = [sa.func.count(RoomBooking.id).filter(_tab(tab)) for tab in TABS]
    query = sa.select(*tabs).join(RoomBooking.room).join(Room.facility).where(in_reach(Facility.community_id, within))
    return dict(zip(TABS, db.session.execute(query).one(), strict=True))


def bookings_in(within: Collection[Scope], tab: str, *, page: int = 1) -> list[RoomBooking]:
    """A page of a tab, one more than fits: what comes soonest first, what is over newest first."""
    order = (
        (RoomBooking.starts_at, RoomBooking.id)
        if tab in {"requested", "coming"}
        else (RoomBooking.starts_at.desc(), RoomBooking.id.desc())
    )
    query = _in(within).where(_tab(tab)).order_by(*order).limit(PAGE + 1).offset((page - 1) * PAGE)
    return list(db.session.scalars(query))


def in_series(booking: RoomBooking) -> list[RoomBooking]:
    """The occurrences of a weekly series, each with its own state."""
    query = sa.select(RoomBooking).where(RoomBooking.series_id == booking.series_id)
    return list(db.session.scalars(query.order_by(RoomBooking.starts_at, RoomBooking.id)))


def bookings_of(person: Person, *, limit: int = 20) -> list[RoomBooking]:
    """A person's, the latest first; those of persons merged into her too."""
    query = sa.select(RoomBooking).where(RoomBooking.person_id.in_(people.ids_of(person))).options(*everything())
    return list(db.session.scalars(query.order_by(RoomBooking.starts_at.desc(), RoomBooking.id.desc()).limit(limit)))
