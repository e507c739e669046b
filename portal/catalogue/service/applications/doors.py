"""What the doors of the catalogue say of applications: to do, load, hand-over, timeline, export, forgetting."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.areas.models import Area, AreaKind
from portal.catalogue.models.applications import (
    ENDED,
    RUNNING,
    Application,
    ApplicationPaper,
    ApplicationState,
    ApplicationStep,
    PaperPicture,
    StepKind,
)
from portal.catalogue.service.applications import looking, words
from portal.catalogue.service.applications.looking import Tab
from portal.core import audit, clock
from portal.core.access import Actor, scopes_of
from portal.core.clock import now, today
from portal.core.db import db
from portal.core.doors import Line, Load, Passed, Todo
from portal.core.errors import Refused
from portal.identity.models import Account
from portal.identity.permissions import Permission
from portal.registry.models import Person

OWNED, DONE = "applications", "application_tasks"
_BULK = {"synchronize_session": False}


def todo_of(worker: Actor) -> list[Todo]:
    """Late ones first, then new ones that nobody has taken, then what this worker has in hand."""
    within = scopes_of(worker, Permission.CATALOGUE_SERVE)
    if not within:
        return []
    day = today()
    mine = sa.or_(Application.owner == worker.public_id, Application.doer == worker.public_id)
    untaken = sa.and_(Application.owner == "", looking.in_tab(Tab.NEW, day))
    late = looking.in_tab(Tab.LATE, day)
    query = (
        sa.select(
            sa.func.count(Application.id).filter(late),
            sa.func.count(Application.id).filter(untaken),
            sa.func.count(Application.id).filter(mine, looking.in_tab(Tab.HAND, day)),
        )
        .join(Application.person)
        .where(looking.inside(within))
    )
    overdue, new, hand = db.session.execute(query).one()
    found = [
        Todo(_("办事申请超过期限"), "catalogue.worker.applications", {"tab": "late"}, overdue, late=True),
        Todo(_("办事申请等人接手"), "catalogue.worker.applications", {"tab": "new"}, new),
        Todo(_("我在办的申请"), "catalogue.worker.applications", {"tab": "hand", "whose": "mine"}, hand),
    ]
    return [todo for todo in found if todo.count]


def _here(area: Area) -> sa.ColumnElement[bool]:
    """A community has what it received, wherever the person lives since; a grid what its people applied for."""
    if area.kind is not AreaKind.GRID:
        return Application.community_id == area.id
    return Application.person_id.in_(sa.select(Person.id).where(Person.grid_id == area.id))


def open_of(workers: Collection[str], area: Area) -> dict[str, Load]:
    """What runs in the name of each first receiver; "" has what nobody has taken."""
    late = looking.in_tab(Tab.LATE, today())
    query = (
        sa.select(Application.owner, sa.func.count(Application.id), sa.func.count(Application.id).filter(late))
        .where(_here(area), Application.owner.in_([*workers, ""]), Application.state.in_(RUNNING))
        .group_by(Application.owner)
        .order_by(Application.owner)
    )
    return {owner: Load(count, overdue) for owner, count, overdue in db.session.execute(query)}


def to_pass(giver: str, taker: str, area: Area) -> list[Passed]:  # noqa: ARG001 a door has its shape
    """The running applications of an area's people for which somebody is responsible, or which she has as a task."""
    running = (_here(area), Application.state.in_(RUNNING))
    owned = _rows(OWNED, *running, Application.owner == giver)
    known = {one.id for one in owned}
    helped = _rows(DONE, *running, Application.doer == giver, Application.owner != giver)
    return owned + [one for one in helped if one.id not in known]


def _rows(kind: str, *where: sa.ColumnElement[bool]) -> list[Passed]:
    handed = ApplicationStep.kind != StepKind.HANDED
    steps = (
        sa.select(sa.func.count(ApplicationStep.id))
        .where(ApplicationStep.application_id == Application.id, handed)
        .scalar_subquery()
    )
    query = sa.select(
        Application.id,
        Application.owner,
        Application.owner_name,
        Application.doer,
        Application.doer_name,
        Application.state,
        steps.label("steps"),
    ).where(*where)
    return [
        Passed(
            kind,
            row.id,
            {"owner": row.owner, "owner_name": row.owner_name, "doer": row.doer, "doer_name": row.doer_name},
            [row.state.value, row.steps],
        )
        for row in db.session.execute(query.order_by(Application.id))
    ]


def hand_over(giver: str, taker: str, area: Area) -> list[Passed]:
    """The responsibility passes, and each application says so; a task that a colleague has stays with the colleague."""
    found, name = to_pass(giver, taker, area), _name(taker)
    for one in found:
        values = dict(one.was)
        if one.kind == OWNED:
            values |= {"owner": taker, "owner_name": name}
        if one.was["doer"] == giver:
            values |= {"doer": taker, "doer_name": name}
        _set(one, values, holder=giver)
    _say(found, taker, _("首接责任交给%(name)s", name=name))
    if found:
        audit.record("applications.handed_over", None, giver=giver, taker=taker, area=area.code, count=len(found))
    return found


