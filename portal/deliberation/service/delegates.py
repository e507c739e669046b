"""Delegates: the members of a committee, and those whom groups have chosen to decide for them, each for a term."""

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.deliberation.models.bodies import Delegate
from portal.deliberation.models.codes import UNITS, Body, Unit
from portal.deliberation.models.topics import Topic
from portal.deliberation.service import reach
from portal.registry.models import Person, PersonState
from portal.registry.service import people

BODIES = tuple(body for body, unit in UNITS.items() if unit is Unit.DELEGATE)


def delegates(within: Collection[Scope], *, past: bool = False) -> list[Delegate]:
    """The delegates of the communities in scope, by community, body and group; with `past` those before them."""
    day = today()
    query = sa.select(Delegate).where(Delegate.community_id.in_(reach.touched(within)))
    standing = sa.or_(Delegate.until.is_(None), Delegate.until >= day)
    query = query.where(Delegate.until < day if past else standing)
    query = query.options(joinedload(Delegate.person), joinedload(Delegate.community))
    found = list(db.session.scalars(query.order_by(Delegate.community_id, Delegate.id)))
    # Groups stand as they were first entered: 第二 sorts behind 第三 by its sign.
    first = {(one.community_id, one.body, one.group): one.id for one in reversed(found)}
    return sorted(
        found,
        key=lambda one: (
            one.community_id,
            BODIES.index(one.body),
            first[one.community_id, one.body, one.group],
            one.id,
        ),
    )


def groups_of(topic: Topic) -> list[str]:
    """The groups of a topic's communities that have a delegate in her term, as they were first entered."""
    query = (
        sa.select(Delegate.group)
        .where(Delegate.community_id.in_(reach.community_ids(topic)), Delegate.group != "")
        .where(Delegate.body != Body.COMMITTEE, sa.or_(Delegate.until.is_(None), Delegate.until >= today()))
        .group_by(Delegate.group)
        .order_by(sa.func.min(Delegate.id))
    )
    return list(db.session.scalars(query))


def delegate_in(within: Collection[Scope], delegate_id: int) -> Delegate:
    query = sa.select(Delegate).where(Delegate.id == delegate_id, Delegate.community_id.in_(reach.touched(within)))
    found = db.session.scalar(query.options(joinedload(Delegate.person)))
    if found is None:
        raise Missing
    return found


def add(
    community: Area, body: Body, person: Person, *, group: str, since: date, until: date | None, by: Actor
) -> Delegate:
    """Somebody is a delegate from a day on; once at a time of one body."""
    if until is not None and until < since:
        raise Refused(_("任期结束不能早于开始。"), field="until")
    if person.state is not PersonState.PRESENT:
        raise Refused(_("这个人已经迁出或去世，不能登记为代表。"))
    # Two who add at once wait for each other here.
    db.session.execute(sa.select(Area.id).where(Area.id == community.id).with_for_update())
    last = until or date.max
    overlapping = sa.select(Delegate.id).where(
        Delegate.community_id == community.id,
        Delegate.body == body,
        Delegate.person_id.in_(people.ids_of(person)),
        Delegate.since <= last,
        sa.or_(Delegate.until.is_(None), Delegate.until >= since),
    )
    again = Refused(_("这个人已经在这份名单上了，任期还没有结束。"))
    if db.session.scalar(overlapping.limit(1)) is not None:
        raise again
    made = Delegate(community=community, body=body, person=person, group=group, since=since, until=until)
    made.added_by_name = by.name
    with unique_or(again):
        db.session.add(made)
    audit.record("deliberation.delegate_added", made, body=body.value)
    return made


def end(delegate: Delegate, *, until: date, why: str) -> None:
    """A term ends before its time; `until` is its last day."""
    db.session.refresh(delegate, with_for_update={"of": Delegate})
    if delegate.until is not None and delegate.until <= until:
        raise Refused(_("任期在这一天以前就结束了。"), field="until")
    if until < delegate.since:
        raise Refused(_("最后一天不能早于任期开始。"), field="until")
    delegate.until = until
    audit.record("deliberation.delegate_ended", delegate, reason=why, body=delegate.body.value)
