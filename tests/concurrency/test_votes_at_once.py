"""One vote from two devices at once, votes against closing: each unit counted once, each receipt in the file."""

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Channel, VoteState
from portal.deliberation.models.votes import NamedBallot, RollEntry, SecretBallot, Turnout, Vote
from portal.deliberation.service import casting, counting
from portal.registry.models import Person
from tests.concurrency.test_portions import at_once

DEVICES, VOTERS = 12, 24


def cast(vote_id, entry_id, person_id, actor, choice=1, slip=""):
    """The receipt, or None for a refusal, which is an answer."""
    try:
        with transaction() as session:
            vote, entry = session.get_one(Vote, vote_id), session.get_one(RollEntry, entry_id)
            slip = slip or casting.new_slip()
            person = session.get_one(Person, person_id)
            return casting.cast(vote, entry, person, choice, slip=slip, channel=Channel.PHONE, by=actor).code
    except Refused:
        return None


def answers(app, attempts, act):
    """What each of some attempts at once came to."""
    found = []

    def attempt(number):
        found.append(act(number))
        return True

    assert at_once(app, attempts, attempt) == attempts
    return found


def count(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


@pytest.mark.parametrize(("named", "table"), [(True, NamedBallot), (False, SecretBallot)])
def test_many_devices_of_one_voter_cast_one_vote(app, deliberating, named, table):
    vote = deliberating.vote(named=named)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    facts = vote.id, entry.id, person.id, actor
    db.session.rollback()
    taken = answers(app, DEVICES, lambda number: cast(*facts, choice=number % 3 + 1))
    assert len([code for code in taken if code]) == 1
    assert (count(Turnout), count(table)) == (1, 1)


@pytest.mark.parametrize("named", [True, False])
def test_one_form_sent_at_once_from_everywhere_shows_one_receipt(app, deliberating, named):
    vote = deliberating.vote(named=named)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    facts, slip = (vote.id, entry.id, person.id, actor), casting.new_slip()
    db.session.rollback()
    taken = answers(app, DEVICES, lambda _number: cast(*facts, slip=slip))
    assert set(taken) == {casting.receipt_for(vote, slip)}
    assert count(Turnout) == 1


def test_a_changed_vote_from_many_devices_keeps_its_versions_in_a_row(app, deliberating):
    vote = deliberating.vote(may_change=True)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    facts = vote.id, entry.id, person.id, actor
    db.session.rollback()
    taken = answers(app, DEVICES, lambda number: cast(*facts, choice=number % 3 + 1))
    versions = list(db.session.scalars(sa.select(NamedBallot.version).order_by(NamedBallot.version)))
    assert versions == list(range(1, len([code for code in taken if code]) + 1))
    assert count(Turnout) == 1


def close_and_count(vote_id):
    with transaction():
        counting.close(counting.one(vote_id))
    with transaction():
        counting.count(counting.one(vote_id))


def receipts_in_file(vote_id):
    db.session.expire_all()
    vote = counting.one(vote_id)
    assert vote.state is VoteState.COUNTED
    return {line.split("\t")[1] for line in counting.file_of(vote).content.splitlines()[2:-1]}


def ending(deliberating, seconds, voters=VOTERS):
    """An unnamed vote with five ballots that closes in a moment; who else may vote, and the receipts so far."""
    vote = deliberating.vote(named=False)
    found = [(entry.id, person.id, actor) for entry, person, actor in deliberating.voters(vote, voters)]
    first = {cast(vote.id, *one) for one in found[:5]}
    with transaction():
        db.session.get_one(Vote, vote.id).closes_at = clock.now() + timedelta(seconds=seconds)
    return vote.id, found[5:], first


def test_who_votes_while_it_is_closed_is_counted_or_told(app, deliberating):
    """Every receipt that was given is in the file, and no ballot without one."""
    vote_id, voters, given = ending(deliberating, 0.05)

    def act(number):
        if number < len(voters):
            return cast(vote_id, *voters[number])
        while counting.due_to_close(clock.now()) == []:
            db.session.rollback()
            time.sleep(0.005)
        return close_and_count(vote_id)

    given |= {code for code in answers(app, len(voters) + 1, act) if code}
    assert receipts_in_file(vote_id) == given
    assert count(Turnout) == len(given)


def test_closing_waits_for_a_vote_that_is_being_cast(app, deliberating):
    """Cast within its time, not committed yet: whoever closes now must not count without it."""
    vote_id, [(entry_id, person_id, actor)], given = ending(deliberating, 0.5, voters=6)
    cast_now, counted = threading.Event(), threading.Event()

    def act(number):
        if number:
            cast_now.wait(10)
            time.sleep(0.6)
            close_and_count(vote_id)
            counted.set()
            return
        with transaction() as session:
            facts = session.get_one(Vote, vote_id), session.get_one(RollEntry, entry_id)
            person, slip = session.get_one(Person, person_id), casting.new_slip()
            given.add(casting.cast(*facts, person, 1, slip=slip, channel=Channel.PHONE, by=actor).code)
            cast_now.set()
            assert not counted.wait(1.5)

    answers(app, 2, act)
    assert receipts_in_file(vote_id) == given
