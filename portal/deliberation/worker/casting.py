"""Worker acts on votes: close one whose time is over, count it; of a named one, who chose what once it is counted."""

from flask import Response
from flask_babel import gettext as _

from portal.core import web
from portal.core.access import current_actor, requires
from portal.core.errors import Missing
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import counting, named_lists
from portal.deliberation.worker.blueprint import bp
from portal.deliberation.worker.votes import VOTES, asked_page, done, vote_kept


@bp.route("/votes/<int:vote_id>/close", methods=["POST"])
@requires(VOTES)
def vote_close(vote_id: int) -> Response:
    vote = vote_kept(vote_id)
    return done(vote, lambda: counting.close(vote, by=current_actor()), _("投票已截止。"))


@bp.route("/votes/<int:vote_id>/count", methods=["POST"])
@requires(VOTES)
def vote_count(vote_id: int) -> Response:
    vote = vote_kept(vote_id)
    return done(vote, lambda: counting.count(vote, by=current_actor()), lambda: _counted(vote))


def _counted(vote: Vote) -> str:
    if vote.state is VoteState.VOID:
        return _("这次投票作废，没有开票，也没有投票文件。原因已写进公开记录。")
    return _("计票完成，结果和投票文件已公布。")


@bp.route("/votes/<int:vote_id>/named")
@requires(VOTES)
def vote_named(vote_id: int) -> Response:
    """Of a named vote that is counted: what stands against each line of the roll. Of an unnamed one there is none."""
    vote, page = vote_kept(vote_id), asked_page()
    if not vote.is_named or vote.state is not VoteState.COUNTED:
        raise Missing
    lines, more = named_lists.lines(vote, page=page)
    return web.page("deliberation/worker/vote_named.html", vote=vote, lines=lines, more=more, page=page)
