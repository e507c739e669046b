"""Outcomes in their order: one at a time, one last day for it and its topic, nobody's objection lost on the way."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.core import calendar
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import AskState, OutcomeState, Stage, TaskState, VoteState
from portal.deliberation.models.meetings import Expert
from portal.deliberation.models.outcomes import FollowUp, FollowUpStep, Objection, Outcome, Project
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import guards, moving, objections, outcome_doors, outcomes, topics
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


def test_an_outcome_is_never_shorter_than_the_notice_that_was_announced(deliberating, by):
    announced = moving.on_workday(today() + timedelta(days=40))
    topic = deliberating.topic(stage=Stage.NOTICE, stage_until=announced)
    outcome = written(deliberating, topic, days=1)
    assert outcomes.ends_for(outcome, today()) == announced
    act(outcome, lambda row: outcomes.publish(row, by=by))
    assert again(outcome).ends_on == again(topic).stage_until == announced
    later = written(deliberating, deliberating.topic(stage=Stage.NOTICE, stage_until=today()))
    act(later, lambda row: outcomes.publish(row, by=by))
    assert again(later).ends_on == outcomes.last_day(today(), 7)


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


def test_a_draft_is_changed_by_who_saw_it_last(deliberating, by):
    outcome = written(deliberating, deliberating.topic(stage=Stage.NOTICE))
    act(outcome, lambda row: outcomes.edit(row, SAID, seen=1, by=by))
    with pytest.raises(Refused, match="刚刚有人改过"):
        act(outcome, lambda row: outcomes.edit(row, outcomes.Decided("别的", "不装了。", 7), seen=1, by=by))
    assert again(outcome).words == SAID.words


def test_an_objection_is_answered_in_words_and_once(make, deliberating, by):
    objection = objected(in_notice(deliberating), make.person())
    with pytest.raises(Refused, match="请写答复"):
        act(objection, lambda row: objections.deny(row, answer="  ", by=by))
    act(objection, lambda row: objections.deny(row, answer="图纸上写了。", by=by))
    with pytest.raises(Refused, match="已经答复过"):
        act(objection, lambda row: objections.deny(row, answer="另一个答复。", by=by))
    with pytest.raises(Refused, match="已经答复过"):
        act(objection, objections.withdraw)
    assert (again(objection).state, again(objection).answer) == (AskState.DENIED, "图纸上写了。")


def test_who_lives_elsewhere_and_is_on_no_roll_does_not_object(make, deliberating):
    outcome = in_notice(deliberating)
    neighbour, hers = deliberating.person_with_account()
    _stranger, his = deliberating.person_with_account("李建国", community=make.community("桃源社区"))
    assert objections.who_may(outcome, deliberating.actor(hers)).id == neighbour.id
    with pytest.raises(Refused):
        objections.who_may(outcome, deliberating.actor(his))


def test_a_project_that_is_not_through_its_steps_holds_the_archive_up_unless_somebody_says_why(deliberating, by):
    topic = deliberating.topic(stage=Stage.FOLLOW_UP)
    facts = {"position": 1, "owner": by.public_id, "owner_name": by.name, "due_on": today()}
    deliberating.make.add(FollowUp(topic_id=topic.id, title="请设计院来看", state=TaskState.DONE, **facts))
    project = deliberating.make.add(Project(topic_id=topic.id, name="加装电梯", facts={}))
    with pytest.raises(Refused, match="五步还没有走完"):
        act(topic, lambda row: moving.move(row, Stage.ARCHIVED, by=by))
    assert [flaw.heals for flaw in guards.flaws(again(topic), Stage.ARCHIVED)] == [True]
    with transaction() as session:
        session.get_one(Project, project.id).ended_at = now()
    assert guards.flaws(again(topic), Stage.ARCHIVED) == []
    with transaction() as session:
        session.get_one(Project, project.id).ended_at = None
    act(topic, lambda row: moving.move(row, Stage.ARCHIVED, by=by, why="物业已经自己装好了"))
    assert again(topic).stage is Stage.ARCHIVED


def test_photographs_of_what_became_of_it_are_forgotten_with_the_topic_and_the_words_stay(deliberating):
    archived = {"stage": Stage.ARCHIVED, "archived_at": now() - timedelta(days=40)}
    steps = []
    for topic in (deliberating.topic(**archived), deliberating.topic(stage=Stage.FOLLOW_UP)):
        facts = {"owner": "w", "owner_name": "周洁", "due_on": today()}
        task = deliberating.make.add(FollowUp(topic_id=topic.id, title="请设计院来看", **facts))
        pictured = {"photo": b"picture", "photo_words": "量尺寸"}
        steps.append(deliberating.make.add(FollowUpStep(task_id=task.id, words="量好了", percent=40, **pictured)))
    with transaction():
        assert outcome_doors.purge(today() - timedelta(days=50)) == 0
    with transaction():
        assert outcome_doors.purge(today() - timedelta(days=30)) == 1
    assert [(again(one).photo, one.photo_words, one.words) for one in steps] == [
        (None, "", "量好了"),
        (b"picture", "量尺寸", "量好了"),
    ]


@pytest.mark.parametrize("struck", [False, True])
def test_who_lives_elsewhere_objects_by_a_line_that_is_not_struck_off(make, deliberating, struck):
    outcome = in_notice(deliberating)
    vote = deliberating.vote(db.session.get_one(Topic, outcome.topic_id), state=VoteState.COUNTED)
    away, account = deliberating.person_with_account("李建国", community=make.community("桃源社区"))
    deliberating.entry(vote, away, struck_at=now() if struck else None)
    act(outcome, lambda row: setattr(row, "vote_id", vote.id))
    actor = deliberating.actor(account)
    if not struck:
        assert objections.who_may(again(outcome), actor).id == away.id
        return
    with pytest.raises(Refused):
        objections.who_may(again(outcome), actor)


def test_words_from_before_the_figure_do_not_keep_a_project_from_being_saved(make, deliberating, client: Client):
    topic = deliberating.topic(stage=Stage.FOLLOW_UP)
    held = {"need": {"who": "居民", "group": "老人", "supports": "十几户"}}
    deliberating.make.add(Project(topic_id=topic.id, name="加装电梯", facts=held))
    client.sign_in(make.worker())
    path = f"/desk/deliberation/topics/{topic.id}/project"
    said = {"who": "居民", "group": "老人", "supports": "12", "version": 1, "idem": "s"}
    assert client.post(path, data=said).status_code == 303
    assert db.session.scalars(sa.select(Project)).one().facts["need"]["supports"] == 12


def test_a_topic_that_she_objected_to_is_among_those_she_takes_part_in(deliberating):
    outcome, person = in_notice(deliberating), deliberating.person_with_account()[0]
    assert topics.listed(topics.Seeking(mine=person)) == ([], False)

    objected(outcome, person)

    assert [one.id for one in topics.listed(topics.Seeking(mine=person))[0]] == [outcome.topic_id]
