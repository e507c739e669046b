"""Volunteers in words: states, weekdays, hours, how a guardian agreed."""

from collections.abc import Iterable
from datetime import time

from flask_babel import gettext as _

from portal.volunteers.models.codes import ConsentWay, VolunteerState
from portal.volunteers.models.people import FreeTime, VolunteerSkill
from portal.volunteers.service.signup_words import long_day

_TINTS = {
    VolunteerState.APPLIED: "warn",
    VolunteerState.ACTIVE: "ok",
    VolunteerState.PAUSED: "info",
    VolunteerState.BARRED: "bad",
}


def states() -> dict[VolunteerState, str]:
    return {
        VolunteerState.APPLIED: _("待审核"),
        VolunteerState.ACTIVE: _("可服务"),
        VolunteerState.PAUSED: _("暂停服务"),
        VolunteerState.BARRED: _("停止资格"),
        VolunteerState.REFUSED: _("未通过"),
        VolunteerState.LEFT: _("已退出"),
    }


def state_words(state: VolunteerState) -> str:
    return states()[state]


def state_tint(state: VolunteerState) -> str:
    return _TINTS.get(state, "mute")


def ways() -> dict[ConsentWay, str]:
    return {ConsentWay.ACCOUNT: _("监护人在账号里同意"), ConsentWay.PAPER: _("纸质同意书")}


def weekdays() -> list[str]:
    return [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]


def weekday_words(weekday: int) -> str:
    return weekdays()[weekday]


def span(opens: time, closes: time) -> str:
    return f"{opens:%H:%M}–{closes:%H:%M}"


def days_words(days: Iterable[int]) -> str:
    """Weekdays in few words: 每天, 周一至周五, 周一、周三."""
    held = sorted(set(days))
    if len(held) == 7:
        return _("每天")
    if len(held) > 2 and held[-1] - held[0] == len(held) - 1:
        return _("%(first)s至%(last)s", first=weekday_words(held[0]), last=weekday_words(held[-1]))
    return _("、").join(weekday_words(day) for day in held)


def times_words(times: Iterable[FreeTime]) -> str:
    """Free times with days of the same hours together: 周一至周五 08:00–12:00；周六 14:00–18:00."""
    by_day: dict[int, list[str]] = {}
    for one in times:
        by_day.setdefault(one.weekday, []).append(span(one.opens, one.closes))
    alike: dict[str, list[int]] = {}
    for day, spans in sorted(by_day.items()):
        alike.setdefault(_("、").join(spans), []).append(day)
    return _("；").join(f"{days_words(days)} {spans}" for spans, days in alike.items())


def free_days(times: Iterable[FreeTime]) -> str:
    """The weekdays alone, as a list has room for."""
    return days_words(one.weekday for one in times)


def hours_words(minutes: int) -> str:
    """Minutes as hours with one figure behind the point where it is needed: 12.5 小时."""
    hours = f"{minutes / 60:.1f}".removesuffix(".0")
    return _("%(hours)s 小时", hours=hours)


def lead_words(hours: int) -> str:
    """How long before a shift: 提前 2 小时, 提前 3 天."""
    if hours % 24 == 0:
        return _("提前 %(count)s 天", count=hours // 24)
    return _("提前 %(count)s 小时", count=hours)


def proof_words(skill: VolunteerSkill) -> str:
    """What stands behind a skill."""
    if skill.proven_at is None:
        return _("待核验证明") if skill.skill.needs_proof else _("本人填写")
    if skill.valid_to:
        return _("已核验，有效到 %(day)s", day=long_day(skill.valid_to))
    return _("已核验")
