"""Resident pages: whether I am on the roll of a vote, and asking to have it put right; the rules everybody reads."""

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import Scope, current_actor, public, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.deliberation.forms.rules import AskCorrectionForm
from portal.deliberation.models.votes import RollCorrection, Vote
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import reach, roll_corrections, roll_showing, rules, votes
from portal.identity.permissions import Permission
from portal.registry.models import Person
from portal.registry.service import people

USE = Permission.DELIBERATION_USE
EVERYWHERE = (Scope("all", ""),)


@bp.route("/rules")
@public
def rule_public() -> Response:
    return web.page("deliberation/resident/rule_public.html", rules=rules.rules(EVERYWHERE))


@bp.route("/votes/<int:vote_id>/roll")
@requires(USE)
def roll_mine(vote_id: int) -> Response:
    vote, person = votes.shown(vote_id), reach.person_of(current_actor())
    mine = roll_showing.mine(vote, person, now())
    return web.page("deliberation/resident/roll_mine.html", vote=vote, person=person, mine=mine)


@bp.route("/votes/<int:vote_id>/roll/ask", methods=["GET", "POST"])
@requires(USE)
def roll_ask(vote_id: int) -> Response:
    vote, form = votes.shown(vote_id), AskCorrectionForm()
    person = people.person_of_or_none(current_actor())
    if form.carries_out(lambda: _asked(vote, form)):
        flash(_("已提交。社区会在开始投票以前答复您，消息里能看到。"), "ok")
        return web.go(".roll_mine", vote_id=vote_id)
    may = person is not None and roll_showing.mine(vote, person, now()).may_ask
    return web.page("deliberation/resident/roll_ask.html", vote=vote, form=form, may=may, status=form.status)


def _asked(vote: Vote, form: AskCorrectionForm) -> RollCorrection:
    return roll_corrections.ask(vote, _me(), form.text("words"))


def _me() -> Person:
    return people.person_of(current_actor())


@bp.route("/votes/<int:vote_id>/roll/corrections/<public_id>/withdraw", methods=["POST"])
@requires(USE)
def roll_withdraw(vote_id: int, public_id: str) -> Response:
    vote = votes.shown(vote_id)
    try:
        roll_corrections.withdraw(roll_corrections.one_of(vote, public_id, person=_me()))
        flash(_("已撤回。"), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".roll_mine", vote_id=vote_id)
