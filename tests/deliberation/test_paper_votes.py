"""Paper votes: two people independently, differences shown, booked once; papers handed out and boxes opened."""

import pytest
import sqlalchemy as sa

from portal.core.audit import AuditRow
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.settings import Parameter
from portal.deliberation.models.codes import BatchState, Channel, Stage
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.models.votes import (
    NamedBallot,
    PaperBatch,
    PaperLine,
    SecretBallot,
    Turnout,
    Vote,
)
from portal.deliberation.service import casting, counting, paper_waits, papers, public_log, vote_doors
from tests.deliberation.papered import begun, booked, entered, over, settled, the


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


def state_of(number):
    return the(PaperBatch, number).state


def waiting(by):
    return [(one.count, one.values) for one in vote_doors.todo_of(by) if one.endpoint == vote_doors.BOXES]


def test_the_desk_names_a_box_to_whoever_is_to_go_on_with_it(deliberating, named, two):
    first, second = two
    entry = deliberating.entry(named)
    row = [(1, {"vote_id": named.id})]
    number = begun(named, first)
    assert (waiting(first), waiting(second)) == (row, [])
    entered(named, number, {entry.number: 1}, first)
    assert (waiting(first), waiting(second)) == ([], row)
    entered(named, number, {entry.number: 2}, second)
    third = deliberating.committee(name="吴静")
    assert (waiting(first), waiting(second), waiting(third)) == (row, row, [])
    settled(named, number, {entry.number: 1}, first)
    assert (waiting(first), waiting(second)) == ([], row), "what one of the two proposes, the other confirms"
    settled(named, number, {entry.number: 1}, second)
    assert waiting(third) == row, "anybody may book what both agreed on"
    booked(named, number, first)
    assert waiting(first) == waiting(second) == []


def test_a_third_person_is_told_of_what_differs_where_the_place_wants_one(deliberating, named, two):
    entry, number = deliberating.entry(named), begun(named, two[0])
    for by, choice in zip(two, (1, 2), strict=True):
        entered(named, number, {entry.number: choice}, by)
    with transaction() as session:
        session.add(Parameter(key=papers.THIRD, value="1", valid_from=today(), set_at=now(), set_by="测试"))
    assert waiting(two[0]) == waiting(two[1]) == []
    assert waiting(deliberating.committee(name="吴静")) == [(1, {"vote_id": named.id})]


def test_two_people_enter_a_box_and_what_they_agree_on_is_booked_once(deliberating, named, two):
    first, second = two
    entries = [deliberating.entry(named) for _number in range(3)]
    said = {one.number: choice for one, choice in zip(entries, (1, 2, 0), strict=True)}
    number = begun(named, first)
    entered(named, number, said, first)
    assert state_of(number) is BatchState.SECOND
    with pytest.raises(Refused, match="不能由同一个人录两遍"):
        entered(named, number, said, first)
    entered(named, number, said, second)
    assert state_of(number) is BatchState.AGREED
    booked(named, number, first)
    with pytest.raises(Refused, match="已经入账"):
        booked(named, number, second)
    ballots = list(db.session.scalars(sa.select(NamedBallot).order_by(NamedBallot.entry_id)))
    assert [(one.choice, one.channel) for one in ballots] == [
        (1, Channel.PAPER),
        (2, Channel.PAPER),
        (0, Channel.PAPER),
    ]
    assert the(PaperBatch, number).booked == 3


def test_what_two_people_enter_differently_is_shown_and_looked_at_again(deliberating, named, two):
    first, second = two
    one, other, third = (deliberating.entry(named).number for _number in range(3))
    number = begun(named, first)
    entered(named, number, {one: 1, other: 2}, first)
    entered(named, number, {one: 1, other: 3, third: 1}, second)
    assert state_of(number) is BatchState.DIFFERS
    found = papers.differences(the(Vote, named.id), the(PaperBatch, number))
    assert [(each.number, each.first, each.second) for each in found] == [(other, 2, 3), (third, None, 1)]
    with pytest.raises(Refused, match="还没有核对一致"):
        booked(named, number, first)
    stranger = deliberating.committee(name="外人")
    with pytest.raises(Refused, match="两个人都说一样的才算"):
        settled(named, number, {other: 3, third: None}, stranger)
    settled(named, number, {other: 3, third: None}, second)
    settled(named, number, {other: 3, third: None}, first)
    booked(named, number, second)
    rows = db.session.execute(sa.select(NamedBallot.entry_id, NamedBallot.choice).order_by(NamedBallot.entry_id))
    assert [choice for _entry, choice in rows] == [1, 3]


def differing(deliberating, named, two):
    """A box in which the two entered one paper differently; its number and the paper's."""
    line = deliberating.entry(named).number
    number = begun(named, two[0])
    for by, choice in zip(two, (1, 2), strict=True):
        entered(named, number, {line: choice}, by)
    return number, line


