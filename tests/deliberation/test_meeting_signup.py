"""Signing up for meetings: seats, speaking, the line, leaving, reminders, who may not."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.core.clock import now
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.deliberation import meeting_jobs
from portal.deliberation.models.codes import AttendeeState, MeetingState, Part, Stage
from portal.deliberation.models.meetings import Attendee, Meeting
from portal.deliberation.service import meeting_attendance, meeting_notices, meeting_signup
from portal.deliberation.service.meeting_signup import Wish
from portal.notifications.wording import words_for
from portal.places import service as places


@pytest.fixture
def worker(deliberating):
    return deliberating.committee()


def join(meeting, person, worker, part=Part.LISTENER, **more):
    with transaction() as session:
        found = session.get_one(Meeting, meeting.id)
        return meeting_signup.join(found, person, Wish(part, **more), by=worker)


def leave(one, **more):
    with transaction() as session:
        meeting_signup.leave(session.get_one(Attendee, one.id), **more)


def told(event):
    db.session.rollback()
    return list(db.session.scalars(sa.select(OutboxRow).where(OutboxRow.topic == f"deliberation.{event}")))


def test_who_signs_up_has_a_seat_and_is_told(make, deliberating, worker):
    meeting, person = deliberating.meeting(), make.person()
    one = join(meeting, person, worker, shown_as="family")
    assert (one.state, one.shown_as, one.counts) == (AttendeeState.GOING, "family", False)
    assert make.read(meeting.capacity).taken == 1
    (row,) = told("meeting_joined")
    assert row.recipient_id == person.public_id


def test_signing_up_twice_takes_one_seat(make, deliberating, worker):
    meeting, person = deliberating.meeting(), make.person()
    first = join(meeting, person, worker)
    assert join(meeting, person, worker).id == first.id
    assert make.read(meeting.capacity).taken == 1


def test_a_merged_record_is_not_signed_up_twice(make, deliberating, worker):
    meeting, kept = deliberating.meeting(), make.person()
    other = make.person("王秀英", merged_into_id=kept.id)
    first = join(meeting, other, worker)
    assert join(meeting, kept, worker).id == first.id


def test_the_last_seat_goes_to_one_and_the_next_waits_and_moves_up(make, deliberating, worker):
    meeting = deliberating.meeting(seats=1)
    first, second = make.person("赵桂兰"), make.person("李小红")
    one = join(meeting, first, worker)
    two = join(meeting, second, worker)
    assert two.state is AttendeeState.WAITING
    assert len(told("meeting_waiting")) == 1
    leave(one)
    assert make.read(two).state is AttendeeState.GOING
    assert make.read(meeting.capacity).taken == 1
    (row,) = told("meeting_seated")
    assert row.recipient_id == second.public_id


def test_who_left_may_come_back(make, deliberating, worker):
    meeting, person = deliberating.meeting(), make.person()
    one = join(meeting, person, worker)
    leave(one)
    assert make.read(meeting.capacity).taken == 0
    again = join(meeting, person, worker, Part.SPEAKER, matter="灯不亮")
    assert (again.id, again.part, again.matter) == (one.id, Part.SPEAKER, "灯不亮")


def test_speaking_has_its_own_quota_and_is_given_back(make, deliberating, worker):
    meeting = deliberating.meeting(speakers=1)
    first = join(meeting, make.person("赵桂兰"), worker, Part.SPEAKER, matter="钱怎么分摊")
    with pytest.raises(Refused, match="旁听"):
        join(meeting, make.person("李小红"), worker, Part.SPEAKER, matter="噪声")
    assert make.read(meeting.capacity).taken == 1
    leave(first)
    assert make.read(meeting.speaking).taken == 0


def test_nobody_signs_up_once_it_has_begun_or_was_cancelled(make, deliberating, worker):
    meeting = deliberating.meeting()
    with time_machine.travel(meeting.starts_at, tick=False), pytest.raises(Refused, match="现场"):
        join(meeting, make.person(), worker)
    gone = deliberating.meeting(state=MeetingState.CANCELLED)
    with pytest.raises(Refused, match="取消"):
        join(gone, make.person("李小红"), worker)


def test_the_line_ends_when_the_meeting_begins(make, deliberating, worker):
    meeting = deliberating.meeting(seats=1, speakers=2)
    join(meeting, make.person("赵桂兰"), worker)
    two = join(meeting, make.person("李小红"), worker, Part.SPEAKER, matter="噪声")
    with time_machine.travel(meeting.starts_at, tick=False):
        (row,) = places.due(now())
        with transaction():
            places.lapse(row, now())
    assert make.read(two).state is AttendeeState.LEFT
    assert make.read(meeting.speaking).taken == 0
    assert len(told("meeting_no_seat")) == 1


def test_more_seats_go_to_who_waits(make, deliberating, worker):
    meeting = deliberating.meeting(seats=1)
    join(meeting, make.person("赵桂兰"), worker)
    two = join(meeting, make.person("李小红"), worker)
    with transaction():
        places.resize(meeting.capacity_id, 3)
    assert make.read(two).state is AttendeeState.GOING


def test_the_seat_of_who_died_goes_to_the_next(make, deliberating, worker):
    meeting, person = deliberating.meeting(seats=1), make.person("赵桂兰")
    one = join(meeting, person, worker)
    two = join(meeting, make.person("李小红"), worker)
    with transaction():
        meeting_signup.on_person_died(person=person)
    assert make.read(one).state is AttendeeState.LEFT
    assert make.read(two).state is AttendeeState.GOING


def test_who_comes_is_reminded_at_each_lead_once(make, deliberating, worker):
    meeting = deliberating.meeting()
    join(meeting, make.person(), worker)
    for hours in (25, 23, 22, 1, 0.5):
        with time_machine.travel(meeting.starts_at - timedelta(hours=hours), tick=False):
            meeting_jobs.remind()
    assert len(told("meeting_reminder")) == 2


def test_who_signed_up_after_the_lead_is_not_reminded_of_it(make, deliberating, worker):
    meeting = deliberating.meeting()
    with time_machine.travel(meeting.starts_at - timedelta(hours=1), tick=False):
        join(meeting, make.person(), worker)
        meeting_jobs.remind()
    assert told("meeting_reminder") == []


def test_everybody_hears_of_a_cancelled_meeting_once(make, deliberating, worker):
    topic = deliberating.topic(stage=Stage.MEETING)
    meeting = deliberating.meeting(topic, seats=1)
    listed, waits = make.person("赵桂兰"), make.person("李小红")
    join(meeting, listed, worker)
    two = join(meeting, waits, worker)
    deliberating.follower(topic, listed)
    with transaction() as session:
        meeting_notices.cancel(session.get_one(Meeting, meeting.id), why="停电", by=worker)
    assert {row.recipient_id for row in told("meeting_cancelled")} == {listed.public_id, waits.public_id}
    assert len(told("meeting_cancelled")) == 2
    assert told("meeting_no_seat") == []
    assert places.waiting_count(meeting.capacity_id) == 0
    assert make.read(two).state is AttendeeState.WAITING


def test_a_worker_adds_members_guests_and_experts(make, deliberating, worker):
    meeting = deliberating.meeting()
    with transaction() as session:
        found = session.get_one(Meeting, meeting.id)
        person = make.person("赵桂兰")
        add = meeting_attendance.add
        member = add(found, person, Part.MEMBER, speaks_for="6 号楼", counts=True, by=worker)
        guest = add(found, "张经理", Part.LISTENER, speaks_for="物业", counts=False, by=worker)
        expert = add(found, "刘工", Part.EXPERT, speaks_for="", counts=True, by=worker)
    assert [make.read(one).counts for one in (member, guest, expert)] == [True, False, False]
    assert make.read(meeting.capacity).taken == 3
    assert len(told("meeting_invited")) == 1
    with pytest.raises(Refused, match="专家"), transaction() as session:
        meeting_attendance.set_counting(session.get_one(Attendee, expert.id), counts=True)


EVENTS = (
    "meeting_notified",
    "meeting_changed",
    "meeting_cancelled",
    "meeting_joined",
    "meeting_waiting",
    "meeting_seated",
    "meeting_no_seat",
    "meeting_invited",
    "meeting_removed",
    "meeting_reminder",
    "meeting_reported",
)


@pytest.mark.parametrize("event", EVENTS)
def test_each_message_names_the_meeting_and_leaves_nothing_out(app, make, deliberating, event):
    meeting = deliberating.meeting()
    about = {"person": "王秀英", "title": meeting.topic.title, "topic_id": meeting.topic_id}
    facts = about | meeting_notices.told(meeting, why="停电")
    with app.test_request_context():
        said = words_for(f"deliberation.{event}", facts)
    assert meeting.title in said.title
    assert "None" not in said.title + said.body
    assert said.body
