"""Forms of points: asking for goods, the shelf, adjusting somebody's points, the rules."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired, NumberRange, Optional

from portal.core.clock import today
from portal.core.forms import CountField, DayField, Form, OnceForm, TrimmedField, at_most, required
from portal.points.models import Goods, PointRule
from portal.points.service.goods import GoodsFacts, left_of
from portal.points.service.rules import RuleFacts
from portal.registry.models import Person, StockItem
from portal.volunteers.service import kinds


class AskForm(OnceForm):
    """How many of a thing, and for whom."""

    count = CountField(
        _l("要几件"), default=1, validators=[InputRequired(_l("请填几件")), NumberRange(1, 99, _l("请填 1 到 99"))]
    )
    person = RadioField(_l("给谁"), validators=[InputRequired(_l("请选给谁"))])

    @classmethod
    def of(cls, me: Person, relatives: Sequence[Person]) -> "AskForm":
        form = cls(person=me.public_id)
        others = [(one.public_id, one.name) for one in relatives if one.id != me.id]
        form.person.choices = [(me.public_id, _("自己")), *others]
        return form


class AskForForm(OnceForm):
    """Goods that a worker asks for in somebody's name, who stands at the counter."""

    goods = SelectField(_l("换什么"), coerce=int, validators=[InputRequired(_l("请选一件物品"))])
    count = CountField(
        _l("要几件"), default=1, validators=[InputRequired(_l("请填几件")), NumberRange(1, 99, _l("请填 1 到 99"))]
    )

    @classmethod
    def among(cls, shelf: Sequence[Goods]) -> "AskForForm":
        form = cls()
        form.goods.choices = [
            (one.id, _("%(name)s，每件 %(points)d 分，还有 %(left)d %(unit)s", **_on_shelf(one))) for one in shelf
        ]
        return form


def _on_shelf(goods: Goods) -> dict[str, Any]:
    return {"name": goods.item.name, "points": goods.price, "left": left_of(goods), "unit": goods.item.unit}


class CancelForm(Form):
    """Taking back what one asked for oneself: a reason is welcome."""

    reason = TrimmedField(_l("原因"), validators=[Optional(), at_most(100)])


class WhyForm(Form):
    reason = TextAreaField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])


class HandOverCodeForm(Form):
    code = TrimmedField(_l("兑换码"), validators=[required(_l("请输入居民的兑换码")), at_most(20)])


class GoodsForm(Form):
    price = CountField(
        _l("每件多少分"), validators=[InputRequired(_l("请填分数")), NumberRange(1, 100_000, _l("请填 1 到 100000"))]
    )
    most_each_month = CountField(
        _l("每人每月最多几件"),
        default=0,
        validators=[Optional(), NumberRange(0, 999, _l("请填 0 到 999"))],
        description=_l("0 表示不限"),
    )
    words = TrimmedField(_l("说明"), validators=[Optional(), at_most(120)])
    is_offered = BooleanField(_l("上架，居民可以兑换"), default=True)

    def facts(self) -> GoodsFacts:
        return GoodsFacts(
            price=self.price.data or 0,
            most_each_month=self.most_each_month.data or 0,
            is_offered=bool(self.is_offered.data),
            words=self.words.data or "",
        )

    @classmethod
    def of(cls, goods: Goods) -> "GoodsForm":
        names = ("price", "most_each_month", "words", "is_offered")
        return cls(data={name: getattr(goods, name) for name in names})


class NewGoodsForm(GoodsForm):
    item = SelectField(_l("物资"), coerce=int, validators=[InputRequired(_l("请选一项物资"))])

    @classmethod
    def among(cls, items: Sequence[StockItem]) -> "NewGoodsForm":
        form = cls()
        form.item.choices = [
            (one.id, _("%(name)s（%(place)s，库存 %(left)d %(unit)s）", **_said(one))) for one in items
        ]
        return form


def _said(item: StockItem) -> dict[str, Any]:
    return {"name": item.name, "place": item.community.name, "left": item.quantity, "unit": item.unit}


class AdjustForm(OnceForm):
    """Points added or taken, and why. `seen` is what the second look showed: it confirms those figures alone."""

    way = RadioField(_l("怎么调"), default="add")
    points = CountField(
        _l("多少分"), validators=[InputRequired(_l("请填分数")), NumberRange(1, 100_000, _l("请填 1 到 100000"))]
    )
    reason = TextAreaField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])
    seen = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.way.choices = [("add", _("增加")), ("take", _("减少"))]

    @property
    def signed(self) -> int:
        points = self.points.data or 0
        return points if self.way.data == "add" else -points

    @property
    def mark(self) -> str:
        return f"{self.signed}:{self.text('reason')}"

    def is_confirmed(self) -> bool:
        """Whether exactly this was shown for the second look."""
        return self.text("seen") == self.mark


class RuleForm(Form):
    """What an hour earns from a day on."""

    kind = SelectField(_l("服务类别"), validators=[Optional()])
    per_hour = CountField(
        _l("每小时多少分"), validators=[InputRequired(_l("请填分数")), NumberRange(0, 1000, _l("请填 0 到 1000"))]
    )
    expires_months = CountField(
        _l("多少个月后到期"),
        validators=[Optional(), NumberRange(1, 120, _l("请填 1 到 120"))],
        description=_l("从得到积分的那个月月底算起；不填就是不会到期"),
    )
    valid_from = DayField(_l("从哪天起"), validators=[required(_l("请填日期"))])
    source = TrimmedField(_l("依据"), validators=[required(_l("请写明依据，例如会议或文件名称")), at_most(120)])

    @classmethod
    def new(cls) -> "RuleForm":
        form = cls(valid_from=today())
        form.kind.choices = [("", _("所有类别（没有单独规定的）")), *kinds.choices()]
        return form

    def facts(self) -> RuleFacts:
        return RuleFacts(
            per_hour=self.per_hour.data or 0,
            expires_months=self.expires_months.data,
            valid_from=self.valid_from.data or today(),
            kind=self.kind.data or "",
            source=self.text("source"),
        )


class EndRuleForm(Form):
    last_day = DayField(_l("用到哪天为止"), validators=[required(_l("请填日期"))])
    reason = TextAreaField(_l("原因"), validators=[required(_l("请写明原因")), at_most(200)])

    @classmethod
    def of(cls, rule: PointRule) -> "EndRuleForm":
        return cls(last_day=max(today(), rule.valid_from))
