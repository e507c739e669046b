"""The five doors of duty. The rota is about accounts of the desk: a resident has no line in it."""

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit, settings
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, local, now
from portal.core.db import db
from portal.core.doors import Line, Todo
from portal.duty.models import Fallback, Shift, Swap, SwapState, Turn
from portal.duty.service import cover, people, rota, swaps
from portal.duty.service.words import shift_words, told
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.models import Person

SOON = timedelta(days=1)
KEPT = "duty.kept_days"
settings.declare(KEPT, default=730, label=lambda: _("值班记录保存"), unit=lambda: _("天"), least=180, most=3650)


def todo_of(worker: Actor) -> list[Todo]:
    """Swaps that wait for an answer, her own next turn, and, for who plans, the hours nobody covers."""
    found = [_asked(swap) for swap in swaps.asked_of(worker)]
    found += [_own(turn) for turn in swaps.turns_of([worker.account_id]) if turn.shift.starts_at <= now() + SOON]
    return [*found, *_to_plan(worker)]


def _asked(swap: Swap) -> Todo:
    words = _("%(name)s想和您换班：%(what)s", name=swap.asker.name, what=told(swap.subject))
    due = swap.turn.shift.starts_at if swap.turn else None
    return Todo(words, "duty.worker.swaps_page", {}, due=due, late=due is not None and due <= now())


def _own(turn: Turn) -> Todo:
    week = rota.monday_of(local(turn.shift.starts_at).date()).isoformat()
    return Todo(
        _("您值班：%(what)s", what=shift_words(turn.shift)),
        "duty.worker.index",
        {"week": week},
        due=turn.shift.starts_at,
    )


def _to_plan(worker: Actor) -> list[Todo]:
    """For who plans: one question each for all of her communities."""
    managed = people.communities(scopes_of(worker, Permission.DUTY_MANAGE))
    if not managed:
        return []
    open_hours, standing = cover.gaps(managed), cover.fallbacks(managed)
    found = []
    for community in managed:
        values = {"community": community.code}
        here = [gap for gap in open_hours if gap.community is community]
        if here:
            words = _("%(community)s：两周内还有没人值班的时段", community=community.name)
            late = here[0].starts <= now() + SOON
            found.append(Todo(words, "duty.worker.index", values, count=len(here), due=here[0].starts, late=late))
        if community.id not in standing:
            words = _("%(community)s：还没有指定兜底值班人", community=community.name)
            found.append(Todo(words, "duty.worker.fallback", values))
    return found


def timeline(person: Person, *, limit: int = 20) -> list[Line]:  # noqa: ARG001 a door has its shape
    return []


def hand_over(giver: str, taker: str, area: Area) -> int:
    """Pass the turns still to come, and standing in, in a grid's community; return how many changed hands.

    A turn the taker may not take (not of that desk, in that shift, or on another then) stays with the giver.
    """
    community = db.session.get_one(Area, area.parent_id or area.id)
    query = sa.select(Account).where(Account.public_id.in_([giver, taker])).order_by(Account.id)
    accounts = {account.public_id: account for account in db.session.scalars(query)}
    one, other = accounts[giver], accounts[taker]
    passed = 0
    for turn in swaps.turns_of([one.id], community):
        if swaps.is_fit(turn, other):
            turn.account_id = other.id
            db.session.flush()
            passed += 1
    standing = sa.select(Fallback).where(Fallback.account_id == one.id, Fallback.community_id == community.id)
    known = {account.id for account in people.desk_of(community)}
    for row in db.session.scalars(standing.order_by(Fallback.id)) if other.id in known else ():
        row.account_id = other.id
        passed += 1
    _void(one, community)
    audit.record("duty.handed_over", one, by=other.name, community=community.code, count=passed)
    db.session.flush()
    return passed


def _void(account: Account, community: Area) -> None:
    """What the giver asked or was asked there is answered: nobody will."""
    part = sa.or_(Swap.asker_id == account.id, Swap.taker_id == account.id)
    asked = (part, Swap.state == SwapState.ASKED, Swap.community_id == community.id)
    for swap in db.session.scalars(sa.select(Swap).where(*asked).order_by(Swap.id)):
        swap.move(SwapState.WITHDRAWN if swap.asker_id == account.id else SwapState.DECLINED)
        swap.answered_at = now()


def export(person: Person) -> list[dict[str, Any]]:  # noqa: ARG001 a door has its shape
    return []


def purge(before: date) -> int:
    """Forget shifts that ended before a day, with their turns and the swaps asked until then."""
    moment = day_bounds(before)[0]
    db.session.execute(sa.delete(Swap).where(Swap.asked_at < moment))
    old = sa.select(Shift).where(Shift.ends_at < moment).options(joinedload(Shift.turns)).order_by(Shift.id)
    gone = list(db.session.scalars(old).unique())
    for shift in gone:
        db.session.delete(shift)
    db.session.flush()
    return len(gone)
