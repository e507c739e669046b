"""The day's figures for the worker's desk, and what waits to be done at the canteens."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.core import clock
from portal.core.access import Scope
from portal.core.db import db
from portal.core.doors import Todo
from portal.meals.models import Canteen, MealOrder, Menu, MenuState, OrderState, Payment, Redemption
from portal.meals.service.canteens import canteens_in, in_business, within
from portal.meals.service.menus import menu_words, monday_of

PLAN_FROM_WEEKDAY = 3


@dataclass(frozen=True)
class Figures:
    """One canteen's day, in orders; `cash_fen` is what lies in the till."""

    canteen: Canteen
    ordered: int
    collected: int
    no_show: int
    cash_fen: int

    @property
    def waiting(self) -> int:
        """Neither collected yet nor given up."""
        return self.ordered - self.collected - self.no_show


@dataclass(frozen=True)
class Total:
    """The same for all canteens together."""

    ordered: int
    collected: int
    waiting: int
    no_show: int
    cash_fen: int


def _near(scopes: Collection[Scope]) -> sa.ColumnElement[bool]:
    """Canteens in scope, and those of a community that holds a grid in scope: figures name nobody."""
    around = [area.id for area in areas.communities(scopes)]
    return sa.or_(within(scopes), Canteen.community_id.in_(around))


def figures(scopes: Collection[Scope], day: date) -> list[Figures]:
    """Each canteen's day, by community and name; canteens without an order that day show zeros."""

    def orders(*states: OrderState) -> sa.ColumnElement[int]:
        return sa.func.count(MealOrder.id).filter(MealOrder.state.in_(states))

    live = [state for state in OrderState if state is not OrderState.CANCELLED]
    cash = sa.func.coalesce(sa.func.sum(Redemption.paid_fen).filter(Redemption.payment == Payment.CASH), 0)
    standing = sa.and_(Redemption.order_id == MealOrder.id, Redemption.undone_at.is_(None))
    query = (
        sa.select(Canteen, orders(*live), orders(OrderState.COLLECTED), orders(OrderState.NO_SHOW), cash)
        .outerjoin(Menu, sa.and_(Menu.canteen_id == Canteen.id, Menu.day == day))
        .outerjoin(MealOrder, MealOrder.menu_id == Menu.id)
        .outerjoin(Redemption, standing)
        .where(_near(scopes), in_business())
        .group_by(Canteen.id)
        .order_by(Canteen.community_id, Canteen.name, Canteen.id)
    )
    return [Figures(row[0], row[1], row[2], row[3], int(row[4])) for row in db.session.execute(query)]


def today(scopes: Collection[Scope]) -> list[Figures]:
    return figures(scopes, clock.today())


def total(rows: Collection[Figures]) -> Total:
    return Total(
        ordered=sum(row.ordered for row in rows),
        collected=sum(row.collected for row in rows),
        waiting=sum(row.waiting for row in rows),
        no_show=sum(row.no_show for row in rows),
        cash_fen=sum(row.cash_fen for row in rows),
    )


def to_do(scopes: Collection[Scope]) -> list[Todo]:
    """Paper lists to enter, and, from Thursday on, canteens with nothing published for the coming week."""
    return [*_lists_to_enter(scopes), *_weeks_to_plan(scopes)]


def _lists_to_enter(scopes: Collection[Scope]) -> list[Todo]:
    query = (
        sa.select(Menu)
        .join(Canteen)
        .where(within(scopes), Menu.outage_at.is_not(None), Menu.outage_entered_at.is_(None))
        .options(joinedload(Menu.canteen))
        .order_by(Menu.day, Menu.id)
    )
    return [
        Todo(
            _(
                "%(canteen)s：%(menu)s断网，纸质名单待补录",
                canteen=menu.canteen.name,
                menu=menu_words(menu.day, menu.meal),
            ),
            "meals.worker.outage",
            {"menu_id": str(menu.id)},
        )
        for menu in db.session.scalars(query)
    ]


def _shut(canteen: Canteen, first: date) -> bool:
    """Whether a canteen is closed for a whole week."""
    return all(canteen.is_closed_on(first + timedelta(days=count)) for count in range(7))


def _weeks_to_plan(scopes: Collection[Scope]) -> list[Todo]:
    day = clock.today()
    if day.weekday() < PLAN_FROM_WEEKDAY:
        return []
    first = monday_of(day) + timedelta(days=7)
    ahead = sa.select(Menu.canteen_id).where(
        Menu.day.between(first, first + timedelta(days=6)), Menu.state == MenuState.PUBLISHED
    )
    planned = set(db.session.scalars(ahead.distinct()))
    return [
        Todo(
            _("%(canteen)s：下周的菜单还没有发布", canteen=canteen.name),
            "meals.worker.menus",
            {"canteen": str(canteen.id), "week": first.isoformat()},
        )
        for canteen in canteens_in(scopes)
        if canteen.id not in planned and not _shut(canteen, first)
    ]
