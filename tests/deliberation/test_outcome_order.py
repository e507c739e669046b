"""Outcomes in their order: one at a time, one last day for it and its topic, nobody's objection lost on the way."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import calendar
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import AskState, OutcomeState, Stage, VoteState
from portal.deliberation.models.meetings import Expert
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import guards, moving, objections, outcomes
from tests.client import Client
from tests.deliberation.held import changed_elsewhere, locks

SAID = outcomes.Decided("结果", "装一部电梯。", 7)


@pytest.fixture
def by(deliberating):
    return deliberating.committee()


def written(deliberating, topic, **more) -> Outcome:
    facts = {"title": "加装电梯的结果", "words": "装一部电梯，费用按楼层分摊。", "days": 7, "made_by_name": "周洁"}
    return deliberating.make.add(Outcome(topic_id=topic.id, **facts | more))


def in_notice(deliberating, ends_on=None) -> Outcome:
    end = ends_on or today() + timedelta(days=5)
    topic = deliberating.topic(stage=Stage.NOTICE, stage_until=end)
    return written(deliberating, topic, state=OutcomeState.PUBLISHED, ends_on=end, published_at=now())


def objected(outcome, person) -> Objection:
    with transaction() as session:
        return objections.make(session.get_one(Outcome, outcome.id), session.merge(person), words="电费没有说清楚。")


def act(row, call):
    with transaction() as session:
        return call(session.get_one(type(row), row.id))


def again(row):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(type(row), row.id)


def test_a_longer_notice_is_longer_for_what_was_published_too(deliberating, by):
    outcome = in_notice(deliberating)
    asked = today() + timedelta(days=12)
    with transaction():
        calendar.set_day(asked, works=False, name="假日")
    until = asked + timedelta(days=1)
    while not calendar.is_working_day(until):
        until += timedelta(days=1)
    topic = db.session.get_one(Topic, outcome.topic_id)
    act(topic, lambda row: moving.extend(row, asked, why="多留几天看", by=by))
    assert again(outcome).ends_on == again(topic).stage_until == until
    assert outcomes.takes_objections(again(outcome), until)


def test_of_two_drafts_one_is_published(deliberating, by):
    topic = deliberating.topic(stage=Stage.NOTICE)
    first, second = written(deliberating, topic), written(deliberating, topic)
    act(first, lambda row: outcomes.publish(row, by=by))
    with pytest.raises(Refused, match="正在公示"):
        act(second, lambda row: outcomes.publish(row, by=by))
    assert again(second).state is OutcomeState.DRAFT


def test_writing_and_publishing_hold_the_topic_and_read_it_anew(deliberating, by):
    topic = deliberating.topic(stage=Stage.NOTICE)
    with locks() as held:
        made = act(topic, lambda row: outcomes.write(row, SAID, by=by))
    assert held[:1] == ["topic"]
    with locks() as held:
        act(made, lambda row: outcomes.publish(row, by=by))
    assert held[:1] == ["topic"]
    other = deliberating.topic(stage=Stage.NOTICE)
    with pytest.raises(Refused, match="不能写结果"), transaction() as session:
        found = session.get_one(Topic, other.id)
        changed_elsewhere(found, stage=Stage.FOLLOW_UP)
        outcomes.write(found, SAID, by=by)


def test_a_refused_move_keeps_no_answer_back(make, deliberating, by):
    outcome = in_notice(deliberating, ends_on=today())
    asked = objected(outcome, make.person())
    deliberating.vote(again(outcome).topic)
    with transaction():
        db.session.execute(sa.update(Outcome).values(ends_on=today() - timedelta(days=1)))
    act(asked, lambda row: objections.deny(row, answer="方案里有电费一节。", by=by))
    assert again(asked).state is AskState.DENIED
    assert again(outcome).state is OutcomeState.PUBLISHED


def test_nobody_objects_to_what_was_taken_down_meanwhile(make, deliberating):
    outcome, person = in_notice(deliberating), make.person()
    with pytest.raises(Refused, match="已经结束"), transaction() as session:
        found = session.get_one(Outcome, outcome.id)
        changed_elsewhere(found, state=OutcomeState.SENT_BACK)
        objections.make(found, session.merge(person), words="电费没有说清楚。")
    with locks() as held:
        objected(outcome, person)
    assert held[:1] == ["outcome"]


def test_taking_down_holds_the_outcome_before_it_answers(app, make, deliberating, by):
    outcome, other = in_notice(deliberating), in_notice(deliberating)
    asked = objected(outcome, make.person())
    uphold = {"answer": "说得对。", "why": "费用没有说清楚", "by": by}
    with locks() as held:
        act(asked, lambda row: objections.uphold(row, Stage.HEARING, **uphold))
    assert "outcome" in held
    waits = objected(other, make.person("李小红"))
    desk = app.test_client().sign_in(make.worker())
    assert isinstance(desk, Client)
    said = {"to": "hearing", "why": "费用没有说清楚", "idem": "t"}
    with locks() as held:
        assert desk.post(f"/desk/deliberation/outcomes/{other.id}/take-down", data=said).status_code == 303
    assert "outcome" in held
    assert again(waits).state is AskState.UPHELD


@pytest.mark.parametrize(("met", "goes"), [(False, False), (True, True)])
def test_a_vote_too_few_took_part_in_is_not_stepped_round(deliberating, by, met, goes):
    topic = deliberating.topic(stage=Stage.HEARING)
    deliberating.reported_meeting(topic, came=1)
    vote = deliberating.vote(topic, state=VoteState.COUNTED, counted_at=now(), result={"quorum_met": met})
    wrong = [flaw for flaw in guards.flaws(topic, Stage.NOTICE) if not flaw.heals]
    assert (not wrong) is goes
    assert guards.flaws(topic, Stage.VOTING) == []
    assert ([one.id for one in outcomes.votes_of(topic)] == [vote.id]) is goes
    if not goes:
        with pytest.raises(Refused, match="计过票"):
            act(topic, lambda row: outcomes.write(row, outcomes.Decided("结果", "装。", 7, vote.id), by=by))


def test_advice_that_was_withdrawn_is_none(make, deliberating):
    topic = deliberating.topic(stage=Stage.EXPERTS, entered_at=now() - timedelta(days=1))
    expert = make.add(Expert(topic_id=topic.id, name="张工", field="电梯", published_at=now()))
    assert guards.flaws(topic, Stage.HEARING) == []
    with transaction() as session:
        session.get_one(Expert, expert.id).withdrawn_at = now()
    assert [flaw.heals for flaw in guards.flaws(topic, Stage.HEARING)] == [True]


def test_what_was_withdrawn_is_over_as_what_was_archived(deliberating, by):
    topic = deliberating.topic(stage=Stage.MEETING)
    act(topic, lambda row: moving.move(row, Stage.WITHDRAWN, by=by, why="大家不同意再谈"))
    assert again(topic).archived_at is not None