def _set(one: Passed, values: dict[str, str], *, holder: str) -> None:
    """By a guarded UPDATE: what changed hands or ended since it was looked at is refused."""
    column = Application.owner if one.kind == OWNED else Application.doer
    where = sa.and_(Application.id == one.id, column == holder, Application.state.in_(RUNNING))
    moved = db.session.execute(sa.update(Application).where(where).values(**values), execution_options=_BULK)
    if getattr(moved, "rowcount", 0) != 1:
        raise Refused(_("其中有的申请刚刚有变动，请刷新页面看清以后再办一次。"))


def _name(account: str) -> str:
    return db.session.scalar(sa.select(Account.name).where(Account.public_id == account)) or ""


def _say(found: Sequence[Passed], by: str, note: str) -> None:
    """A step of each, for its history."""
    name = _name(by)
    for one in found:
        db.session.add(
            ApplicationStep(
                application_id=one.id,
                kind=StepKind.HANDED,
                state=ApplicationState(one.mark[0]),
                at=now(),
                by=by,
                by_name=name,
                note=note,
            )
        )
    db.session.flush()
    db.session.expire_all()


def take_back(giver: str, taker: str, passed: Collection[Passed], since: datetime) -> None:  # noqa: ARG001 a door's shape
    """Everything returns as it was, or nothing where somebody has worked on some of it since."""
    mine = [one for one in passed if one.kind in {OWNED, DONE}]
    ids = [one.id for one in mine]
    held = {
        one.id: one
        for kind, column in ((OWNED, Application.owner), (DONE, Application.doer))
        for one in _rows(kind, Application.id.in_([row.id for row in mine if row.kind == kind]), column == taker)
    }
    if set(ids) != set(held) or any(one.mark != held[one.id].mark for one in mine):
        raise Refused(_("交接的办事申请已经有人接着办了，不能整体收回。请再办一次交接，把没办的转回去。"))
    for one in mine:
        _set(one, {name: str(value) for name, value in one.was.items()}, holder=taker)
    _say(mine, giver, _("首接责任收回，由%(name)s继续负责", name=_name(giver)))
    if mine:
        audit.record("applications.taken_back", None, giver=giver, taker=taker, count=len(mine))


def passed_words(kind: str) -> str:
    return {OWNED: _("首接负责的办事申请"), DONE: _("在办的办事申请")}.get(kind, kind)


def passed_names(ids: Collection[int]) -> list[str]:
    """Whose they are, by the sound of the names."""
    query = sa.select(Person.name).join(Application, Application.person_id == Person.id).where(Application.id.in_(ids))
    return list(db.session.scalars(query.order_by(Person.pinyin, Application.id)))


def timeline(person: Person, *, limit: int = 20) -> list[Line]:
    return [
        Line(
            one.submitted_at or one.placed_at,
            _("办事申请：%(item)s，%(state)s", item=one.item.title, state=words.said(one.state)),
            _("编号 %(code)s", code=one.code),
            "catalogue.worker.application",
            {"public_id": one.public_id},
        )
        for one in looking.applications_of(person, limit=limit)
    ]


def export(person: Person) -> list[dict[str, Any]]:
    """What is held about a person here, for her own copy; of the papers what there is, not the pictures."""
    return [
        {
            _("申请事项"): one.item.title,
            _("编号"): one.code,
            _("状态"): words.said(one.state),
            _("怎么申请的"): words.said(one.channel),
            _("本人同意"): one.consent,
            _("申请内容"): one.said or "",
            _("提交时间"): f"{clock.local(one.submitted_at):%Y-%m-%d %H:%M}" if one.submitted_at else "",
            _("材料"): {paper.name: words.said(paper.state) for paper in one.papers},
            _("结果"): one.result or "",
            _("结果编号"): one.result_number or "",
            _("评价"): words.said(one.score) if one.score else "",
            _("评价的话"): one.score_words or "",
        }
        for one in looking.applications_of(person, limit=1000)
    ]


def purge(before: date) -> int:
    """Forget applications ended before a day with their papers and pictures, and drafts begun before it."""
    moment = clock.day_bounds(before)[0]
    ended = sa.and_(Application.state.in_(ENDED), Application.ended_at < moment)
    draft = sa.and_(Application.state == ApplicationState.DRAFT, Application.placed_at < moment)
    ids = list(
        db.session.scalars(sa.select(Application.id).where(sa.or_(ended, draft)).order_by(Application.id).limit(5000))
    )
    papers = sa.select(ApplicationPaper.id).where(ApplicationPaper.application_id.in_(ids))
    for statement in (
        sa.delete(PaperPicture).where(PaperPicture.paper_id.in_(papers)),
        sa.delete(ApplicationPaper).where(ApplicationPaper.application_id.in_(ids)),
        sa.delete(ApplicationStep).where(ApplicationStep.application_id.in_(ids)),
        sa.delete(Application).where(Application.id.in_(ids)),
    ):
        db.session.execute(statement, execution_options=_BULK)
    if ids:
        audit.record("applications.purged", None, count=len(ids), before=before.isoformat())
    return len(ids)
