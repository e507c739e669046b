"""What the codes of activities and shifts are called on screen, and facts of an activity in words."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core import settings
from portal.core.clock import local, now
from portal.core.masking import mask_name
from portal.volunteers.models.activities import Activity, Position, Post, Shift
from portal.volunteers.models.codes import ActivityState, Joining, ShiftState, Task
from portal.volunteers.service import guards
from portal.volunteers.service.activities import organiser_name
from portal.volunteers.service.signup_words import length, span
from portal.volunteers.service.standing import DAY

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    ActivityState: {
        ActivityState.DRAFT: _l("草稿"),
        ActivityState.PUBLISHED: _l("招募中"),
        ActivityState.CALLED_OFF: _l("已取消"),
        ActivityState.ENDED: _l("已结束"),
    },
    Joining: {
        Joining.OPEN: _l("报名就算数"),
        Joining.APPROVED: _l("报名后要确认"),
        Joining.ASSIGNED: _l("由社区安排人"),
    },
    ShiftState: {
        ShiftState.OPEN: _l("招人中"),
        ShiftState.CLOSED: _l("停止报名"),
        ShiftState.CALLED_OFF: _l("已取消"),
    },
    Task: {
        Task.MEAL: _l("送餐"),
        Task.VISIT: _l("探访"),
        Task.ESCORT: _l("陪诊"),
        Task.OTHER: _l("其他帮助"),
    },
}
_TINTS: dict[StrEnum, str] = {
    ActivityState.DRAFT: "warn",
    ActivityState.PUBLISHED: "ok",
    ActivityState.CALLED_OFF: "bad",
    ShiftState.OPEN: "ok",
    ShiftState.CLOSED: "warn",
    ShiftState.CALLED_OFF: "bad",
}


def activity_said(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def activity_tint(code: StrEnum) -> str:
    return _TINTS.get(code, "mute")


def shift_stands(shift: Shift) -> tuple[str, str]:
    """Where a shift stands, and the tint of it: nobody is asked to join a draft, or what is over."""
    if shift.state is not ShiftState.CALLED_OFF:
        if shift.ends_at <= now():
            return _("已结束"), "mute"
        if shift.activity.state is ActivityState.DRAFT:
            return _("活动发布后招人"), "warn"
    return activity_said(shift.state), activity_tint(shift.state)


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(str(code.value), str(words)) for code, words in _WORDS[kind].items()]


def shift_span(shift: Shift) -> str:
    return span(shift.starts_at, shift.ends_at)


def shift_clock(shift: Shift) -> str:
    """8:00–10:00, with 次日 where it ends on a later day."""
    start, end = local(shift.starts_at), local(shift.ends_at)
    if (end - timedelta(minutes=1)).date() > start.date():
        return _("%(start)s–次日 %(end)s", start=f"{start:%H:%M}", end=f"{end:%H:%M}")
    return f"{start:%H:%M}–{end:%H:%M}"


def shift_place(shift: Shift) -> str:
    return shift.place or shift.activity.place


def people_words(shift: Shift) -> str:
    """How many are on it of how many it needs."""
    taken = sum(post.capacity.taken for post in shift.posts)
    return _("%(taken)d / %(total)d 人", taken=taken, total=sum(post.capacity.total for post in shift.posts))


def is_short(shift: Shift) -> bool:
    return any(post.capacity.left > 0 for post in shift.posts)


def position_words(position: Position) -> str:
    """What a position asks for, in one line; "" where it asks for nothing."""
    said = []
    if position.skills:
        said.append(_("需要的技能：%(skills)s", skills=_("、").join(skill.name for skill in position.skills)))
    if position.least_minutes:
        said.append(_("先服务满 %(hours)s", hours=length(position.least_minutes)))
    if position.newcomers == 0:
        said.append(_("要有经验的志愿者"))
    elif position.newcomers < 100:
        said.append(_("新志愿者最多占 %(share)d%%", share=position.newcomers))
    return _("；").join(said)


def age_words(activity: Activity) -> str:
    if activity.most_age is None:
        return _("%(least)d 周岁以上", least=activity.least_age)
    return _("%(least)d 至 %(most)d 周岁", least=activity.least_age, most=activity.most_age)


def insurance_words(activity: Activity) -> str:
    if not activity.insurance:
        return _("没有另外投保")
    if activity.insured_until is None:
        return activity.insurance
    return _("%(name)s，保到 %(day)s", name=activity.insurance, day=guards.insured_day(activity.insured_until))


def leader_words(activity: Activity) -> str:
    if activity.leader_name:
        return activity.leader_name
    return activity.team.leader.name if activity.team and activity.team.leader else ""


def leader_shown(activity: Activity, known: bool) -> str:
    """Who leads, as a reader sees her: a volunteer who does not want her name shown is masked for strangers (20)."""
    name = leader_words(activity)
    hers = activity.leader_id is not None or not activity.leader_name
    wants = activity.leader is not None and activity.leader.shows_name
    return name if known or wants or not hers else mask_name(name)


def limit_words(activity: Activity) -> str:
    """Until when one may sign up and leave, and how much a day."""
    most = activity.day_minutes or settings.get(DAY)
    said = [
        _("班次前 %(days)d 天开始报名", days=activity.opens_days),
        _("开始前 %(hours)d 小时以内不能自己退出", hours=activity.leave_hours),
        _("一天最多服务 %(most)s", most=length(most)),
    ]
    if activity.late_minutes:
        said.append(_("开始后 %(count)d 分钟内还能报名", count=activity.late_minutes))
    return _("；").join(said)


def post_words(post: Post) -> str:
    """A post as a button names it."""
    return _("%(name)s，还要 %(left)d 人", name=post.position.name, left=post.capacity.left)


def post_pairs(posts: Iterable[Post]) -> list[tuple[str, str]]:
    """Each position with how many are on it."""
    return [
        (post.position.name, _("%(taken)d / %(total)d 人", taken=post.capacity.taken, total=post.capacity.total))
        for post in posts
    ]


WORDS: dict[str, Callable[..., Any]] = {
    "post_pairs": post_pairs,
    "activity_said": activity_said,
    "activity_tint": activity_tint,
    "shift_stands": shift_stands,
    "shift_when": shift_span,
    "shift_hours": shift_clock,
    "shift_place": shift_place,
    "shift_people": people_words,
    "shift_short": is_short,
    "position_asks": position_words,
    "activity_ages": age_words,
    "activity_insurance": insurance_words,
    "activity_leader": leader_words,
    "leader_shown": leader_shown,
    "activity_limits": limit_words,
    "activity_organiser": organiser_name,
    "post_left": post_words,
}
