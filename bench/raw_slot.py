"""The limit for an appointment: the ORM's insert and guarded UPDATE, committed, 16 at a time. Arguments: slot, count.

Plain SQLAlchemy on an engine of its own with the portal's durability, and none of the portal's code round it.
"""

import sys
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from bench.measuring import CROWD, together
from portal.app import create_app
from portal.catalogue.models.appointments import Appointment, Channel
from portal.catalogue.models.schedules import Slot, timetable_item
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.places.models import Capacity
from portal.registry.models import Person

SLOT, BOOKINGS = int(sys.argv[1]), int(sys.argv[2])
app = create_app()


def plain_engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_size=CROWD)
    engine = sa.create_engine(url, pool_size=CROWD, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


ENGINE = plain_engine(app.extensions["portal.config"].database_url)


def book(facts: tuple[int, int]) -> None:
    number, person = facts
    with Session(ENGINE) as session, session.begin():
        session.add(
            Appointment(
                code=f"R{number:06d}",
                person_id=person,
                item_id=ITEM,
                slot_id=SLOT,
                day=DAY,
                starts_at=STARTS,
                ends_at=ENDS,
                channel=Channel.SELF,
                placed_at=now(),
                placed_by="bench",
                placed_by_name="bench",
                changed_at=now(),
            )
        )
        session.flush()
        session.execute(
            sa.update(Capacity)
            .where(Capacity.id == CAPACITY, Capacity.taken < Capacity.total)
            .values(taken=Capacity.taken + 1)
        )


with app.app_context():
    with transaction() as opened:
        people = list(opened.scalars(sa.select(Person.id).order_by(Person.id).limit(BOOKINGS)))
        slot, capacity = opened.get_one(Slot, SLOT), Capacity(total=10**9, taken=0)
        opened.add(capacity)
        opened.flush()
        DAY, STARTS, ENDS, CAPACITY = slot.day, slot.starts_at, slot.ends_at, capacity.id
        ITEM = opened.scalars(
            sa.select(timetable_item.c.item_id).where(timetable_item.c.timetable_id == slot.timetable_id)
        ).one()
    _answers, rate = together(book, list(enumerate(people)))
    with transaction() as opened:
        opened.execute(sa.delete(Appointment).where(Appointment.placed_by == "bench"))
        opened.execute(sa.delete(Capacity).where(Capacity.id == CAPACITY))
    ENGINE.dispose()
    db.engine.dispose()
sys.stdout.write(f"{rate}\n")
