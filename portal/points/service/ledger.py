"""The ledger of points: earned, spent, expired, adjusted and taken back, in entries that are only ever added.

Whoever moves points holds the balances of the person first; balance and lots then move by guarded UPDATEs, so that
neither falls below nothing whatever happens at the same moment. The oldest points go first. Hours are none of this:
spending points never takes an hour from a record.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, outbox
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import db, guarded, insert_once
from portal.core.errors import Missing, Refused
from portal.points.models import Balance, Draw, EntryKind, Lot, PointEntry
from portal.points.service import rules
from portal.registry.models import Person
from portal.registry.service import people

MOST = 1_000_000
SHOWN = 200
EARNINGS = (EntryKind.EARNED, EntryKind.ADJUSTED)


@dataclass(frozen=True)
class Said:
    """What an entry says of itself: its source, its words, why, who did it (nobody: the portal itself), and when."""

    kind: EntryKind
    key: str
    words: str
    by: Actor | None
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """What somebody has, what she owes, and when how much of it expires (the earliest first; None: never)."""

    points: int
    debt: int
    expiring: tuple[tuple[date | None, int], ...]


def earn(
    person: Person,
    points: int,
    *,
    key: str,
    words: str,
    expires_on: date | None,
    by: Actor | None,
    at: datetime | None = None,
) -> PointEntry:
    """Add points that may be spent until a day. The same key again earns nothing. `at` is for what is loaded late."""
    return _come(person, points, Said(EntryKind.EARNED, key, words, by, at=at), expires_on)


def spend(person: Person, points: int, *, key: str, words: str, by: Actor | None) -> PointEntry:
    """Take points, the oldest first; refused where there are not enough. The same key again takes nothing."""
    return _go(person, points, Said(EntryKind.SPENT, key, words, by))


def adjust(
    person: Person, points: int, *, key: str, reason: str, by: Actor, expires_on: date | None = None
) -> PointEntry:
    """Add points, or take them where `points` is negative, for a reason that the ledger keeps."""
    if not reason.strip():
        raise Refused(_("请写明调整积分的原因。"), field="reason")
    if not points:
        raise Refused(_("调整的分数不能是 0，请填增加或减少多少分。"), field="points")
    said = Said(EntryKind.ADJUSTED, key, "", by, reason)
    return _come(person, points, said, expires_on) if points > 0 else _go(person, -points, said)


def adjust_told(person: Person, points: int, *, key: str, reason: str, by: Actor) -> PointEntry:
    """The same by a worker: the person is told how many and why."""
    known = entry_of(key)
    entry = known or adjust(person, points, key=key, reason=reason, by=by, expires_on=_usual_day(points))
    if known is None:
        whole = people.resolved(person)
        outbox.enqueue("points.adjusted", to=whole.ref, person=whole.name, points=points, reason=reason)
    return entry


def _usual_day(points: int) -> date | None:
    """Points added by hand last as long as those earned today."""
    return rules.in_force("", today()).expires_on(today()) if points > 0 else None


def _come(person: Person, points: int, said: Said, expires_on: date | None) -> PointEntry:
    _check(points)
    balances = _hold(person, needed=True)
    known = entry_of(said.key)
    if known is not None:
        return known
    own = next(row for row in balances if row.person_id == people.resolved(person).id)
    entry = _enter(own, points, 0, said)
    db.session.add(Lot(balance_id=own.id, entry_id=entry.id, points=points, remaining=points, expires_on=expires_on))
    _settle(balances, entry)
    _expire(balances, today())
    return entry


def _go(person: Person, points: int, said: Said) -> PointEntry:
    _check(points)
    balances = _hold(person)
    known = entry_of(said.key)
    if known is not None:
        return known
    _expire(balances, today())
    plan, lacking = _planned(_lots(balances), points)
    if lacking:
        raise _too_few(points - lacking)
    return _take(plan, {}, said)


def _check(points: int) -> None:
    if not 1 <= points <= MOST:
        raise Refused(_("积分请填 1 到 1000000 之间的整数。"), field="points")


def _too_few(left: int) -> Refused:
    return Refused(_("积分不够：现在可用 %(left)d 分。可以少换一些，或者等攒够了再来。", left=left), field="points")


def entry_of(key: str) -> PointEntry | None:
    """The entry that a source led to, if it has."""
    return db.session.scalar(sa.select(PointEntry).where(PointEntry.key == key))


def _hold(person: Person, *, needed: bool = False) -> list[Balance]:
    """The balances of a person, and of records merged into hers, held until the commit; her own made where needed."""
    whole = people.resolved(person)
    if needed:
        insert_once(Balance, {"person_id": whole.id, "points": 0, "debt": 0})
    return _held(Balance.person_id.in_(people.ids_of(whole)))


def _held(condition: sa.ColumnElement[bool]) -> list[Balance]:
    query = sa.select(Balance).where(condition).order_by(Balance.id).with_for_update(of=Balance)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def _lots(balances: Iterable[Balance], first: int = 0, until: date | None = None) -> list[Lot]:
    """What is left of what was earned: one lot before all others, then the oldest; what never expires goes last.

    With `until`, only what expires before that day.
    """
    order = sa.case((Lot.id == first, 0), (Lot.expires_on.is_(None), 2), else_=1)
    query = sa.select(Lot).where(Lot.balance_id.in_([row.id for row in balances]), Lot.remaining > 0)
    if until is not None:
        query = query.where(Lot.expires_on < until)
    query = query.order_by(order, Lot.expires_on, Lot.id).execution_options(populate_existing=True)
    return list(db.session.scalars(query))


Plan = list[tuple[Lot, int]]


def _planned(lots: Iterable[Lot], points: int) -> tuple[Plan, int]:
    """How much to take of which lots, and how many points are lacking."""
    plan: Plan = []
    for lot in lots:
        if not points:
            break
        part = min(lot.remaining, points)
        plan.append((lot, part))
        points -= part
    return plan, points


def _take(plan: Plan, owed: Mapping[int, int], said: Said, reverses: PointEntry | None = None) -> PointEntry:
    """Write what a plan takes: an entry for each balance it touches, with what it comes to owe; return the first."""
    taken: dict[int, int] = dict.fromkeys(owed, 0)
    for lot, points in plan:
        taken[lot.balance_id] = taken.get(lot.balance_id, 0) + points
    main: PointEntry | None = None
    for balance_id, points in taken.items():
        balance = db.session.get_one(Balance, balance_id)
        entry = _enter(balance, -points, owed.get(balance_id, 0), said, reverses=None if main else reverses, main=main)
        main = main or entry
        for lot, part in plan:
            if lot.balance_id == balance_id:
                _draw(lot, part, entry)
    if main is None:
        raise RuntimeError(f"{said.key}: nothing to take")
    return main


def _enter(
    balance: Balance,
    points: int,
    owed: int,
    said: Said,
    *,
    reverses: PointEntry | None = None,
    main: PointEntry | None = None,
) -> PointEntry:
    """Move a balance and say so; a further entry of one act has the balance in its key."""
    _move(balance, points, owed)
    entry = PointEntry(
        balance_id=balance.id,
        kind=said.kind,
        points=points,
        owed=owed,
        key=f"{said.key}~{balance.id}" if main else said.key,
        words=said.words[:120],
        reason=said.reason,
        reverses_id=reverses.id if reverses else None,
        part_of_id=main.id if main else None,
        at=said.at or now(),
        by=said.by.public_id if said.by else "",
        by_name=said.by.name if said.by else "",
    )
    db.session.add(entry)
    db.session.flush()
    audit.record(f"points.{said.kind.value}", entry, reason=said.reason, points=points, owed=owed)
    return entry


def _move(balance: Balance, points: int, owed: int) -> None:
    """The guard: whatever was read before, the database moves a balance only where something is left."""
    after, debt = Balance.points + points, Balance.debt + owed
    fits = sa.and_(Balance.id == balance.id, after >= 0, debt >= 0)
    moved = guarded(sa.update(Balance).where(fits).values(points=after, debt=debt))
    db.session.refresh(balance, ["points", "debt"])
    if not moved:
        raise _too_few(balance.points)


def _draw(lot: Lot, points: int, entry: PointEntry) -> None:
    left = sa.and_(Lot.id == lot.id, Lot.remaining >= points)
    if not guarded(sa.update(Lot).where(left).values(remaining=Lot.remaining - points)):
        raise Refused(_("这些积分刚才动过，请刷新页面再试。"))
    db.session.expire(lot, ["remaining"])
    db.session.add(Draw(entry_id=entry.id, lot_id=lot.id, points=points))
    db.session.flush()


def reverse(entry: PointEntry, *, reason: str, by: Actor | None) -> PointEntry | None:
    """Take an entry back by a further one; what was taken back already stays so, and its reversal is returned.

    What was spent returns to the lots it came from, and what of them has expired meanwhile expires again. What was
    earned is taken from its own lot, then from the others; what was spent already is owed, and the next earnings pay
    it. None where everything that was earned has expired: nothing is left to take.
    """
    main = entry if entry.part_of_id is None else db.session.get_one(PointEntry, entry.part_of_id)
    balances = _hold(db.session.get_one(Person, db.session.get_one(Balance, main.balance_id).person_id))
    done = db.session.scalar(sa.select(PointEntry).where(PointEntry.reverses_id == main.id))
    if done is not None:
        return done
    if main.kind not in (*EARNINGS, EntryKind.SPENT):
        raise Refused(_("这一笔是系统自动记的，不能撤销。需要更正请用调整。"))
    said = Said(EntryKind.REVERSED, f"reverse:{main.public_id}", main.words, by, reason)
    if main.kind is EntryKind.SPENT or main.points < 0:
        return _put_back(balances, main, said)
    return _take_back(balances, main, said)


def _put_back(balances: Sequence[Balance], main: PointEntry, said: Said) -> PointEntry:
    parts = db.session.scalars(
        sa.select(PointEntry)
        .where(sa.or_(PointEntry.id == main.id, PointEntry.part_of_id == main.id))
        .order_by(PointEntry.id)
    )
    first: PointEntry | None = None
    for part in parts.all():
        balance = db.session.get_one(Balance, part.balance_id)
        entry = _enter(balance, -part.points, 0, said, reverses=part, main=first)
        first = first or entry
        _refill(part)
    if first is None:
        raise Missing
    _settle(balances, first)
    _expire(balances, today())
    return first


def _refill(part: PointEntry) -> None:
    draws = db.session.scalars(sa.select(Draw).where(Draw.entry_id == part.id).order_by(Draw.id)).all()
    for draw in draws:
        room = sa.and_(Lot.id == draw.lot_id, Lot.remaining + draw.points <= Lot.points)
        if not guarded(sa.update(Lot).where(room).values(remaining=Lot.remaining + draw.points)):
            raise RuntimeError(f"lot {draw.lot_id}: more put back than was ever taken")


def _take_back(balances: Sequence[Balance], main: PointEntry, said: Said) -> PointEntry | None:
    lot = db.session.scalars(sa.select(Lot).where(Lot.entry_id == main.id)).one()
    expired = sa.select(sa.func.coalesce(sa.func.sum(Draw.points), 0)).join(PointEntry, PointEntry.id == Draw.entry_id)
    gone = db.session.scalar(expired.where(Draw.lot_id == lot.id, PointEntry.kind == EntryKind.EXPIRED)) or 0
    plan, lacking = _planned(_lots(balances, first=lot.id), main.points - gone)
    if not plan and not lacking:
        return None
    return _take(plan, {main.balance_id: lacking} if lacking else {}, said, reverses=main)


def _settle(balances: Sequence[Balance], cause: PointEntry) -> None:
    """Pay what is owed with what has come in."""
    for balance in balances:
        plan, lacking = _planned(_lots(balances), balance.debt) if balance.debt else ([], 0)
        paid = balance.debt - lacking
        if paid:
            key = f"settle:{cause.public_id}:{balance.id}"
            _take(plan, {balance.id: -paid}, Said(EntryKind.SETTLED, key, "", None))


def _expire(balances: Sequence[Balance], on: date) -> int:
    """What is left of lots whose last day has passed goes; return how many points went."""
    late = _lots(balances, until=on)
    for lot in late:
        # A lot that got points back expires again: the number of its draws tells the one time from the other.
        drawn = db.session.scalar(sa.select(sa.func.count()).where(Draw.lot_id == lot.id))
        _take([(lot, lot.remaining)], {}, Said(EntryKind.EXPIRED, f"expire:{lot.id}:{drawn}", "", None))
    return len(late)


def due_to_expire(on: date, limit: int = 500) -> list[int]:
    """The balances with points whose last day has passed."""
    query = sa.select(Lot.balance_id).where(Lot.remaining > 0, Lot.expires_on < on).distinct()
    return list(db.session.scalars(query.order_by(Lot.balance_id).limit(limit)))


def expire_balance(balance_id: int, on: date) -> int:
    """Expire what one balance has left of lots whose last day has passed; return of how many lots."""
    return _expire(_held(Balance.id == balance_id), on)


def expire_due(on: date) -> int:
    """The same for every balance, in the running transaction."""
    return sum(expire_balance(balance_id, on) for balance_id in due_to_expire(on))


def balance(person: Person) -> Standing:
    """What somebody has today: points whose last day has passed are none of it, even before the night counts them."""
    mine = Balance.person_id.in_(people.ids_of(people.resolved(person)))
    debt = db.session.scalar(sa.select(sa.func.coalesce(sa.func.sum(Balance.debt), 0)).where(mine)) or 0
    query = (
        sa.select(Lot.expires_on, sa.func.sum(Lot.remaining))
        .join(Balance, Balance.id == Lot.balance_id)
        .where(mine, Lot.remaining > 0, sa.or_(Lot.expires_on.is_(None), Lot.expires_on >= today()))
        .group_by(Lot.expires_on)
        .order_by(sa.case((Lot.expires_on.is_(None), 1), else_=0), Lot.expires_on)
    )
    expiring = tuple((row[0], int(row[1])) for row in db.session.execute(query))
    return Standing(sum(points for _day, points in expiring), int(debt), expiring)


@dataclass(frozen=True)
class Purse:
    person: Person
    points: int
    debt: int


def purses(within: Collection[Scope], named: str = "", *, limit: int = SHOWN) -> list[Purse]:
    """What the people in scope have, by the ledger; who has most first. Merged records count as one."""
    who = people.stood_for(Person.id.in_(sa.select(Balance.person_id)))
    points, debt = sa.func.sum(Balance.points), sa.func.sum(Balance.debt)
    query = (
        sa.select(Person, points, debt)
        .select_from(Balance)
        .join(who, who.c.origin == Balance.person_id)
        .join(Person, Person.id == who.c.id)
        .where(people.within(within))
        .group_by(Person.id)
        .order_by(points.desc(), Person.id)
        .limit(limit)
    )
    if named:
        query = query.where(sa.or_(Person.name.icontains(named, autoescape=True), Person.initials == named.lower()))
    return [Purse(row[0], int(row[1]), int(row[2])) for row in db.session.execute(query)]


def entries(person: Person, *, limit: int = SHOWN) -> list[PointEntry]:
    """The ledger of a person, the latest first."""
    return list(db.session.scalars(_entries(person).limit(limit)))


def moves(person: Person, *, limit: int) -> list[PointEntry]:
    """The same without what was earned."""
    return list(db.session.scalars(_entries(person).where(PointEntry.kind != EntryKind.EARNED).limit(limit)))


def _entries(person: Person) -> sa.Select[PointEntry]:
    return (
        sa.select(PointEntry)
        .join(Balance, Balance.id == PointEntry.balance_id)
        .where(Balance.person_id.in_(people.ids_of(people.resolved(person))))
        .order_by(PointEntry.id.desc())
    )
