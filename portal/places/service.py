"""Taking, giving back and resizing a capacity; the line before it, whose places are offered for a time.

What comes back goes to whoever waits, in the transaction that freed it: an offered place stays taken, so it is never
sold twice. Capabilities hear of `place_offered`, `place_lapsed` and `place_closed`, each with `waiting`, and tell the
person in their own words; of `place_freed` with `capacity_id` before what is free is offered, and may fit() it.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, events, settings
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, insert_new
from portal.core.errors import Missing, Refused
from portal.places.models import MOVES, Capacity, Waiting, WaitingState
from portal.registry.models import Person
from portal.registry.service import people

OFFERED, LAPSED, CLOSED, FREED = "place_offered", "place_lapsed", "place_closed", "place_freed"
LIVE = (WaitingState.WAITING, WaitingState.OFFERED)
OFFER_HOURS, LEAST_MINUTES = "places.offer_hours", "places.least_minutes"
SHOWN = 100

settings.declare(
    OFFER_HOURS,
    default=12,
    label=lambda: _("候补到的名额最多保留多久"),
    unit=lambda: _("小时"),
    least=1,
    most=72,
)
settings.declare(
    LEAST_MINUTES,
    default=20,
    label=lambda: _("离开始不足多久，空出的名额不再递补"),
    unit=lambda: _("分钟"),
    least=5,
    most=240,
)


def open_capacity(total: int) -> Capacity:
    capacity = Capacity(total=total, taken=0)
    db.session.add(capacity)
    return capacity


def take(capacity_id: int, units: int, *, refusal: Refused) -> None:
    """Take units if they are left; the refusal otherwise. Two takers of the last unit: one gets it."""
    if not guarded(_taking(), {"of": capacity_id, "units": units}):
        raise refusal
    _forget(capacity_id)


@cache
def _taking() -> sa.Update:
    units: sa.BindParameter[Any] = sa.bindparam("units", type_=sa.Integer)
    return (
        sa.update(Capacity)
        .where(Capacity.id == sa.bindparam("of"), Capacity.taken + units <= Capacity.total)
        .values(taken=Capacity.taken + units)
    )


def give_back(capacity_id: int, units: int) -> None:
    """Give units back, and offer them at once to whoever waits for them."""
    _free(capacity_id, units)
    offer_next(capacity_id)


def _free(capacity_id: int, units: int) -> None:
    if not guarded(
        sa.update(Capacity)
        .where(Capacity.id == capacity_id, Capacity.taken >= units)
        .values(taken=Capacity.taken - units)
    ):
        raise RuntimeError(f"capacity {capacity_id}: {units} given back that were never taken")
    events.publish(FREED, capacity_id=capacity_id)
    _forget(capacity_id)


def hold(capacity_id: int) -> None:
    """Lock a capacity before rows that will free a place of it: whoever frees places holds it first, so that two who
    do never wait for each other in a circle.
    """
    db.session.execute(sa.select(Capacity.id).where(Capacity.id == capacity_id).with_for_update())


def resize(capacity_id: int, total: int, *, field: str = "") -> None:
    """Change the total, never below what is taken; what is new goes to whoever waits."""
    if not guarded(sa.update(Capacity).where(Capacity.id == capacity_id, Capacity.taken <= total).values(total=total)):
        raise Refused(_("已经订出的份数比这个数多，不能再减少"), field=field)
    _forget(capacity_id)
    offer_next(capacity_id)


def fit(capacity_id: int, most: int) -> None:
    """As many places as there are to be, or as are taken while that is more; nothing is offered by it."""
    total = sa.case((Capacity.taken > most, Capacity.taken), else_=most)
    guarded(sa.update(Capacity).where(Capacity.id == capacity_id, Capacity.total != total).values(total=total))
    _forget(capacity_id)


def lined(capacity_ids: Collection[int]) -> set[int]:
    """Before which of some capacities somebody waits or has an offer."""
    query = sa.select(Waiting.capacity_id).where(Waiting.capacity_id.in_(capacity_ids), Waiting.state.in_(LIVE))
    return set(db.session.scalars(query.distinct()))


def _forget(capacity_id: int) -> None:
    """The row changed behind the session's back: read it again when asked."""
    known = db.session.identity_map.get(sa.orm.util.identity_key(Capacity, capacity_id))
    if known is not None:
        db.session.expire(known)


