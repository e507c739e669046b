"""The five doors of meals: what is to do, a person's line of meals, hand-over, export, forgetting."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.areas.models import Area
from portal.core import clock, settings
from portal.core.access import Actor, scopes_of
from portal.core.db import db
from portal.core.doors import Line, Load, Passed, Todo
from portal.core.money import yuan
from portal.identity.permissions import Permission
from portal.meals.models import MealOrder, OrderItem, Redemption, SubsidyCounter, SubsidyLine
from portal.meals.service import history, today
from portal.meals.service.kitchen import dish_words
from portal.meals.service.menus import menu_words
from portal.meals.service.words import said
from portal.registry.models import Person

KEPT = "meals.orders_kept_days"
settings.declare(
    KEPT,
    default=730,
    label=lambda: _("订餐记录保存多久"),
    unit=lambda: _("天"),
    least=90,
    most=3650,
)

_UNSYNCED = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """Paper lists to enter and weeks to plan, at the canteens whose menus or counter the worker has."""
    scopes = (*scopes_of(worker, Permission.MEALS_MENUS), *scopes_of(worker, Permission.MEALS_REDEEM))
    return today.to_do(tuple(dict.fromkeys(scopes))) if scopes else []


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:  # noqa: ARG001 a door has its shape
    """What waits at a canteen is no one worker's."""
    return {}


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    """A person's meals, newest first."""
    return [
        Line(
            order.placed_at,
            _("订餐：%(menu)s，%(state)s", menu=menu_words(order.day, order.meal), state=said(order.state)),
            _("%(dishes)s（%(canteen)s）", dishes=dish_words(order), canteen=order.menu.canteen.name),
            "meals.worker.order",
            {"public_id": order.public_id},
        )
        for order in history.orders_of(person, limit=limit)
    ]


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:  # noqa: ARG001 a door has its shape
    """No order belongs to a worker, so nothing changes hands."""
    return []


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    return to_pass(giver, taker, area)


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:
    """Nothing passed, nothing returns."""


def passed_words(kind: str) -> str:
    return kind


def passed_names(kind: str, ids: Collection[int]) -> list[str]:  # noqa: ARG001 a door has its shape
    return []


def export(person: Person) -> list[dict[str, Any]]:
    """Everything meals holds of a person, in words: days in ISO, amounts in yuan, and in fen beside."""
    beside = selectinload(MealOrder.subsidies), selectinload(MealOrder.redemption)
    query = history.orders_about([person]).options(*beside).order_by(MealOrder.id)
    return [
        {
            _("日期"): order.day.isoformat(),
            _("餐次"): said(order.meal),
            _("助餐点"): order.menu.canteen.name,
            _("菜品"): {item.menu_dish.dish.name: item.portions for item in order.items},
            _("取餐方式"): said(order.way),
            _("状态"): said(order.state),
            **_amount(_("总价（元）"), _("总价（分）"), order.bill_fen),
            _("补贴"): [
                {**_amount(_("金额（元）"), _("金额（分）"), line.amount_fen), _("原因"): line.sentence}
                for line in order.subsidies
            ],
            **_amount(_("应付（元）"), _("应付（分）"), order.pay_fen),
            **_paid(order.redemption),
            _("备注"): order.note or "",
            _("下单时间"): f"{clock.local(order.placed_at):%Y-%m-%d %H:%M}",
            _("下单人"): order.placed_by_name,
        }
        for order in db.session.scalars(query)
    ]


def _paid(redemption: Redemption | None) -> dict[str, Any]:
    """What was taken at the counter; nothing before the meal is handed over."""
    taken = redemption.paid_fen if redemption else 0
    return {
        _("收款"): said(redemption.payment) if redemption else "",
        **_amount(_("实付（元）"), _("实付（分）"), taken),
        _("用了积分"): redemption.points if redemption else 0,
    }


def _amount(in_yuan: str, in_fen: str, fen: int) -> dict[str, Any]:
    return {in_yuan: yuan(fen), in_fen: fen}


def purge(before: date) -> int:
    """Forget orders of meals before a day; the menus and how many portions went stay. Return how many orders."""
    old = sa.select(MealOrder.id).where(MealOrder.day < before)
    for child in (OrderItem, SubsidyLine, Redemption):
        db.session.execute(sa.delete(child).where(child.order_id.in_(old)), execution_options=_UNSYNCED)
    db.session.execute(
        sa.delete(SubsidyCounter).where(SubsidyCounter.start < before.replace(day=1)), execution_options=_UNSYNCED
    )
    gone = db.session.execute(sa.delete(MealOrder).where(MealOrder.day < before), execution_options=_UNSYNCED)
    return int(getattr(gone, "rowcount", 0))
