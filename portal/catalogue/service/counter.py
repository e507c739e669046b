"""At the counter: who arrived, was served, did not come; a wrong mark taken back; words to everybody on a slot."""

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.catalogue.models.appointments import Appointment, AppointmentState
from portal.catalogue.models.schedules import Slot, SlotMessage, Timetable
from portal.catalogue.service import changing, checking_in, reach
from portal.core import audit, outbox, settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import local, now, today
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.web import day_words

# A mark may be set, and taken back, so many days afterwards: the paper list of a day without a network is typed later.
MARK_DAYS = "catalogue.mark_days"
settings.declare(
    MARK_DAYS,
    default=7,
    label=lambda: _("预约过去几天内还可以补记或撤销到场标记"),
    unit=lambda: _("天"),
    least=0,
    most=60,
)
BACK = {
    AppointmentState.ARRIVED: AppointmentState.BOOKED,
    AppointmentState.SERVED: AppointmentState.ARRIVED,
    AppointmentState.NO_SHOW: AppointmentState.BOOKED,
}
LIVE = (AppointmentState.BOOKED, AppointmentState.ARRIVED)


def arrive(appointment: Appointment, *, by: Actor) -> None:
    """Somebody is here; who was marked as not come and comes late arrives too."""
    _on_its_day(appointment)
    checking_in.arrive(appointment, by=by)
    appointment.reason = ""


def serve(appointment: Appointment, *, by: Actor) -> None:
    """What she came for is done; who was not marked as arrived has arrived now."""
    _on_its_day(appointment)
    if appointment.state is not AppointmentState.ARRIVED:
        arrive(appointment, by=by)
    changing.move(appointment, AppointmentState.SERVED)
    audit.record("catalogue.appointment_served", appointment, on_behalf_of=appointment.person.public_id, by=by.name)


def miss(appointment: Appointment, reason: str, *, by: Actor) -> None:
    """She did not come: only once it has begun, and with a reason."""
    _recent(appointment)
    if now() < appointment.starts_at:
        raise Refused(_("还没到预约的时间，不能记没有到场。到时间后再记，或替居民取消。"))
    changing.move(appointment, AppointmentState.NO_SHOW, reason=reason)
    audit.record(
        "catalogue.appointment_missed",
        appointment,
        reason=reason,
        on_behalf_of=appointment.person.public_id,
        by=by.name,
    )


def undo(appointment: Appointment, reason: str, *, by: Actor) -> None:
    """Take a wrong mark back by one step."""
    _recent(appointment)
    before = BACK.get(appointment.state)
    if before is None:
        raise Refused(_("这个预约没有可以撤销的标记。"))
    if appointment.rated_at is not None:
        raise Refused(_("居民已经评价过这次服务，不能再撤销。确实记错了，请联系街道。"))
    was = appointment.state
    cleared = {"arrived_at": None} if before is AppointmentState.BOOKED else {}
    changing.move(appointment, before, only_from=[was], reason="", **cleared)
    audit.record(
        "catalogue.mark_undone",
        appointment,
        reason=reason,
        was=was.value,
        on_behalf_of=appointment.person.public_id,
        by=by.name,
    )


def _on_its_day(appointment: Appointment) -> None:
    if appointment.day > today():
        words = _("这是 %(day)s 的预约，还没到那一天。", day=day_words(appointment.day))
        raise Refused(words)
    checking_in.check_open(appointment, now())
    _recent(appointment)


def _recent(appointment: Appointment) -> None:
    days = settings.get(MARK_DAYS)
    if appointment.day < today() - timedelta(days=days):
        raise Refused(_("已经过去 %(days)d 天以上，不能再改标记。确实记错了，请联系街道。", days=days))


def can_undo(appointment: Appointment) -> bool:
    recent = appointment.day >= today() - timedelta(days=settings.get(MARK_DAYS))
    return recent and appointment.state in BACK and appointment.rated_at is None


def messages(slot: Slot) -> list[SlotMessage]:
    """What everybody on a slot was told, the newest first."""
    query = sa.select(SlotMessage).where(SlotMessage.slot_id == slot.id).order_by(SlotMessage.id.desc())
    return list(db.session.scalars(query))


def to_be_told(slot: Slot, within: Collection[Scope]) -> list[Appointment]:
    """Who hears a message: everybody in reach whose appointment still stands."""
    query = (
        sa.select(Appointment)
        .join(Appointment.slot)
        .join(Slot.timetable)
        .where(Appointment.slot_id == slot.id, Appointment.state.in_(LIVE))
        .where(reach.reached(within, Timetable.community_id, Appointment.person_id))
        .options(joinedload(Appointment.person), joinedload(Appointment.item))
        .order_by(Appointment.id)
    )
    return list(db.session.scalars(query))


def message(slot: Slot, words: str, *, by: Actor, within: Collection[Scope], idem: str = "") -> int:
    """Tell everybody on a slot something; the same `idem` again tells nobody twice. How many were told."""
    earlier = tokens.first_request(by.public_id, "catalogue.message", idem, f"{slot.id}|{words}", str(slot.id))
    if earlier is not None:
        return _told_before(slot, words)
    found = to_be_told(slot, within)
    if not found:
        raise Refused(_("这个时段现在没有人预约，没有人可以通知。"))
    for appointment in found:
        outbox.enqueue("catalogue.slot_message", to=appointment.person.ref, **_facts(appointment, slot, words, by))
    db.session.add(
        SlotMessage(slot_id=slot.id, words=words, told=len(found), at=now(), by=by.public_id, by_name=by.name)
    )
    audit.record("catalogue.slot_messaged", slot, told=len(found))
    return len(found)


def _facts(appointment: Appointment, slot: Slot, words: str, by: Actor) -> dict[str, str]:
    return {
        "person": appointment.person.name,
        "item": appointment.item.title,
        "starts": appointment.starts_at.isoformat(),
        "ends": appointment.ends_at.isoformat(),
        "words": words,
        "by": by.name,
        "phone": appointment.item.telephone,
        "day": day_words(local(slot.starts_at).date()),
    }


def _told_before(slot: Slot, words: str) -> int:
    query = sa.select(SlotMessage.told).where(SlotMessage.slot_id == slot.id, SlotMessage.words == words)
    return db.session.scalar(query.order_by(SlotMessage.id.desc()).limit(1)) or 0