def join(
    capacity_id: int,
    person: Person,
    *,
    kind: str,
    ref: str,
    closes_at: datetime,
    by: Actor,
    units: int = 1,
    consent: str = "",
) -> Waiting:
    """Put somebody at the end of the line; only while nothing is left for her, which is asked of the database.

    The row of the capacity is held until the commit: a place that comes back meanwhile finds her in the line.
    """
    if not guarded(_full(), {"of": capacity_id, "units": units}):
        raise Refused(_("刚刚空出了名额，不用候补，请直接预约。"))
    waiting = None
    if waiting_for(capacity_id, person) is None:
        row = _row(capacity_id, person, kind, ref, closes_at, by, units)
        waiting = insert_new(Waiting, row | {"consent": consent})
    if waiting is None:
        raise Refused(_("%(name)s已经在这个时段的候补名单里，不用再排。", name=person.name))
    audit.record("places.joined", waiting, on_behalf_of=person.public_id, capacity=capacity_id, kind=kind)
    return waiting


@cache
def _full() -> sa.Update:
    units: sa.BindParameter[Any] = sa.bindparam("units", type_=sa.Integer)
    return (
        sa.update(Capacity)
        .where(Capacity.id == sa.bindparam("of"), Capacity.taken + units > Capacity.total)
        .values(taken=Capacity.taken)
    )


def _row(
    capacity_id: int, person: Person, kind: str, ref: str, closes_at: datetime, by: Actor, units: int
) -> dict[str, Any]:
    return {
        "capacity_id": capacity_id,
        "person_id": person.id,
        "units": units,
        "kind": kind,
        "ref": ref,
        "state": WaitingState.WAITING,
        "queued_at": now(),
        "closes_at": closes_at,
        "placed_by": by.public_id,
        "placed_by_name": by.name,
    }


def offer_next(capacity_id: int) -> int:
    """Offer what is left to the first in line whom it is enough for, and so on; return how many offers that made."""
    made, moment = 0, now()
    least = moment + timedelta(minutes=settings.get(LEAST_MINUTES)) if _first(capacity_id, moment) else moment
    while (waiting := _first(capacity_id, least)) is not None:
        made += _offer(waiting, moment)
    return made


def _first(capacity_id: int, closing_after: datetime) -> Waiting | None:
    """The first in line who could be served now."""
    return db.session.scalar(_line_head(), {"of": capacity_id, "after": closing_after})


@cache
def _line_head() -> sa.Select[Waiting]:
    return (
        sa.select(Waiting)
        .join(Waiting.capacity)
        .where(
            Waiting.capacity_id == sa.bindparam("of"),
            Waiting.state == WaitingState.WAITING,
            Waiting.closes_at >= sa.bindparam("after"),
            Waiting.units <= Capacity.total - Capacity.taken,
        )
        .order_by(Waiting.id)
        .limit(1)
    )


def _offer(waiting: Waiting, moment: datetime) -> bool:
    """Take the place for her and offer it; False when she left the line at this very moment, and the next is asked."""
    if not guarded(_taking(), {"of": waiting.capacity_id, "units": waiting.units}):
        return False
    until = _stands_until(moment, waiting.closes_at)
    if not _move(waiting, WaitingState.OFFERED, offered_at=moment, offer_until=until):
        _free(waiting.capacity_id, waiting.units)
        db.session.expire(waiting)
        return False
    _forget(waiting.capacity_id)
    audit.record("places.offered", waiting, capacity=waiting.capacity_id, until=until.isoformat())
    events.publish(OFFERED, waiting=waiting)
    return True


def _stands_until(moment: datetime, closes_at: datetime) -> datetime:
    """How long an offer stands: the setting, or half of the time that is left, but at least a little."""
    half = (closes_at - moment) / 2
    least, most = timedelta(minutes=settings.get(LEAST_MINUTES)), timedelta(hours=settings.get(OFFER_HOURS))
    return moment + max(least, min(most, half))


