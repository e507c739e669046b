"""Meetings in their order: begun once, gone on with when closed, announced as early as the stricter rule asks."""

from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core import clock, web
from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.bodies import BodyRule, Delegate
from portal.deliberation.models.codes import Body, Forum, MeetingState, Part, Stage
from portal.deliberation.models.meetings import Attendee, Meeting, Motion
from portal.deliberation.service import (
    guards,
    meeting_attendance,
    meeting_notices,
    meeting_reports,
    meeting_running,
    meeting_signup,
    meetings,
)
from portal.deliberation.service.meeting_signup import Wish
from portal.deliberation.service.meetings import Facts, Line
from tests.deliberation.held import changed_elsewhere, locks


@pytest.fixture
def worker(deliberating):
    return deliberating.committee()


def rule(make, body, notice_days):
    facts = {"article": "第二十三条", "notice_days": notice_days, "quorum": 1, "quorum_of": 2, "quorum_over": True}
    facts |= {"passes": 1, "passes_of": 2, "passes_over": True, "valid_from": date(2020, 1, 1), "confirmed_at": now()}
    return make.add(BodyRule(body=body, **facts))


def facts(day, **more):
    plan = {"title": "代表会议", "forum": Forum.DELEGATES, "body": "", "place": "议事厅", "seats": 30, "speakers": 3}
    plan |= {"entitled": 9, "who": "居民代表", "agenda": (Line("电梯方案", 20),)}
    return Facts(starts_at=clock.at(day, time(14)), ends_at=clock.at(day, time(16)), **plan | more)


def act(meeting, what, *rest, **more):
    with transaction() as session:
        return what(session.get_one(Meeting, meeting.id), *rest, **more)


def test_only_what_was_announced_begins_and_only_what_was_closed_goes_on(make, deliberating, worker):
    announced = deliberating.meeting()
    with pytest.raises(Refused, match="已经变了"):
        act(announced, meeting_running.reopen, why="点错了按钮", by=worker)
    assert make.read(announced).state is MeetingState.NOTIFIED
    closed = deliberating.meeting(starts_at=now() - timedelta(hours=3), state=MeetingState.CLOSED, closed_at=now())
    with pytest.raises(Refused, match="已经变了"):
        act(closed, meeting_running.open_meeting, by=worker)
    assert make.read(closed).state is MeetingState.CLOSED
    act(closed, meeting_running.reopen, why="点错了按钮", by=worker)
    assert make.read(closed).state is MeetingState.RUNNING


def test_a_meeting_to_which_nobody_came_is_none(make, deliberating):
    topic = deliberating.topic(stage=Stage.MEETING, entered_at=now() - timedelta(days=1))
    meeting = deliberating.reported_meeting(topic, came=0)
    assert "不够" in guards.flaws(topic, Stage.VOTING)[0].words
    make.add(Attendee(meeting_id=meeting.id, person_id=make.person().id, part=Part.LISTENER, came_at=now()))
    assert guards.flaws(topic, Stage.VOTING) == []


def test_another_body_after_the_notice_is_announced_as_early_as_its_rule_asks(make, deliberating, worker):
    rule(make, Body.RESIDENT_DELEGATES, 5)
    rule(make, Body.RESIDENTS_PERSONS, 0)
    day = today() + timedelta(days=4)
    with transaction():
        meeting = meetings.make(deliberating.topic(stage=Stage.MEETING), facts(day), by=worker)
    act(meeting, meeting_notices.publish, contact="周洁", checked=False, by=worker)
    stricter = facts(day, body=Body.RESIDENT_DELEGATES.value)
    with pytest.raises(Refused, match="重新提前 5 天"):
        act(meeting, meeting_notices.announce_anew, stricter, why="改为代表会议", by=worker)
    other = facts(day, body=Body.RESIDENTS_PERSONS.value)
    act(meeting, meeting_notices.announce_anew, other, why="请全体居民", by=worker)
    assert make.read(meeting).rule["body"] == Body.RESIDENTS_PERSONS.value


def test_another_rule_begins_the_notice_anew(make, deliberating, worker):
    rule(make, Body.RESIDENT_DELEGATES, 3)
    rule(make, Body.RESIDENTS_PERSONS, 3)
    day = today() + timedelta(days=4)
    with transaction():
        made = meetings.make(
            deliberating.topic(stage=Stage.MEETING), facts(day, body=Body.RESIDENT_DELEGATES.value), by=worker
        )
    act(made, meeting_notices.publish, contact="周洁", checked=False, by=worker)
    other = facts(day, body=Body.RESIDENTS_PERSONS.value)
    with (
        time_machine.travel(now() + timedelta(days=3), tick=False),
        pytest.raises(Refused, match="重新提前 3 天"),
    ):
        act(made, meeting_notices.announce_anew, other, why="请全体居民", by=worker)


