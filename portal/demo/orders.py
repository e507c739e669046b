"""Orders of the demonstration: today's in every state of the counter, tomorrow's waiting for the kitchen."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.core.access import Actor, Platform
from portal.core.clock import now
from portal.demo.accounts import OPERATORS_NAME
from portal.identity.models import Account, RoleGrant
from portal.identity.permissions import Role
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


@dataclass(frozen=True)
class Hands:
    """Who takes the orders of a canteen by telephone, and who hands its meals over."""

    orders: Actor
    serves: Actor


def _clerk(session: Session, canteen: Canteen) -> Account:
    """The worker of the canteen's community; where the demonstration has none, another community's helps out."""
    near = sa.case((RoleGrant.scope_ref == canteen.community.code, 0), else_=1)
    query = sa.select(Account).join(Account.grants).where(RoleGrant.role == Role.COMMUNITY_WORKER)
    return session.scalars(query.order_by(near, Account.id).limit(1)).one()


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
        hands = Hands(_actor(_clerk(session, canteen)), _actor(operator))
        people = _elders(session, canteen, day)
        for offset in (0, 1):
            menu = _lunch(session, canteen, day + timedelta(days=offset))
            if menu:
                _fill(session, menu, source.sample(people, PER_LUNCH), hands, source, served=offset == 0)


def _lunch(session: Session, canteen: Canteen, day: date) -> Menu | None:
    query = sa.select(Menu).where(Menu.canteen_id == canteen.id, Menu.day == day, Menu.meal == Meal.LUNCH)
    return session.scalars(query.where(Menu.state == MenuState.PUBLISHED)).first()


def _fill(
    session: Session, menu: Menu, people: list[Person], hands: Hands, source: random.Random, *, served: bool
) -> None:
    cutoff = menu.cutoff_at
    menu.cutoff_at = now() + timedelta(hours=1)
    session.flush()
    _order(menu, people, hands.orders, source)
    menu.cutoff_at = cutoff
    session.flush()
    if served and now() >= menu.opens_at:
        for order in orders.live_orders(menu)[: PER_LUNCH * 2 // 3]:
            paid = source.choice((Payment.CASH, Payment.CARD))
            redemption.hand_over(order, Handover(RedemptionMeans.CODE, paid), by=hands.serves)
