"""Paper votes as tests make them: boxes begun, entered and booked, each in a transaction of its own."""

from datetime import timedelta

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.deliberation.models.votes import PaperBatch, Vote
from portal.deliberation.service import papers


def the(model, number):
    db.session.rollback()
    return db.session.get_one(model, number)


def over(vote):
    """The last second of voting is past."""
    with transaction():
        found = db.session.get_one(Vote, vote.id)
        found.opens_at, found.closes_at = now() - timedelta(days=2), now() - timedelta(seconds=1)


def begun(vote, by):
    with transaction():
        return papers.begin(db.session.get_one(Vote, vote.id), "居委会票箱", by=by).id


def entered(vote, number, said, by):
    with transaction():
        papers.enter(db.session.get_one(Vote, vote.id), db.session.get_one(PaperBatch, number), said, by=by)


def booked(vote, number, by):
    with transaction():
        papers.book(db.session.get_one(Vote, vote.id), db.session.get_one(PaperBatch, number), by=by)


def settled(vote, number, chosen, by):
    with transaction():
        papers.settle(db.session.get_one(Vote, vote.id), db.session.get_one(PaperBatch, number), chosen, by=by)
