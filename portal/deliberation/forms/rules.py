"""What a street types about the rules of bodies, a committee about its delegates and a roll."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.areas.models import Area
from portal.core import clock, settings
from portal.core.clock import local, today
from portal.core.errors import Refused
from portal.core.forms import ClockField, CountField, DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.deliberation.models.bodies import BodyRule
from portal.deliberation.models.codes import Body
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import delegates, rolls
from portal.deliberation.service.rule_words import body_words
from portal.deliberation.service.rules import RuleFacts
from portal.registry.forms.picking import PersonPick


class WhyForm(Form):
    reason = TextAreaField(_l("原因"), [required(_l("请写明原因")), at_most(200)])


class ConfirmRuleForm(Form):
    note = TextAreaField(
        _l("和什么核对的"),
        [required(_l("请写明和哪一部法律、哪一条核对的")), at_most(120)],
        description=_l("例如：2026年1月1日施行的居民委员会组织法第二十条，国家法律法规数据库"),
    )


def _count(label: Any, least: int, most: int) -> CountField:
    message = _l("请填 %(min)s 到 %(max)s 之间的数")
    return CountField(label, [InputRequired(_l("请填写这一项")), NumberRange(least, most, message)])


EVENING = time(18)
OVER = (("over", _l("要超过它（正好等于不算）")), ("reach", _l("达到它就行（正好等于也算）")))


class RuleForm(OnceForm):
    """A rule as the statute, or the place, has it."""

    article = TrimmedField(_l("依据（法律或文件、第几条）"), [required(), at_most(120)])
    notice_days = _count(_l("会前至少几天通知"), 0, 90)
    quorum = _count(_l("参加人数：分子"), 0, 100)
    quorum_of = _count(_l("参加人数：分母"), 1, 100)
    quorum_how = RadioField(_l("参加人数怎么算"), choices=[], default="over")
    passes = _count(_l("同意人数：分子"), 1, 100)
    passes_of = _count(_l("同意人数：分母"), 1, 100)
    passes_how = RadioField(_l("同意人数怎么算"), choices=[], default="over")
    registered_only = BooleanField(_l("只有户籍在本地的人有表决权"))
    least_age = _count(_l("至少满几周岁"), 16, 30)
    valid_from = DayField(_l("从哪天起"), [required(_l("请填日期"))])
    note = TextAreaField(_l("说明"), [Optional(), at_most(300)])

    def __init__(self, **said: Any) -> None:
        super().__init__(**said)
        self.quorum_how.choices = self.passes_how.choices = list(OVER)

    @classmethod
    def of(cls, rule: BodyRule) -> "RuleForm":
        names = ("notice_days", "quorum", "quorum_of", "passes", "passes_of", "registered_only", "least_age")
        held: dict[str, Any] = {name: getattr(rule, name) for name in names}
        held |= {"quorum_how": _how(rule.quorum_over), "passes_how": _how(rule.passes_over), "valid_from": today()}
        return cls(data=held)

    def facts(self) -> RuleFacts:
        return RuleFacts(
            article=self.text("article"),
            notice_days=self.notice_days.data or 0,
            quorum=self.quorum.data or 0,
            quorum_of=self.quorum_of.data or 1,
            quorum_over=self.quorum_how.data == "over",
            passes=self.passes.data or 0,
            passes_of=self.passes_of.data or 1,
            passes_over=self.passes_how.data == "over",
            registered_only=bool(self.registered_only.data),
            least_age=self.least_age.data or 18,
            note=self.text("note"),
        )

    @property
    def begins(self) -> date:
        return self.valid_from.data or today()


def _how(over: bool) -> str:
    return "over" if over else "reach"


class LocalRuleForm(RuleForm):
    """A rule of a place's own."""

    body_kind = SelectField(_l("哪一种会议"), choices=[])
    area = SelectField(_l("用在哪里"), choices=[])

    @classmethod
    def among(cls, places: Sequence[Area]) -> "LocalRuleForm":
        plain = {"quorum": 1, "quorum_of": 2, "passes": 1, "passes_of": 2, "notice_days": 0, "least_age": 18}
        form = cls(data=plain | {"valid_from": today()})
        form.places = {one.code: one for one in places}
        form.area.choices = [(one.code, one.name) for one in places]
        form.body_kind.choices = [(body.value, body_words(body)) for body in Body]
        return form

    places: dict[str, Area]

    def place(self) -> Area:
        return self.places[self.text("area")]


