"""Resident pages: swaps, places offered from a line, invitations."""

from datetime import timedelta
from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import tokens, web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.db import undo
from portal.core.errors import Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.signups import AgreeForm, DeclineForm, PlainForm, SwapForm
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import Swap
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.resident.signups import answer
from portal.volunteers.service import activities, inviting, lines, people, signups, swapping

USE = Permission.VOLUNTEERS_USE


@bp.route("/signups/<public_id>/swap", methods=["GET", "POST"])
@requires(USE)
def swap_new(public_id: str) -> Response:
    found = signups.signup_for(_whom(), public_id)
    partners = swapping.partners(found)
    form = SwapForm.of(partners)

    def act() -> None:
        tokens.throttle_done("volunteers.swap", current_actor().public_id, limit=20, per=timedelta(hours=1))
        to, against = form.chosen(partners)
        swapping.ask(found, by=current_actor(), to=to, against=against, words=form.text("words"))

    if form.carries_out(act):
        flash(_("发出去了。有人接之前，您还在这一班上。"), "ok")
        return web.go(".signup", public_id=public_id)
    facts: dict[str, Any] = {"signup": found, "open": swapping.may_swap(found, now())}
    return web.page("volunteers/resident/swap_new.html", status=form.status, form=form, **facts)


@bp.route("/swaps/<public_id>", methods=["GET", "POST"])
@requires(USE)
def swap(public_id: str) -> Response:
    whom = _whom()
    found, form = swapping.swap_for(whom, public_id), AgreeForm()
    if form.validate_on_submit():
        try:
            return web.go(".signup", public_id=_taken(found).public_id)
        except Refused as refused:
            # Else the page would tell of the exchange that is not to be.
            undo()
            form.refuse(refused)
    asker = found.signup.volunteer_id in [one.id for one in whom]
    me = None if asker else _taker(found, whom)
    return web.page(
        "volunteers/resident/swap.html",
        status=form.status,
        form=form,
        swap=found,
        asker=asker,
        verdict=swapping.verdict_of(found, me) if me and found.state == "asked" else None,
        activity=found.signup.shift.activity,
        at=now(),
    )


@bp.route("/swaps/<public_id>/decline", methods=["POST"])
@requires(USE)
def swap_decline(public_id: str) -> Response:
    found = swapping.swap_for(_whom(), public_id)
    words = _("已告诉对方您不方便。")
    return answer(lambda: swapping.decline(found, _asked(found)), words, ".my_shifts")


@bp.route("/swaps/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def swap_withdraw(public_id: str) -> Response:
    found = swapping.swap_for(_whom(), public_id)
    mine = signups.signup_for(_whom(), found.signup.public_id)
    words = _("已收回，您还在这一班上。")
    act = lambda: swapping.withdraw(found, by=current_actor())  # noqa: E731
    return answer(act, words, ".signup", public_id=mine.public_id)


@bp.route("/waiting/<public_id>", methods=["GET", "POST"])
@requires(USE)
def line(public_id: str) -> Response:
    waits, form = lines.waits_for(_whom(), public_id), PlainForm()
    if form.validate_on_submit():
        try:
            return web.go(".signup", public_id=lines.take(waits, by=current_actor()).public_id)
        except Refused as refused:
            form.refuse(refused)
    facts: dict[str, Any] = {"waits": waits, "at": now(), "by_itself": lines.by_itself(waits.post, now())}
    return web.page("volunteers/resident/line.html", status=form.status, form=form, **facts)


@bp.route("/waiting/<public_id>/leave", methods=["POST"])
@requires(USE)
def line_leave(public_id: str) -> Response:
    waits = lines.waits_for(_whom(), public_id)
    return answer(lambda: lines.leave(waits), _("已退出候补。"), ".my_shifts")


@bp.route("/invitations/<public_id>", methods=["GET", "POST"])
@requires(USE)
def invitation(public_id: str) -> Response:
    found, form = inviting.invitation_for(_whom(), public_id), AgreeForm()
    if form.validate_on_submit():
        try:
            made = inviting.accept(found, by=current_actor())
            flash(_("已接受邀请，到时候见。"), "ok")
            return web.go(".signup", public_id=made.public_id)
        except Refused as refused:
            undo()
            form.refuse(refused)
    activity = found.post.shift.activity
    facts: dict[str, Any] = {
        "invitation": found,
        "activity": activity,
        "organiser": activities.organiser_name(activity),
    }
    open_still = found.state == "asked" and found.answer_by > now()
    facts |= {"open": open_still, "verdict": inviting.verdict_of(found) if open_still else None}
    return web.page("volunteers/resident/invitation.html", status=form.status, form=form, **facts)


@bp.route("/invitations/<public_id>/decline", methods=["GET", "POST"])
@requires(USE)
def invitation_decline(public_id: str) -> Response:
    found, form = inviting.invitation_for(_whom(), public_id), DeclineForm()
    if form.carries_out(lambda: inviting.decline(found, reason=form.text("reason"))):
        flash(_("已回复，谢谢您告诉我们。"), "ok")
        return web.go(".my_shifts")
    return web.page("volunteers/resident/invitation_decline.html", status=form.status, form=form, invitation=found)


def _whom() -> list[Volunteer]:
    return signups.whom(current_actor())


def _asked(found: Swap) -> Volunteer:
    """Whom the swap is asked of: the account's own volunteer, or one it looks after."""
    return next((one for one in _whom() if one.id == found.to_id), None) or people.me(current_actor())


def _taker(found: Swap, whom: list[Volunteer]) -> Volunteer | None:
    return next((one for one in whom if one.id == found.to_id), None) or people.me_or_none(current_actor())


def _taken(found: Swap) -> Any:
    made = swapping.take(found, _asked(found), by=current_actor())
    flash(_("换好了，这一班现在是您的。"), "ok")
    return made
