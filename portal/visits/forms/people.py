"""Forms about who is cared for: her wishes, her absences, her level, her worker."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, TextAreaField
from wtforms.validators import Optional

from portal.core.clock import today
from portal.core.forms import DayField, Form, TrimmedField, at_most, required
from portal.visits.forms.fields import PickField
from portal.visits.models import CareSubject, Consent, Exclusion, Level, Method, TimeOfDay
from portal.visits.service.wishes import BY_REGISTER
from portal.visits.service.words import choices

OFF = "off"


class WishForm(Form):
    consent = PickField(_l("本人意愿"), validators=[required(_l("请选一项"))])
    method = PickField(_l("愿意怎样联系"), validators=[required(_l("请选一项"))])
    time_of_day = PickField(_l("什么时候方便"), validators=[Optional()])
    said_on = DayField(_l("哪天说的"), validators=[required()], default=today)
    note = TextAreaField(
        _l("说明"), validators=[Optional(), at_most(200)], description=_l("书面谢绝要写明材料放在哪里、谁收的")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.consent.choices = [pair for pair in choices(Consent) if pair[0] != Consent.UNASKED.value]
        self.method.choices = choices(Method)
        self.time_of_day.choices = choices(TimeOfDay)

    def when(self) -> TimeOfDay | None:
        return TimeOfDay(self.time_of_day.data) if self.time_of_day.data else None


def wish_form(subject: CareSubject) -> WishForm:
    said = "" if subject.consent is Consent.UNASKED else subject.consent.value
    way, when = subject.method.value, subject.time_of_day.value
    return WishForm(data={"consent": said, "method": way, "time_of_day": when, "said_on": today()})


class ExclusionForm(Form):
    reason = PickField(_l("原因"), validators=[required(_l("请选一项"))])
    since = DayField(_l("从哪天起"), validators=[required()], default=today)
    until = DayField(_l("到哪天"), validators=[Optional()], description=_l("含这一天；还不知道就不填"))
    note = TextAreaField(_l("说明"), validators=[Optional(), at_most(200)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hidden = {reason.value for reason in BY_REGISTER | {Exclusion.REFUSAL}}
        self.reason.choices = [pair for pair in choices(Exclusion) if pair[0] not in hidden]


class EndForm(Form):
    last_day = DayField(_l("最后一天"), validators=[required()], default=today)


class OverrideForm(Form):
    level = PickField(_l("关爱等级"), validators=[required(_l("请选一项"))])
    reason = TextAreaField(_l("为什么调整"), validators=[required(), at_most(200)])
    until = DayField(_l("到哪天"), validators=[Optional()], description=_l("含这一天；不填就一直有效"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.level.choices = [*choices(Level), (OFF, _("不列入探访名单"))]

    def chosen(self) -> Level | None:
        return None if self.level.data == OFF else Level(self.level.data)


class AssignForm(Form):
    worker = SelectField(_l("由谁探访"), default="")


def assign_form(subject: CareSubject, workers: list[tuple[str, str]]) -> AssignForm:
    form = AssignForm(data={"worker": subject.assigned_to})
    form.worker.choices = [("", _("按网格自动安排")), *workers]
    return form


class HintForm(Form):
    hint = TrimmedField(
        _l("上门提示"), validators=[Optional(), at_most(100)], description=_l("例如：耳背，敲门要重；养狗")
    )
