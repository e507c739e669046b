"""The road of a topic: every move with its guards, dates, what is skipped and why, who is told."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import STAGE_MOVES, OpinionState, OutcomeState, Stage, VoteState
from portal.deliberation.models.opinions import Opinion
from portal.deliberation.models.outcomes import Outcome
from portal.deliberation.models.topics import Topic, TopicEntry, TopicStage
from portal.deliberation.service import guards, moving, public_log, telling
from portal.notifications import wording
from tests.deliberating import Deliberating
from tests.make import Make


def _move(topic: Topic, to: Stage, deliberating: Deliberating, **more: Any) -> Topic:
    by = deliberating.committee()
    with transaction() as session:
        return moving.move(session.get_one(Topic, topic.id), to, by=by, **more)


def _deeds(topic: Topic) -> list[str]:
    query = sa.select(TopicEntry).where(TopicEntry.topic_id == topic.id).order_by(TopicEntry.id)
    return [entry.deed for entry in db.session.scalars(query)]


def test_a_draft_is_published_for_its_days_and_everybody_may_read_it(make: Make, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.DRAFT)
    until = today() + timedelta(days=14)
    _move(topic, Stage.COLLECTING, deliberating, until=until)
    topic = make.read(topic)
    assert topic.stage is Stage.COLLECTING
    assert topic.stage_until == until
    assert topic.is_public
    assert _deeds(topic) == ["published"]


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({"summary": "太短"}, "大白话"),
        ({"binding_words": ""}, "以后怎么办"),
        ({"communities": []}, "哪些社区"),
        ({"title": "（几）号楼（几）单元加装电梯"}, "还没有填：（几）。"),
        ({"parties": "none"}, "工作主体"),
    ],
)
def test_a_draft_that_lacks_something_is_not_published(deliberating: Deliberating, lacking: Any, words: str):
    parties = lacking.pop("parties", "")
    topic = deliberating.topic(stage=Stage.DRAFT, **lacking)
    lacking |= {"parties": parties} if parties else {}
    if parties:
        with transaction() as session:
            for party in session.get_one(Topic, topic.id).parties:
                session.delete(party)
    with pytest.raises(Refused, match=words):
        _move(topic, Stage.COLLECTING, deliberating, until=today() + timedelta(days=14))


@pytest.mark.parametrize(("days", "fine"), [(6, False), (7, True), (730, True), (731, False)])
def test_collecting_lasts_at_least_its_days_and_at_most_two_years(deliberating: Deliberating, days: int, fine: bool):
    topic = deliberating.topic(stage=Stage.DRAFT)
    if fine:
        _move(topic, Stage.COLLECTING, deliberating, until=today() + timedelta(days=days))
        return
    with pytest.raises(Refused):
        _move(topic, Stage.COLLECTING, deliberating, until=today() + timedelta(days=days))


def test_collecting_needs_a_last_day(deliberating: Deliberating):
    with pytest.raises(Refused, match="到哪一天"):
        _move(deliberating.topic(stage=Stage.DRAFT), Stage.COLLECTING, deliberating)


def test_a_statement_outlives_its_writer_as_something_that_was_heard(make: Make, deliberating: Deliberating):
    topic = deliberating.topic(stage_until=today() - timedelta(days=1))
    make.add(Opinion(topic_id=topic.id, words="想问大家", state=OpinionState.SHOWN, entered_by_name="周洁"))
    assert guards.outreach(topic) == 0
    make.add(Opinion(topic_id=topic.id, words="要装电梯", state=OpinionState.SHOWN))
    assert guards.outreach(topic) == 1


def test_collecting_ends_only_after_its_last_day_and_when_somebody_was_heard(deliberating: Deliberating):
    topic = deliberating.topic(stage_until=today())
    with pytest.raises(Refused, match="过了这一天"):
        _move(topic, Stage.MEETING, deliberating)
    topic = deliberating.topic(stage_until=today() - timedelta(days=1))
    with pytest.raises(Refused, match="征求意见"):
        _move(topic, Stage.MEETING, deliberating)
    deliberating.opinion_of(topic)
    assert _move(topic, Stage.MEETING, deliberating).stage is Stage.MEETING


def test_a_meeting_without_its_report_or_its_quorum_leads_nowhere(make: Make, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    with pytest.raises(Refused, match="还没有开成会"):
        _move(topic, Stage.EXPERTS, deliberating)
    deliberating.reported_meeting(topic, quorum=3, came=2)
    with pytest.raises(Refused, match="法定人数"):
        _move(topic, Stage.EXPERTS, deliberating)
    deliberating.reported_meeting(topic, quorum=3, came=3)
    assert _move(topic, Stage.EXPERTS, deliberating).stage is Stage.EXPERTS


def test_a_meeting_held_before_the_topic_came_here_does_not_count(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    deliberating.reported_meeting(topic, reported_at=now() - timedelta(days=3))
    with pytest.raises(Refused, match="还没有开成会"):
        _move(topic, Stage.EXPERTS, deliberating)


def test_what_is_skipped_asks_a_reason_each_and_is_published(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    deliberating.reported_meeting(topic)
    with pytest.raises(Refused, match="专家咨询"):
        _move(topic, Stage.VOTING, deliberating, why="急")
    skipping = {Stage.EXPERTS: "不是技术问题", Stage.HEARING: "会上没有争议"}
    _move(topic, Stage.VOTING, deliberating, skipping=skipping)
    rows = db.session.scalars(sa.select(TopicStage).where(TopicStage.topic_id == topic.id, TopicStage.skipped))
    assert {row.stage: row.why for row in rows} == skipping
    assert _deeds(topic) == ["skipped", "skipped", "moved"]


def test_an_optional_stage_without_a_result_ends_with_a_reason(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.EXPERTS)
    with pytest.raises(Refused, match="专家"):
        _move(topic, Stage.HEARING, deliberating)
    assert _move(topic, Stage.HEARING, deliberating, why="请的专家都没有空").stage is Stage.HEARING


def test_going_back_and_withdrawing_ask_a_reason(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.VOTING)
    for to in (Stage.MEETING, Stage.WITHDRAWN):
        with pytest.raises(Refused, match="原因"):
            _move(topic, to, deliberating)
    assert _move(topic, Stage.MEETING, deliberating, why="到场的人不够").stage is Stage.MEETING
    assert _move(topic, Stage.WITHDRAWN, deliberating, why="政策变了，不用再议").stage is Stage.WITHDRAWN
    assert _deeds(topic) == ["sent_back", "withdrawn"]


def test_every_move_that_is_not_in_the_table_is_refused(deliberating: Deliberating):
    for start in Stage:
        topic = deliberating.topic(stage=start)
        for to in set(Stage) - STAGE_MOVES[start]:
            with pytest.raises(Refused, match="不能进入"):
                _move(topic, to, deliberating, why="试一试行不行")


def test_followers_are_told_of_a_move_and_a_draft_tells_nobody(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.VOTING)
    deliberating.follower(topic)
    _move(topic, Stage.MEETING, deliberating, why="到场的人不够")
    row = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "deliberation.topic_moved")).one()
    assert row.facts["stage"] == "meeting"
    assert row.facts["title"] == topic.title


def test_a_stage_is_only_made_longer(make: Make, deliberating: Deliberating):
    topic, by = deliberating.topic(), deliberating.committee()
    said = topic.stage_until
    assert said is not None
    with pytest.raises(Refused, match="往后延"), transaction() as session:
        moving.extend(session.get_one(Topic, topic.id), said, why="想听更多人", by=by)
    with transaction() as session:
        moving.extend(session.get_one(Topic, topic.id), said + timedelta(days=7), why="想听更多人", by=by)
    assert make.read(topic).stage_until == said + timedelta(days=7)


def test_two_who_move_a_topic_move_it_once(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.VOTING)
    _move(topic, Stage.WITHDRAWN, deliberating, why="政策变了，不用再议")
    with pytest.raises(Refused, match="刷新"):
        _move(topic, Stage.WITHDRAWN, deliberating, why="政策变了，不用再议")


def test_whoever_follows_a_draft_is_told_when_it_is_published(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.DRAFT)
    deliberating.follower(topic)
    _move(topic, Stage.COLLECTING, deliberating, until=today() + timedelta(days=14))
    row = db.session.scalars(sa.select(OutboxRow)).one()
    assert row.topic == "deliberation.topic_published"


def test_a_follower_whose_record_was_merged_is_told_once(make: Make, deliberating: Deliberating):
    topic, person = deliberating.topic(), make.person("赵桂兰")
    twin = make.person("赵桂兰", merged_into_id=person.id)
    for one in (person, twin):
        deliberating.follower(topic, one)
    with transaction() as session:
        assert telling.tell_followers(session.get_one(Topic, topic.id), "topic_extended", until="", why="") == 1


def test_what_is_announced_or_published_is_ended_before_a_topic_is_withdrawn(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    deliberating.meeting(topic)
    with pytest.raises(Refused, match="通知出去的会"):
        _move(topic, Stage.WITHDRAWN, deliberating, why="政策变了，不用再议")
    topic = deliberating.topic(stage=Stage.VOTING)
    deliberating.vote(topic)
    with pytest.raises(Refused, match="没结束的表决"):
        _move(topic, Stage.WITHDRAWN, deliberating, why="政策变了，不用再议")


def test_a_notice_that_runs_holds_the_topic_and_one_that_stood_lets_it_go(make: Make, deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.NOTICE)
    with pytest.raises(Refused, match="先公示结果"):
        _move(topic, Stage.FOLLOW_UP, deliberating)
    outcome = make.add(Outcome(topic_id=topic.id, title="决定", words="同意", days=7, state=OutcomeState.PUBLISHED))
    with pytest.raises(Refused, match="公示期里"):
        _move(topic, Stage.FOLLOW_UP, deliberating)
    with pytest.raises(Refused, match="公示期里"):
        _move(topic, Stage.MEETING, deliberating, why="有人不同意")
    with transaction() as session:
        found = session.get_one(Outcome, outcome.id)
        found.state, found.closed_at = OutcomeState.STANDS, now()
    assert _move(topic, Stage.FOLLOW_UP, deliberating).stage is Stage.FOLLOW_UP


def test_a_vote_counted_before_the_topic_came_here_does_not_count(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.VOTING)
    vote: dict[str, Any] = {"state": VoteState.COUNTED, "result": {"quorum_met": True}}
    deliberating.vote(topic, counted_at=now() - timedelta(days=9), **vote)
    with pytest.raises(Refused, match="还没有计票"):
        _move(topic, Stage.NOTICE, deliberating)
    deliberating.vote(topic, counted_at=now(), **vote)
    assert _move(topic, Stage.NOTICE, deliberating).stage is Stage.NOTICE


@pytest.mark.parametrize("event", ["topic_published", "topic_moved", "topic_extended"])
def test_notices_of_topics_have_their_words(app: Flask, event: str):
    facts = {"person": "王秀英", "title": "电梯的事", "stage": "meeting", "start": "collecting", "until": "2026-12-01"}
    with app.test_request_context():
        words = wording.words_for(f"deliberation.{event}", facts | {"why": "想听更多人", "topic_id": 1})
    assert "电梯的事" in words.title
    assert "12月1日" in words.body


DEED = re.compile(r"""(?:\blog|public_log\.log)\(\s*[\w.]+,\s*"(\w+)\"""")


def test_every_deed_that_the_code_writes_has_its_words():
    service = Path(guards.__file__).parent
    written = {deed for file in service.glob("*.py") for deed in DEED.findall(file.read_text())}
    assert len(written) > 5
    assert written <= set(public_log.deeds())


def test_every_deed_has_its_words(deliberating: Deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    deliberating.reported_meeting(topic)
    _move(topic, Stage.VOTING, deliberating, why="事情急，大家没有争议")
    entries, more = public_log.entries(topic)
    assert not more
    assert all(public_log.words_of(entry) != entry.deed for entry in entries)


def test_the_stages_between_are_those_of_the_road():
    assert guards.skipped(Stage.MEETING, Stage.NOTICE) == (Stage.EXPERTS, Stage.HEARING, Stage.VOTING)
    assert guards.skipped(Stage.NOTICE, Stage.MEETING) == ()
    assert guards.skipped(Stage.DRAFT, Stage.COLLECTING) == ()
