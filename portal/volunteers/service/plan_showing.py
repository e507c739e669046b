"""A computed plan as its page shows it: by shift and post, who and why, what is missing and what would fill it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.volunteers.models.activities import Post, Shift
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.plans import Plan, PlanGap, PlanLine
from portal.volunteers.service import plan_editing, plan_words, planning
from portal.volunteers.service.plan_editing import Standing
from portal.volunteers.service.plan_words import Names


@dataclass(frozen=True)
class ShownLine:
    line: PlanLine
    why: list[str]
    bars: list[str]
    doubts: list[str]

    @property
    def name(self) -> str:
        return self.line.volunteer.person.name


@dataclass
class ShownPost:
    """`missing` are the places that stay free if the plan is applied as it stands."""

    post: Post
    lines: list[ShownLine] = field(default_factory=list)
    lifting: list[str] = field(default_factory=list)

    @property
    def placed(self) -> int:
        return sum(1 for one in self.lines if one.line.kept and not one.bars)

    @property
    def missing(self) -> int:
        return max(0, self.post.capacity.left - self.placed)


@dataclass
class ShownShift:
    shift: Shift
    posts: list[ShownPost] = field(default_factory=list)


@dataclass(frozen=True)
class Proposal:
    shifts: list[ShownShift]
    spread: list[tuple[str, int, int]]
    # Kept lines that hold no more.
    bad: list[ShownLine]
    kept: int
    missing: int
    # Whether it is no more what was computed: then nothing proven of that holds of it.
    edited: bool

    @property
    def can_apply(self) -> bool:
        return self.kept > len(self.bad)


def proposal(plan: Plan) -> Proposal:
    lines, gaps = planning.lines_of(plan), planning.gaps_of(plan)
    standing = plan_editing.check(plan, lines) if plan.state is PlanState.READY else {}
    names = plan_words.names_of(lines, gaps)
    before, added = plan.figures.get("before", {}), _added(lines)
    edited = any(line.by_hand or line.failed or not line.kept for line in lines)
    shown = []
    for line in lines:
        who = line.volunteer_id
        after = int(before.get(str(who), 0)) + added[who] if edited else None
        shown.append(_line(line, standing.get(line.id, Standing()), plan_words.why(line, names, after)))
    shifts = _by_shift(shown, gaps, names)
    kept = [one for one in shown if one.line.kept and not one.line.failed]
    return Proposal(
        shifts=shifts,
        spread=plan_words.spread(before, added),
        bad=[one for one in kept if one.bars],
        kept=len(kept),
        missing=sum(post.missing for shift in shifts for post in shift.posts),
        edited=edited,
    )


def _added(lines: Sequence[PlanLine]) -> dict[int, int]:
    """Minutes by volunteer that the lines still give."""
    added: dict[int, int] = defaultdict(int)
    for line in lines:
        added[line.volunteer_id] += line.post.shift.minutes if line.kept and not line.failed else 0
    return added


def _line(line: PlanLine, standing: Standing, why: list[str]) -> ShownLine:
    bars = [plan_words.stands_against(code) for code in standing.bars]
    doubts = [plan_words.stands_against(code) for code in standing.doubts]
    return ShownLine(line, why, bars or ([line.failed] if line.failed else []), doubts)


def _by_shift(lines: Sequence[ShownLine], gaps: Sequence[PlanGap], names: Names) -> list[ShownShift]:
    posts: dict[int, ShownPost] = {}
    for one in lines:
        posts.setdefault(one.line.post_id, ShownPost(one.line.post)).lines.append(one)
    for gap in gaps:
        posts.setdefault(gap.post_id, ShownPost(gap.post)).lifting = plan_words.lifting(gap, names)
    order = sorted(posts.values(), key=lambda one: (one.post.shift.starts_at, one.post.shift_id, one.post.id))
    shifts: dict[int, ShownShift] = {}
    for post in order:
        shifts.setdefault(post.post.shift_id, ShownShift(post.post.shift)).posts.append(post)
    return list(shifts.values())