def _move(waiting: Waiting, state: WaitingState, *conditions: sa.ColumnElement[bool], **values: Any) -> bool:
    """Move by a guarded UPDATE from the state that the row is known in; False when it is there no more."""
    before = [old for old, following in MOVES.items() if state in following]
    return _move_from(before, waiting, state, *conditions, **values)


def _move_from(
    before: Collection[WaitingState],
    waiting: Waiting,
    state: WaitingState,
    *conditions: sa.ColumnElement[bool],
    **values: Any,
) -> bool:
    where = sa.and_(Waiting.id == waiting.id, Waiting.state.in_(before), *conditions)
    changed = guarded(sa.update(Waiting).where(where).values(state=state, **values))
    if changed:
        db.session.expire(waiting)
    return changed


def accept(waiting: Waiting) -> None:
    """Turn an offer that stands into a taking: its units stay taken, now by whatever the caller makes of them."""
    moment = now()
    if not _move(waiting, WaitingState.TAKEN, Waiting.offer_until > moment, ended_at=moment):
        raise Refused(_("这个名额的保留时间已经过了，名额给了下一位。还想要的话，请重新候补或换一个时间。"))
    audit.record("places.taken", waiting, capacity=waiting.capacity_id)


def leave(waiting: Waiting, *, reason: str = "") -> None:
    """Leave the line, or decline what is offered, which then goes to the next. The line only moves on, so a row that
    is no longer waiting is looked for among the offered.
    """
    hold(waiting.capacity_id)
    moment = now()
    if _move_from([WaitingState.WAITING], waiting, WaitingState.LEFT, ended_at=moment):
        audit.record("places.left", waiting, reason=reason, capacity=waiting.capacity_id)
        return
    if not _move_from([WaitingState.OFFERED], waiting, WaitingState.LEFT, ended_at=moment):
        raise Refused(_("这次候补已经结束，不用再退出。"))
    audit.record("places.declined", waiting, reason=reason, capacity=waiting.capacity_id)
    give_back(waiting.capacity_id, waiting.units)


def due(moment: datetime, *, limit: int = 500) -> list[int]:
    """The rows whose offer or whose line has run out, the oldest first."""
    offers = sa.and_(Waiting.state == WaitingState.OFFERED, Waiting.offer_until <= moment)
    lines = sa.and_(Waiting.state == WaitingState.WAITING, Waiting.closes_at <= moment)
    query = sa.select(Waiting.id).where(sa.or_(offers, lines)).order_by(Waiting.id).limit(limit)
    return list(db.session.scalars(query))


def lapse(waiting_id: int, moment: datetime) -> bool:
    """End one row that has run out, and pass its place on; False when another runner did so already."""
    waiting = db.session.get_one(Waiting, waiting_id)
    hold(waiting.capacity_id)
    ran_out = Waiting.offer_until <= moment
    if _move_from([WaitingState.OFFERED], waiting, WaitingState.LAPSED, ran_out, ended_at=moment):
        audit.record("places.lapsed", waiting, capacity=waiting.capacity_id)
        events.publish(LAPSED, waiting=waiting)
        give_back(waiting.capacity_id, waiting.units)
        return True
    closed = Waiting.closes_at <= moment
    if _move_from([WaitingState.WAITING], waiting, WaitingState.CLOSED, closed, ended_at=moment):
        audit.record("places.closed", waiting, capacity=waiting.capacity_id)
        events.publish(CLOSED, waiting=waiting)
        return True
    return False


def close_line(capacity_id: int, *, reason: str = "") -> int:
    """What they wait for will not be: everybody in the line is told, what was offered is free again."""
    hold(capacity_id)
    query = sa.select(Waiting).where(Waiting.capacity_id == capacity_id, Waiting.state.in_(LIVE)).order_by(Waiting.id)
    return sum(end_one(waiting, reason, told=True) for waiting in db.session.scalars(query).all())


def close_of(kind: str, ref: str, *, reason: str) -> list[Waiting]:
    """End every line for one thing of a capability, which tells them in its own words: who waited. What was offered
    goes to whoever waits for another thing on the same place.
    """
    query = sa.select(Waiting).where(Waiting.kind == kind, Waiting.ref == ref, Waiting.state.in_(LIVE))
    query = query.options(sa.orm.joinedload(Waiting.person)).order_by(Waiting.capacity_id, Waiting.id)
    ended = []
    for waiting in db.session.scalars(query).all():
        hold(waiting.capacity_id)
        if end_one(waiting, reason, told=False):
            ended.append(waiting)
    for capacity_id in sorted({waiting.capacity_id for waiting in ended}):
        offer_next(capacity_id)
    return ended


