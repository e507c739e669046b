"""Hours given: within the shift, rounded down to the step, the way there and back not among them."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import clock, settings
from portal.core.db import db
from portal.core.errors import Refused
from portal.core.web import moment_words
from portal.volunteers.models.activities import Shift
from portal.volunteers.models.codes import HoursState
from portal.volunteers.models.records import RECORD_STEP
from portal.volunteers.models.signups import Attendance, Signup

STEP, DAY_HOURS = "volunteers.hour_step", "volunteers.day_warn_hours"
BEFORE, AFTER = "volunteers.check_in_before", "volunteers.check_out_after"

# Records count in steps of RECORD_STEP: what is rounded otherwise would be lost on the way there.
settings.declare(
    STEP,
    default=RECORD_STEP,
    label=lambda: _("志愿服务时间取整"),
    unit=lambda: _("分钟"),
    least=RECORD_STEP,
    most=60,
    step=RECORD_STEP,
)
settings.declare(
    DAY_HOURS, default=8, label=lambda: _("一天服务超过多久提醒核对"), unit=lambda: _("小时"), least=1, most=24
)
settings.declare(
    BEFORE, default=30, label=lambda: _("志愿班次开始前多久可以签到"), unit=lambda: _("分钟"), least=5, most=240
)
settings.declare(
    AFTER, default=60, label=lambda: _("志愿班次结束后多久可以签退"), unit=lambda: _("分钟"), least=5, most=720
)
LIES_AHEAD = timedelta(minutes=1)


def opens_at(shift: Shift) -> datetime:
    """From when on somebody can be said to have come."""
    return shift.starts_at - timedelta(minutes=settings.get(BEFORE))


def closes_at(shift: Shift) -> datetime:
    """Until when somebody can check out by herself."""
    return shift.ends_at + timedelta(minutes=settings.get(AFTER))


def span_of(attendance: Attendance) -> tuple[datetime, datetime] | None:
    """From when to when somebody served: never before the shift's beginning nor after its end; None while open."""
    if attendance.left_at is None:
        return None
    return _within(attendance.came_at, attendance.left_at, attendance.signup.shift)


def _within(came_at: datetime, left_at: datetime, shift: Shift) -> tuple[datetime, datetime]:
    starts = min(max(came_at, shift.starts_at), shift.ends_at)
    return starts, max(starts, min(left_at, shift.ends_at))


def minutes_between(came_at: datetime, left_at: datetime, shift: Shift) -> int:
    """Minutes that count, in whole steps, rounded down."""
    starts, ends = _within(came_at, left_at, shift)
    return rounded(int((ends - starts).total_seconds()) // 60, shift)


def rounded(minutes: int, shift: Shift) -> int:
    step = settings.get(STEP, clock.local(shift.starts_at).date())
    return minutes // step * step


def moment_near(shift: Shift, clock_time: time) -> datetime:
    """The instant that a clock time on the paper of a shift means: of its own days, and of the evening before or the
    morning after only while checking in or out is open, the one nearest to the shift.
    """
    first, last = clock.local(shift.starts_at).date(), clock.local(shift.ends_at).date()
    days = [first + timedelta(days=number) for number in range(-1, (last - first).days + 2)]
    moments = [clock.at(day, clock_time) for day in days]
    open_then = opens_at(shift), closes_at(shift)
    moments = [
        moment
        for day, moment in zip(days, moments, strict=True)
        if first <= day <= last or open_then[0] <= moment <= open_then[1]
    ]
    return min(moments, key=lambda moment: (_away(shift, moment), moment))


def _away(shift: Shift, moment: datetime) -> timedelta:
    if moment < shift.starts_at:
        return shift.starts_at - moment
    return max(moment - shift.ends_at, timedelta())


def check_times(shift: Shift, came_at: datetime, left_at: datetime | None, moment: datetime) -> None:
    """Refuse what cannot have been: before the check-in opens, in the future, left before coming, not on the shift."""
    if came_at > moment + LIES_AHEAD or (left_at is not None and left_at > moment + LIES_AHEAD):
        raise Refused(_("不能填将来的时间，请等活动进行后再填。"), field="left" if left_at else "came")
    if came_at < opens_at(shift):
        opens = moment_words(opens_at(shift))
        raise Refused(_("到达时间太早：这一班 %(time)s 起才可以签到。请核对时间。", time=opens), field="came")
    if came_at >= shift.ends_at:
        raise Refused(_("到达时间在班次结束以后，不能记服务时间。请核对时间，没有来的请登记未到。"), field="came")
    if left_at is not None and left_at < came_at:
        raise Refused(_("离开时间不能早于到达时间，请核对两个时间。"), field="left")


def day_totals(volunteer_ids: list[int], on: date) -> dict[int, int]:
    """Minutes of a day by volunteer, by the day on which the shift begins: what is disputed left out."""
    start, end = clock.day_bounds(on)
    query = (
        sa.select(Signup.volunteer_id, sa.func.sum(Attendance.minutes))
        .join(Attendance.signup)
        .where(
            Signup.volunteer_id.in_(volunteer_ids),
            Signup.starts_at >= start,
            Signup.starts_at < end,
            Attendance.minutes.is_not(None),
            Attendance.state != HoursState.DISPUTED,
        )
        .group_by(Signup.volunteer_id)
        .order_by(Signup.volunteer_id)
    )
    return {row[0]: int(row[1] or 0) for row in db.session.execute(query)}


def totals_of(found: Sequence[Attendance]) -> dict[int, int]:
    """Minutes of the day of each attendance, on all shifts, by its id: what is disputed left out."""
    start = min((one.signup.starts_at for one in found), default=None)
    if start is None:
        return {}
    query = (
        sa.select(Signup.volunteer_id, Signup.starts_at, Attendance.minutes)
        .join(Attendance.signup)
        .where(
            Signup.volunteer_id.in_({one.signup.volunteer_id for one in found}),
            Signup.starts_at >= clock.day_bounds(clock.local(start).date())[0],
            Attendance.minutes.is_not(None),
            Attendance.state != HoursState.DISPUTED,
        )
        .order_by(Signup.id)
    )
    days: Counter[tuple[int, date]] = Counter()
    for volunteer_id, starts_at, minutes in db.session.execute(query):
        days[volunteer_id, clock.local(starts_at).date()] += minutes or 0
    return {one.id: days[one.signup.volunteer_id, clock.local(one.signup.starts_at).date()] for one in found}


def over_day(minutes: int, on: date) -> bool:
    """Whether so many minutes of one day are to be looked at again."""
    return minutes > settings.get(DAY_HOURS, on) * 60


def day_of(moment: datetime) -> str:
    """The local day, as addresses say it."""
    return clock.local(moment).date().isoformat()


def is_over_day(minutes: int, starts_at: datetime) -> bool:
    """The same for the day on which a shift begins."""
    return over_day(minutes, clock.local(starts_at).date())


def hours_words(minutes: int | None) -> str:
    """Minutes as hours in tenths, as records say them."""
    if minutes is None:
        return ""
    return _("%(hours)s 小时", hours=f"{minutes / 60:.1f}")
