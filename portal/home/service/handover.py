"""网格交接: what one worker of a grid has promised and not yet done passes to another in one signed step."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.doors import Todo
from portal.core.errors import Missing, Refused
from portal.home.models import HandOver
from portal.home.service.capabilities import CAPABILITIES
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.service import doors as registry
from portal.registry.service import figures
from portal.visits.service import workers as visits

SHOWN = 100


@dataclass(frozen=True)
class Signing:
    """What the one who decides writes: from whom, to whom, why, and what the taker should know."""

    giver: str
    taker: str
    reason: str
    note: str = ""


def grids(within: Collection[Scope]) -> list[Area]:
    """The grids of the communities in scope, by code."""
    return [grid for community in areas.whole_communities(within) for grid in areas.grids(community)]


def grid_in(within: Collection[Scope], code: str) -> Area:
    grid = next((grid for grid in grids(within) if grid.code == code), None)
    if grid is None:
        raise Missing
    return grid


def givers(grid: Area) -> list[Account]:
    """Who works or worked on the grid itself, or still has open work there: who left, with an account stopped, too."""
    return staff.ever_on(Permission.DESK, [grid.code], visits.owners_in(grid))


def takers(grid: Area) -> list[Account]:
    """Who may take its work: whoever reaches the grid already, by itself or by its community."""
    return staff.workers_on(Permission.VISITS_DO, [grid.code, *([grid.parent.code] if grid.parent else [])])


def hand_over(grid: Area, said: Signing, *, by: Actor) -> HandOver:
    """Pass everything on, or nothing. Raise Refused where the two do not work on this grid or are one person."""
    giving = next((account for account in givers(grid) if account.public_id == said.giver), None)
    taking = next((account for account in takers(grid) if account.public_id == said.taker), None)
    if giving is None:
        raise Refused(_("请选择在这个网格工作的人。"), field="giver")
    if taking is None or taking.id == giving.id:
        raise Refused(_("请选择另一个人接手。没有可选的人，请安全管理员先给接手的人开通这个网格。"), field="taker")
    counts = {one.name: one.doors.hand_over(giving.public_id, taking.public_id, grid) for one in CAPABILITIES}
    counts["registry"] = registry.hand_over(giving.public_id, taking.public_id, grid)
    signed = HandOver(
        area_id=grid.id,
        giver=giving.public_id,
        giver_name=giving.name,
        taker=taking.public_id,
        taker_name=taking.name,
        reason=said.reason,
        note=said.note or None,
        counts={name: count for name, count in counts.items() if count},
        people=figures.count_people(grid),
        at=now(),
        by=by.public_id,
        by_name=by.name,
    )
    db.session.add(signed)
    db.session.flush()
    audit.record("home.handed_over", signed, reason=said.reason, grid=grid.code, counts=counts)
    return signed


def hand_overs(within: Collection[Scope], worker: Actor) -> list[HandOver]:
    """Hand-overs in scope, and those the worker gave or took; newest first."""
    inside = [grid.id for grid in grids(within)]
    query = (
        sa.select(HandOver)
        .where(_mine(worker, inside))
        .options(joinedload(HandOver.area))
        .order_by(HandOver.id.desc())
        .limit(SHOWN)
    )
    return list(db.session.scalars(query))


def hand_over_in(within: Collection[Scope], worker: Actor, public_id: str) -> HandOver:
    inside = [grid.id for grid in grids(within)]
    query = sa.select(HandOver).where(HandOver.public_id == public_id, _mine(worker, inside))
    found = db.session.scalar(query.options(joinedload(HandOver.area)))
    if found is None:
        raise Missing
    return found


def _mine(worker: Actor, inside: Collection[int]) -> sa.ColumnElement[bool]:
    who = worker.public_id
    return sa.or_(HandOver.area_id.in_(inside), HandOver.giver == who, HandOver.taker == who)


def receive(signed: HandOver, *, by: Actor) -> None:
    """The taker signs, once."""
    if by.public_id != signed.taker:
        raise Missing
    take = sa.update(HandOver).where(HandOver.id == signed.id, HandOver.received_at.is_(None))
    if guarded(take.values(received_at=now())):
        db.session.refresh(signed)
        audit.record("home.hand_over_received", signed)


def todo_of(worker: Actor) -> list[Todo]:
    """Hand-overs that the worker has taken and not signed yet."""
    query = (
        sa.select(HandOver)
        .where(HandOver.taker == worker.public_id, HandOver.received_at.is_(None))
        .order_by(HandOver.id)
        .limit(SHOWN)
    )
    return [
        Todo(
            _("请签收%(name)s交给您的工作", name=one.giver_name),
            "home.worker.hand_over",
            {"public_id": one.public_id},
        )
        for one in db.session.scalars(query)
    ]


def capability_words(name: str) -> str:
    return {"registry": _("名单"), "visits": _("探访和转介"), "duty": _("值班"), "meals": _("助餐")}.get(name, name)
