"""Closing a canteen for good or for a time, and what stands in the way."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.core.db import db, transaction
from portal.core.errors import Refused
from portal.core.outbox import OutboxRow
from portal.identity.permissions import Role
from portal.meals.models import Canteen, MenuState, OrderState
from portal.meals.service import canteens, closing, menus, pricing, publishing
from tests.client import Client
from tests.make import Make
from tests.meals.stand import DAY, booked, clock_at

LATER = DAY + timedelta(days=2)


def _close(canteen: Canteen, first: date = DAY, **more: object) -> int:
    with transaction():
        facts = {"reopens_on": None, "reason": "厨房改造", "withdraw": False} | more
        return closing.close(db.session.merge(canteen), first, **facts)


def test_a_published_menu_stands_in_the_way_of_closing(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=LATER)
        with pytest.raises(Refused, match="1 份已发布的菜单"):
            _close(menu.canteen)
        assert make.read(menu.canteen).closed_at is None
        assert make.read(menu).state is MenuState.PUBLISHED


def test_closing_withdraws_the_menus_and_tells_who_ordered(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=LATER)
        with transaction():
            menus.places.take(menu.dishes[0].capacity_id, 1, refusal=Refused("full"))
        order = booked(make, menu)
        assert _close(menu.canteen, withdraw=True) == 1
        assert make.read(menu).state is MenuState.WITHDRAWN
        assert make.read(order).state is OrderState.CANCELLED
        told = db.session.scalars(sa.select(OutboxRow).where(OutboxRow.recipient_kind == "person")).one()
        assert told.facts["reason"] == "厨房改造"


def test_menus_before_the_closing_and_after_the_reopening_stand(make: Make) -> None:
    with clock_at("08:00"):
        before = make.menu(day=DAY)
        after = make.menu(canteen=before.canteen, day=LATER)
        assert _close(before.canteen, DAY + timedelta(days=1), reopens_on=LATER) == 0
        assert make.read(before).state is MenuState.PUBLISHED
        assert make.read(after).state is MenuState.PUBLISHED
        assert [offer.menu.id for offer in pricing.offers(DAY, None)] == [before.id]


def test_no_menu_is_published_for_a_day_on_which_the_canteen_is_closed(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=LATER, state=MenuState.DRAFT)
        _close(menu.canteen)
        with pytest.raises(Refused, match="停止供餐"), transaction():
            publishing.publish(db.session.merge(menu))
        week = menus.week(make.read(menu.canteen), menus.monday_of(DAY))
        assert [bool(day.closed) for day in week] == [False, True, True, True, True, True, True]


def test_a_canteen_closed_for_good_leaves_the_lists_when_its_day_has_come(make: Make) -> None:
    canteen = make.canteen()
    with clock_at("08:00"):
        _close(canteen, LATER)
        assert [found.id for found in canteens.canteens_in([canteen.scope])] == [canteen.id]
    with clock_at("08:00", LATER):
        assert canteens.canteens_in([canteen.scope]) == []
        assert [found.id for found in canteens.gone_in([canteen.scope])] == [canteen.id]


def test_a_canteen_reopened_publishes_again(make: Make) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=LATER, state=MenuState.DRAFT)
        _close(menu.canteen)
        with transaction():
            closing.reopen(db.session.merge(menu.canteen))
        with transaction():
            publishing.publish(db.session.merge(menu))
        assert make.read(menu).state is MenuState.PUBLISHED
        with pytest.raises(Refused, match="没有停止供餐"), transaction():
            closing.reopen(db.session.merge(menu.canteen))


def test_a_canteen_is_not_closed_in_the_past_nor_reopened_before_it_closes(make: Make) -> None:
    with clock_at("08:00"):
        canteen = make.canteen()
        with pytest.raises(Refused, match="今天或以后"):
            _close(canteen, DAY - timedelta(days=1))
        with pytest.raises(Refused, match="晚于"):
            _close(canteen, DAY, reopens_on=DAY)


def test_the_page_lists_what_stands_in_the_way_and_then_closes(make: Make, client: Client) -> None:
    with clock_at("08:00"):
        menu = make.menu(day=LATER)
        address = f"/desk/meals/canteens/{menu.canteen_id}/close"
        client.sign_in(make.worker(Role.COMMUNITY_WORKER, menu.canteen.community))
        asked = {"first": DAY.isoformat(), "reopens_on": "", "reason": "厨房改造"}
        answer = client.post(address, data=asked)
        assert answer.status_code == 422
        assert f"/desk/meals/menus/{menu.canteen_id}/{LATER.isoformat()}/lunch" in answer.text
        assert client.post(address, data=asked | {"withdraw": "y"}).status_code == 303
        page = client.get(f"/desk/meals/canteens/{menu.canteen_id}").text
        assert "厨房改造" in page
        assert client.post(f"/desk/meals/canteens/{menu.canteen_id}/reopen").status_code == 303
        assert make.read(menu.canteen).closed_at is None


def test_an_operator_does_not_close_the_canteen(make: Make, client: Client) -> None:
    canteen = make.canteen()
    client.sign_in(make.worker(Role.CANTEEN_OPERATOR, canteen))
    assert client.get(f"/desk/meals/canteens/{canteen.id}/close").status_code == 404
    assert client.post(f"/desk/meals/canteens/{canteen.id}/reopen").status_code == 404
