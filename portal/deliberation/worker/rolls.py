"""Worker pages: the roll of a vote, made, published, put right and printed before the vote opens."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import audit, web
from portal.core.access import current_actor, requires, scopes
from portal.core.clock import now
from portal.core.errors import Refused
from portal.deliberation.forms.rules import (
    AddEntryForm,
    AnswerCorrectionForm,
    PublishRollForm,
    SeekEntryForm,
    WhyForm,
)
from portal.deliberation.models.votes import RollCorrection, Vote
from portal.deliberation.service import roll_corrections, roll_showing, rolls, votes
from portal.deliberation.worker.blueprint import bp
from portal.identity.permissions import Permission

VOTES = Permission.DELIBERATION_VOTES


def _kept(vote_id: int) -> Vote:
    return votes.kept(vote_id, within=scopes(VOTES))


@bp.route("/votes/<int:vote_id>/roll", methods=["GET", "POST"])
@requires(VOTES)
def roll_page(vote_id: int) -> Response:
    """A name that is sought is posted: an address holds none. Who does not keep the vote reads no correction."""
    vote, form, within = votes.vote(vote_id, within=scopes(VOTES)), SeekEntryForm(), scopes(VOTES)
    page = min(max(web.number_asked("page", 1), 1), 1000)
    keeps, named = roll_showing.keeps(vote, within), roll_showing.reads_names(vote, within)
    shown = roll_showing.desk(vote, words=form.text("q"), page=page, asked=keeps, named=named)
    facts: dict[str, Any] = {"shown": shown, "page": page, "keeps": keeps, "named": named}
    return web.page("deliberation/worker/roll_page.html", vote=vote, form=form, **facts)


@bp.route("/votes/<int:vote_id>/roll/build", methods=["POST"])
@requires(VOTES)
def roll_build(vote_id: int) -> Response:
    vote = _kept(vote_id)
    try:
        count = rolls.build(vote, by=current_actor())
        flash(_("名册已按现在的登记生成，共 %(count)d 票。", count=count), "ok")
    except Refused as refused:
        web.turn_down(refused)
    return web.go(".roll_page", vote_id=vote_id)


@bp.route("/votes/<int:vote_id>/roll/publish", methods=["GET", "POST"])
@requires(VOTES)
def roll_publish(vote_id: int) -> Response:
    vote = _kept(vote_id)
    form, look = PublishRollForm.of(vote), roll_showing.look_or_none(vote)
    if form.carries_out(lambda: _published(vote, form)):
        flash(_("名册已公布。请打印出来贴到公告栏，居民也可以在手机上查自己在不在名册上。"), "ok")
        return web.go(".roll_page", vote_id=vote_id)
    return web.page("deliberation/worker/roll_publish.html", vote=vote, form=form, look=look, status=form.status)


def _published(vote: Vote, form: PublishRollForm) -> None:
    form.check_gaps(rolls.look(vote))
    rolls.publish(vote, until=form.until(), by=current_actor())


@bp.route("/votes/<int:vote_id>/roll/<int:number>/strike", methods=["GET", "POST"])
@requires(VOTES)
def roll_strike(vote_id: int, number: int) -> Response:
    vote, form = _kept(vote_id), WhyForm()
    entry = roll_showing.entry(vote, number)
    if form.carries_out(lambda: rolls.strike(vote, number, why=form.text("reason"), by=current_actor())):
        flash(_("已划掉。这一行留着，写明原因。"), "ok")
        return web.go(".roll_page", vote_id=vote_id)
    return web.page("deliberation/worker/roll_strike.html", vote=vote, entry=entry, form=form, status=form.status)


@bp.route("/votes/<int:vote_id>/roll/<int:number>/restore", methods=["GET", "POST"])
@requires(VOTES)
def roll_restore(vote_id: int, number: int) -> Response:
    vote, form = _kept(vote_id), WhyForm()
    entry = roll_showing.entry(vote, number)
    if form.carries_out(lambda: rolls.restore(vote, number, why=form.text("reason"), by=current_actor())):
        flash(_("已恢复到名册上。"), "ok")
        return web.go(".roll_page", vote_id=vote_id)
    return web.page("deliberation/worker/roll_restore.html", vote=vote, entry=entry, form=form, status=form.status)


@bp.route("/votes/<int:vote_id>/roll/add", methods=["GET", "POST"])
@requires(VOTES)
def roll_add(vote_id: int) -> Response:
    vote, form = _kept(vote_id), AddEntryForm()
    form.offer_people(scopes(VOTES))
    if form.carries_out(lambda: _added(vote, form)):
        flash(_("已加到名册最后。"), "ok")
        return web.go(".roll_page", vote_id=vote_id)
    return web.page("deliberation/worker/roll_add.html", vote=vote, form=form, status=form.status)


def _added(vote: Vote, form: AddEntryForm) -> None:
    rolls.add_person(vote, form.picked(), why=form.text("reason"), by=current_actor())


@bp.route("/votes/<int:vote_id>/roll/corrections/<public_id>", methods=["GET", "POST"])
@requires(VOTES)
def roll_answer(vote_id: int, public_id: str) -> Response:
    vote, form = _kept(vote_id), AnswerCorrectionForm()
    asked = roll_corrections.one_of(vote, public_id)
    if form.carries_out(lambda: _answered(asked, form)):
        flash(_("已答复，本人会收到通知。要改名册的，请在下面划掉、加上，或者改好登记后重新生成。"), "ok")
        return web.go(".roll_page", vote_id=vote_id)
    hers = rolls.entries_of(vote, asked.person, struck=True)
    facts: dict[str, Any] = {"asked": asked, "entries": hers, "status": form.status}
    return web.page("deliberation/worker/roll_answer.html", vote=vote, form=form, **facts)


def _answered(asked: RollCorrection, form: AnswerCorrectionForm) -> None:
    roll_corrections.answer(asked, upheld=form.upheld.data == "yes", words=form.text("words"), by=current_actor())


@bp.route("/votes/<int:vote_id>/roll/print", methods=["POST"])
@requires(VOTES)
def roll_print(vote_id: int) -> Response:
    """The sheet for the wall: number, name and building; that it was printed is recorded."""
    vote = roll_showing.readable(vote_id, scopes(VOTES))
    found = rolls.entries(vote)
    audit.record("deliberation.roll_printed", vote, count=len(found))
    return web.page("deliberation/worker/roll_print.html", vote=vote, entries=found, printed=now())
