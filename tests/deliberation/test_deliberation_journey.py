"""One topic from a neighbour's idea to the archive: a failed quorum, paper votes, a proxy, an objection that holds."""

import re
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.core import settings
from portal.core.clock import at, now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.codes import (
    Body,
    Category,
    Channel,
    Forum,
    MeetingState,
    OutcomeState,
    Part,
    PartyKind,
    Score,
    Stage,
    VoteState,
)
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.outcomes import Objection, Outcome
from portal.deliberation.models.topics import Idea, TopicStage
from portal.deliberation.recount import recount
from portal.deliberation.service import (
    casting,
    counting,
    follow_ups,
    idea_answers,
    ideas,
    meeting_attendance,
    meeting_minutes,
    meeting_notices,
    meeting_reports,
    meeting_running,
    meetings,
    objections,
    opinions,
    outcomes,
    papers,
    proposing,
    proxies,
    ratings,
    rolls,
    rules,
    vote_making,
    vote_notices,
    vote_opening,
    vote_rules,
)
from portal.deliberation.service.topic_keeping import Party, TopicFacts, save
from portal.registry.models import Person
from tests.deliberating import Deliberating
from tests.deliberation.papered import begun, booked, entered
from tests.deliberation.storied import Story
from tests.make import Make

FIRST = date(2026, 3, 2)


@pytest.fixture
def story(app: Flask, make: Make, deliberating: Deliberating) -> Iterator[Story]:
    with time_machine.travel(at(FIRST, time(9)), tick=False) as clock:
        told = Story(app, make, deliberating)
        told.clock = clock
        yield told


def test_a_topic_walks_its_whole_road(story: Story):
    an_idea_becomes_a_topic(story)
    people_are_heard(story)
    they_meet(story, came=6)
    skipping = {Stage.EXPERTS: "电梯公司已经看过现场", Stage.HEARING: "会上没有大的争议"}
    story.move(Stage.VOTING, skipping=skipping)
    a_vote_misses_its_quorum(story)
    they_meet(story, came=7)
    story.move(Stage.VOTING, skipping=skipping)
    a_vote_carries(story)
    an_objection_sends_it_back(story)
    the_outcome_stands(story)
    it_is_carried_out_and_archived(story)
    everybody_can_read_how_it_went(story)


def an_idea_becomes_a_topic(story: Story) -> None:
    with transaction():
        settings.put(ideas.NEEDED, 3, valid_from=FIRST, by="何立新")
    said = proposing.Said("6 号楼加装电梯", "老人上下楼不方便，想请大家商量装电梯", "6 号楼", Category.AFFAIR)
    with transaction():
        idea = proposing.propose(story.person(0), story.make.community(), said).idea
    for number in (1, 2, 3):
        with transaction():
            proposing.support(db.session.get_one(Idea, idea.id), story.person(number))
    with transaction():
        found = db.session.get_one(Idea, idea.id)
        assert found.state.value == "reached"
        story.topic_id = idea_answers.take(found, answer="列为议题，请大家一起商量", by=story.worker).topic.id
    with pytest.raises(Refused, match="工作主体"):
        story.move(Stage.COLLECTING, until=today() + timedelta(days=10))
    facts = TopicFacts(
        title="6 号楼加装电梯",
        summary="6 号楼没有电梯，老人上下楼不方便，想问问大家愿不愿意装，钱怎么分摊。",
        category=Category.AFFAIR,
        forum=Forum.RESIDENTS,
        binding_words="居民会议过半数通过就报街道。",
        parties=(Party(PartyKind.WORKING, "春风里社区居民委员会"), Party(PartyKind.DELIBERATING, "6 号楼居民")),
    )
    with transaction():
        save(story.topic, facts, version=story.topic.version, by=story.worker)
    story.move(Stage.COLLECTING, until=today() + timedelta(days=10))
    assert "现在：民意征集" in story.read(f"/deliberation/topics/{story.topic_id}")


def people_are_heard(story: Story) -> None:
    with transaction():
        opinions.write(story.topic, story.person(4), "装了电梯，买菜看病就方便多了")
    with pytest.raises(Refused, match="过了这一天"):
        story.move(Stage.MEETING)
    story.later(11)
    story.move(Stage.MEETING)