def end_for(person: Person, *, reason: str) -> int:
    """Take a person out of every line, without a word to her; what was offered to her goes to the next."""
    query = sa.select(Waiting).where(_of(person), Waiting.state.in_(LIVE)).order_by(Waiting.capacity_id, Waiting.id)
    ended = 0
    for waiting in db.session.scalars(query).all():
        hold(waiting.capacity_id)
        ended += end_one(waiting, reason, told=False)
        offer_next(waiting.capacity_id)
    return ended


def end_one(waiting: Waiting, reason: str, *, told: bool) -> bool:
    """End a row, whose capacity is held already; what it had been offered is free for the caller to offer."""
    moment = now()
    closed = _move_from([WaitingState.WAITING], waiting, WaitingState.CLOSED, ended_at=moment)
    if not closed and _move_from([WaitingState.OFFERED], waiting, WaitingState.CLOSED, ended_at=moment):
        _free(waiting.capacity_id, waiting.units)
        closed = True
    if closed:
        audit.record("places.closed", waiting, reason=reason, capacity=waiting.capacity_id)
    if closed and told:
        events.publish(CLOSED, waiting=waiting)
    return closed


def place_in_line(waiting: Waiting) -> int:
    """How many stand before her, and she."""
    query = sa.select(sa.func.count()).where(
        Waiting.capacity_id == waiting.capacity_id,
        Waiting.state == WaitingState.WAITING,
        Waiting.id <= waiting.id,
    )
    return db.session.scalar(query) or 0


def waiting_count(capacity_id: int) -> int:
    query = sa.select(sa.func.count()).where(Waiting.capacity_id == capacity_id, Waiting.state == WaitingState.WAITING)
    return db.session.scalar(query) or 0


def _of(*persons: Person) -> sa.ColumnElement[bool]:
    """Rows about some persons, or about records that were merged into theirs."""
    return Waiting.person_id.in_(people.ids_of(*persons))


def waiting_for(capacity_id: int, person: Person) -> Waiting | None:
    """The person's live row in a line."""
    query = sa.select(Waiting).where(_of(person), Waiting.capacity_id == capacity_id, Waiting.state.in_(LIVE))
    return db.session.scalar(query.order_by(Waiting.id).limit(1))


def lines_of(kind: str, persons: Collection[Person], *, live: bool = True) -> list[Waiting]:
    """What some persons wait for: what is offered first, then by when it closes. Or everything that ever was."""
    query = sa.select(Waiting).where(_of(*persons), Waiting.kind == kind).options(sa.orm.joinedload(Waiting.person))
    if live:
        query = query.where(Waiting.state.in_(LIVE))
    order = sa.case((Waiting.state == WaitingState.OFFERED, 0), else_=1), Waiting.closes_at, Waiting.id
    return list(db.session.scalars(query.order_by(*order).limit(SHOWN)))


def line_of(kind: str, persons: Collection[Person], public_id: str) -> Waiting:
    """One row of one of these persons; Missing for anybody else's."""
    query = sa.select(Waiting).where(Waiting.public_id == public_id, Waiting.kind == kind, _of(*persons))
    waiting = db.session.scalar(query.options(sa.orm.joinedload(Waiting.person))) if persons else None
    if waiting is None:
        raise Missing
    return waiting


def line(capacity_id: int) -> list[Waiting]:
    """Everybody who waits or has an offer, in the order of the line."""
    query = sa.select(Waiting).where(Waiting.capacity_id == capacity_id, Waiting.state.in_(LIVE))
    return list(db.session.scalars(query.options(sa.orm.joinedload(Waiting.person)).order_by(Waiting.id)))


def purge(kind: str, before: datetime) -> int:
    """Forget rows of a kind that ended before a moment."""
    old = sa.delete(Waiting).where(Waiting.kind == kind, Waiting.state.not_in(LIVE), Waiting.ended_at < before)
    return int(getattr(db.session.execute(old), "rowcount", 0))
