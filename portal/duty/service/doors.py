"""The doors of duty. The rota is about accounts of the desk: a resident has no line in it."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area, AreaKind
from portal.core import settings
from portal.core.access import Actor, scopes_of
from portal.core.clock import day_bounds, local, now
from portal.core.db import db
from portal.core.doors import Line, Load, Todo
from portal.duty.models import Shift, Swap, SwapState, Turn
from portal.duty.service import cover, passing, people, rota, swaps
from portal.duty.service.words import shift_words, told
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.models import Person

SOON = timedelta(days=1)
FEW = 3
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
    """For who plans: one line each for all of her communities, the first to act on behind it."""
    managed = people.communities(scopes_of(worker, Permission.DUTY_MANAGE))
    if not managed:
        return []
    open_hours, standing = cover.gaps(managed), cover.fallbacks(managed)
    bare = [community for community in managed if community.id not in standing]
    found = []
    if open_hours:
        first = open_hours[0]
        where = list(dict.fromkeys(gap.community for gap in open_hours))
        words = _("%(community)s：两周内还有没人值班的时段", community=_names(where))
        values, late = {"community": first.community.code}, first.starts <= now() + SOON
        found.append(Todo(words, "duty.worker.index", values, count=len(open_hours), due=first.starts, late=late))
    if bare:
        words = _("%(community)s：还没有指定兜底值班人", community=_names(bare))
        found.append(Todo(words, "duty.worker.fallback", {"community": bare[0].code}))
    return found


def _names(communities: Sequence[Area]) -> str:
    """A few by name: a street's line says how many more there are."""
    named = _("、").join(community.name for community in communities[:FEW])
    more = len(communities) - FEW
    return named if more <= 0 else _("%(names)s等 %(count)d 个社区", names=named, count=len(communities))


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    """Swaps in the area's community that wait for an answer of theirs."""
    community = area.parent_id if area.kind is AreaKind.GRID else area.id
    query = (
        sa.select(Account.public_id, sa.func.count(Swap.id))
        .join(Swap, Swap.taker_id == Account.id)
        .join(Turn, Turn.id == Swap.turn_id)
        .join(Shift, Shift.id == Turn.shift_id)
        .where(Account.public_id.in_(workers), Swap.community_id == community)
        .where(Swap.state == SwapState.ASKED, Shift.starts_at > now())
        .group_by(Account.public_id)
        .order_by(Account.public_id)
    )
    return {public_id: Load(count) for public_id, count in db.session.execute(query)}


def timeline(person: Person, *, limit: int = 20) -> list[Line]:  # noqa: ARG001 a door has its shape
    return []


to_pass, hand_over, take_back = passing.to_pass, passing.hand_over, passing.take_back
passed_words, passed_names = passing.passed_words, passing.passed_names


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
