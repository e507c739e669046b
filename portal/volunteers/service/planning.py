"""Plans: asked for, computed in the background, found again, cancelled, forgotten; plan_editing.py edits them."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.areas.models import Area
from portal.core import audit, children, jobs
from portal.core.access import Actor, Scope
from portal.core.clock import now, today
from portal.core.db import apart, db, guarded, insert, transaction
from portal.core.errors import Missing, Refused
from portal.places.models import Capacity
from portal.volunteers.models.activities import Activity, Post, Shift
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.people import Volunteer
from portal.volunteers.models.plans import Plan, PlanGap, PlanLine
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import people, plan_child, plan_problem

JOB = "volunteers.plan"
PAGE, LONGEST = 20, 31
# The activities with open places of so many days are offered.
AHEAD = timedelta(days=60)
RUNS = (PlanState.QUEUED, PlanState.WORKING)
# Nobody beats any more: the process ended under it. A queue that lost it is asked again sooner.
SILENCE, LOST = timedelta(minutes=3), timedelta(minutes=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wishes:
    """What a plan is asked for with. No activities are all; minutes of 0 are no limit of the worker's own."""

    first_day: date
    last_day: date
    activities: list[str] = field(default_factory=list)
    rest_minutes: int = 0
    day_minutes: int = 0
    week_minutes: int = 0
    only_free: bool = True
    seconds: int = 30

    @property
    def options(self) -> dict[str, Any]:
        return {
            "activities": self.activities,
            "rest_minutes": self.rest_minutes,
            "day_minutes": self.day_minutes,
            "week_minutes": self.week_minutes,
            "only_free": self.only_free,
            "seconds": self.seconds,
        }


def plans(within: Collection[Scope], *, before: int = 0) -> list[Plan]:
    """The plans of communities in scope, newest first, one page and one more; `before` is a plan's id."""
    query = sa.select(Plan).where(Plan.community_id.in_(people.community_ids(within)))
    query = query.options(joinedload(Plan.community)).order_by(Plan.id.desc()).limit(PAGE + 1)
    return list(db.session.scalars(query.where(Plan.id < before) if before else query))


def filled(found: Collection[Plan]) -> dict[int, int]:
    """How many places each of some plans fills as it stands after it was edited, by the plan's id."""
    query = sa.select(PlanLine.plan_id, sa.func.count()).where(PlanLine.kept, PlanLine.failed == "")
    query = query.where(PlanLine.plan_id.in_([plan.id for plan in found])).group_by(PlanLine.plan_id)
    return {row[0]: row[1] for row in db.session.execute(query.order_by(PlanLine.plan_id))}


def plan_in(within: Collection[Scope], public_id: str) -> Plan:
    query = sa.select(Plan).where(Plan.public_id == public_id, Plan.community_id.in_(people.community_ids(within)))
    found = db.session.scalar(query.options(joinedload(Plan.community)))
    if found is None:
        raise Missing
    return found


def running(community: Area) -> Plan | None:
    """The plan of a community that is being computed or waits for it."""
    query = sa.select(Plan).where(Plan.community_id == community.id, Plan.state.in_(RUNS))
    return db.session.scalar(query.order_by(Plan.id).limit(1))


def activities(community: Area, first: date, last: date) -> list[tuple[str, str, int]]:
    """The activities with open places in some days: public id, title, places."""
    places = sa.func.sum(Capacity.total - Capacity.taken)
    query = (
        plan_problem.open_posts(community.id, *plan_problem.day_span(first, last))
        .join(Post.capacity)
        .with_only_columns(Activity.public_id, Activity.title, places)
        .group_by(Activity.id, Activity.public_id, Activity.title)
        .having(places > 0)
        .order_by(Activity.title, Activity.id)
    )
    return [(key, title, int(count)) for key, title, count in db.session.execute(query)]


