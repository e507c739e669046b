"""Forms of the workers' list of volunteers, and of training, awards and pairs."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.core.clock import today
from portal.core.forms import DayField, FiguresField, Form, OnceForm, TrimmedField, at_most, required
from portal.registry.models import Facility
from portal.volunteers.service import kinds
from portal.volunteers.service.honours import AwardFacts, TrainingFacts
from portal.volunteers.service.people_lists import Wanted
from portal.volunteers.service.people_words import states, weekdays
from portal.volunteers.service.skills import skills


class FilterForm(Form):
    """What the list is narrowed to: an address, so nothing is refused."""

    class Meta(Form.Meta):
        csrf = False

    q = TrimmedField(_l("姓名、拼音或编号"))
    state = SelectField(_l("状态"), validate_choice=False)
    skill = SelectField(_l("技能"), validate_choice=False)
    kind = SelectField(_l("服务"), validate_choice=False)
    weekday = SelectField(_l("哪天有空"), validate_choice=False)
    community = SelectField(_l("社区"), validate_choice=False)

    @classmethod
    def of(cls, args: Any, communities: list[tuple[str, str]]) -> "FilterForm":
        form = cls(args)
        form.state.choices = [("", _l("在册的")), *((state.value, words) for state, words in states().items())]
        form.skill.choices = [("", _l("不限")), *((str(one.id), one.name) for one in skills())]
        form.kind.choices = [("", _l("不限")), *kinds.choices()]
        form.weekday.choices = [("", _l("不限")), *((str(day), words) for day, words in enumerate(weekdays()))]
        form.community.choices = [("", _l("全部")), *communities]
        return form

    def wanted(self, after: int) -> Wanted:
        skill, weekday = self.text("skill"), self.text("weekday")
        return Wanted(
            q=self.text("q")[:40],
            state=self.text("state"),
            skill=int(skill) if skill.isdecimal() and len(skill) < 9 else 0,
            kind=self.text("kind"),
            weekday=int(weekday) if weekday in set("0123456") else -1,
            community=self.text("community"),
            after=after,
        )


class FindForm(Form):
    """A search of the register is a post, so that it leaves its trace."""

    q = TrimmedField(_l("查找居民"), validators=[required(_l("请先输入要查找的内容")), at_most(60)])


class TrainingForm(OnceForm):
    name = TrimmedField(_l("培训名称"), validators=[required(), at_most(60)])
    content = TrimmedField(_l("主要内容"), validators=[required(), at_most(300)])
    hours = FiguresField(
        _l("学习时长（小时）"),
        validators=[
            InputRequired(_l("请填小时数，例如 1.5")),
            NumberRange(min=0.1, max=200, message=_l("请填 0.1 到 200")),
        ],
    )
    held_by = TrimmedField(_l("举办单位"), validators=[required(), at_most(80)])
    held_on = DayField(_l("日期"), validators=[required()], default=today)

    def facts(self) -> TrainingFacts:
        minutes = round(float(self.hours.data or 0) * 60)
        names = ("name", "content", "held_by")
        said = {name: self.text(name) for name in names}
        return TrainingFacts(minutes=minutes, held_on=self.held_on.data or today(), **said)


class AwardForm(OnceForm):
    name = TrimmedField(_l("表彰名称"), validators=[required(), at_most(60)])
    given_by = TrimmedField(_l("授予单位"), validators=[required(), at_most(80)])
    given_on = DayField(_l("日期"), validators=[required()], default=today)

    def facts(self) -> AwardFacts:
        return AwardFacts(self.text("name"), self.text("given_by"), self.given_on.data or today())


class PairForm(Form):
    other = TrimmedField(
        _l("搭档的志愿者编号"),
        validators=[required(), at_most(16)],
        description=_l("在对方的志愿者页面上能看到"),
    )
    always = RadioField(_l("怎样搭档"), default="0")

    def fill(self) -> "PairForm":
        self.always.choices = [("1", _l("必须一起，缺一不排")), ("0", _l("尽量一起"))]
        return self


class OuterForm(Form):
    outer_number = TrimmedField(_l("其他系统的志愿者编号"), validators=[Optional(), at_most(32)])


class StationForm(Form):
    facility = SelectField(_l("用哪个设施"), coerce=int)
    words = TrimmedField(
        _l("做些什么"),
        validators=[Optional(), at_most(200)],
        description=_l("例如：收集需求、招募培训、组织活动、记录服务"),
    )
    opened_on = DayField(_l("从哪天起"), validators=[required()], default=today)

    def offer(self, facilities: list[Facility]) -> "StationForm":
        self.facility.choices = [(one.id, f"{one.name}（{one.community.name}）") for one in facilities]
        return self
