"""Many at once: stock never falls below nothing, a room is never used twice at a time, a turn is taken by one."""

from datetime import time, timedelta

import sqlalchemy as sa

from portal.core.clock import today
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.duty.models import Swap, Turn
from portal.duty.service import rota, swaps
from portal.duty.service.rota import ShiftFacts, ShiftRole
from portal.registry.models import Facility, FacilityKind, Room, RoomUse, StockEntry, StockItem, StockReason
from portal.registry.service.resources import facilities, stock
from tests.acting import actor_of
from tests.concurrency.test_portions import at_once

BAGS, ATTEMPTS = 20, 40


def test_twenty_bags_are_given_away_exactly_twenty_times(app, make):
    item = make.add(StockItem(community_id=make.community().id, name="大米", unit="袋", quantity=BAGS))
    by, item_id = actor_of(make.worker()), item.id

    def give(_number: int) -> bool:
        try:
            with transaction():
                stock.move(db.session.get_one(StockItem, item_id), StockReason.GIVEN, 1, by=by)
            return True
        except Refused:
            return False

    assert at_once(app, ATTEMPTS, give) == BAGS
    assert make.read(item).quantity == 0
    left = db.session.scalars(sa.select(StockEntry.left_after).order_by(StockEntry.id))
    assert sorted(left) == list(range(BAGS))


def test_a_room_is_given_to_one_of_many_who_ask_for_overlapping_times(app, make):
    facility = make.add(Facility(community_id=make.community().id, name="活动室", kind=FacilityKind.ACTIVITY))
    room_id = make.add(Room(facility_id=facility.id, name="大厅")).id

    def book(number: int) -> bool:
        try:
            with transaction():
                room = db.session.get_one(Room, room_id)
                span = {"opens": time(9, number % 10), "closes": time(11, number % 10)}
                facilities.add_use(room, name=f"活动{number}", weekday=0, **span)
            return True
        except Refused:
            return False

    assert at_once(app, ATTEMPTS, book) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RoomUse)) == 1


def test_a_turn_offered_to_many_is_taken_by_one(app, make):
    asker = make.worker(name="周洁")
    facts = ShiftFacts("大厅", ShiftRole.COUNTER, today() + timedelta(1), time(9), time(12), people=[asker])
    with transaction():
        turn_id = rota.add_shift(make.community(), facts).turns[0].id
    takers = [make.worker(name=f"同事{number}") for number in range(8)]
    actors = {taker.id: actor_of(taker) for taker in takers}
    for taker in takers:
        with transaction():
            turn = swaps.turn_of(actor_of(asker), turn_id)
            swaps.ask(turn, taker=taker.public_id, back=None, reason="", by=actor_of(asker))
    asked = dict(db.session.execute(sa.select(Swap.id, Swap.taker_id).order_by(Swap.id)).all())
    db.session.rollback()

    def agree(number: int) -> bool:
        swap_id, taker_id = list(asked.items())[number]
        try:
            with transaction():
                swaps.agree(swaps.swap_of(actors[taker_id], swap_id), actors[taker_id])
            return True
        except Refused:
            return False

    assert at_once(app, len(asked), agree) == 1
    db.session.rollback()
    assert db.session.get_one(Turn, turn_id).account_id in actors
