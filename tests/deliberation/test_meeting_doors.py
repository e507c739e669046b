"""What the doors hand over of meetings: to be done, a person's timeline and copy, what is forgotten when."""

from datetime import timedelta

import sqlalchemy as sa

from portal.core.clock import now, today
from portal.core.db import db, transaction
from portal.deliberation.models.codes import MeetingState, Part, Stage
from portal.deliberation.models.meetings import Attendee, Expert, Meeting
from portal.deliberation.service import meeting_doors, reach
from portal.identity.permissions import Role


def came(make, meeting, person):
    one = {"part": Part.SPEAKER, "came_at": now(), "matter": "灯不亮", "shown_as": "family"}
    return make.add(Attendee(meeting_id=meeting.id, person_id=person.id, **one))


def test_what_was_held_and_not_reported_waits_at_its_own_desk(make, deliberating):
    worker = deliberating.committee()
    other = deliberating.actor(make.worker(Role.COMMITTEE_MEMBER, make.community("别处社区")))
    assert meeting_doors.todo_of(worker) == []
    deliberating.meeting()
    over = now() - timedelta(days=9)
    deliberating.meeting(starts_at=over, state=MeetingState.CLOSED)
    (todo,) = meeting_doors.todo_of(worker)
    assert (todo.count, todo.late) == (1, True)
    assert meeting_doors.todo_of(other) == []


def test_a_person_finds_her_meetings_in_her_timeline_and_her_copy(make, deliberating):
    meeting, person = deliberating.meeting(), make.person()
    came(make, meeting, person)
    (line,) = meeting_doors.timeline(person)
    assert meeting.title in line.title
    (row,) = meeting_doors.export(person)
    assert "灯不亮" in row.values()
    assert meeting_doors.export(make.person("李小红")) == []


def test_who_was_there_is_forgotten_with_the_archive_and_what_was_published_stays(make, deliberating):
    old = deliberating.topic(stage=Stage.ARCHIVED, archived_at=now() - timedelta(days=4000))
    for topic in (old, deliberating.topic(stage=Stage.MEETING)):
        came(make, deliberating.meeting(topic), make.person())
    with transaction():
        assert meeting_doors.purge(today() - timedelta(days=3650)) == 1
    assert db.session.scalar(sa.select(sa.func.count(Attendee.id))) == 1
    assert db.session.scalar(sa.select(sa.func.count(Meeting.id))) == 2


def test_a_topics_steps_say_how_to_take_part_today(make, deliberating):
    topic = deliberating.topic(stage=Stage.MEETING)
    meeting, person = deliberating.meeting(topic), make.person()
    (step,) = meeting_doors.steps(reach.shown(topic.id), None, now())
    assert (step.now, step.endpoint) == (True, "deliberation.resident.meeting_page")
    assert step.title.startswith("报名参加会议")
    (step,) = meeting_doors.steps(reach.shown(topic.id), None, meeting.starts_at)
    assert step.title.startswith("正在开会")
    came(make, meeting, person)
    (step,) = meeting_doors.steps(reach.shown(topic.id), person, now())
    assert "您已报名" in step.words
    expert = {"name": "刘工", "field": "电梯安全", "stake": "", "advice": "能装", "published_at": now()}
    make.add(Expert(topic_id=topic.id, **expert))
    assert len(meeting_doors.steps(reach.shown(topic.id), person, now())) == 2
    assert meeting_doors.desk_steps(reach.shown(topic.id), now())[-1].endpoint == "deliberation.worker.expert_desk"
