"""What happened on the day: coming and going, hours by hand with a second person, who did not come.

A coming and a going known by code, or marked by the leader on the spot, count at once. What was entered by hand, and
what somebody could enter for herself, waits until a second person confirms it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.core import audit, clock, events
from portal.core.access import Actor
from portal.core.clock import now
from portal.core.db import db, guarded, insert_once, unique_or
from portal.core.errors import Refused
from portal.volunteers.models.codes import HoursState, Mark, ShiftState, SignupState
from portal.volunteers.models.signups import Attendance, CodeUse, Signup
from portal.volunteers.service import attendance_telling, hours, joining, leading
from portal.volunteers.service.codes import Purpose

# Heard with `attendance_id`: hours have become CONFIRMED (their minutes may be 0); what was CONFIRMED is so no more.
CONFIRMED, CHANGED = "volunteer_hours_confirmed", "volunteer_hours_changed"
BY_HAND = frozenset({Mark.PAPER, Mark.WORKER})
BY_CODE = frozenset({Mark.QR, Mark.PIN, Mark.OFFLINE})


@dataclass(frozen=True)
class Times:
    """What is entered by hand. `pause` are minutes between coming and going that were not given."""

    came_at: datetime
    left_at: datetime | None = None
    pause: int = 0
    words: str = ""


def attendance_of(signup: Signup) -> Attendance | None:
    query = sa.select(Attendance).where(Attendance.signup_id == signup.id).order_by(Attendance.id)
    return db.session.scalar(query)


def confirmed(signup: Signup) -> Attendance | None:
    """The attendance whose hours count; `hours.span_of` says from when to when."""
    found = attendance_of(signup)
    return found if found is not None and found.state is HoursState.CONFIRMED else None


def mark_in(signup: Signup, mark: Mark, at: datetime, by: Actor) -> Attendance:
    """Somebody has come. A code counts once for a person, whoever taps twice."""
    _check_held(signup)
    earlier = attendance_of(signup)
    if earlier is not None:
        raise Refused(
            _("已经在 %(time)s 签到过了，不用再签。", time=f"{clock.local(earlier.came_at):%H:%M}"), field="code"
        )
    hours.check_times(signup.shift, at, None, now())
    _use(signup, Purpose.IN, mark)
    found = Attendance(
        signup_id=signup.id,
        signup=signup,
        came_at=at,
        came_by=mark,
        came_entered_by=by.public_id,
        entered_by=by.public_id,
        entered_by_name=by.name,
    )
    with unique_or(_twice()):
        db.session.add(found)
    _move(signup, SignupState.PRESENT, by=by)
    _record("volunteers.came", signup, by=by, mark=mark.value)
    return found


def mark_out(signup: Signup, mark: Mark, at: datetime, by: Actor) -> Attendance:
    """Somebody has gone: hours are counted, and confirmed at once where no hand was in it."""
    found = attendance_of(signup)
    if found is None or signup.state not in {SignupState.PRESENT, SignupState.DONE}:
        raise Refused(_("还没有签到，不能签退。请先签到，或者请负责人登记到达时间。"), field="code")
    if found.left_at is not None:
        raise Refused(
            _("已经在 %(time)s 签退过了，不用再签。", time=f"{clock.local(found.left_at):%H:%M}"), field="code"
        )
    hours.check_times(signup.shift, found.came_at, at, now())
    _use(signup, Purpose.OUT, mark)
    minutes = hours.minutes_between(found.came_at, at, signup.shift)
    values = {"left_at": at, "left_by": mark, "minutes": minutes}
    if mark in BY_HAND or found.came_by not in BY_HAND:
        values |= {"entered_at": now(), "entered_by": by.public_id, "entered_by_name": by.name}
    _change(found, Attendance.left_at.is_(None), **values)
    _move(signup, SignupState.DONE, by=by)
    _record("volunteers.went", signup, by=by, mark=mark.value, minutes=minutes)
    _settle(found)
    return found


def enter_hours(signup: Signup, times: Times, *, by: Actor, mark: Mark = Mark.WORKER) -> Attendance:
    """Write or change the times by hand. What was confirmed before needs a reason, and waits again."""
    hours.check_times(signup.shift, times.came_at, times.left_at, now())
    _check_held(signup)
    found = attendance_of(signup)
    was_confirmed = found is not None and found.state is HoursState.CONFIRMED
    if was_confirmed and not times.words.strip():
        raise Refused(_("这份服务时间已经确认过，修改请写明原因。"), field="words")
    if was_confirmed:
        assert found is not None
        _change(found, Attendance.state == HoursState.CONFIRMED, state=HoursState.OPEN)
        events.publish(CHANGED, attendance_id=found.id)
    found = _written(signup, found, times, by=by, mark=mark)
    if signup.state is not (state := _state_of(found)):
        _move(signup, state, by=by)
    _record("volunteers.hours_entered", signup, by=by, mark=mark.value, reason=times.words, minutes=found.minutes)
    _settle(found)
    if was_confirmed:
        attendance_telling.tell("volunteers.hours_changed", signup, reason=times.words)
    return found


def _written(signup: Signup, found: Attendance | None, times: Times, *, by: Actor, mark: Mark) -> Attendance:
    values = {
        "came_at": times.came_at,
        "came_by": mark,
        "left_at": times.left_at,
        "left_by": mark if times.left_at else None,
        "minutes": _counted(signup, times),
        "state": HoursState.OPEN,
        "came_entered_by": by.public_id,
        "entered_at": now(),
        "entered_by": by.public_id,
        "entered_by_name": by.name,
        "confirmed_at": None,
        "confirmed_by": "",
        "confirmed_by_name": "",
        "words": times.words.strip()[:200],
    }
    if found is not None:
        _change(found, Attendance.state == found.state, **values)
        return found
    made = Attendance(signup_id=signup.id, signup=signup, **values)
    with unique_or(_twice()):
        db.session.add(made)
    return made


def _counted(signup: Signup, times: Times) -> int | None:
    if times.left_at is None:
        return None
    between = hours.minutes_between(times.came_at, times.left_at, signup.shift)
    if times.pause < 0 or times.pause > between:
        raise Refused(_("中间休息的时间不能超过服务时间，请核对。"), field="pause")
    return hours.rounded(between - times.pause, signup.shift)


def _state_of(found: Attendance) -> SignupState:
    return SignupState.DONE if found.left_at is not None else SignupState.PRESENT


def take_back(signup: Signup, purpose: Purpose, *, by: Actor, reason: str) -> None:
    """A mark was a mistake. Confirmed hours are disputed first, so that their record hears of it."""
    found, reason = attendance_of(signup), _reasoned(reason)
    if found is None:
        raise Refused(_("这个人还没有签到，没有要撤销的登记。"))
    if found.state is HoursState.CONFIRMED:
        raise Refused(_("服务时间已经确认。要改请先提出异议，再重新登记。"))
    if purpose is Purpose.OUT and found.left_at is None:
        raise Refused(_("这个人还没有签退，没有要撤销的登记。"))
    if purpose is Purpose.IN:
        uses = CodeUse.signup_id == signup.id
        _change(found, Attendance.state == found.state, state=HoursState.OPEN)
        db.session.delete(found)
        _move(signup, SignupState.JOINED, by=by)
    else:
        uses = sa.and_(CodeUse.signup_id == signup.id, CodeUse.purpose == purpose.value)
        _change(found, Attendance.state == found.state, left_at=None, left_by=None, minutes=None, state=HoursState.OPEN)
        _move(signup, SignupState.PRESENT, by=by)
    db.session.execute(sa.delete(CodeUse).where(uses))
    _record("volunteers.mark_taken_back", signup, by=by, reason=reason, mark=purpose.value)


def confirm(found: Attendance, *, by: Actor, seen: str = "") -> None:
    """A second person agrees with what was entered by hand. `seen` is the mark of what that person looked at."""
    if found.state is not HoursState.TO_CONFIRM:
        raise Refused(_("这份服务时间不在待确认之列，请刷新页面再看。"))
    if by.public_id in {found.entered_by, found.came_entered_by}:
        raise Refused(_("服务时间要由另一个人确认：登记的人不能自己确认。请另一位工作人员或负责人来确认。"))
    if leading.is_self(found.signup.volunteer, by):
        raise Refused(_("不能确认自己的服务时间，请另一位工作人员或负责人来确认。"))
    if seen and seen != stamp(found):
        raise Refused(_("您看过以后，登记的时间又改过。请刷新页面，核对新的时间再确认。"))
    facts = {"confirmed_at": now(), "confirmed_by": by.public_id, "confirmed_by_name": by.name}
    _change(found, Attendance.state == HoursState.TO_CONFIRM, state=HoursState.CONFIRMED, **facts)
    _record("volunteers.hours_confirmed", found.signup, by=by, minutes=found.minutes)
    events.publish(CONFIRMED, attendance_id=found.id)


def stamp(found: Attendance) -> str:
    """What a page says it showed: changes whenever the times are entered anew."""
    return f"{found.entered_at:%Y%m%d%H%M%S%f}"


def dispute(found: Attendance, *, by: Actor, reason: str) -> None:
    """Hours are not agreed to: they count no more until they are entered and confirmed anew."""
    reason = _reasoned(reason)
    if found.state not in {HoursState.TO_CONFIRM, HoursState.CONFIRMED}:
        raise Refused(_("这份服务时间还没有登记完，不用提出异议，直接修改就可以。"))
    was_confirmed = found.state is HoursState.CONFIRMED
    _change(found, Attendance.state == found.state, state=HoursState.DISPUTED, words=reason)
    _record("volunteers.hours_disputed", found.signup, by=by, reason=reason)
    if was_confirmed:
        events.publish(CHANGED, attendance_id=found.id)
    attendance_telling.tell("volunteers.hours_disputed", found.signup, reason=reason)


def no_show(signup: Signup, reason: str, *, by: Actor) -> None:
    """Somebody did not come: only once the shift has begun, and with a reason."""
    reason = _reasoned(reason)
    if now() < signup.shift.starts_at:
        raise Refused(_("活动还没开始，不能登记未到。提前说不来的，请在报名名单里办理退出。"))
    if signup.state is not SignupState.JOINED:
        raise Refused(_("只有报了名、还没有签到的人可以登记未到，请刷新页面再看。"))
    _check_held(signup)
    _move(signup, SignupState.NO_SHOW, by=by, reason=reason)
    _record("volunteers.no_show_marked", signup, by=by, reason=reason)
    attendance_telling.tell("volunteers.no_show_marked", signup, reason=reason)


def undo_no_show(signup: Signup, reason: str, *, by: Actor) -> None:
    """It was a mistake, or there was a good excuse."""
    reason = _reasoned(reason)
    if signup.state is not SignupState.NO_SHOW:
        raise Refused(_("这个人没有登记未到，请刷新页面再看。"))
    _move(signup, SignupState.JOINED, by=by, reason="")
    _record("volunteers.no_show_undone", signup, by=by, reason=reason)
    attendance_telling.tell("volunteers.no_show_undone", signup, reason=reason)


def no_shows(volunteer_ids: Collection[int], since: datetime) -> dict[int, int]:
    """How often each did not come to a shift that began since a moment; who always came is not in it."""
    query = (
        sa.select(Signup.volunteer_id, sa.func.count())
        .where(
            Signup.volunteer_id.in_(volunteer_ids),
            Signup.state == SignupState.NO_SHOW,
            Signup.starts_at >= since,
        )
        .group_by(Signup.volunteer_id)
        .order_by(Signup.volunteer_id)
    )
    return {row[0]: int(row[1]) for row in db.session.execute(query)}


def needs_second(found: Attendance) -> bool:
    """Whether a hand that could err, or that of the volunteer herself, was in it."""
    if {found.came_by, found.left_by} & BY_HAND:
        return True
    signup = found.signup
    # Who leads the shift sees the codes herself.
    return leading.leads(signup.shift, signup.volunteer.person)


def _settle(found: Attendance) -> None:
    """Hours that are complete are confirmed by the codes and the leader, or wait for a second person."""
    if found.left_at is None:
        return
    if needs_second(found):
        _change(found, Attendance.state != HoursState.CONFIRMED, state=HoursState.TO_CONFIRM)
        return
    _change(found, Attendance.state != HoursState.CONFIRMED, state=HoursState.CONFIRMED, confirmed_at=now())
    events.publish(CONFIRMED, attendance_id=found.id)


def _check_held(signup: Signup) -> None:
    if signup.shift.state is ShiftState.CALLED_OFF:
        raise Refused(_("这个班次已经取消，不用签到。"), field="code")
    if signup.state is SignupState.REQUESTED:
        raise Refused(_("报名还没有通过，请先通过报名再登记签到。"), field="code")
    if not signup.holds():
        raise Refused(_("这个人不在这个班次上（已经退出或被移出），请先报名再登记签到。"), field="code")


def _use(signup: Signup, purpose: Purpose, mark: Mark) -> None:
    """A code of a purpose counts once for a signup: the constraint says which of two taps does."""
    row = {"signup_id": signup.id, "purpose": purpose.value, "used_at": now()}
    if mark in BY_CODE and not insert_once(CodeUse, row):
        raise _twice()


def _twice() -> Refused:
    return Refused(_("刚才已经登记过了，不用再点。请刷新页面看看结果。"), field="code")


def _reasoned(reason: str) -> str:
    if not reason.strip():
        raise Refused(_("请写明原因，方便以后核对。"), field="reason")
    return reason.strip()[:200]


def _move(signup: Signup, state: SignupState, *, by: Actor, reason: str = "") -> None:
    """What came of a signup: its place and its time stay held."""
    joining.mark(signup, state, by=by, reason=reason)


def _change(found: Attendance, still: sa.ColumnElement[bool], **values: object) -> None:
    if not guarded(sa.update(Attendance).where(Attendance.id == found.id, still).values(**values)):
        raise _twice()
    db.session.refresh(found)


def _record(action: str, signup: Signup, *, by: Actor, **facts: Any) -> None:
    audit.record(action, signup, on_behalf_of=signup.volunteer.person.public_id, by=by.public_id, **facts)
