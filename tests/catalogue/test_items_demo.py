"""The demonstration's catalogue: enough of every sort, and nowhere a dead end."""

import pytest
import sqlalchemy as sa

from portal.areas.models import Area
from portal.catalogue.models.codes import ItemKind, ItemState
from portal.catalogue.models.items import Condition, Item
from portal.catalogue.service import items
from portal.core.db import db, transaction
from portal.demo import services
from tests.make import Make


@pytest.fixture
def street(make: Make) -> Make:
    here = make.community()
    with transaction() as session:
        areas = {area.code: area for area in session.scalars(sa.select(Area))}
        services.build_services(session, areas, make.street().code)
    assert here.id
    return make


def test_there_are_services_for_every_situation_and_of_every_kind(street: Make) -> None:
    counted = items.counted(street.community())
    assert counted.count >= 60
    assert all(count >= 3 for count in counted.situations.values())
    assert all(count >= 1 for count in counted.kinds.values())
    held = list(db.session.scalars(sa.select(Item).where(Item.state == ItemState.PUBLISHED)))
    assert {item.kind for item in held} == set(ItemKind)
    assert all(item.limit_days for item in held if item.kind is ItemKind.APPLICATION)
    assert all(item.who and item.place and item.summary for item in held)


def test_a_dozen_services_have_conditions_each_with_a_way_on(street: Make) -> None:
    held = list(db.session.scalars(sa.select(Condition)))
    assert len({condition.item_id for condition in held}) >= 12
    assert all(condition.remedy and condition.unmet for condition in held)
    assert street.community().name
