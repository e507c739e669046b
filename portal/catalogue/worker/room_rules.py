"""Worker pages that change what a room offers: its rules, blockings, a weekly series, booking for somebody."""

from collections.abc import Sequence
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.rooms import BlockForm, SeriesForm, counter_form, rule_form
from portal.catalogue.forms.seeking import SeekForm
from portal.catalogue.models.rooms import RoomRule
from portal.catalogue.service.rooms import blocks, booking, history, rules, series, words
from portal.catalogue.worker.blueprint import bp
from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import today
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.registry.models import Organisation, Person
from portal.registry.service import people

SERVE, KEEP = Permission.CATALOGUE_SERVE, Permission.CATALOGUE_KEEP


@bp.route("/rooms/rules")
@requires(KEEP)
def room_rules() -> Response:
    within = scopes(KEEP)
    return web.page("catalogue/worker/room_rules.html", held=rules.rules_in(within), bare=rules.rooms_without(within))


@bp.route("/rooms/<int:room_id>/rules", methods=["GET", "POST"])
@requires(KEEP)
def room_rule(room_id: int) -> Response:
    room, rule = rules.rule_or_none(scopes(KEEP), room_id)
    form = rule_form(rule)
    if form.carries_out(lambda: rules.set_rule(room, form.facts(), by=current_actor())):
        flash(_("规则存好了，新的预约按它办；已经约好的不变。"), "ok")
        return web.go(".room_rules")
    return web.page("catalogue/worker/room_rule.html", room=room, rule=rule, form=form, status=form.status)


@bp.route("/rooms/<int:room_id>")
@requires(SERVE)
def room(room_id: int) -> Response:
    rule = rules.rule_in(scopes(SERVE), room_id)
    return web.page("catalogue/worker/room.html", rule=rule, blocks=blocks.blocks_of(rule), today=today())


@bp.route("/rooms/<int:room_id>/block", methods=["GET", "POST"])
@requires(SERVE)
def room_block(room_id: int) -> Response:
    rule, form, by = rules.rule_in(scopes(SERVE), room_id), BlockForm(), current_actor()
    if form.carries_out(
        lambda: blocks.block(rule, *form.times(), form.text("reason"), by=by, clear=bool(form.clear.data))
    ):
        flash(_("停用登记好了，这段时间没有人能约。"), "ok")
        return web.go(".room", room_id=room_id)
    return web.page("catalogue/worker/room_block.html", rule=rule, form=form, status=form.status)


@bp.route("/rooms/blocks/<int:block_id>/lift", methods=["POST"])
@requires(SERVE)
def room_block_lift(block_id: int) -> Response:
    found = blocks.block_in(scopes(SERVE), block_id)
    try:
        blocks.lift(found, by=current_actor())
        flash(_("停用取消了，可以重新预约。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".room", room_id=found.room_id)


@bp.route("/rooms/<int:room_id>/who", methods=["GET", "POST"])
@requires(SERVE)
def room_who(room_id: int) -> Response:
    """For whom: a resident is found first, whose name is then on the booking."""
    rule, form, found = rules.rule_in(scopes(SERVE), room_id), SeekForm(), None
    if form.validate_on_submit():
        found, kind = people.find(form.words(), scopes(SERVE)), people.kind_of_query(form.words())
        audit.record("rooms.person_sought", None, by=kind, found=len(found))
        form.forget(kind)
    return web.page("catalogue/worker/room_who.html", rule=rule, form=form, found=found, status=form.status)


@bp.route("/rooms/<int:room_id>/book", methods=["GET", "POST"])
@requires(SERVE)
def room_book(room_id: int) -> Response:
    rule, person = rules.rule_in(scopes(SERVE), room_id), _person()
    bodies = history.organisations_in(rule.room.facility.community)
    form = counter_form(rule, person, bodies, request.args)
    if form.validate_on_submit():
        try:
            made = booking.book(rule, form.wish(person, bodies), by=current_actor(), idem=form.idem.data or "")
            flash(_("约好了，预约码 %(code)s。", code=made.code), "ok")
            return web.go(".room_booking", public_id=made.public_id)
        except Refused as refused:
            form.refuse(refused)
    return web.page("catalogue/worker/room_book.html", rule=rule, person=person, form=form, status=form.status)


def _person() -> Person | None:
    named = request.args.get("person")
    return people.person_in(scopes(SERVE), named) if named else None


@bp.route("/rooms/<int:room_id>/series", methods=["GET", "POST"])
@requires(SERVE)
def room_series(room_id: int) -> Response:
    rule = rules.rule_in(scopes(SERVE), room_id)
    bodies, dates = history.organisations_in(rule.room.facility.community), list[Any]()
    form = SeriesForm(data={"first_day": today()})
    form.offer(rule, bodies)
    if form.validate_on_submit():
        try:
            return _series_made(rule, form, bodies)
        except Refused as refused:
            form.refuse(refused)
            dates = _dates(rule, form, bodies)
    return web.page("catalogue/worker/room_series.html", rule=rule, form=form, dates=dates, status=form.status)


def _series_made(rule: RoomRule, form: SeriesForm, bodies: Sequence[Organisation]) -> Response:
    skip, idem = bool(form.skip.data), form.idem.data or ""
    booked = series.make(rule, form.weekly(bodies), by=current_actor(), skip=skip, idem=idem)
    flash(_("排好了 %(count)d 次，每一次都可以单独取消。", count=len(booked)), "ok")
    return web.go(".room_board", view="week", day=words.local_day(booked[0].starts_at).isoformat() if booked else None)


def _dates(rule: RoomRule, form: SeriesForm, bodies: Sequence[Organisation]) -> list[Any]:
    """The dates with what stands in their way, as far as they make sense."""
    try:
        return list(series.look(rule, form.weekly(bodies)))
    except Refused:
        return []
