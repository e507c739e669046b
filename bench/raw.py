"""The limit for a booking: the ORM's insert and guarded UPDATE, committed, 16 at a time. Arguments: menu, bookings."""

import sys
from datetime import timedelta

import sqlalchemy as sa

from bench.measuring import together
from portal.app import create_app
from portal.core.clock import now
from portal.core.db import db, transaction
from portal.meals.models import Meal, MealOrder, Menu, Way
from portal.places.models import Capacity
from portal.registry.models import Person

MENU, BOOKINGS = int(sys.argv[1]), int(sys.argv[2])
app = create_app()


def book(facts: tuple[int, int]) -> None:
    number, person = facts
    with app.app_context(), transaction() as session:
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
    db.engine.dispose()
sys.stdout.write(f"{rate}\n")
