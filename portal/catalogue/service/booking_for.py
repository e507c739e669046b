"""Booking for somebody at the counter or on the telephone (代办): free, and with her consent on record."""

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.catalogue.models.codes import ItemKind
from portal.catalogue.models.items import Item
from portal.catalogue.service import items
from portal.core import settings, tokens
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db
from portal.registry.models import Person
from portal.registry.service import people

# A desk books for many, but not as fast as a script: a slot must not be emptied by one stolen session.
PER_HOUR = "catalogue.counter_per_hour"
settings.declare(
    PER_HOUR,
    default=60,
    label=lambda: _("一位工作人员一小时最多替居民办几次预约、改期和候补"),
    unit=lambda: _("次"),
    least=5,
    most=1000,
)


def throttle(by: Actor) -> None:
    """Count what a worker books, moves or puts in a line for others; raise TooMany past the hour's number."""
    tokens.throttle_done("catalogue.book_for", by.public_id, limit=settings.get(PER_HOUR), per=timedelta(hours=1))


def person_in(within: Collection[Scope], public_id: str) -> Person:
    """Somebody in scope, by public id."""
    return people.resolved(people.person_in(within, public_id))


def items_for(person: Person) -> list[Item]:
    """What somebody can be booked for: the published appointments of her community and of its street."""
    around = sa.select(Area.parent_id).where(Area.id == person.community_id).scalar_subquery()
    query = sa.select(Item).where(
        sa.or_(Item.area_id == person.community_id, Item.area_id == around),
        Item.kind == ItemKind.APPOINTMENT,
        items.showing(today()),
    )
    return list(db.session.scalars(query.order_by(Item.title, Item.id)))


def ways() -> list[tuple[str, str]]:
    """How somebody may have agreed."""
    return [
        ("present", _("本人在场，当面同意")),
        ("telephone", _("本人电话里同意")),
        ("written", _("本人书面委托")),
        ("family", _("家人代说，已向本人核实")),
    ]


def consent_words(how: str, given_at: str) -> str:
    """The consent as it is kept with the appointment."""
    said = dict(ways()).get(how, how)
    return _("%(how)s（%(when)s）", how=said, when=given_at)
