"""Slots that take nobody more or do not take place: closed, opened again, called off with those booked told."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.models.schedules import Slot, SlotState, Timetable, states_before
from portal.catalogue.service import changing, holds, timetables
from portal.core import audit, reasons
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, transaction
from portal.core.errors import Refused
from portal.places import service as places

TOO_FEW = reasons.declare("catalogue.too_few", label=lambda: _("预约的人数不够，这一次不开"))
LIVE = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


def close(slot: Slot, reason: str, *, by: Actor) -> None:
    """Take nobody more; who has booked comes all the same, who waits is told and what was offered is taken back."""
    _move(slot, SlotState.CLOSED, reason, by=by.name)
    places.close_line(slot.capacity_id, reason=reason)
    audit.record("catalogue.slot_closed", slot, reason=reason)


def reopen(slot: Slot, *, by: Actor) -> None:
    if not slot.fits:
        raise Refused(_("时间表里已经没有这个时段，不能重新开放。要开放，请先改时间表。"))
    _move(slot, SlotState.OPEN, "", by=by.name)
    audit.record("catalogue.slot_opened", slot)


def call_off(slot: Slot, reason: str, *, by: Actor | None) -> int:
    """The slot will not take place: who has booked or waits is told and shown the next free time; how many booked."""
    _move(slot, SlotState.CALLED_OFF, reason, by=by.name if by else "", decide_at=None)
    told = changing.call_off_slot(slot, reason=reason)
    holds.release(slot)
    audit.record("catalogue.slot_called_off", slot, reason=reason, told=told)
    return told


def _move(slot: Slot, state: SlotState, reason: str, *, by: str, **values: Any) -> None:
    """By a guarded UPDATE: of two who act on a slot at once, one does."""
    if slot.starts_at <= now():
        raise Refused(_("这个时段已经开始或者过去了，不能再改。"))
    where = sa.and_(Slot.id == slot.id, Slot.state.in_(states_before(state)))
    said = {"state": state, "reason": reason, "changed_at": now(), "changed_by": by, **values}
    changed = guarded(sa.update(Slot).where(where).values(**said))
    db.session.refresh(slot)
    if not changed:
        raise Refused(_("这个时段刚刚已经有人改过，请看看它现在的样子。"))


def keep(slot: Slot, *, by: Actor) -> None:
    """Leave a slot to those who have booked it, though the timetable has it no more."""
    slot.settled, slot.changed_at, slot.changed_by = True, now(), by.name
    audit.record("catalogue.slot_kept", slot)


def close_day(timetable: Timetable, day: date, reason: str, *, by: Actor) -> tuple[int, int]:
    """A whole day off: how many slots were called off, and how many people told."""
    timetables.add_exception(timetable, day, day, None, reason, by=by)
    query = sa.select(Slot).where(Slot.timetable_id == timetable.id, Slot.day == day, Slot.starts_at > now())
    booked = [slot for slot in db.session.scalars(query.order_by(Slot.starts_at, Slot.id)) if _has_people(slot)]
    return len(booked), sum(call_off(slot, reason, by=by) for slot in booked)


def _has_people(slot: Slot) -> bool:
    return slot.state is not SlotState.CALLED_OFF and slot.capacity.taken > 0


def booked_on(slot: Slot) -> int:
    """How many have an appointment that still stands."""
    query = sa.select(sa.func.count()).where(Appointment.slot_id == slot.id, Appointment.state.in_(LIVE))
    return db.session.scalar(query) or 0


def decide(moment: datetime) -> int:
    """The job of the turnout: slots whose time to decide has come and for which too few have booked are called off."""
    query = sa.select(Slot.id).where(Slot.state != SlotState.CALLED_OFF, Slot.decide_at <= moment).order_by(Slot.id)
    with transaction() as session:
        due = list(session.scalars(query))
    return sum(_decided(due, moment))


def _decided(due: Iterable[int], moment: datetime) -> Iterable[bool]:
    for slot_id in due:
        with transaction() as session:
            # Held, so that nobody books while it is counted, and so that a second runner finds it decided.
            slot = session.get_one(Slot, slot_id, with_for_update=True, populate_existing=True)
            yield _decide(slot, moment)


def _decide(slot: Slot, moment: datetime) -> bool:
    if slot.decide_at is None or slot.decide_at > moment or slot.state is SlotState.CALLED_OFF:
        return False
    if slot.starts_at <= moment or booked_on(slot) >= slot.minimum:
        slot.decide_at = None
        return False
    call_off(slot, TOO_FEW, by=None)
    return True
