"""Meetings from the notice to the report: how early, who counts, hands, minutes by two, what must not be published."""

import io
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from docx import Document

from portal.core import clock
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.deliberation.models.bodies import BodyRule, Delegate
from portal.deliberation.models.codes import Body, Forum, MeetingState, Part, SignIn, Stage
from portal.deliberation.models.meetings import Attendee, Meeting, Notice
from portal.deliberation.models.topics import TopicEntry
from portal.deliberation.service import (
    experts,
    meeting_attendance,
    meeting_codes,
    meeting_minutes,
    meeting_notices,
    meeting_reports,
    meeting_running,
    meeting_words,
    meetings,
    public_log,
)
from portal.deliberation.service.experts import Facts as ExpertFacts
from portal.deliberation.service.meeting_minutes import Overtaken
from portal.deliberation.service.meetings import Facts, Line


@pytest.fixture
def worker(deliberating):
    return deliberating.committee()


def rule(make, body=Body.RESIDENT_DELEGATES, **more):
    facts = {"article": "第二十三条", "notice_days": 5, "quorum": 2, "quorum_of": 3, "quorum_over": False}
    facts |= {"passes": 1, "passes_of": 2, "passes_over": True, "valid_from": date(2020, 1, 1), "confirmed_at": now()}
    return make.add(BodyRule(body=body, **facts | more))


def facts(day, **more):
    plan = {"title": "代表会议", "forum": Forum.DELEGATES, "body": Body.RESIDENT_DELEGATES.value, "place": "议事厅"}
    plan |= {"seats": 30, "speakers": 3, "entitled": 9, "who": "居民代表", "agenda": (Line("电梯方案", 20),)}
    return Facts(starts_at=clock.at(day, time(14)), ends_at=clock.at(day, time(16)), **plan | more)


def made(topic, worker, day, **more):
    with transaction():
        return meetings.make(topic, facts(day, **more), by=worker)


def act(meeting, what, *rest, **more):
    """An act on a meeting, in a transaction of its own."""
    with transaction() as session:
        return what(session.get_one(Meeting, meeting.id), *rest, **more)


def publish(meeting, worker, *, checked=False):
    return act(meeting, meeting_notices.publish, contact="周洁 010-55550101", checked=checked, by=worker)


def told(event):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"deliberation.{event}")))


def running(make, deliberating, *, quorum=0, here=0, **more):
    """A meeting that runs, with so many there who count."""
    starts = now() - timedelta(minutes=10)
    meeting = deliberating.meeting(
        starts_at=starts, state=MeetingState.RUNNING, began_at=starts, quorum=quorum, entitled=quorum * 2, **more
    )
    for number in range(here):
        one = {"part": Part.MEMBER, "counts": True, "came_at": now(), "came_by": SignIn.LIST}
        make.add(Attendee(meeting_id=meeting.id, guest=f"代表{number}", **one))
    return meeting


# ---- the notice


def test_the_notice_is_as_early_as_the_rule_asks_and_not_a_day_later(make, deliberating, worker):
    rule(make)
    topic = deliberating.topic(stage=Stage.MEETING)
    late, fine = made(topic, worker, today() + timedelta(days=4)), made(topic, worker, today() + timedelta(days=5))
    assert (fine.notice_days, fine.quorum) == (5, 6)
    with pytest.raises(Refused, match="提前 5 天"):
        publish(late, worker)
    notice = publish(fine, worker)
    assert make.read(fine).state is MeetingState.NOTIFIED
    assert notice.facts["matters"] == ["电梯方案"]
    assert (notice.facts["entitled"], notice.facts["quorum"]) == ("居民代表", 6)
    assert make.read(late).state is MeetingState.DRAFT


def test_an_unconfirmed_rule_asks_the_committee_first(make, deliberating, worker):
    rule(make, confirmed_at=None)
    meeting = made(deliberating.topic(stage=Stage.MEETING), worker, today() + timedelta(days=6))
    with pytest.raises(Refused, match="待核对"):
        publish(meeting, worker)
    publish(meeting, worker, checked=True)
    assert make.read(meeting).rule["confirmed_by_name"] == worker.name


def test_a_notice_is_published_once_and_followers_hear(make, deliberating, worker):
    topic = deliberating.topic(stage=Stage.MEETING)
    person = make.person("赵桂兰")
    deliberating.follower(topic, person)
    meeting = made(topic, worker, today() + timedelta(days=9), body="", forum=Forum.COUNCIL)
    publish(meeting, worker)
    with pytest.raises(Refused, match="已经发过"):
        publish(meeting, worker)
    assert [row.recipient_id for row in told("meeting_notified")] == [person.public_id]
    assert db.session.scalar(sa.select(sa.func.count(Notice.id))) == 1


