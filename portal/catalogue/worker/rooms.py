"""Worker pages of rooms: the board, confirming and refusing, marks and reasons."""

from datetime import date, timedelta
from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _

from portal.catalogue.forms.rooms import CodeForm, ReasonForm
from portal.catalogue.service.rooms import booking, finding, history
from portal.catalogue.worker.blueprint import bp
from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now, today
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission

SERVE = Permission.CATALOGUE_SERVE
# What a worker does with a booking, each with a reason.
ACTS = {
    "refuse": booking.refuse,
    "call-off": booking.call_off,
    "no-show": booking.mark_no_show,
    "put-right": booking.put_right,
}


@bp.route("/rooms")
@requires(SERVE)
def room_board() -> Response:
    view, first = _asked()
    facts = _board(view, first)
    return web.page("catalogue/worker/room_board.html", counts=history.counts(scopes(SERVE)), form=CodeForm(), **facts)


@bp.route("/rooms/print", methods=["POST"])
@requires(SERVE)
def room_board_print() -> Response:
    """The board on paper; that it was printed is kept, for it holds names."""
    view, first = _asked(request.form)
    audit.record("rooms.board_printed", None, view=view, day=first.isoformat())
    return web.page("catalogue/worker/room_board_print.html", at=now(), **_board(view, first))


def _asked(said: Any = None) -> tuple[str, date]:
    """Day or week, and its first day."""
    asked = said or request.args
    view = "week" if asked.get("view") == "week" else "day"
    try:
        day = date.fromisoformat(asked.get("day", ""))
    except ValueError:
        day = today()
    return view, day - timedelta(days=day.weekday()) if view == "week" else day


def _board(view: str, first: date) -> dict[str, Any]:
    days = 7 if view == "week" else 1
    rooms, entries = finding.board(scopes(SERVE), first, days)
    return {
        "span": view,
        "first": first,
        "days": [first + timedelta(days=turn) for turn in range(days)],
        "rooms": rooms,
        "entries": entries,
        "before": first - timedelta(days=days),
        "after": first + timedelta(days=days),
        "today": today(),
    }


@bp.route("/rooms/bookings")
@requires(SERVE)
def room_bookings() -> Response:
    within, page = scopes(SERVE), min(max(web.number_asked("page", 1), 1), 500)
    asked = request.args.get("tab", "")
    tab = asked if asked in history.TABS else "requested"
    found = history.bookings_in(within, tab, page=page)
    facts: dict[str, Any] = {
        "tab": tab,
        "page": page,
        "more": len(found) > history.PAGE,
        "counts": history.counts(within),
    }
    return web.page("catalogue/worker/room_bookings.html", bookings=found[: history.PAGE], **facts)


@bp.route("/rooms/code", methods=["GET", "POST"])
@requires(SERVE)
def room_code() -> Response:
    """The code that somebody says at the door, or the address that a scanner read."""
    form = CodeForm()
    if form.validate_on_submit():
        code = history.code_of(form.text("code"))
        if code and history.known_in(scopes(SERVE), code):
            return web.go(".room_booking", public_id=code)
        form.refuse(Refused(_("没有找到这个预约码，请核对后再填；别的社区的预约在这里看不到。"), field="code"))
    return web.page("catalogue/worker/room_code.html", form=form, status=form.status)


@bp.route("/rooms/bookings/<public_id>")
@requires(SERVE)
def room_booking(public_id: str) -> Response:
    found = history.booking_in(scopes(SERVE), public_id)
    weekly = history.in_series(found) if found.series_id else []
    begun = booking.has_begun(found, now())
    return web.page("catalogue/worker/room_booking.html", booking=found, weekly=weekly, begun=begun, at=now())


@bp.route("/rooms/bookings/<public_id>/confirm", methods=["POST"])
@requires(SERVE)
def room_confirm(public_id: str) -> Response:
    found = history.booking_in(scopes(SERVE), public_id)
    try:
        booking.confirm(found, by=current_actor())
        flash(_("已确认，通知已发给预约的人。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".room_booking", public_id=public_id)


@bp.route("/rooms/bookings/<public_id>/used", methods=["POST"])
@requires(SERVE)
def room_used(public_id: str) -> Response:
    found = history.booking_in(scopes(SERVE), public_id)
    try:
        booking.mark_used(found, by=current_actor())
        flash(_("登记好了：已使用。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".room_booking", public_id=public_id)


@bp.route("/rooms/bookings/<public_id>/<act>", methods=["GET", "POST"])
@requires(SERVE)
def room_act(public_id: str, act: str) -> Response:
    """What needs a reason: refusing, calling off, a no-show, and putting a mistaken no-show right."""
    found, form, by = history.booking_in(scopes(SERVE), public_id), ReasonForm(), current_actor()
    if act not in ACTS:
        raise Missing
    if form.carries_out(lambda: ACTS[act](found, form.text("reason"), by=by)):
        flash(_("登记好了。"), "ok")
        return web.go(".room_booking", public_id=public_id)
    return web.page("catalogue/worker/room_act.html", booking=found, act=act, form=form, status=form.status)
