"""Check-in: the signed code on a telephone or the six characters beside it, in their time, once."""

from collections.abc import Collection
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from flask_babel import gettext as _

from portal.catalogue.models.appointments import HOLDS, MARKS_OPEN, Appointment, AppointmentState
from portal.catalogue.service import appointments, changing
from portal.catalogue.service.appointment_words import appointment_said
from portal.core import audit, ids, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.web import moment_words

PURPOSE = "catalogue.check_in"
LATE = timedelta(minutes=60)
# Who was given up and comes after all is as welcome as who is awaited.
COMES = (AppointmentState.BOOKED, AppointmentState.NO_SHOW)
# The signature is made anew with every page; the window is the slot's.
LIVES = timedelta(days=60)


def token(appointment: Appointment) -> str:
    """The signed words that the code of an appointment holds."""
    return tokens.sign(PURPOSE, appointment.public_id)


def find(text: str, *, within: Collection[Scope]) -> Appointment:
    """The appointment of a scanned code (an address or the bare token) or of one that was typed."""
    code = ids.check_short_code(text)
    if code is not None:
        condition = Appointment.code == code
    else:
        text = text.strip()
        bare = parse_qs(urlsplit(text).query).get("code", [""])[0] if "?" in text else text
        condition = Appointment.public_id == str(tokens.unsign(PURPOSE, bare, within=LIVES) or "")
    found = db.session.scalar(appointments.in_scope(within, condition).order_by(Appointment.id))
    if found is None:
        raise Refused(_("没有找到这个预约。请核对预约码，或按姓名在当天名单里查找。"), field="code")
    return found


def check_in(text: str, *, by: Actor, within: Collection[Scope]) -> Appointment:
    """The person has come: within the window round the beginning, once."""
    found = find(text, within=within)
    _check_window(found, now())
    arrive(found, by=by)
    return found


def _check_window(appointment: Appointment, moment: datetime) -> None:
    closes = appointment.starts_at + LATE
    if appointment.state not in COMES:
        raise Refused(_why_not(appointment), field="code")
    check_open(appointment, moment)
    if moment > closes:
        words = _("签到时间已过（到 %(time)s 为止）。请在当天名单里由工作人员登记。", time=moment_words(closes))
        raise Refused(words, field="code")


def _why_not(appointment: Appointment) -> str:
    """Whose it is and what to do: the screen shows no more than the scanned code."""
    facts = {"name": appointment.person.name, "item": appointment.item.title}
    state = appointment_said(appointment.state)
    if appointment.state in HOLDS:
        return _("%(name)s的“%(item)s”现在是「%(state)s」，不用再签到。", state=state, **facts)
    return _(
        "%(name)s的“%(item)s”现在是「%(state)s」，不能签到。还要办的，请在“替居民预约”里再约。", state=state, **facts
    )


def check_open(appointment: Appointment, moment: datetime) -> None:
    """Nobody is marked as here, or as served, before the check-in opens."""
    if not appointment.can_be_marked(moment):
        opens = moment_words(appointment.starts_at - MARKS_OPEN)
        words = _("还没到签到时间，%(time)s 起可以签到。", time=opens)
        raise Refused(words, field="code")


def arrive(appointment: Appointment, *, by: Actor) -> None:
    """Mark as arrived; of two workers who scan at once, one does."""
    changing.move(appointment, AppointmentState.ARRIVED, only_from=COMES, arrived_at=now())
    audit.record(
        "catalogue.appointment_checked_in", appointment, on_behalf_of=appointment.person.public_id, by=by.public_id
    )