def they_meet(story: Story, *, came: int) -> None:
    with pytest.raises(Refused, match="还没有开成会"):
        story.move(Stage.VOTING, why="会上没有大的争议")
    starts = now() + timedelta(days=5)
    facts = meetings.Facts(
        title="电梯协商会",
        forum=Forum.COUNCIL,
        body="",
        starts_at=starts,
        ends_at=starts + timedelta(hours=2),
        place="社区议事厅",
        seats=30,
        speakers=5,
        entitled=0,
        who="6 号楼居民",
        agenda=(meetings.Line("介绍方案", 15), meetings.Line("大家发言", 40)),
    )
    with transaction():
        number = meetings.make(story.topic, facts, by=story.worker).id
    _meet(number, lambda one: meeting_notices.publish(one, contact="0571-88880000", checked=True, by=story.worker))
    story.clock.move_to(starts)
    for turn in range(came):
        add: dict[str, Any] = {"speaks_for": "", "counts": True, "by": story.worker}
        _meet(number, lambda one, turn=turn, add=add: _sit(one, story.person(turn), add))
    _meet(number, lambda one: meeting_running.open_meeting(one, by=story.worker))
    _meet(number, lambda one: meeting_minutes.save(one, "多数愿意装。", seen=one.minutes_version, by=story.worker))
    story.clock.move_to(starts + timedelta(hours=2))
    _meet(number, lambda one: meeting_running.close(one, by=story.worker))
    _meet(number, lambda one: meeting_reports.publish(one, meeting_reports.draft(one), cover=True, by=story.worker))
    assert db.session.get_one(Meeting, number).state is MeetingState.REPORTED


def _meet(number: int, act: Callable[[Meeting], Any]) -> None:
    with transaction():
        act(db.session.get_one(Meeting, number))


def _sit(meeting: Meeting, person: Person, add: dict[str, Any]) -> None:
    meeting_attendance.mark(meeting_attendance.add(meeting, person, Part.MEMBER, **add))


def _vote_opens(story: Story, *, paper: bool) -> None:
    """A named vote of the residents' meeting: the rule confirmed, the roll up for correction, announced, opened."""
    opens = now() + timedelta(days=6)
    plan = vote_making.Plan(
        question="是否同意给 6 号楼加装电梯？",
        words="",
        body=Body.RESIDENTS_PERSONS,
        matter=0,
        labels=(),
        is_named=True,
        may_change=False,
        takes_paper=paper,
        opens_at=opens,
        closes_at=opens + timedelta(days=3),
    )
    with transaction():
        rules.load_law()
        story.vote_id = vote_making.make(story.topic, plan, by=story.worker).id
    with transaction():
        vote_rules.confirm(story.vote, by=story.worker)
    with transaction():
        rolls.build(story.vote, by=story.worker)
    with transaction():
        rolls.publish(story.vote, until=now() + timedelta(days=3), by=story.worker)
    with transaction():
        vote_notices.publish(story.vote, "0571-88880000", by=story.worker)
    story.clock.move_to(opens)
    with transaction():
        vote_opening.open_vote(story.vote, by_name=story.worker.name)


def _casts(story: Story, number: int, choice: int) -> str:
    with transaction():
        person = story.person(number)
        (entry,) = rolls.entries_of(story.vote, person)
        facts: dict[str, Any] = {"slip": casting.new_slip(), "channel": Channel.PHONE, "by": story.actor(number)}
        return casting.cast(story.vote, entry, person, choice, **facts).code


def _counted(story: Story, *, paper: bool = False) -> None:
    story.clock.move_to(story.vote.closes_at)
    with transaction():
        counting.close(story.vote, by=story.worker)
    if paper:
        with transaction():
            papers.all_in(story.vote, by=story.worker)
    with transaction():
        counting.count(story.vote, by=story.worker)


def a_vote_misses_its_quorum(story: Story) -> None:
    """Five of ten took part, and more than half must."""
    _vote_opens(story, paper=False)
    for number in range(5):
        _casts(story, number, 1)
    with pytest.raises(Refused, match="没结束的表决"):
        story.move(Stage.MEETING, why="参加的人不够")
    _counted(story)
    assert story.vote.state is VoteState.COUNTED
    assert story.vote.result["quorum_met"] is False
    with pytest.raises(Refused, match="参加表决的人不够"):
        story.move(Stage.NOTICE)
    story.move(Stage.MEETING, why="参加表决的人不够一半，再商量")


def a_vote_carries(story: Story) -> None:
    """Three by phone, two on paper entered by two people, one by a written proxy: six of ten, five of them agree."""
    _vote_opens(story, paper=True)
    receipts = [_casts(story, number, 1) for number in (0, 1, 2)]
    numbers = {number: rolls.entries_of(story.vote, story.person(number))[0].number for number in (3, 4, 5)}
    box = begun(story.vote, story.worker)
    said = {numbers[3]: 1, numbers[4]: 2}
    for who in (story.worker, story.colleague):
        entered(story.vote, box, said, who)
    booked(story.vote, box, story.worker)
    with transaction():
        written = (numbers[5], "居民甲某", None, b"%PDF-1.4 proxy", "application/pdf")
        proxy_id = proxies.take(story.vote, *written, by=story.worker)
    with transaction():
        proxy = proxies.proxy(story.vote, proxy_id)
        proxies.vote_by(story.vote, proxy, 1, slip=casting.new_slip(), by=story.worker)
    with pytest.raises(Refused):
        _casts(story, 5, 2)
    _counted(story, paper=True)
    the_result_can_be_recounted(story, receipts)


