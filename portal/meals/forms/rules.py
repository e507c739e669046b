"""Forms for subsidy rules: writing one, ending one, and trying them all out on a made-up meal."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, RadioField, SelectField
from wtforms.validators import NumberRange, Optional, Regexp

from portal.areas.models import Area
from portal.core.clock import today
from portal.core.forms import CountField, FiguresField, Form, ManyField, TrimmedField, YuanField, at_most, required
from portal.meals.models import Days, Meal, PayerLevel, RegionLevel, SetClass, SubsidyKind, SubsidyRule
from portal.meals.service.rules import COLUMNS, Trial
from portal.meals.service.words import choices
from portal.registry.models import TagKind

MOST_FEN = 100_000


def _amount() -> NumberRange:
    return NumberRange(max=MOST_FEN, message=_l("金额最多 1000 元"))


def _code() -> Regexp:
    return Regexp(r"^(\d{4}|\d{6}|\d{9}|\d{12})?$", message=_l("请填 4、6、9 或 12 位数字的区划代码"))


def _age() -> NumberRange:
    return NumberRange(0, 120, _l("请填 0 到 120 之间的整数"))


class RuleForm(Form):
    scheme = TrimmedField(_l("方案名称"), validators=[required(), at_most(60)])
    name = TrimmedField(_l("规则名称"), validators=[required(), at_most(60)], description=_l("会显示在居民的账单上"))
    area_code = SelectField(_l("适用范围"), description=_l("助餐点所在的街道或社区"))
    payer = RadioField(_l("谁出钱"), default=PayerLevel.STREET.value)
    kind = RadioField(_l("怎么补"), default=SubsidyKind.REDUCTION.value)
    amount_fen = YuanField(
        _l("金额（元）"), validators=[Optional(), _amount()], description=_l("减多少，或固定自付多少")
    )
    percent = FiguresField(
        _l("减百分之几"),
        validators=[Optional(), NumberRange(0, 100, _l("请填 0 到 100"))],
        places=1,
        description=_l("只在按比例减时填"),
    )
    age_from = CountField(_l("年龄从（岁）"), validators=[Optional(), _age()])
    age_to = CountField(_l("年龄到（岁）"), validators=[Optional(), _age()], description=_l("含这一岁；用餐当天的周岁"))
    region_level = SelectField(_l("户籍"), default=RegionLevel.ANY.value)
    region_code = TrimmedField(_l("户籍区划代码"), validators=[_code()])
    tags = ManyField(_l("人群标签"), validators=[Optional()], description=_l("有其中一个就算；都不选就不限"))
    meals = ManyField(_l("哪几餐"), validators=[Optional()], description=_l("都不选就是每餐"))
    set_class = SelectField(_l("套餐类别"), default="")
    days = RadioField(_l("哪些日子"), default=Days.ALL.value)
    least_bill_fen = YuanField(_l("起补餐费（元）"), validators=[Optional(), _amount()])
    strictly_above = BooleanField(_l("餐费必须超过起补额（等于不补）"))
    counts_delivery = BooleanField(_l("送餐费也算在内"))
    cap_meal_fen = YuanField(_l("每餐最多（元）"), validators=[Optional(), _amount()])
    cap_day_fen = YuanField(_l("每天最多（元）"), validators=[Optional(), _amount()])
    cap_month_fen = YuanField(_l("每月最多（元）"), validators=[Optional(), _amount()])
    times_per_day = CountField(_l("每天最多几次"), validators=[Optional(), NumberRange(1, 9, _l("请填 1 到 9"))])
    stackable = BooleanField(_l("可以和别的补贴同时享受"))
    valid_from = DateField(_l("开始日期"), validators=[required()])
    valid_to = DateField(_l("结束日期"), validators=[Optional()], description=_l("含这一天；不填就一直有效"))
    source = TrimmedField(_l("依据"), validators=[required(_l("请写明文件名或文号")), at_most(200)])

    def facts(self) -> dict[str, Any]:
        """The rule's columns as the service takes them."""
        kinds = {"payer": PayerLevel, "kind": SubsidyKind, "region_level": RegionLevel, "days": Days}
        said = {key: self.data[key] for key in COLUMNS if key not in {"permille", "set_class"}}
        said |= {key: kind(self.data[key]) for key, kind in kinds.items()}
        said["amount_fen"] = self.amount_fen.data or 0
        said["least_bill_fen"] = self.least_bill_fen.data or 0
        said["permille"] = int((self.percent.data or Decimal(0)) * 10)
        said["set_class"] = SetClass(self.set_class.data) if self.set_class.data else None
        return said

    def refused_field(self, field: str) -> str:
        return "percent" if field == "permille" else field


def rule_form(places: Iterable[Area], rule: SubsidyRule | None = None) -> RuleForm:
    """The form with its choices, filled from a rule where there is one."""
    data: dict[str, Any] = {"valid_from": today()}
    if rule:
        data = {key: getattr(rule, key) for key in COLUMNS}
        data["percent"] = Decimal(rule.permille) / 10 if rule.permille else None
        data["set_class"] = rule.set_class or ""
    form = RuleForm(data=data)
    form.area_code.choices = [(area.code, area.name) for area in places]
    form.payer.choices = choices(PayerLevel)
    form.kind.choices = choices(SubsidyKind)
    form.region_level.choices = choices(RegionLevel)
    form.tags.choices = choices(TagKind)
    form.meals.choices = choices(Meal)
    form.set_class.choices = [("", _("不限")), *choices(SetClass)]
    form.days.choices = choices(Days)
    return form


class EndForm(Form):
    last_day = DateField(_l("最后一天"), validators=[required()], default=today)


class TrialForm(Form):
    """A made-up person and meal, asked by GET: nothing in it is anybody's."""

    class Meta:
        csrf = False

    place = SelectField(_l("助餐点所在社区"))
    day = DateField(_l("用餐日期"), validators=[required()], default=today)
    meal = SelectField(_l("餐次"), default=Meal.LUNCH.value)
    age = CountField(_l("年龄（岁）"), validators=[required(), _age()], default=73)
    registration = TrimmedField(_l("户籍区划代码"), validators=[_code()])
    tag = SelectField(_l("人群标签"), default="")
    price = YuanField(_l("餐费（元）"), validators=[required(), _amount()])
    delivery = YuanField(_l("送餐费（元）"), validators=[Optional(), _amount()])
    set_class = SelectField(_l("套餐类别"), default=SetClass.BASIC.value)

    def trial(self) -> Trial:
        return Trial(
            community_code=self.place.data,
            day=self.day.data or today(),
            meal=Meal(self.meal.data),
            age=self.age.data,
            registration_code=self.registration.data or "",
            tags=frozenset({TagKind(self.tag.data)}) if self.tag.data else frozenset(),
            price_fen=int(self.price.data or 0),
            delivery_fen=int(self.delivery.data or 0),
            set_class=SetClass(self.set_class.data),
        )


def trial_form(places: Iterable[Area], asked: Any) -> TrialForm:
    """The form, filled from an address that carries a trial."""
    form = TrialForm(asked) if "age" in asked else TrialForm(formdata=None, data={"price": 1200})
    form.place.choices = [(area.code, area.name) for area in places]
    form.meal.choices = choices(Meal)
    form.tag.choices = [("", _("没有")), *choices(TagKind)]
    form.set_class.choices = choices(SetClass)
    return form
