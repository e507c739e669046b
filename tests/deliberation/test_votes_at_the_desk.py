"""Votes at the desk: made from a topic, announced, opened by the clock, called off; who has voted, never how."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.audit.topicdeeds import topic_actions
from portal.core import settings
from portal.core.audit import AuditRow
from portal.core.clock import local, now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Body, Channel, Stage, VoteState
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.models.votes import RollEntry, Turnout, Vote
from portal.deliberation.opening_jobs import open_votes
from portal.deliberation.service import (
    public_log,
    reminding,
    rolls,
    vote_doors,
    vote_notices,
    vote_opening,
    vote_rules,
    votes,
)
from portal.identity.permissions import Role
from tests.counting import count_queries
from tests.deliberating import ahead


def typed(**more):
    opens, closes = local(ahead(5)), local(ahead(12))
    return {
        "idem": "k1",
        "question": "是否同意给 6 号楼加装电梯？",
        "body": "residents_persons",
        "matter": "0",
        "asks": "consent",
        "named": "named",
        "takes_paper": "y",
        "opens_day": f"{opens:%Y-%m-%d}",
        "opens_at": "08:00",
        "closes_day": f"{closes:%Y-%m-%d}",
        "closes_at": "20:00",
    } | more


@pytest.fixture
def worker(make, client):
    account = make.worker()
    client.sign_in(account)
    return account


@pytest.fixture
def topic(deliberating):
    return deliberating.topic(stage=Stage.VOTING)


def the_vote():
    db.session.rollback()
    return db.session.scalars(sa.select(Vote).order_by(Vote.id)).one()


def new_at(topic):
    return f"/desk/deliberation/topics/{topic.id}/votes/new"


def test_a_vote_is_made_from_a_topic_once_however_often_the_form_is_sent(client, worker, topic):
    assert "要表决什么" in client.get(new_at(topic)).text
    for _number in range(2):
        answer = client.post(new_at(topic), data=typed())
        assert answer.status_code == 303
    vote = the_vote()
    assert (vote.body, vote.state, vote.is_named) == (Body.RESIDENTS_PERSONS, VoteState.DRAFT, True)
    assert [(one.label, one.carries) for one in vote.options] == [("同意", True), ("反对", False), ("弃权", False)]
    page = client.get(answer.location).text
    assert "开始投票前要办好" in page
    assert "是否同意给 6 号楼加装电梯？" in client.get("/desk/deliberation/votes").text


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"body": "owners", "matter": "0"}, "请选这是业主共同决定的哪一类事项"),
        ({"body": "owners", "matter": "6", "named": "secret"}, "所以只能记名"),
        ({"named": "secret", "may_change": "y"}, "所以不能改"),
        ({"asks": "one", "labels": "甲方案"}, "请写 2 到 9 个方案"),
        ({"asks": "one", "labels": "甲\n甲"}, "有两个方案写得一样"),
        ({"asks": "one", "labels": ""}, "请写 2 到 9 个方案"),
        ({"closes_day": f"{local(ahead(1)):%Y-%m-%d}"}, "截止要在开始以后"),
        ({"opens_day": "2020-01-01", "closes_day": "2020-01-09"}, "开始的时间已经过去"),
        ({"question": ""}, "请填写这一项"),
    ],
)
def test_what_cannot_be_put_to_a_vote_is_said_beside_its_field(client, worker, topic, more, words):
    answer = client.post(new_at(topic), data=typed(**more))
    assert answer.status_code == 422
    assert words in answer.text


@pytest.mark.parametrize(
    ("matter", "body"), [(5, Body.OWNERS_ORDINARY), (6, Body.OWNERS_SPECIAL), (9, Body.OWNERS_ORDINARY)]
)
def test_the_matter_decides_by_which_majority_owners_agree(client, worker, topic, matter, body):
    client.post(new_at(topic), data=typed(body="owners", matter=str(matter)))
    assert (the_vote().body, the_vote().matter) == (body, matter)


def test_a_draft_is_changed_and_its_options_with_it(client, worker, topic):
    client.post(new_at(topic), data=typed())
    here = f"/desk/deliberation/votes/{the_vote().id}/edit"
    assert "是否同意给 6 号楼加装电梯？" in client.get(here).text
    assert client.post(here, data=typed(asks="one", labels="甲公司\n乙公司", named="secret")).status_code == 303
    vote = the_vote()
    assert [(one.number, one.label, one.carries) for one in vote.options] == [
        (1, "甲公司", True),
        (2, "乙公司", True),
        (3, "弃权", False),
    ]
    assert not vote.is_named


@pytest.fixture
def law(make):
    """A rule of the law that nobody has confirmed, ten days of notice."""
    facts = {"quorum": 1, "quorum_of": 2, "quorum_over": True, "passes": 1, "passes_of": 2, "passes_over": True}
    return make.add(
        BodyRule(
            body=Body.RESIDENTS_PERSONS,
            article="居民委员会组织法第十条",
            notice_days=2,
            valid_from=local(now()).date() - timedelta(days=30),
            **facts,
        )
    )


def ready(deliberating, topic, by, days=5):
    """A vote whose roll is out and whose corrections are over."""
    vote = deliberating.vote(
        topic,
        state=VoteState.DRAFT,
        opens_at=ahead(days),
        closes_at=ahead(days + 7),
        rule={"confirmed": False},
        frozen_at=None,
    )
    with transaction():
        vote = db.session.get_one(Vote, vote.id)
        vote.rule, vote.rule_id = {}, None
        rolls.build(vote, by=by)
        settings.put(rolls.ROLL_DAYS, 0, valid_from=today(), by="test")
        rolls.publish(vote, until=now() + timedelta(hours=1), by=by)
    return vote


def test_an_unconfirmed_rule_is_confirmed_by_the_committee_then_and_there(
    client, worker, deliberating, topic, law, make
):
    make.person("赵桂兰")
    vote = ready(deliberating, topic, deliberating.committee())
    here = f"/desk/deliberation/votes/{vote.id}"
    assert "待核对" in client.get(here).text
    assert "请先核对通过的规则" in client.post(f"{here}/notice", data={"contact": "居委会 63000000"}).text
    assert client.post(f"{here}/rule", data={}).status_code == 422
    assert client.post(f"{here}/rule", data={"seen": "y"}).status_code == 303
    assert the_vote().rule["confirmed"]
    assert the_vote().rule_confirmed_by_name
    assert "vote_rule_confirmed" in list(db.session.scalars(sa.select(TopicEntry.deed)))
    assert client.post(f"{here}/notice", data={"contact": "居委会 63000000"}).status_code == 303


def confirmed_and_announced(vote, by):
    with transaction():
        found = db.session.get_one(Vote, vote.id)
        vote_rules.confirm(found, by=by)
        vote_notices.publish(found, "居委会 63000000", by=by)


def at_opening(vote):
    """The time has come: corrections are over and the vote may open."""
    with transaction():
        found = db.session.get_one(Vote, vote.id)
        found.opens_at, found.corrections_until = now() - timedelta(minutes=1), now() - timedelta(hours=1)
        announced = vote_notices.notice_of(found)
        if announced is not None:
            announced.published_at = now() - timedelta(days=5)


def test_the_clock_opens_a_vote_for_which_everything_is_done_and_freezes_its_roll(deliberating, topic, law, make):
    by, _person = deliberating.committee(), make.person("赵桂兰")
    vote = ready(deliberating, topic, by)
    open_votes()
    assert the_vote().state is VoteState.ROLL
    confirmed_and_announced(vote, by)
    at_opening(vote)
    open_votes()
    found = the_vote()
    assert (found.state, found.frozen_at is not None, found.rule["confirmed"]) == (VoteState.OPEN, True, True)
    with pytest.raises(Refused, match="已经开始"), transaction():
        vote_opening.open_vote(db.session.get_one(Vote, vote.id), by_name="周洁")


def test_the_clock_does_not_open_what_was_not_announced_and_leaves_no_trace(deliberating, topic, law, make):
    make.person("赵桂兰")
    by = deliberating.committee()
    vote = ready(deliberating, topic, by)
    at_opening(vote)
    open_votes()
    found = the_vote()
    assert (found.state, found.frozen_at) == (VoteState.ROLL, None)
    with pytest.raises(Refused, match="发布表决通知"), transaction():
        vote_opening.open_vote(db.session.get_one(Vote, vote.id), by_name="周洁")


def test_a_vote_opens_not_one_second_before_its_time(deliberating, topic, law, make):
    by, _person = deliberating.committee(), make.person("赵桂兰")
    vote = ready(deliberating, topic, by)
    confirmed_and_announced(vote, by)
    at_opening(vote)
    found = the_vote()
    with pytest.raises(Refused, match="还没到开始的时间"), transaction():
        vote_opening.open_vote(found, by_name="周洁", at=found.opens_at - timedelta(seconds=1))
    with transaction():
        vote_opening.open_vote(db.session.get_one(Vote, vote.id), by_name="周洁", at=found.opens_at)
    assert the_vote().state is VoteState.OPEN


def test_a_notice_comes_as_early_as_the_rule_demands(deliberating, topic, law, make):
    make.person("赵桂兰")
    by = deliberating.committee()
    vote = ready(deliberating, topic, by, days=1)
    with transaction():
        vote_rules.confirm(db.session.get_one(Vote, vote.id), by=by)
    with pytest.raises(Refused, match="规则要求通知后满 2 天"), transaction():
        vote_notices.publish(db.session.get_one(Vote, vote.id), "居委会", by=by)


def test_a_notice_after_the_time_of_opening_says_so_where_the_rule_demands_no_days(
    deliberating, topic, law, make, monkeypatch
):
    make.person("赵桂兰")
    by = deliberating.committee()
    vote = ready(deliberating, topic, by)
    with transaction():
        vote_rules.confirm(db.session.get_one(Vote, vote.id), by=by)
        found = db.session.get_one(Vote, vote.id)
        found.body_rule.notice_days = 0
        late = found.opens_at + timedelta(minutes=5)
    monkeypatch.setattr(vote_notices, "now", lambda: late)
    with pytest.raises(Refused, match="原定的开始时间已经过了"), transaction():
        vote_notices.publish(db.session.get_one(Vote, vote.id), "居委会", by=by)


def test_new_times_withdraw_the_notice_that_said_the_old_ones(client, worker, deliberating, topic, law, make):
    make.person("赵桂兰")
    by = deliberating.committee()
    vote = ready(deliberating, topic, by)
    confirmed_and_announced(vote, by)
    assert vote_notices.notice_of(the_vote()) is not None
    times = {key: value for key, value in typed().items() if key.startswith(("opens", "closes"))}
    later = times | {"opens_day": f"{local(ahead(9)):%Y-%m-%d}", "closes_day": f"{local(ahead(12)):%Y-%m-%d}"}
    assert client.post(f"/desk/deliberation/votes/{vote.id}/times", data=later).status_code == 303
    assert vote_notices.notice_of(the_vote()) is None


def test_a_cancelled_vote_says_why_to_everybody_and_is_never_counted(client, worker, deliberating, topic):
    vote = deliberating.vote(topic)
    here = f"/desk/deliberation/votes/{vote.id}/cancel"
    assert client.post(here, data={"reason": ""}).status_code == 422
    assert client.post(here, data={"reason": "问题写得不清楚"}).status_code == 303
    assert the_vote().state is VoteState.CANCELLED
    assert "问题写得不清楚" in client.get(f"/deliberation/votes/{vote.id}").text
    assert "不能再取消" in client.post(here, data={"reason": "再来一次"}).text


def test_who_has_voted_is_known_and_never_how(client, worker, deliberating, topic):
    vote = deliberating.vote(topic, named=False)
    entries = [deliberating.entry(vote, name=name) for name in ("王秀英", "赵桂兰", "李建国")]
    deliberating.make.add(Turnout(vote_id=vote.id, entry_id=entries[0].id, channel=Channel.PHONE))
    here = f"/desk/deliberation/votes/{vote.id}"
    left, voted = client.get(f"{here}/turnout").text, client.get(f"{here}/turnout?voted=1").text
    assert "赵桂兰" in left
    assert "王秀英" not in left
    assert "王秀英" in voted
    assert "看不到投了什么" in voted
    known = votes.figures(the_vote())
    assert (known.entitled.heads, known.took_part.heads, known.left, known.percent()) == (3, 1, 2, "33.3")


def test_who_was_struck_off_is_on_neither_side_of_the_figures(deliberating, topic):
    vote = deliberating.vote(topic)
    kept, gone = deliberating.entry(vote, area="90.5"), deliberating.entry(vote, area="60", struck_at=now())
    for entry in (kept, gone):
        deliberating.make.add(Turnout(vote_id=vote.id, entry_id=entry.id, channel=Channel.PAPER))
    known = votes.figures(the_vote())
    assert (known.entitled.heads, known.took_part.heads, str(known.took_part.area)) == (1, 1, "90.50")


def test_only_who_has_not_voted_is_reminded_and_not_twice_a_day(client, worker, deliberating, topic):
    vote = deliberating.vote(topic)
    (first, _p, _a), (_second, late, _b) = deliberating.voters(vote, 2)
    deliberating.make.add(Turnout(vote_id=vote.id, entry_id=first.id, channel=Channel.PHONE))
    here = f"/desk/deliberation/votes/{vote.id}/remind"
    assert "已提醒 1 位" in client.post(here, follow_redirects=True).text
    db.session.rollback()
    rows = list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == "deliberation.vote_reminder")))
    assert [row.recipient_id for row in rows] == [late.ref.id]
    assert "刚催过一次" in client.post(here, follow_redirects=True).text
    with pytest.raises(Refused, match="刚催过"), transaction():
        reminding.remind(db.session.get_one(Vote, vote.id))


def test_a_vote_of_another_community_is_not_there(client, worker, make, deliberating):
    other = make.community("秋实社区")
    vote = deliberating.vote(deliberating.topic(area=other, stage=Stage.VOTING))
    assert client.get(f"/desk/deliberation/votes/{vote.id}").status_code == 404
    assert client.post(f"/desk/deliberation/votes/{vote.id}/remind").status_code == 404


def test_a_community_reads_a_vote_of_the_street_and_does_not_run_it(client, worker, make, deliberating):
    topic = deliberating.topic(area=make.street(), communities=[make.community()], stage=Stage.VOTING)
    vote = deliberating.vote(topic)
    assert "只能查看" in client.get(f"/desk/deliberation/votes/{vote.id}").text
    assert client.post(f"/desk/deliberation/votes/{vote.id}/cancel", data={"reason": "x"}).status_code == 404


def test_a_committee_member_works_here_without_reading_the_register(client, make, deliberating, topic):
    vote = deliberating.vote(topic)
    client.sign_in(make.worker(Role.COMMITTEE_MEMBER))
    for path in ("", "/turnout", "/paper", "/proxies", "/print/ballots", "/print/notice", "/print/turnout", "/rule"):
        assert client.get(f"/desk/deliberation/votes/{vote.id}{path}").status_code == 200


def test_the_list_and_the_page_ask_few_questions_however_many_there_are(client, worker, deliberating, topic):
    for _number in range(12):
        vote = deliberating.vote(topic)
        for _entry in range(3):
            deliberating.entry(vote)
    with count_queries() as asked:
        client.get("/desk/deliberation/votes")
    assert len(asked) <= 8
    with count_queries() as asked:
        client.get(f"/desk/deliberation/votes/{vote.id}/turnout")
    assert len(asked) <= 8
    with count_queries() as asked:
        client.get("/deliberation/votes")
    assert len(asked) <= 8


def test_every_unsafe_act_has_its_words_in_the_audit_and_in_the_public_log(deliberating, topic, law, make):
    make.person("赵桂兰")
    by = deliberating.committee()
    vote = ready(deliberating, topic, by)
    confirmed_and_announced(vote, by)
    at_opening(vote)
    open_votes()
    with transaction():
        vote_opening.cancel(db.session.get_one(Vote, vote.id), "写错了", by=by)
    done = {action for action in db.session.scalars(sa.select(AuditRow.action)) if ".vote" in action}
    assert done
    assert done <= set(topic_actions())
    deeds = set(db.session.scalars(sa.select(TopicEntry.deed)))
    assert {"vote_announced", "vote_opened", "vote_cancelled"} <= deeds <= set(public_log.deeds())


def test_the_doors_say_what_waits_and_that_she_took_part_never_how(deliberating, topic, make):
    by = deliberating.committee()
    vote = deliberating.vote(
        topic, state=VoteState.CLOSED, closes_at=now() - timedelta(minutes=1), opens_at=now() - timedelta(days=2)
    )
    assert [todo.count for todo in vote_doors.todo_of(by)] == [1]
    person = make.person("赵桂兰")
    entry = deliberating.entry(vote, person)
    make.add(Turnout(vote_id=vote.id, entry_id=entry.id, channel=Channel.PHONE))
    assert vote_doors.timeline(person) == []
    assert [row["是否投过"] for row in vote_doors.export(person)] == ["手机"]


def test_a_vote_says_on_the_topic_that_it_waits_for_her(deliberating, topic):
    vote = deliberating.vote(topic)
    ((_entry, person, _actor),) = deliberating.voters(vote, 1)
    assert [one.now for one in vote_doors.steps(topic, person, now())] == [True]
    assert [one.now for one in vote_doors.steps(topic, None, now())] == [False]
    assert vote_doors.desk_steps(topic, now())[0].title == vote.question


def test_entries_of_the_roll_are_found_by_number(deliberating, topic):
    vote = deliberating.vote(topic)
    made = [deliberating.entry(vote) for _number in range(3)]
    assert [one.id for one in votes.entries_from(vote, made[1].number, 5)] == [made[1].id, made[2].id]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RollEntry)) == 3
