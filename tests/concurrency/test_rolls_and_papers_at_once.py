"""Rolls, papers, outcomes and meetings met at once from two connections: each has one right answer."""

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import (
    AskState,
    AttendeeState,
    BatchState,
    Channel,
    OutcomeState,
    Part,
    Stage,
    VoteState,
)
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import (
    NamedBallot,
    PaperBatch,
    RollCorrection,
    RollEntry,
    SecretBallot,
    Turnout,
    Vote,
)
from portal.deliberation.service import (
    casting,
    meeting_signup,
    objections,
    papers,
    roll_corrections,
    rolls,
)
from portal.deliberation.service.meeting_signup import Wish
from portal.registry.models import Person
from tests.concurrency.test_portions import at_once
from tests.concurrency.test_votes_at_once import answers, cast, count

ROUNDS = 5


def done(act):
    """Whether an act was done, in a transaction of its own; a refusal is an answer."""
    try:
        with transaction() as session:
            act(session)
    except Refused:
        return False
    return True


def at_the_same_time(app, *acts):
    """Which of some acts were done, all begun at once."""
    found = {}

    def attempt(number):
        found[number] = done(acts[number])
        return True

    assert at_once(app, len(acts), attempt) == len(acts)
    db.session.rollback()
    return [found[number] for number in range(len(acts))]


def while_it_is_done(app, first, second):
    """Whether each was done, the second begun while the first is not committed yet."""
    begun, found = threading.Event(), {}

    def slowly(session):
        first(session)
        begun.set()
        time.sleep(0.4)

    def attempt(number):
        if number:
            begun.wait(10)
        found[number] = done(second if number else slowly)
        begun.set()
        return True

    at_once(app, 2, attempt)
    db.session.rollback()
    return found[0], found[1]


# The roll


def frozen(vote_id, at):
    """As the opening of a vote does it."""

    def act(session):
        vote = session.get_one(Vote, vote_id)
        rolls.freeze(vote, at=at)
        vote.state = VoteState.OPEN

    return act


def on_roll(deliberating, **more):
    until = now() + timedelta(hours=1)
    times = {"opens_at": now() + timedelta(hours=2), "closes_at": now() + timedelta(days=2)}
    vote = deliberating.vote(deliberating.topic(stage=Stage.VOTING), state=VoteState.ROLL, **times, **more)
    with transaction() as session:
        held = session.get_one(Vote, vote.id)
        held.corrections_until, held.frozen_at = until, None
    return vote, until + timedelta(minutes=1)


@pytest.mark.parametrize("order", [("strike", "freeze"), ("freeze", "strike")])
def test_a_line_is_struck_before_the_roll_is_frozen_or_not_at_all(app, deliberating, order):
    worker, (vote, later) = deliberating.committee(), on_roll(deliberating)
    entries = [deliberating.entry(vote) for _number in range(2)]
    vote_id, entry_id, number = vote.id, entries[0].id, entries[0].number
    db.session.rollback()

    def strike(session):
        rolls.strike(session.get_one(Vote, vote_id), number, why="搬走了", by=worker)

    acts = {"strike": strike, "freeze": frozen(vote_id, later)}
    found = dict(zip(order, while_it_is_done(app, *(acts[name] for name in order)), strict=True))
    assert found == {"freeze": True, "strike": order[0] == "strike"}
    struck = db.session.scalar(sa.select(RollEntry.struck_at).where(RollEntry.id == entry_id))
    assert (struck is not None) is found["strike"]


@pytest.mark.parametrize("order", [("ask", "freeze"), ("freeze", "ask")])
def test_no_vote_opens_over_a_correction_that_was_asked(app, deliberating, order):
    person, (vote, later) = deliberating.make.person(), on_roll(deliberating)
    deliberating.entry(vote, person)
    vote_id, person_id = vote.id, person.id
    db.session.rollback()

    def ask(session):
        roll_corrections.ask(session.get_one(Vote, vote_id), session.get_one(Person, person_id), "我住 6 号楼")

    acts = {"ask": ask, "freeze": frozen(vote_id, later)}
    assert while_it_is_done(app, *(acts[name] for name in order)) == (True, False)
    query = sa.select(sa.func.count()).select_from(RollCorrection).where(RollCorrection.vote_id == vote_id)
    assert db.session.scalar(query.where(RollCorrection.state == AskState.OPEN)) == int(order[0] == "ask")


@pytest.mark.parametrize("first", ["vote", "strike"])
def test_who_is_struck_off_while_she_votes_has_voted_or_is_told(app, deliberating, first):
    """One of the two is not committed yet when the other begins: the other waits for it."""
    vote = deliberating.vote(named=False)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    facts = vote.id, entry.id, person.id
    db.session.rollback()

    def strike(session):
        session.execute(sa.update(RollEntry).where(RollEntry.id == facts[1]).values(struck_at=now(), struck_why="误"))

    def vote_for(session):
        kept = session.get_one(Vote, facts[0]), session.get_one(RollEntry, facts[1]), session.get_one(Person, facts[2])
        casting.cast(*kept, 1, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)

    acts = (vote_for, strike) if first == "vote" else (strike, vote_for)
    assert while_it_is_done(app, *acts) == (True, first == "vote")
    assert count(Turnout) == count(SecretBallot) == int(first == "vote")


# Papers


def batch_of(deliberating, vote, first):
    with transaction() as session:
        return papers.begin(session.get_one(Vote, vote.id), "票箱", by=first).id


def entering(vote_id, batch_id, said, by):
    def act(session):
        papers.enter(session.get_one(Vote, vote_id), session.get_one(PaperBatch, batch_id), said, by=by)

    return act


