"""A computed plan: checked as things stand, lines struck and added, applied in one step and taken back in one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.core import audit
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db
from portal.core.errors import Missing, Refused
from portal.volunteers.models.activities import Post
from portal.volunteers.models.codes import HOLDS, PlanState, SignupState, Way
from portal.volunteers.models.plans import Plan, PlanLine
from portal.volunteers.models.signups import Signup
from portal.volunteers.service import joining, pairs, plan_problem, plan_words, planning
from portal.volunteers.solving.placing import Placing
from portal.volunteers.solving.problem import Rule

# What a worker may decide otherwise, knowing it; all else a line must keep.
SOFT = frozenset({Rule.FREE, Rule.WEEK, Rule.PAIR})
Aside = Mapping[tuple[int, int], str]
TAKEN_BACK = (SignupState.REQUESTED, SignupState.JOINED)


@dataclass(frozen=True)
class Standing:
    """Codes of what stands in a line's way now, and of what speaks against it."""

    bars: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.bars


@dataclass(frozen=True)
class Choice:
    """Somebody who could be put on a post by hand, and her minutes with the plan."""

    volunteer_id: int
    name: str
    minutes: int
    standing: Standing


class NoLongerHolds(Refused):
    """Some lines hold no more; `lines` are to be agreed to as left out."""

    def __init__(self, lines: Sequence[PlanLine]) -> None:
        super().__init__(_("有 %(count)d 条安排现在不成立了。请核对下面的名单，同意略过后再应用。", count=len(lines)))
        self.lines = list(lines)


def check(plan: Plan, lines: Sequence[PlanLine]) -> dict[int, Standing]:
    """How each kept line stands now, by its id: against what is in the database, and against the others."""
    kept = [line for line in lines if line.kept]
    if not kept:
        return {}
    gathered = plan_problem.gather_for(plan, [(line.volunteer_id, line.post_id) for line in kept])
    return _standings(kept, gathered)


def _standings(kept: Sequence[PlanLine], gathered: plan_problem.Gathered) -> dict[int, Standing]:
    placing = Placing(gathered.problem)
    known = gathered.problem.person
    # The experienced first: who is new may stand beside them.
    order = sorted(kept, key=lambda line: (line.volunteer_id in known and known[line.volunteer_id].newcomer, line.id))
    found = {}
    for line in order:
        standing = _standing(placing, line.volunteer_id, line.post_id, gathered.aside)
        found[line.id] = standing
        if standing.holds:
            placing.put(line.volunteer_id, line.post_id)
    for line in order:
        if found[line.id].holds and placing.alone(line.volunteer_id, placing.problem.post[line.post_id].shift):
            found[line.id].doubts.append(Rule.PAIR.value)
    return found


def _standing(placing: Placing, volunteer_id: int, post_id: int, aside: Aside) -> Standing:
    """What keeps somebody from a post with the lines placed so far; who comes together is asked at the end."""
    person, post = placing.problem.person.get(volunteer_id), placing.problem.post.get(post_id)
    if person is None or post is None:
        return Standing([Rule.CLOSED.value])
    rules = placing.obstacles(person, post) - {Rule.PAIR}
    bars = sorted(rule.value for rule in rules - SOFT)
    if post.starts <= plan_problem.minute(now()):
        bars.append("begun")
    if placing.left[post_id] < 1:
        bars.append("full")
    doubts = [aside[volunteer_id, post_id]] if (volunteer_id, post_id) in aside else []
    return Standing(bars, [*sorted(rule.value for rule in rules & SOFT), *doubts])


def line_of(plan: Plan, line_id: int) -> PlanLine:
    query = sa.select(PlanLine).where(PlanLine.plan_id == plan.id, PlanLine.id == line_id)
    found = db.session.scalar(query.options(joinedload(PlanLine.volunteer)))
    if found is None:
        raise Missing
    return found


