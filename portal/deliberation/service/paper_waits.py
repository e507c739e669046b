"""Whether a closed vote still waits for its paper: asked before it is counted (CLOSED becomes COUNTING)."""

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.deliberation.models.codes import BatchState, Channel
from portal.deliberation.models.votes import PaperBatch, Turnout, Vote

ENDED = (BatchState.BOOKED, BatchState.DROPPED)
HANDED = (Channel.PAPER, Channel.PROXY)


def waiting(vote: Vote) -> str:
    """Why a vote cannot be counted yet, in words, or "": paper that is not entered, or not said to be all."""
    if not vote.takes_paper or vote.papers_done_at is not None:
        return ""
    if unfinished(vote):
        return _("还有纸质票没有录完，录完并点“纸质票已全部录入”后才计票。")
    return _("请先确认纸质票是否都已录入，再点“纸质票已全部录入”，然后计票。")


def unfinished(vote: Vote) -> int:
    """How many batches are begun and not booked."""
    query = sa.select(sa.func.count()).select_from(PaperBatch)
    return db.session.scalar(query.where(PaperBatch.vote_id == vote.id, PaperBatch.state.not_in(ENDED))) or 0


def handed_out(vote: Vote) -> int:
    """Of an unnamed vote: how many papers are out, or in a box."""
    query = sa.select(sa.func.count()).select_from(Turnout)
    return db.session.scalar(query.where(Turnout.vote_id == vote.id, Turnout.channel.in_(HANDED))) or 0


def booked(vote: Vote) -> int:
    """How many papers were booked."""
    query = sa.select(sa.func.sum(PaperBatch.booked)).where(PaperBatch.vote_id == vote.id)
    return int(db.session.scalar(query) or 0)
