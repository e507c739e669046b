"""What the codes of signups, swaps, invitations and lines are called on screen, and a shift's time in words."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.clock import local
from portal.core.web import day_words
from portal.places.models import WaitingState
from portal.volunteers.models.codes import InvitationState, SignupState, SwapState, Way
from portal.volunteers.models.signups import Signup

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    SignupState: {
        SignupState.REQUESTED: _l("等待确认"),
        SignupState.JOINED: _l("已报名"),
        SignupState.PRESENT: _l("已签到"),
        SignupState.DONE: _l("已完成"),
        SignupState.NO_SHOW: _l("未到"),
        SignupState.LEFT: _l("已退出"),
        SignupState.REMOVED: _l("已调出"),
        SignupState.REFUSED: _l("没有通过"),
        SignupState.CALLED_OFF: _l("班次取消"),
    },
    Way: {
        Way.SELF: _l("自己报名"),
        Way.APPROVED: _l("申请后通过"),
        Way.FAMILY: _l("一起报名"),
        Way.LINE: _l("候补转正"),
        Way.INVITED: _l("接受邀请"),
        Way.SWAP: _l("换班"),
        Way.WORKER: _l("社区安排"),
        Way.LEADER: _l("领队安排"),
        Way.PLAN: _l("排班方案"),
    },
    SwapState: {
        SwapState.ASKED: _l("等人接班"),
        SwapState.DONE: _l("已换好"),
        SwapState.DECLINED: _l("对方不方便"),
        SwapState.WITHDRAWN: _l("已收回"),
        SwapState.LAPSED: _l("没有人接"),
    },
    InvitationState: {
        InvitationState.ASKED: _l("等您答复"),
        InvitationState.ACCEPTED: _l("已接受"),
        InvitationState.DECLINED: _l("已谢绝"),
        InvitationState.WITHDRAWN: _l("已收回"),
        InvitationState.LAPSED: _l("已过期"),
    },
    WaitingState: {
        WaitingState.WAITING: _l("候补中"),
        WaitingState.OFFERED: _l("有名额了"),
        WaitingState.TAKEN: _l("已转正"),
        WaitingState.LAPSED: _l("名额过期"),
        WaitingState.LEFT: _l("已退出"),
        WaitingState.CLOSED: _l("没有候补到"),
    },
}
_TINTS: dict[StrEnum, str] = {
    SignupState.REQUESTED: "warn",
    SignupState.JOINED: "info",
    SignupState.PRESENT: "ok",
    SignupState.DONE: "ok",
    SignupState.NO_SHOW: "bad",
    WaitingState.OFFERED: "ok",
    WaitingState.WAITING: "info",
    SwapState.ASKED: "warn",
    SwapState.DONE: "ok",
    InvitationState.ASKED: "warn",
    InvitationState.ACCEPTED: "ok",
}


def signup_said(code: StrEnum | None) -> str:
    return str(_WORDS[type(code)][code]) if code is not None else ""


def came_words(signup: Signup) -> str:
    """How somebody came to a shift; who came out of its line is not on it before a yes that is needed."""
    unsure = signup.way is Way.LINE and signup.state in {SignupState.REQUESTED, SignupState.REFUSED}
    return _("候补来的") if unsure else signup_said(signup.way)


def signup_tint(code: StrEnum) -> str:
    return _TINTS.get(code, "mute")


def span(starts_at: datetime, ends_at: datetime) -> str:
    """6月10日 周三 22:00 至次日 02:00."""
    start, end = local(starts_at), local(ends_at)
    facts = {"day": day_words(start.date()), "start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
    if _is_next(start.date(), end):
        return _("%(day)s %(start)s 至次日 %(end)s", **facts)
    return _("%(day)s %(start)s 至 %(end)s", **facts)


def _is_next(day: date, end: datetime) -> bool:
    """Whether it ends on a later day; who ends at midnight ends at the end of the day."""
    return (end - timedelta(minutes=1)).date() > day


def length(minutes: int) -> str:
    """Minutes as people say them."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(count)d 分钟", count=rest)
    if not rest:
        return _("%(count)d 小时", count=hours)
    return _("%(hours)d 小时 %(rest)d 分钟", hours=hours, rest=rest)


def span_said(starts: str, ends: str) -> str:
    """The same of two instants that a notice's facts hold as text."""
    return span(datetime.fromisoformat(starts), datetime.fromisoformat(ends))


def long_day(day: date) -> str:
    """A day that may lie in another year: 2026年11月23日."""
    return _("%(year)s年%(month)s月%(day)s日", year=day.year, month=day.month, day=day.day)


def moment_said(moment: str) -> str:
    """6月10日 周三 09:00, of an instant as a notice's facts hold it."""
    at = local(datetime.fromisoformat(moment))
    return _("%(day)s %(time)s", day=day_words(at.date()), time=f"{at:%H:%M}")


def last_day(until: datetime) -> str:
    """The last day of something that ends at a moment: midnight ends the day before."""
    return long_day(local(until - timedelta(minutes=1)).date())