def test_a_draft_of_a_topic_is_not_announced(deliberating, worker):
    meeting = made(deliberating.topic(stage=Stage.DRAFT), worker, today() + timedelta(days=9), body="")
    with pytest.raises(Refused, match="没有发布"):
        publish(meeting, worker)


def test_a_new_day_is_announced_as_early_as_the_first_and_the_old_notice_stays(make, deliberating, worker):
    rule(make)
    meeting = made(deliberating.topic(stage=Stage.MEETING), worker, today() + timedelta(days=9))
    publish(meeting, worker)
    anew = meeting_notices.announce_anew
    with pytest.raises(Refused, match="重新提前 5 天"):
        act(meeting, anew, facts(today() + timedelta(days=4)), why="撞期", by=worker)
    added = (Line("电梯方案", 20), Line("收费", 10))
    act(meeting, anew, facts(today() + timedelta(days=9), place="礼堂"), why="换地方", by=worker)
    act(meeting, anew, facts(today() + timedelta(days=7), agenda=added), why="提前", by=worker)
    notices = meetings.notices_of(meeting)
    assert [one.withdrawn_why for one in notices] == ["", "提前", "换地方"]
    assert notices[0].facts["matters"] == ["电梯方案", "收费"]
    assert make.read(meeting).place == "议事厅"


def test_changing_what_was_announced_needs_a_reason(deliberating, worker):
    meeting = made(deliberating.topic(stage=Stage.MEETING), worker, today() + timedelta(days=9), body="")
    publish(meeting, worker)
    with pytest.raises(Refused, match="为什么改"):
        act(meeting, meeting_notices.announce_anew, facts(today() + timedelta(days=9), body=""), why=" ", by=worker)


# ---- who is there


def test_the_wall_code_signs_in_who_signed_up_and_who_just_came(make, deliberating):
    meeting = deliberating.meeting(seats=1)
    person, account = deliberating.person_with_account()
    me = deliberating.actor(account)
    with time_machine.travel(meeting.starts_at - timedelta(minutes=30), tick=False):
        moment = now()
        step = meeting_codes.step_at(moment)
        pin = meeting_codes.pin(meeting, step)
        wrong = "000000" if pin != "000000" else "111111"
        with pytest.raises(Refused, match="不对"):
            act(meeting, meeting_attendance.enter, wrong, person, by=me)
        act(meeting, meeting_attendance.enter, f"{pin[:3]} {pin[3:]}", person, by=me)
        one = db.session.scalars(sa.select(Attendee)).one()
        assert (one.came_at, one.came_by, one.part) == (moment, SignIn.CODE, Part.LISTENER)
        with pytest.raises(Refused, match="坐满"):
            act(meeting, meeting_attendance.enter, pin, make.person("李小红"), by=me)
    with (
        time_machine.travel(meeting.starts_at - timedelta(minutes=61), tick=False),
        pytest.raises(Refused, match="还没到"),
    ):
        act(meeting, meeting_attendance.enter, pin, person, by=me)


def test_a_code_lives_for_its_step_and_the_next_and_for_its_own_meeting(deliberating):
    meeting, other = deliberating.meeting(), deliberating.meeting()
    with time_machine.travel(meeting.starts_at, tick=False):
        step = meeting_codes.step_at(now())
        link = meeting_codes.Link(meeting.id, step, meeting_codes.signature(meeting, step))
        meeting_codes.check_link(meeting, link, now() + timedelta(seconds=119))
        with pytest.raises(Refused, match="过期"):
            meeting_codes.check_link(meeting, link, now() + timedelta(seconds=120))
        with pytest.raises(Refused, match="不能用"):
            meeting_codes.check_link(other, link, now())
        forged = meeting_codes.Link(other.id, step, link.signature)
        with pytest.raises(Refused, match="不能用"):
            meeting_codes.check_link(other, forged, now())


def test_a_wrong_code_is_tried_a_few_times_only(make, deliberating):
    meeting, me = deliberating.meeting(), deliberating.actor(make.resident())
    person = make.person()
    with time_machine.travel(meeting.starts_at, tick=False):
        for _turn in range(5):
            with pytest.raises(Refused, match="不对"):
                act(meeting, meeting_attendance.enter, "abc", person, by=me)
        with pytest.raises(Refused, match="太多次"):
            act(meeting, meeting_attendance.enter, "abc", person, by=me)


