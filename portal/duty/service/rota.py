"""The rota: shifts and their people, week by week."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, selectinload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, outbox
from portal.core.access import Scope, actor_or_none
from portal.core.clock import at, day_bounds, local, now, today
from portal.core.db import db, unique_or
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.duty.models import Shift, ShiftRole, Swap, SwapState, Turn
from portal.duty.service import people
from portal.duty.service.words import facts_of, shift_words
from portal.identity.models import Account

WEEK = timedelta(days=7)
LONGEST = timedelta(hours=24)


@dataclass(frozen=True)
class ShiftFacts:
    """What a manager says of a shift; `closes` at or before `opens` is on the next day."""

    place: str
    role: ShiftRole
    day: date
    opens: time
    closes: time
    phone: str = ""
    note: str = ""
    people: Sequence[Account] = ()

    @property
    def span(self) -> tuple[datetime, datetime]:
        last = self.day if self.closes > self.opens else self.day + timedelta(days=1)
        return at(self.day, self.opens), at(last, self.closes)


@dataclass(frozen=True)
class Copied:
    """What copying a week did: shifts made and shifts that stood already; people left out, being gone or busy."""

    made: int = 0
    stood: int = 0
    left_out: list[str] = field(default_factory=list)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _loaded() -> sa.Select[Shift]:
    return sa.select(Shift).options(selectinload(Shift.turns).joinedload(Turn.account), joinedload(Shift.community))


def shifts_between(community_ids: Collection[int], *spans: tuple[datetime, datetime]) -> list[Shift]:
    """The shifts that touch one of some spans, in order."""
    touches = [sa.and_(Shift.starts_at < ends, Shift.ends_at > starts) for starts, ends in spans]
    query = _loaded().where(Shift.community_id.in_(community_ids), sa.or_(*touches))
    return list(db.session.scalars(query.order_by(Shift.starts_at, Shift.place, Shift.id)))


def bounds(monday: date) -> tuple[datetime, datetime]:
    """A week's first instant and the next one's."""
    return day_bounds(monday)[0], day_bounds(monday + timedelta(days=6))[1]


def week(community: Area, monday: date) -> list[Shift]:
    """The shifts that begin in a week."""
    first, end = bounds(monday)
    return [shift for shift in shifts_between([community.id], (first, end)) if shift.starts_at >= first]


def by_day(shifts: Sequence[Shift], monday: date) -> list[tuple[date, dict[ShiftRole, list[Shift]]]]:
    """A week as its grid shows it: seven days, each with the shifts of each role."""
    days = [(monday + timedelta(days=offset), dict[ShiftRole, list[Shift]]()) for offset in range(7)]
    for shift in shifts:
        _day, cells = days[(local(shift.starts_at).date() - monday).days]
        cells.setdefault(shift.role, []).append(shift)
    return days


def shift_in(within: Collection[Scope], shift_id: int) -> Shift:
    query = _loaded().where(Shift.id == shift_id, Shift.community_id.in_(areas.touched(within)))
    shift = db.session.scalar(query)
    if shift is None:
        raise Missing
    return shift


def add_shift(community: Area, facts: ShiftFacts) -> Shift:
    shift = Shift(community_id=community.id)
    with unique_or(_stands()):
        _say(shift, facts)
        db.session.add(shift)
    _tell("duty.assigned", shift, facts.people)
    audit.record("duty.shift_added", shift, day=facts.day.isoformat(), count=len(facts.people))
    return shift


def change_shift(shift: Shift, facts: ShiftFacts) -> None:
    if shift.ends_at <= now():
        raise Refused(_("这个班次已经结束，不能再改。"))
    before = {turn.account_id for turn in shift.turns}
    with unique_or(_stands()):
        _say(shift, facts)
    _tell("duty.assigned", shift, [account for account in facts.people if account.id not in before])
    audit.record("duty.shift_changed", shift, day=facts.day.isoformat(), count=len(facts.people))


def _tell(event: str, shift: Shift, people: Collection[Account]) -> None:
    """Everybody but who does it hears of it."""
    actor = actor_or_none()
    for account in people:
        if actor is None or account.public_id != actor.public_id:
            outbox.enqueue(event, to=Recipient("account", account.public_id), shift=[facts_of(shift)])


def _stands() -> Refused:
    return Refused(_("这个地点在这个时间已经有同样的班次，请直接改那一个。"), field="opens")


def _say(shift: Shift, facts: ShiftFacts) -> None:
    starts, ends = facts.span
    if ends - starts > LONGEST:
        raise Refused(_("一个班次最长 24 小时。"), field="closes")
    _refuse_past(shift, starts)
    refuse_busy([account.id for account in facts.people], starts, ends, but=shift.id)
    shift.place, shift.role, shift.phone, shift.note = facts.place, facts.role, facts.phone, facts.note
    shift.starts_at, shift.ends_at = starts, ends
    _set_people(shift, facts.people)


def _refuse_past(shift: Shift, starts: datetime) -> None:
    """A new shift begins today or later; one under way keeps its beginning."""
    if local(starts).date() < today() and shift.starts_at != starts:
        raise Refused(_("日期已经过去，请填今天或以后的日期。"), field="day")


def refuse_busy(account_ids: Collection[int], starts: datetime, ends: datetime, *, but: int | None) -> None:
    """Refuse where one of them is on another shift at that time. Accounts are locked, so that two cannot both fit."""
    db.session.execute(sa.select(Account.id).where(Account.id.in_(account_ids)).order_by(Account.id).with_for_update())
    clashes = busy(account_ids, starts, ends, but=but)
    if clashes:
        name, words = clashes[0].account.name, shift_words(clashes[0].shift)
        raise Refused(_("%(name)s这个时间已经排了班：%(shift)s。", name=name, shift=words), field="people")


def busy(account_ids: Collection[int], starts: datetime, ends: datetime, *, but: int | None = None) -> list[Turn]:
    """The turns that some of them have on another shift then."""
    query = (
        sa.select(Turn)
        .join(Shift)
        .where(Turn.account_id.in_(account_ids), Shift.starts_at < ends, Shift.ends_at > starts, Shift.id != (but or 0))
        .options(joinedload(Turn.account), joinedload(Turn.shift))
        .order_by(Shift.starts_at, Turn.id)
    )
    return list(db.session.scalars(query))


def _set_people(shift: Shift, people: Sequence[Account]) -> None:
    wanted = {account.id: account for account in people}
    for turn in [turn for turn in shift.turns if turn.account_id not in wanted]:
        _void_swaps(turn)
        shift.turns.remove(turn)
    standing = {turn.account_id for turn in shift.turns}
    shift.turns.extend(Turn(account=account) for id_, account in wanted.items() if id_ not in standing)


def _void_swaps(turn: Turn) -> None:
    """What was asked about a turn that is taken away is asked no more."""
    if turn.id is None:
        return
    about = sa.or_(Swap.turn_id == turn.id, Swap.back_id == turn.id)
    query = sa.select(Swap).where(about, Swap.state == SwapState.ASKED).order_by(Swap.id)
    for swap in db.session.scalars(query):
        swap.move(SwapState.WITHDRAWN)
        swap.answered_at = now()


def drop_shift(shift: Shift) -> None:
    if shift.starts_at <= now():
        raise Refused(_("班次已经开始，不能取消；可以改里面的人。"))
    for turn in shift.turns:
        _void_swaps(turn)
    _tell("duty.cancelled", shift, [turn.account for turn in shift.turns])
    audit.record("duty.shift_dropped", shift, day=local(shift.starts_at).date().isoformat())
    db.session.delete(shift)


def copy_week(community: Area, monday: date, desk: Collection[Account]) -> Copied:
    """Put the shifts of the week before `monday` into its week; what has begun already is not planned any more.

    `desk` are the accounts that may still be put on duty.
    """
    open_ids = {account.id for account in desk}
    people.hold(community)
    made, stood, left_out, planned = 0, 0, dict[str, None](), Counter[str]()
    there = {(shift.place, shift.role, shift.starts_at) for shift in week(community, monday)}
    for old in week(community, monday - WEEK):
        starts, ends = old.starts_at + WEEK, old.ends_at + WEEK
        if (old.place, old.role, starts) in there or starts <= now():
            stood += 1
            continue
        fit = [turn.account for turn in old.turns if turn.account_id in open_ids]
        engaged = {turn.account_id for turn in busy([account.id for account in fit], starts, ends)}
        left_out.update(
            {turn.account.name: None for turn in old.turns if turn.account not in fit or turn.account_id in engaged}
        )
        copy = Shift(community_id=community.id, place=old.place, role=old.role, starts_at=starts, ends_at=ends)
        copy.phone, copy.note = old.phone, old.note
        copy.turns = [Turn(account=account) for account in fit if account.id not in engaged]
        planned.update(turn.account.public_id for turn in copy.turns)
        db.session.add(copy)
        db.session.flush()
        made += 1
    for public_id, count in sorted(planned.items()):
        outbox.enqueue("duty.week_planned", to=Recipient("account", public_id), day=monday.isoformat(), count=count)
    audit.record("duty.week_copied", None, day=monday.isoformat(), count=made)
    return Copied(made, stood, list(left_out))
