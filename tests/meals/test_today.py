"""The day's figures, canteen by canteen, and what waits to be done."""

from datetime import date, timedelta

from portal.areas.service import area_scope
from portal.core.access import Scope
from portal.core.db import db, transaction
from portal.identity.permissions import Role
from portal.meals.models import Menu, OrderState, Payment, RedemptionMeans
from portal.meals.service import redemption, settlement, today
from tests.make import Make
from tests.meals.stand import DAY, acting, booked, clock_at


def _collect(make: Make, order: object, payment: Payment) -> None:
    with transaction():
        handover = redemption.Handover(RedemptionMeans.CODE, payment, "原因")
        redemption.redeem(order, handover, by=acting(make.worker(Role.CANTEEN_OPERATOR)))  # type: ignore[arg-type]


def test_each_canteen_shows_its_own_orders_and_cash(make: Make) -> None:
    make.canteen("梧桐苑助餐点")
    menu = make.menu(day=DAY)
    with clock_at("11:20"):
        for name, payment in (("甲", Payment.CASH), ("乙", Payment.CARD), ("丙", Payment.WAIVED)):
            _collect(make, booked(make, menu, make.person(name)), payment)
        for name, state in (("丁", OrderState.BOOKED), ("戊", OrderState.NO_SHOW), ("己", OrderState.CANCELLED)):
            booked(make, menu, make.person(name), state=state)
        booked(make, make.menu(day=DAY + timedelta(days=1)), make.person("庚"))
        rows = today.today([area_scope(make.community())])
    found = {row.canteen.name: (row.ordered, row.collected, row.waiting, row.no_show, row.cash_fen) for row in rows}
    assert found == {"春风里助餐点": (5, 3, 1, 1, 1200), "梧桐苑助餐点": (0, 0, 0, 0, 0)}
    assert today.total(rows).ordered == 5


def test_an_undone_redemption_is_not_in_the_till(make: Make) -> None:
    order = booked(make, make.menu(day=DAY))
    with clock_at("11:20"):
        _collect(make, order, Payment.CASH)
        with transaction():
            redemption.undo(make.read(order), "错", by=acting(make.worker(Role.CANTEEN_OPERATOR)))
        _collect(make, make.read(order), Payment.CARD)
        row = today.figures([make.canteen().scope], DAY)[0]
    assert (row.ordered, row.collected, row.cash_fen) == (1, 1, 0)


def test_figures_stop_at_the_scope(make: Make) -> None:
    booked(make, make.menu(day=DAY, canteen=make.canteen("邻村助餐点", make.community("邻村"))))
    mine = make.canteen()
    assert [row.canteen for row in today.figures([mine.scope], DAY)] == [mine]
    assert today.figures([Scope("self", "")], DAY) == []


def test_a_grid_worker_sees_the_canteens_of_the_community_around(make: Make) -> None:
    make.canteen()
    assert len(today.figures([area_scope(make.grid())], DAY)) == 1


def test_a_list_to_be_entered_is_something_to_do(make: Make) -> None:
    menu = make.menu(day=DAY)
    with clock_at("12:00"):
        with transaction():
            settlement.declare_outage(db.session.get_one(Menu, menu.id))
        todo = today.to_do([make.canteen().scope])
    assert [(one.endpoint, one.values) for one in todo] == [("meals.worker.outage", {"menu_id": str(menu.id)})]
    assert "待补录" in todo[0].words


def test_from_thursday_on_an_unplanned_week_is_something_to_do(make: Make) -> None:
    scope = [make.canteen().scope]
    with clock_at("12:00", date(2026, 6, 10)):
        assert today.to_do(scope) == []
    with clock_at("12:00", date(2026, 6, 11)):
        assert "下周的菜单" in today.to_do(scope)[0].words
        make.menu(day=date(2026, 6, 16))
        assert today.to_do(scope) == []
