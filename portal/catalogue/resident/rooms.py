"""Resident pages of rooms: what is free at a time, a room and its day, booking, seeing and cancelling."""

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _
from markupsafe import Markup

from portal.catalogue.forms.rooms import BookForm, CancelForm, MoveForm, book_form, find_form
from portal.catalogue.models.rooms import RoomBooking, RoomRule
from portal.catalogue.resident.blueprint import bp
from portal.catalogue.service import calendar_file
from portal.catalogue.service.rooms import blocks, booking, finding, history, rules, words
from portal.core import files, tokens, web
from portal.core.access import actor_or_none, current_actor, public, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

bp.add_app_template_filter(words.said, "room_said")
bp.add_app_template_filter(words.tint, "room_tint")
bp.add_app_template_filter(words.when, "room_when")
bp.add_app_template_filter(words.whom, "room_whom")
bp.add_app_template_filter(words.place, "room_place")
bp.add_app_template_filter(words.rule_lines, "room_rules")
bp.add_app_template_filter(words.duration, "minutes_words")
bp.add_app_template_filter(words.local_day, "room_day")
bp.add_app_template_global(words.span_words, "span_words")


def _offered() -> list[RoomRule]:
    """The rooms of the reader's community, or of all communities for who is nobody known."""
    actor = actor_or_none()
    whom = people.people_for(actor, history.ACT) if actor else []
    return rules.bookable({person.community_id for person in whom})


@bp.route("/rooms")
@public
def rooms() -> Response:
    offered = _offered()
    form = find_form(request.args, offered)
    found = None
    if form.is_asked():
        found = finding.answers(offered, form.starts_at(), form.ends_at(), form.headcount.data or 1)
    return web.page("catalogue/resident/rooms.html", offered=offered, form=form, found=found)


@bp.route("/rooms/<int:room_id>")
@public
def room(room_id: int) -> Response:
    rule = rules.rule_on_offer(room_id)
    days = finding.days_of(rule)
    day = _day(days)
    hours = finding.grid(rule, day) if day else []
    facts: dict[str, Any] = {"hours": hours, "stretches": finding.stretches(hours), "blocks": blocks.blocks_of(rule)}
    return web.page("catalogue/resident/room.html", rule=rule, days=days, day=day, **facts)


def _day(days: list[date]) -> date | None:
    asked = next((day for day in days if day.isoformat() == request.args.get("day")), None)
    return asked or (days[0] if days else None)


@bp.route("/rooms/<int:room_id>/book", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def room_book(room_id: int) -> Response:
    actor, rule = current_actor(), rules.rule_on_offer(room_id)
    me, bodies = people.person_of_or_none(actor, lean=True), history.organisations_of(actor)
    whom = people.people_for(actor, history.ACT, me=me)
    form = book_form(rule, whom, bodies, request.args)
    if form.validate_on_submit():
        try:
            tokens.throttle_done("catalogue.book", actor.public_id, limit=10, per=timedelta(minutes=1))
            return _booked(booking.book(rule, form.wish(whom, bodies, me), by=actor, idem=form.idem.data or ""))
        except Refused as refused:
            form.refuse(refused)
    return _booking(rule, form, whom)


def _booked(made: RoomBooking) -> Response:
    waits = made.state.value == "requested"
    flash(_("收到了，等工作人员确认，结果会通知您。") if waits else _("约好了。到时出示二维码或报预约码。"), "ok")
    return web.go(".room_booking", public_id=made.public_id)


def _booking(rule: RoomRule, form: BookForm, whom: list[Person]) -> Response:
    return web.page("catalogue/resident/room_book.html", rule=rule, form=form, whom=whom, status=form.status)


@bp.route("/rooms/bookings")
@requires(Permission.CATALOGUE_USE)
def room_bookings() -> Response:
    return web.page("catalogue/resident/room_bookings.html", found=history.bookings_for(current_actor()))


@bp.route("/rooms/bookings/<public_id>")
@requires(Permission.CATALOGUE_USE)
def room_booking(public_id: str) -> Response:
    found = history.booking_for(current_actor(), public_id)
    rule = history.rule_of(found)
    facts: dict[str, Any] = {"rule": rule, "qr": _qr(found), "open": booking.can_cancel(found, rule, now())}
    return web.page("catalogue/resident/room_booking.html", booking=found, **facts)


@bp.route("/rooms/bookings/<public_id>/calendar")
@requires(Permission.CATALOGUE_USE)
def room_calendar(public_id: str) -> Response:
    found = history.booking_for(current_actor(), public_id)
    address = web.absolute(".room_booking", public_id=public_id)
    text = calendar_file.event_text(words.event(found, address), address=address)
    return web.download(text.encode(), f"{found.room.name}.ics", "text/calendar")


@bp.route("/rooms/bookings/<public_id>/move", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def room_move(public_id: str) -> Response:
    found = history.booking_for(current_actor(), public_id)
    rule = history.rule_of(found)
    form = MoveForm.of(found, rule)
    if form.carries_out(lambda: booking.reschedule(found, rule, form.wish(found), by=current_actor())):
        waits = found.state.value == "requested"
        flash(_("收到了，等工作人员确认，结果会通知您。") if waits else _("时间改好了，预约码不变。"), "ok")
        return web.go(".room_booking", public_id=public_id)
    facts: dict[str, Any] = {"rule": rule, "open": booking.can_cancel(found, rule, now())}
    return web.page("catalogue/resident/room_move.html", booking=found, form=form, status=form.status, **facts)


@bp.route("/rooms/bookings/<public_id>/cancel", methods=["GET", "POST"])
@requires(Permission.CATALOGUE_USE)
def room_cancel(public_id: str) -> Response:
    found, form = history.booking_for(current_actor(), public_id), CancelForm()
    rule = history.rule_of(found)
    if form.carries_out(lambda: booking.cancel(found, rule, by=current_actor(), reason=form.text("reason"))):
        flash(_("已取消，房间让出来了。"), "ok")
        return web.go(".room_booking", public_id=public_id)
    open_still = booking.can_cancel(found, rule, now())
    return web.page(
        "catalogue/resident/room_cancel.html", booking=found, form=form, open=open_still, status=form.status
    )


def _qr(found: RoomBooking) -> Markup:
    """The picture of the address where a worker of the community opens the booking."""
    address = web.absolute("catalogue.worker.room_booking", public_id=found.code)
    return files.qr_svg(address, title=_("预约二维码"))
