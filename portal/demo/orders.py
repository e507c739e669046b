"""Orders of the demonstration: today's in every state of the counter, tomorrow's waiting for the kitchen."""

import random
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.core.access import Actor, Platform
from portal.core.clock import now
from portal.demo.accounts import OPERATORS_NAME
from portal.identity.models import Account
from portal.meals.models import Canteen, Meal, Menu, MenuState, Payment, RedemptionMeans, Way
from portal.meals.service import orders, redemption
from portal.meals.service.redemption import Handover
from portal.registry.models import Person

PER_LUNCH = 24
ELDER = 60


def _actor(account: Account) -> Actor:
    """The account as a request would see it, for acts that the demonstration does in its name."""
    return Actor(
        account_id=account.id,
        public_id=account.public_id,
        name=account.name,
        platform=Platform.DESK,
        grants=(),
        session_id=0,
        authenticated_at=now(),
    )


def _elders(session: Session, canteen: Canteen, day: date) -> list[Person]:
    born = date(day.year - ELDER - 5, 1, 1)
    query = sa.select(Person).where(Person.community_id == canteen.community_id, Person.birth_date < born)
    return list(session.scalars(query.order_by(Person.id).limit(PER_LUNCH * 3)))


def _order(menu: Menu, people: list[Person], by: Actor, source: random.Random) -> None:
    ways = (Way.DINE_IN, Way.DINE_IN, Way.TAKE_AWAY, Way.DELIVERY)
    for person in people:
        dish = source.choice(menu.dishes)
        orders.place_order(menu, person, portions={dish.id: 1}, way=source.choice(ways), by=by)


def build_orders(session: Session, canteens: list[Canteen], day: date) -> None:
    """About two dozen lunches a canteen today, two thirds of them handed over, and as many tomorrow.

    The cut-off of a menu is put off while its orders are placed, as if they had been placed in time.
    """
    for canteen in canteens:
        source = random.Random(canteen.id)
        operator = session.scalars(sa.select(Account).where(Account.name == OPERATORS_NAME % canteen.id)).one()
        by = _actor(operator)
        people = _elders(session, canteen, day)
        for offset in (0, 1):
            menu = _lunch(session, canteen, day + timedelta(days=offset))
            if menu:
                _fill(session, menu, source.sample(people, PER_LUNCH), by, source, served=offset == 0)


def _lunch(session: Session, canteen: Canteen, day: date) -> Menu | None:
    query = sa.select(Menu).where(Menu.canteen_id == canteen.id, Menu.day == day, Menu.meal == Meal.LUNCH)
    return session.scalars(query.where(Menu.state == MenuState.PUBLISHED)).first()


def _fill(
    session: Session, menu: Menu, people: list[Person], by: Actor, source: random.Random, *, served: bool
) -> None:
    cutoff = menu.cutoff_at
    menu.cutoff_at = now() + timedelta(hours=1)
    session.flush()
    _order(menu, people, by, source)
    menu.cutoff_at = cutoff
    session.flush()
    if served and now() >= menu.opens_at:
        for order in orders.live_orders(menu)[: PER_LUNCH * 2 // 3]:
            paid = source.choice((Payment.CASH, Payment.CARD))
            redemption.hand_over(order, Handover(RedemptionMeans.CODE, paid), by=by)