def test_who_signs_up_reads_the_meeting_anew_once_its_seats_are_held(make, deliberating, worker):
    meeting, person = deliberating.meeting(), make.person()
    with pytest.raises(Refused, match="取消了"), transaction() as session:
        found = session.get_one(Meeting, meeting.id)
        changed_elsewhere(found, state=MeetingState.CANCELLED)
        meeting_signup.join(found, person, Wish(Part.LISTENER), by=worker)
    assert make.read(meeting.capacity).taken == 0


def test_calling_off_and_announcing_anew_hold_the_seats_first(deliberating, worker):
    meeting, other = deliberating.meeting(), deliberating.meeting()
    with locks() as held:
        act(meeting, meeting_notices.cancel, why="下雨了", by=worker)
    assert held[:1] == ["capacity"]
    with locks() as held, pytest.raises(Refused), transaction() as session:
        found = session.get_one(Meeting, other.id)
        changed_elsewhere(found, state=MeetingState.CANCELLED)
        meeting_notices.announce_anew(found, facts(today() + timedelta(days=9)), why="换地方", by=worker)
    assert held[:1] == ["capacity"]


def test_a_delegate_who_signed_up_herself_counts(make, deliberating, worker):
    rule(make, Body.RESIDENT_DELEGATES, 0)
    with transaction():
        topic = deliberating.topic(stage=Stage.MEETING)
        day = facts(today() + timedelta(days=9), body=Body.RESIDENT_DELEGATES.value)
        meeting = meetings.make(topic, day, by=worker)
    act(meeting, meeting_notices.publish, contact="周洁", checked=False, by=worker)
    person = make.person("赵桂兰")
    sits = {"community_id": make.community().id, "body": Body.RESIDENT_DELEGATES, "since": date(2024, 1, 1)}
    make.add(Delegate(person_id=person.id, **sits))
    act(meeting, meeting_signup.join, person, Wish(Part.SPEAKER), by=worker)
    assert make.read(meeting.speaking).taken == 1
    act(meeting, meeting_attendance.add_delegates, by=worker)
    one = db.session.scalars(sa.select(Attendee)).one()
    assert (one.part, one.counts) == (Part.MEMBER, True)
    assert make.read(meeting.speaking).taken == 0
    assert make.read(meeting.capacity).taken == 1


def test_who_sits_on_the_day_of_the_meeting_is_asked_by_the_day_here(make, deliberating, worker):
    """An early meeting here is still the day before by Greenwich."""
    rule(make, Body.RESIDENT_DELEGATES, 0)
    day = today() + timedelta(days=9)
    plan = facts(day, body=Body.RESIDENT_DELEGATES.value)
    with transaction():
        meeting = meetings.make(deliberating.topic(stage=Stage.MEETING), plan, by=worker)
    with transaction() as session:
        found = session.get_one(Meeting, meeting.id)
        found.starts_at, found.ends_at = clock.at(day, time(7)), clock.at(day, time(9))
    sits = {"community_id": make.community().id, "body": Body.RESIDENT_DELEGATES, "since": day}
    make.add(Delegate(person_id=make.person("赵桂兰").id, **sits))
    assert act(meeting, meeting_attendance.add_delegates, by=worker) == 1


def test_a_guest_who_did_not_agree_is_covered_too(make, deliberating, worker):
    started = now() - timedelta(hours=1)
    meeting = deliberating.meeting(
        starts_at=started, state=MeetingState.CLOSED, minutes="孙明远说可以装。", closed_at=now()
    )
    make.add(Attendee(meeting_id=meeting.id, guest="孙明远", part=Part.LISTENER, came_at=now()))
    make.add(Motion(meeting_id=meeting.id, words="装电梯", mover="孙明远"))
    with pytest.raises(Refused, match="没有同意公开"):
        act(meeting, meeting_reports.publish, "孙明远发了言。", cover=False, by=worker)
    act(meeting, meeting_reports.publish, "孙明远发了言。", cover=True, by=worker)
    found = make.read(meeting)
    assert "孙明远" not in found.report + found.minutes + meetings.motions(found)[0].mover


def test_the_first_day_on_which_a_meeting_may_be_is_said_as_people_say_it(deliberating):
    early = deliberating.meeting(state=MeetingState.DRAFT, notice_days=9)
    first = web.day_words(today() + timedelta(days=9))
    assert f"要提前 9 天通知，今天通知最早只能在 {first} 开，请改会议日期。" in meeting_notices.flaws(early)
