"""What timetables and the counter answer at the doors of the catalogue: what waits, what is held, what is forgotten."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.catalogue.models.appointments import Appointment
from portal.catalogue.models.counter import ErrandPaper
from portal.catalogue.models.rooms import RoomQuarter
from portal.catalogue.models.schedules import Slot, SlotHold, SlotMessage
from portal.catalogue.service import reach, timetables
from portal.core.access import Actor, scopes_of
from portal.core.clock import now
from portal.core.db import db
from portal.core.doors import Todo
from portal.identity.permissions import Permission
from portal.places.models import Capacity, Waiting
from portal.registry.models import Person
from portal.registry.service import people

# A paper that is out for longer is asked after.
ASKED_AFTER = timedelta(days=7)
CHUNK = 500
_UNSYNCED = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """Booked slots that a timetable no longer has, and papers that are out for long."""
    found = []
    keeps, serves = scopes_of(worker, Permission.CATALOGUE_KEEP), scopes_of(worker, Permission.CATALOGUE_SERVE)
    if keeps and (unsettled := timetables.unsettled(keeps)):
        words = _("有人预约的时段和时间表不合，要处理")
        due = unsettled[0].starts_at
        found.append(Todo(words, "catalogue.worker.timetables_page", count=len(unsettled), due=due))
    if keeps and (left := timetables.clashing(keeps)):
        words = _("时段没有开出来：人或房间已经排给别处")
        number, count = left[0].id, sum(one.clashes for one in left)
        address: dict[str, Any] = {"timetable_id": number}
        found.append(Todo(words, "catalogue.worker.timetable", address, count, due=left[0].clash_at))
    if serves and (out := _long_out(serves)):
        found.append(Todo(_("代办收的材料还没交还"), "catalogue.worker.errands", count=out, late=True))
    return found


def _long_out(serves: Collection[Any]) -> int:
    query = sa.select(sa.func.count()).where(
        reach.reached(serves, ErrandPaper.community_id, ErrandPaper.person_id),
        ErrandPaper.returned_at.is_(None),
        ErrandPaper.taken_at < now() - ASKED_AFTER,
    )
    return db.session.scalar(query) or 0


def papers_held(person: Person) -> list[dict[str, Any]]:
    """The papers that were taken from somebody, for her own copy."""
    query = sa.select(ErrandPaper).where(ErrandPaper.person_id.in_(people.ids_of(person)))
    return [
        {
            _("收下的材料"): paper.what,
            _("收下时间"): paper.taken_at.isoformat(),
            _("交还时间"): paper.returned_at.isoformat() if paper.returned_at else "",
            _("交还给谁"): paper.returned_to,
        }
        for paper in db.session.scalars(query.order_by(ErrandPaper.taken_at, ErrandPaper.id))
    ]


def purge(before: date) -> None:
    """Forget the slots of days before one that nobody's appointment or place in a line stands on any more."""
    booked, waited = sa.select(Appointment.slot_id), sa.select(Waiting.capacity_id)
    old = sa.select(Slot.id, Slot.capacity_id).where(
        Slot.day < before, Slot.id.not_in(booked), Slot.capacity_id.not_in(waited)
    )
    rows = db.session.execute(old.order_by(Slot.id)).all()
    for start in range(0, len(rows), CHUNK):
        _forget(
            [row.id for row in rows[start : start + CHUNK]], [row.capacity_id for row in rows[start : start + CHUNK]]
        )


def _forget(slots: list[int], capacities: list[int]) -> None:
    for statement in (
        sa.delete(SlotHold).where(SlotHold.slot_id.in_(slots)),
        sa.delete(RoomQuarter).where(RoomQuarter.slot_id.in_(slots)),
        sa.delete(SlotMessage).where(SlotMessage.slot_id.in_(slots)),
        sa.delete(Slot).where(Slot.id.in_(slots)),
        sa.delete(Capacity).where(Capacity.id.in_(capacities)),
    ):
        db.session.execute(statement, execution_options=_UNSYNCED)
