"""Two hundred portions, four hundred attempts at once: the guard sells two hundred, without it more are sold."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.identity.permissions import Role
from portal.meals.models import MealOrder, Menu, Way
from portal.meals.service import orders
from portal.places import service as places
from portal.places.models import Capacity
from portal.registry.models import Person
from tests.meals.stand import acting

PORTIONS, THREADS, ATTEMPTS = 200, 16, 400


def at_once(app: Flask, attempts: int, attempt: Callable[[int], bool]) -> int:
    """Run the attempts on sixteen threads, each in an application context of its own; return how many succeeded."""

    def run(number: int) -> bool:
        with app.app_context():
            return attempt(number)

    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(contextvars.Context().run, run, number) for number in range(attempts)]
        return sum(future.result() for future in futures)


def guarded(capacity_id: int) -> bool:
    """One attempt as orders make it."""
    try:
        with transaction():
            places.take(capacity_id, 1, refusal=Refused("sold out"))
        return True
    except Refused:
        return False


def unguarded(capacity_id: int, seen: threading.Barrier) -> bool:
    """Read in one transaction, write in the next, nothing guarding: what a check in Python amounts to."""
    taken = db.session.execute(sa.select(Capacity.taken).where(Capacity.id == capacity_id)).scalar_one()
    db.session.rollback()
    seen.wait()
    if taken >= PORTIONS:
        return False
    with transaction() as session:
        session.execute(sa.update(Capacity).where(Capacity.id == capacity_id).values(taken=Capacity.taken + 1))
    return True


@pytest.fixture
def portions(make):
    return make.add(Capacity(total=PORTIONS, taken=0))


def test_two_hundred_portions_are_sold_exactly_two_hundred_times(app, make, portions):
    sold = at_once(app, ATTEMPTS, lambda _number: guarded(portions.id))
    assert sold == PORTIONS
    assert make.read(portions).taken == PORTIONS


def test_without_the_guard_more_than_two_hundred_are_sold(app, make):
    """The negative control. The table's own check is out of the way: its total is higher than what is offered."""
    offered = make.add(Capacity(total=ATTEMPTS, taken=0))
    rounds = threading.Barrier(THREADS, timeout=60)
    sold = at_once(app, ATTEMPTS, lambda _number: unguarded(offered.id, rounds))
    assert make.read(offered).taken == sold
    assert sold > PORTIONS


def test_the_table_itself_refuses_to_be_oversold(make, portions):
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(sa.update(Capacity).where(Capacity.id == portions.id).values(taken=PORTIONS + 1))


def test_forty_people_ordering_twenty_portions_at_once_get_twenty(app, make):
    menu, worker = make.menu(portions=20), acting(make.worker(Role.COMMUNITY_WORKER))
    people = [make.person(f"王秀英{number}").id for number in range(40)]
    menu_id, dish_id = menu.id, menu.dishes[0].id

    def order(number: int) -> bool:
        try:
            with transaction() as session:
                found, person = session.get_one(Menu, menu_id), session.get_one(Person, people[number])
                orders.place_order(found, person, portions={dish_id: 1}, way=Way.DINE_IN, by=worker)
            return True
        except Refused:
            return False

    assert at_once(app, len(people), order) == 20
    assert make.read(menu.dishes[0].capacity).taken == 20
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MealOrder)) == 20


def test_one_person_ordering_sixteen_times_at_once_has_one_order(app, make):
    menu, worker, person = make.menu(), acting(make.worker(Role.COMMUNITY_WORKER)), make.person()
    menu_id, dish_id, person_id = menu.id, menu.dishes[0].id, person.id

    def order(_number: int) -> bool:
        try:
            with transaction() as session:
                found, who = session.get_one(Menu, menu_id), session.get_one(Person, person_id)
                orders.place_order(found, who, portions={dish_id: 1}, way=Way.DINE_IN, by=worker, idem="one form")
            return True
        except Refused:
            return False

    assert at_once(app, 16, order) == 16
    assert db.session.scalar(sa.select(sa.func.count()).select_from(MealOrder)) == 1
    assert make.read(menu.dishes[0].capacity).taken == 1
