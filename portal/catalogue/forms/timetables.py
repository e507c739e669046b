"""Forms of timetables, their exceptions, and of slots that are closed or called off."""

import re
from collections.abc import Iterable
from datetime import time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.areas.models import Area
from portal.catalogue.forms.seen import SeenForm, snapshot
from portal.catalogue.models.schedules import MakeUp, Of, Timetable
from portal.catalogue.service import schedule_words, timetables
from portal.catalogue.service.timetables import Facts, Hours
from portal.core.clock import today
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
from portal.registry.service.resources import hours

END_OF_DAY = time(23, 59)


def between(least: int, most: int) -> list[Any]:
    """A whole number of these bounds, which must be said."""
    words = _l("请填 %(min)d 到 %(max)d 之间的整数")
    return [InputRequired(_l("请填写这一项")), NumberRange(least, most, message=words)]


class TimetableForm(SeenForm):
    """A timetable. The hours are written as words: 周一至周五 8:30-11:30 14:00-17:00. `made` is its id afterwards."""

    made = ""

    name = TrimmedField(
        _l("名称"), [required(), at_most(60)], description=_l("居民和同事看到的名字，例如：口腔义诊（何医生）")
    )
    items = ManyField(_l("办哪些事项"), description=_l("几个事项可以共用同一批名额"), coerce=int)
    of = RadioField(_l("这是谁的时间表"), default=Of.DESK.value)
    staff = SelectField(_l("服务人员"), coerce=int, default=0, validate_choice=False)
    room = SelectField(_l("房间"), coerce=int, default=0, validate_choice=False)
    place = TrimmedField(_l("到哪里办"), [Optional(), at_most(120)], description=_l("例如：党群服务中心一楼 2 号窗口"))
    hours = TrimmedField(
        _l("每周开放时间"),
        [required(), at_most(300)],
        description=_l("例如：周一至周五 8:30-11:30 14:00-17:00；周六 9:00-11:00"),
    )
    breaks = TrimmedField(
        _l("中间休息"),
        [Optional(), at_most(100)],
        description=_l("例如：12:00-13:30 是每天都停；周三 14:00-15:00 是只在周三停"),
    )
    slot_minutes = CountField(_l("每个时段几分钟"), between(5, 480), default=30)
    buffer_minutes = CountField(_l("时段之间隔几分钟"), between(0, 240), default=0)
    people = CountField(_l("同时接待几人"), between(1, 500), default=1)
    minimum = CountField(_l("最少几人成行"), between(0, 500), default=0, description=_l("不要求就填 0"))
    decide_hours = CountField(
        _l("提前几小时看人数"), between(1, 240), default=24, description=_l("到时人数不够，自动取消并通知已预约的人")
    )
    days_ahead = CountField(_l("提前几天开放预约"), between(1, timetables.MOST_DAYS), default=14)
    valid_from = DayField(_l("从哪天起"), [required(_l("请填日期"))], default=today)
    valid_to = DayField(_l("到哪天为止"), [Optional()], description=_l("不填就一直有效"))
    on_holidays = BooleanField(_l("法定节假日也开放"))
    make_up = SelectField(_l("调休上班的周末"), default=MakeUp.CLOSED.value)

    def offer(self, community: Area) -> None:
        """What can be chosen in a community."""
        self.of.choices = schedule_words.choices(Of)
        self.make_up.choices = schedule_words.choices(MakeUp)
        self.items.choices = [(item.id, item.title) for item in timetables.items_for(community)]
        self.staff.choices = [(0, _("请选择"))] + [(one.id, one.name) for one in timetables.staff_for(community)]
        rooms = [(one.id, f"{one.facility.name} {one.name}") for one in timetables.rooms_for(community)]
        self.room.choices = [(0, _("请选择")), *rooms]

    def facts(self) -> Facts:
        of = Of(self.of.data)
        return Facts(
            name=self.text("name"),
            of=of,
            items=tuple(self.items.data or ()),
            hours=_hours(self.text("hours")),
            breaks=_breaks(self.text("breaks")),
            staff_id=self.staff.data or None,
            room_id=self.room.data or None,
            place=self.text("place"),
            valid_from=self.valid_from.data or today(),
            valid_to=self.valid_to.data,
            days_ahead=self.days_ahead.data or 0,
            people=self.people.data or 0,
            minimum=self.minimum.data or 0,
            decide_hours=self.decide_hours.data or 0,
            slot_minutes=self.slot_minutes.data or 0,
            buffer_minutes=self.buffer_minutes.data or 0,
            on_holidays=bool(self.on_holidays.data),
            make_up=MakeUp(self.make_up.data),
        )


