"""What timetables and slots are called on screen."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.catalogue.models.schedules import Break, DayException, MakeUp, Of, Slot, SlotState, Timetable, WeeklyHours
from portal.catalogue.service.opening import Span
from portal.core import reasons
from portal.core.clock import local
from portal.core.web import day_words
from portal.registry.service.resources import hours

_WORDS: dict[type[StrEnum], dict[StrEnum, Any]] = {
    Of: {Of.STAFF: _l("一位服务人员的"), Of.ROOM: _l("一间房间的"), Of.DESK: _l("一个窗口的")},
    MakeUp: {
        MakeUp.CLOSED: _l("不开放"),
        MakeUp.OWN: _l("按周末自己的时间"),
        MakeUp.MONDAY: _l("按周一的时间"),
        MakeUp.TUESDAY: _l("按周二的时间"),
        MakeUp.WEDNESDAY: _l("按周三的时间"),
        MakeUp.THURSDAY: _l("按周四的时间"),
        MakeUp.FRIDAY: _l("按周五的时间"),
    },
    SlotState: {
        SlotState.OPEN: _l("可预约"),
        SlotState.CLOSED: _l("停止预约"),
        SlotState.CALLED_OFF: _l("已取消"),
    },
}
TINTS = {SlotState.OPEN: "ok", SlotState.CLOSED: "warn", SlotState.CALLED_OFF: "bad"}


def schedule_said(code: StrEnum) -> str:
    return str(_WORDS[type(code)][code])


def slot_tint(slot: Slot) -> str:
    return TINTS[slot.state]


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(code.value, str(words)) for code, words in _WORDS[kind].items()]


def hours_words(timetable: Timetable) -> str:
    """The week in the words that the form reads again."""
    return _week_words(timetable.hours)


def breaks_words(timetable: Timetable) -> str:
    """The breaks in the same words: 每天 12:00-13:30, or each with its weekdays."""
    return _week_words(timetable.breaks)


def _week_words(rows: Sequence[WeeklyHours] | Sequence[Break]) -> str:
    week: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows:
        closes = "24:00" if (row.closes.hour, row.closes.minute) == (23, 59) else f"{row.closes:%H:%M}"
        week[str(row.weekday)].append([f"{row.opens:%H:%M}", closes])
    return hours.said(dict(week))


def clock_words(slot: Slot) -> str:
    """09:00–09:30."""
    return f"{local(slot.starts_at):%H:%M}–{local(slot.ends_at):%H:%M}"


def starts_words(spans: Sequence[Span]) -> str:
    """When the slots of a day begin: 09:00 09:30 10:00."""
    return " ".join(f"{local(span.starts_at):%H:%M}" for span in spans)


def column_day(day: date) -> str:
    """The head of a day's column: 周一 23日."""
    return _("%(weekday)s %(day)d日", weekday=hours.weekday(day.weekday()), day=day.day)


def exception_words(row: DayException) -> str:
    """6月9日 周二 停办: 停电检修."""
    days = day_words(row.first_day)
    if row.last_day != row.first_day:
        days = _("%(first)s 至 %(last)s", first=days, last=day_words(row.last_day))
    if row.opens is None or row.closes is None:
        return _("%(days)s停办", days=days)
    return _("%(days)s改为 %(opens)s–%(closes)s", days=days, opens=f"{row.opens:%H:%M}", closes=f"{row.closes:%H:%M}")


def why(slot: Slot) -> str:
    """Why a slot is closed or called off, in the reader's language."""
    return reasons.said(slot.reason)


def whose_words(timetable: Timetable) -> str:
    """何医生, 活动中心 诊室, or a desk."""
    if timetable.staff is not None:
        return timetable.staff.name
    if timetable.room is not None:
        return f"{timetable.room.facility.name} {timetable.room.name}"
    return _("窗口")
