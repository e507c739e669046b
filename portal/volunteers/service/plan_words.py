"""A plan in words: how far it is, why somebody is on a post, what would fill a gap, what stands in a line's way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core.db import db
from portal.registry.models import Person
from portal.volunteers.models.codes import PlanState
from portal.volunteers.models.people import Skill, Volunteer
from portal.volunteers.models.plans import PlanGap, PlanLine
from portal.volunteers.service.finding import hours_words
from portal.volunteers.solving.problem import Rule

Why = Mapping[str, Any]
# The chart has so many bands of hours at most, each of one of these widths.
BANDS, WIDTHS = 8, (1, 2, 4, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Names:
    """The names of those whom reasons mention: volunteers and skills, by id."""

    people: dict[int, str] = field(default_factory=dict)
    skills: dict[int, str] = field(default_factory=dict)

    def person(self, number: int) -> str:
        return self.people.get(number) or _("另一位志愿者")

    def all_skills(self, numbers: Iterable[int]) -> str:
        return _("、").join(self.skills.get(number) or _("某项技能") for number in numbers)


def names_of(lines: Sequence[PlanLine], gaps: Sequence[PlanGap]) -> Names:
    reasons = [reason for line in lines for reason in line.why] + [reason for gap in gaps for reason in gap.why]
    who = {reason["person"] for reason in reasons if "person" in reason}
    who |= {one for reason in reasons for one in reason.get("people", ())}
    query = sa.select(Volunteer.id, Person.name).join(Volunteer.person).where(Volunteer.id.in_(who))
    people = {row.id: row.name for row in db.session.execute(query.order_by(Volunteer.id))}
    skills = db.session.execute(sa.select(Skill.id, Skill.name).order_by(Skill.id))
    return Names(people, {row.id: row.name for row in skills})


def state(state: PlanState) -> tuple[str, str]:
    """A state and its tint."""
    said: dict[PlanState, tuple[str, str]] = {
        PlanState.QUEUED: (_("排队中"), "info"),
        PlanState.WORKING: (_("计算中"), "info"),
        PlanState.READY: (_("待应用"), "warn"),
        PlanState.FAILED: (_("没有算成"), "bad"),
        PlanState.CANCELLED: (_("已取消"), "mute"),
        PlanState.APPLIED: (_("已应用"), "ok"),
        PlanState.UNDONE: (_("已撤回"), "mute"),
    }
    return said[state]


def step(figures: Mapping[str, Any]) -> tuple[int, str]:
    """How far a plan is: the step of four, and what is being done."""
    said = {
        "plain": (1, _("正在核对谁能去哪一班")),
        "most": (2, _("正在找能排上最多人次的办法")),
        "best": (3, _("人次已定，正在让每个人的时长更均匀")),
        "why": (4, _("正在写明理由，并查缺人的原因")),
    }
    return said.get(str(figures.get("step", "")), (0, _("正在读取班次和志愿者")))


def why(line: PlanLine, names: Names, after: int | None = None) -> list[str]:
    """Why somebody is on a post. `after` are her minutes with a plan that was edited since: what it said of hers, and
    of the others' beside hers, holds no more.
    """
    if line.by_hand:
        return [_("工作人员手工添加"), *([] if after is None else [_edited(after)])]
    reasons = line.why if after is None else [one for one in line.why if one["code"] != "hours"]
    return [*(_WHY[one["code"]](one, names) for one in reasons), *([] if after is None else [_edited(after)])]


def _edited(after: int) -> str:
    return _("连同近来的，按改过的方案共 %(after)s 小时", after=hours_words(after))


def _fair(reason: Why, _names: Names) -> str:
    """Only what the figures say, whatever the solver was after: who else could be put there, and their hours with the
    plan against hers. Plans of before `still` was counted know no more than `fewer`.
    """
    facts = {name: hours_words(reason[name]) for name in ("lately", "after")}
    own = _("近来 %(lately)s 小时，连同已有的班次和方案共 %(after)s 小时", **facts)
    return _("%(own)s；%(others)s", own=own, others=_fewer(reason) if reason["spare"] else _nobody_else(reason))


def _fewer(reason: Why) -> str:
    facts = {"spare": reason["spare"], "fewer": reason["fewer"]}
    if not reason["fewer"]:
        return _("其余还能排的 %(spare)d 人，按方案都不比这少", spare=reason["spare"])
    if not reason.get("still", reason["fewer"]):
        return _("其余还能排的 %(spare)d 人里有 %(fewer)d 人更少，但来了这一班就不比这少了", **facts)
    return _(
        "其余还能排的 %(spare)d 人里有 %(fewer)d 人更少；方案还看了远近、意愿和其他班次，觉得不妥可以换人", **facts
    )


def _nobody_else(reason: Why) -> str:
    """Those who are on the shift as well are no people who cannot come; plans of before did not count them."""
    could, there = reason["of"], reason.get("there")
    if there is None:
        return _("能排的共 %(of)d 人", of=could)
    if there == could - 1:
        return _("能排的 %(of)d 人都排在这一班", of=could)
    why = _("、").join(_AWAY[Rule(code)]() for code in reason["kept"])
    if not there:
        return _("能排的 %(of)d 人里，其余按方案都来不了这一班（%(why)s）", of=could, why=why)
    facts = {"of": could, "there": there, "why": why}
    return _("能排的 %(of)d 人里，还有 %(there)d 人也排在这一班，其余按方案来不了（%(why)s）", **facts)


_AWAY: dict[Rule, Callable[[], str]] = {
    Rule.BUSY: lambda: _("同时有别的班次"),
    Rule.REST: lambda: _("两班之间休息不够"),
    Rule.DAY: lambda: _("当天时长已满"),
    Rule.WEEK: lambda: _("当周时长已满"),
    Rule.PAIR: lambda: _("结对的人不在这一班"),
    Rule.NEWCOMERS: lambda: _("新志愿者名额已满"),
}
_WHY: dict[str, Callable[[Why, Names], str]] = {
    "skill": lambda reason, names: _("会%(skills)s", skills=names.all_skills(reason["skills"])),
    "free": lambda _reason, _names: _("填了这个时间有空"),
    "asked": lambda _reason, _names: _("没有填空闲时间，要问一声"),
    "not_offered": lambda _reason, _names: _("没有填这个时间有空，要问一声"),
    "only": lambda _reason, _names: _("能排的只有这一位"),
    "hours": _fair,
    "near": lambda _reason, _names: _("住同一网格"),
    "with": lambda reason, names: _("和%(name)s结对同去", name=names.person(reason["person"])),
    "friend": lambda reason, names: _("和%(name)s愿意同去", name=names.person(reason["person"])),
    "experienced": lambda reason, _names: _("有经验（%(hours)s 小时），带新人", hours=hours_words(reason["minutes"])),
}


def lifting(gap: PlanGap, names: Names) -> list[str]:
    """Which rule, if it were lifted, would fill a gap; or that people are too few."""
    return [_too_few(reason) if reason["code"] == "people" else _lifted(reason, names) for reason in gap.why]


def _lifted(reason: Why, names: Names) -> str:
    words = _LIFTED[reason["code"]](reason, names)
    if reason.get("moved"):
        return _("%(words)s（要连带调整别的班次）", words=words)
    who = _("、").join(names.person(one) for one in reason["people"])
    if reason["count"] > len(reason["people"]):
        who = _("%(names)s等 %(count)d 人", names=who, count=reason["count"])
    return _("%(words)s：%(who)s", words=words, who=who)


_LIFTED: dict[str, Callable[[Why, Names], str]] = {
    "skill": lambda reason, names: _("不要求会%(skills)s就能补上", skills=names.all_skills(reason["limit"])),
    "experience": lambda reason, _names: _("不要求先服务满 %(h)s 小时就能补上", h=hours_words(reason["limit"])),
    "free": lambda _reason, _names: _("请没有填这个时间有空的人来就能补上"),
    "rest": lambda reason, _names: _("两班之间不要求休息 %(minutes)d 分钟就能补上", minutes=reason["limit"]),
    "day": lambda reason, _names: _("放宽一天 %(hours)s 小时的上限就能补上", hours=hours_words(reason["limit"])),
    "week": lambda reason, _names: (
        _("放宽一周 %(hours)s 小时或本人的上限就能补上", hours=hours_words(reason["limit"]))
        if reason["limit"]
        else _("请超过本人希望的每周时长的人来就能补上")
    ),
    "pair": lambda _reason, _names: _("结对的人可以单独来就能补上"),
    "newcomers": lambda reason, _names: _("新志愿者可以超过 %(share)d%% 就能补上", share=reason["limit"]),
}


def _too_few(reason: Why) -> str:
    counts = reason["counts"]
    if not counts["everybody"]:
        return _("还没有能排班的志愿者，请先招募")
    parts = [_keeps(code, count) for code, count in counts.items() if code != "everybody"]
    facts = {"count": counts["everybody"], "parts": _("、").join(parts)}
    if not reason["sure"]:
        return _("没来得及查完：共 %(count)d 人，%(parts)s。可以把计算时间放长再试", **facts)
    return _("人手不够，放宽任何一条都补不上，请另外招募：共 %(count)d 人，%(parts)s", **facts)


def _keeps(code: str, count: int) -> str:
    said = {
        Rule.SKILL: _("%(count)d 人技能不符", count=count),
        Rule.EXPERIENCE: _("%(count)d 人服务时长不够", count=count),
        Rule.FREE: _("%(count)d 人这个时间没有空", count=count),
        Rule.REST: _("%(count)d 人休息时间不够", count=count),
        Rule.DAY: _("%(count)d 人当天已满", count=count),
        Rule.WEEK: _("%(count)d 人当周已满", count=count),
        Rule.PAIR: _("%(count)d 人结对的人来不了", count=count),
        Rule.NEWCOMERS: _("%(count)d 人是新志愿者，名额已满", count=count),
        Rule.BUSY: _("%(count)d 人同时有别的班次", count=count),
        Rule.CLOSED: _("%(count)d 人不符合参加条件", count=count),
    }
    return said[Rule(code)]


def stands_against(code: str) -> str:
    """What stands in the way of a line, or speaks against it."""
    said = {
        "begun": _("这一班已经开始"),
        "full": _("岗位已经满了"),
        Rule.SKILL: _("缺这个岗位要的技能，或技能证明已过期"),
        Rule.EXPERIENCE: _("服务时长不够这个岗位的要求"),
        Rule.FREE: _("没有填这个时间有空，请先问一声"),
        Rule.REST: _("和别的班次之间休息不够"),
        Rule.DAY: _("超过一天的服务时长"),
        Rule.WEEK: _("超过一周的服务时长"),
        Rule.PAIR: _("结对的人不在这一班"),
        Rule.NEWCOMERS: _("新志愿者超过这个岗位的比例"),
        Rule.BUSY: _("同一时间已有别的班次"),
        "members": _("不是本队队员，不自动安排"),
        "no_shows": _("近来缺席多，不自动安排"),
        Rule.CLOSED: _("现在不能参加这一班（状态、年龄、保险、外出或监护人同意）"),
    }
    return said[code]


def spread(before: Mapping[str, int], added: Mapping[int, int]) -> list[tuple[str, int, int]]:
    """For each band of hours how many people are in it before and after a plan, fewest hours first."""
    after = {who: minutes + added.get(int(who), 0) for who, minutes in before.items()}
    most = max([*before.values(), *after.values()], default=0)
    width = next((one for one in WIDTHS if most <= one * 60 * BANDS), WIDTHS[-1])
    bands = range(max(1, -(-most // (60 * width))))
    rows = [(_("没有"), _none(before), _none(after))]
    for band in bands:
        label = _("%(least)d–%(most)d 小时", least=band * width, most=(band + 1) * width)
        rows.append((label, _within(before, band, width), _within(after, band, width)))
    return rows


def _none(minutes: Mapping[str, int]) -> int:
    return sum(1 for one in minutes.values() if not one)


def _within(minutes: Mapping[str, int], band: int, width: int) -> int:
    """How many have more than the band's least hours and at most its most."""
    return sum(1 for one in minutes.values() if band * width * 60 < one <= (band + 1) * width * 60)