def post_of(plan: Plan, post_id: int) -> Post:
    """A post of the plan's days and community that people may still be put on."""
    query = plan_problem.open_posts(plan.community_id, *plan_problem.bounds(plan)).where(Post.id == post_id)
    found = db.session.scalar(query.options(joinedload(Post.shift), joinedload(Post.position)))
    if found is None:
        raise Missing
    return found


def _refuse_closed(plan: Plan) -> None:
    if plan.state is not PlanState.READY:
        raise Refused(_("这份方案已经不能改了。要改人员，请到排班表里改。"))


def strike(plan: Plan, line: PlanLine) -> None:
    """Leave a line out of the plan; it can be put back."""
    _refuse_closed(plan)
    line.kept = False
    audit.record("volunteers.plan_line_struck", plan, post=line.post_id, volunteer=line.volunteer.public_id)


def restore(plan: Plan, line: PlanLine) -> None:
    """Put a struck line back where it still can be."""
    _refuse_closed(plan)
    _refuse_unfit(plan, line.volunteer_id, line.post_id)
    line.kept = True
    audit.record("volunteers.plan_line_restored", plan, post=line.post_id, volunteer=line.volunteer.public_id)


def choices(plan: Plan, post: Post, *, without: PlanLine | None = None) -> list[Choice]:
    """The community's volunteers for a post as the plan stands, who fits and has the fewest hours first."""
    kept = [line for line in planning.lines_of(plan) if line.kept and line is not without]
    pairs = [(line.volunteer_id, line.post_id) for line in kept]
    gathered = plan_problem.gather_for(plan, [*pairs, *((one, post.id) for one in plan_problem.helpers(plan))])
    placing = _placed(kept, gathered)
    on = {line.volunteer_id for line in [*kept, *([without] if without else [])] if line.post_id == post.id}
    found = [
        Choice(
            one.id,
            one.person.name,
            placing.load(placing.problem.person[one.id]),
            _standing(placing, one.id, post.id, gathered.aside),
        )
        for one in gathered.volunteers.values()
        if one.id not in on
    ]
    order = {choice.volunteer_id: len(choice.standing.doubts) for choice in found}
    return sorted(
        found, key=lambda one: (len(one.standing.bars), order[one.volunteer_id], one.minutes, one.volunteer_id)
    )


def _placed(kept: Collection[PlanLine], gathered: plan_problem.Gathered) -> Placing:
    placing = Placing(gathered.problem)
    for line in kept:
        if line.volunteer_id in gathered.volunteers and line.post_id in gathered.posts:
            placing.put(line.volunteer_id, line.post_id)
    return placing


def _refuse_unfit(plan: Plan, volunteer_id: int, post_id: int, *, without: PlanLine | None = None) -> Standing:
    kept = [line for line in planning.lines_of(plan) if line.kept and line is not without]
    pairs = [(line.volunteer_id, line.post_id) for line in kept]
    gathered = plan_problem.gather_for(plan, [*pairs, (volunteer_id, post_id)])
    standing = _standing(_placed(kept, gathered), volunteer_id, post_id, gathered.aside)
    if not standing.holds:
        words = _("；").join(plan_words.stands_against(code) for code in standing.bars)
        raise Refused(_("不能这样安排：%(words)s。请换一个人。", words=words), field="volunteer")
    return standing


def add(plan: Plan, post: Post, volunteer_id: int, *, replacing: PlanLine | None = None) -> PlanLine:
    """Put somebody on a post by hand, perhaps in somebody's stead; checked against everything else of the plan."""
    _refuse_closed(plan)
    if volunteer_id not in plan_problem.helpers(plan):
        raise Missing
    standing = _refuse_unfit(plan, volunteer_id, post.id, without=replacing)
    if replacing is not None:
        strike(plan, replacing)
    where = PlanLine.plan_id == plan.id, PlanLine.post_id == post.id, PlanLine.volunteer_id == volunteer_id
    line = db.session.scalar(sa.select(PlanLine).where(*where))
    if line is None:
        line = PlanLine(plan_id=plan.id, post_id=post.id, volunteer_id=volunteer_id, by_hand=True, why=[])
        db.session.add(line)
    line.kept = True
    db.session.flush()
    audit.record("volunteers.plan_line_added", plan, post=post.id, line=line.id, doubts=standing.doubts)
    return line


