"""Booking for residents: the days and slots of an item, the waiting list, one's appointments and what may be done."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Response, flash, request
from flask_babel import gettext as _
from markupsafe import Markup

from portal.catalogue.forms.appointments import BookForm, CancelAppointmentForm, PlainForm, RateForm
from portal.catalogue.models.appointments import Appointment, Channel
from portal.catalogue.models.items import Item
from portal.catalogue.models.schedules import Slot
from portal.catalogue.resident.blueprint import bp
from portal.catalogue.service import (
    appointment_words,
    appointments,
    booking,
    calendar_file,
    changing,
    checking_in,
    offering,
    papers,
    rating,
)
from portal.catalogue.service import waiting as lines
from portal.core import files, tokens, web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.db import reading
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

bp.add_app_template_filter(appointment_words.appointment_said, "appointment_said")
bp.add_app_template_filter(appointment_words.appointment_tint, "appointment_tint")
bp.add_app_template_filter(appointment_words.slot_words, "slot_words")
bp.add_app_template_filter(appointment_words.iso_moment, "iso_moment")
bp.add_app_template_filter(appointment_words.span_said, "span_said")
bp.add_app_template_filter(rating.may_be_rated, "may_be_rated")


@bp.route("/<int:item_id>/book")
@requires(Permission.CATALOGUE_USE)
def book(item_id: int) -> Response:
    item, whom, days = offering.shown(item_id), _whom(), offering.days_of(item_id)
    day = offering.chosen_day(days, request.args.get("day"))
    return web.page(
        "catalogue/resident/book.html",
        item=item,
        whom=whom,
        person=_one_of(whom),
        weeks=offering.weeks(days),
        day=day,
        slots=offering.slots(item, day) if day else [],
        soonest=offering.next_free(item),
    )


@bp.route("/<int:item_id>/slots/<int:slot_id>", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def slot(item_id: int, slot_id: int) -> Response:
    with reading():
        item, found, person, channel = _asked(item_id, slot_id)
        form = BookForm()
    if form.validate_on_submit():
        try:
            return web.go(".appointment", public_id=_book(item, found, person, channel, form).public_id)
        except Refused as refused:
            form.refuse(refused)
    return _slot_page(item, found, person, form)


@bp.route("/<int:item_id>/slots/<int:slot_id>/wait", methods=["POST"])
@requires(Permission.CATALOGUE_USE)
def wait(item_id: int, slot_id: int) -> Response:
    with reading():
        item, found, person, _channel = _asked(item_id, slot_id)
        form = BookForm()
    if form.carries_out(lambda: _join(item, found, person)):
        return web.go(".appointments_mine")
    return _slot_page(item, found, person, form)


@bp.route("/appointments")
@requires(Permission.CATALOGUE_USE)
def appointments_mine() -> Response:
    page, whom = min(max(web.number_asked("page", 1), 1), 1000), _whom()
    found, waits = appointments.of_account(whom, page=page), lines.waits_of(whom)
    return web.page("catalogue/resident/appointments_mine.html", found=found, waits=waits, page=page, at=now())


@bp.route("/appointments/<public_id>")
@requires(Permission.CATALOGUE_USE)
def appointment(public_id: str) -> Response:
    found, at = appointments.for_account(current_actor(), public_id), now()
    return web.page(
        "catalogue/resident/appointment.html",
        appointment=found,
        qr=_qr(found),
        at=at,
        deadline=changing.deadline(found),
        late=changing.is_late(found, at),
        mine=found.channel is Channel.SELF or found.placed_by == current_actor().public_id,
        papers=papers.papers_of(found),
    )


@bp.route("/appointments/<public_id>/move", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def appointment_move(public_id: str) -> Response:
    found, form = appointments.for_account(current_actor(), public_id), PlainForm()
    if form.carries_out(lambda: _move(found)):
        return web.go(".appointment", public_id=public_id)
    days = offering.days_of(found.item_id)
    day = offering.chosen_day(days, request.args.get("day"))
    slots = offering.slots(found.item, day) if day else []
    return web.page(
        "catalogue/resident/appointment_move.html",
        status=form.status,
        appointment=found,
        form=form,
        weeks=offering.weeks(days),
        day=day,
        slots=slots,
        chosen=next((slot for slot in slots if slot.id == web.number_asked("slot") and slot.left > 0), None),
        late=changing.is_late(found, now()),
    )


@bp.route("/appointments/<public_id>/cancel", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def appointment_cancel(public_id: str) -> Response:
    found, form, at = appointments.for_account(current_actor(), public_id), CancelAppointmentForm(), now()
    if form.carries_out(lambda: changing.cancel(found, by=current_actor(), reason=form.text("reason"))):
        flash(_("已取消，名额会让给别人。"), "ok")
        return web.go(".appointment", public_id=public_id)
    late = changing.is_late(found, at)
    return web.page(
        "catalogue/resident/appointment_cancel.html",
        status=form.status,
        appointment=found,
        form=form,
        late=late,
        open=found.can_be_cancelled(at),
    )


@bp.route("/appointments/<public_id>/rate", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def appointment_rate(public_id: str) -> Response:
    found = appointments.for_account(current_actor(), public_id)
    form = RateForm(data={"rating": found.rating, "words": found.rating_words})
    if form.carries_out(lambda: rating.rate(found, form.chosen(), words=form.text("words").strip())):
        flash(_("谢谢您的评价。"), "ok")
        return web.go(".appointment", public_id=public_id)
    open_still = rating.may_be_rated(found, now())
    return web.page(
        "catalogue/resident/appointment_rate.html", status=form.status, appointment=found, form=form, open=open_still
    )


@bp.route("/appointments/<public_id>/calendar")
@requires(Permission.CATALOGUE_USE)
def appointment_calendar(public_id: str) -> Response:
    found = appointments.for_account(current_actor(), public_id)
    text = calendar_file.calendar_text(found, address=web.absolute(".appointment", public_id=public_id))
    name = f"{found.item.title} {found.day:%Y-%m-%d}.ics"
    return web.download(text.encode(), name, "text/calendar")


@bp.route("/waiting/<public_id>")
@requires(Permission.CATALOGUE_USE)
def waiting(public_id: str) -> Response:
    return _waiting_page(lines.waits_for(_whom(), public_id), PlainForm())


@bp.route("/waiting/<public_id>/take", methods=["POST"])
@requires(Permission.CATALOGUE_USE)
def waiting_take(public_id: str) -> Response:
    waits, form = lines.waits_for(_whom(), public_id), PlainForm()
    if form.validate_on_submit():
        try:
            return web.go(".appointment", public_id=_take(waits).public_id)
        except Refused as refused:
            form.refuse(refused)
    return _waiting_page(waits, form)


@bp.route("/waiting/<public_id>/leave", methods=["POST"])
@requires(Permission.CATALOGUE_USE)
def waiting_leave(public_id: str) -> Response:
    waits, form = lines.waits_for(_whom(), public_id), PlainForm()
    if form.carries_out(lambda: lines.leave(waits)):
        flash(_("已退出候补。"), "ok")
        return web.go(".appointments_mine")
    return _waiting_page(waits, form)


def _whom() -> list[Person]:
    return people.people_for(current_actor(), appointments.BOOK)


def _one_of(whom: Sequence[Person]) -> Person | None:
    """Who is named in the address, of all the account may act for; else the first of them."""
    named = request.args.get("person")
    if not named:
        return whom[0] if whom else None
    person = next((person for person in whom if person.public_id == named), None)
    if person is None:
        raise Missing
    return person


def _asked(item_id: int, slot_id: int) -> tuple[Item, Slot, Person, Channel]:
    """The item and the slot, and for whom: mostly for herself, which is asked first."""
    item, found = offering.asked(item_id, slot_id)
    me, named = people.person_of_or_none(current_actor(), lean=True), request.args.get("person")
    if me and named in {None, "", me.public_id}:
        return item, found, me, Channel.SELF
    person = _one_of(people.people_for(current_actor(), appointments.BOOK, me=me))
    return item, found, person or people.person_of(current_actor()), Channel.AGENT


def _book(item: Item, found: Slot, person: Person, channel: Channel, form: BookForm) -> Appointment:
    offering.check_for(item, person)
    tokens.throttle_done("catalogue.book", current_actor().public_id, limit=10, per=timedelta(minutes=1))
    idem, note = form.text("idem"), form.text("note").strip()
    made = booking.book(found, item, person, by=current_actor(), channel=channel, note=note, idem=idem)
    flash(_("约好了。到时候出示二维码或报预约码。"), "ok")
    return made


def _join(item: Item, found: Slot, person: Person) -> None:
    offering.check_for(item, person)
    tokens.throttle_done("catalogue.book", current_actor().public_id, limit=10, per=timedelta(minutes=1))
    lines.join(found, item, person, by=current_actor())
    flash(_("排上了。有名额时会通知您，请留意消息。"), "ok")


def _move(found: Appointment) -> None:
    _item, chosen = offering.asked(found.item_id, web.number_asked("slot"))
    changing.reschedule(found, chosen, by=current_actor())
    flash(_("改好了，预约码不变。"), "ok")


def _take(waits: lines.Waits) -> Appointment:
    own = people.person_of_or_none(current_actor(), lean=True) == people.resolved(waits.waiting.person)
    made = lines.take(waits, by=current_actor(), channel=Channel.SELF if own else Channel.AGENT)
    flash(_("约好了。到时候出示二维码或报预约码。"), "ok")
    return made


def _slot_page(item: Item, found: Slot, person: Person, form: BookForm) -> Response:
    with reading():
        return web.page(
            "catalogue/resident/slot.html",
            status=form.status,
            item=item,
            slot=found,
            person=person,
            form=form,
            fits=offering.is_for(item, person),
            bookable=found.is_bookable(now()),
            waits=lines.waits_in(found, person),
            in_line=lines.length(found),
            coming=found.starts_at > now(),
        )


def _waiting_page(waits: lines.Waits, form: PlainForm) -> Response:
    mine = appointments.standing(waits.waiting.person, waits.slot)
    return web.page("catalogue/resident/waiting.html", status=form.status, waits=waits, form=form, at=now(), mine=mine)


def _qr(found: Appointment) -> Markup:
    """The picture of the signed address at which a worker checks her in."""
    address = web.absolute("catalogue.worker.check_in", code=checking_in.token(found))
    return files.qr_svg(address, title=_("预约二维码"))
