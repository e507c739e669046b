"""One room, one time, many at once: the constraint gives it to one; a check in Python gives it to several."""

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from portal.catalogue.models.rooms import BookingState, RoomBooking, RoomQuarter, RoomRule
from portal.catalogue.service.rooms import blocks, booking, holding
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.registry.models import Person
from tests.acting import actor_of
from tests.catalogue import rooming

THREADS = 8


def at_once(app, attempt):
    """Run an attempt on each of eight threads, all starting together; how many went through."""
    ready = threading.Barrier(THREADS, timeout=60)

    def run(number: int) -> bool:
        with app.app_context():
            ready.wait()
            return attempt(number)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(contextvars.Context().run, run, number) for number in range(THREADS)]
        return sum(future.result() for future in futures)


def neighbours(make) -> list[tuple[int, object]]:
    people = [make.person(f"居民{turn}") for turn in range(THREADS)]
    return [(person.id, actor_of(make.resident(person))) for person in people]


def booked(rule_id: int, person_id: int, actor, minutes: int) -> bool:
    try:
        with transaction() as session:
            rule, person = session.get_one(RoomRule, rule_id), session.get_one(Person, person_id)
            booking.book(rule, rooming.wish(person, rooming.at(9) + timedelta(minutes=minutes)), by=actor)
        return True
    except Refused:
        return False


def test_of_eight_who_book_overlapping_times_one_gets_the_room(app, make):
    rule, wanting = rooming.rule(make), neighbours(make)
    # Each an hour long and a quarter later than the one before, but all across ten to ten.
    won = at_once(app, lambda turn: booked(rule.id, *wanting[turn], minutes=15 * (turn % 3)))
    assert won == 1
    assert len(rooming.bookings()) == 1
    assert len(rooming.quarters(rule)) == 4


def test_one_person_at_once_holds_no_more_than_the_rule_allows(app, make):
    rule, (mine, *_others) = rooming.rule(make, most_held=1), neighbours(make)
    won = at_once(app, lambda turn: booked(rule.id, *mine, minutes=60 * turn))
    assert won == 1


def test_a_booking_and_a_blocking_never_share_a_quarter(app, make):
    rule, wanting, worker = rooming.rule(make), neighbours(make), actor_of(make.worker())

    def attempt(turn: int) -> bool:
        if turn % 2:
            return booked(rule.id, *wanting[turn], minutes=0)
        try:
            with transaction() as session:
                fresh = session.get_one(RoomRule, rule.id)
                blocks.block(fresh, rooming.at(9), rooming.at(12), "刷墙", by=worker)
            return True
        except Refused:
            return False

    assert at_once(app, attempt) == 1
    assert len(set(rooming.quarters(rule))) == len(rooming.quarters(rule))


def test_without_the_constraint_the_room_is_sold_twice(app, make):
    """The negative control: read what is free, then write, nothing guarding."""
    rule, wanting = rooming.rule(make), neighbours(make)
    seen = threading.Barrier(THREADS, timeout=60)
    begins, ends = rooming.at(9), rooming.at(10)
    made = rooming.book(rule, rooming.wish(db.session.get_one(Person, wanting[0][0]), rooming.at(15)), make.worker())
    facts = {
        column.key: getattr(made, column.key)
        for column in RoomBooking.__table__.columns
        if column.key not in {"id", "public_id", "code", "starts_at", "ends_at"}
    }

    def attempt(turn: int) -> bool:
        free = not holding.taken([rule.room_id], begins, ends)[rule.room_id]
        db.session.rollback()
        seen.wait()
        if free:
            with transaction() as session:
                session.add(RoomBooking(**facts, code=f"X{turn}", starts_at=begins, ends_at=ends))
        return free

    assert at_once(app, attempt) == THREADS
    doubled = sa.select(sa.func.count(RoomBooking.id)).where(
        RoomBooking.starts_at == begins, RoomBooking.state == BookingState.CONFIRMED
    )
    assert db.session.scalar(doubled) == THREADS
    assert db.session.scalar(sa.select(sa.func.count(RoomQuarter.id)).where(RoomQuarter.at == begins)) == 0
