"""The words of duty: roles of a shift, states of a swap, and a span of time as a wall shows it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core import web
from portal.core.clock import local
from portal.duty.models import DayKind, DayPlan, DayRule, Shift, ShiftRole, SwapState

# A shift as data: starts and ends (ISO), place, role (a code).
ShiftTold = dict[str, str]
_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    ShiftRole: {
        ShiftRole.COUNTER: _l("窗口接待"),
        ShiftRole.TELEPHONE: _l("电话值守"),
        ShiftRole.PATROL: _l("巡查"),
        ShiftRole.NIGHT: _l("夜间值班"),
        ShiftRole.LEADER: _l("带班"),
        ShiftRole.OTHER: _l("其他"),
    },
    SwapState: {
        SwapState.ASKED: _l("等对方答复"),
        SwapState.AGREED: _l("已换好"),
        SwapState.DECLINED: _l("对方没同意"),
        SwapState.WITHDRAWN: _l("已撤回"),
    },
    DayKind: {
        DayKind.HOLIDAY: _l("放假的日子"),
        DayKind.WORKED: _l("调休上班的周末"),
    },
    DayPlan: {
        DayPlan.WEEKDAY: _l("按那天是星期几"),
        DayPlan.MONDAY: _l("照周一的时段"),
        DayPlan.SUNDAY: _l("照周日的时段"),
        DayPlan.OWN: _l("统一的时段"),
        DayPlan.NONE: _l("不要求有人值班"),
    },
}


def word(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def day_rule_words(rule: DayRule) -> str:
    """What holds on such a day: 统一的时段 09:00-12:00."""
    spans = [_("全天") if span == ["00:00", "24:00"] else "-".join(span) for span in rule.hours]
    return " ".join([word(rule.plan), *spans])


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(code.value, word(code)) for code in kind]


def day_words(moment: datetime) -> str:
    return web.day_words(local(moment).date())


def span(starts: datetime, ends: datetime) -> str:
    """08:30-17:30, or 17:30-次日08:30."""
    first, last = local(starts), local(ends)
    if first.date() == last.date() or f"{last:%H:%M}" == "00:00":
        closes = "24:00" if f"{last:%H:%M}" == "00:00" else f"{last:%H:%M}"
        return f"{first:%H:%M}-{closes}"
    return _("%(first)s-次日%(last)s", first=f"{first:%H:%M}", last=f"{last:%H:%M}")


def shift_words(shift: Shift) -> str:
    """11月23日 周一 08:30-17:30 服务大厅 窗口接待."""
    return _said(shift.starts_at, shift.ends_at, shift.place, shift.role)


def _said(starts: datetime, ends: datetime, place: str, role: ShiftRole) -> str:
    return f"{day_words(starts)} {span(starts, ends)} {place} {word(role)}"


def facts_of(shift: Shift) -> ShiftTold:
    """A shift as a notice and a swap keep it: data, said when it is read."""
    moments = {"starts": shift.starts_at.isoformat(), "ends": shift.ends_at.isoformat()}
    return {**moments, "place": shift.place, "role": shift.role.value}


def told(shifts: list[ShiftTold]) -> str:
    """Shifts kept as facts, in words: one, or one for another."""
    said = [
        _said(
            datetime.fromisoformat(one["starts"]),
            datetime.fromisoformat(one["ends"]),
            one["place"],
            ShiftRole(one["role"]),
        )
        for one in shifts
    ]
    return _("%(one)s 换 %(other)s", one=said[0], other=said[1]) if len(said) > 1 else said[0]
