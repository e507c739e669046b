"""After the meal: who did not collect, the paper list of an outage, and subsidies of meals nobody ate."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.core import audit, clock, events, outbox, settings
from portal.core.access import Actor
from portal.core.db import db, guarded
from portal.core.errors import Missing, Refused
from portal.meals.models import (
    MOVES,
    MealOrder,
    Menu,
    MenuDish,
    MenuState,
    OrderItem,
    OrderState,
    Payment,
    RedemptionMeans,
    SubsidyLine,
)
from portal.meals.service import subsidies
from portal.meals.service.redemption import OPEN, Handover, event_facts, hand_over, message_facts, wholly

settings.declare(
    "meals.no_show_minutes",
    default=30,
    label=lambda: _("供餐结束后多久算未取餐"),
    unit=lambda: _("分钟"),
    least=0,
    most=240,
)

MISSED = tuple(state for state, following in MOVES.items() if OrderState.NO_SHOW in following)


@dataclass(frozen=True)
class Ticked:
    """One name ticked on the paper list, and how it was paid."""

    payment: Payment = Payment.CASH
    reason: str = ""


@dataclass(frozen=True)
class Entered:
    """What entering a paper list did: newly collected, collected before, cancelled although ticked, not collected."""

    collected: int
    before: int
    cancelled: int
    missed: int


def settles_at(menu: Menu) -> datetime:
    """When an order of this menu becomes a no-show."""
    return menu.closes_at + timedelta(minutes=settings.get("meals.no_show_minutes", menu.day))


def _waits(at: datetime) -> sa.ColumnElement[bool]:
    """A menu waits for its paper list, as long as one can still be entered."""
    oldest = clock.local(at).date() - timedelta(days=settings.get("meals.outage_entry_days"))
    return sa.and_(Menu.outage_at.is_not(None), Menu.outage_entered_at.is_(None), Menu.day >= oldest)


def due(at: datetime) -> list[int]:
    """The menus whose no-shows are to be settled at a moment; those under an outage wait for their list."""
    latest = at - timedelta(minutes=settings.get("meals.no_show_minutes"))
    query = (
        sa.select(Menu.id)
        .where(Menu.state == MenuState.PUBLISHED, Menu.settled_at.is_(None), Menu.closes_at <= latest)
        .where(~_waits(at))
        .order_by(Menu.closes_at, Menu.id)
    )
    return list(db.session.scalars(query))


def settle(menu_id: int) -> int:
    """Turn every order still booked into a no-show, each with its event and notice; return how many. Idempotent."""
    moment = clock.now()
    mine = guarded(
        sa.update(Menu)
        .where(Menu.id == menu_id, Menu.settled_at.is_(None), Menu.closes_at <= moment, ~_waits(moment))
        .values(settled_at=moment)
    )
    if not mine:
        return 0
    missed = db.session.scalars(
        sa.update(MealOrder)
        .where(MealOrder.menu_id == menu_id, MealOrder.state.in_(MISSED))
        .values(state=OrderState.NO_SHOW, changed_at=moment)
        .returning(MealOrder.id),
        execution_options={"synchronize_session": False},
    ).all()
    menu = db.session.get_one(Menu, menu_id, populate_existing=True)
    orders, fed = _orders(MealOrder.id.in_(missed)), _handed_this_meal(menu)
    for order in orders:
        outbox.enqueue("meals.no_show", to=order.person.ref, **message_facts(order))
        events.publish("meals.not_collected", **event_facts(order), fed=order.person_id in fed)
    audit.record("meals.settled", menu, day=menu.day.isoformat(), meal=menu.meal.value, no_shows=len(missed))
    return len(missed)


def _handed_this_meal(menu: Menu) -> set[int]:
    """Who missed an order of this menu and was handed the same meal at another counter."""
    hers = sa.select(MealOrder.person_id).where(MealOrder.menu_id == menu.id, MealOrder.state == OrderState.NO_SHOW)
    query = sa.select(MealOrder.person_id).where(
        MealOrder.person_id.in_(hers),
        MealOrder.day == menu.day,
        MealOrder.meal == menu.meal,
        MealOrder.state == OrderState.COLLECTED,
    )
    return set(db.session.scalars(query))


def _orders(*where: sa.ColumnElement[bool]) -> list[MealOrder]:
    query = (
        sa.select(MealOrder)
        .where(*where)
        .options(
            joinedload(MealOrder.person),
            joinedload(MealOrder.menu).joinedload(Menu.canteen),
            joinedload(MealOrder.redemption),
            selectinload(MealOrder.items).joinedload(OrderItem.menu_dish).joinedload(MenuDish.dish),
        )
        .order_by(MealOrder.id)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


def entry_ends(menu: Menu) -> datetime:
    """Until when the paper list of a menu can be entered."""
    days = settings.get("meals.outage_entry_days", menu.day)
    return clock.day_bounds(menu.day + timedelta(days=days))[1]


def declare_outage(menu: Menu) -> None:
    """The network is down at the counter: nobody becomes a no-show until the paper list is in."""
    _check_outage(menu)
    declared = guarded(
        sa.update(Menu)
        .where(Menu.id == menu.id, sa.or_(Menu.outage_at.is_(None), Menu.outage_entered_at.is_not(None)))
        .values(outage_at=clock.now(), outage_entered_at=None)
    )
    if declared:
        db.session.refresh(menu, ["outage_at", "outage_entered_at"])
        audit.record("meals.outage_declared", menu, day=menu.day.isoformat(), meal=menu.meal.value)


def _check_outage(menu: Menu) -> None:
    if menu.state is not MenuState.PUBLISHED:
        raise Refused(_("这份菜单没有发布，没有需要补录的订餐。"))
    if clock.today() < menu.day:
        raise Refused(_("还没到供餐的那天，不能登记断网。"))
    if clock.now() >= entry_ends(menu):
        raise Refused(_("补录期限已过，不能再登记或补录断网名单。请联系社区处理。"))


def enter_list(menu: Menu, ticked: Mapping[str, Ticked], *, by: Actor) -> Entered:
    """Enter the paper list in one transaction: who is ticked has collected; entering it again changes nothing.

    Once the time has come, who is not ticked becomes a no-show at once.
    """
    _check_outage(menu)
    known = {order.public_id: order for order in _orders(MealOrder.menu_id == menu.id)}
    if ticked.keys() - known.keys():
        raise Missing
    fresh = [known[public_id] for public_id in ticked if known[public_id].state in OPEN]
    with wholly(*fresh):
        for order in fresh:
            _enter_line(order, ticked[order.public_id], by)
    moment = clock.now()
    menu.outage_at = menu.outage_at or moment
    menu.outage_entered_at = moment
    db.session.flush()
    states = [known[public_id].state for public_id in ticked]
    cancelled = states.count(OrderState.CANCELLED)
    audit.record("meals.outage_entered", menu, ticked=len(ticked), collected=len(fresh))
    missed = settle(menu.id) if settles_at(menu) <= moment else 0
    return Entered(len(fresh), len(ticked) - len(fresh) - cancelled, cancelled, missed)


def _enter_line(order: MealOrder, paid: Ticked, by: Actor) -> None:
    """One tick of the list; a refusal says whose it is, and its field is the order's public id."""
    try:
        hand_over(order, Handover(RedemptionMeans.OUTAGE_LIST, paid.payment, paid.reason), by=by)
    except Refused as refused:
        said = _("%(name)s：%(why)s", name=order.person.name, why=refused.message)
        raise Refused(said, field=order.public_id) from None


def unpaid_subsidies(at: datetime) -> list[int]:
    """No-shows whose subsidy still stands although no late entry can come any more: ids of orders."""
    days = settings.get("meals.outage_entry_days")
    query = (
        sa.select(MealOrder.id)
        .where(MealOrder.state == OrderState.NO_SHOW, MealOrder.day < clock.local(at).date() - timedelta(days=days))
        .where(sa.exists().where(SubsidyLine.order_id == MealOrder.id, SubsidyLine.reversed_at.is_(None)))
        .order_by(MealOrder.id)
    )
    return list(db.session.scalars(query))


def take_back_subsidy(order_id: int) -> int:
    """A meal nobody ate is not paid for by anybody: reverse its lines; return how many fen came free.

    Nothing happens to an order that is no longer a no-show, as one that a late correction reached in between.
    """
    order = db.session.get_one(MealOrder, order_id, with_for_update=True, populate_existing=True)
    if order.state is not OrderState.NO_SHOW:
        return 0
    freed = subsidies.reverse(order)
    audit.record("meals.subsidy_taken_back", order, fen=freed)
    return freed
