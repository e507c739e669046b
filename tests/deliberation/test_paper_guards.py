"""What holds papers and proxies: each refusal by itself, at the service, whatever a page would have hidden."""

import pytest
import sqlalchemy as sa

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import BatchState, Channel, ProxyState, Stage, VoteState
from portal.deliberation.models.votes import PaperBatch, RollEntry, Turnout, Vote, VoteProxy
from portal.deliberation.service import casting, papers, proxies
from portal.registry.models import Person
from tests.deliberation.papered import begun, booked, entered, over, the

DOCUMENT = (b"%PDF-1.4 proxy", "application/pdf")


@pytest.fixture
def topic(deliberating):
    return deliberating.topic(stage=Stage.VOTING)


@pytest.fixture
def named(deliberating, topic):
    return deliberating.vote(topic, takes_paper=True)


@pytest.fixture
def secret(deliberating, topic):
    return deliberating.vote(topic, named=False, takes_paper=True)


@pytest.fixture
def two(deliberating):
    return deliberating.committee(name="周洁"), deliberating.committee(name="陈晨")


def taken(vote, entry, by, person=None):
    with transaction() as session:
        holding = session.get_one(Person, person.id) if person else None
        code = proxies.take(session.get_one(Vote, vote.id), entry.number, "李建国", holding, *DOCUMENT, by=by)
        return proxies.proxy(session.get_one(Vote, vote.id), code).id


def changed(vote, **values):
    with transaction() as session:
        session.execute(sa.update(Vote).where(Vote.id == vote.id).values(**values))


def test_who_began_a_box_enters_it_first(deliberating, named, two):
    line, number = deliberating.entry(named).number, begun(named, two[0])
    with pytest.raises(Refused, match="另一个人独立"):
        entered(named, number, {line: 1}, two[1])
    assert the(PaperBatch, number).state is BatchState.FIRST


@pytest.mark.parametrize("state", [VoteState.DRAFT, VoteState.ROLL, VoteState.COUNTED, VoteState.CANCELLED])
def test_papers_are_entered_between_opening_and_counting(deliberating, topic, two, state):
    vote = deliberating.vote(topic, takes_paper=True, state=state)
    with pytest.raises(Refused, match="投票开始以后、计票以前"):
        begun(vote, two[0])


def test_where_no_paper_is_taken_none_is_entered(deliberating, topic, two):
    with pytest.raises(Refused, match="不收纸质票"):
        begun(deliberating.vote(topic, takes_paper=False), two[0])


def test_once_all_paper_is_said_to_be_in_nothing_is_entered_or_booked(deliberating, named, two):
    line, number = deliberating.entry(named).number, begun(named, two[0])
    entered(named, number, {line: 1}, two[0])
    changed(named, papers_done_at=now())
    for act in (
        lambda: begun(named, two[0]),
        lambda: entered(named, number, {line: 1}, two[1]),
        lambda: booked(named, number, two[0]),
    ):
        with pytest.raises(Refused, match="已经确认纸质票全部录入"):
            act()


def test_not_all_paper_is_in_before_the_last_second_is_over(named, two):
    def all_in():
        with transaction() as session:
            papers.all_in(session.get_one(Vote, named.id), by=two[0])

    with pytest.raises(Refused, match="投票截止以后"):
        all_in()
    over(named)
    all_in()
    with pytest.raises(Refused, match="已经确认过"):
        all_in()


def test_the_paper_of_who_was_struck_off_is_not_entered(deliberating, named, two):
    struck = deliberating.entry(named, struck_at=now(), struck_why="登记有误")
    with pytest.raises(Refused, match="没有这些编号"):
        entered(named, begun(named, two[0]), {struck.number: 1}, two[0])


def test_what_is_booked_is_not_dropped(deliberating, named, two):
    line, number = deliberating.entry(named).number, begun(named, two[0])
    for by in two:
        entered(named, number, {line: 1}, by)
    booked(named, number, two[0])
    with pytest.raises(Refused, match="不能再作废"), transaction() as session:
        papers.drop(session.get_one(PaperBatch, number), "录错了", by=two[0])
    assert the(PaperBatch, number).state is BatchState.BOOKED


def test_only_a_paper_is_brought_back_and_only_before_closing(deliberating, secret, two):
    ((entry, person, actor),) = deliberating.voters(secret, 1)
    paper = deliberating.entry(secret)

    def back(number):
        with transaction() as session:
            papers.take_back(session.get_one(Vote, secret.id), number, "不投了", by=two[0])

    with transaction() as session:
        kept = (
            session.get_one(Vote, secret.id),
            session.get_one(RollEntry, entry.id),
            session.get_one(Person, person.id),
        )
        casting.cast(*kept, 1, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)
        papers.hand_out(session.get_one(Vote, secret.id), paper.number, by=two[0])
    with pytest.raises(Refused, match="没有领过纸质选票"):
        back(entry.number)
    over(secret)
    with pytest.raises(Refused, match="不能再退"):
        back(paper.number)
    assert len(list(db.session.scalars(sa.select(Turnout.entry_id)))) == 2


def test_no_proxy_is_taken_of_who_has_voted_or_may_vote_herself_or_after_closing(deliberating, named, two):
    ((entry, person, actor),) = deliberating.voters(named, 1)
    with pytest.raises(Refused, match="本来就能投"):
        taken(named, entry, two[0], person=person)
    with transaction() as session:
        kept = session.get_one(Vote, named.id), session.get_one(RollEntry, entry.id), session.get_one(Person, person.id)
        casting.cast(*kept, 1, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)
    with pytest.raises(Refused, match="已经投过票，不用再委托"):
        taken(named, entry, two[0])
    other = deliberating.entry(named)
    for state in (VoteState.DRAFT, VoteState.CLOSED, VoteState.COUNTED):
        changed(named, state=state)
        with pytest.raises(Refused, match="截止以前才能登记"):
            taken(named, other, two[0])


def test_of_an_unnamed_vote_a_proxy_holder_has_one_paper_and_nobody_enters_what_he_says(deliberating, secret, two):
    number = taken(secret, deliberating.entry(secret), two[0])

    def hand():
        with transaction() as session:
            vote, found = session.get_one(Vote, secret.id), session.get_one(VoteProxy, number)
            proxies.hand_paper(vote, found, by=two[0])

    with pytest.raises(Refused, match="不能由别人录入选择"), transaction() as session:
        vote, found = session.get_one(Vote, secret.id), session.get_one(VoteProxy, number)
        proxies.vote_by(vote, found, 1, slip=casting.new_slip(), by=two[0])
    hand()
    with pytest.raises(Refused, match="已经用过或撤回"):
        hand()
    with pytest.raises(Refused, match="不能再撤回"), transaction() as session:
        proxies.withdraw(session.get_one(VoteProxy, number), "反悔", by=two[0])
    assert the(VoteProxy, number).state is ProxyState.USED