def test_neither_of_the_two_settles_a_difference_alone(deliberating, named, two):
    first, second = two
    number, line = differing(deliberating, named, two)
    for choice in (2, 2, 3):
        settled(named, number, {line: choice}, second)
        assert state_of(number) is BatchState.DIFFERS
        with pytest.raises(Refused, match="还没有核对一致"):
            booked(named, number, second)
    # Of the other it must be the same word; another word is a proposal in its turn.
    settled(named, number, {line: 1}, first)
    assert state_of(number) is BatchState.DIFFERS
    settled(named, number, {line: 1}, second)
    assert state_of(number) is BatchState.AGREED
    assert the(PaperBatch, number).settled_by_name == "周洁、陈晨"
    booked(named, number, second)
    assert db.session.scalars(sa.select(NamedBallot.choice)).one() == 1


def test_where_the_place_will_a_third_person_settles_and_neither_of_the_two(deliberating, named, two, make):
    make.add(Parameter(key=papers.THIRD, value=1, valid_from=today(), set_at=now(), set_by="测试"))
    number, line = differing(deliberating, named, two)
    for by in two:
        with pytest.raises(Refused, match="第三个人"):
            settled(named, number, {line: 2}, by)
    settled(named, number, {line: 2}, deliberating.committee(name="刘洋"))
    assert state_of(number) is BatchState.AGREED
    assert the(PaperBatch, number).settled_by_name == "刘洋"
    booked(named, number, two[0])
    assert db.session.scalars(sa.select(NamedBallot.choice)).one() == 2


def test_a_difference_is_settled_whole(deliberating, named, two):
    number, line = differing(deliberating, named, two)
    for chosen in ({}, {line: 1, line + 1: 1}):
        with pytest.raises(Refused, match="差异有变化"):
            settled(named, number, chosen, two[0])


def test_a_paper_of_who_has_voted_by_phone_is_laid_aside(deliberating, named, two):
    first, second = two
    (entry, person, actor), (late, _p, _a) = deliberating.voters(named, 2)
    with transaction():
        vote = db.session.get_one(Vote, named.id)
        casting.cast(vote, entry, person, 1, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)
    number = begun(named, first)
    for one in two:
        entered(named, number, {entry.number: 2, late.number: 2}, one)
    booked(named, number, first)
    found = the(PaperBatch, number)
    assert (found.booked, found.aside) == (1, [entry.number])
    assert casting.newest(entry).choice == 1
    assert second.name == found.second_by_name


def test_a_phone_vote_after_the_booked_paper_is_refused(deliberating, named, two):
    ((entry, person, actor),) = deliberating.voters(named, 1)
    number = begun(named, two[0])
    for one in two:
        entered(named, number, {entry.number: 2}, one)
    booked(named, number, two[0])
    with pytest.raises(Refused), transaction():
        vote = db.session.get_one(Vote, named.id)
        casting.cast(vote, entry, person, 1, slip=casting.new_slip(), channel=Channel.PHONE, by=actor)


@pytest.mark.parametrize(("said", "words"), [({}, "还没有录入"), ({9999: 1}, "没有这些编号"), ({1: 7}, "没有选好")])
def test_what_cannot_be_on_a_paper_is_refused(deliberating, named, two, said, words):
    real = deliberating.entry(named).number
    number = begun(named, two[0])
    said = {real if key == 1 else key: choice for key, choice in said.items()}
    with pytest.raises(Refused, match=words):
        entered(named, number, said, two[0])


def handed(secret, deliberating, count, by):
    """So many papers out, and the numbers of who took them."""
    numbers = [deliberating.entry(secret).number for _number in range(count)]
    for number in numbers:
        with transaction():
            papers.hand_out(db.session.get_one(Vote, secret.id), number, by=by)
    return numbers


def test_a_handed_paper_is_turnout_at_that_moment_and_is_handed_once(deliberating, secret, two):
    (number,) = handed(secret, deliberating, 1, two[0])
    assert paper_waits.handed_out(secret) == 1
    with pytest.raises(Refused, match="不能再发"), transaction():
        papers.hand_out(db.session.get_one(Vote, secret.id), number, by=two[0])
    with transaction():
        papers.take_back(db.session.get_one(Vote, secret.id), number, "改用手机投", by=two[0])
    assert paper_waits.handed_out(secret) == 0
    facts = [row.facts for row in db.session.scalars(sa.select(AuditRow).where(AuditRow.action.like("%paper%")))]
    assert not any("entry" in one or "number" in one for one in facts)


def test_the_box_of_an_unnamed_vote_is_opened_after_closing_only(deliberating, secret, two):
    handed(secret, deliberating, 6, two[0])
    with pytest.raises(Refused, match="要等投票截止"):
        begun(secret, two[0])


