"""Menus of a year whose holidays nobody has entered yet: the canteen is told."""

from datetime import date

import pytest

from portal.core import calendar
from portal.core.db import transaction
from tests.meals.stand import clock_at

TOLD = "2027 年的节假日还没有录入"
NOVEMBER = date(2026, 11, 23)


@pytest.fixture
def desk(make, client):
    with transaction():
        calendar.fill(2026)
    return client.sign_in(make.worker())


@pytest.mark.parametrize(("week", "told"), [("2026-12-21", False), ("2026-12-28", True), ("2027-01-04", True)])
def test_a_week_that_reaches_beyond_the_table_of_holidays_says_so(make, desk, week, told):
    canteen = make.canteen()
    with clock_at("10:00", NOVEMBER):
        assert (TOLD in desk.get(f"/desk/meals/menus?canteen={canteen.id}&week={week}").text) is told


@pytest.mark.parametrize(("closes", "told"), [(True, True), (False, False)])
def test_only_a_canteen_that_closes_on_holidays_is_told(make, desk, closes, told):
    canteen = make.canteen()
    with transaction() as session:
        session.merge(canteen).closed_on_holidays = closes
    with clock_at("10:00", NOVEMBER):
        assert (TOLD in desk.get(f"/desk/meals/menus/{canteen.id}/2027-01-01/lunch").text) is told
