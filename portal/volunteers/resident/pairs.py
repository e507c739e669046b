"""Resident pages: asking one's partner to come along, and answering a partner."""

from datetime import timedelta
from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import tokens, web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.db import undo
from portal.core.errors import Missing, Refused
from portal.identity.permissions import Permission
from portal.volunteers.forms.pair_asks import PairAskForm
from portal.volunteers.forms.signups import AgreeForm, DeclineForm
from portal.volunteers.models.codes import SignupState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.signups import PairAsk
from portal.volunteers.resident.blueprint import bp
from portal.volunteers.resident.signups import answer
from portal.volunteers.service import activities, lines, pair_asking, pairs, people, signups

USE = Permission.VOLUNTEERS_USE


@bp.route("/posts/<int:post_id>/pair", methods=["GET", "POST"])
@requires(USE)
def pair_new(post_id: int) -> Response:
    post, me = signups.post(post_id), people.me(current_actor())
    others = pairs.others_of(me)
    if not others:
        raise Missing
    form = PairAskForm.of(others)

    def act() -> None:
        tokens.throttle_done("volunteers.pair", current_actor().public_id, limit=20, per=timedelta(hours=1))
        pair_asking.ask(post, me, form.chosen(others), by=current_actor(), words=form.text("words"))

    if form.carries_out(act):
        flash(_("约出去了。对方答应以后两个人一起报上；答应以前不占名额。"), "ok")
        return web.go(".my_shifts")
    facts: dict[str, Any] = {"post": post, "form": form, "others": others, "activity": post.shift.activity}
    verdicts = [pair_asking.verdict_for(post, me, other) for other, _always in others]
    facts["verdict"] = next((one for one in verdicts if one.fits), verdicts[0])
    return web.page("volunteers/resident/pair_new.html", status=form.status, **facts)


@bp.route("/pairs/<public_id>", methods=["GET", "POST"])
@requires(USE)
def pair_ask(public_id: str) -> Response:
    whom = signups.whom(current_actor())
    found, form = pair_asking.ask_for(whom, public_id), AgreeForm()
    if form.validate_on_submit():
        try:
            return _accepted(found, whom)
        except Refused as refused:
            # Else the page would tell of the yes that is not to be.
            undo()
            form.refuse(refused)
    return _pair_page(found, form, whom)


def _accepted(found: PairAsk, whom: list[Volunteer]) -> Response:
    if found.other_id not in {one.id for one in whom}:
        raise Missing
    on_it = pair_asking.accept(found, by=current_actor())
    joined = _together_words(found, _("报上了，两个人一起去。"))
    flash(joined if on_it else _("名额不够两个人，一起排上了候补。空出来会通知您们。"), "ok")
    return web.go(".my_shifts")


def _together_words(found: PairAsk, joined: str) -> str:
    """Where the activity asks for a yes, both have only asked."""
    asks = lines.entry_state(found.post) is SignupState.REQUESTED
    return _("两个人的申请一起提交了，等社区或领队确认。") if asks else joined


def _pair_page(found: PairAsk, form: AgreeForm, whom: list[Volunteer]) -> Response:
    activity, waiting = found.post.shift.activity, pair_asking.is_waiting(found)
    open_still = found.state == "asked" and found.answer_by > now()
    asker = found.asker_id in {one.id for one in whom}
    facts: dict[str, Any] = {"found": found, "activity": activity, "organiser": activities.organiser_name(activity)}
    facts |= {"open": open_still, "asker": asker, "waiting": waiting, "form": form}
    facts["offer"] = pair_asking.offer_of(found)
    facts["verdict"] = pair_asking.verdict_for(found.post, found.other, found.asker) if open_still else None
    return web.page("volunteers/resident/pair_ask.html", status=form.status, **facts)


@bp.route("/pairs/<public_id>/decline", methods=["GET", "POST"])
@requires(USE)
def pair_decline(public_id: str) -> Response:
    whom = signups.whom(current_actor())
    found, form = pair_asking.ask_for(whom, public_id), DeclineForm()
    if found.other_id not in {one.id for one in whom}:
        raise Missing
    if form.carries_out(lambda: pair_asking.decline(found, reason=form.text("reason"))):
        flash(_("已回复，谢谢您告诉我们。"), "ok")
        return web.go(".my_shifts")
    return web.page("volunteers/resident/pair_decline.html", status=form.status, form=form, found=found)


@bp.route("/pairs/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def pair_withdraw(public_id: str) -> Response:
    """The asker before the answer; either of the two once both wait in the line, also when places are kept for them."""
    whom = signups.whom(current_actor())
    found = pair_asking.ask_for(whom, public_id)
    if found.asker_id not in {one.id for one in whom} and not pair_asking.is_waiting(found):
        raise Missing
    return answer(lambda: pair_asking.withdraw(found, by=current_actor()), _("已收回。"), ".my_shifts")


@bp.route("/pairs/<public_id>/take", methods=["POST"])
@requires(USE)
def pair_take(public_id: str) -> Response:
    """The places kept for both, taken by either."""
    found = pair_asking.ask_for(signups.whom(current_actor()), public_id)
    words = _together_words(found, _("好的，两个人一起去，到时候见。"))
    return answer(lambda: pair_asking.take(found, by=current_actor()), words, ".my_shifts")
