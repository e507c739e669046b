"""Which turns of a worker pass to another with a grid, and how they return while nobody has touched them."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area
from portal.core import audit
from portal.core.clock import now
from portal.core.db import db
from portal.core.doors import Passed
from portal.core.errors import Refused
from portal.duty.models import Fallback, Shift, Swap, SwapState, Turn
from portal.duty.service import people, rota, swaps
from portal.duty.service.words import shift_words
from portal.identity.models import Account

TURNS, FALLBACK = "turns", "fallback"


def passed_words(kind: str) -> str:
    return {TURNS: _("以后的班次"), FALLBACK: _("兜底值班")}.get(kind, kind)


def passed_names(kind: str, ids: Collection[int]) -> list[str]:
    """Which shifts, the next first; where somebody stands in."""
    if kind == TURNS:
        shifts = sa.select(Shift).join(Turn, Turn.shift_id == Shift.id).where(Turn.id.in_(ids))
        return [shift_words(shift) for shift in db.session.scalars(shifts.order_by(Shift.starts_at, Turn.id))]
    where = sa.select(Area.name).join(Fallback, Fallback.community_id == Area.id).where(Fallback.id.in_(ids))
    return list(db.session.scalars(where.order_by(Fallback.id)))


def _accounts(*public_ids: str) -> list[Account]:
    query = sa.select(Account).where(Account.public_id.in_(public_ids)).order_by(Account.id)
    known = {account.public_id: account for account in db.session.scalars(query)}
    return [known[public_id] for public_id in public_ids]


def _community(area: Area) -> Area:
    return db.session.get_one(Area, area.parent_id or area.id)


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:
    """The turns still to come, and standing in, in a grid's community.

    A turn the taker may not take (not of that desk, in that shift, or on another then) stays with the giver.
    """
    community, (one, other) = _community(area), _accounts(giver, taker)
    if other.id not in {account.id for account in people.desk_of(community)}:
        return []
    coming = swaps.turns_of([one.id], community)
    hers = _spans(other, coming)
    fit = [
        turn
        for turn in coming
        if not any(starts < turn.shift.ends_at and ends > turn.shift.starts_at for starts, ends in hers)
    ]
    found = [Passed(TURNS, turn.id, {"account_id": one.id}) for turn in fit]
    standing = sa.select(Fallback).where(Fallback.account_id == one.id, Fallback.community_id == community.id)
    return found + [
        Passed(FALLBACK, row.id, {"account_id": one.id}, [row.phone])
        for row in db.session.scalars(standing.order_by(Fallback.id))
    ]


def _spans(account: Account, turns: Collection[Turn]) -> list[tuple[datetime, datetime]]:
    """When somebody is on duty while these turns last, wherever."""
    if not turns:
        return []
    first, last = min(turn.shift.starts_at for turn in turns), max(turn.shift.ends_at for turn in turns)
    return [(turn.shift.starts_at, turn.shift.ends_at) for turn in rota.busy([account.id], first, last)]


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    found = to_pass(giver, taker, area)
    community, (one, other) = _community(area), _accounts(giver, taker)
    _give(found, one, other)
    _void(one, community)
    audit.record("duty.handed_over", one, by=other.name, community=community.code, count=len(found))
    return found


def _give(passed: Collection[Passed], one: Account, other: Account) -> None:
    for table, kind in ((Turn, TURNS), (Fallback, FALLBACK)):
        ids = [each.id for each in passed if each.kind == kind]
        given = db.session.execute(
            sa.update(table).where(table.id.in_(ids), table.account_id == one.id).values(account_id=other.id),
            execution_options={"synchronize_session": False},
        )
        if getattr(given, "rowcount", 0) != len(ids):
            raise Refused(_("其中有的班次刚刚有变动，请刷新页面看清以后再办一次。"))
    db.session.expire_all()


def _void(account: Account, community: Area) -> None:
    """What the giver asked or was asked there is answered: nobody will."""
    part = sa.or_(Swap.asker_id == account.id, Swap.taker_id == account.id)
    asked = (part, Swap.state == SwapState.ASKED, Swap.community_id == community.id)
    for swap in db.session.scalars(sa.select(Swap).where(*asked).order_by(Swap.id)):
        swap.move(SwapState.WITHDRAWN if swap.asker_id == account.id else SwapState.DECLINED)
        swap.answered_at = now()


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:
    """The turns are the giver's again. Swaps that the hand-over answered stay answered.

    Raise Refused where a turn began, was planned anew or offered for a swap since, or the giver is on another then.
    """
    one, other = _accounts(giver, taker)
    ids = [each.id for each in passed if each.kind == TURNS]
    query = sa.select(Turn).join(Shift).where(Turn.id.in_(ids), Turn.account_id == other.id, Shift.starts_at > now())
    turns = list(db.session.scalars(query.options(sa.orm.joinedload(Turn.shift)).order_by(Turn.id)))
    offered = sa.select(Swap.id).where(sa.or_(Swap.turn_id.in_(ids), Swap.back_id.in_(ids)), Swap.asked_at >= since)
    moved = len(turns) < len(ids) or db.session.scalar(offered.limit(1)) is not None
    if moved or _fallback_touched(passed, other):
        raise Refused(_("交接的班次已经开始或变动，不能整体收回。请在值班表里改。"))
    if any(
        starts < turn.shift.ends_at and ends > turn.shift.starts_at
        for starts, ends in _spans(one, turns)
        for turn in turns
    ):
        raise Refused(_("%(name)s在这些时间已经另排了班，不能整体收回。请先在值班表里改。", name=one.name))
    _give(passed, other, one)
    audit.record("duty.taken_back", one, by=other.name, count=len(passed))


def _fallback_touched(passed: Collection[Passed], other: Account) -> bool:
    """Whether standing in went on to somebody else, or to another line."""
    marks = {each.id: each.mark for each in passed if each.kind == FALLBACK}
    query = sa.select(Fallback).where(Fallback.id.in_(marks), Fallback.account_id == other.id)
    return {row.id: [row.phone] for row in db.session.scalars(query.order_by(Fallback.id))} != marks
