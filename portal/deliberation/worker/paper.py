"""Worker pages of paper votes: boxes entered by two people, differences settled, booked; papers handed out."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.core.once import made_once
from portal.deliberation.forms.paper import (
    BatchForm,
    BoxForm,
    HandForm,
    ReturnForm,
    SheetForm,
    box_form,
    settle_form,
    sheet_form,
)
from portal.deliberation.forms.votes import VoteReasonForm
from portal.deliberation.models.codes import BatchState
from portal.deliberation.models.votes import PaperBatch, Vote
from portal.deliberation.service import paper_waits, papers, vote_words, votes
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.votes import VOTES, done, vote_kept


def _batch(vote_id: int, batch_id: int) -> tuple[Vote, PaperBatch]:
    vote = vote_kept(vote_id)
    return vote, papers.batch(vote, batch_id)


@bp.route("/votes/<int:vote_id>/paper", methods=["GET", "POST"])
@requires(VOTES)
def paper_page(vote_id: int) -> Response:
    """The boxes of a vote; a new one is begun here."""
    vote, form = vote_kept(vote_id), BatchForm()
    if form.carries_out(lambda: _begin(vote, form)):
        return web.go(".paper_batch", vote_id=vote.id, batch_id=form.idem.data)
    facts: dict[str, Any] = {"batches": papers.batches(vote), "moment": now()}
    if not vote.is_named:
        facts |= {"out": paper_waits.handed_out(vote), "booked": paper_waits.booked(vote)}
    return web.page("deliberation/worker/paper_page.html", vote=vote, form=form, status=form.status, **facts)


def _begin(vote: Vote, form: BatchForm) -> None:
    by, name = current_actor(), form.text("name")
    form.idem.data = made_once("deliberation.papers", form, lambda: papers.begin(vote, name, by=by))


@bp.route("/votes/<int:vote_id>/paper/<int:batch_id>", methods=["GET", "POST"])
@requires(VOTES)
def paper_batch(vote_id: int, batch_id: int) -> Response:
    """A box: entered by whoever's turn it is; the other one's entry is not shown before both are done."""
    vote, found = _batch(vote_id, batch_id)
    form = sheet_form(vote) if vote.is_named else box_form(vote)
    if form.carries_out(lambda: papers.enter(vote, found, _said(form), by=current_actor())):
        flash(_entered(found), "ok")
        return web.go(".paper_batch", vote_id=vote.id, batch_id=found.id)
    facts = _shown(vote, found)
    return web.page(
        "deliberation/worker/paper_batch.html", vote=vote, batch=found, form=form, status=form.status, **facts
    )


def _said(form: SheetForm | BoxForm) -> dict[int, int]:
    return form.lines() if isinstance(form, SheetForm) else form.tallies()


def _entered(found: PaperBatch) -> str:
    if found.state is BatchState.SECOND:
        return _("第一遍已存好。请另一个人独立再录一遍，录之前看不到您录的。")
    if found.state is BatchState.AGREED:
        return _("两个人录的一样，可以入账了。")
    return _("第二遍已存好。")


def _shown(vote: Vote, found: PaperBatch) -> dict[str, Any]:
    """What of a box its reader may see: both entries for the two alone, and only once both are done."""
    actor = current_actor()
    facts: dict[str, Any] = {"mine": papers.is_theirs(found, actor), "enters": papers.may_enter(found, actor)}
    facts |= {"settles": papers.may_settle(found, actor), "who_settles": papers.who_settles(found)}
    facts["choices"] = dict(vote_words.paper_choices(vote))
    seen = found.state in {BatchState.AGREED, BatchState.BOOKED} and facts["mine"]
    facts["lines"] = papers.lines(found, papers.SETTLED) if seen else {}
    facts["left"] = papers.left_over(vote, found)
    return facts


@bp.route("/votes/<int:vote_id>/paper/<int:batch_id>/differences", methods=["GET", "POST"])
@requires(VOTES)
def paper_settle(vote_id: int, batch_id: int) -> Response:
    vote, found = _batch(vote_id, batch_id)
    if refusal := _not_to_settle(found):
        flash(refusal, "warn")
        return web.go(".paper_batch", vote_id=vote.id, batch_id=found.id)
    differ = papers.differences(vote, found)
    form = settle_form(vote, differ)
    if form.carries_out(lambda: papers.settle(vote, found, form.chosen(differ), by=current_actor())):
        flash(_settled(found), "ok")
        return web.go(".paper_batch", vote_id=vote.id, batch_id=found.id)
    facts: dict[str, Any] = {"differ": differ, "choices": dict(vote_words.paper_choices(vote))}
    facts["again"] = found.settled_by not in {"", current_actor().public_id}
    return web.page(
        "deliberation/worker/paper_settle.html", vote=vote, batch=found, form=form, status=form.status, **facts
    )


def _not_to_settle(found: PaperBatch) -> str:
    """Why this person cannot settle it now; nothing when she can."""
    if found.state is not BatchState.DIFFERS:
        return _("这一批没有要核对的差异。")
    return "" if papers.may_settle(found, current_actor()) else papers.who_settles(found)


def _settled(found: PaperBatch) -> str:
    if found.state is BatchState.AGREED:
        return _("已核对一致，可以入账了。")
    return _("您核对的已存好。请另一位录入的人登录，也核对一遍，两个人说的一样就可以入账。")


@bp.route("/votes/<int:vote_id>/paper/<int:batch_id>/book", methods=["POST"])
@requires(VOTES)
def paper_book(vote_id: int, batch_id: int) -> Response:
    vote, found = _batch(vote_id, batch_id)
    try:
        papers.book(vote, found, by=current_actor())
        flash(_("已入账 %(count)d 张。", count=found.booked), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".paper_batch", vote_id=vote.id, batch_id=found.id)


@bp.route("/votes/<int:vote_id>/paper/<int:batch_id>/drop", methods=["GET", "POST"])
@requires(VOTES)
def paper_drop(vote_id: int, batch_id: int) -> Response:
    vote, found = _batch(vote_id, batch_id)
    form = VoteReasonForm()
    if form.carries_out(lambda: papers.drop(found, form.text("reason"), by=current_actor())):
        flash(_("这一批已作废，没有一张计入。可以重新录入。"), "ok")
        return web.go(".paper_page", vote_id=vote.id)
    return web.page("deliberation/worker/paper_drop.html", vote=vote, batch=found, form=form, status=form.status)


@bp.route("/votes/<int:vote_id>/paper/done", methods=["POST"])
@requires(VOTES)
def paper_done(vote_id: int) -> Response:
    vote, by = vote_kept(vote_id), current_actor()
    return done(vote, lambda: papers.all_in(vote, by=by), _("已确认纸质票全部录入，接下来计票。"), ".paper_page")


@bp.route("/votes/<int:vote_id>/paper/hand", methods=["GET", "POST"])
@requires(VOTES)
def paper_hand(vote_id: int) -> Response:
    """Of an unnamed vote: a paper is handed to who stands there, by the number on the roll."""
    vote, form = vote_kept(vote_id), HandForm()
    if form.carries_out(lambda: _hand(vote, form)):
        return web.go(".paper_hand", vote_id=vote.id)
    facts: dict[str, Any] = {"out": paper_waits.handed_out(vote), "figures": votes.figures(vote), "moment": now()}
    return web.page("deliberation/worker/paper_hand.html", vote=vote, form=form, status=form.status, **facts)


def _hand(vote: Vote, form: HandForm) -> None:
    entry = papers.hand_out(vote, int(form.number.data or 0), by=current_actor())
    words = _("第 %(number)d 号 %(name)s 已登记领票，请把一张空白选票交给本人。", number=entry.number, name=entry.name)
    flash(words, "ok")


@bp.route("/votes/<int:vote_id>/paper/return", methods=["GET", "POST"])
@requires(VOTES)
def paper_return(vote_id: int) -> Response:
    vote, form, by = vote_kept(vote_id), ReturnForm(), current_actor()
    number, reason = int(form.number.data or 0), form.text("reason")
    if form.carries_out(lambda: papers.take_back(vote, number, reason, by=by)):
        flash(_("已退票。请把收回的空白选票撕掉；这一号可以再领票或用手机投。"), "ok")
        return web.go(".paper_hand", vote_id=vote.id)
    return web.page("deliberation/worker/paper_return.html", vote=vote, form=form, status=form.status)
