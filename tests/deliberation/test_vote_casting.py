"""Casting: one vote for each entitled unit, at the right moment, by who is on the roll; the receipt of it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import clock
from portal.core.audit import AuditRow
from portal.core.db import db, transaction
from portal.core.errors import Conflict, Refused
from portal.core.tokens import RequestKey
from portal.deliberation.models.codes import Channel, ProxyState, VoteState
from portal.deliberation.models.votes import NamedBallot, SecretBallot, Turnout, Vote, VoteProxy
from portal.deliberation.service import casting
from portal.registry.models import Person


def cast(vote, entry, person, choice=1, *, by, slip="", channel=Channel.PHONE, **more):
    """One post, as a request would make it: all of it, or nothing."""
    with transaction() as session:
        mine = session.get(Person, person.id) if person else None
        here = session.get_one(Vote, vote.id)
        return casting.cast(here, entry, mine, choice, slip=slip or casting.new_slip(), channel=channel, by=by, **more)


def rows(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def at(monkeypatch, moment):
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_an_unnamed_vote_leaves_that_she_voted_and_a_ballot_and_nothing_else(deliberating):
    vote = deliberating.vote(named=False)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    kept = rows(AuditRow), rows(RequestKey)
    receipt = cast(vote, entry, person, 2, by=actor)
    assert (rows(Turnout), rows(SecretBallot), rows(NamedBallot)) == (1, 1, 0)
    assert (rows(AuditRow), rows(RequestKey)) == kept
    ballot = db.session.scalars(sa.select(SecretBallot)).one()
    assert (ballot.key, ballot.choice) == (receipt.code, 2)


def test_a_form_sent_twice_shows_the_same_receipt_and_counts_once(deliberating):
    for named in (False, True):
        vote = deliberating.vote(named=named)
        entry, person, actor = deliberating.voters(vote, 1)[0]
        slip = casting.new_slip()
        first = cast(vote, entry, person, by=actor, slip=slip)
        again = cast(vote, entry, person, by=actor, slip=slip)
        assert (first.code, first.again, again.code, again.again) == (again.code, False, first.code, True)
    assert (rows(Turnout), rows(SecretBallot), rows(NamedBallot)) == (2, 1, 1)


def test_the_resend_of_a_vote_in_time_shows_its_receipt_after_closing(deliberating):
    vote = deliberating.vote(named=False)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    slip = casting.new_slip()
    first = cast(vote, entry, person, by=actor, slip=slip)
    with transaction():
        db.session.get_one(Vote, vote.id).state = VoteState.CLOSED
    assert cast(vote, entry, person, by=actor, slip=slip).code == first.code
    with pytest.raises(Refused, match="截止"):
        cast(vote, entry, person, by=actor)


def test_a_second_vote_of_the_same_unit_is_refused(deliberating):
    for named in (False, True):
        vote = deliberating.vote(named=named)
        entry, person, actor = deliberating.voters(vote, 1)[0]
        cast(vote, entry, person, by=actor)
        with pytest.raises(Refused, match="投过了"):
            cast(vote, entry, person, 2, by=actor)


def test_two_voters_with_the_same_slip_do_not_share_a_ballot(deliberating):
    vote = deliberating.vote(named=False)
    (one, her, actor), (other, him, his) = deliberating.voters(vote, 2)
    slip = casting.new_slip()
    cast(vote, one, her, by=actor, slip=slip)
    with pytest.raises(Refused, match="重新打开"):
        cast(vote, other, him, by=his, slip=slip)
    assert (rows(Turnout), rows(SecretBallot)) == (1, 1)
    assert not cast(vote, other, him, by=his).again


def test_a_named_vote_that_may_be_changed_keeps_every_version(deliberating):
    vote = deliberating.vote(may_change=True)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    cast(vote, entry, person, 1, by=actor, seen=0)
    second = cast(vote, entry, person, 2, by=actor, seen=1)
    assert (second.version, rows(NamedBallot), rows(Turnout)) == (2, 2, 1)
    db.session.rollback()
    assert casting.newest(entry).choice == 2


def test_a_page_that_is_behind_another_device_changes_nothing(deliberating):
    vote = deliberating.vote(may_change=True)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    cast(vote, entry, person, 1, by=actor, seen=0)
    with pytest.raises(Conflict, match="另一台设备"):
        cast(vote, entry, person, 2, by=actor, seen=0)


def test_the_audit_of_a_named_vote_holds_no_choice(deliberating):
    vote = deliberating.vote()
    entry, person, actor = deliberating.voters(vote, 1)[0]
    cast(vote, entry, person, 2, by=actor)
    row = db.session.scalars(sa.select(AuditRow).where(AuditRow.action == "deliberation.vote_cast")).one()
    assert row.facts == {"entry": entry.number, "channel": "phone", "version": 1}


@pytest.mark.parametrize("named", [True, False])
def test_the_second_of_closing_is_too_late_and_the_one_before_is_not(deliberating, monkeypatch, named):
    vote = deliberating.vote(named=named)
    (one, her, actor), (other, him, his) = deliberating.voters(vote, 2)
    at(monkeypatch, vote.closes_at - timedelta(microseconds=1))
    assert cast(vote, one, her, by=actor).code
    at(monkeypatch, vote.closes_at)
    with pytest.raises(Refused, match="截止"):
        cast(vote, other, him, by=his)


def test_the_second_of_opening_counts_and_the_one_before_does_not(deliberating, monkeypatch):
    vote = deliberating.vote(named=False)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    at(monkeypatch, vote.opens_at - timedelta(microseconds=1))
    with pytest.raises(Refused, match="还没有开始"):
        cast(vote, entry, person, by=actor)
    at(monkeypatch, vote.opens_at)
    assert cast(vote, entry, person, by=actor).code


def test_a_clock_put_back_does_not_open_a_closed_vote(deliberating, monkeypatch):
    vote = deliberating.vote(named=False, state=VoteState.CLOSED)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    at(monkeypatch, vote.closes_at - timedelta(hours=2))
    with pytest.raises(Refused, match="截止"):
        cast(vote, entry, person, by=actor)


def test_somebody_struck_off_the_roll_cannot_vote(deliberating):
    for named in (True, False):
        vote = deliberating.vote(named=named)
        person, account = deliberating.person_with_account()
        entry = deliberating.entry(vote, person, struck_at=clock.now(), struck_why="登记有误")
        with pytest.raises(Refused, match="不在这次表决的名册"):
            cast(vote, entry, person, by=deliberating.actor(account))


def test_nobody_votes_for_a_line_that_is_not_hers(deliberating):
    vote = deliberating.vote()
    (entry, _person, _actor), (_other, stranger, hers) = deliberating.voters(vote, 2)
    with pytest.raises(Refused, match="不能替别人"):
        cast(vote, entry, stranger, by=hers)
    elsewhere = deliberating.vote()
    with pytest.raises(Refused, match="名册里没有"):
        cast(elsewhere, entry, stranger, by=hers)


def test_by_proxy_only_with_one_that_stands_for_the_line(deliberating):
    vote, worker = deliberating.vote(), deliberating.committee()
    entry, other = deliberating.entry(vote), deliberating.entry(vote)
    facts = {
        "holder": "李建国",
        "media": "application/pdf",
        "document": b"%PDF",
        "entered_by": "w",
        "entered_by_name": "周洁",
    }
    proxy = deliberating.make.add(VoteProxy(vote_id=vote.id, entry_id=entry.id, **facts))
    with pytest.raises(Refused, match="委托书"):
        cast(vote, other, None, by=worker, channel=Channel.PROXY, proxy=proxy)
    with pytest.raises(Refused, match="委托书"):
        cast(vote, entry, None, by=worker, channel=Channel.PROXY)
    with transaction() as session:
        kept = session.get_one(VoteProxy, proxy.id)
        casting.cast(
            session.get_one(Vote, vote.id),
            entry,
            None,
            1,
            slip=casting.new_slip(),
            channel=Channel.PROXY,
            by=worker,
            proxy=kept,
        )
    assert deliberating.make.read(proxy).state is ProxyState.USED


def test_a_choice_that_is_not_offered_is_refused_and_an_invalid_one_comes_on_paper_alone(deliberating):
    vote, worker = deliberating.vote(), deliberating.committee()
    entry, person, actor = deliberating.voters(vote, 1)[0]
    for choice in (0, 4, -1):
        with pytest.raises(Refused, match="请选一项"):
            cast(vote, entry, person, choice, by=actor)
    assert cast(vote, entry, None, 0, by=worker, channel=Channel.PAPER).code


def test_paper_of_a_named_vote_is_entered_until_it_is_counted(deliberating):
    vote, worker = deliberating.vote(state=VoteState.CLOSED), deliberating.committee()
    assert cast(vote, deliberating.entry(vote), None, by=worker, channel=Channel.PAPER).code
    counted = deliberating.vote(state=VoteState.COUNTED)
    with pytest.raises(Refused, match="截止"):
        cast(counted, deliberating.entry(counted), None, by=worker, channel=Channel.PAPER)


def test_papers_of_an_unnamed_vote_come_out_of_the_box_and_no_more_than_were_handed_out(deliberating):
    vote, worker = deliberating.vote(named=False), deliberating.committee()
    entries = [deliberating.entry(vote) for _number in range(3)]
    with pytest.raises(Refused, match="票箱"):
        cast(vote, entries[0], None, by=worker, channel=Channel.PAPER)
    with transaction():
        for entry in entries:
            casting.hand_out(vote, entry)
    with pytest.raises(Refused, match="领过纸质选票"), transaction():
        casting.hand_out(vote, entries[0])
    with pytest.raises(Refused, match="比发出的多"), transaction():
        casting.put_papers(vote, {1: 3, 2: 1})
    with transaction():
        casting.put_papers(vote, {1: 2, 0: 1})
    assert (rows(Turnout), rows(SecretBallot)) == (3, 3)


def test_who_took_a_paper_does_not_vote_by_phone_too(deliberating):
    vote = deliberating.vote(named=False)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    with transaction():
        casting.hand_out(vote, entry)
    with pytest.raises(Refused, match="投过了"):
        cast(vote, entry, person, by=actor)


def test_a_receipt_is_read_aloud_in_fours_and_typed_as_one_likes(deliberating):
    code = casting.receipt_for(deliberating.vote(), casting.new_slip())
    assert len(code) == 16
    assert len(casting.shown(code).split()) == 4
    assert casting.typed(f" {casting.shown(code).lower()}") == code


def test_the_same_slip_gives_another_receipt_in_another_vote(deliberating):
    one, other, slip = deliberating.vote(named=False), deliberating.vote(named=False), casting.new_slip()
    assert casting.receipt_for(one, slip) != casting.receipt_for(other, slip)
    assert casting.receipt_for(one, slip) == casting.receipt_for(one, slip)


@pytest.mark.parametrize("slip", ["x", "x" * 23, "x" * 65])
def test_a_slip_that_no_form_of_ours_drew_is_refused(deliberating, slip):
    vote = deliberating.vote(named=False)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    with pytest.raises(Refused, match="重新打开再投票"):
        cast(vote, entry, person, by=actor, slip=slip)
    assert (rows(Turnout), rows(SecretBallot)) == (0, 0)


def test_a_withdrawn_proxy_stands_for_nobody(deliberating):
    vote, worker = deliberating.vote(), deliberating.committee()
    entry = deliberating.entry(vote)
    facts = {"holder": "李建国", "media": "application/pdf", "document": b"%PDF"}
    withdrawn = {"state": ProxyState.WITHDRAWN, "entered_by": "w", "entered_by_name": "周洁"}
    proxy = deliberating.make.add(VoteProxy(vote_id=vote.id, entry_id=entry.id, **facts, **withdrawn))
    with pytest.raises(Refused, match="没有这一条的委托书"):
        cast(vote, entry, None, by=worker, channel=Channel.PROXY, proxy=proxy)


def test_papers_are_handed_out_of_unnamed_votes_alone_and_until_closing(deliberating):
    named = deliberating.vote()
    with pytest.raises(Refused, match="不用先登记发票"), transaction():
        casting.hand_out(named, deliberating.entry(named))
    for state, words in ((VoteState.CLOSED, "截止"), (VoteState.COUNTED, "截止")):
        vote = deliberating.vote(named=False, state=state)
        with pytest.raises(Refused, match=words), transaction():
            casting.hand_out(vote, deliberating.entry(vote))
    vote = deliberating.vote(named=False)
    struck = deliberating.entry(vote, struck_at=clock.now(), struck_why="登记有误")
    with pytest.raises(Refused, match="不在这次表决的名册"), transaction():
        casting.hand_out(vote, struck)
    assert rows(Turnout) == 0


def test_a_box_is_put_into_an_unnamed_vote_that_is_not_counted_and_no_pile_is_below_nothing(deliberating):
    vote = deliberating.vote(named=False)
    for entry in [deliberating.entry(vote) for _number in range(3)]:
        with transaction():
            casting.hand_out(vote, entry)
    with pytest.raises(Refused, match="比发出的多"), transaction():
        casting.put_papers(vote, {1: 4, 2: -1})
    for wrong in (deliberating.vote(), deliberating.vote(named=False, state=VoteState.COUNTED)):
        with pytest.raises(Refused, match="现在不能录入票箱"), transaction():
            casting.put_papers(wrong, {1: 0})
    assert rows(SecretBallot) == 0


def test_the_receipt_of_a_vote_that_was_changed_is_in_the_box_no_more(deliberating):
    vote = deliberating.vote(may_change=True)
    entry, person, actor = deliberating.voters(vote, 1)[0]
    first, second = (cast(vote, entry, person, choice, by=actor).code for choice in (1, 2))
    assert (casting.keeps(vote, first), casting.keeps(vote, second)) == (False, True)
