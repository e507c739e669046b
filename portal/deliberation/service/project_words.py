"""The words of the five steps of 三社联动 (rules 3), and of what is written down in each."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from portal.deliberation.models.codes import ProjectStep
from portal.deliberation.service.topic_words import cost_said

P = ProjectStep
STEPS = tuple(ProjectStep)


def step_said(step: ProjectStep) -> str:
    return {
        P.NEED: _("需求"),
        P.DESIGN: _("设计"),
        P.AWARD: _("承接"),
        P.CARRY_OUT: _("实施"),
        P.ASSESS: _("评估"),
    }[step]


def step_meaning(step: ProjectStep) -> str:
    return {
        P.NEED: _("居民群众提出需求"),
        P.DESIGN: _("社区组织开发设计"),
        P.AWARD: _("社会组织竞争承接"),
        P.CARRY_OUT: _("社工团队执行实施"),
        P.ASSESS: _("相关各方监督评估"),
    }[step]


def step_code_said(code: object) -> str:
    return step_said(ProjectStep(str(code)))


def sources() -> list[tuple[str, str]]:
    """Where the money comes from."""
    return [
        ("purchase", _("政府购买服务")),
        ("venture", _("公益创投")),
        ("points", _("积分激励")),
        ("lottery", _("福彩公益金")),
        ("fund", _("社区基金")),
        ("donation", _("捐赠")),
        ("own", _("社区自有资金")),
    ]


def verdicts() -> list[tuple[str, str]]:
    return [("excellent", _("优")), ("good", _("良")), ("passed", _("合格")), ("failed", _("不合格"))]


def labels(step: ProjectStep) -> dict[str, str]:
    """What a step writes down: the name of each field with its words, in order."""
    return {
        P.NEED: {
            "who": _("谁提出的"),
            "group": _("为哪些人"),
            "evidence": _("依据"),
            "supports": _("附议人数"),
        },
        P.DESIGN: {
            "aim": _("目标"),
            "target": _("服务对象"),
            "content": _("内容"),
            "output": _("产出指标"),
            "budget": _("预算（元）"),
            "source": _("资金来源"),
        },
        P.AWARD: {
            "notice": _("遴选公告"),
            "deadline": _("申报截止"),
            "winner": _("承接的社会组织"),
            "uscc": _("统一社会信用代码"),
            "grade": _("资质和评估等级"),
            "scores": _("评分"),
            "published": _("结果公示"),
        },
        P.CARRY_OUT: {
            "agreement": _("协议"),
            "milestones": _("里程碑"),
            "staff": _("社工和志愿者"),
            "records": _("服务记录"),
            "spent": _("经费支出（元）"),
        },
        P.ASSESS: {
            "satisfied": _("居民满意度（百分数）"),
            "output": _("产出"),
            "finance": _("财务"),
            "third": _("第三方"),
            "verdict": _("结论"),
        },
    }[step]


def shown(step: ProjectStep, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was written down in a step, in words; what was left empty is left out."""
    held = facts.get(step.value) or {}
    # A form asks for yuan; what is said names its own unit.
    sums = {"budget": _("预算"), "spent": _("经费支出")}
    named = {name: sums.get(name, label) for name, label in labels(step).items()}
    return [(label, _said(name, held[name])) for name, label in named.items() if held.get(name)]


def _said(name: str, value: Any) -> str:
    if name in {"budget", "spent"} and isinstance(value, int):
        return cost_said(value)
    return (
        {**dict(sources()), **dict(verdicts())}.get(str(value), str(value))
        if name in {"source", "verdict"}
        else str(value)
    )
