"""Sheets of a vote for A4: ballots, the notice for the wall, who has voted, the result."""

from typing import Any

from flask import Response
from flask_babel import gettext as _
from markupsafe import Markup

from portal.core import files, web
from portal.core.access import requires
from portal.core.clock import now
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import counting, rolls, vote_notices, votes
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.votes import VOTES, vote_kept, vote_read

MOST_BALLOTS = 400


def _qr(vote: Vote) -> Markup:
    return files.qr_svg(web.address(f"/deliberation/votes/{vote.id}"), title=_("扫码看这次表决"))


@bp.route("/votes/<int:vote_id>/print/ballots")
@requires(VOTES)
def vote_ballots(vote_id: int) -> Response:
    """Two on a sheet. Of a named vote each says whose it is; of an unnamed one all are alike."""
    vote = vote_kept(vote_id)
    count = min(max(web.number_asked("count", 20), 1), MOST_BALLOTS)
    start = min(max(web.number_asked("from", 1), 1), 10**6)
    entries = votes.entries_from(vote, start, count) if vote.is_named else []
    facts: dict[str, Any] = {"entries": entries, "count": count, "start": start}
    return web.page("deliberation/worker/vote_ballots.html", vote=vote, **facts)


@bp.route("/votes/<int:vote_id>/print/notice")
@requires(VOTES)
def vote_wall(vote_id: int) -> Response:
    vote = vote_read(vote_id)
    notice = vote_notices.notice_of(vote)
    return web.page("deliberation/worker/vote_wall.html", vote=vote, notice=notice, qr=_qr(vote))


@bp.route("/votes/<int:vote_id>/print/turnout")
@requires(VOTES)
def vote_signing(vote_id: int) -> Response:
    """The roll to sign when a paper is taken, with those who have voted already ticked."""
    vote = vote_kept(vote_id)
    entries = rolls.entries(vote)
    channels = votes.channels_of(vote)
    return web.page(
        "deliberation/worker/vote_signing.html", vote=vote, entries=entries, channels=channels, moment=now()
    )


@bp.route("/votes/<int:vote_id>/print/result")
@requires(VOTES)
def vote_result_sheet(vote_id: int) -> Response:
    vote = vote_read(vote_id)
    result = counting.result_of(vote)
    return web.page("deliberation/worker/vote_result_sheet.html", vote=vote, result=result, qr=_qr(vote))
