"""One worker's work handed to several at the same moment goes to one of them, whole; the others read why not."""

import sqlalchemy as sa

from portal.areas.models import Area
from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.home.models import HandOver
from portal.home.service import handover
from portal.home.service.handover import Signing
from portal.identity.permissions import Role
from portal.visits.models import CareSubject, Visit
from tests.concurrency.test_portions import at_once
from tests.visits import stand

TAKERS = 6


def test_of_several_hand_overs_at_once_one_takes_it_all(app, make):
    grid = make.grid()
    giver = make.worker(Role.GRID_WORKER, grid, name="王建国")
    takers = [make.worker(Role.GRID_WORKER, grid, name=f"李{turn}") for turn in range(TAKERS)]
    people = [stand.alone(make, f"王{turn}", grid=grid) for turn in range(20)]
    for person in people:
        stand.promised(person)
    with transaction() as session:
        session.execute(sa.update(CareSubject).values(assigned_to=giver.public_id, worker=giver.public_id))
        session.execute(sa.update(Visit).values(worker=giver.public_id))
    shown = [handover.preview(grid, giver.public_id, taker.public_id) for taker in takers]
    by = stand.actor(make.worker(name="周洁"))
    # Read before: the session of the test is not for several threads.
    place, facts = grid.id, zip(takers, shown, strict=True)
    said = [Signing(giver.public_id, taker.public_id, "岗位调整", shown=seen.key) for taker, seen in facts]
    db.session.rollback()

    def hand(number: int) -> bool:
        try:
            with app.test_request_context(), transaction() as session:
                handover.hand_over(session.get_one(Area, place), said[number], by=by)
            return True
        except Refused:
            return False

    assert at_once(app, TAKERS, hand) == 1
    db.session.rollback()
    signed = db.session.scalars(sa.select(HandOver)).one()
    assert set(db.session.scalars(sa.select(Visit.worker).distinct())) == {signed.taker}
    assert set(db.session.scalars(sa.select(CareSubject.assigned_to).distinct())) == {signed.taker}
    assert signed.counts == {"visits.people": 20, "visits.visits": 20}
