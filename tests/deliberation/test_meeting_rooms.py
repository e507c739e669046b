"""The room of a meeting: chosen among the communities' own, named on the notice, never used twice at one time."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.core import clock
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Forum, MeetingState, Stage
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import meeting_notices, meetings
from portal.deliberation.service.meetings import Facts, Line
from portal.identity.permissions import Role
from portal.registry.models import Facility, FacilityKind, Room, RoomUse
from tests.deliberating import Deliberating
from tests.deliberation.held import locks
from tests.make import Make

pytestmark = pytest.mark.both_databases


@pytest.fixture
def topic(deliberating: Deliberating) -> Topic:
    return deliberating.topic(stage=Stage.MEETING)


@pytest.fixture
def worker(deliberating: Deliberating) -> Any:
    return deliberating.committee()


def hall(make: Make, community: Area | None = None, *, capacity: int = 40, closed_on: date | None = None) -> Room:
    area = community or make.community()
    facility = make.add(
        Facility(community_id=area.id, name=f"党群中心{make.number()}", kind=FacilityKind.SERVICE_CENTRE)
    )
    return make.add(Room(facility_id=facility.id, name="议事厅", capacity=capacity, closed_on=closed_on))


def at(hour: int, *, days: int = 7) -> datetime:
    return clock.at(today() + timedelta(days=days), time(hour))


def make_one(topic: Topic, worker: Any, room: Room, *, starts: int = 14, ends: int = 16, **more: Any) -> Meeting:
    plan: dict[str, Any] = {"title": "停车议事会", "forum": Forum.COUNCIL, "body": "", "place": "议事厅", "seats": 30}
    plan |= {"speakers": 3, "entitled": 0, "who": "居民", "agenda": (Line("停车", 20),), "room": room.id}
    facts = Facts(starts_at=at(starts), ends_at=at(ends), **plan | more)
    with transaction() as session:
        return meetings.make(session.get_one(Topic, topic.id), facts, by=worker)


def test_two_meetings_never_have_one_room_at_one_time(make, topic, worker):
    room = hall(make)
    first = make_one(topic, worker, room)
    with pytest.raises(Refused, match="停车议事会") as refused:
        make_one(topic, worker, room, starts=15, ends=17)
    assert refused.value.field == "room"
    for starts, ends in ((12, 14), (16, 18)):
        assert make_one(topic, worker, room, starts=starts, ends=ends).room_id == room.id
    with transaction() as session:
        meeting_notices.cancel(session.get_one(Meeting, first.id), why="停电", by=worker)
    assert make_one(topic, worker, room, starts=14, ends=16).room_id == room.id


def test_moving_a_meeting_does_not_meet_itself_and_meets_others(make, topic, worker):
    room = hall(make)
    moving, other = make_one(topic, worker, room), make_one(topic, worker, room, starts=17, ends=18)
    with transaction() as session:
        held = session.get_one(Meeting, moving.id)
        meetings.change(held, plan_of(held, room, 15, 17), by=worker)
    assert make.read(moving).starts_at == at(15)
    with pytest.raises(Refused, match="停车议事会"), transaction() as session:
        held = session.get_one(Meeting, moving.id)
        meetings.change(held, plan_of(held, room, 17, 18), by=worker)
    assert make.read(other).state is MeetingState.DRAFT


def plan_of(held: Meeting, room: Room, starts: int, ends: int) -> Facts:
    plan: dict[str, Any] = {"title": held.title, "forum": held.forum, "body": "", "place": held.place, "who": held.who}
    plan |= {"seats": 30, "speakers": 3, "entitled": 0, "agenda": (Line("停车", 20),), "room": room.id}
    return Facts(starts_at=at(starts), ends_at=at(ends), **plan)


def test_whoever_plans_holds_the_room_first(make, topic, worker):
    room = hall(make)
    with locks() as held:
        make_one(topic, worker, room)
    assert "room" in held


def test_a_weekly_use_gives_way_only_where_that_was_agreed(make, topic, worker):
    room = hall(make)
    day = at(14).date()
    make.add(RoomUse(room_id=room.id, name="合唱队排练", weekday=day.weekday(), opens=time(15), closes=time(17)))
    with pytest.raises(Refused, match="合唱队排练") as refused:
        make_one(topic, worker, room)
    assert refused.value.field == "agreed"
    assert make_one(topic, worker, room, starts=13, ends=15).room_id == room.id
    made = make_one(topic, worker, room, starts=15, ends=16, agreed=True)
    with transaction() as session:
        held = session.get_one(Meeting, made.id)
        meetings.change(held, plan_of(held, room, 15, 16), by=worker)


def test_a_room_elsewhere_too_small_or_closed_is_refused_in_words(make, topic, worker):
    for room, words in (
        (hall(make, make.community("别处社区")), "不在这个议题的社区"),
        (hall(make, closed_on=today()), "不在这个议题的社区"),
        (hall(make, capacity=12), "最多坐 12 人"),
    ):
        with pytest.raises(Refused, match=words):
            make_one(topic, worker, room)


def test_the_desk_chooses_a_room_and_everybody_reads_where_it_is(app, make, topic):
    room = hall(make)
    make.add(RoomUse(room_id=room.id, name="合唱队排练", weekday=at(15).weekday(), opens=time(15), closes=time(16)))
    desk = app.test_client().sign_in(make.worker(Role.COMMITTEE_MEMBER))
    new = f"/desk/deliberation/topics/{topic.id}/meetings/new"
    page = desk.get(new).text
    assert room.facility.name in page
    assert "已经和原来用这间房的说好了" not in page
    plan = {"title": "停车议事会", "forum": "council", "body": "", "day": at(15).date().isoformat(), "starts": "15:00"}
    plan |= {"ends": "16:00", "who": "居民", "entitled": "0", "seats": "30", "speakers": "3", "agenda": "停车 20"}
    assert "请写明地点" in desk.post(new, data=plan).text
    plan |= {"room": str(room.id)}
    answer = desk.post(new, data=plan)
    assert answer.status_code == 422
    assert "已经和原来用这间房的说好了" in answer.text
    assert desk.post(new, data=plan | {"agreed": "y"}).status_code == 303
    listed = desk.get("/desk/deliberation/meetings").text
    assert f"{room.facility.name} 议事厅" in listed
    made = the_newest()
    other = hall(make)
    edit = f"/desk/deliberation/meetings/{made.id}/edit"
    assert "从东门进" in desk.post(edit, data=plan | {"agreed": "y", "place": "从东门进", "speakers": "99"}).text
    moved = plan | {"room": str(other.id), "place": "从东门进"}
    assert desk.post(edit, data=moved).status_code == 303
    assert make.read(made).place == f"{other.facility.name} 议事厅，从东门进"
    assert 'value="从东门进"' in desk.get(edit).text


def the_newest() -> Meeting:
    found = db.session.scalars(sa.select(Meeting).order_by(Meeting.id.desc()).limit(1)).one()
    db.session.rollback()
    return found