def timetable_form(community: Area, timetable: Timetable | None = None) -> TimetableForm:
    """Empty, or filled from the timetable that is to be changed."""
    filled = stands(timetable) if timetable else {}
    form = TimetableForm(data=filled | {"seen": snapshot(filled)}) if timetable else TimetableForm()
    form.offer(community)
    return form


def stands(timetable: Timetable) -> dict[str, Any]:
    """The fields as the timetable fills them."""
    plain = {name: getattr(timetable, name) for name in timetables.PLAIN}
    return plain | {
        "of": timetable.of.value,
        "make_up": timetable.make_up.value,
        "items": [item.id for item in timetable.items],
        "staff": timetable.staff_id or 0,
        "room": timetable.room_id or 0,
        "hours": schedule_words.hours_words(timetable),
        "breaks": schedule_words.breaks_words(timetable),
    }


def _hours(text: str) -> Hours:
    rows = _rows(text, "hours")
    if not rows:
        raise Refused(_("请写明每周哪几天、几点到几点开放。"), field="hours")
    return rows


def _rows(text: str, field: str) -> Hours:
    """Words that name no days mean every day."""
    found = hours.parse(text, field=field) if text else {}
    return tuple((int(day), *_pair(span)) for day, spans in found.items() for span in spans)


def _breaks(text: str) -> Hours:
    """A break of every day holds on the days that have one more; what overlaps is one break."""
    rows = sorted({row for part in re.split(r"[;；\n。]", text) for row in _rows(part.strip(), "breaks")})
    joined: list[tuple[int, time, time]] = []
    for day, opens, closes in rows:
        if joined and joined[-1][0] == day and opens <= joined[-1][2]:
            joined[-1] = (day, joined[-1][1], max(closes, joined[-1][2]))
        else:
            joined.append((day, opens, closes))
    return tuple(joined)


def _pair(span: Iterable[str]) -> tuple[time, time]:
    opens, closes = (END_OF_DAY if clock == "24:00" else time.fromisoformat(clock) for clock in span)
    return opens, closes


class ExceptionForm(Form):
    """Days that are closed, or open at other hours."""

    first_day = DayField(_l("从哪天起"), [required(_l("请填日期"))])
    last_day = DayField(_l("到哪天为止"), [required(_l("请填日期"))])
    kind = RadioField(_l("这几天"), default="closed")
    opens = ClockField(_l("改为几点开始"), [Optional()])
    closes = ClockField(_l("改为几点结束"), [Optional()])
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因，居民会看到")), at_most(120)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [("closed", _("停办")), ("other", _("改时间"))]

    def hours(self) -> tuple[time, time] | None:
        if self.kind.data == "closed":
            return None
        if self.opens.data is None or self.closes.data is None:
            raise Refused(_("请填改为几点开始、几点结束。"), field="opens" if self.opens.data is None else "closes")
        return self.opens.data, self.closes.data


class DayOffForm(OnceForm):
    day = DayField(_l("哪一天"), [required(_l("请填日期"))], default=today)
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因，会告诉已预约的人")), at_most(120)])


class SlotForm(OnceForm):
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(120)])


class EndForm(Form):
    reason = TrimmedField(_l("原因"), [required(_l("请写明为什么不再用这张时间表")), at_most(120)])