def apply(plan: Plan, *, agreed: Collection[int], by: Actor) -> int:
    """Put everybody of the plan on her post, all or, with Refused, nobody; how many.

    Lines that hold no more are left out, but only those that were shown and agreed to (their ids).
    """
    if plan.state is PlanState.APPLIED:
        return 0
    lines = planning.lines_of(plan)
    standing = check(plan, lines)
    bad = [line for line in lines if line.kept and not standing[line.id].holds]
    if not {line.id for line in bad} <= set(agreed):
        raise NoLongerHolds(bad)
    good = [line for line in lines if line.kept and standing[line.id].holds]
    if not good:
        raise Refused(_("方案里没有可以安排的人。请先添加人员，或重新计算。"))
    facts = {"applied_at": now(), "applied_by_name": by.name}
    planning.move(plan, PlanState.APPLIED, (PlanState.READY,), _("这份方案已经应用或取消了，请刷新看看。"), **facts)
    for line in bad:
        line.failed = _("；").join(plan_words.stands_against(code) for code in standing[line.id].bars)[:200]
    _put_all(plan, good, by)
    audit.record("volunteers.plan_applied", plan, placed=len(good), left_out=len(bad))
    return len(good)


def _put_all(plan: Plan, lines: Sequence[PlanLine], by: Actor) -> None:
    """Everybody is held before any place is taken, and places are taken in one order: nobody waits in a circle."""
    shifts = {line.post.shift_id: line.post.shift for line in lines}
    volunteers = [line.volunteer for line in lines]
    for _number, shift in sorted(shifts.items()):
        joining.hold(volunteers, shift)
    order = sorted(lines, key=lambda line: (line.post.capacity_id, line.id))
    made = []
    for line in order:
        try:
            made.append(joining.put_on(line.post, line.volunteer, way=Way.PLAN, by=by, plan=plan))
        except Refused as refused:
            words = _("刚刚有了变化，什么也没有安排：%(words)s。请再看一遍方案。", words=refused.message)
            raise Refused(words) from None
    pairs.tell_alone(made)


def standing_signups(plan: Plan) -> list[Signup]:
    """What a plan put on that still holds, in the order of the places."""
    query = sa.select(Signup).join(Signup.post).where(Signup.plan_id == plan.id, Signup.state.in_(sorted(HOLDS)))
    return list(db.session.scalars(query.options(*joining.whole()).order_by(Post.capacity_id, Signup.id)))


def can_be_taken_back(signups: Sequence[Signup]) -> list[Signup]:
    moment = now()
    return [one for one in signups if one.state in TAKEN_BACK and one.starts_at > moment]


def undo(plan: Plan, *, reason: str, by: Actor) -> tuple[int, int]:
    """Take off everybody whom the plan put on and whose shift has not begun; how many, and how many stay."""
    if plan.state is PlanState.UNDONE:
        return 0, 0
    standing = standing_signups(plan)
    ours = can_be_taken_back(standing)
    if not ours:
        raise Refused(_("没有可以撤回的安排：这些班次已经开始，或人员已经另外变动。请到排班表里逐个处理。"))
    facts = {"undone_at": now(), "undone_by_name": by.name, "undone_reason": reason}
    planning.move(plan, PlanState.UNDONE, (PlanState.APPLIED,), _("这份方案还没有应用，不用撤回。"), **facts)
    for signup in ours:
        joining.take_off(signup, SignupState.REMOVED, by=by, reason=reason)
    audit.record("volunteers.plan_undone", plan, reason=reason, taken=len(ours), stay=len(standing) - len(ours))
    return len(ours), len(standing) - len(ours)
