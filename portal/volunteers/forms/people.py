"""Forms of registering as a volunteer, her profile, and what a guardian or worker says of her."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.core.forms import (
    ClockField,
    CountField,
    DayField,
    Form,
    ManyField,
    MobileField,
    OnceForm,
    TrimmedField,
    at_most,
    required,
)
from portal.volunteers.models.codes import ConsentWay
from portal.volunteers.models.people import Volunteer
from portal.volunteers.service import kinds, profile
from portal.volunteers.service.people_words import lead_words, weekdays
from portal.volunteers.service.profile import Span, Wishes
from portal.volunteers.service.registering import Consent


class ProfileForm(Form):
    """What she wants to do; `fill` gives the choices."""

    skills = ManyField(_l("我会什么"), coerce=int, validators=[Optional()])
    kinds = ManyField(_l("愿意做哪些服务"), validators=[Optional()])
    week_hours = CountField(
        _l("每周最多安排几小时"),
        validators=[Optional(), NumberRange(0, 60, message=_l("请填 0 到 60"))],
        description=_l("不填就是不限"),
    )
    reminders = ManyField(_l("什么时候提醒我"), coerce=int, validators=[Optional()])
    words = TrimmedField(_l("想说明的话"), validators=[Optional(), at_most(200)])
    shows_name = BooleanField(_l("公示名单上可以写我的全名（不勾只写姓）"))

    def fill(self, volunteer: Volunteer | None = None) -> Any:
        held = [one.skill_id for one in volunteer.skills] if volunteer else []
        self.skills.choices = [(one.id, one.name) for one in profile.skills_offered(also=held)]
        self.kinds.choices = kinds.choices()
        self.reminders.choices = [(hours, lead_words(hours)) for hours in profile.REMINDERS]
        return self

    @classmethod
    def of(cls, volunteer: Volunteer) -> Any:
        facts = ("kinds", "reminders", "words", "shows_name")
        held = {name: getattr(volunteer, name) for name in facts}
        skills = [one.skill_id for one in volunteer.skills]
        return cls(data=held | {"skills": skills, "week_hours": volunteer.week_hours or None}).fill(volunteer)

    def wishes(self) -> Wishes:
        return Wishes(
            skills=list(self.skills.data or []),
            kinds=list(self.kinds.data or []),
            words=self.text("words"),
            week_hours=self.week_hours.data or 0,
            reminders=list(self.reminders.data or []),
            shows_name=bool(self.shows_name.data),
            times=self.spans(),
        )

    def spans(self) -> list[Span]:
        return []


def _bands() -> list[tuple[str, str]]:
    """Morning, afternoon and evening of each weekday."""
    parts = [("am", _l("上午")), ("pm", _l("下午")), ("eve", _l("晚上"))]
    return [(f"{day}-{band}", f"{name} {words}") for day, name in enumerate(weekdays()) for band, words in parts]


class RegisterForm(OnceForm, ProfileForm):
    """The promise is read before it is agreed to."""

    bands = ManyField(_l("什么时候有空"), validators=[Optional()], description=_l("不勾就是都可以来问我"))
    comes_along = BooleanField(_l("我会陪着孩子一起去"))
    agreed = BooleanField(_l("我读过并同意志愿者守则"), validators=[InputRequired(_l("请先读守则，同意后打勾"))])

    @classmethod
    def new(cls, *, ward: bool) -> "RegisterForm":
        form = cls(data={"reminders": [24, 2]}).fill()
        form.bands.choices = _bands()
        if not ward:
            del form.comes_along
        return form

    def spans(self) -> list[Span]:
        return profile.banded(self.bands.data or [])


class CounterForm(RegisterForm):
    """At the counter: the person said yes to a worker; under 18 the guardian signed."""

    consent = TrimmedField(
        _l("本人怎样同意的"),
        validators=[required(_l("请写明本人怎样同意的")), at_most(60)],
        description=_l("例如：本人到窗口当面同意，已读守则"),
    )
    guardian_name = TrimmedField(_l("监护人姓名"), validators=[Optional(), at_most(60)])
    relation = TrimmedField(_l("与孩子的关系"), validators=[Optional(), at_most(20)], description=_l("例如：母亲"))
    guardian_phone = MobileField(_l("监护人手机"), validators=[Optional()])

    @classmethod
    def at_desk(cls, *, minor: bool) -> "CounterForm":
        form = cls(data={"reminders": [24, 2]}).fill()
        form.bands.choices = _bands()
        if not minor:
            del form.guardian_name, form.relation, form.guardian_phone, form.comes_along
        return form

    def paper(self) -> Consent | None:
        """The guardian's signed paper, where one was shown."""
        if "guardian_name" not in self or not self.text("guardian_name"):
            return None
        return Consent(
            self.text("guardian_name"),
            ConsentWay.PAPER,
            relation=self.text("relation"),
            phone=self.text("guardian_phone"),
            comes_along=bool(self.comes_along.data),
        )


