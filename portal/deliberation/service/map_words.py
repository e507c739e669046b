"""The map of opinion in words: what its groups are called, how far its drawing is, what it says read aloud."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from portal.deliberation.models.codes import MapState
from portal.deliberation.models.opinions import OpinionMap

STEPS = 3


def group(number: int) -> str:
    """What a group is called: by the stems, from the largest."""
    return (_("甲组"), _("乙组"), _("丙组"), _("丁组"), _("戊组"))[number]


def state(state: MapState) -> tuple[str, str]:
    """A state and its tint."""
    said: dict[MapState, tuple[str, str]] = {
        MapState.QUEUED: (_("排队中"), "info"),
        MapState.WORKING: (_("正在画"), "info"),
        MapState.DONE: (_("画好了"), "ok"),
        MapState.TOO_FEW: (_("人数不够"), "mute"),
        MapState.FAILED: (_("没有画成"), "bad"),
        MapState.CANCELLED: (_("已取消"), "mute"),
    }
    return said[state]


def step(figures: Mapping[str, Any]) -> tuple[int, str]:
    """How far a map is: the step of three, and what is being done."""
    said = {"groups": (1, _("正在找想法接近的人")), "holds": (2, _("正在数每组的看法"))}
    return said.get(str((figures or {}).get("step", "")), (0, _("正在读取表态")))


def result(run: OpinionMap) -> str:
    """What came of a computation, in a line."""
    if run.state is MapState.DONE:
        groups = len(run.figures["groups"])
        return _(
            "%(people)d 人、%(opinions)d 条看法，分成 %(groups)d 组",
            people=run.people,
            opinions=run.opinions,
            groups=groups,
        )
    if run.state is MapState.TOO_FEW:
        return _("表态够多的只有 %(people)d 人，画出来会看出是谁，所以没有画。请再请居民来表态。", people=run.people)
    return run.words


def stand(code: str) -> str:
    return _("同意") if code == "agree" else _("不同意")


def why_undecided(code: str) -> str:
    return _("很多人说不好") if code == "pass" else _("同意和不同意差不多")


def counts(percents: Sequence[int] | None) -> str:
    """How people stand on a statement, in words that can be read aloud."""
    if percents is None:
        return _("回答的人太少，不显示")
    agree, disagree, passes = percents
    return _(
        "同意 %(agree)d%%，不同意 %(disagree)d%%，说不好 %(passes)d%%", agree=agree, disagree=disagree, passes=passes
    )
