"""A room between residents who book it and a meeting that wants it: whoever is first has it, and the other is told."""

from datetime import time, timedelta

import pytest

from portal.catalogue.models.rooms import RoomRule
from portal.core import clock
from portal.core.clock import today
from portal.core.db import transaction
from portal.core.errors import Refused
from portal.deliberation.models.codes import Stage
from portal.deliberation.models.meetings import Meeting
from portal.deliberation.service import meeting_notices, meetings
from tests.catalogue import rooming
from tests.deliberating import Deliberating
from tests.deliberation.test_meeting_rooms import hall, make_one, plan_of
from tests.make import Make

pytestmark = pytest.mark.both_databases


def _hour(hour: int):
    return clock.at(today() + timedelta(days=7), time(hour))


@pytest.fixture
def rule(make: Make) -> RoomRule:
    return rooming.rule(make, hall(make))


def _plan(make: Make, deliberating: Deliberating, rule: RoomRule) -> Meeting:
    return make_one(deliberating.topic(stage=Stage.MEETING), deliberating.committee(), rule.room)


def test_a_resident_cannot_book_while_a_meeting_has_the_room(make, deliberating, rule):
    _plan(make, deliberating, rule)
    person = make.person()
    with pytest.raises(Refused, match="已经有人约了"):
        rooming.book(rule, rooming.wish(person, _hour(15)), make.resident(person))


def test_a_meeting_is_refused_where_a_resident_has_the_room(make, deliberating, rule):
    person = make.person()
    rooming.book(rule, rooming.wish(person, _hour(15)), make.resident(person))
    with pytest.raises(Refused, match="15:00–16:00 已经有人预约") as refused:
        _plan(make, deliberating, rule)
    assert refused.value.field == "room"


def test_a_meeting_that_moves_or_is_called_off_gives_the_room_back(make, deliberating, rule):
    held, worker, person = _plan(make, deliberating, rule), deliberating.committee(), make.person()
    account = make.resident(person)
    with transaction() as session:
        found = session.get_one(Meeting, held.id)
        meetings.change(found, plan_of(found, rule.room, 17, 18), by=worker)
    rooming.book(rule, rooming.wish(person, _hour(14)), account)
    with transaction() as session:
        meeting_notices.cancel(session.get_one(Meeting, held.id), why="停电", by=worker)
    rooming.book(rule, rooming.wish(person, _hour(17)), account)
    assert len(rooming.quarters(rule)) == 8
