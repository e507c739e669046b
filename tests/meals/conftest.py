"""Orders and rules for tests of meals."""

import pytest

from portal.core.db import transaction
from portal.demo import schemes
from portal.meals.models import (
    PayerLevel,
    Way,
)
from portal.meals.service import orders
from tests.meals.stand import acting


@pytest.fixture
def place(make):
    """Order in a transaction of its own, one portion of the first dish by default, placed by the person's account."""
    accounts = {}

    def placing(menu, person, count=1, *, portions=None, way=Way.DINE_IN, by=None, **more):
        if by is None and person.id not in accounts:
            accounts[person.id] = acting(make.resident(person))
        with transaction():
            return orders.place_order(
                menu,
                person,
                portions=portions or {menu.dishes[0].id: count},
                way=way,
                by=by or accounts[person.id],
                **more,
            )

    return placing


@pytest.fixture
def rule(make):
    """Put a rule in force everywhere."""

    def adding(**shape):
        columns = {"payer": PayerLevel.CITY, "amount_fen": 500} | shape
        return make.add(schemes._rule("测试", columns.pop("name", "测试补贴"), "", "测试", **columns))

    return adding
