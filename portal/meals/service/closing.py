"""Closing a canteen, for good or for a time, and opening it again."""

from datetime import date, time

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from portal.core import audit, clock
from portal.core.db import db
from portal.core.errors import Refused
from portal.meals.models import Canteen, Menu, MenuDish, MenuState
from portal.meals.service import publishing


def menus_in_the_way(canteen: Canteen, first: date, reopens_on: date | None) -> list[Menu]:
    """The published menus from a day on that are not over, until the canteen serves again; by day."""
    query = sa.select(Menu).where(
        Menu.canteen_id == canteen.id,
        Menu.day >= first,
        Menu.state == MenuState.PUBLISHED,
        Menu.closes_at > clock.now(),
    )
    if reopens_on is not None:
        query = query.where(Menu.day < reopens_on)
    query = query.options(selectinload(Menu.dishes).joinedload(MenuDish.capacity))
    return list(db.session.scalars(query.order_by(Menu.day, Menu.opens_at, Menu.id)))


def close(canteen: Canteen, first: date, *, reopens_on: date | None, reason: str, withdraw: bool) -> int:
    """Close a canteen from a day on; published menus of those days are withdrawn with notices, or stand in the way.

    Return how many orders were cancelled.
    """
    if first < clock.today():
        raise Refused(_("请填今天或以后的日子。"), field="first")
    if reopens_on is not None and reopens_on <= first:
        raise Refused(_("恢复供餐的日子要晚于停止供餐的日子；不再恢复就不填。"), field="reopens_on")
    # Whoever publishes reads the canteen again and waits for this lock, or is found here.
    db.session.refresh(canteen, ["closed_at", "reopens_on"], with_for_update=True)
    standing = menus_in_the_way(canteen, first, reopens_on)
    if standing and not withdraw:
        words = _("这些日子还有 %(count)d 份已发布的菜单，请看下面的清单，勾选后一并撤回。", count=len(standing))
        raise Refused(words, field="withdraw")
    canteen.closed_at, canteen.reopens_on = clock.at(first, time(0)), reopens_on
    canteen.closed_reason = reason
    db.session.flush()
    cancelled = sum(publishing.withdraw(menu, reason) for menu in standing)
    until = reopens_on.isoformat() if reopens_on else ""
    audit.record(
        "meals.canteen_closed", canteen, first=first.isoformat(), reopens_on=until, reason=reason, orders=cancelled
    )
    return cancelled


def reopen(canteen: Canteen) -> None:
    """Serve again from now on. Withdrawn menus stay so until somebody publishes them anew."""
    if not canteen.has_closure(clock.today()):
        raise Refused(_("这个助餐点没有停止供餐，不用恢复。"))
    canteen.closed_at, canteen.reopens_on, canteen.closed_reason = None, None, ""
    db.session.flush()
    audit.record("meals.canteen_reopened", canteen)
