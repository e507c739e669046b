"""Paying a meal with volunteers' points: the eater's own, or those of a family agent of hers who volunteers.

Only whole points, never more than what is left to pay after subsidies; the rest is money.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, outbox, settings
from portal.core.access import Actor
from portal.core.db import db
from portal.core.errors import Refused
from portal.meals.models import MealOrder, Payment, Redemption
from portal.points.service import ledger
from portal.registry.models import AgentState, Claim, ClaimState, FamilyAgent, Person
from portal.registry.service import people

RATE = "meals.fen_per_point"
ACTION = "meals.order"
# 1分=1元, as villages that pay with points do; 0 where points pay for no meals.
settings.declare(
    RATE, default=100, label=lambda: _("付餐费时 1 个志愿积分抵多少钱"), unit=lambda: _("分钱"), least=0, most=1000
)


@dataclass(frozen=True)
class Payer:
    """Somebody whose points may pay for an order, and how many of them it could take."""

    person: Person
    most: int
    is_eater: bool


@dataclass(frozen=True)
class Drawn:
    """What points pay of an order; nothing of it where nobody's points were asked for."""

    payer: Person | None = None
    points: int = 0
    fen: int = 0


def payers(order: MealOrder) -> list[Payer]:
    """Whose points could pay for an order: the eater first, then her family agents; only who has any."""
    rate = settings.get(RATE)
    dear = order.pay_fen // rate if rate else 0
    if not dear:
        return []
    eater = people.resolved(order.person)
    found = [Payer(person, min(dear, ledger.balance(person).points), person is eater) for person in _family(eater)]
    return [payer for payer in found if payer.most]


def _family(eater: Person) -> list[Person]:
    """The eater, and the people whose accounts are accepted to order for her today."""
    query = (
        sa.select(FamilyAgent, Person)
        .join(Claim, Claim.account_id == FamilyAgent.account_id)
        .join(Person, Person.id == Claim.person_id)
        .where(
            FamilyAgent.person_id.in_(people.ids_of(eater)),
            FamilyAgent.state == AgentState.ACCEPTED,
            Claim.state == ClaimState.CONFIRMED,
        )
        .order_by(Person.name, Person.id, FamilyAgent.id)
    )
    agents = [
        people.resolved(person)
        for agent, person in db.session.execute(query)
        if agent.allows(ACTION, clock.today()) and people.is_served(people.resolved(person))
    ]
    return list(dict.fromkeys([eater, *agents]))


def drawn(order: MealOrder, payer: str, points: int | None, payment: Payment) -> Drawn:
    """What is to be paid with points: as many as were said, or as many as can be. Refuses what cannot."""
    if not payer and points is not None:
        raise Refused(_("填了用多少分，还没选用谁的积分。请选一个人，或者把分数清空。"), field="payer")
    if not payer:
        return Drawn()
    if payment is Payment.WAIVED:
        raise Refused(_("免收的餐不用付积分，请不要选积分，或者把收款改成现金、刷卡。"), field="payer")
    chosen = next((one for one in payers(order) if one.person.public_id == payer), None)
    if chosen is None:
        raise Refused(_("这个人的积分现在不能付这份餐，请换一种付法。"), field="payer")
    count = chosen.most if points is None else points
    if not 1 <= count <= chosen.most:
        raise Refused(_("这份餐最多可以用 %(most)d 分，请改一下，或者不填。", most=chosen.most), field="points")
    return Drawn(chosen.person, count, count * settings.get(RATE))


def take(order: MealOrder, redeemed: Redemption, drawn: Drawn, *, by: Actor) -> None:
    """Spend the points in the transaction of the handover; who pays is told."""
    if drawn.payer is None:
        return
    words = f"{order.day:%Y-%m-%d} {order.menu.canteen.name} {order.person.name}"
    ledger.spend(drawn.payer, drawn.points, key=_key(redeemed), words=words, by=by)
    outbox.enqueue(
        "meals.paid_with_points",
        to=drawn.payer.ref,
        person=order.person.name,
        day=order.day.isoformat(),
        canteen=order.menu.canteen.name,
        points=drawn.points,
        phone=order.menu.canteen.phone,
    )


def give_back(redeemed: Redemption, reason: str, *, by: Actor) -> None:
    """Return the points of a handover that was taken back."""
    spent = ledger.entry_of(_key(redeemed)) if redeemed.points else None
    if spent is not None:
        ledger.reverse(spent, reason=reason, by=by)


def _key(redeemed: Redemption) -> str:
    return f"meal:{redeemed.id}"
