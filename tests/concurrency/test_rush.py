"""More buyers than portions, all at once: exactly as many orders as portions, and what happens without the guard."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.places import service as places
from portal.places.models import Capacity
from tests.buyers import Buyer, buyers
from tests.sites import site

CROWD = 16
BARE = sa.Table(
    "bare_capacity", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("taken", sa.Integer)
)


@pytest.mark.slow
def test_260_buyers_of_200_portions_get_exactly_200(database, tmp_path):
    with site(database, tmp_path / "site") as made:
        crowd = buyers(made.migrated(), 260, portions=200)
        made.serve()

        def buy(buyer: Buyer) -> int:
            buyer.look()
            status = buyer.order()
            buyer.close()
            return status

        with ThreadPoolExecutor(CROWD) as pool:
            answers = list(pool.map(buy, crowd))
        assert answers.count(303) == 200
        assert set(answers) <= {303, 422}
        assert made.scalar("SELECT taken FROM capacity") == 200
        assert made.scalar("SELECT count(*) FROM meal_order") == 200


def _all_at_once(app, act) -> list[bool]:
    """Run `act` in a crowd of threads, each in an application context of its own."""
    ready = threading.Barrier(CROWD)

    def one(_number: int) -> bool:
        with app.app_context():
            return act(ready)

    with ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(one, range(CROWD)))


def test_with_the_guard_one_of_16_gets_the_200th_portion(make, app):
    capacity = make.add(Capacity(total=200, taken=199))

    def take(ready: threading.Barrier) -> bool:
        ready.wait()
        try:
            with transaction():
                places.take(capacity.id, 1, refusal=Refused("sold out"))
        except Refused:
            return False
        return True

    assert _all_at_once(app, take).count(True) == 1
    assert make.read(capacity).taken == 200


def test_without_the_guard_more_than_200_are_sold(make, app):
    """The negative control: reading first and writing afterwards, which is what the guard is for."""
    with db.engine.begin() as connection:
        BARE.create(connection)
        connection.execute(BARE.insert().values(id=1, taken=199))

    def take(ready: threading.Barrier) -> bool:
        taken = db.session.scalar(sa.select(BARE.c.taken))
        db.session.rollback()
        ready.wait()
        if taken >= 200:
            return False
        with transaction() as session:
            session.execute(sa.update(BARE).values(taken=BARE.c.taken + 1))
        return True

    try:
        assert _all_at_once(app, take).count(True) == CROWD
        assert db.session.scalar(sa.select(BARE.c.taken)) > 200
        db.session.rollback()
    finally:
        with db.engine.begin() as connection:
            BARE.drop(connection)