def start(community: Area, wishes: Wishes, *, by: Actor) -> Plan:
    """Queue a plan for a community. One at a time: two would propose the same people."""
    _refuse_days(wishes)
    # Of two who start at once the second waits here for the first.
    db.session.scalar(sa.select(Area.id).where(Area.id == community.id).with_for_update())
    if running(community) is not None:
        raise Refused(_("本社区有一份排班方案正在计算。请等它算完，或先取消它。"))
    open_places = sum(
        count
        for key, _title, count in activities(community, wishes.first_day, wishes.last_day)
        if not wishes.activities or key in wishes.activities
    )
    if not open_places:
        raise Refused(_("这些天里没有缺人的岗位，不用计算。可以换一段日期，或先去添加班次。"), field="first_day")
    plan = Plan(
        community_id=community.id,
        first_day=wishes.first_day,
        last_day=wishes.last_day,
        options=wishes.options,
        figures={"places": open_places},
        made_by=by.public_id,
        made_by_name=by.name,
    )
    db.session.add(plan)
    db.session.flush()
    audit.record(
        "volunteers.plan_started", plan, days=(wishes.last_day - wishes.first_day).days + 1, places=open_places
    )
    jobs.enqueue(JOB, plan_id=plan.id)
    return plan


def _refuse_days(wishes: Wishes) -> None:
    if wishes.first_day < today():
        raise Refused(_("开始日期已经过去，请从今天或以后开始。"), field="first_day")
    if wishes.last_day < wishes.first_day:
        raise Refused(_("结束日期不能早于开始日期。"), field="last_day")
    if (wishes.last_day - wishes.first_day).days >= LONGEST:
        raise Refused(_("一次最多排 %(days)d 天，请缩短日期。", days=LONGEST), field="last_day")


def move(plan: Plan, state: PlanState, source: Collection[PlanState], refusal: str = "", **values: Any) -> None:
    """The one mover, by a guarded UPDATE: of two who move a plan, one does."""
    where = sa.and_(Plan.id == plan.id, Plan.state.in_(source))
    if not guarded(sa.update(Plan).where(where).values(state=state, **values)):
        raise Refused(refusal or _("这份方案的状态刚刚变了，请刷新看看。"))
    db.session.refresh(plan)


def cancel(plan: Plan) -> None:
    """What is being computed is wanted no more; who computes it hears of it within a second or two."""
    move(plan, PlanState.CANCELLED, RUNS, _("这份方案已经算完，不用取消。不想要的话不应用就可以。"), ended_at=now())
    audit.record("volunteers.plan_cancelled", plan)


def compute(plan_id: int) -> None:
    """The job: read the problem, have it solved, keep the answer. What goes wrong stands with the plan, in words."""
    with transaction():
        begun = _begin(plan_id)
    if not begun:
        return
    words = _("计算没有成功，请再试一次；仍不行的话请缩短日期，或少选几项活动。")
    try:
        gathered = _gathered(plan_id)
        found = plan_child.solve(gathered.problem, lambda said: _goes_on(plan_id, said))
        with transaction():
            _keep(plan_id, gathered, found)
        words = ""
    except children.Stopped:
        words = ""
    except children.Broken:
        log.warning("plan %d: the solver broke", plan_id)
    finally:
        if words:
            with transaction():
                _fail(plan_id, words)


def _gathered(plan_id: int) -> plan_problem.Gathered:
    """Read, and hold no transaction while it is solved."""
    gathered = plan_problem.gather(db.session.get_one(Plan, plan_id))
    db.session.rollback()
    return gathered


def _begin(plan_id: int) -> bool:
    where = sa.and_(Plan.id == plan_id, Plan.state == PlanState.QUEUED)
    moment = now()
    return guarded(sa.update(Plan).where(where).values(state=PlanState.WORKING, began_at=moment, beat_at=moment))


def _goes_on(plan_id: int, said: dict[str, Any]) -> bool:
    where = sa.and_(Plan.id == plan_id, Plan.state == PlanState.WORKING)
    with transaction():
        figures = db.session.scalar(sa.select(Plan.figures).where(Plan.id == plan_id)) or {}
        told = {**figures, "step": said.get("step", "")}
        return guarded(sa.update(Plan).where(where).values(beat_at=now(), figures=told))


