"""Forms of plans: what to compute, whom to put somewhere by hand, what to leave out, why it is taken back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portal.core import settings
from portal.core.clock import today
from portal.core.forms import CountField, DayField, Form, ManyField, TrimmedField, required
from portal.volunteers.service.plan_editing import Choice
from portal.volunteers.service.planning import Wishes
from portal.volunteers.service.standing import DAY, REST, WEEK


class PlanForm(Form):
    """Which days, which activities, within which limits. Hours here, minutes in the service."""

    first_day = DayField(_l("从哪天起"), validators=[required(_l("请填日期"))])
    last_day = DayField(_l("到哪天为止"), validators=[required(_l("请填日期"))])
    activities = ManyField(_l("排哪些活动"), validators=[Optional()])
    only_free = RadioField(_l("空闲时间"), default="1")
    rest_minutes = CountField(_l("两班之间至少休息多少分钟"), validators=[InputRequired(), NumberRange(0, 1440)])
    day_hours = CountField(_l("每人一天最多几小时"), validators=[InputRequired(), NumberRange(1, 24)])
    week_hours = CountField(_l("每人一周最多几小时"), validators=[Optional(), NumberRange(1, 100)])
    seconds = SelectField(_l("最多算多久"), coerce=int, default=30)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.only_free.choices = [
            ("1", _l("只排在本人填了有空的时间")),
            ("0", _l("也可以排在没填有空的时间，排上以后再问本人")),
        ]
        self.seconds.choices = [(10, _l("10 秒")), (30, _l("30 秒")), (60, _l("1 分钟")), (120, _l("2 分钟"))]

    @classmethod
    def fresh(cls) -> "PlanForm":
        """With the portal's rules, for the fortnight from tomorrow."""
        first = today() + timedelta(days=1)
        return cls(
            first_day=first,
            last_day=first + timedelta(days=13),
            rest_minutes=settings.get(REST),
            day_hours=settings.get(DAY) // 60,
            week_hours=settings.get(WEEK),
        )

    def offer(self, activities: Sequence[tuple[str, str, int]]) -> None:
        self.activities.choices = [(key, title) for key, title, _count in activities]

    def wishes(self) -> Wishes:
        first, last = self.first_day.data or today(), self.last_day.data or today()
        return Wishes(
            first_day=first,
            last_day=last,
            activities=list(self.activities.data or ()),
            rest_minutes=self.rest_minutes.data or 0,
            day_minutes=60 * (self.day_hours.data or 0),
            week_minutes=60 * (self.week_hours.data or 0),
            only_free=self.only_free.data != "0",
            seconds=self.seconds.data or 30,
        )


class LineForm(Form):
    """Strike a line, or put it back."""

    act = HiddenField()


class ChoiceForm(Form):
    """Somebody for a post, by hand."""

    volunteer = RadioField(_l("选谁"), coerce=int, validators=[InputRequired(_l("请选一个人"))])

    def offer(self, choices: Sequence[Choice]) -> None:
        self.volunteer.choices = [(one.volunteer_id, one.name) for one in choices if one.standing.holds]


class ApplyForm(Form):
    """`left_out` are the lines that were shown as not holding any more, agreed to be left out."""

    left_out = HiddenField()

    def agreed(self) -> set[int]:
        return {int(one) for one in self.text("left_out").split(",") if one.isdecimal()}


class TakeBackForm(Form):
    reason = TrimmedField(
        _l("撤回的原因"), validators=[required(), Length(min=2, max=200, message=_l("请写 2 至 200 个字"))]
    )
