"""Resident pages: every vote that runs or has ended; voting for somebody by a written proxy."""

from typing import Any

from flask import Response, request

from portal.core import web
from portal.core.access import current_actor, public, requires
from portal.core.clock import now
from portal.deliberation.forms.paper import ProxyVoteForm
from portal.deliberation.resident.blueprint import bp
from portal.deliberation.service import casting, proxies, sureness, vote_notices, votes
from portal.identity.permissions import Permission
from portal.registry.service import people


@bp.route("/votes")
@public
def votes_public() -> Response:
    ended, page = request.args.get("tab") == "ended", min(max(web.number_asked("page", 1), 1), 500)
    found, more = votes.public_votes(ended=ended, page=page)
    facts: dict[str, Any] = {"ended": ended, "page": page, "more": more}
    return web.page("deliberation/resident/votes_public.html", votes=found, **facts)


@bp.route("/votes/<int:vote_id>/notice")
@public
def vote_notice(vote_id: int) -> Response:
    """What was announced: when, what about, who is entitled, by which rule."""
    vote = votes.shown(vote_id)
    return web.page("deliberation/resident/vote_notice.html", vote=vote, notice=vote_notices.notice_of(vote))


@bp.route("/votes/<int:vote_id>/proxies/<public_id>", methods=["GET", "POST"])
@requires(Permission.DELIBERATION_USE)
def proxy_cast(vote_id: int, public_id: str) -> Response:
    """The holder of a written proxy votes on her own telephone, where the vote is named."""
    actor, form, vote = current_actor(), ProxyVoteForm(), votes.shown(vote_id)
    if sureness.asks_password(actor, now()):
        return web.go(".vote_password", vote_id=vote_id)
    found = proxies.held(vote, people.person_of(actor), public_id)
    form.offer(vote)
    choice, slip = form.text("choice"), form.text("slip")
    if form.carries_out(lambda: proxies.vote_by(vote, found, int(choice), slip=slip, by=actor)):
        code = casting.receipt_for(vote, slip)
        return web.page("deliberation/resident/proxy_done.html", vote=vote, proxy=found, code=code)
    return web.page("deliberation/resident/proxy_cast.html", vote=vote, proxy=found, form=form, status=form.status)