def test_delegates_are_put_on_the_list_once(make, deliberating, worker):
    rule(make)
    meeting = made(deliberating.topic(stage=Stage.MEETING), worker, today() + timedelta(days=9))
    for name in ("赵桂兰", "李小红"):
        one = {"body": Body.RESIDENT_DELEGATES, "since": date(2024, 1, 1)}
        make.add(Delegate(community_id=make.community().id, person_id=make.person(name).id, **one))
    assert act(meeting, meeting_attendance.add_delegates, by=worker) == 2
    assert act(meeting, meeting_attendance.add_delegates, by=worker) == 0
    stand = meeting_attendance.standing(make.read(meeting))
    assert (stand.going, stand.counted, stand.missing) == (2, 0, 6)


# ---- motions and hands


def motion(meeting, worker):
    put = {"words": "同意东门改单行", "mover": "李代表", "seconder": "", "item_id": 0, "by": worker}
    return act(meeting, meeting_running.put_motion, **put)


def hands(meeting, one, **more):
    with transaction() as session:
        found = session.get_one(Meeting, meeting.id)
        meeting_running.count(found, meeting_running.motion(found, one.id), **more)


@pytest.mark.parametrize(("here", "enough"), [(5, False), (6, True), (7, True)])
def test_hands_count_from_the_quorum_on(make, deliberating, worker, here, enough):
    meeting = running(make, deliberating, quorum=6, here=here)
    one = motion(meeting, worker)
    if not enough:
        with pytest.raises(Refused, match="还差 1 人"):
            hands(meeting, one, yes=5, no=0, abstain=0)
        return
    hands(meeting, one, yes=here, no=0, abstain=0)
    assert make.read(one).result is True


@pytest.mark.parametrize(("yes", "passes"), [(4, False), (5, True)])
def test_more_than_half_of_who_is_there_and_not_of_the_hands(make, deliberating, worker, yes, passes):
    meeting = running(make, deliberating, here=8)
    one = motion(meeting, worker)
    hands(meeting, one, yes=yes, no=0, abstain=0)
    assert (make.read(one).result, one.present) == (passes, 8)
    assert meeting_words.hands_said(one).startswith(f"能举手的到会 8 人：同意 {yes}，")


def test_nobody_has_two_hands_and_hands_are_entered_once(make, deliberating, worker):
    meeting = running(make, deliberating, here=4)
    one = motion(meeting, worker)
    with pytest.raises(Refused, match="再数一次"):
        hands(meeting, one, yes=3, no=1, abstain=1)
    hands(meeting, one, yes=3, no=1, abstain=0)
    with pytest.raises(Refused, match="已经有结果"):
        hands(meeting, one, yes=0, no=4, abstain=0)


def test_an_open_motion_keeps_the_meeting_open(make, deliberating, worker):
    meeting = running(make, deliberating, here=4)
    one = motion(meeting, worker)
    with pytest.raises(Refused, match="没有举手"):
        act(meeting, meeting_running.close, by=worker)
    with transaction() as session:
        found = session.get_one(Meeting, meeting.id)
        meeting_running.withdraw(found, meeting_running.motion(found, one.id), why="自己撤回")
    act(meeting, meeting_running.close, by=worker)
    assert make.read(meeting).state is MeetingState.CLOSED


def test_matters_follow_one_another_and_keep_their_times(make, deliberating, worker):
    meeting = running(make, deliberating)
    first, second = (item.id for item in meeting.agenda)
    for number in (first, second):
        with transaction() as session:
            found = session.get_one(Meeting, meeting.id)
            meeting_running.begin_item(found, meeting_running.item(found, number))
    act(meeting, meeting_running.close, by=worker)
    assert all(item.began_at and item.ended_at for item in make.read(meeting).agenda)


def test_a_meeting_begins_after_its_notice_and_not_long_before_its_time(make, deliberating, worker):
    meeting = deliberating.meeting()
    with pytest.raises(Refused, match="还早"):
        act(meeting, meeting_running.open_meeting, by=worker)
    with time_machine.travel(meeting.starts_at - timedelta(minutes=5), tick=False):
        act(meeting, meeting_running.open_meeting, by=worker)
    assert make.read(meeting).state is MeetingState.RUNNING


# ---- minutes and report


def test_two_who_write_the_minutes_lose_nothing(make, deliberating, worker):
    meeting, other = running(make, deliberating), deliberating.committee(name="李明")
    act(meeting, meeting_minutes.save, "第一句", seen=0, by=worker)
    act(meeting, meeting_minutes.save, "第一句。第二句", seen=1, by=worker)
    with pytest.raises(Overtaken):
        act(meeting, meeting_minutes.save, "我的", seen=1, by=other)
    act(meeting, meeting_minutes.save, "合在一起", seen=2, by=other)
    found = meeting_minutes.versions(meeting)
    assert [(one.version, one.text, one.by_name) for one in found] == [
        (3, "合在一起", "李明"),
        (2, "第一句。第二句", "周洁"),
    ]


