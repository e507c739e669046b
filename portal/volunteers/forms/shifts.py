"""Forms of shifts: a pattern, a single shift, undoing a batch."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.core import clock
from portal.core.clock import local, today
from portal.core.errors import Refused
from portal.core.forms import (
    ClockField,
    CountField,
    DayField,
    Form,
    ManyField,
    OnceForm,
    TrimmedField,
    at_most,
    required,
)
from portal.volunteers.models.activities import Activity, Shift
from portal.volunteers.service import patterns
from portal.volunteers.service.patterns import Pattern

WEEKDAYS = (_l("周一"), _l("周二"), _l("周三"), _l("周四"), _l("周五"), _l("周六"), _l("周日"))


class PatternForm(OnceForm):
    weekdays = ManyField(_l("星期几"), coerce=int)
    slots = TrimmedField(
        _l("每天几点到几点"),
        [required(_l("请写每天的时间")), at_most(200)],
        description=_l("例如：9:00-11:00；14:00-16:00。跨夜写 22:00-00:30"),
    )
    first = DayField(_l("从哪天起"), [required(_l("请填日期"))], default=today)
    last = DayField(_l("到哪天为止"), [required(_l("请填日期"))], default=lambda: today() + timedelta(days=30))
    skip_holidays = BooleanField(_l("法定节假日不排"), default=True)
    without = TrimmedField(
        _l("另外哪些天不排"), [Optional(), at_most(300)], description=_l("例如：12-25、1-3，用顿号隔开")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.weekdays.choices = list(enumerate(WEEKDAYS))

    def pattern(self) -> Pattern:
        first, last = self.first.data or today(), self.last.data or today()
        return Pattern(
            weekdays=tuple(sorted(self.weekdays.data or ())),
            slots=patterns.parse_slots(self.text("slots")),
            first=first,
            last=last,
            skip_holidays=bool(self.skip_holidays.data),
            without=patterns.parse_days(self.text("without"), first, last),
        )


class ShiftForm(OnceForm):
    """A single shift; how many each position needs are fields of `needs_form`, one for each."""

    day = DayField(_l("哪一天"), [required(_l("请填日期"))])
    starts = ClockField(_l("几点开始"), [InputRequired(_l("请填时间"))])
    ends = ClockField(_l("几点结束"), [InputRequired(_l("请填时间"))], description=_l("比开始早就算第二天"))
    place = TrimmedField(_l("地点"), [Optional(), at_most(120)], description=_l("和活动的集合地点不同才填"))
    note = TrimmedField(_l("给志愿者的话"), [Optional(), at_most(200)])
    with_people = BooleanField(_l("连同已报名的人一起改，并通知他们"))

    def times(self) -> tuple[datetime, datetime]:
        day, starts, ends = self.day.data, self.starts.data, self.ends.data
        if day is None or starts is None or ends is None:
            raise Refused(_("请填时间"), field="starts")
        last = day if ends > starts else day + timedelta(days=1)
        return clock.at(day, starts), clock.at(last, ends)

    def needs(self) -> dict[int, int]:
        found = {name: field.data for name, field in self._fields.items() if name.startswith("needs-")}
        return {int(name.split("-")[1]): number for name, number in found.items() if number is not None}

    def needed(self) -> list[IntegerField]:
        return [field for name, field in self._fields.items() if name.startswith("needs-")]


def shift_form(activity: Activity, shift: Shift | None = None) -> ShiftForm:
    """Empty, or filled from the shift that is to be changed, with a number for each position."""
    totals = {post.position_id: post.capacity.total for post in shift.posts} if shift else {}
    whole = _with_needs(activity, totals)
    if shift is None:
        return whole(data={"day": today() + timedelta(days=1)})
    start, end = local(shift.starts_at), local(shift.ends_at)
    data = {"day": start.date(), "starts": start.time(), "ends": end.time(), "place": shift.place, "note": shift.note}
    return whole(data=data)


def _with_needs(activity: Activity, totals: Mapping[int, int]) -> type[ShiftForm]:
    """The form with a field for each position: a class of its own, so that no other request sees them."""
    fields = {
        f"needs-{one.id}": CountField(
            _("%(name)s要几人", name=one.name),
            [InputRequired(_("请填要几个人")), NumberRange(1, 200, _("请填 1 到 200 之间的整数"))],
            default=totals.get(one.id, one.needs),
        )
        for one in activity.positions
        if not totals or one.id in totals
    }
    return type("ShiftForm", (ShiftForm,), fields)


class UndoForm(Form):
    """Undoing a batch; `only_free` leaves those with people on them."""

    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(120)])
    only_free = BooleanField(_l("只撤销还没有人报名的班次"))
