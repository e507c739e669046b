"""Worker pages: what is changed for somebody who asks for it: another time, a place in a line, out of it again."""

from datetime import date
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.counter import AgreedForm, BookForForm, ReasonForm
from portal.catalogue.models.appointments import Appointment, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.service import appointments, booking_for, changing, offering, reach, waiting
from portal.catalogue.worker.blueprint import bp
from portal.catalogue.worker.counter import offered
from portal.core import web
from portal.core.access import Scope, current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person

SERVE = Permission.CATALOGUE_SERVE


def _within() -> tuple[Scope, ...]:
    return scopes(SERVE)


@bp.route("/appointments/<public_id>/move", methods=["GET", "POST"])
@requires(SERVE)
def appointment_move(public_id: str) -> Response:
    found, form = appointments.for_worker(_within(), public_id), AgreedForm()
    wanted = _wanted(found)
    if wanted and form.carries_out(lambda: _move(found, wanted, form)):
        return web.go(".appointment", public_id=found.public_id)
    days = [one for one in offering.days_of(found.item_id) if one.left > 0]
    day = offering.chosen_day(days, request.args.get("day"))
    slots = _free_slots(found, day)
    chosen = wanted if wanted in slots else None
    facts: dict[str, Any] = {"days": days, "day": day, "slots": slots, "chosen": chosen, "moment": now()}
    return web.page("catalogue/worker/appointment_move.html", appointment=found, form=form, status=form.status, **facts)


def _wanted(found: Appointment) -> Slot | None:
    """The slot that was asked for in its place, free or not: who was slower is told that it filled."""
    number = web.number_asked("slot")
    if not number or number == found.slot_id:
        return None
    _item, slot = offering.asked(found.item_id, number)
    return slot if reach.near(_within(), [slot]) else None


def _free_slots(found: Appointment, day: date | None) -> list[Slot]:
    """Those of a day with a place left, in timetables that the worker reaches."""
    slots = reach.near(_within(), offering.slots(found.item, day)) if day else []
    return [one for one in slots if one.left > 0 and one.id != found.slot_id]


def _move(found: Appointment, slot: Slot, form: AgreedForm) -> None:
    booking_for.throttle(current_actor())
    changing.reschedule(found, slot, by=current_actor(), consent=form.consent())
    flash(_("已改到新的时间，居民会收到通知。"), "ok")


@bp.route("/book/<person_id>/<int:item_id>/<int:slot_id>/wait", methods=["GET", "POST"])
@requires(SERVE)
def book_wait(person_id: str, item_id: int, slot_id: int) -> Response:
    """Put somebody in the line of a full slot."""
    person = booking_for.person_in(_within(), person_id)
    item, slot = offered(person, item_id, slot_id)
    form = AgreedForm()
    if form.carries_out(lambda: _join(person, item, slot, form)):
        flash(_("已替%(name)s排上候补，有名额会通知本人。", name=person.name), "ok")
        return web.go(".book_item", person_id=person.public_id, item=item.id, day=slot.day.isoformat())
    facts: dict[str, Any] = {"item": item, "slot": slot, "form": form, "length": waiting.length(slot)}
    return web.page("catalogue/worker/book_wait.html", person=person, status=form.status, **facts)


def _join(person: Person, item: Item, slot: Slot, form: AgreedForm) -> None:
    booking_for.throttle(current_actor())
    waiting.join(slot, item, person, by=current_actor(), consent=form.consent())


@bp.route("/book/<person_id>/waiting/<public_id>", methods=["GET", "POST"])
@requires(SERVE)
def book_offer(person_id: str, public_id: str) -> Response:
    """Take the place that somebody in a line was offered, for her who says so on the telephone."""
    person = booking_for.person_in(_within(), person_id)
    waits, form = waiting.waits_for([person], public_id), BookForForm()
    if form.validate_on_submit():
        try:
            made = waiting.take(waits, by=current_actor(), channel=Channel(form.channel.data), consent=form.consent())
            flash(_("已为%(name)s约好，预约码 %(code)s。", name=person.name, code=made.code), "ok")
            return web.go(".appointment", public_id=made.public_id)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"item": waits.item, "slot": waits.slot, "until": waits.waiting.offer_until, "form": form}
    return web.page("catalogue/worker/book_offer.html", person=person, status=form.status, **facts)


@bp.route("/book/<person_id>/waiting/<public_id>/leave", methods=["GET", "POST"])
@requires(SERVE)
def book_leave(person_id: str, public_id: str) -> Response:
    """Take somebody out of a line who says that she wants the place no more."""
    person = booking_for.person_in(_within(), person_id)
    waits, form = waiting.waits_for([person], public_id), ReasonForm()
    if not reach.near(_within(), [waits.slot]):
        raise Missing
    if form.carries_out(lambda: waiting.leave(waits, reason=form.text("reason"))):
        flash(_("已替%(name)s退出候补。", name=person.name), "ok")
        return web.go(".slot", slot_id=waits.slot.id)
    return web.page("catalogue/worker/book_leave.html", person=person, waits=waits, form=form, status=form.status)
