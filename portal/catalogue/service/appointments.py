"""Appointments as they are looked up: an account's, a person's, a slot's, a worker's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload
from sqlalchemy.sql.base import ExecutableOption

from portal.catalogue.models.appointments import HOLDS, Appointment, AppointmentState
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot, Timetable
from portal.catalogue.service import reach
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing
from portal.registry.models import Person
from portal.registry.service import people

BOOK = "catalogue.book"
PAGE = 20
COMING = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


@dataclass(frozen=True)
class Appointments:
    """Those that are coming, the soonest first; and a page of the others, the newest first."""

    coming: tuple[Appointment, ...]
    past: tuple[Appointment, ...]
    more: bool


def whole() -> tuple[ExecutableOption, ...]:
    """What a page about appointments shows beside them."""
    return (
        joinedload(Appointment.item).joinedload(Item.provider),
        joinedload(Appointment.person),
        joinedload(Appointment.slot).joinedload(Slot.timetable),
    )


def about(persons: Sequence[Person]) -> sa.Select[Appointment]:
    """The appointments of some people, those of records merged into theirs too."""
    return sa.select(Appointment).where(Appointment.person_id.in_(people.ids_of(*persons))).options(*whole())


def of_person(person: Person, *, limit: int = PAGE) -> list[Appointment]:
    """A person's appointments, the latest first."""
    query = about([person]).order_by(Appointment.starts_at.desc(), Appointment.id.desc()).limit(limit)
    return list(db.session.scalars(query))


def of_account(whom: Sequence[Person], *, page: int = 1) -> Appointments:
    """The appointments of those an account may act for."""
    if not whom:
        return Appointments((), (), more=False)
    coming = sa.and_(Appointment.state.in_(COMING), Appointment.ends_at > now())
    query = about(whom)
    first = db.session.scalars(query.where(coming).order_by(Appointment.starts_at, Appointment.id).limit(100))
    past = query.where(~coming).order_by(Appointment.starts_at.desc(), Appointment.id.desc())
    found = db.session.scalars(past.offset(max(page - 1, 0) * PAGE).limit(PAGE + 1)).all()
    return Appointments(tuple(first), tuple(found[:PAGE]), more=len(found) > PAGE)


def for_account(actor: Actor, public_id: str) -> Appointment:
    """An appointment of the account's own person or of one it may act for; a neighbour's is Missing."""
    whom = people.people_for(actor, BOOK)
    found = db.session.scalar(about(whom).where(Appointment.public_id == public_id)) if whom else None
    if found is None:
        raise Missing
    return found


def standing(person: Person, slot: Slot) -> Appointment | None:
    """The live appointment of a person in a slot."""
    return db.session.scalar(about([person]).where(Appointment.slot_id == slot.id, Appointment.state.in_(HOLDS)))


def next_of(whom: Sequence[Person]) -> Appointment | None:
    """The soonest appointment that some people have before them."""
    coming = Appointment.state.in_(COMING), Appointment.ends_at > now()
    query = about(whom).where(*coming).order_by(Appointment.starts_at, Appointment.id).limit(1)
    return db.session.scalar(query) if whom else None


def in_scope(within: Collection[Scope], *conditions: sa.ColumnElement[bool]) -> sa.Select[Appointment]:
    """The appointments whose timetable belongs to a community that the scopes touch."""
    return (
        sa.select(Appointment)
        .join(Appointment.slot)
        .join(Slot.timetable)
        .where(reach.reached(within, Timetable.community_id, Appointment.person_id), *conditions)
        .options(
            contains_eager(Appointment.slot).contains_eager(Slot.timetable),
            joinedload(Appointment.person),
            joinedload(Appointment.item).joinedload(Item.provider),
        )
    )


def for_worker(within: Collection[Scope], public_id: str) -> Appointment:
    found = db.session.scalar(in_scope(within, Appointment.public_id == public_id))
    if found is None:
        raise Missing
    return found