def test_a_box_is_entered_a_second_time_by_one_and_booked_once(app, deliberating):
    first, *others = (deliberating.committee(name=name) for name in ("周洁", "陈晨", "刘洋"))
    vote = deliberating.vote(deliberating.topic(stage=Stage.VOTING), takes_paper=True)
    for _round in range(ROUNDS):
        line = deliberating.entry(vote)
        entry_id, said, vote_id = line.id, {line.number: 1}, vote.id
        number = batch_of(deliberating, vote, first)
        assert done(entering(vote_id, number, said, first))
        second = at_the_same_time(app, *(entering(vote_id, number, said, by) for by in others))
        assert sorted(second) == [False, True]

        def book(session, v=vote_id, n=number):
            papers.book(session.get_one(Vote, v), session.get_one(PaperBatch, n), by=first)

        assert sorted(at_the_same_time(app, book, book)) == [False, True]
        query = sa.select(sa.func.count()).select_from(NamedBallot).where(NamedBallot.entry_id == entry_id)
        assert (db.session.get_one(PaperBatch, number).booked, db.session.scalar(query)) == (1, 1)


def test_of_two_who_settle_a_difference_at_once_one_proposes_and_one_is_told(app, deliberating):
    two = [deliberating.committee(name=name) for name in ("周洁", "陈晨")]
    vote = deliberating.vote(deliberating.topic(stage=Stage.VOTING), takes_paper=True)
    vote_id = vote.id
    for _round in range(ROUNDS):
        line = deliberating.entry(vote).number
        number = batch_of(deliberating, vote, two[0])
        for by, choice in zip(two, (1, 2), strict=True):
            assert done(entering(vote_id, number, {line: choice}, by))
        settling = [
            lambda session, by=by, n=number, said=line: papers.settle(
                session.get_one(Vote, vote_id), session.get_one(PaperBatch, n), {said: 1}, by=by
            )
            for by in two
        ]
        settled = at_the_same_time(app, *settling)
        state = db.session.get_one(PaperBatch, number).state
        assert (settled.count(True), state) in {(1, BatchState.DIFFERS), (2, BatchState.AGREED)}
        assert papers.lines(db.session.get_one(PaperBatch, number), papers.SETTLED) == {line: 1}


def test_a_paper_and_a_telephone_at_once_are_one_vote(app, deliberating):
    vote = deliberating.vote(named=False)
    for entry, person, actor in deliberating.voters(vote, ROUNDS):
        facts = vote.id, entry.id, person.id, actor
        db.session.rollback()

        def hand(session, v=vote.id, e=entry.id):
            casting.hand_out(session.get_one(Vote, v), session.get_one(RollEntry, e))

        found = answers(app, 2, lambda number, f=facts, h=hand: done(h) if number else cast(*f) is not None)
        assert sorted(found) == [False, True]
    assert count(Turnout) == ROUNDS


# Outcomes


def test_one_objection_of_hers_waits_and_one_answer_is_given(app, deliberating):
    worker, person = deliberating.committee(), deliberating.make.person()
    for _round in range(ROUNDS):
        topic = deliberating.topic(stage=Stage.NOTICE, stage_until=today() + timedelta(days=5))
        facts = {"title": "结果", "words": "装一部电梯。", "days": 7, "ends_on": today() + timedelta(days=5)}
        state = {"state": OutcomeState.PUBLISHED, "published_at": now()}
        outcome = deliberating.make.add(Outcome(topic_id=topic.id, **facts, **state))
        outcome_id, topic_id, person_id = outcome.id, topic.id, person.id
        db.session.rollback()

        def make(session, o=outcome_id, p=person_id):
            objections.make(session.get_one(Outcome, o), session.get_one(Person, p), words="没有说清楚。")

        assert sorted(at_the_same_time(app, make, make, make)) == [False, False, True]
        number = db.session.scalars(sa.select(Objection.id).where(Objection.outcome_id == outcome_id)).one()

        def deny(session, n=number):
            objections.deny(session.get_one(Objection, n), answer="已经说清楚了。", by=worker)

        def uphold(session, n=number):
            found = session.get_one(Objection, n)
            objections.uphold(found, Stage.MEETING, answer="您说得对。", why="电费没有写清楚", by=worker)

        assert sorted(at_the_same_time(app, deny, uphold)) == [False, True]
        answered = db.session.get_one(Objection, number)
        stage = db.session.get_one(Topic, topic_id).stage
        assert (answered.state, stage) in {(AskState.DENIED, Stage.NOTICE), (AskState.UPHELD, Stage.MEETING)}


# Meetings


def test_the_last_seat_of_a_meeting_is_one_persons_and_who_leaves_gives_it_to_one(app, deliberating):
    worker, meeting = deliberating.committee(), deliberating.meeting(seats=1)
    meeting_id, people = meeting.id, [deliberating.make.person(f"居民{number}").id for number in range(8)]
    db.session.rollback()

    def join(number):
        def act(session):
            found, person = session.get_one(Meeting, meeting_id), session.get_one(Person, people[number])
            meeting_signup.join(found, person, Wish(Part.LISTENER), by=worker)

        return act

    def seated():
        db.session.rollback()
        query = sa.select(Attendee.id).where(Attendee.meeting_id == meeting_id)
        return list(db.session.scalars(query.where(Attendee.state == AttendeeState.GOING)))

    assert at_the_same_time(app, *(join(number) for number in range(len(people)))) == [True] * len(people)
    (first,) = seated()

    def leave(session):
        meeting_signup.leave(session.get_one(Attendee, first))

    assert sorted(at_the_same_time(app, leave, leave)) == [False, True]
    (second,) = seated()
    assert second != first