class EndRuleForm(WhyForm):
    last_day = DayField(_l("最后一天"), [required(_l("请填日期"))], default=today)


class DelegateForm(PersonPick):
    community = SelectField(_l("社区"), choices=[])
    body_kind = SelectField(_l("是哪一种代表"), choices=[])
    group = TrimmedField(_l("代表哪个小组"), [Optional(), at_most(40)], description=_l("例如 第三居民小组；委员不用填"))
    since = DayField(_l("任期从哪天起"), [required(_l("请填日期"))], default=today)
    until = DayField(_l("任期到哪天（含）"), [Optional()])

    @classmethod
    def among(cls, communities: Sequence[Area]) -> "DelegateForm":
        form = cls()
        form.communities = {one.code: one for one in communities}
        form.community.choices = [(one.code, one.name) for one in communities]
        form.body_kind.choices = [(body.value, body_words(body)) for body in delegates.BODIES]
        return form

    communities: dict[str, Area]

    def place(self) -> Area:
        return self.communities[self.text("community")]


class EndDelegateForm(WhyForm):
    until = DayField(_l("任期最后一天"), [required(_l("请填日期"))], default=today)


class PublishRollForm(Form):
    """Until when the roll may be put right. Where the register lacks something, whoever publishes says she knows."""

    day = DayField(_l("更正截止日期"), [required(_l("请填日期"))])
    hour = ClockField(_l("更正截止时间"), [required(_l("请填时间"))])
    knows_gaps = BooleanField(_l("我看过上面的缺漏，仍然公布"))

    @classmethod
    def of(cls, vote: Vote) -> "PublishRollForm":
        """Offers the evening after the usual days, or the minute in which the vote begins, if that is earlier."""
        wanted = clock.at(today() + timedelta(days=settings.get(rolls.ROLL_DAYS)), EVENING)
        until = local(min(wanted, vote.opens_at))
        return cls(data={"day": until.date(), "hour": time(until.hour, until.minute)})

    def until(self) -> datetime:
        return clock.at(self.day.data or today(), self.hour.data or EVENING)

    def check_gaps(self, look: rolls.Look) -> None:
        if look.gaps and not self.knows_gaps.data:
            raise Refused(_("登记还有缺漏。请先补上，或者勾选“我看过上面的缺漏，仍然公布”。"), field="knows_gaps")


class SeekEntryForm(Form):
    q = TrimmedField(_l("姓名或号码"), [at_most(20)])


class AddEntryForm(PersonPick):
    reason = TextAreaField(_l("为什么要加上"), [required(_l("请写明原因")), at_most(200)])


class AnswerCorrectionForm(Form):
    upheld = RadioField(
        _l("怎么处理"),
        choices=[],
        validators=[InputRequired(_l("请选一项"))],
    )
    words = TextAreaField(_l("答复"), [required(_l("请写给居民的答复")), at_most(300)])

    def __init__(self) -> None:
        super().__init__()
        self.upheld.choices = [
            ("yes", _l("采纳：名册有错，已经或马上改正")),
            ("no", _l("不采纳：名册没有错")),
        ]


class AskCorrectionForm(OnceForm):
    words = TextAreaField(
        _l("哪里不对"),
        [required(_l("请写明哪里不对")), at_most(300)],
        description=_l("例如：名册上没有我；我家的面积写错了；我母亲已经去世，还在名册上"),
    )
