"""网格交接: what one worker of a grid has promised and not yet done passes to another in one signed step."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload, undefer

from portal.areas import service as areas
from portal.areas.models import Area
from portal.core import audit, outbox
from portal.core.access import Actor, Scope
from portal.core.clock import now
from portal.core.db import db, guarded
from portal.core.doors import Load, Passed, Todo
from portal.core.errors import Missing, Refused
from portal.core.outbox import Recipient
from portal.home.models import HandOver
from portal.home.service.capabilities import SIDES
from portal.identity import staff
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.service import figures
from portal.visits.service import workers as visits

SHOWN = 100
NAMED = 50


@dataclass(frozen=True)
class Signing:
    """What the one who decides writes: from whom, to whom, why, and what the taker should know.

    `shown` is the key of the things that the page said would pass; none where nobody was shown anything.
    """

    giver: str
    taker: str
    reason: str
    note: str = ""
    shown: str | None = None


@dataclass(frozen=True)
class Preview:
    """What would pass from one to the other: people of the grid, and how many of each kind, as in HandOver.counts.

    `names` are those of the first of each kind, `key` the things and the numbers that the page shows.
    """

    people: int
    counts: dict[str, int]
    key: str
    names: dict[str, list[str]] = field(default_factory=dict)


def grids(within: Collection[Scope]) -> list[Area]:
    """The grids of the communities in scope, by code."""
    return areas.grids_of(areas.whole_communities(within))


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


def preview(grid: Area, giver: str, taker: str) -> Preview | None:
    """What would pass, before anybody signs; none before the two are chosen."""
    two = {account.public_id for account in (*givers(grid), *takers(grid))}
    if giver == taker or not {giver, taker} <= two:
        return None
    return _preview(grid, giver, taker, named=True)


def _preview(grid: Area, giver: str, taker: str, *, named: bool = False) -> Preview:
    passing = {name: doors.to_pass(giver, taker, grid) for name, doors in SIDES.items()}
    things = sorted((name, one.kind, one.id) for name, found in passing.items() for one in found)
    key = hashlib.sha256(json.dumps([giver, taker, things]).encode()).hexdigest()
    counts = _counted(passing)
    key += "".join(f",{kind}={count}" for kind, count in counts.items())
    return Preview(figures.count_people(grid), counts, key, _names(passing) if named else {})


def _names(passing: dict[str, list[Passed]]) -> dict[str, list[str]]:
    """Whom or what the first of each kind are about, by "capability.kind"."""
    ids: dict[tuple[str, str], list[int]] = defaultdict(list)
    for name, found in passing.items():
        for one in found:
            ids[name, one.kind].append(one.id)
    return {f"{name}.{kind}": SIDES[name].passed_names(kind, some[:NAMED]) for (name, kind), some in ids.items()}


def _stale(shown: str, counts: dict[str, int]) -> str:
    """Which numbers are others than those the page showed, as its key keeps them."""
    kept = dict(part.partition("=")[::2] for part in shown.split(",")[1:])
    if not shown:
        return _("请先看清下面要转交的内容，再勾选确认。")
    changed = [
        _("%(what)s从 %(was)s 变成 %(now)s", what=passed_words(key)[1], was=kept.get(key, "0"), now=counts.get(key, 0))
        for key in sorted({*kept, *counts})
        if kept.get(key, "0") != str(counts.get(key, 0))
    ]
    what = _("、").join(changed) or _("件数没变，其中有的换了")
    return _("要转交的内容刚刚变了：%(what)s。请看清下面的内容，再勾选确认。", what=what)


def _counted(passed: dict[str, list[Passed]]) -> dict[str, int]:
    """How many of each kind, by "capability.kind"."""
    return dict(Counter(f"{name}.{one.kind}" for name, found in passed.items() for one in found))


def hand_over(grid: Area, said: Signing, *, by: Actor) -> HandOver:
    """Pass everything on, or nothing. Raise Refused where the two do not work on this grid or are one person."""
    _hold(grid)
    giving, taking = _two(grid, said)
    if said.shown is not None:
        fresh = _preview(grid, giving.public_id, taking.public_id)
        if said.shown != fresh.key:
            raise Refused(_stale(said.shown, fresh.counts), field="signed")
    # A refusal leaves nothing of it behind: the page shows anew what would pass.
    with db.session.begin_nested():
        passed = {name: doors.hand_over(giving.public_id, taking.public_id, grid) for name, doors in SIDES.items()}
    counts = _counted(passed)
    signed = HandOver(
        area_id=grid.id,
        giver=giving.public_id,
        giver_name=giving.name,
        taker=taking.public_id,
        taker_name=taking.name,
        reason=said.reason,
        note=said.note or None,
        counts=counts,
        passed={name: [asdict(one) for one in found] for name, found in passed.items()},
        people=figures.count_people(grid),
        at=now(),
        by=by.public_id,
        by_name=by.name,
    )
    db.session.add(signed)
    db.session.flush()
    audit.record("home.handed_over", signed, reason=said.reason, grid=grid.code, counts=counts)
    _tell("home.handed_over", [signed.taker], by, signed, grid)
    _tell("home.work_given", [signed.giver], by, signed, grid)
    return signed


def _hold(grid: Area) -> None:
    """Let nobody hand over meanwhile what is the grid's, or its community's: what two see must not pass twice.

    People may be registered there all the while: their keys point at the area, and that needs a weaker lock.
    """
    both = sa.select(Area.id).where(Area.id.in_([grid.id, grid.parent_id or grid.id]))
    db.session.execute(both.order_by(Area.id).with_for_update(key_share=True))


def _two(grid: Area, said: Signing) -> tuple[Account, Account]:
    giving = next((account for account in givers(grid) if account.public_id == said.giver), None)
    taking = next((account for account in takers(grid) if account.public_id == said.taker), None)
    if giving is None:
        raise Refused(_("请选择在这个网格工作的人。"), field="giver")
    if taking is None or taking.id == giving.id:
        raise Refused(_("请选择另一个人接手。没有可选的人，请安全管理员先给接手的人开通这个网格。"), field="taker")
    return giving, taking


def _tell(topic: str, whom: Collection[str], by: Actor, signed: HandOver, grid: Area) -> None:
    """Who has not signed herself hears of it."""
    facts = {"grid": grid.name, "giver": signed.giver_name, "taker": signed.taker_name, "by": by.name}
    for public_id in whom:
        if public_id != by.public_id:
            to = Recipient("account", public_id)
            counted = {"count": sum(signed.counts.values()), "kinds": signed.counts, "people": signed.people}
            outbox.enqueue(topic, to=to, **counted, **facts)


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
    standing = (HandOver.received_at.is_(None), HandOver.taken_back_at.is_(None))
    if guarded(sa.update(HandOver).where(HandOver.id == signed.id, *standing).values(received_at=now())):
        db.session.refresh(signed)
        audit.record("home.hand_over_received", signed)
        return
    db.session.refresh(signed, ["taken_back_at"])
    if signed.taken_back_at:
        raise Refused(_("这次交接已经收回，不用签收。"))


def signed_in(within: Collection[Scope], public_id: str) -> HandOver:
    """A hand-over of a grid in scope: for who decides, not for who gave or took."""
    inside = [grid.id for grid in grids(within)]
    query = sa.select(HandOver).where(HandOver.public_id == public_id, HandOver.area_id.in_(inside))
    found = db.session.scalar(query.options(joinedload(HandOver.area), undefer(HandOver.passed)))
    if found is None:
        raise Missing
    return found


def may_take_back(within: Collection[Scope], signed: HandOver) -> bool:
    """Whether the page offers it: who decides for the grid, and it stands."""
    return signed.taken_back_at is None and signed.area_id in {grid.id for grid in grids(within)}


def take_back(signed: HandOver, why: str, *, by: Actor) -> None:
    """Give everything back, or nothing: raise Refused where some of it was touched since, or it is back already."""
    if signed.passed is None:
        raise Refused(_("这次交接没有留下明细，不能整体收回。请再办一次交接，把工作转回去。"))
    _hold(signed.area)
    if signed.giver not in {account.public_id for account in takers(signed.area)}:
        raise Refused(
            _("%(name)s已经不在这个网格工作，不能整体收回。请再办一次交接，转给别人。", name=signed.giver_name)
        )
    claim = sa.update(HandOver).where(HandOver.id == signed.id, HandOver.taken_back_at.is_(None))
    if not guarded(claim.values(taken_back_at=now(), taken_back_by=by.name, taken_back_why=why)):
        raise Refused(_("这次交接已经收回了。"))
    for name, doors in SIDES.items():
        passed = [Passed(**one) for one in signed.passed.get(name, [])]
        if passed:
            doors.take_back(signed.giver, signed.taker, passed, signed.at)
    db.session.refresh(signed)
    audit.record("home.hand_over_taken_back", signed, reason=why, grid=signed.area.code, counts=signed.counts)
    _tell("home.hand_over_taken_back", [signed.giver, signed.taker], by, signed, signed.area)


def todo_of(worker: Actor) -> list[Todo]:
    """Hand-overs that the worker has taken and not signed yet."""
    query = (
        sa.select(HandOver)
        .where(HandOver.taker == worker.public_id, HandOver.received_at.is_(None), HandOver.taken_back_at.is_(None))
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


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    """How many hand-overs of an area wait for the signature of each of some workers."""
    unsigned = (HandOver.received_at.is_(None), HandOver.taken_back_at.is_(None), HandOver.area_id == area.id)
    query = sa.select(HandOver.taker, sa.func.count(HandOver.id)).where(*unsigned, HandOver.taker.in_(workers))
    counted = db.session.execute(query.group_by(HandOver.taker).order_by(HandOver.taker))
    return {taker: Load(count) for taker, count in counted}


def passed_words(key: str) -> tuple[str, str]:
    """A capability and a kind in words, from "visits.people"; a hand-over of long ago has no kinds."""
    name, _dot, kind = key.partition(".")
    known = {"registry": _("名单"), "visits": _("探访和转介"), "duty": _("值班"), "meals": _("助餐")}
    known |= {"catalogue": _("社区服务"), "casework": _("诉求")}
    return known.get(name, name), SIDES[name].passed_words(kind) if kind and name in SIDES else ""


def kinds_words(counts: dict[str, int]) -> str:
    """Each kind with its number: 约好的探访 3、以后的班次 2."""
    return _("、").join(f"{passed_words(key)[1] or passed_words(key)[0]} {count}" for key, count in counts.items())