def test_the_document_holds_what_is_known_and_its_words_come_back(make, deliberating, worker):
    meeting = running(make, deliberating, agenda=["说明 <方案> & {{ 7*7777 }}"], here=3)
    one = motion(meeting, worker)
    hands(meeting, one, yes=3, no=0, abstain=0)
    data = meeting_minutes.filled(make.read(meeting), now())
    text = meeting_minutes.text_of(data)
    assert "说明 <方案> & {{ 7*7777 }}" in text
    assert "同意东门改单行：通过" in text
    assert "同意 3" in text
    assert "54439" not in text


def test_what_is_no_document_is_refused_in_words():
    for data in (b"", b"PK\x03\x04rubbish", b"<html>"):
        with pytest.raises(Refused, match="docx"):
            meeting_minutes.text_of(data)
    held = io.BytesIO()
    Document().save(held)
    with pytest.raises(Refused, match="没有文字"):
        meeting_minutes.text_of(held.getvalue())


def closed(make, deliberating, worker, **more):
    meeting = running(make, deliberating, **more)
    person = make.person("欧阳桂兰", phone="13812345678")
    for who, way in ((person, "family"), (make.person("李小红"), "full"), (make.person("陈静"), "")):
        one = {"part": Part.LISTENER, "came_at": now(), "shown_as": way}
        make.add(Attendee(meeting_id=meeting.id, person_id=who.id, **one))
    act(meeting, meeting_minutes.save, "欧阳桂兰说装，电话 138 1234 5678。李小红同意。", seen=0, by=worker)
    act(meeting, meeting_running.close, by=worker)
    return meeting


def test_names_and_numbers_nobody_agreed_to_stop_the_report(make, deliberating, worker):
    meeting = closed(make, deliberating, worker)
    with pytest.raises(Refused, match=r"欧阳\*兰、138\*\*\*\*5678"):
        act(meeting, meeting_reports.publish, "大家商量了。", cover=False, by=worker)
    act(meeting, meeting_reports.publish, "大家商量了，陈静也说了。", cover=True, by=worker)
    found = make.read(meeting)
    assert found.state is MeetingState.REPORTED
    assert found.minutes == "欧阳*兰说装，电话 138****5678。李小红同意。"
    assert found.report == "大家商量了，陈*也说了。"
    assert meeting_reports.shown_names(meeting_reports.came(found)) == ["欧阳女士", "李小红"]


def test_a_report_needs_minutes_and_the_end_of_the_meeting(make, deliberating, worker):
    meeting = running(make, deliberating)
    with pytest.raises(Refused, match="散会以后"):
        act(meeting, meeting_reports.publish, "好", cover=False, by=worker)
    act(meeting, meeting_running.close, by=worker)
    with pytest.raises(Refused, match="没有写纪要"):
        act(meeting, meeting_reports.publish, "好", cover=False, by=worker)


def test_the_public_log_names_no_resident_and_has_words_for_every_deed(make, deliberating, worker):
    meeting = closed(make, deliberating, worker)
    act(meeting, meeting_running.reopen, why="还有一项", by=worker)
    act(meeting, meeting_running.close, by=worker)
    act(meeting, meeting_reports.publish, "好", cover=True, by=worker)
    entries = list(db.session.scalars(sa.select(TopicEntry)))
    said = "".join(public_log.words_of(one) for one in entries)
    assert {one.deed for one in entries} <= set(public_log.deeds())
    assert "公布会议情况" in said
    assert "桂兰" not in said


# ---- experts


def test_advice_is_published_only_with_a_declared_stake(make, deliberating, worker):
    topic = deliberating.topic(stage=Stage.EXPERTS)
    given = {"name": "刘工", "field": "电梯安全", "organisation": "", "phone": "", "asked": "", "advice": "能装"}
    with transaction():
        one = experts.invite(topic, ExpertFacts(has_stake=None, stake="", **given), by=worker)
    with pytest.raises(Refused, match="利害关系"), transaction():
        experts.publish(experts.expert(topic, one.id), by=worker)
    with pytest.raises(Refused, match="写明有什么"), transaction():
        experts.change(experts.expert(topic, one.id), ExpertFacts(has_stake=True, stake=" ", **given), by=worker)
    with transaction():
        found = experts.expert(topic, one.id)
        experts.change(found, ExpertFacts(has_stake=False, stake="", **given), by=worker)
        experts.publish(found, by=worker)
    assert [one.stake for one in experts.of_topic(topic, public=True)] == [""]
    with transaction():
        experts.withdraw(experts.expert(topic, one.id), why="与施工方有关系", by=worker)
    assert experts.of_topic(topic, public=True) == []
