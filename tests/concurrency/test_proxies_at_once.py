"""Proxies for one holder at once, a box begun while it is said that all paper is in."""

from datetime import timedelta

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import VoteState
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import paper_waits, papers, proxies
from tests.concurrency.test_portions import at_once

ATTEMPTS = 10


def taken(vote_id, number, actor):
    try:
        with transaction() as session:
            written = (number, "李建国", None, b"%PDF-1.4 proxy", "application/pdf")
            proxies.take(session.get_one(Vote, vote_id), *written, by=actor)
    except Refused:
        return True
    return True


def test_one_holder_gets_no_more_proxies_than_the_place_allows_however_many_come_at_once(app, deliberating):
    vote, worker = deliberating.vote(), deliberating.committee()
    numbers = [deliberating.entry(vote).number for _number in range(ATTEMPTS)]
    vote_id = vote.id
    db.session.rollback()
    assert at_once(app, ATTEMPTS, lambda number: taken(vote_id, numbers[number], worker)) == ATTEMPTS
    assert len(proxies.proxies(db.session.get_one(Vote, vote_id))) == 3


def begun_or_all_in(vote_id, number, actor):
    try:
        with transaction() as session:
            vote = session.get_one(Vote, vote_id)
            if number == 0:
                papers.all_in(vote, by=actor)
            else:
                papers.begin(vote, f"{number} 号箱", by=actor)
    except Refused:
        return True
    return True


def test_no_box_is_begun_once_it_is_said_that_all_paper_is_in(app, deliberating):
    worker = deliberating.committee()
    opens_at, closes_at = now() - timedelta(days=2), now() - timedelta(seconds=1)
    for _round in range(8):
        topic = deliberating.topic()
        times = {"opens_at": opens_at, "closes_at": closes_at, "takes_paper": True}
        vote_id = deliberating.vote(topic, state=VoteState.CLOSED, **times).id
        db.session.rollback()
        assert at_once(app, 3, lambda number, vote_id=vote_id: begun_or_all_in(vote_id, number, worker)) == 3
        vote = db.session.get_one(Vote, vote_id)
        assert vote.papers_done_at is None or not paper_waits.unfinished(vote)
        db.session.rollback()
