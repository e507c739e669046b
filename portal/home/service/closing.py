"""注销账号: what is still open across the capabilities, and ending it before the account's end is asked for."""

from flask_babel import gettext as _

from portal.core.access import Actor
from portal.core.errors import Refused
from portal.meals.models import MealOrder
from portal.meals.service import history, orders
from portal.notifications.service import inbox
from portal.registry.models import Channel, RightsRequest
from portal.registry.service import consents, people
from portal.registry.service.consents import Voice
from portal.registry.service.rights import closing


def open_meals(actor: Actor) -> list[MealOrder]:
    """Her own meals that are booked and not yet collected, soonest first; whom she acts for keeps theirs."""
    me = people.person_of_or_none(actor)
    coming = history.orders_for(actor).coming if me else ()
    return [order for order in coming if people.resolved(order.person) is me]


def ask(actor: Actor, *, cancel_meals: bool) -> RightsRequest:
    """Ask for the end of the account. Meals still booked are cancelled with it, or it is refused."""
    booked = open_meals(actor)
    if booked and not cancel_meals:
        raise Refused(
            _("还有 %(count)d 份订餐没有取。请先取餐或取消，也可以勾选一起取消。", count=len(booked)),
            field="cancel_meals",
        )
    for order in booked:
        orders.cancel_order(order, by=actor, reason="注销账号")
    person = people.person_of_or_none(actor)
    voice = consents.voice_of(actor, person) if person else Voice(Channel.SELF, actor.public_id, actor.name)
    inbox.settle(actor, closing.TAKEN_BACK)
    return closing.ask(actor, voice=voice)


def take_back(actor: Actor) -> None:
    """Keep the account after all; the alarm in the owner's inbox is over."""
    closing.take_back(actor)
    inbox.settle(actor, closing.ASKED)
