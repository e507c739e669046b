"""Bookings of rooms near their time: reminded once each, lapsed where nobody answered, moved by who booked."""

from datetime import timedelta

import pytest
import time_machine

from portal.catalogue import jobs
from portal.catalogue.models.rooms import BookedBy, BookingState
from portal.catalogue.service.rooms import booking
from portal.core import clock
from portal.core.db import db, transaction
from portal.core.errors import Refused
from tests.acting import actor_of
from tests.catalogue import rooming
from tests.catalogue.bookings import an_agent, told
from tests.client import Client
from tests.make import Make


def test_a_booking_is_reminded_a_day_and_two_hours_before_once_each(make: Make) -> None:
    person = make.person()
    made = rooming.book(rooming.rule(make), rooming.wish(person, rooming.at(9, days=3)), make.resident(person))
    for hours, count in ((25, 0), (23.5, 1), (23, 1), (1.5, 2), (1, 2)):
        with time_machine.travel(made.starts_at - timedelta(hours=hours), tick=False):
            jobs.remind()
            jobs.remind()
            assert len(told("room_reminder", person)) == count, hours


def test_the_agent_who_booked_is_reminded_too_and_what_was_cancelled_is_not(make: Make) -> None:
    person, held = make.person(), rooming.rule(make)
    agent, own = an_agent(make, person), make.resident(person)
    wanted = rooming.wish(person, rooming.at(9, days=3), through=BookedBy.AGENT)
    made = rooming.book(held, wanted, agent)
    gone = rooming.book(held, rooming.wish(person, rooming.at(11, days=3)), own)
    with transaction():
        booking.cancel(db.session.merge(gone), held, by=actor_of(own))
    with time_machine.travel(made.starts_at - timedelta(hours=20), tick=False):
        jobs.remind()
    assert [row.recipient_kind for row in told("room_reminder")] == ["person", "account"]


def test_a_request_that_nobody_answered_lapses_with_words_and_frees_the_room(make: Make) -> None:
    person, held = make.person(), rooming.rule(make, needs_confirmation=True)
    made = rooming.book(held, rooming.wish(person), make.resident(person))
    with time_machine.travel(made.starts_at - timedelta(minutes=1), tick=False):
        jobs.lapse_rooms()
        assert make.read(made).state is BookingState.REQUESTED
    with time_machine.travel(made.starts_at, tick=False):
        jobs.lapse_rooms()
        jobs.lapse_rooms()
    assert make.read(made).state is BookingState.LAPSED
    assert rooming.quarters(held) == []
    assert len(told("room_lapsed", person)) == 1


def _typed(hour: int, **more: str) -> dict[str, str]:
    return rooming.filled(opens=f"{hour:02d}:00", closes=f"{hour + 1:02d}:00", **more)


def test_a_resident_moves_her_booking_and_the_old_time_is_free(make: Make, client: Client) -> None:
    person = make.person()
    account, held = make.resident(person), rooming.rule(make, most_held=1)
    made = rooming.book(held, rooming.wish(person), account)
    client.sign_in(account)
    address = f"/services/rooms/bookings/{made.public_id}"
    assert f"{address}/move" in client.get(address).get_data(as_text=True)
    assert client.get(f"{address}/move").status_code == 200
    assert client.post(f"{address}/move", data=_typed(15)).status_code == 303
    now_at = make.read(made)
    assert (clock.local(now_at.starts_at).hour, now_at.code, now_at.state) == (15, made.code, BookingState.CONFIRMED)
    assert {clock.local(at).hour for at in rooming.quarters(held)} == {15}
    assert len(told("room_moved", person)) == 1


def test_a_taken_time_refuses_the_move_and_the_old_time_stays(make: Make, client: Client) -> None:
    person, other, held = make.person(), make.person(), rooming.rule(make)
    account = make.resident(person)
    made = rooming.book(held, rooming.wish(person), account)
    rooming.book(held, rooming.wish(other, rooming.at(15)), make.resident(other))
    client.sign_in(account)
    answer = client.post(f"/services/rooms/bookings/{made.public_id}/move", data=_typed(15))
    assert answer.status_code == 422
    assert "已经有人约了" in answer.get_data(as_text=True)
    assert clock.local(make.read(made).starts_at).hour == 9
    assert {clock.local(at).hour for at in rooming.quarters(held)} == {9, 15}


def test_a_move_asks_for_a_new_confirmation_where_the_room_needs_one(make: Make, client: Client) -> None:
    person = make.person()
    account, held = make.resident(person), rooming.rule(make, needs_confirmation=True)
    made = rooming.book(held, rooming.wish(person), account)
    with transaction():
        booking.confirm(db.session.merge(made), by=actor_of(make.worker()))
    client.sign_in(account)
    assert client.post(f"/services/rooms/bookings/{made.public_id}/move", data=_typed(15)).status_code == 303
    assert make.read(made).state is BookingState.REQUESTED


def test_past_the_limit_nothing_is_moved_and_a_neighbour_never_moves(make: Make, client: Client) -> None:
    person, held = make.person(), rooming.rule(make, cancel_ahead=48)
    account = make.resident(person)
    made = rooming.book(held, rooming.wish(person), account)
    with pytest.raises(Refused, match="开始前 48 小时"), transaction():
        booking.reschedule(made, held, rooming.wish(person, rooming.at(15)), by=actor_of(account))
    client.sign_in(make.resident(make.person()))
    assert client.get(f"/services/rooms/bookings/{made.public_id}/move").status_code == 404
