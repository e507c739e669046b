"""The limit for a booking: the ORM's insert and guarded UPDATE, committed, 16 at a time. Arguments: menu, bookings.

Plain SQLAlchemy on an engine of its own with the portal's durability, and none of the portal's code round it.
"""

import sys
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from bench.measuring import CROWD, together
from portal.app import create_app
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.meals.models import Meal, MealOrder, Menu, Way
from portal.places.models import Capacity
from portal.registry.models import Person

MENU, BOOKINGS = int(sys.argv[1]), int(sys.argv[2])
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
            MealOrder(
                menu_id=ITS_MENU,
                person_id=person,
                day=DAY,
                meal=Meal.LUNCH,
                way=Way.DINE_IN,
                pickup_code=f"R{number:06d}",
                bill_fen=1200,
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
        source, capacity = opened.get_one(Menu, MENU), Capacity(total=10**9, taken=0)
        # A menu of its own, on a day when nobody has ordered.
        menu = Menu(
            canteen_id=source.canteen_id,
            day=source.day + timedelta(days=30),
            meal=source.meal,
            cutoff_at=source.cutoff_at,
            opens_at=source.opens_at,
            closes_at=source.closes_at,
            ways=source.ways,
        )
        opened.add_all([capacity, menu])
        opened.flush()
        CAPACITY, ITS_MENU, DAY = capacity.id, menu.id, menu.day
    _answers, rate = together(book, list(enumerate(people)))
    with transaction() as opened:
        opened.execute(sa.delete(MealOrder).where(MealOrder.menu_id == ITS_MENU))
        opened.execute(sa.delete(Menu).where(Menu.id == ITS_MENU))
        opened.execute(sa.delete(Capacity).where(Capacity.id == CAPACITY))
    ENGINE.dispose()
    db.engine.dispose()
sys.stdout.write(f"{rate}\n")
