"""What is typed into the rota: shifts, required hours, who stands in, telephones, and swaps."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, SelectMultipleField, TextAreaField
from wtforms.validators import Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import calendar, ids
from portal.core.clock import local, today
from portal.core.forms import ClockField, DayField, Form, TrimmedField, at_most, required
from portal.duty.models import DayKind, DayPlan, Shift, ShiftRole
from portal.duty.service.dayrules import Wanted
from portal.duty.service.rota import ShiftFacts
from portal.duty.service.swaps import Option
from portal.duty.service.words import choices, shift_words
from portal.identity.models import Account


class LineField(TrimmedField):
    """A work telephone: mobile or landline."""

    def pre_validate(self, form: Any) -> None:
        if not self.data:
            return
        try:
            self.data = ids.check_phone(self.data)
        except ids.InvalidNumber as invalid:
            raise ValidationError(str(invalid)) from None


class ShiftForm(Form):
    day = DayField(_l("日期"), [required(_l("请填日期"))])
    opens = ClockField(_l("开始"), [required(_l("请填时间，例如 08:30"))])
    closes = ClockField(_l("结束"), [required(_l("请填时间，例如 17:30"))])
    place = TrimmedField(_l("地点"), [required(), at_most(60)])
    role = SelectField(_l("做什么"))
    people = SelectMultipleField(
        _l("谁值班"), [Optional()], widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    phone = LineField(_l("这个地点的电话"), [Optional(), at_most(30)])
    note = TrimmedField(_l("备注"), [Optional(), at_most(120)])

    def __init__(self, *args: Any, desk: list[Account], shift: Shift | None = None, **kwargs: Any) -> None:
        if shift is not None:
            kwargs["data"] = _said_of(shift)
        super().__init__(*args, **kwargs)
        self.role.choices = choices(ShiftRole)
        self.people.choices = [(account.public_id, account.name) for account in desk]

    def facts(self, people: list[Account]) -> ShiftFacts:
        assert self.opens.data
        assert self.closes.data
        return ShiftFacts(
            place=self.text("place"),
            role=ShiftRole(self.role.data),
            day=self.day.data or today(),
            opens=self.opens.data,
            closes=self.closes.data,
            phone=self.text("phone"),
            note=self.text("note"),
            people=people,
        )


def _said_of(shift: Shift) -> dict[str, Any]:
    starts, ends = local(shift.starts_at), local(shift.ends_at)
    return {
        "day": starts.date(),
        "opens": starts.time(),
        "closes": ends.time(),
        "place": shift.place,
        "role": shift.role.value,
        "people": [turn.account.public_id for turn in shift.turns],
        "phone": shift.phone,
        "note": shift.note,
    }


class WeekForm(Form):
    """Which week to copy into."""

    week = DayField(_l("星期"), [required()])

    def monday(self) -> date:
        return self.week.data or today()


class CoverForm(Form):
    hours = TextAreaField(_l("必须有人值班的时段"), [Optional(), at_most(300)])


class DayRuleForm(Form):
    kind = SelectField(_l("哪种日子"))
    name = SelectField(_l("只管哪个节日"), validate_choice=False)
    plan = SelectField(_l("哪些时段必须有人"))
    hours = TrimmedField(_l("统一的时段"), [Optional(), at_most(100)])
    valid_from = DayField(_l("从哪天起"), [required(_l("请填日期"))])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices, self.plan.choices = choices(DayKind), choices(DayPlan)
        self.name.choices = [("", _("所有节日")), *((name, name) for name in calendar.holiday_names())]

    def wanted(self) -> Wanted:
        return Wanted(
            kind=DayKind(self.kind.data),
            plan=DayPlan(self.plan.data),
            valid_from=self.valid_from.data or today(),
            name=self.text("name"),
            text=self.text("hours"),
        )


class FallbackForm(Form):
    person = SelectField(_l("兜底值班人"))
    phone = LineField(_l("随时打得通的电话"), [required(_l("请填电话")), at_most(30)])


class PhoneForm(Form):
    phone = LineField(_l("值班电话"), [Optional(), at_most(30)])


class SwapForm(Form):
    taker = SelectField(_l("请谁来值"))
    back = SelectField(_l("换回对方的哪个班"), coerce=int)
    reason = TrimmedField(_l("原因"), [Optional(), at_most(120)])

    def offer(self, options: list[Option]) -> None:
        self.taker.choices = [(option.account.public_id, option.account.name) for option in options]
        back = [(turn.id, f"{turn.account.name} {shift_words(turn.shift)}") for one in options for turn in one.turns]
        self.back.choices = [(0, _("不换回，只请对方代值")), *back]

    def said(self) -> dict[str, Any]:
        return {"taker": self.taker.data, "back": self.back.data or None, "reason": self.text("reason")}
