"""What tests of orders look at in the database."""

import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.outbox import OutboxRow
from portal.meals.models import (
    MealOrder,
    Period,
    SubsidyCounter,
    SubsidyLine,
    Way,
)
from portal.meals.service import orders
from portal.places.models import Capacity


def taken(menu):
    db.session.rollback()
    return [db.session.scalar(sa.select(Capacity.taken).where(Capacity.id == row.capacity_id)) for row in menu.dishes]


def counters(period=Period.DAY):
    db.session.rollback()
    query = sa.select(SubsidyCounter.used_fen, SubsidyCounter.used_times).where(SubsidyCounter.period == period)
    return [tuple(row) for row in db.session.execute(query.order_by(SubsidyCounter.id))]


def notices(topic):
    db.session.rollback()
    query = sa.select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)
    return list(db.session.scalars(query))


def lines_of(order):
    db.session.rollback()
    query = sa.select(SubsidyLine.amount_fen).where(SubsidyLine.order_id == order.id, SubsidyLine.reversed_at.is_(None))
    return list(db.session.scalars(query.order_by(SubsidyLine.id)))


def cancel(order, by, reason=""):
    with transaction():
        orders.cancel_order(db.session.get_one(MealOrder, order.id), by=by, reason=reason)


def change(order, portions, by, way=Way.DINE_IN, note=""):
    with transaction():
        found = db.session.get_one(MealOrder, order.id)
        return orders.change_order(found, portions=portions, way=way, by=by, note=note)
