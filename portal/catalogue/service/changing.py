"""Moving an appointment from state to state, to another slot, and out of its slot."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.catalogue.models.appointments import HOLDS, MOVES, Appointment, AppointmentState
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import booking, offering, telling
from portal.catalogue.service.appointment_words import appointment_said, span_words
from portal.core import audit, outbox, reasons
from portal.core.access import Actor, actor_or_none
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.errors import Refused
from portal.core.outbox import Recipient
from portal.places import service as places
from portal.registry.models import Person, PersonState
from portal.registry.service import people

DIED = reasons.declare("catalogue.person_died", label=lambda: _("本人已登记去世"))
UNDONE = reasons.declare("catalogue.death_undone", label=lambda: _("曾登记去世，登记后来撤销了"))


def move(
    appointment: Appointment,
    state: AppointmentState,
    *,
    only_from: Collection[AppointmentState] = tuple(AppointmentState),
    **values: Any,
) -> None:
    """Move an appointment by a guarded UPDATE, freeing its place where the new state holds none; refuses a move that
    its present state does not know. Two who mark the same at once: one does. `only_from` tells a mark from the undoing
    of a later one, which leads to the same state.
    """
    before = [old for old, following in MOVES.items() if state in following and old in only_from]
    if state in HOLDS:
        _move_from(before, appointment, state, **values)
        return
    capacity_id = appointment.slot.capacity_id
    places.hold(capacity_id)
    _move_from(before, appointment, state, **values)
    places.give_back(capacity_id, 1)


def _move_from(
    before: Iterable[AppointmentState],
    appointment: Appointment,
    state: AppointmentState,
    *conditions: sa.ColumnElement[bool],
    **values: Any,
) -> None:
    where = sa.and_(Appointment.id == appointment.id, Appointment.state.in_(list(before)), *conditions)
    changed = guarded(sa.update(Appointment).where(where).values(state=state, changed_at=now(), **values))
    db.session.refresh(appointment, ["state", "changed_at", *values])
    if not changed:
        raise Refused(_("这个预约现在是「%(state)s」，不能再这样办理。", state=appointment_said(appointment.state)))


def deadline(appointment: Appointment) -> datetime:
    """Until when it may be moved, and cancelled in good time."""
    return appointment.starts_at - timedelta(hours=appointment.item.cancel_hours)


def is_late(appointment: Appointment, at: datetime) -> bool:
    return at >= deadline(appointment)


def cancel(appointment: Appointment, *, by: Actor, reason: str = "") -> None:
    """The person, or somebody for her, cancels before it begins; past the limit it counts as late, which is told."""
    moment = now()
    if moment >= appointment.starts_at:
        raise Refused(_("已经到了预约时间，不能在这里取消。来不了请打社区电话说一声。"))
    late = is_late(appointment, moment)
    move(appointment, AppointmentState.CANCELLED, reason=reason, late=late)
    audit.record(
        "catalogue.appointment_cancelled",
        appointment,
        on_behalf_of=appointment.person.public_id,
        late=late,
    )
    telling.tell("catalogue.appointment_cancelled", appointment, by=by.name, reason=reason, late=late)


def call_off(appointment: Appointment, *, reason: str) -> None:
    """The community takes it back: the reason is told."""
    move(appointment, AppointmentState.CALLED_OFF, reason=reason)
    audit.record(
        "catalogue.appointment_called_off",
        appointment,
        reason=reason,
        on_behalf_of=appointment.person.public_id,
    )
    free = offering.next_free(appointment.item)
    instead = span_words(free.starts_at, free.ends_at) if free else ""
    telling.tell("catalogue.appointment_called_off", appointment, reason=reason, instead=instead)


def call_off_slot(slot: Slot, *, reason: str) -> int:
    """Everybody on a slot that will not take place, and everybody who waits for it; how many had booked.

    The slot itself has moved already, and its row is held: nobody books it any more.
    """
    places.close_line(slot.capacity_id, reason=reason)
    query = (
        sa.select(Appointment)
        .where(
            Appointment.slot_id == slot.id,
            Appointment.state.in_([AppointmentState.BOOKED, AppointmentState.ARRIVED]),
        )
        .options(joinedload(Appointment.person), joinedload(Appointment.item), joinedload(Appointment.slot))
        .order_by(Appointment.id)
    )
    found = db.session.scalars(query).all()
    for appointment in found:
        call_off(appointment, reason=reason)
    return len(found)


def reschedule(appointment: Appointment, slot: Slot, *, by: Actor, consent: str = "") -> None:
    """Move to another slot of the same item, until the limit; the code stays, the reminders begin anew. Who telephones
    (`consent` says how she agreed) is moved by a worker until it begins.
    """
    booking.hold_person(people.resolved(appointment.person))
    if now() >= appointment.starts_at:
        raise Refused(_("已经到了预约时间，不能再改时间。请记没有到场，再约一次。"))
    if is_late(appointment, now()) and not consent:
        hours = appointment.item.cancel_hours
        raise Refused(_("开始前 %(hours)d 小时起不能再改时间。来不了请取消，或打社区电话。", hours=hours))
    if slot.id == appointment.slot_id:
        return
    booking.check(slot, appointment.item, people.resolved(appointment.person), but=appointment)
    before = appointment.slot
    _swap(before.capacity_id, slot.capacity_id)
    _move_from(
        [AppointmentState.BOOKED],
        appointment,
        AppointmentState.BOOKED,
        Appointment.slot_id == before.id,
        slot_id=slot.id,
        day=slot.day,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        reminded=0,
    )
    db.session.expire(appointment, ["slot"])
    booking.leave_line(appointment.person, slot)
    audit.record(
        "catalogue.appointment_moved",
        appointment,
        on_behalf_of=appointment.person.public_id,
        slot=slot.id,
        before=before.id,
        consent=consent,
    )
    telling.tell("catalogue.appointment_moved", appointment, by=by.name)


def _swap(old: int, new: int) -> None:
    """Take a place and give another back. The rows are held in the order of the capacities, so that nobody waits in a
    circle; the old place goes only once the new one is hers, so that a refusal shows the day as it is.
    """
    if old < new:
        places.hold(old)
    places.take(new, 1, refusal=Refused(_("这个时段刚刚约满了，请换一个时间。原来的预约还在。")))
    places.give_back(old, 1)


def end_for(person: Person) -> int:
    """Cancel what a person who died had coming, and take her out of every line; nobody is told."""
    ended = places.end_for(person, reason=DIED)
    query = (
        sa.select(Appointment)
        .where(
            Appointment.person_id.in_(people.ids_of(person)),
            Appointment.state == AppointmentState.BOOKED,
            Appointment.ends_at > now(),
        )
        .options(joinedload(Appointment.slot))
        .order_by(Appointment.slot_id, Appointment.id)
    )
    found = db.session.scalars(query).all()
    for appointment in found:
        move(appointment, AppointmentState.CANCELLED, reason=DIED)
        audit.record("catalogue.appointment_cancelled", appointment, reason=DIED, on_behalf_of=person.public_id)
    return ended + len(found)


def on_person_died(*, person: Person, **_facts: object) -> None:
    """In the publisher's transaction; undoing the death restores nothing by itself."""
    end_for(person)


def on_person_moved(*, person: Person, **_facts: object) -> None:
    """A death that is undone gives nothing back: the places may be another's. Whoever undid it is told, once."""
    actor = actor_or_none()
    if person.state is PersonState.DEAD or actor is None:
        return
    cancelled = sa.select(Appointment.id).where(
        Appointment.person_id.in_(people.ids_of(person)), Appointment.reason == DIED, Appointment.starts_at > now()
    )
    lost = [number for number in db.session.scalars(cancelled.order_by(Appointment.id)) if _note_undone(number)]
    if lost:
        told = Recipient("account", actor.public_id)
        outbox.enqueue("catalogue.appointments_not_restored", to=told, person=person.name, count=len(lost))


def _note_undone(appointment_id: int) -> bool:
    where = sa.and_(Appointment.id == appointment_id, Appointment.reason == DIED)
    return guarded(sa.update(Appointment).where(where).values(reason=UNDONE))
