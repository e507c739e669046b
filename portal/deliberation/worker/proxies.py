"""Worker pages of written proxies: kept, looked at on record, withdrawn, voted by."""

from typing import Any

from flask import Response, flash
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.clock import now
from portal.core.errors import Refused
from portal.deliberation.forms.paper import ProxyForm, ProxyVoteForm
from portal.deliberation.forms.votes import VoteReasonForm
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import casting, proxies
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.votes import VOTES, vote_kept

ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@bp.route("/votes/<int:vote_id>/proxies")
@requires(VOTES)
def proxy_list(vote_id: int) -> Response:
    vote = vote_kept(vote_id)
    facts: dict[str, Any] = {"proxies": proxies.proxies(vote), "moment": now()}
    return web.page("deliberation/worker/proxy_list.html", vote=vote, **facts)


@bp.route("/votes/<int:vote_id>/proxies/new", methods=["GET", "POST"])
@requires(VOTES)
def proxy_new(vote_id: int) -> Response:
    vote, form = vote_kept(vote_id), ProxyForm()
    if form.carries_out(lambda: _take(vote, form)):
        flash(_("委托书已存好，内容加密，只有办这件事的人能看。"), "ok")
        return web.go(".proxy_list", vote_id=vote.id)
    return web.page("deliberation/worker/proxy_new.html", vote=vote, form=form, status=form.status)


def _take(vote: Vote, form: ProxyForm) -> None:
    document, media = form.paper()
    holder, phone = form.text("holder"), form.text("account")
    person = proxies.holder_by(phone, holder) if phone else None
    number, idem = int(form.number.data or 0), form.text("idem")
    proxies.take(vote, number, holder, person, document, media, by=current_actor(), idem=idem)


@bp.route("/votes/<int:vote_id>/proxies/<public_id>/document", methods=["POST"])
@requires(VOTES)
def proxy_document(vote_id: int, public_id: str) -> Response:
    """The document itself: a POST, for that somebody looked is on record."""
    found = proxies.proxy(vote_kept(vote_id), public_id)
    name = _("委托书-%(number)d", number=found.entry.number)
    return web.download(proxies.document_of(found), f"{name}.{ENDINGS[found.media]}", found.media)


@bp.route("/votes/<int:vote_id>/proxies/<public_id>/vote", methods=["GET", "POST"])
@requires(VOTES)
def proxy_vote(vote_id: int, public_id: str) -> Response:
    vote, form = vote_kept(vote_id), ProxyVoteForm()
    found = proxies.proxy(vote, public_id)
    form.offer(vote)
    choice, slip, by = form.text("choice"), form.text("slip"), current_actor()
    if form.carries_out(lambda: proxies.vote_by(vote, found, int(choice), slip=slip, by=by)):
        code = casting.receipt_for(vote, slip)
        return web.page("deliberation/worker/proxy_done.html", vote=vote, proxy=found, code=code)
    return web.page("deliberation/worker/proxy_vote.html", vote=vote, proxy=found, form=form, status=form.status)


@bp.route("/votes/<int:vote_id>/proxies/<public_id>/hand", methods=["POST"])
@requires(VOTES)
def proxy_hand(vote_id: int, public_id: str) -> Response:
    vote = vote_kept(vote_id)
    try:
        proxies.hand_paper(vote, proxies.proxy(vote, public_id), by=current_actor())
        flash(_("已登记。请把一张空白选票交给受托人，由本人投进票箱。"), "ok")
    except Refused as refused:
        web.turn_down(refused, "bad")
    return web.go(".proxy_list", vote_id=vote.id)


@bp.route("/votes/<int:vote_id>/proxies/<public_id>/withdraw", methods=["GET", "POST"])
@requires(VOTES)
def proxy_withdraw(vote_id: int, public_id: str) -> Response:
    vote, form = vote_kept(vote_id), VoteReasonForm()
    found = proxies.proxy(vote, public_id)
    if form.carries_out(lambda: proxies.withdraw(found, form.text("reason"), by=current_actor())):
        flash(_("委托已撤回，本人可以自己投，也可以另委托别人。"), "ok")
        return web.go(".proxy_list", vote_id=vote.id)
    return web.page("deliberation/worker/proxy_withdraw.html", vote=vote, proxy=found, form=form, status=form.status)