def the_result_can_be_recounted(story: Story, receipts: list[str]) -> None:
    result = story.vote.result
    assert (result["quorum_met"], result["carried"]) == (True, [1])
    kept = counting.file_of(story.vote)
    assert kept is not None
    checked = recount(kept.content)
    assert not checked.flaws
    assert (checked.heads[1], checked.heads[2]) == (5, 1)
    assert {receipt.replace(" ", "") for receipt in receipts} <= set(checked.receipts)
    assert "6 号楼" in story.read(f"/deliberation/votes/{story.vote_id}")


def _published(story: Story, title: str, **more: Any) -> int:
    with transaction():
        said = outcomes.Decided(title, "同意给 6 号楼加装电梯。", 7, story.vote_id)
        number = outcomes.write(story.topic, said, by=story.worker).id
    with transaction():
        outcomes.publish(db.session.get_one(Outcome, number), by=story.worker, **more)
    return number


def an_objection_sends_it_back(story: Story) -> None:
    number = _published(story, "加装电梯的决定")
    assert story.topic.stage is Stage.NOTICE
    with transaction():
        outcome = db.session.get_one(Outcome, number)
        objections.make(outcome, story.person(6), words="一楼的采光没有算进去")
    with transaction():
        objection = db.session.scalars(sa.select(Objection)).one()
        answer: dict[str, Any] = {"answer": "说得对，请设计院重新算", "why": "方案没有算一楼的采光", "by": story.worker}
        objections.uphold(objection, Stage.HEARING, **answer)
    assert story.topic.stage is Stage.HEARING
    assert db.session.get_one(Outcome, number).state is OutcomeState.SENT_BACK


def the_outcome_stands(story: Story) -> None:
    story.later(1)
    they_hear(story)
    number = _published(story, "改过方案以后的决定", why="表决结果没有变，只改了方案的采光")
    outcome = db.session.get_one(Outcome, number)
    assert outcome.ends_on is not None
    assert number not in outcomes.due()
    story.go(outcome.ends_on + timedelta(days=1))
    assert outcomes.due() == [number]
    with transaction():
        outcomes.stand(number)
    assert story.topic.stage is Stage.FOLLOW_UP


def they_hear(story: Story) -> None:
    """A hearing with its report, held since the topic came back."""
    with transaction():
        story.deliberating.reported_meeting(story.topic, forum=Forum.HEARING, title="采光听证会")


def it_is_carried_out_and_archived(story: Story) -> None:
    with pytest.raises(Refused, match="还没有一件落实事项"):
        story.move(Stage.ARCHIVED)
    owner = follow_ups.owners(story.topic)[0][0]
    with transaction():
        task = follow_ups.Task("装电梯", "招标、施工、验收", owner, today() + timedelta(days=90), 46_000_000)
        number = follow_ups.add(story.topic, task, by=story.worker).id
    with pytest.raises(Refused, match="没办完的落实事项"):
        story.move(Stage.ARCHIVED)
    story.later(60)
    with transaction():
        done = follow_ups.Progress("电梯装好，验收合格", 100, 45_000_000)
        follow_ups.report(follow_ups.task_in(story.topic, number), done, by=story.worker)
    with transaction():
        ratings.rate(story.topic, story.person(0), Score.SATISFIED, words="方便多了")
    story.move(Stage.ARCHIVED)
    assert story.topic.archived_at == now()


def everybody_can_read_how_it_went(story: Story) -> None:
    page = story.read(f"/deliberation/topics/{story.topic_id}")
    assert "已走过" in page
    days = re.findall(r"(\d+月\d+日 周.)到(\d+月\d+日 周.)", page)
    assert not [first for first, last in days if first == last], "a day is no span"
    log = story.read(f"/deliberation/topics/{story.topic_id}/log")
    log += story.read(f"/deliberation/topics/{story.topic_id}/log?page=2")
    for words in ("跳过“专家咨询”", "参加表决的人不够一半", "方案没有算一楼的采光", "议题归档"):
        assert words in log
    assert not [person.name for person in story.people if person.name in log]
    query = sa.select(TopicStage.stage).where(TopicStage.topic_id == story.topic_id, TopicStage.skipped.is_(False))
    walked = list(db.session.scalars(query.order_by(TopicStage.id)))
    assert walked == [
        Stage.COLLECTING,
        Stage.MEETING,
        Stage.VOTING,
        Stage.MEETING,
        Stage.VOTING,
        Stage.NOTICE,
        Stage.HEARING,
        Stage.NOTICE,
        Stage.FOLLOW_UP,
        Stage.ARCHIVED,
    ]
    told = set(db.session.scalars(sa.select(OutboxRow.topic)))
    assert {"deliberation.topic_published", "deliberation.topic_moved", "deliberation.outcome_published"} <= told