class PaperForm(Form):
    """A guardian's paper for somebody who is registered already."""

    guardian_name = TrimmedField(_l("监护人姓名"), validators=[required(), at_most(60)])
    relation = TrimmedField(_l("与孩子的关系"), validators=[required(), at_most(20)], description=_l("例如：母亲"))
    guardian_phone = MobileField(_l("监护人手机"), validators=[required()])
    comes_along = BooleanField(_l("监护人会陪同"))
    seen = BooleanField(_l("我看过签了字的同意书和监护人的身份证"), validators=[InputRequired(_l("请先核对再打勾"))])

    def paper(self) -> Consent:
        return Consent(
            self.text("guardian_name"),
            ConsentWay.PAPER,
            relation=self.text("relation"),
            phone=self.text("guardian_phone"),
            comes_along=bool(self.comes_along.data),
        )


class TimesForm(Form):
    """Some weekdays and the hours on them."""

    days = ManyField(_l("哪几天"), coerce=int, validators=[InputRequired(_l("请至少勾一天"))])
    opens = ClockField(_l("从几点"), validators=[InputRequired(_l("请填时间，例如 08:30"))])
    closes = ClockField(_l("到几点"), validators=[InputRequired(_l("请填时间，例如 08:30"))])

    @classmethod
    def new(cls) -> "TimesForm":
        form = cls()
        form.days.choices = list(enumerate(weekdays()))
        return form

    def spans(self) -> list[Span]:
        opens, closes = self.opens.data, self.closes.data
        return [Span(day, opens, closes) for day in self.days.data or [] if opens and closes]


class AbsenceForm(Form):
    first_day = DayField(_l("从哪天起不在"), validators=[required()])
    last_day = DayField(_l("到哪天"), validators=[required()], description=_l("含这一天"))


class WhyForm(Form):
    """An act somebody does to herself: a reason may be given."""

    reason = TrimmedField(_l("原因"), validators=[Optional(), at_most(200)])


class ReasonForm(Form):
    reason = TrimmedField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])


class WishForm(Form):
    """A wish to be in a team."""

    words = TrimmedField(_l("想对队长说的话"), validators=[Optional(), at_most(100)])


class BarForm(ReasonForm):
    until = DayField(_l("停止到哪一天"), validators=[required()], description=_l("含这一天，最长三年"))


class AgreeForm(Form):
    """A guardian's yes."""

    comes_along = BooleanField(_l("我会陪着孩子一起去"))
    agreed = BooleanField(
        _l("我读过志愿者守则，同意孩子参加志愿服务"), validators=[InputRequired(_l("请先读守则，同意后打勾"))]
    )


class SkillForm(Form):
    name = TrimmedField(_l("技能名称"), validators=[required(), at_most(30)])
    needs_proof = BooleanField(_l("要看过证书或证明才算"))
    is_offered = BooleanField(_l("志愿者可以选"), default=True)


class ProveForm(Form):
    skill = SelectField(_l("技能"), coerce=int)
    proof = TrimmedField(
        _l("看过什么证明"),
        validators=[required(_l("请写明看过什么证明")), at_most(100)],
        description=_l("例如：急救员证"),
    )
    valid_to = DayField(_l("有效到哪一天"), validators=[Optional()], description=_l("长期有效就不填"))
