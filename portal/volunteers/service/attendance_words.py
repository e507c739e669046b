"""What came of a signup, in words: for the volunteer herself and for lists."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.core.clock import local
from portal.core.web import moment_words
from portal.volunteers.models.codes import HoursState, Mark, ShiftState, SignupState
from portal.volunteers.models.signups import Attendance, Signup
from portal.volunteers.service import hours

_MARKS = {
    Mark.QR: _l("扫码"),
    Mark.PIN: _l("输码"),
    Mark.LEADER: _l("负责人登记"),
    Mark.PAPER: _l("纸质签到表"),
    Mark.OFFLINE: _l("事后核码"),
    Mark.WORKER: _l("工作人员登记"),
}
_STATES = {
    HoursState.OPEN: _l("还没签退"),
    HoursState.TO_CONFIRM: _l("待第二人确认"),
    HoursState.CONFIRMED: _l("已确认"),
    HoursState.DISPUTED: _l("有异议"),
}
_TINTS = {
    HoursState.OPEN: "info",
    HoursState.TO_CONFIRM: "warn",
    HoursState.CONFIRMED: "ok",
    HoursState.DISPUTED: "bad",
}


def mark_said(mark: Mark | None) -> str:
    return str(_MARKS[mark]) if mark is not None else ""


def hours_said(state: HoursState) -> str:
    return str(_STATES[state])


def hours_tint(state: HoursState) -> str:
    return _TINTS[state]


def _clock(moment: datetime) -> str:
    return f"{local(moment):%H:%M}"


def state_words(signup: Signup, found: Attendance | None, moment: datetime) -> str:
    """Where somebody stands with a shift, and what to do next."""
    shift = signup.shift
    if shift.state is ShiftState.CALLED_OFF:
        return _("这个班次已经取消，不用签到。")
    if signup.state is SignupState.NO_SHOW:
        return _("登记为未到。如果您来过，请联系负责人或社区更正。")
    if found is None:
        return _before(signup, moment)
    came = _clock(found.came_at)
    if found.left_at is None:
        return _still_there(came, hours.closes_at(shift), moment)
    facts = {"came": came, "left": _clock(found.left_at), "hours": hours.hours_words(found.minutes)}
    words = {
        HoursState.OPEN: _("%(came)s 签到，%(left)s 签退。", **facts),
        HoursState.TO_CONFIRM: _("%(came)s 到 %(left)s，%(hours)s，等另一位工作人员确认。", **facts),
        HoursState.CONFIRMED: _("%(came)s 到 %(left)s，服务 %(hours)s，已确认。往返路上的时间不算。", **facts),
        HoursState.DISPUTED: _("%(came)s 到 %(left)s 的服务时间有异议，社区正在核对。", **facts),
    }
    return words[found.state]


def _still_there(came: str, until: datetime, moment: datetime) -> str:
    if moment <= until:
        return _("%(came)s 已签到。结束时请记得签退，最晚 %(until)s。", came=came, until=_clock(until))
    return _(
        "%(came)s 已签到，没有签退。%(until)s 以后不能自己签退，请联系负责人或社区登记离开的时间。",
        came=came,
        until=_clock(until),
    )


def _before(signup: Signup, moment: datetime) -> str:
    shift = signup.shift
    if signup.state is SignupState.REQUESTED:
        return _("报名还在等确认，通过后才能签到。")
    if moment < hours.opens_at(shift):
        return _("还没到签到时间，%(time)s 起可以签到。", time=moment_words(hours.opens_at(shift)))
    if moment <= shift.ends_at:
        return _("可以签到了：扫负责人手机上的二维码，或输入 6 位签到码。")
    return _("班次已经结束，没有签到记录。如果您来过，请联系负责人或社区补登。")