def _keep(plan_id: int, gathered: plan_problem.Gathered, found: dict[str, Any]) -> None:
    plan = db.session.get_one(Plan, plan_id)
    before = {str(one): minutes for one, minutes in gathered.before.items()}
    figures = {**found["figures"], "before": before, "volunteers": len(before)}
    try:
        move(plan, PlanState.READY, (PlanState.WORKING,), ended_at=now(), figures=figures)
    except Refused:
        # Cancelled at the last moment.
        return
    lines = [_line(plan_id, line) for line in found["lines"]]
    gaps = [
        {"plan_id": plan_id, "post_id": gap["post"], "missing": gap["missing"], "why": gap["why"]}
        for gap in found["gaps"]
    ]
    if lines:
        insert(PlanLine, *lines)
    if gaps:
        insert(PlanGap, *gaps)
    audit.record("volunteers.plan_computed", plan, filled=len(lines), gaps=len(gaps))


def _line(plan_id: int, line: dict[str, Any]) -> dict[str, Any]:
    facts = {"by_hand": False, "kept": True, "failed": ""}
    return {"plan_id": plan_id, "post_id": line["post"], "volunteer_id": line["person"], "why": line["why"], **facts}


def _fail(plan_id: int, words: str) -> None:
    plan = db.session.get_one(Plan, plan_id)
    if plan.state in RUNS:
        move(plan, PlanState.FAILED, RUNS, ended_at=now(), words=words)
        audit.record("volunteers.plan_failed", plan)


def unfinished(moment: datetime | None = None) -> tuple[list[int], list[int]]:
    """Plans that the queue lost, and plans whose process ended under them; ordered by id."""
    at = moment or now()
    lost = sa.select(Plan.id).where(Plan.state == PlanState.QUEUED, Plan.made_at < at - LOST)
    silent = sa.select(Plan.id).where(Plan.state == PlanState.WORKING, Plan.beat_at < at - SILENCE)
    with apart() as session:
        return list(session.scalars(lost.order_by(Plan.id))), list(session.scalars(silent.order_by(Plan.id)))


def resume() -> None:
    """Take up what was lost; what fell silent has failed."""
    lost, silent = unfinished()
    for plan_id in silent:
        with transaction():
            _fail(plan_id, _("计算中断了，没有算完。请再试一次。"))
    for plan_id in lost:
        compute(plan_id)


def purge(before: datetime) -> int:
    """Forget lines and gaps of old plans, and plans that no signup names."""
    old = sa.select(Plan.id).where(Plan.made_at < before, Plan.state.not_in(RUNS)).scalar_subquery()
    for table in (PlanLine, PlanGap):
        db.session.execute(sa.delete(table).where(table.plan_id.in_(old)))
    named = sa.select(Signup.plan_id).where(Signup.plan_id.is_not(None))
    gone = sa.delete(Plan).where(Plan.made_at < before, Plan.state.not_in(RUNS), Plan.id.not_in(named))
    return int(getattr(db.session.execute(gone), "rowcount", 0))


def lines_of(plan: Plan) -> list[PlanLine]:
    """All lines of a plan, by shift and post."""
    query = sa.select(PlanLine).where(PlanLine.plan_id == plan.id).join(PlanLine.post).join(Post.shift)
    query = query.options(*_whole(PlanLine), joinedload(PlanLine.volunteer).joinedload(Volunteer.person))
    return list(db.session.scalars(query.order_by(Shift.starts_at, Shift.id, Post.id, PlanLine.id)))


def gaps_of(plan: Plan) -> list[PlanGap]:
    query = sa.select(PlanGap).where(PlanGap.plan_id == plan.id).join(PlanGap.post).join(Post.shift)
    query = query.options(*_whole(PlanGap)).order_by(Shift.starts_at, Shift.id, Post.id, PlanGap.id)
    return list(db.session.scalars(query))


def _whole(row: type[PlanLine] | type[PlanGap]) -> tuple[Any, ...]:
    post = joinedload(row.post)
    return (
        post.joinedload(Post.shift).joinedload(Shift.activity),
        joinedload(row.post).joinedload(Post.position),
        joinedload(row.post).joinedload(Post.capacity),
    )
