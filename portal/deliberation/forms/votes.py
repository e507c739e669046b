"""Forms of votes: what is put to whom and when; reasons, times, the words of a notice."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Optional

from portal.areas.models import Estate, Settlement
from portal.core import clock
from portal.core.clock import local, today
from portal.core.forms import ClockField, DayField, Form, ManyField, OnceForm, TrimmedField, at_most, required
from portal.deliberation.models.codes import Body
from portal.deliberation.models.topics import Topic
from portal.deliberation.models.votes import Vote
from portal.deliberation.service import delegates, rule_words, vote_words
from portal.deliberation.service.elections import ON_PAPER_ALONE
from portal.deliberation.service.vote_making import GROUPS, OWNERS, Plan

# The owners are one choice: the matter decides by which majority.
VILLAGE = frozenset(body for body in Body if body.value.startswith("village"))
RESIDENTS = frozenset(body for body in Body if body.value.startswith("resident"))


class TimesForm(Form):
    """From when until when."""

    opens_day = DayField(_l("哪天开始投票"), [required(_l("请填日期"))])
    opens_at = ClockField(_l("几点开始"), [InputRequired(_l("请填时间"))])
    closes_day = DayField(_l("哪天截止"), [required(_l("请填日期"))])
    closes_at = ClockField(_l("几点截止"), [InputRequired(_l("请填时间"))])

    def times(self) -> tuple[datetime, datetime]:
        return _moment(self.opens_day.data, self.opens_at.data), _moment(self.closes_day.data, self.closes_at.data)

    def fill_times(self, vote: Vote) -> None:
        opens, closes = local(vote.opens_at), local(vote.closes_at)
        self.opens_day.data, self.opens_at.data = opens.date(), opens.time()
        self.closes_day.data, self.closes_at.data = closes.date(), closes.time()


def _moment(day: date | None, hour: time | None) -> datetime:
    return clock.at(day or today(), hour or time(0))


class VoteForm(TimesForm, OnceForm):
    question = TrimmedField(
        _l("要表决什么"),
        [required(), at_most(200)],
        description=_l("写成一句能回答的话，例如：是否同意给 6 号楼加装电梯？"),
    )
    words = TextAreaField(
        _l("说明"), [Optional(), at_most(2000)], description=_l("背景、花费、同意和不同意各意味着什么")
    )
    body = SelectField(_l("由谁表决"), [required(_l("请选由谁表决"))])
    matter = SelectField(
        _l("业主表决的事项"),
        [Optional()],
        coerce=int,
        description=_l("只有业主表决要选。第 6、7、8 项要参加表决的四分之三以上同意，其余过半数"),
    )
    asks = RadioField(_l("怎么选"), [required(_l("请选一项"))], default="consent")
    labels = TextAreaField(
        _l("方案"), [Optional(), at_most(700)], description=_l("几个方案选一个时才填，一行写一个，2 到 9 个")
    )
    named = RadioField(
        _l("记名还是不记名"),
        [required(_l("请选一项"))],
        description=_l("投票前就会告诉大家，投票开始后不能改。业主表决只能记名"),
    )
    may_change = BooleanField(_l("截止前可以改（只有记名的可以）"))
    takes_paper = BooleanField(
        _l("也收纸质票"), description=_l("勾上以后，要等您确认纸质票全部录入才计票"), default=True
    )
    communities = ManyField(
        _l("哪些社区"), [Optional()], coerce=int, description=_l("一个都不选就是议题涉及的所有社区")
    )
    estates = ManyField(_l("只限哪些小区"), [Optional()], coerce=int, description=_l("一个都不选就不限小区"))
    groups = ManyField(
        _l("只限哪些小组的代表"), [Optional()], description=_l("由代表表决时才用；一个都不选，就是全部小组的代表")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks.choices = [("consent", _("同意、反对或弃权")), ("one", _("几个方案选一个"))]
        self.named.choices = [
            ("named", _("记名：查得到谁投了什么")),
            ("secret", _("不记名：谁也查不到谁投了什么，投出以后不能改")),
        ]
        self.matter.choices = [(0, _("不是业主表决"))] + [
            (number, _("第 %(number)d 项：%(words)s", number=number, words=words))
            for number, words in vote_words.matters()
        ]
        self.made = 0

    def offer(self, topic: Topic, estates: Iterable[Estate]) -> None:
        """The bodies that there can be where the topic is, its communities and their estates."""
        kinds = {one.settlement for one in topic.communities}
        estates = list(estates)
        left_out = OWNERS + ON_PAPER_ALONE + (() if estates else GROUPS)
        offered = [body for body in Body if body not in left_out and _fits(body, kinds)]
        self.body.choices = [("", _("请选"))] + [(one.value, rule_words.body_words(one)) for one in offered]
        self.body.choices.append(("owners", _("业主共同决定")))
        self.communities.choices = [(one.id, one.name) for one in topic.communities]
        self.estates.choices = [(one.id, one.name) for one in estates]
        self.groups.choices = [(one, one) for one in delegates.groups_of(topic)]
        if len(topic.communities) < 2:
            del self.communities
        if not self.estates.choices:
            del self.estates
        if not self.groups.choices:
            del self.groups

    def fill(self, vote: Vote) -> None:
        """From a draft that is to be changed."""
        self.question.data, self.words.data = vote.question, vote.words
        self.body.data = "owners" if vote.body in OWNERS else vote.body.value
        self.matter.data = vote.matter
        carried = [one.label for one in vote.options if one.carries]
        self.asks.data = "consent" if len(carried) < 2 else "one"
        self.labels.data = "\n".join(carried) if len(carried) > 1 else ""
        self.named.data = "named" if vote.is_named else "secret"
        self.may_change.data, self.takes_paper.data = vote.may_change, vote.takes_paper
        for name, key in (("communities", "areas"), ("estates", "estates"), ("groups", "groups")):
            if name in self._fields:
                self._fields[name].data = list((vote.extent or {}).get(key, ()))
        self.fill_times(vote)

    def begin(self) -> None:
        """An empty form: a week from tomorrow, from morning to evening."""
        day = today()
        self.opens_day.data, self.opens_at.data = day + timedelta(days=7), time(8)
        self.closes_day.data, self.closes_at.data = day + timedelta(days=14), time(20)

    def plan(self) -> Plan:
        opens, closes = self.times()
        owners = self.body.data == "owners"
        labels = [line.strip() for line in self.text("labels").splitlines() if line.strip()]
        one = self.asks.data == "one"
        return Plan(
            question=self.text("question"),
            words=self.text("words").strip(),
            body=Body.OWNERS_ORDINARY if owners else Body(self.text("body")),
            matter=int(self.matter.data or 0),
            labels=tuple(labels or [""]) if one else (),
            is_named=self.named.data == "named",
            may_change=bool(self.may_change.data),
            takes_paper=bool(self.takes_paper.data),
            opens_at=opens,
            closes_at=closes,
            communities=self._many("communities"),
            estates=self._many("estates"),
            groups=self._many("groups"),
        )

    def _many(self, name: str) -> tuple[Any, ...]:
        return tuple(self._fields[name].data or ()) if name in self._fields else ()


def _fits(body: Body, kinds: Iterable[Settlement | None]) -> bool:
    """Village bodies are offered where a village is, residents' where a town is."""
    found = set(kinds)
    if body in VILLAGE:
        return Settlement.VILLAGE in found
    return body not in RESIDENTS or found != {Settlement.VILLAGE}


class VoteReasonForm(Form):
    reason = TrimmedField(_l("原因"), [required(_l("请写明原因")), at_most(200)])


class VoteNoticeForm(Form):
    contact = TrimmedField(
        _l("联系人和电话"),
        [required(_l("请写明有疑问找谁")), at_most(100)],
        description=_l("写社区办公电话，不写个人手机"),
    )


class SeenRuleForm(Form):
    seen = BooleanField(_l("我已对照现行法律条文核对过，这条规则可以用于这次表决"))

    def has_seen(self) -> bool:
        if not self.seen.data:
            self.seen.errors = [_("请核对以后勾选。")]
            return False
        return True
