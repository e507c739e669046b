"""A room that another capability takes: held like a booking's time, told what stands in the way, given back."""

from datetime import datetime

import pytest

from portal.catalogue.models.rooms import RoomRule
from portal.catalogue.service.rooms import finding
from portal.core import events
from portal.core.access import Scope
from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from tests.acting import actor_of
from tests.catalogue import rooming
from tests.make import Make

WORDS = "居民会议"


def wanted(make: Make, rule: RoomRule, starts_at: datetime, ends_at: datetime) -> list[str]:
    """What a meeting is answered that asks for a room."""
    taken: list[str] = []
    with transaction():
        facts = {"room_id": rule.room_id, "starts_at": starts_at, "ends_at": ends_at, "reason": WORDS}
        events.publish("room_wanted", by=actor_of(make.worker()), taken=taken, **facts)
    db.session.rollback()
    return taken


def given_back(make: Make, rule: RoomRule, starts_at: datetime, ends_at: datetime) -> None:
    with transaction():
        facts = {"room_id": rule.room_id, "starts_at": starts_at, "ends_at": ends_at}
        events.publish("room_given_back", by=actor_of(make.worker()), **facts)
    db.session.rollback()


def test_nobody_books_a_room_while_a_meeting_has_it(make: Make) -> None:
    """A meeting from 9:10 to 10:20 takes the quarters that it touches, and none beside."""
    rule, person = rooming.rule(make), make.person()
    account = make.resident(person)
    assert wanted(make, rule, rooming.at(9, 10), rooming.at(10, 20)) == []
    assert [rooming.quarters(rule)[0], rooming.quarters(rule)[-1]] == [rooming.at(9), rooming.at(10, 15)]
    with pytest.raises(Refused, match="已经有人约了"):
        rooming.book(rule, rooming.wish(person, rooming.at(10, 15)), account)
    rooming.book(rule, rooming.wish(person, rooming.at(10, 30)), account)


def test_a_meeting_is_told_by_whose_time_it_is_met_and_takes_nothing(make: Make) -> None:
    rule, person = rooming.rule(make), make.person("欧阳兰芝")
    rooming.book(rule, rooming.wish(person, rooming.at(9)), make.resident(person))
    (told,) = wanted(make, rule, rooming.at(9, 30), rooming.at(11))
    assert "09:00–10:00 已经有人预约" in told
    assert person.name not in told
    assert len(rooming.quarters(rule)) == 4


def test_two_meetings_do_not_take_one_time_and_the_first_is_named(make: Make) -> None:
    rule = rooming.rule(make)
    wanted(make, rule, rooming.at(9), rooming.at(10))
    (told,) = wanted(make, rule, rooming.at(9, 45), rooming.at(11))
    assert WORDS in told


def test_what_a_meeting_gives_back_can_be_booked_again(make: Make) -> None:
    rule, person = rooming.rule(make), make.person()
    account = make.resident(person)
    wanted(make, rule, rooming.at(9), rooming.at(10))
    given_back(make, rule, rooming.at(9), rooming.at(10))
    rooming.book(rule, rooming.wish(person, rooming.at(9)), account)
    given_back(make, rule, rooming.at(9), rooming.at(10))
    assert len(rooming.quarters(rule)) == 4


def test_a_meeting_stands_on_the_board_of_rooms(make: Make) -> None:
    rule = rooming.rule(make)
    wanted(make, rule, rooming.at(9), rooming.at(10))
    _rooms, found = finding.board((Scope("community", make.community().code),), today(), 3)
    assert [entry.words for entry in found[rule.room_id]] == [WORDS]