def test_a_box_becomes_ballots_without_a_trace_of_who_and_its_figures_are_forgotten(deliberating, secret, two):
    handed(secret, deliberating, 6, two[0])
    over(secret)
    number = begun(secret, two[0])
    for one in two:
        entered(secret, number, {1: 3, 2: 2, 3: 0, 0: 1}, one)
    booked(secret, number, two[0])
    choices = sorted(db.session.scalars(sa.select(SecretBallot.choice)))
    assert choices == [0, 1, 1, 1, 2, 2]
    assert list(db.session.scalars(sa.select(PaperLine.id))) == []
    assert the(PaperBatch, number).booked == 6
    assert list(db.session.scalars(sa.select(NamedBallot.id))) == []


def test_a_box_of_fewer_than_five_papers_is_not_entered_alone(deliberating, secret, two):
    handed(secret, deliberating, 6, two[0])
    over(secret)
    number = begun(secret, two[0])
    with pytest.raises(Refused, match="不足 5 张"):
        entered(secret, number, {1: 3, 2: 1, 3: 0, 0: 0}, two[0])
    entered(secret, number, {1: 3, 2: 2, 3: 0, 0: 0}, two[0])


def test_there_are_never_more_papers_in_the_boxes_than_were_handed_out(deliberating, secret, two):
    handed(secret, deliberating, 6, two[0])
    over(secret)
    with pytest.raises(Refused, match="多了"):
        entered(secret, begun(secret, two[0]), {1: 7, 2: 0, 3: 0, 0: 0}, two[0])
    both = [begun(secret, two[0]), begun(secret, two[0])]
    for number in both:
        for one in two:
            entered(secret, number, {1: 5, 2: 0, 3: 0, 0: 0}, one)
    booked(secret, both[0], two[0])
    with pytest.raises(Refused, match="多了"):
        booked(secret, both[1], two[0])
    assert len(list(db.session.scalars(sa.select(SecretBallot.key)))) == 5


def test_nothing_is_counted_before_the_committee_says_that_all_paper_is_in(deliberating, secret, two):
    handed(secret, deliberating, 6, two[0])
    over(secret)
    with transaction():
        counting.close(db.session.get_one(Vote, secret.id))
    assert counting.hindrance(the(Vote, secret.id))
    number = begun(secret, two[0])
    with pytest.raises(Refused, match="没有入账"), transaction():
        papers.all_in(db.session.get_one(Vote, secret.id), by=two[0])
    for one in two:
        entered(secret, number, {1: 4, 2: 2, 3: 0, 0: 0}, one)
    booked(secret, number, two[0])
    with transaction():
        papers.all_in(db.session.get_one(Vote, secret.id), by=two[0])
    assert counting.hindrance(the(Vote, secret.id)) == ""
    with transaction():
        counting.count(db.session.get_one(Vote, secret.id))
    result = counting.result_of(the(Vote, secret.id))
    assert {one.number: one.heads for one in result.tallies if one.heads} == {1: 4, 2: 2}
    with pytest.raises(Refused):
        begun(secret, two[0])


def test_papers_that_are_too_few_to_be_opened_are_told_to_everybody(deliberating, secret, two, client, make):
    handed(secret, deliberating, 2, two[0])
    over(secret)
    client.sign_in(make.worker())
    assert "不能开箱" in client.get(f"/desk/deliberation/votes/{secret.id}/paper").text
    with transaction():
        vote = db.session.get_one(Vote, secret.id)
        counting.close(vote)
        papers.all_in(vote, by=two[0])
    entry = db.session.scalars(sa.select(TopicEntry).where(TopicEntry.deed == "papers_all_in")).one()
    assert "有 2 张没有计入" in public_log.words_of(entry)


def test_a_batch_entered_by_mistake_is_dropped_with_a_reason_and_counts_nothing(deliberating, named, two):
    entry = deliberating.entry(named)
    number = begun(named, two[0])
    entered(named, number, {entry.number: 1}, two[0])
    with transaction():
        papers.drop(db.session.get_one(PaperBatch, number), "拿错了票箱", by=two[0])
    assert state_of(number) is BatchState.DROPPED
    with pytest.raises(Refused):
        entered(named, number, {entry.number: 1}, two[1])
    assert list(db.session.scalars(sa.select(Turnout.entry_id))) == []


def test_both_who_settle_may_have_long_names(deliberating, named):
    two = [deliberating.committee(name=letter * 60) for letter in "甲乙"]
    number, line = differing(deliberating, named, two)
    for by in two:
        settled(named, number, {line: 1}, by)
    assert the(PaperBatch, number).settled_by_name == f"{'甲' * 60}、{'乙' * 60}"
